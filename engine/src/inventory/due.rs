//! What time brings about in a show: deadlines, openings of channels, planned releases, mass returns, the end of what
//! was gathered.
//!
//! Each becomes an event in the log; the order is fixed, so that the same instant always brings the same.

use super::{block_places, sale::ShowState, show::Show};
use crate::{
    event::Event,
    ids::{ChannelIndex, HoldId},
    time::Timestamp,
};

/// Something that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// A channel is to be public.
    OpenChannel(ChannelIndex),
    /// What is blocked under the mark at this position is to be released.
    Release(u8),
    /// The next places of a mass return are to come back.
    Return,
    /// What was gathered for an entry is to go back.
    EndGathering(HoldId),
    /// The sale opened by time, and places came back before it did: those who wait are to be served.
    Serve,
    /// The sale closed by time while clocks stood still: they are to run again, so that every hold ends.
    Close,
    /// A hold's deadline came, and its places are to come back later.
    Lapse(HoldId),
    /// A hold is to expire.
    Expire(HoldId),
}

/// What an event does to the earliest instant at which something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WakeUp {
    /// A deadline is there now, which may be the earliest.
    At(Timestamp),
    /// Nothing, unless somebody waits.
    Same,
    /// Anything: the show tells.
    Ask,
}

/// The frequent events are known by themselves.
pub(super) fn wake_up_of(event: &Event) -> WakeUp {
    match event {
        Event::HoldGranted(granted) => WakeUp::At(granted.expires_at),
        Event::HoldExtended { expires_at, .. } => WakeUp::At(*expires_at),
        Event::HoldConfirmed { .. }
        | Event::HoldReleased { .. }
        | Event::HoldExpired { .. }
        | Event::HoldFenced { .. } => WakeUp::Same,
        _ => WakeUp::Ask,
    }
}

impl Show {
    /// The earliest instant at which something is due; never later than the truth.
    pub(super) fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let opening = (!self.waitlist.look.is_empty() && self.sale.opens_at > now).then_some(self.sale.opens_at);
        let planned = self.channels.next_opening().map(|(at, _)| at);
        let release = self.releases.values().min().copied();
        // While clocks are stopped, no deadline comes.
        let comes = |at: &Timestamp| self.sale.clock(*at) == *at;
        let gathering = self.waitlist.next_gathering_end().map(|(at, _)| at).filter(comes);
        let deadline = self.holds.next_deadline().filter(comes);
        [planned, release, self.returns_due_at, gathering, opening, self.sale.clocks_start_at(), deadline]
            .into_iter()
            .flatten()
            .min()
    }

    /// Takes at most `max` things that are due.
    pub(super) fn take_due(&mut self, now: Timestamp, max: usize) -> Vec<Due> {
        let mut due = Vec::new();
        due.extend(self.channels.due(now).map(Due::OpenChannel));
        due.extend(self.releases.iter().filter(|(_, at)| **at <= now).map(|(mark, _)| Due::Release(*mark)));
        due.extend(self.returns_due_at.filter(|at| *at <= now).map(|_| Due::Return));
        due.extend(self.waitlist.gatherings_due(self.sale.clock(now)).into_iter().map(Due::EndGathering));
        let is_to_serve = !self.waitlist.look.is_empty() && self.sale.state_at(now) == ShowState::OnSale;
        due.extend(is_to_serve.then_some(Due::Serve));
        due.extend(self.sale.clocks_start_at().filter(|at| *at <= now).map(|_| Due::Close));
        due.truncate(max);
        let left = max - due.len();
        due.extend(self.holds.take_due(self.sale.clock(now), left));
        due
    }

    pub(super) fn fall_due(&self, due: Due, events: &mut Vec<Event>) {
        match due {
            Due::OpenChannel(channel) => events.push(Event::ChannelOpened { channel }),
            Due::Release(mark) => block_places::release_due(self, mark, events),
            Due::Return => block_places::return_due(self, events),
            // What another one gave back may have completed it meanwhile.
            Due::EndGathering(hold_id) => {
                let slot = self.waitlist.slot(hold_id);
                if slot.is_some_and(|slot| self.waitlist.gathering(slot).is_some()) {
                    events.push(Event::GatheringEnded { hold_id });
                }
            }
            // What follows is asked for after everything that is due.
            Due::Serve => {}
            Due::Close => events.push(Event::SaleClosed),
            Due::Lapse(hold_id) => events.push(Event::HoldLapsed { hold_id }),
            Due::Expire(hold_id) => events.push(Event::HoldExpired { hold_id }),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::inventory::scenario::check;

    /// Channels, releases, returns, gatherings, then holds (rule: sweep-order).
    #[test]
    fn what_is_due_at_once_comes_in_a_fixed_order() {
        check(
            "policy gather 5m
             tell expiries
             row A 6 in West
             00:00  channel fans public 05:01            -> done
             00:00  assign A6 to fans                    -> 1 changed
             00:00  block A5 block:x                     -> 1 changed
             00:00  schedule block:x at 05:01            -> done
             00:00  hold A1 A2 A3 A4 as h1 for 5m by bob -> held 4000, until 05:00
             00:01  join 6 preferred as h2               -> waiting, 1 in all
             00:01  release A1 of h1 by bob              -> held
                    => h2 gathers A1, until 05:01
             05:02  tick                                 -> done
                    => fans public; h2 gathers A6, until 05:01; A5 from block:x; block:x released; h2 gathers A5, until 05:01; h2 gathers no more; h1 expired; h2 offered A1-A6 6000, until 15:02",
        );
    }

    /// Whatever became due between two turns happens at the later one (rule: late-is-bounded).
    #[test]
    fn a_late_turn_does_the_same_as_many_punctual_ones() {
        check(
            "tell expiries
             00:00  channel fans public 01:00            -> done
             00:00  assign A1 to fans                    -> 1 changed
             00:00  hold A2 as h1 for 1m                 -> held 1000, until 01:00
             00:00  hold A3 as h2 for 2m                 -> held 1000, until 02:00
             90:00  hold A1 A2 A3 as h3                  -> held 3000, until 100:00
                    => fans public; h1 expired; h2 expired",
        );
    }
}
