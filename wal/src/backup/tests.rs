//! Backups of real data directories: what is copied, what is restored, what is refused.

use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::SnapshotId;
use crate::{Held, Log as _, LogStart, Lsn, NewDirectory, PartId, ReadOnlyStore, RocksStore, ShardEpoch, ShardId};

mod damage;

const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();
const ZERO: ShardId = ShardId(0);
const ONE: ShardId = ShardId(1);

/// A data directory, and a directory for its backups.
struct World {
    dir: TempDir,
    store: Option<Arc<RocksStore>>,
    made: u64,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Some(RocksStore::open(&dir.path().join("data"), TWO).unwrap());
        Self { dir, store, made: 0 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn store(&self) -> &Arc<RocksStore> {
        self.store.as_ref().unwrap()
    }

    /// Appends frames to a shard; the clock of each is ten times its LSN.
    fn append(&self, shard: ShardId, count: u64) {
        let mut log = self.store().log(shard).unwrap();
        for _ in 0..count {
            let lsn = log.tail().lsn.next();
            log.append(lsn.0 * 10, format!("frame {lsn}").as_bytes()).unwrap();
        }
    }

    /// As a round of snapshots does: one of part 0 at `lsn`; the log is trimmed to what `start` says.
    fn snapshot(&self, shard: ShardId, lsn: u64, start: Option<u64>) {
        let snapshots = self.store().log(shard).unwrap().snapshots();
        let id = |lsn| SnapshotId { part: PartId(0), lsn: Lsn(lsn) };
        snapshots.put(id(lsn), format!("state {lsn}").as_bytes()).unwrap();
        if let Some(start) = start {
            let start = LogStart { lsn: Lsn(start), snapshots: vec![id(start)] };
            snapshots.trim_log(&start).unwrap();
        }
    }

    fn backups(&self) -> Backups {
        Backups::open_or_create(&self.path("backups")).unwrap()
    }

    fn back_up(&mut self) -> Catalogue {
        self.made += 1;
        let new =
            NewBackup { id: format!("b{}", self.made), created_ms: self.made * 1_000, program: "test".to_owned() };
        self.backups().create(&self.path("data"), &new, &mut |_| ()).unwrap()
    }

    /// Restores every shard of a source to these points, into `name`.
    fn restore(&self, source: &dyn Source, targets: [Target; 2], name: &str) -> Result<NewDirectory, BackupError> {
        let mut new = NewDirectory::begin(&self.path(name), TWO)?;
        for (shard, target) in [ZERO, ONE].into_iter().zip(targets) {
            let point = find(source, shard, target)?;
            copy_shard(source, (shard, &point, ShardEpoch(77)), &mut new, &mut |_| ())?;
        }
        new.seal()?;
        Ok(new)
    }
}

/// The encoded frames of a shard, from where its log begins on.
fn frames(source: &dyn Source, shard: ShardId) -> Vec<(u64, Vec<u8>)> {
    let mut found = Vec::new();
    let visit = &mut |frame: crate::Frame<'_>, encoded: &[u8]| {
        found.push((frame.lsn.0, encoded.to_vec()));
        Ok(ControlFlow::Continue(()))
    };
    source.frames(shard, visit).unwrap();
    found
}

fn data_directory(path: &Path) -> SoundPart {
    SoundPart(ReadOnlyStore::open(path).unwrap())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(path, target).unwrap();
        }
    }
}

fn kinds(catalogue: &Catalogue) -> Vec<Kind> {
    catalogue.shards.iter().map(|shard| shard.kind).collect()
}

#[test]
fn only_what_is_new_is_copied_and_all_of_it_is_there() {
    let mut world = World::new();
    world.append(ZERO, 20);
    let first = world.back_up();
    assert_eq!(kinds(&first), [Kind::First, Kind::First]);
    world.append(ZERO, 5);
    world.append(ONE, 3);
    let second = world.back_up();
    assert_eq!((kinds(&second), second.number), (vec![Kind::Incremental; 2], 2));
    let ranges: Vec<_> = second.shards[0].segments.iter().map(|segment| (segment.from.0, segment.to.0)).collect();
    assert_eq!(ranges, [(1, 20), (21, 25)]);
    assert!(second.shards[0].new_bytes < first.shards[0].new_bytes);
    let third = world.back_up();
    assert_eq!(third.shards[0].segments, second.shards[0].segments, "nothing is new");
    let backup = world.backups().backup(None).unwrap();
    let data = data_directory(&world.path("data"));
    for shard in [ZERO, ONE] {
        assert_eq!(frames(&backup, shard), frames(&data, shard));
    }
    let older = world.backups().backup(Some("b1")).unwrap();
    assert_eq!((frames(&older, ZERO).len(), frames(&older, ONE).len()), (20, 0));
}

#[test]
fn backups_go_on_over_trims_and_every_lsn_between_them_can_be_restored() {
    let mut world = World::new();
    world.append(ZERO, 10);
    world.snapshot(ZERO, 10, None);
    world.back_up();
    world.append(ZERO, 10);
    world.snapshot(ZERO, 20, Some(10));
    let second = world.back_up();
    assert_eq!(
        (kinds(&second)[0], second.shards[0].start.from, second.shards[0].log_start.from),
        (Kind::Incremental, Lsn(0), Lsn(10))
    );
    world.append(ZERO, 10);
    world.snapshot(ZERO, 30, Some(20));
    let third = world.back_up();
    let own = &third.shards[0];
    assert_eq!(
        (own.kind, own.start.from, own.start.from_clock_ms, own.end.lsn),
        (Kind::Incremental, Lsn(10), 100, Lsn(30))
    );
    let of_snapshots: Vec<u64> = own.snapshots.iter().map(|file| file.id.lsn.0).collect();
    assert_eq!(of_snapshots, [10, 20, 30]);
    let backup = world.backups().backup(None).unwrap();
    assert_eq!(frames(&backup, ZERO).first().unwrap().0, 10, "the frame that anchors the others");
    for lsn in 10..=30 {
        assert_eq!(find(&backup, ZERO, Target::Lsn(Lsn(lsn))).unwrap().lsn, Lsn(lsn));
    }
    let early = find(&backup, ZERO, Target::Lsn(Lsn(9)));
    assert!(matches!(early, Err(BackupError::BeforeStart { from: Lsn(10), .. })));
    drop(backup);
    world.append(ZERO, 10);
    world.snapshot(ZERO, 40, Some(40));
    let fourth = world.back_up();
    assert_eq!((kinds(&fourth)[0], fourth.shards[0].start.from), (Kind::Trimmed, Lsn(40)));
}

#[test]
fn a_directory_that_was_set_back_and_went_another_way_is_copied_whole() {
    let mut world = World::new();
    world.append(ZERO, 12);
    world.store = None;
    copy(&world.path("data"), &world.path("earlier"));
    world.store = Some(RocksStore::open(&world.path("data"), TWO).unwrap());
    world.append(ZERO, 8);
    world.back_up();
    world.store = None;
    fs::rename(world.path("data"), world.path("later")).unwrap();
    fs::rename(world.path("earlier"), world.path("data")).unwrap();
    world.store = Some(RocksStore::open(&world.path("data"), TWO).unwrap());
    let mut log = world.store().log(ZERO).unwrap();
    for lsn in 13..=30 {
        log.append(lsn * 10, b"another history").unwrap();
    }
    assert_eq!(kinds(&world.back_up()), [Kind::Diverged, Kind::Incremental]);
    let backup = world.backups().backup(Some("b1")).unwrap();
    assert_eq!(frames(&backup, ZERO).len(), 20, "the old history is still there");
}

#[test]
fn backups_of_two_directories_never_mix() {
    let mut world = World::new();
    world.append(ZERO, 5);
    let first = world.back_up();
    let own = first.data_directory.unwrap();
    world.store = None;
    RocksStore::resize(&world.path("data"), NonZeroU32::new(3).unwrap()).unwrap();
    assert_eq!(world.back_up().data_directory, Some(own), "it keeps its id");
    let backup = world.backups().backup(Some("b1")).unwrap();
    world.restore(&backup, [Target::Newest; 2], "restored").unwrap().place().unwrap();
    drop(backup);
    RocksStore::open(&world.path("foreign"), TWO).unwrap();
    for name in ["restored", "foreign"] {
        let new = NewBackup { id: name.to_owned(), created_ms: 9_000, program: String::new() };
        let refused = world.backups().create(&world.path(name), &new, &mut |_| ()).unwrap_err();
        let found = ReadOnlyStore::open(&world.path(name)).unwrap().identity().unwrap().unwrap();
        assert!(found != own, "{name}");
        let text = refused.to_string();
        assert!(text.contains(&own.to_string()) && text.contains(&found.to_string()), "{text}");
        assert!(text.contains("--backups") && world.backups().list().unwrap().len() == 2, "{text}");
    }
    // A backup of a release that knew no ids may be any directory's.
    let nameless = Catalogue { data_directory: None, number: 9, id: "b9".to_owned(), ..first };
    nameless.write(&world.backups().catalogue_path("b9")).unwrap();
    assert_eq!(world.back_up().data_directory, Some(own));
}

#[test]
fn a_target_is_an_lsn_or_a_time() {
    let mut world = World::new();
    world.append(ZERO, 20);
    world.back_up();
    let backup = world.backups().backup(None).unwrap();
    let lsn = |target| find(&backup, ZERO, target).map(|point| point.lsn.0);
    assert_eq!(lsn(Target::Newest).unwrap(), 20);
    assert_eq!(lsn(Target::Lsn(Lsn(7))).unwrap(), 7);
    assert_eq!(lsn(Target::Lsn(Lsn(0))).unwrap(), 0);
    for (time, expected) in [(9, 0), (10, 1), (79, 7), (80, 8), (9_999, 20)] {
        assert_eq!(lsn(Target::TimeMs(time)).unwrap(), expected, "at {time}");
    }
    assert!(matches!(lsn(Target::Lsn(Lsn(21))), Err(BackupError::BehindEnd { to: Lsn(20), .. })));
}

#[test]
fn a_restored_directory_has_the_same_bytes_and_opens() {
    let mut world = World::new();
    world.append(ZERO, 30);
    world.append(ONE, 4);
    world.snapshot(ZERO, 10, Some(10));
    world.snapshot(ZERO, 25, None);
    world.back_up();
    let backup = world.backups().backup(None).unwrap();
    let new = world.restore(&backup, [Target::Lsn(Lsn(20)), Target::Newest], "new").unwrap();
    assert!(!world.path("new").exists());
    new.place().unwrap();
    let restored = data_directory(&world.path("new"));
    assert_eq!(frames(&restored, ZERO), frames(&backup, ZERO)[..11]);
    assert_eq!(frames(&restored, ONE), frames(&backup, ONE));
    assert_eq!(restored.0.snapshots(ZERO).list().unwrap(), [SnapshotId { part: PartId(0), lsn: Lsn(10) }]);
    assert_eq!(restored.0.acknowledged(ZERO).unwrap(), Lsn(20), "and to lose any of it would be seen");
    drop(restored);
    let store = RocksStore::open(&world.path("new"), TWO).unwrap();
    let mut log = store.log(ZERO).unwrap();
    let mut visited = 0;
    log.replay_from(Lsn::ZERO, &mut |_| {
        visited += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!((visited, log.append(1_000, b"goes on").unwrap()), (10, Lsn(21)));
}

#[test]
fn what_is_replaced_is_kept_and_nobody_opens_it_meanwhile() {
    let mut world = World::new();
    world.append(ZERO, 20);
    world.back_up();
    let in_use = Held::take(&world.path("data"));
    assert!(matches!(in_use, Err(LogError::InUse { .. })));
    world.append(ZERO, 5);
    world.store = None;
    let held = Held::take(&world.path("data")).unwrap();
    assert!(matches!(RocksStore::open(&world.path("data"), TWO), Err(LogError::InUse { .. })));
    let backup = world.backups().backup(None).unwrap();
    let new = world.restore(&backup, [Target::Newest; 2], "data").unwrap();
    new.replace(held, &world.path("kept")).unwrap();
    assert_eq!(frames(&data_directory(&world.path("data")), ZERO).len(), 20);
    assert_eq!(frames(&data_directory(&world.path("kept")), ZERO).len(), 25);
    assert!(!world.path("data.restoring").exists());
}

#[test]
fn a_draft_opens_as_nothing_and_goes_with_the_next_restore() {
    let mut world = World::new();
    world.append(ZERO, 20);
    world.back_up();
    let backup = world.backups().backup(None).unwrap();
    let mut new = NewDirectory::begin(&world.path("new"), TWO).unwrap();
    let point = find(&backup, ZERO, Target::Newest).unwrap();
    copy_shard(&backup, (ZERO, &point, ShardEpoch(1)), &mut new, &mut |_| ()).unwrap();
    let draft = new.draft().to_owned();
    assert!(matches!(NewDirectory::begin(&world.path("new"), TWO), Err(LogError::InUse { .. })));
    drop(new);
    for refused in [ReadOnlyStore::open(&draft).err(), RocksStore::open(&draft, TWO).err()] {
        assert!(matches!(refused, Some(LogError::Missing { .. })), "{refused:?}");
    }
    world.restore(&backup, [Target::Newest; 2], "new").unwrap().place().unwrap();
    assert!(!draft.exists());
    fs::create_dir(&draft).unwrap();
    fs::write(draft.join("thesis"), "mine").unwrap();
    assert!(NewDirectory::begin(&world.path("new"), TWO).is_err());
    assert!(draft.join("thesis").exists());
}

#[test]
fn pruning_takes_only_what_nobody_needs() {
    let mut world = World::new();
    for round in 1..=4 {
        world.append(ZERO, 10);
        world.snapshot(ZERO, round * 10, (round > 1).then(|| (round - 1) * 10));
        world.back_up();
    }
    let planned = world.backups().prune(2, None, true).unwrap();
    let ids = |all: &[Catalogue]| all.iter().map(|catalogue| catalogue.id.clone()).collect::<Vec<_>>();
    assert_eq!(
        (ids(&planned.removed), ids(&planned.kept)),
        (vec!["b1".into(), "b2".into()], vec!["b3".into(), "b4".into()])
    );
    assert_eq!(world.backups().list().unwrap().len(), 4);
    let done = world.backups().prune(2, None, false).unwrap();
    // The third begins at 10, whose frame is the last of the first segment; so nothing of the first but that is needed.
    assert_eq!((done.files, done.bytes), (planned.files, planned.bytes));
    for (id, from) in [("b3", 10), ("b4", 20)] {
        let backup = world.backups().backup(Some(id)).unwrap();
        assert_eq!(range(&backup, ZERO).unwrap().0, Lsn(from));
        assert!(backup.snapshots(ZERO).unwrap().read(SnapshotId { part: PartId(0), lsn: Lsn(from) }).is_ok());
    }
    let done = world.backups().prune(9, Some(u64::MAX), false).unwrap();
    assert_eq!((done.removed.len(), done.kept.len()), (0, 2), "so many stay, however old they are");
    let done = world.backups().prune(1, Some(u64::MAX), false).unwrap();
    assert_eq!((done.removed.len(), done.kept.len()), (1, 1), "the newest stays, however old it is");
    assert!(done.files > 0 && frames(&world.backups().backup(None).unwrap(), ZERO).len() == 21);
}

#[test]
fn there_is_one_who_makes_and_prunes_and_a_foreign_directory_is_left_alone() {
    let mut world = World::new();
    world.append(ZERO, 3);
    world.back_up();
    let reader = world.backups().backup(None).unwrap();
    let new = NewBackup { id: "x".to_owned(), created_ms: 0, program: String::new() };
    let made = world.backups().create(&world.path("data"), &new, &mut |_| ());
    assert!(matches!(made, Err(BackupError::InUse { .. })));
    assert!(matches!(world.backups().prune(1, None, false), Err(BackupError::InUse { .. })));
    world.backups().backup(None).unwrap();
    drop(reader);
    assert!(matches!(Backups::open_or_create(&world.path("data")), Err(BackupError::NoBackups { .. })));
}

#[test]
fn a_directory_with_another_number_of_shards_goes_on_in_the_same_backups() {
    let mut world = World::new();
    world.append(ZERO, 3);
    world.append(ONE, 4);
    world.back_up();
    world.store = None;
    for (shards, kinds_then) in
        [(3, vec![Kind::Incremental, Kind::Incremental, Kind::First]), (1, vec![Kind::Incremental])]
    {
        RocksStore::resize(&world.path("data"), NonZeroU32::new(shards).unwrap()).unwrap();
        assert_eq!(kinds(&world.back_up()), kinds_then);
    }
    RocksStore::resize(&world.path("data"), TWO).unwrap();
    world.store = Some(RocksStore::open(&world.path("data"), TWO).unwrap());
    world.append(ONE, 1);
    assert_eq!(kinds(&world.back_up()), [Kind::Incremental, Kind::First], "what was there was taken away");
    assert_eq!(frames(&world.backups().backup(None).unwrap(), ONE).len(), 1);
}
