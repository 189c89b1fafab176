//! The log as people and scripts read it: its events one after the other, with the names of shows and places.
//!
//! It reads beside a running server and writes nothing. How an event reads is `json`'s and `words`'s; what is printed,
//! and of which events, is the command line's.

use std::{ops::ControlFlow, path::Path, thread, time::Duration};

use usher_engine::{
    codec::read_payload,
    event::Event,
    ids::{ShowId, ShowNumber},
    shard::{Loaded, RecoveryError},
    time::Timestamp,
};
use usher_wal::{Frame, LogError, Lsn, ReadOnlyStore, ReplayStop, ShardEpoch, ShardId, Tail};

mod json;
mod json_shows;
mod names;
mod words;

pub use names::Names;

/// The files of a running server may be replaced while they are opened.
const OPEN_TRIES: u32 = 10;
const OPEN_WAIT: Duration = Duration::from_millis(50);

/// Opens a data directory for reading, as it is now.
///
/// # Errors
/// Why it cannot be read. What may pass, as when a running server replaces a file, has been tried again.
pub fn open(data_dir: &Path) -> Result<ReadOnlyStore, LogError> {
    for _ in 1..OPEN_TRIES {
        match ReadOnlyStore::open(data_dir) {
            Err(error) if error.is_passing_for_readers() => thread::sleep(OPEN_WAIT),
            opened => return opened,
        }
    }
    ReadOnlyStore::open(data_dir)
}

/// Where an event stands in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The shard.
    pub shard: ShardId,
    /// The frame.
    pub lsn: Lsn,
    /// The opening that wrote it.
    pub epoch: ShardEpoch,
    /// The clock reading of the frame.
    pub clock: Timestamp,
}

/// One event of the log.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Where it stands.
    pub position: Position,
    /// The show that it is about.
    pub number: ShowNumber,
    /// What happened.
    pub event: &'a Event,
    names: &'a Names,
}

impl Entry<'_> {
    /// The show's id; `None` if the show was created before the first frame that the log still has.
    #[must_use]
    pub fn show_id(&self) -> Option<&ShowId> {
        self.names.show(self.number).map(names::Show::id)
    }

    /// As one JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::line(self)
    }

    /// What happened, in words.
    #[must_use]
    pub fn to_words(&self) -> String {
        words::of(self.event, self.names.show(self.number))
    }
}

/// One shard's log, read from the first frame that it has, and on from where it was read to.
#[derive(Debug)]
pub struct Reader {
    shard: ShardId,
    names: Names,
    /// Behind the last frame that was read; `None` before the first.
    next: Option<Lsn>,
}

/// A reader has had enough; it is no failure.
#[derive(Debug, thiserror::Error)]
#[error("enough")]
struct Enough;

impl Reader {
    /// Reads from the beginning.
    #[must_use]
    pub fn new(shard: ShardId) -> Self {
        Self { shard, names: Names::default(), next: None }
    }

    /// An event that was read before, with the names that are known by now.
    #[must_use]
    pub fn entry<'a>(&'a self, position: Position, number: ShowNumber, event: &'a Event) -> Entry<'a> {
        Entry { position, number, event, names: &self.names }
    }

    /// Whose log it reads.
    #[must_use]
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    /// Whether there was a show of this id in what was read so far, or before it.
    #[must_use]
    pub fn knows(&self, show_id: &str) -> bool {
        self.names.know(show_id)
    }

    /// Whether events were read whose show has no name here.
    #[must_use]
    pub fn lacks_names(&self) -> bool {
        self.names.are_lacking()
    }

    /// Visits the events behind those already read, until there are no more or `visit` breaks; frames are verified. What
    /// was trimmed before it was read is passed over. After a break nothing more should be read: the rest of its frame
    /// would be missing.
    ///
    /// # Errors
    /// What is wrong with the log, or with its events.
    pub fn read(
        &mut self,
        store: &ReadOnlyStore,
        visit: &mut dyn FnMut(&Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        if self.next.is_none() {
            self.names = names_before(store, self.shard);
        }
        let Self { shard, names, next } = self;
        let kept = store.ends(*shard)?;
        // The frame before must be there still.
        let resumed = next.filter(|next| kept.is_some_and(|(first, _)| first < *next));
        let mut read_frame = |frame: Frame<'_>| -> Result<(), ReplayStop> {
            let (lsn, epoch, clock) = (frame.lsn, frame.epoch, Timestamp(frame.clock_ms));
            let position = Position { shard: frame.shard, lsn, epoch, clock };
            for record in read_payload(frame.payload, clock) {
                let (number, event) = record?;
                names.learn(lsn, number, &event)?;
                let entry = Entry { position, number, event: &event, names };
                if visit(&entry).is_break() {
                    return Err(Enough.into());
                }
            }
            *next = Some(lsn.next());
            Ok(())
        };
        let read = match resumed {
            Some(from) => store.replay_from(*shard, from, &mut read_frame),
            None => store.replay(*shard, &mut read_frame),
        };
        match read {
            Err(LogError::Rejected { source, .. }) if source.is::<Enough>() => Ok(()),
            read => read.map(|_: Tail| ()),
        }
    }
}

/// What the shows are called of a log that begins behind their creation. Without sound snapshots they have no names.
fn names_before(store: &ReadOnlyStore, shard: ShardId) -> Names {
    let loaded = store.start(shard).map_err(RecoveryError::from).and_then(|start| match start.lsn {
        Lsn::ZERO => Ok(Loaded::default()),
        _ => Loaded::load(shard, store.snapshots(shard).as_ref(), &start),
    });
    loaded.map(|loaded| Names::of_snapshots(&loaded)).unwrap_or_default()
}

/// The name of an event's kind, as it stands in JSON. Never changes.
#[must_use]
pub fn kind_of(event: &Event) -> &'static str {
    match event {
        Event::ShowCreatedV1(_) | Event::ShowCreated(_) => "ShowCreated",
        Event::HoldGranted(_) => "HoldGranted",
        Event::HoldExtended { .. } => "HoldExtended",
        Event::HoldReleased { .. } => "HoldReleased",
        Event::HoldFenced { .. } => "HoldFenced",
        Event::HoldConfirmed { .. } => "HoldConfirmed",
        Event::HoldExpired { .. } => "HoldExpired",
        Event::HoldGrantedOnTerms(_) => "HoldGrantedOnTerms",
        Event::HoldPinned { .. } => "HoldPinned",
        Event::HoldUnpinned { .. } => "HoldUnpinned",
        Event::HoldConfirmedLate { .. } => "HoldConfirmedLate",
        Event::BookingCancelled { .. } => "BookingCancelled",
        Event::BookingTransferred { .. } => "BookingTransferred",
        Event::BookingExchanged { .. } => "BookingExchanged",
        Event::EntryJoined(_) => "EntryJoined",
        Event::EntryLeft { .. } => "EntryLeft",
        Event::OfferMade(_) => "OfferMade",
        Event::PlacesGathered { .. } => "PlacesGathered",
        Event::GatheringEnded { .. } => "GatheringEnded",
        Event::PlacesBlocked(_) => "PlacesBlocked",
        Event::PlacesUnblocked(_) => "PlacesUnblocked",
        Event::ReturnsQueued(_) => "ReturnsQueued",
        Event::ReleaseScheduled { .. } => "ReleaseScheduled",
        Event::ChannelSet { .. } => "ChannelSet",
        Event::ChannelOpened { .. } => "ChannelOpened",
        Event::ChannelAssigned { .. } => "ChannelAssigned",
        Event::SeatsRetired { .. } => "SeatsRetired",
        Event::SaleScheduled { .. } => "SaleScheduled",
        Event::SaleOpened => "SaleOpened",
        Event::SalePaused { .. } => "SalePaused",
        Event::SaleClosed => "SaleClosed",
        Event::ShowCancelled => "ShowCancelled",
        Event::ShowArchived => "ShowArchived",
        Event::PolicyChanged(_) => "PolicyChanged",
        Event::ManifestChanged(_) => "ManifestChanged",
        Event::HoldSplit { .. } => "HoldSplit",
        Event::HoldLapsed { .. } => "HoldLapsed",
        Event::ShowLoaded(_) => "ShowLoaded",
        Event::ShowLeft { .. } => "ShowLeft",
        Event::GroupJoined(_) => "GroupJoined",
        Event::MemberPrepared { .. } => "MemberPrepared",
    }
}

#[cfg(test)]
mod tests;
