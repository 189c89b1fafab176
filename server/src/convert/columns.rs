//! Commands and outcomes in columns: the same commands, the same answers, in fewer bytes and with less to do for each.

use usher_engine::{
    command::{Command, ConfirmHold, HoldSeats, ReleaseHold},
    ids::{BuyerId, HoldId, Reference, SeatIndex},
    inventory::{Answer, HoldState, HoldView, manifest::Manifest, places::Places},
    rejection::Rejection,
    shard::Outcome,
    time::HoldTtl,
};
use usher_proto::v1::{self, command::Command as Wire, outcome::Outcome as WireOutcome};

use super::{Violations, places::named};
use crate::status::Refusal;

/// What a byte of `kinds` stands for.
const HOLD: u8 = 1;
const CONFIRM: u8 = 2;
const RELEASE: u8 = 3;
/// What a byte of `codes` stands for.
const AS_ASKED: u8 = 0;
const ALL_TAKEN: u8 = 1;
const OTHER: u8 = 2;
const HOLD_ID_BYTES: usize = 16;

/// What is left of a column, and its name.
struct Column<'a>(&'static str, &'a [u8]);

impl<'a> Column<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Refusal> {
        let (part, rest) = self.1.split_at_checked(count).ok_or_else(|| Refusal::wrong(self.0, "ends too early"))?;
        self.1 = rest;
        Ok(part)
    }

    fn byte(&mut self) -> Result<usize, Refusal> {
        self.take(1).map(|byte| usize::from(byte[0]))
    }

    /// As many bytes as the one before them says.
    fn text(&mut self) -> Result<&'a [u8], Refusal> {
        let length = self.byte()?;
        self.take(length)
    }

    fn end(&self) -> Result<(), Refusal> {
        if self.1.is_empty() { Ok(()) } else { Err(Refusal::wrong(self.0, "has more than the commands have")) }
    }
}

/// Reads the commands, and hands over each with its position. What is wrong with one of them is its own affair; the manifest of
/// its show names it then.
///
/// # Errors
/// When the columns do not belong together, naming the one: then all that was handed over is to be forgotten.
pub fn read<'m>(
    wire: &v1::CommandColumns,
    manifest_of: impl Fn(usize) -> &'m Manifest,
    mut take: impl FnMut(usize, Result<Command, Refusal>),
) -> Result<(), Refusal> {
    let mut violations = Violations::default();
    let ttl = violations.ttl(wire.ttl_ms);
    let ttl = violations.done(ttl)?;
    let mut ids = Column("hold_ids", &wire.hold_ids);
    let mut buyers = Column("buyer_ids", &wire.buyer_ids);
    let mut counts = Column("seat_counts", &wire.seat_counts);
    let mut references = Column("references", &wire.references);
    let mut seats = wire.seat_indexes.as_slice();
    for (position, kind) in wire.kinds.iter().enumerate() {
        let (id, buyer) = (ids.take(HOLD_ID_BYTES)?, buyers.text()?);
        let read = match *kind {
            HOLD => {
                let own = seats.split_at_checked(counts.byte()?);
                let (own, rest) = own.ok_or_else(|| Refusal::wrong("seat_indexes", "ends too early"))?;
                seats = rest;
                hold(id, buyer, own, ttl, || manifest_of(position))
            }
            CONFIRM => confirm(id, buyer, references.text()?, references.text()?),
            RELEASE => release(id, buyer),
            other => return Err(Refusal::wrong("kinds", format_args!("must be 1 to 3, one is {other}"))),
        };
        take(position, read);
    }
    [ids, buyers, counts, references].iter().try_for_each(Column::end)?;
    if seats.is_empty() { Ok(()) } else { Err(Refusal::wrong("seat_indexes", "has more than the commands have")) }
}

// What is usual is read without further ado; what is wrong with the others is found out apart.

#[inline]
fn hold<'m>(
    id: &[u8],
    buyer_id: &[u8],
    seats: &[u32],
    ttl: Option<HoldTtl>,
    manifest: impl Fn() -> &'m Manifest,
) -> Result<Command, Refusal> {
    let places = || match seats {
        [seat] => Ok(Places::seat(SeatIndex(*seat))),
        several => Places::new(several.iter().map(|&seat| SeatIndex(seat)), []),
    };
    if let (Ok(hold_id), Some(buyer), Ok(places)) = (HoldId::new(id), buyer(buyer_id), places()) {
        return Ok(Command::HoldSeats(HoldSeats { hold_id, buyer, places, ttl, terms: None }));
    }
    let mut violations = own(id, buyer_id);
    violations.take("places", places().map_err(|error| named(&error, manifest())));
    violations.done(None)
}

#[inline]
fn confirm(id: &[u8], buyer_id: &[u8], order: &[u8], payment: &[u8]) -> Result<Command, Refusal> {
    if let (Ok(hold_id), Some(buyer)) = (HoldId::new(id), buyer(buyer_id))
        && let (Ok(order), Ok(payment)) = (std::str::from_utf8(order), std::str::from_utf8(payment))
        && let (Ok(order), Ok(payment)) = (Reference::order(order), Reference::payment(payment))
    {
        return Ok(Command::ConfirmHold(ConfirmHold {
            hold_id,
            buyer,
            order,
            payment,
            part: None,
            accept_late: false,
        }));
    }
    let mut violations = own(id, buyer_id);
    violations.text("order_ref", order).and_then(|order| violations.order(order));
    violations.text("payment_ref", payment).and_then(|payment| violations.payment(payment));
    violations.done(None)
}

#[inline]
fn release(id: &[u8], buyer_id: &[u8]) -> Result<Command, Refusal> {
    if let (Ok(hold_id), Some(buyer)) = (HoldId::new(id), buyer(buyer_id)) {
        return Ok(Command::ReleaseHold(ReleaseHold { hold_id, buyer, places: None }));
    }
    own(id, buyer_id).done(None)
}

#[inline]
fn buyer(bytes: &[u8]) -> Option<BuyerId> {
    BuyerId::new(bytes).ok().filter(BuyerId::is_utf8)
}

/// What is wrong with the id and the buyer.
#[cold]
fn own(id: &[u8], buyer: &[u8]) -> Violations {
    let mut violations = Violations::default();
    violations.hold_id(id);
    violations.text("buyer_id", buyer).and_then(|buyer| violations.buyer_id("buyer_id", buyer));
    violations
}

/// The outcomes of commands that could be read: what became of each, in their order. What is out of the ordinary is told in
/// full, by the position of the command.
#[must_use]
pub fn outcomes(
    asked: &v1::CommandColumns,
    became: impl Iterator<Item = Result<Outcome, Refusal>>,
    tell: impl Fn(usize, &Wire, Result<Outcome, Refusal>) -> WireOutcome,
) -> v1::OutcomeColumns {
    let mut counts = Column("seat_counts", &asked.seat_counts);
    let mut references = Column("references", &asked.references);
    let mut codes = Vec::with_capacity(asked.kinds.len());
    let mut columns = v1::OutcomeColumns::default();
    for (position, (kind, outcome)) in asked.kinds.iter().zip(became).enumerate() {
        let seats = if *kind == HOLD { counts.byte().unwrap_or(0) } else { 0 };
        let order = if *kind == CONFIRM {
            references.text().and_then(|order| references.text().map(|_| order))
        } else {
            Ok(&[][..])
        };
        let code = match (*kind, &outcome) {
            (HOLD, Ok(Ok(Answer::Held(hold)))) if hold.state == HoldState::Held && hold.more.is_none() => {
                columns.expires_at_ms.push(hold.expires_at.0);
                columns.total_minor.push(hold.total_minor);
                AS_ASKED
            }
            (CONFIRM, Ok(Ok(Answer::Confirmed(hold)))) if order.is_ok_and(|order| is_under(hold, order)) => AS_ASKED,
            (RELEASE, Ok(Ok(Answer::Released { state: HoldState::Released, orphans }))) if orphans.is_empty() => {
                AS_ASKED
            }
            (HOLD, Ok(Err(Rejection::PlacesTaken(taken)))) if taken.ga.is_empty() && taken.seats.len() == seats => {
                ALL_TAKEN
            }
            _ => OTHER,
        };
        codes.push(code);
        if code == OTHER {
            columns.others.push(v1::Outcome { outcome: Some(tell(position, &of_kind(*kind), outcome)) });
        }
    }
    columns.codes = codes.into();
    columns
}

/// Whether it is sold under this order, and there is nothing else to say.
fn is_under(hold: &HoldView, order: &[u8]) -> bool {
    let asked = std::str::from_utf8(order).ok().and_then(|order| Reference::order(order).ok());
    hold.more.is_none() && asked.is_some() && hold.booking.as_ref().map(|booking| &booking.order) == asked.as_ref()
}

/// A command of this kind.
fn of_kind(kind: u8) -> Wire {
    match kind {
        HOLD => Wire::HoldSeats(v1::HoldSeatsRequest::default()),
        CONFIRM => Wire::ConfirmHold(v1::ConfirmHoldRequest::default()),
        _ => Wire::ReleaseHold(v1::ReleaseHoldRequest::default()),
    }
}
