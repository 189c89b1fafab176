//! Channels: seats that only those may take who bring a key, until a time comes at which they are public.
//!
//! A seat belongs to at most one channel, in whatever status it is. A key is a name, not a secret: the frontend decides
//! who may use it.

use super::{Answer, block_places, bulk, seat_bitmap::SeatBitmap, show::Show};
use crate::{
    command::{AssignChannel, SetChannel},
    event::Event,
    ids::{ChannelIndex, Name, SeatIndex, SeatRange},
    rejection::{Limit, Rejection},
    time::Timestamp,
};

/// Most channels of a show.
pub const CHANNELS_MAX: usize = 63;

/// One channel.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub(super) key: Name,
    pub(super) public_at: Option<Timestamp>,
    pub(super) seats: SeatBitmap,
}

/// All channels of a show.
#[derive(Clone, Debug, Default)]
pub(super) struct Channels {
    pub(super) all: Vec<Channel>,
    /// Those that are public, a bit each.
    pub(super) open: u64,
}

impl Channels {
    pub(super) fn find(&self, key: &Name) -> Option<ChannelIndex> {
        let position = self.all.iter().position(|channel| channel.key == *key)?;
        u8::try_from(position).ok().map(ChannelIndex)
    }

    /// The channels that these keys open, public or not, a bit each.
    ///
    /// # Errors
    /// [`Rejection::ChannelUnknown`].
    pub(super) fn named(&self, keys: &[Name]) -> Result<u64, Rejection> {
        let mut reach = 0;
        for key in keys {
            let channel = self.find(key).ok_or_else(|| Rejection::ChannelUnknown { key: key.clone() })?;
            reach |= 1 << channel.0;
        }
        Ok(reach)
    }

    /// Whether a seat can be taken by whoever has this reach.
    pub(super) fn reaches(&self, seat: SeatIndex, reach: u64) -> bool {
        let closed = (0u32..).zip(&self.all).filter(|(channel, _)| reach & (1 << channel) == 0);
        closed.into_iter().all(|(_, channel)| !channel.seats.contains(seat))
    }

    /// Channels that are to be public now, by position.
    pub(super) fn due(&self, now: Timestamp) -> impl Iterator<Item = ChannelIndex> + '_ {
        let closed = (0u8..).zip(&self.all).filter(|(channel, _)| self.open & (1 << channel) == 0);
        let due = closed.filter(move |(_, own)| own.public_at.is_some_and(|at| at <= now));
        due.map(|(channel, _)| ChannelIndex(channel))
    }

    /// The next instant at which a channel is to open.
    pub(super) fn next_opening(&self) -> Option<(Timestamp, ChannelIndex)> {
        let closed = (0u8..).zip(&self.all).filter(|(channel, _)| self.open & (1 << channel) == 0);
        closed.filter_map(|(channel, own)| Some((own.public_at?, ChannelIndex(channel)))).min()
    }
}

pub(super) fn set(
    show: &Show,
    command: &SetChannel,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    bulk::must_be_changeable(show, now)?;
    let known = show.channels.find(&command.key);
    if known.is_none() && show.channels.all.len() >= CHANNELS_MAX {
        return Err(Rejection::LimitReached { limit: Limit::ChannelsPerShow, max: CHANNELS_MAX as u64 });
    }
    // After this point it must succeed.
    let same = known.is_some_and(|known| show.channels.all[usize::from(known.0)].public_at == command.public_at);
    if !same {
        events.push(Event::ChannelSet { key: command.key.clone(), public_at: command.public_at });
    }
    Ok(Answer::Done)
}

pub(super) fn assign(
    show: &Show,
    command: &AssignChannel,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    bulk::must_be_changeable(show, now)?;
    let unknown_key = |key: &Name| Rejection::ChannelUnknown { key: key.clone() };
    let channel = match &command.key {
        None => None,
        Some(key) => Some(show.channels.find(key).ok_or_else(|| unknown_key(key))?),
    };
    let selected = bulk::select(show, &command.selection)?;
    // After this point it must succeed.
    let is_there = |seat: &SeatIndex| show.channel_of(*seat) == channel;
    let moved: Vec<SeatIndex> = selected.seats.into_iter().filter(|seat| !is_there(seat)).collect();
    let report = bulk::report(bulk::count(&moved), Vec::new(), &block_places::no_units(selected.ga));
    if !moved.is_empty() {
        events.push(Event::ChannelAssigned { channel, seats: SeatRange::of(moved) });
    }
    Ok(Answer::Bulk(Box::new(report)))
}

pub(super) fn apply_set(show: &mut Show, key: Name, public_at: Option<Timestamp>) {
    match show.channels.find(&key) {
        None => {
            let seats = SeatBitmap::empty(show.manifest.seats());
            show.channels.all.push(Channel { key, public_at, seats });
        }
        Some(known) => {
            show.channels.all[usize::from(known.0)].public_at = public_at;
            show.channels.open &= !(1 << known.0);
        }
    }
    show.runs.forget();
    show.waitlist.look_again(&show.manifest, show.channels.open);
}

pub(super) fn apply_opened(show: &mut Show, channel: ChannelIndex) {
    show.channels.open |= 1 << channel.0;
    show.runs.forget();
    show.waitlist.look_again(&show.manifest, show.channels.open);
    show.waitlist.look_everywhere();
}

pub(super) fn apply_assigned(show: &mut Show, channel: Option<ChannelIndex>, seats: &[SeatRange]) {
    for seat in seats.iter().flat_map(|range| range.seats()) {
        show.channels.all.iter_mut().for_each(|channel| channel.seats.remove(seat));
        if let Some(channel) = channel {
            show.channels.all[usize::from(channel.0)].seats.insert(seat);
        }
    }
    show.runs.forget();
    show.waitlist.look_everywhere();
}

#[cfg(test)]
mod tests {
    use crate::inventory::scenario::check;

    /// Without the key they are as taken; with it they and the public ones can be had (rule: channel-key).
    #[test]
    fn a_channels_places_need_its_key() {
        check(
            "00:00  channel fans                         -> done
             00:00  channel press                        -> done
             00:01  assign A1 A2 to fans                 -> 2 changed
             00:01  assign A3 to press                   -> 1 changed
             00:02  hold A1 A4 as h1                     -> rejected: places taken A1
             00:02  hold A1 A3 as h1 with fans           -> rejected: places taken A3
             00:02  hold A1 A4 as h1 with nobody         -> rejected: no channel has the key nobody
             00:03  hold A1 A3 A4 as h1 with fans with press -> held 3000, until 10:03
             00:04  overview                             -> on sale, A 7+3+0+0 B 10+0+0+0 Floor 100+0+0+0, fans 1+1+0+0 never public, press 0+1+0+0 never public, 1 holds 0 bookings 0 waiting",
        );
    }

    /// By the shard's clock, as an event in the log (rule: channel-opens).
    #[test]
    fn a_channel_becomes_public_at_a_time() {
        check(
            "00:00  channel fans public 05:00            -> done
             00:00  assign A1 A2 to fans                 -> 2 changed
             04:59  hold A1 as h1                        -> rejected: places taken A1
             05:00  hold A1 as h1                        -> held 1000, until 15:00
                    => fans public
             05:01  overview                             -> on sale, A 9+1+0+0 B 10+0+0+0 Floor 100+0+0+0, fans 1+1+0+0 public, 1 holds 0 bookings 0 waiting
             05:02  channel fans public 08:00            -> done
             05:03  hold A2 as h2                        -> rejected: places taken A2
             05:04  channel fans                         -> done
             09:00  hold A2 as h2                        -> rejected: places taken A2
             09:00  hold A2 as h2 with fans              -> held 1000, until 19:00",
        );
    }

    /// Assigning takes no seat from anybody (rule: channel-key).
    #[test]
    fn what_is_held_goes_to_its_channel_when_it_comes_back() {
        check(
            "00:00  channel fans                         -> done
             00:01  hold A1 as h1                        -> held 1000, until 10:01
             00:02  assign A1 A2 to fans                 -> 2 changed
             00:02  assign A1 A2 to fans                 -> 0 changed
             00:03  confirm h1 for o1                    -> confirmed A1 1000 for o1
             00:04  cancel h1                            -> cancelled, refund 1000
             00:05  hold A1 as h2                        -> rejected: places taken A1
             00:06  assign A1 to none                    -> 1 changed
             00:07  hold A1 as h2                        -> held 1000, until 10:07
             00:08  assign A1 to nobody                  -> rejected: no channel has the key nobody
             00:08  assign 5xFloor to fans               -> 0 changed, 5 refused: Floor",
        );
    }

    /// Assigning it to another takes it out of its own (rule: channel-key).
    #[test]
    fn a_seat_is_in_one_channel_at_most() {
        check(
            "00:00  channel fans                         -> done
             00:00  channel press                        -> done
             00:01  assign A1 to fans                    -> 1 changed
             00:02  assign row:A/A to press              -> 10 changed
             00:03  hold A1 as h1 with fans              -> rejected: places taken A1
             00:03  hold A1 as h1 with press             -> held 1000, until 10:03",
        );
    }

    /// The buyer had it before it was assigned (rule: accept-late).
    #[test]
    fn a_late_payment_takes_its_seat_back_from_the_channel_it_is_in() {
        check(
            "00:00  hold A1 as h1 for 5s                 -> held 1000, until 00:05
             00:06  channel fans                         -> done
             00:06  assign A1 to fans                    -> 1 changed
             00:07  confirm h1 for o1 late               -> confirmed A1 1000 for o1",
        );
    }

    /// A show has at most 63 channels, and says so (rule: bounded).
    #[test]
    fn channels_are_bounded() {
        let set = |number: usize, answer: &str| format!("00:00  channel c{number}  -> {answer}\n");
        let all: String = (0..super::CHANNELS_MAX).map(|number| set(number, "done")).collect();
        let more = set(63, "rejected: channels_per_show_max is 63");
        check(&format!(
            "{all}{more}00:01  assign A1 to c62 -> 1 changed\n00:01  hold A1 as h1 with c62 -> held 1000, until 10:01"
        ));
    }
}
