//! CancelShow and ArchiveShow: the show does not take place, or is over.
//!
//! Cancelling ends every hold in one event. Sales stay what they are, with their refund due: whoever refunds pages
//! through them.

use super::{
    Answer,
    hold::HoldState,
    sale::{ShowState, Stage, start_clocks},
    show::Show,
};
use crate::{event::Event, rejection::Rejection, time::Timestamp};

/// What cancelling a show ends; once it is cancelled, no hold is live and nobody waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CancelReport {
    /// Live holds.
    pub holds: u32,
    /// Their places.
    pub held_places: u32,
    /// Sales to be refunded.
    pub bookings: u32,
    /// Their places.
    pub sold_places: u32,
    /// What they cost, in minor units.
    pub refund_minor: u64,
    /// Entries that wait.
    pub waiting: u32,
}

impl Show {
    pub(super) fn is_cancelled(&self) -> bool {
        self.sale.stage == Stage::Cancelled
    }
}

pub(super) fn cancel(show: &Show, dry_run: bool, now: Timestamp, events: &mut Vec<Event>) -> Result<Answer, Rejection> {
    if show.sale.stage == Stage::Archived {
        return Err(show.not_open(now));
    }
    // After this point it must succeed.
    if !dry_run && !show.is_cancelled() {
        events.push(Event::ShowCancelled);
    }
    Ok(Answer::ShowCancelled(report(show)))
}

fn report(show: &Show) -> CancelReport {
    let mut report = CancelReport { waiting: show.waitlist.waiting(), ..CancelReport::default() };
    for hold in show.holds.iter() {
        let places = hold.remaining();
        match hold.state {
            HoldState::Held => {
                report.holds += 1;
                report.held_places += places.count();
            }
            HoldState::Confirmed => {
                report.bookings += 1;
                report.sold_places += places.count();
                report.refund_minor += show.price_of(hold, places);
            }
            _ => {}
        }
    }
    report
}

pub(super) fn apply_cancelled(show: &mut Show, at: Timestamp) {
    clear_waitlist(show);
    let mut live = show.holds.live_slots();
    live.sort_unstable_by_key(|&slot| show.holds.get(slot).id);
    live.into_iter().for_each(|slot| show.end_hold(slot, HoldState::Cancelled, at));
    show.sale.stage = Stage::Cancelled;
}

pub(super) fn archive(show: &Show, now: Timestamp, events: &mut Vec<Event>) -> Result<Answer, Rejection> {
    show.must_be(&[ShowState::Closed, ShowState::Cancelled, ShowState::Archived], now)?;
    if show.holds.live() > 0 {
        return Err(Rejection::HoldsLive { holds: show.holds.live() });
    }
    // After this point it must succeed.
    if show.sale.stage != Stage::Archived {
        events.push(Event::ShowArchived);
    }
    Ok(Answer::Sale(ShowState::Archived))
}

pub(super) fn apply_archived(show: &mut Show, at: Timestamp) {
    start_clocks(show, at);
    clear_waitlist(show);
    show.sale.stage = Stage::Archived;
    show.runs.forget();
}

/// Nobody waits any more; what was gathered goes back.
fn clear_waitlist(show: &mut Show) {
    for gathered in show.waitlist.clear() {
        show.put_back(&gathered);
    }
}
