//! A show that comes as a whole: as it was before, in place of what it is, or from another shard; and one that leaves for
//! another shard.
//!
//! Nobody decides this while a shard serves: it is logged between two runs, by whoever restores a show or moves it.

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::{
    Inventory,
    sale::{Sale, Stage},
    show::Show,
};
use crate::{
    codec::CodecError,
    event::{Event, ShowCreated, ShowLoaded},
    ids::ShowNumber,
    time::Timestamp,
};

impl Inventory {
    /// Whether this may be loaded as the show of this number.
    ///
    /// # Errors
    /// [`CodecError`] where it is not the state of a show, of another show than is there, or one that left.
    pub fn check_load(&self, number: ShowNumber, loaded: &ShowLoaded) -> Result<(), CodecError> {
        let id = Show::load(&loaded.state)?.id;
        let there = self.number(&id);
        let fits = if number == self.next_number() { there.is_none() } else { there == Some(number) };
        if fits { Ok(()) } else { Err(CodecError::Stored { what: "it is loaded as another show" }) }
    }

    pub(super) fn apply_loaded(&mut self, number: ShowNumber, loaded: &ShowLoaded, at: Timestamp) {
        let mut show = Show::load(&loaded.state).expect("only a state that was checked is logged");
        if number == self.next_number() {
            show.version += 1;
            self.add(show);
        } else {
            let there = &mut self.shows[number.0 as usize];
            assert_eq!(there.id, show.id, "a show is loaded in place of itself");
            // It never runs backwards, whatever else does.
            show.version = show.version.max(there.version) + 1;
            *there = show;
        }
        self.ask_wake_up(number, at);
    }

    /// Its number stays taken, and what its places are called stays known, so that the log before can be read.
    pub(super) fn apply_left(&mut self, number: ShowNumber, to_shard: u32) {
        let there = &mut self.shows[number.0 as usize];
        let (show_id, manifest) = (there.id.clone(), Arc::clone(&there.manifest));
        let hash = xxh3_64(show_id.as_str().as_bytes());
        let sale = Sale { stage: Stage::Archived, ..there.sale };
        let created = ShowCreated { show_id, manifest: manifest.parts().clone(), policy: there.policy, sale };
        let (version, manifest_version) = (there.version + 1, there.manifest_version);
        *there = Show { version, manifest_version, left_to: Some(to_shard), ..Show::new(&created, manifest) };
        if let Ok(entry) = self.by_id.find_entry(hash, |&known| known == number.0) {
            entry.remove();
        }
    }

    /// A show that left, if its number is one's.
    #[must_use]
    pub fn has_left(&self, number: ShowNumber) -> bool {
        self.show(number).is_some_and(|show| show.left_to.is_some())
    }
}

impl Event {
    /// Whether it makes the next show of its shard, and is no event of one that is there.
    #[must_use]
    pub fn begins_show(&self, number: ShowNumber, next: ShowNumber) -> bool {
        match self {
            Self::ShowCreated(_) => true,
            Self::ShowLoaded(_) => number == next,
            _ => false,
        }
    }
}
