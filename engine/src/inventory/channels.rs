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

    /// The channels that these keys and the public may draw from, a bit each.
    ///
    /// # Errors
    /// [`Rejection::ChannelUnknown`].
    pub(super) fn reach(&self, keys: &[Name]) -> Result<u64, Rejection> {
        let mut reach = self.open;
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
    Ok(Answer::Bulk(report))
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
