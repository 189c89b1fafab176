//! What shows, sections, seats and channels are called, learnt from the events as they are read.
//!
//! It follows the manifests and nothing else: no status of a place, no hold. What came to be before the first frame
//! that the log still has, is called as its snapshot says.

use std::{collections::BTreeMap, sync::Arc};

use usher_engine::{
    event::Event,
    ids::{ChannelIndex, Name, SeatIndex, SectionIndex, ShowId, ShowNumber},
    inventory::{
        self,
        manifest::{CategoryIndex, Manifest, ManifestError},
        stored,
    },
    shard::Loaded,
};
use usher_wal::Lsn;

/// The names of one shard's shows.
#[derive(Debug, Default)]
pub struct Names {
    shows: BTreeMap<ShowNumber, Show>,
    /// Whether an event was about a show that is not among them.
    are_lacking: bool,
}

/// The names of one show.
#[derive(Debug)]
pub(super) struct Show {
    id: ShowId,
    manifest: Arc<Manifest>,
    /// Up to this frame it knows everything.
    known_to: Lsn,
    /// In the order in which they were defined.
    channels: Vec<Name>,
}

impl Names {
    /// As the snapshots of a shard have them.
    #[must_use]
    pub fn of_snapshots(loaded: &Loaded) -> Self {
        let known = loaded.inventory.shows().zip(&loaded.lsns);
        let names = known.map(|((number, show), &known_to)| (number, Show::of(show, known_to)));
        Self { shows: names.collect(), are_lacking: false }
    }

    /// Learns what an event of a frame names.
    ///
    /// # Errors
    /// [`ManifestError`] of a manifest that no server would have logged.
    pub fn learn(&mut self, lsn: Lsn, number: ShowNumber, event: &Event) -> Result<(), ManifestError> {
        if self.shows.get(&number).is_some_and(|show| lsn <= show.known_to) {
            return Ok(());
        }
        if let Event::ShowCreated(created) = event {
            let (id, manifest) = (created.show_id.clone(), Arc::new(Manifest::new(created.manifest.clone())?));
            self.shows.insert(number, Show { id, manifest, known_to: Lsn::ZERO, channels: Vec::new() });
            return Ok(());
        }
        if let Event::ShowLoaded(loaded) = event {
            // Whoever replays it says what is wrong with it.
            if let Ok(show) = stored::read(&loaded.state) {
                self.shows.insert(number, Show::of(&show, Lsn::ZERO));
            }
            return Ok(());
        }
        let Some(show) = self.shows.get_mut(&number) else {
            self.are_lacking = true;
            return Ok(());
        };
        match event {
            Event::ManifestChanged(change) => show.manifest = Arc::new(show.manifest.changed(change)?),
            Event::ChannelSet { key, .. } if !show.channels.contains(key) => show.channels.push(key.clone()),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn know(&self, show_id: &str) -> bool {
        self.shows.values().any(|show| show.id.as_str() == show_id)
    }

    pub(super) fn are_lacking(&self) -> bool {
        self.are_lacking
    }

    pub(super) fn show(&self, number: ShowNumber) -> Option<&Show> {
        self.shows.get(&number)
    }
}

impl Show {
    fn of(show: &inventory::Show, known_to: Lsn) -> Self {
        let (id, manifest) = (show.id().clone(), Arc::clone(show.manifest()));
        Self { id, manifest, known_to, channels: show.channel_keys().cloned().collect() }
    }

    pub(super) fn id(&self) -> &ShowId {
        &self.id
    }

    /// ISO 4217.
    pub(super) fn currency(&self) -> &str {
        &self.manifest.parts().currency
    }

    /// `SECTION/ROW/SEAT`, as the command line takes it.
    pub(super) fn seat(&self, seat: SeatIndex) -> Option<String> {
        self.manifest.label(seat).map(|label| format!("{}/{}/{}", label.section, label.row, label.seat))
    }

    pub(super) fn section(&self, section: SectionIndex) -> Option<&str> {
        Some(&self.manifest.parts().sections.get(section.0 as usize)?.name)
    }

    pub(super) fn category(&self, category: CategoryIndex) -> Option<&str> {
        Some(&self.manifest.parts().categories.get(usize::from(category.0))?.name)
    }

    pub(super) fn channel(&self, channel: ChannelIndex) -> Option<&str> {
        Some(self.channels.get(usize::from(channel.0))?.as_str())
    }
}
