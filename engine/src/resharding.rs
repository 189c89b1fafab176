//! Shows that go from one shard to another while nobody serves: their state becomes an event of the log where they arrive,
//! and the log that they leave says where they went. Both are one write.

use usher_wal::{Log, LogError, ShardId};

use crate::{
    codec::PayloadWriter,
    event::{Event, ShowLoaded},
    ids::{ShowId, ShowNumber},
    inventory::Inventory,
    shard::{RecoveryError, replay},
    time::Timestamp,
};

/// Most bytes of a show's state that fit into a frame, with what is around them. A show of 500,000 sold seats is less.
pub const STATE_BYTES_MAX: usize = 60 << 20;

/// A show that goes to another shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Which.
    pub show_id: ShowId,
    /// Where it is.
    pub from: ShardId,
    /// Where it goes.
    pub to: ShardId,
}

/// Why a show was not moved. Those that were moved before it stay where they went.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// A shard cannot be recovered.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// The move cannot be logged.
    #[error(transparent)]
    Log(#[from] LogError),
    /// It does not fit into a frame.
    #[error("show {} is too large to be moved: its state has {bytes} bytes, at most {STATE_BYTES_MAX}", show_id.as_str())]
    TooLarge {
        /// Which.
        show_id: ShowId,
        /// Of its state.
        bytes: usize,
    },
}

/// What moves when each show of these shards, given in order, goes where `place` says, which is asked for its id and the
/// shard that it is on. Shards from last to first may go away: nothing moves to one that is not there.
pub fn plan<'a>(
    shards: impl IntoIterator<Item = &'a Inventory>,
    place: &dyn Fn(&ShowId, ShardId) -> ShardId,
) -> Vec<Move> {
    let mut moves = Vec::new();
    for (from, inventory) in (0..).map(ShardId).zip(shards) {
        let here = inventory.shows().filter(|(number, _)| !inventory.has_left(*number));
        let places = here.map(|(_, show)| (show.id(), place(show.id(), from)));
        let moving = places.filter(|(_, to)| *to != from);
        moves.extend(moving.map(|(show_id, to)| Move { show_id: show_id.clone(), from, to }));
    }
    moves
}

/// Moves every show where `place` puts it, one after the other, each durably before the next, and tells of each. `logs` are
/// those of all shards, in order; `append_both` appends a payload to each of two of them, at the clock reading, both or none.
///
/// # Errors
/// [`MoveError`]. What is left can be moved later.
pub fn move_shows<L: Log>(
    logs: &mut [L],
    now: Timestamp,
    place: &dyn Fn(&ShowId, ShardId) -> ShardId,
    append_both: impl Fn(u64, (&mut L, &[u8]), (&mut L, &[u8])) -> Result<(), LogError>,
    on_move: &mut dyn FnMut(&Move),
) -> Result<(), MoveError> {
    let recovered: Result<Vec<_>, _> = logs.iter_mut().map(|log| Ok::<_, RecoveryError>(replay(log)?.0)).collect();
    let mut inventories = recovered?;
    for moved in plan(&inventories, place) {
        let [from, to] = [moved.from, moved.to].map(|shard| shard.0 as usize);
        let [leaving, arriving] = inventories.get_disjoint_mut([from, to]).expect("another shard, which is there");
        let number = leaving.number(&moved.show_id).expect("it was just found");
        let arrival = arrival(leaving, number, (&moved, logs[from].tail().lsn.0))?;
        let departure = Event::ShowLeft { to_shard: moved.to.0 };
        let [leaves, arrives] = logs.get_disjoint_mut([from, to]).expect("as above");
        let mut events = [(number, departure), (arriving.next_number(), arrival)];
        let [left, arrived] = events.each_ref().map(|(number, event)| {
            let mut payload = PayloadWriter::default();
            payload.push(*number, event, now);
            payload
        });
        append_both(now.0, (leaves, left.bytes()), (arrives, arrived.bytes()))?;
        for (inventory, (number, event)) in [leaving, arriving].into_iter().zip(&mut events) {
            inventory.apply(*number, event, now);
        }
        on_move(&moved);
    }
    Ok(())
}

fn arrival(inventory: &mut Inventory, number: ShowNumber, (moved, lsn): (&Move, u64)) -> Result<Event, MoveError> {
    let state = inventory.freeze(number).store();
    if state.len() > STATE_BYTES_MAX {
        return Err(MoveError::TooLarge { show_id: moved.show_id.clone(), bytes: state.len() });
    }
    Ok(Event::ShowLoaded(Box::new(ShowLoaded { of_shard: moved.from.0, of_lsn: lsn, state })))
}
