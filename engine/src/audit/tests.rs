//! What the audit accepts, and what it finds.

use usher_wal::{ShardEpoch, ShardId};

use super::*;
use crate::{
    codec::PayloadWriter,
    event::HoldGranted,
    ids::{BuyerId, Reference, SeatIndex},
    time::{HoldTtl, Timestamp},
};

fn granted(id: u8, seat: u32) -> Event {
    Event::HoldGranted(HoldGranted {
        hold_id: HoldId::new(&[id; 16]).unwrap(),
        buyer: BuyerId::new(b"ada").unwrap(),
        places: Places::new([SeatIndex(seat)], []).unwrap(),
        ttl: HoldTtl::from_ms(5_000).unwrap(),
        expires_at: Timestamp(1),
        total_minor: 0,
    })
}

fn confirmed(id: u8) -> Event {
    let (order, payment) = (Reference::default(), Reference::default());
    Event::HoldConfirmed { hold_id: HoldId::new(&[id; 16]).unwrap(), order, payment, places: None }
}

fn audit(events: &[Event]) -> Audit {
    let mut audit = Audit::default();
    audit.shows.insert(ShowNumber(0), AuditedShow::new(ShowId::new("gala").unwrap()));
    let mut payload = PayloadWriter::default();
    events.iter().for_each(|event| payload.push(ShowNumber(0), event, Timestamp(0)));
    let (shard, epoch, lsn) = (ShardId(0), ShardEpoch::ZERO, Lsn::FIRST);
    audit.read(&Frame { shard, epoch, lsn, clock_ms: 0, payload: payload.bytes() }).unwrap();
    audit
}

#[test]
fn an_honest_log_has_no_violation() {
    let released = Event::HoldReleased { hold_id: HoldId::new(&[1; 16]).unwrap(), places: None };
    let audit = audit(&[granted(1, 7), released, granted(2, 7), confirmed(2)]);
    assert_eq!(audit.violations_count, 0, "{:?}", audit.violations());
    assert_eq!(
        audit.shows().map(|show| (show.grants, show.places_sold, show.seats_sold_twice)).collect::<Vec<_>>(),
        [(2, 1, 0)]
    );
}

#[test]
fn a_seat_sold_twice_is_found() {
    let audit = audit(&[granted(1, 7), confirmed(1), granted(2, 7), confirmed(2), confirmed(2)]);
    assert_eq!(audit.shows().map(|show| show.seats_sold_twice).sum::<u64>(), 1);
    assert_eq!(audit.violations_count, 3, "{:?}", audit.violations());
}
