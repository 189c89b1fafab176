//! A show in a snapshot: all that commands can observe of it, in bytes, and back.
//!
//! What follows from the rest is not stored: indexes, tables by id, deadlines, runs of free seats, wake-ups. It takes the
//! state apart and puts it together; when that happens, and where the bytes are kept, is the shard's business.
//!
//! ```text
//! | version u16 | state hash u128 | left to | head | buyers | holds | ended | booked | groups | waitlist |
//! ```
//! Values as [`crate::codec`] writes them. The hash is that of the state from which it was stored: whoever loads it proves
//! that it became the same again. Before version 7 there were no groups; in versions 1 and 2 the hash was of other bytes; there the file's checksum has to do.

use std::{collections::BTreeMap, sync::Arc};

use bincode::{Decode, Encode};

use super::{
    Inventory,
    blocks::{Blocks, Mark},
    buyers::Buyers,
    channels::{Channel, Channels},
    groups::Membership,
    holds::Holds,
    manifest::{Manifest, ManifestParts},
    policy::Policy,
    sale::Sale,
    seat_bitmap::SeatBitmap,
    show::{GaTally, Lapses, Show},
    state_hash::StateHash,
    waitlist::Waitlist,
};
use crate::{
    codec::{CodecError, StateReader, StateWriter},
    ids::{HoldId, Name, SeatRange, SectionIndex, ShowId, ShowNumber},
    time::Timestamp,
};

/// The version of the state that this code writes. There was no third, nor a fifth or sixth: a
/// flipped bit would make them an older one, whose hash is not compared.
pub const STATE_VERSION: u16 = 7;
/// The one before, in which there were no groups: it hashes to what the same state without any does now.
const STATE_VERSION_WITHOUT_GROUPS: u16 = 4;
/// From this version on it says whether the show left, and where to.
const STATE_VERSION_THAT_LEAVES: u16 = 2;

/// A show as it was at an instant, to be stored while the show itself goes on. It decides nothing.
#[derive(Debug)]
pub struct FrozenShow(Box<Show>);

/// All but the records.
#[derive(Encode, Decode)]
struct Head {
    id: ShowId,
    manifest: ManifestParts,
    policy: Policy,
    sale: Sale,
    created_as: [u128; 3],
    version: u64,
    manifest_version: u32,
    manifest_changes: Vec<(u32, Vec<SeatRange>, Vec<SectionIndex>)>,
    available: Vec<u64>,
    sold: Vec<u64>,
    retired: Option<Vec<u64>>,
    /// Held, sold and blocked, by section.
    ga: Vec<(u32, u32, u32)>,
    taken: u32,
    marks: Vec<Mark>,
    seat_marks: Vec<u8>,
    blocked: Option<Vec<u64>>,
    /// Section, position of the mark, units.
    blocked_units: Vec<(SectionIndex, u8, u32)>,
    channels: Vec<(Name, Option<Timestamp>, Vec<u64>)>,
    open_channels: u64,
    releases: Vec<(u8, Timestamp)>,
    returns_due_at: Option<Timestamp>,
    /// Slot of the buyer, how many, until when he cools down.
    lapses: Vec<(u32, u32, Timestamp)>,
}

impl FrozenShow {
    /// Its events so far.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.0.version
    }

    /// The bytes of it.
    #[must_use]
    pub fn store(&self) -> Vec<u8> {
        let show = &self.0;
        let mut writer = StateWriter::default();
        writer.put(&(STATE_VERSION, show.state_hash().0, show.left_to, Head::of(show)));
        show.buyers.store(&mut writer);
        show.holds.store(&mut writer);
        writer.put(&show.groups);
        show.waitlist.store(&mut writer);
        writer.bytes
    }
}

/// The show of these bytes, to be looked at.
///
/// # Errors
/// [`CodecError`], where they are none.
pub fn read(bytes: &[u8]) -> Result<Show, CodecError> {
    Show::load(bytes)
}

/// The hash of the show that is stored in these bytes, which has been found to be that of its state.
///
/// # Errors
/// [`CodecError`], where they are not a show.
pub fn state_hash(bytes: &[u8]) -> Result<StateHash, CodecError> {
    Ok(Show::load(bytes)?.state_hash())
}

/// Whether these bytes are a show, as it was stored.
///
/// # Errors
/// [`CodecError`], where they are not.
pub fn verify(bytes: &[u8]) -> Result<(), CodecError> {
    Show::load(bytes).map(drop)
}

impl Show {
    /// Events that it has seen. Equal versions of a show are equal shows.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The show of these bytes.
    ///
    /// # Errors
    /// [`CodecError`] when they are not a show's, or it did not become what was stored.
    pub(super) fn load(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut reader = StateReader::new(bytes);
        let version: u16 = reader.take()?;
        if !matches!(version, 1 | 2 | STATE_VERSION_WITHOUT_GROUPS | STATE_VERSION) {
            return Err(CodecError::UnknownVersion { found: version });
        }
        let hash: u128 = reader.take()?;
        let left_to = if version >= STATE_VERSION_THAT_LEAVES { reader.take()? } else { None };
        let head: Head = reader.take()?;
        let mut show = head.load(&mut reader, version >= STATE_VERSION)?;
        show.left_to = left_to;
        if !reader.is_at_end() {
            return Err(CodecError::Stored { what: "there is more" });
        }
        let computed = show.computed_state_hash();
        if version >= STATE_VERSION_WITHOUT_GROUPS && computed != StateHash(hash) {
            return Err(CodecError::Stored { what: "its hash is another one" });
        }
        show.loaded_as = Some((show.version, computed));
        Ok(show)
    }
}

impl Inventory {
    /// A copy of a show that stays as it is now. It costs a copy of what is small and shares the rest; of what is shared,
    /// whatever is changed first is copied then, a piece at a time.
    ///
    /// # Panics
    /// Where there is no such show.
    pub fn freeze(&mut self, number: ShowNumber) -> FrozenShow {
        FrozenShow(Box::new(self.shows[number.0 as usize].frozen()))
    }

    /// Adds the next show from the bytes of a snapshot. What is due of it is asked for at `now`.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn load(&mut self, bytes: &[u8], now: Timestamp) -> Result<ShowNumber, CodecError> {
        let number = self.next_number();
        let show = Show::load(bytes)?;
        if show.left_to.is_some() {
            self.shows.push(show);
            return Ok(number);
        }
        if self.number(&show.id).is_some() {
            return Err(CodecError::Stored { what: "another show has its id" });
        }
        self.add(show);
        self.ask_wake_up(number, now);
        Ok(number)
    }
}

impl Show {
    fn frozen(&mut self) -> Self {
        Self {
            id: self.id.clone(),
            manifest: Arc::clone(&self.manifest),
            policy: self.policy,
            sale: self.sale,
            available: self.available.clone(),
            sold: self.sold.clone(),
            blocks: self.blocks.clone(),
            retired: self.retired.clone(),
            channels: self.channels.clone(),
            ga: self.ga.clone(),
            taken: self.taken,
            holds: self.holds.frozen(),
            buyers: self.buyers.frozen(),
            lapses: self.lapses.clone(),
            waitlist: self.waitlist.frozen(),
            groups: self.groups.clone(),
            releases: self.releases.clone(),
            returns_due_at: self.returns_due_at,
            manifest_version: self.manifest_version,
            manifest_changes: self.manifest_changes.clone(),
            created_as: self.created_as,
            version: self.version,
            left_to: self.left_to,
            wake_up_at: None,
            runs: Default::default(),
            loaded_as: self.loaded_as,
        }
    }
}

impl Head {
    fn of(show: &Show) -> Self {
        let words = |seats: &SeatBitmap| seats.words().to_vec();
        let blocks = &show.blocks;
        let position = |mark| blocks.position(mark).expect("units are blocked under a known mark");
        let channels = show.channels.all.iter().map(|own| (own.key.clone(), own.public_at, words(&own.seats)));
        Self {
            id: show.id.clone(),
            manifest: show.manifest.parts().clone(),
            policy: show.policy,
            sale: show.sale,
            created_as: show.created_as,
            version: show.version,
            manifest_version: show.manifest_version,
            manifest_changes: show.manifest_changes.clone(),
            available: words(&show.available),
            sold: words(&show.sold),
            retired: show.retired.as_ref().map(words),
            ga: show.ga.iter().map(|tally| (tally.held, tally.sold, tally.blocked)).collect(),
            taken: show.taken,
            marks: blocks.marks().to_vec(),
            seat_marks: blocks.seat_marks().to_vec(),
            blocked: blocks.blocked().map(words),
            blocked_units: blocks.ga().map(|(section, mark, units)| (section, position(mark), units)).collect(),
            channels: channels.collect(),
            open_channels: show.channels.open,
            releases: show.releases.iter().map(|(mark, at)| (*mark, *at)).collect(),
            returns_due_at: show.returns_due_at,
            lapses: show.lapses.iter().map(|(buyer, own)| (*buyer, own.count, own.cools_until)).collect(),
        }
    }

    fn load(self, reader: &mut StateReader<'_>, has_groups: bool) -> Result<Show, CodecError> {
        let manifest = Manifest::new(self.manifest).map_err(|_| CodecError::Stored { what: "the manifest is none" })?;
        let seats = |words: Vec<u64>| {
            let wrong = CodecError::Stored { what: "a set of seats has another size" };
            SeatBitmap::of_words(words, manifest.seats()).ok_or(wrong)
        };
        let channel = |(key, public_at, words)| Ok(Channel { key, public_at, seats: seats(words)? });
        let channels = Channels {
            all: self.channels.into_iter().map(channel).collect::<Result<_, CodecError>>()?,
            open: self.open_channels,
        };
        let blocked = self.blocked.map(seats).transpose()?;
        let places = manifest.places() as usize;
        let StoredHolds { holds, buyers } = StoredHolds::load(reader, places)?;
        if self.lapses.iter().any(|(buyer, ..)| buyers.find(*buyer).is_none()) {
            return Err(CodecError::Stored { what: "somebody who let holds expire is not there" });
        }
        let groups: BTreeMap<HoldId, Membership> = if has_groups { reader.take()? } else { BTreeMap::new() };
        if groups.keys().any(|id| holds.find(*id).is_none()) {
            return Err(CodecError::Stored { what: "a hold of a group is not there" });
        }
        let waitlist = Waitlist::load(reader, (&manifest, channels.open, places))?;
        Ok(Show {
            available: seats(self.available)?,
            sold: seats(self.sold)?,
            retired: self.retired.map(seats).transpose()?,
            manifest: Arc::new(manifest),
            id: self.id,
            policy: self.policy,
            sale: self.sale,
            blocks: Blocks::of_parts(self.marks, self.seat_marks, blocked, self.blocked_units),
            channels,
            ga: self.ga.into_iter().map(|(held, sold, blocked)| GaTally { held, sold, blocked }).collect(),
            taken: self.taken,
            holds,
            buyers,
            lapses: self
                .lapses
                .into_iter()
                .map(|(buyer, count, cools_until)| (buyer, Lapses { count, cools_until }))
                .collect(),
            waitlist,
            groups,
            releases: self.releases.into_iter().collect(),
            returns_due_at: self.returns_due_at,
            manifest_version: self.manifest_version,
            manifest_changes: self.manifest_changes,
            created_as: self.created_as,
            version: self.version,
            left_to: None,
            wake_up_at: None,
            runs: Default::default(),
            loaded_as: None,
        })
    }
}

/// Holds and those whose they are, which name each other.
struct StoredHolds {
    holds: Holds,
    buyers: Buyers,
}

impl StoredHolds {
    fn load(reader: &mut StateReader<'_>, most: usize) -> Result<Self, CodecError> {
        let mut buyers = Buyers::load(reader, most)?;
        let holds = Holds::load(reader, most)?;
        let are_counted = holds.slots().all(|(slot, hold)| buyers.count(slot, hold)) && buyers.counted();
        let what = "holds and buyers do not know each other";
        if are_counted { Ok(Self { holds, buyers }) } else { Err(CodecError::Stored { what }) }
    }
}

#[cfg(test)]
mod tests;
