//! Which show is on which shard, and what the edge needs to know of it without asking the shard.
//!
//! A show is pinned when it is created, by a hash of its id; from then on its log says where it is.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::RwLock;
use usher_wal::ShardId;
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    event::ShowCreated,
    ids::{ShowId, ShowNumber},
    inventory::{manifest::Manifest, policy::Policy, sale::Sale},
    rejection::Rejection,
    shard::{CreateShow, CreatedShow, Fault, Reply, Request, ShardHandle},
};

/// Where a show is, and what it sells.
#[derive(Clone, Debug)]
pub struct ShowEntry {
    /// The shard it is pinned to.
    pub shard: ShardId,
    /// Its number there.
    pub number: ShowNumber,
    /// What it sells.
    pub manifest: Arc<Manifest>,
    /// From 1; rises with every change of the manifest.
    pub manifest_version: u32,
    /// Its rules.
    pub policy: Policy,
    /// When it is sold.
    pub sale: Sale,
    /// Commands that were sent to it since the process began.
    commands: Arc<AtomicU64>,
}

impl ShowEntry {
    /// So many commands are sent to it.
    pub fn note_commands(&self, count: usize) {
        self.commands.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Commands that were sent to it since the process began.
    #[must_use]
    pub fn commands(&self) -> u64 {
        self.commands.load(Ordering::Relaxed)
    }
}

/// The shows that are known, by id. Shards add theirs when they recover and when one is created.
#[derive(Debug, Default)]
pub struct Catalog(RwLock<BTreeMap<ShowId, Arc<ShowEntry>>>);

impl Catalog {
    /// Notes a show.
    pub fn insert(&self, shard: ShardId, show: &CreatedShow) -> Arc<ShowEntry> {
        let mut shows = self.0.write();
        let commands = shows.get(&show.show_id).map(|known| Arc::clone(&known.commands)).unwrap_or_default();
        let entry = Arc::new(ShowEntry {
            shard,
            number: show.number,
            manifest: Arc::clone(&show.manifest),
            manifest_version: show.manifest_version,
            policy: show.policy,
            sale: show.sale,
            commands,
        });
        shows.insert(show.show_id.clone(), Arc::clone(&entry));
        entry
    }

    /// Notes a show that was asked to be created. One that was there before may have changed since it was found: what is
    /// known of it stays.
    fn note_created(&self, shard: ShardId, show: &CreatedShow) -> Arc<ShowEntry> {
        let known = self.find(&show.show_id).filter(|_| show.existed);
        known.unwrap_or_else(|| self.insert(shard, show))
    }

    /// The show of this id.
    #[must_use]
    pub fn find(&self, id: &ShowId) -> Option<Arc<ShowEntry>> {
        self.0.read().get(id).cloned()
    }

    /// Every show and the commands that were sent to it so far, if there were any.
    #[must_use]
    pub fn commands(&self) -> Vec<(ShowId, u64)> {
        let shows = self.0.read();
        let busy = shows.iter().map(|(id, entry)| (id, entry.commands())).filter(|(_, commands)| *commands > 0);
        busy.map(|(id, commands)| (id.clone(), commands)).collect()
    }

    /// At most `max` shows after `after`, by id.
    #[must_use]
    pub fn page(&self, after: Option<&ShowId>, max: usize) -> Vec<(ShowId, Arc<ShowEntry>)> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let shows = self.0.read();
        shows.range((start, Bound::Unbounded)).take(max).map(|(id, entry)| (id.clone(), Arc::clone(entry))).collect()
    }
}

/// The shards of this process and the shows on them.
#[derive(Clone)]
pub struct Router {
    shards: Arc<[ShardHandle]>,
    catalog: Arc<Catalog>,
}

/// Why a show was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotFound {
    /// There is none of this id.
    Unknown,
    /// A shard is not serving, and the show may be there.
    ShardNotServing,
}

impl Router {
    /// Of all shards, in the order of their ids from 0.
    #[must_use]
    pub fn new(shards: Vec<ShardHandle>, catalog: Arc<Catalog>) -> Self {
        Self { shards: shards.into(), catalog }
    }

    /// Every shard.
    #[must_use]
    pub fn shards(&self) -> &[ShardHandle] {
        &self.shards
    }

    /// Every show.
    #[must_use]
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// A show and the shard it is pinned to.
    ///
    /// # Errors
    /// [`NotFound`].
    pub fn find(&self, id: &ShowId) -> Result<(Arc<ShowEntry>, &ShardHandle), NotFound> {
        match self.catalog.find(id) {
            Some(entry) => {
                let shard = self.shard_of(&entry);
                Ok((entry, shard))
            }
            None if self.shards.iter().all(|shard| shard.status().has_recovered()) => Err(NotFound::Unknown),
            None => Err(NotFound::ShardNotServing),
        }
    }

    /// The shard that a show is pinned to.
    #[must_use]
    pub fn shard_of(&self, show: &ShowEntry) -> &ShardHandle {
        &self.shards[show.shard.0 as usize]
    }

    /// Creates a show where its id belongs, and notes it before the reply is called. While a shard has not recovered, it may
    /// be there: then only one that is known is asked for.
    pub fn create_show(&self, created: Box<ShowCreated>, reply: Reply<Result<(Arc<ShowEntry>, bool), Rejection>>) {
        if self.find(&created.show_id).is_err_and(|why| why == NotFound::ShardNotServing) {
            return reply(Err(Fault::NotServing));
        }
        let shard = self.shard_for(&created.show_id);
        let (catalog, shard_id) = (Arc::clone(&self.catalog), shard.shard());
        let note = move |created: Result<Result<CreatedShow, Rejection>, Fault>| {
            reply(created.map(|created| created.map(|show| (catalog.note_created(shard_id, &show), show.existed))));
        };
        shard.submit(Request::CreateShow(CreateShow { created, reply: Box::new(note) }));
    }

    /// The shard where a show of this id is, or would be created.
    #[must_use]
    pub fn shard_for(&self, id: &ShowId) -> &ShardHandle {
        let pinned = self.catalog.find(id).map(|entry| entry.shard);
        let shards = u32::try_from(self.shards.len()).expect("fewer shards than addresses");
        &self.shards[pinned.unwrap_or_else(|| home_of(id, shards)).0 as usize]
    }
}

/// The shard of `shards` where a show of this id is created, and where it goes when their number changes.
#[must_use]
pub fn home_of(id: &ShowId, shards: u32) -> ShardId {
    let home = xxh3_64(id.as_str().as_bytes()) % u64::from(shards);
    ShardId(u32::try_from(home).expect("less than the number of shards"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::manifest::{Category, CategoryIndex, ManifestParts, Section, SectionKind};

    #[test]
    fn a_creation_that_is_repeated_does_not_bring_back_what_the_show_was() {
        let floor = SectionKind::GeneralAdmission { capacity: 5, category: CategoryIndex(0) };
        let manifest = Manifest::new(ManifestParts {
            name: "Hall".to_owned(),
            currency: "EUR".to_owned(),
            categories: vec![Category { name: "Floor".to_owned(), price_minor: 100 }],
            sections: vec![Section { name: "Floor".to_owned(), kind: floor }],
            capacity: None,
            pools: Vec::new(),
        });
        let show = |manifest_version, existed| CreatedShow {
            show_id: ShowId::new("gala").unwrap(),
            number: ShowNumber(0),
            manifest: Arc::new(Manifest::new(manifest.as_ref().unwrap().parts().clone()).unwrap()),
            manifest_version,
            policy: Policy::default(),
            sale: Sale::default(),
            existed,
        };
        let catalog = Catalog::default();
        assert_eq!(catalog.note_created(ShardId(0), &show(1, false)).manifest_version, 1);
        catalog.insert(ShardId(0), &show(2, true));
        assert_eq!(catalog.note_created(ShardId(0), &show(1, true)).manifest_version, 2);
        assert_eq!(catalog.find(&ShowId::new("gala").unwrap()).unwrap().manifest_version, 2);
        assert_eq!(Catalog::default().note_created(ShardId(0), &show(3, true)).manifest_version, 3);
    }
}
