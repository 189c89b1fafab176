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
        let gathering = self.waitlist.next_gathering_end().map(|(at, _)| at);
        // While clocks are stopped, no deadline comes.
        let deadline = self.holds.next_deadline().filter(|at| self.sale.clock(*at) == *at);
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
        due.extend(self.waitlist.gatherings_due(now).into_iter().map(Due::EndGathering));
        let is_to_serve = !self.waitlist.look.is_empty() && self.sale.state_at(now) == ShowState::OnSale;
        due.extend(is_to_serve.then_some(Due::Serve));
        due.extend(self.sale.clocks_start_at().filter(|at| *at <= now).map(|_| Due::Close));
        due.truncate(max);
        let left = max - due.len();
        due.extend(self.holds.take_due(self.sale.clock(now), left).into_iter().map(Due::Expire));
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
            Due::Expire(hold_id) => events.push(Event::HoldExpired { hold_id }),
        }
    }
}
