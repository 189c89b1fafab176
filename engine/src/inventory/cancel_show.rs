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
    // Those that are prepared follow their group: sold, they are to be refunded like all sales.
    live.retain(|&slot| !show.is_prepared(show.holds.get(slot).id));
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

#[cfg(test)]
mod tests {
    use crate::inventory::scenario::check;

    /// Holds are void, sales are to be refunded, nobody waits; it may be sent again (rule: cancel-show).
    #[test]
    fn cancelling_ends_every_hold_in_one_step() {
        check(
            "tell expiries
             00:00  hold A1 as h1                        -> held 1000, until 10:00
             00:00  hold A2 A3 as h2 by bob              -> held 2000, until 10:00
             00:01  pin h1                               -> extended to 60:00 of 30:00
             00:01  confirm h2 for o2 by bob             -> confirmed A2 A3 2000 for o2 by bob
             00:02  hold A4-A10 as h3 by cyd             -> held 7000, until 10:02
             00:02  join 10 together as h4 in A by dan   -> waiting, 1 in all
             00:03  cancel-show dry                      -> 2 holds with 8, 1 bookings with 2 to refund 2000, 1 waiting
             00:03  get h1                               -> held A1 1000, until 60:00, pinned
             00:04  cancel-show                          -> 2 holds with 8, 1 bookings with 2 to refund 2000, 1 waiting
             00:04  cancel-show                          -> 0 holds with 0, 1 bookings with 2 to refund 2000, 0 waiting
             00:05  get h1                               -> cancelled
             00:05  confirm h1 for o1                    -> rejected: cancelled
             00:05  confirm h1 for o1 late               -> rejected: cancelled
             00:05  extend h1                            -> rejected: cancelled
             00:05  release h1                           -> cancelled
             00:06  get h2                               -> confirmed A2 A3 2000, until 10:00, refund due
             00:06  sales                                -> h2 confirmed A2 A3 2000, until 10:00, refund due
             00:06  cancel h2 by bob                     -> rejected: the show is cancelled
             00:07  hold A1 as h1                        -> cancelled 1000, until 60:00
             00:07  hold A5 as h5                        -> rejected: the show is cancelled
             00:07  leave h4 by dan                      -> fenced
             00:08  block A5 block:x                     -> rejected: the show is cancelled
             00:08  open                                 -> rejected: the show is cancelled
             00:09  seats                                -> A2 A3 sold
             90:00  tick                                 -> done
             90:00  archive                              -> archived",
        );
    }

    /// No state keeps a hold alive (rule: cancel-show).
    #[test]
    fn cancelling_while_clocks_stand_ends_holds_too() {
        check(
            "00:00  hold A1 as h1                        -> held 1000, until 10:00
             01:00  pause clocks                         -> paused
             02:00  cancel-show                          -> 1 holds with 1, 0 bookings with 0 to refund 0, 0 waiting
             03:00  seats                                -> all available
             03:00  get h1                               -> cancelled",
        );
    }

    /// Nothing is taken any more; what was sold can be read (rule: archive).
    #[test]
    fn an_archived_show_is_only_looked_up() {
        check(
            "00:00  hold A1 as h1                        -> held 1000, until 10:00
             00:01  archive                              -> rejected: the show is on sale
             00:01  confirm h1 for o1                    -> confirmed A1 1000 for o1
             00:02  close                                -> closed
             00:03  archive                              -> archived
             00:04  get h1                               -> confirmed A1 1000, until 10:00
             00:04  list ada                             -> h1 confirmed A1 1000, until 10:00
             00:05  hold A2 as h2                        -> rejected: the show is archived
             00:05  cancel h1                            -> rejected: the show is archived
             00:05  transfer h1 to bob                   -> rejected: the show is archived
             00:05  exchange A2 of h1                    -> rejected: the show is archived
             00:05  policy places_per_hold 1             -> rejected: the show is archived
             00:05  reprice Seat 1                       -> rejected: the show is archived
             00:05  channel fans                         -> rejected: the show is archived
             00:05  schedule block:x at 10:00            -> rejected: the show is archived
             00:05  cancel-show                          -> rejected: the show is archived
             00:05  unblock A1 block:x                   -> rejected: the show is archived
             00:05  retire A2                            -> rejected: the show is archived
             00:06  confirm h1 for o1                    -> confirmed A1 1000 for o1",
        );
    }
}
