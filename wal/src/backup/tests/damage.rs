//! Damaged backups, and those that were interrupted.

use super::*;

/// Every file below a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A backup of six frames and a snapshot, and the file of this kind in it.
fn world(part: &str) -> (World, PathBuf) {
    let mut world = World::new();
    world.append(ZERO, 6);
    world.snapshot(ZERO, 3, Some(3));
    world.back_up();
    let file = files(&world.path("backups").join(part)).pop().unwrap();
    (world, file)
}

/// Reads all that the newest backup has.
fn read(world: &World) -> Result<(), BackupError> {
    let all = world.backups().list()?.pop().unwrap()?;
    let backup = world.backups().backup(Some(&all.id))?;
    backup.frames(ZERO, &mut |_, _| Ok(ControlFlow::Continue(())))?;
    let snapshots = backup.snapshots(ZERO)?;
    snapshots.list()?.into_iter().try_for_each(|id| snapshots.read(id).map(drop))?;
    Ok(())
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_segment_is_told_with_file_and_lsn() {
    let (world, file) = world(SEGMENTS);
    read(&world).unwrap();
    let whole = fs::read(&file).unwrap();
    let cuts = (0..whole.len()).map(|length| whole[..length].to_vec());
    let flips = (0..whole.len()).map(|position| {
        let mut bytes = whole.clone();
        bytes[position] ^= 1 << (position % 8);
        bytes
    });
    let longer = [&whole[..], &[0]].concat();
    let mut lsns = std::collections::BTreeSet::new();
    for bytes in cuts.chain(flips).chain([longer]) {
        fs::write(&file, &bytes).unwrap();
        match read(&world) {
            Err(BackupError::Segment { path, shard: ZERO, lsn, .. }) => {
                assert_eq!(path, file);
                lsns.insert(lsn.0);
            }
            other => panic!("{other:?} of {} bytes", bytes.len()),
        }
    }
    assert_eq!(lsns.into_iter().collect::<Vec<_>>(), [3, 4, 5, 6], "each frame's damage is told as its own");
    fs::remove_file(&file).unwrap();
    assert!(matches!(read(&world), Err(BackupError::Missing { lsn: Lsn(3), .. })));
}

#[test]
fn what_lies_before_the_damage_can_be_restored() {
    let (world, file) = world(SEGMENTS);
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.len() - 20;
    bytes[at] ^= 1;
    fs::write(&file, bytes).unwrap();
    let backup = world.backups().backup(None).unwrap();
    assert!(matches!(find(&backup, ZERO, Target::Newest), Err(BackupError::Segment { lsn: Lsn(6), .. })));
    assert!(world.restore(&backup, [Target::Newest; 2], "new").is_err() && !world.path("new").exists());
    world.restore(&backup, [Target::Lsn(Lsn(5)), Target::Newest], "new").unwrap().place().unwrap();
    assert_eq!(frames(&data_directory(&world.path("new")), ZERO).last().unwrap().0, 5);
}

#[test]
fn every_flipped_bit_of_a_snapshot_and_of_a_catalogue_is_seen() {
    for part in [SNAPSHOTS, BACKUPS] {
        let (world, file) = world(part);
        let whole = fs::read(&file).unwrap();
        for position in 0..whole.len() - usize::from(part == BACKUPS) {
            let mut bytes = whole.clone();
            bytes[position] ^= 1 << (position % 7);
            fs::write(&file, &bytes).unwrap();
            assert!(read(&world).is_err(), "byte {position} of {part}");
        }
    }
}

#[test]
fn nothing_is_added_to_a_backup_that_lacks_something() {
    for part in [SEGMENTS, SNAPSHOTS] {
        let (mut world, file) = world(part);
        let whole = fs::read(&file).unwrap();
        world.append(ZERO, 1);
        let refused = |what: &str| {
            let new = NewBackup { id: "next".to_owned(), created_ms: 9_000, program: String::new() };
            let error = world.backups().create(&world.path("data"), &new, &mut |_| ()).unwrap_err().to_string();
            assert!(error.contains(&format!("backup b1 is not whole: {} {what}", file.display())), "{error}");
            assert!(error.contains("put it back, or begin anew") && world.backups().list().unwrap().len() == 1);
        };
        fs::remove_file(&file).unwrap();
        refused("is missing;");
        fs::write(&file, &whole[1..]).unwrap();
        refused(&format!("has {} bytes, not {};", whole.len() - 1, whole.len()));
        fs::write(&file, &whole).unwrap();
        world.back_up();
    }
}

#[test]
fn a_damaged_catalogue_is_passed_over_and_nothing_is_removed_because_of_it() {
    let (mut world, file) = world(BACKUPS);
    fs::write(&file, "{").unwrap();
    let before = files(&world.path("backups")).len();
    assert!(matches!(world.backups().prune(1, None, false), Err(BackupError::Catalogue { .. })));
    assert_eq!(files(&world.path("backups")).len(), before);
    let made = world.back_up();
    assert_eq!(kinds(&made), [Kind::First, Kind::First]);
    assert!(world.backups().list().unwrap().iter().any(Result::is_err));
    assert_eq!(frames(&world.backups().backup(None).unwrap(), ZERO).len(), 4);
}

#[test]
fn what_an_interrupted_backup_left_is_swept_away_by_the_next() {
    let mut world = World::new();
    world.append(ZERO, 5);
    world.back_up();
    let backups = world.path("backups");
    let whole = files(&backups);
    // Whatever was finished before its catalogue, and what was not.
    for left in [
        "segments/0/segment.new",
        "segments/1/0001-0007-00.frames",
        "snapshots/0/1-2-3.snapshot",
        "backups/catalogue.new",
    ] {
        make_directory(backups.join(left).parent().unwrap()).unwrap();
        fs::write(backups.join(left), "half").unwrap();
    }
    assert_eq!(world.backups().list().unwrap().len(), 1);
    assert_eq!(frames(&world.backups().backup(None).unwrap(), ZERO).len(), 5);
    world.back_up();
    let mut expected = whole;
    expected.push(backups.join("backups/b2.json"));
    expected.sort();
    let mut found = files(&backups);
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_data_directory_is_restored_as_far_as_it_is_sound() {
    let mut world = World::new();
    world.append(ZERO, 20);
    world.append(ONE, 2);
    world.store = None;
    let data = world.path("data");
    fs::remove_file(data.join("clean")).unwrap();
    let wals = files(&data.join("rocksdb")).into_iter().filter(|path| path.extension().is_some_and(|end| end == "log"));
    let wal = wals.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    let bytes = fs::read(&wal).unwrap();
    fs::write(&wal, &bytes[..bytes.len() / 2]).unwrap();
    let refused = ReadOnlyStore::open(&data).and_then(|store| store.replay(ZERO, &mut |_| Ok(())));
    assert!(refused.is_err(), "{refused:?}");
    let sound = SoundPart(ReadOnlyStore::open_sound_part(&data).unwrap());
    let point = find(&sound, ZERO, Target::Newest).unwrap();
    assert!((1..20).contains(&point.lsn.0), "{point:?}");
    let behind = find(&sound, ZERO, Target::Lsn(Lsn(20)));
    assert!(matches!(behind, Err(BackupError::BehindEnd { to, .. }) if to == point.lsn));
    world.restore(&sound, [Target::Newest; 2], "new").unwrap().place().unwrap();
    assert_eq!(frames(&data_directory(&world.path("new")), ZERO).len() as u64, point.lsn.0);
}
