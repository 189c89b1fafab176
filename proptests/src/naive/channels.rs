//! Channels of the naive model.

use usher_engine::{
    command::{AssignChannel, SetChannel},
    ids::Name,
    inventory::Answer,
    rejection::Rejection,
    shard::Outcome,
    time::Timestamp,
};

use super::{blocks, lifecycle::CHANGEABLE, records::Channel, show::Show};

impl Show {
    pub(super) fn channel(&self, key: &Name) -> Result<usize, Rejection> {
        let position = self.channels.iter().position(|channel| channel.key == *key);
        position.ok_or_else(|| Rejection::ChannelUnknown { key: key.clone() })
    }
}

/// A known channel that is to open at another time is closed until then.
pub(super) fn set(show: &mut Show, command: &SetChannel, now: Timestamp) -> Outcome {
    show.must_be(&CHANGEABLE, now)?;
    let SetChannel { key, public_at } = command.clone();
    match show.channels.iter_mut().find(|channel| channel.key == key) {
        Some(known) if known.public_at == public_at => {}
        Some(known) => (known.public_at, known.is_open) = (public_at, false),
        None => show.channels.push(Channel { key, public_at, is_open: false }),
    }
    Ok(Answer::Done)
}

pub(super) fn assign(show: &mut Show, command: &AssignChannel, now: Timestamp) -> Outcome {
    show.must_be(&CHANGEABLE, now)?;
    let channel = match &command.key {
        Some(key) => Some(show.channel(key)?),
        None => None,
    };
    let (seats, ga) = blocks::select(show, &command.selection)?;
    let mut changed = 0;
    for seat in seats {
        let seat = &mut show.seats[seat.0 as usize];
        changed += u32::from(seat.channel != channel);
        seat.channel = channel;
    }
    if changed > 0 {
        show.look_everywhere();
    }
    Ok(Answer::Bulk(Box::new(blocks::report(changed, Vec::new(), blocks::no_units(ga)))))
}
