//! A directory is created where nothing is, redone where its creation was cut short, and refused otherwise.

use super::*;

const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();

/// Creates the parts as a store does, with stand-ins for the files that other modules own.
fn create(directory: &Directory) -> Result<(), LogError> {
    directory.create_if_new(TWO, || {
        write_synced(&directory.acknowledged(), b"")?;
        write_synced(&directory.rocksdb().join("CURRENT"), b"")
    })
}

fn created() -> (tempfile::TempDir, Directory) {
    let temporary = tempfile::tempdir().unwrap();
    let directory = Directory::at(&temporary.path().join("some/where"));
    directory.lock().unwrap();
    create(&directory).unwrap();
    (temporary, directory)
}

#[test]
fn a_created_directory_is_whole_private_and_says_what_it_is() {
    use std::os::unix::fs::PermissionsExt;
    let (_temporary, directory) = created();
    assert_eq!(directory.check_whole().unwrap(), TWO);
    let text = fs::read_to_string(directory.format()).unwrap();
    assert_eq!(text, "usher data directory\nformat 2\nshards 2\nstate ready\n");
    for path in [directory.path.clone(), directory.rocksdb(), directory.snapshots()] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700, "{}", path.display());
    }
}

#[test]
fn nothing_that_is_missing_is_made_again() {
    for part in ["format", "acknowledged", "rocksdb/CURRENT"] {
        let (_temporary, directory) = created();
        fs::remove_file(directory.path.join(part)).unwrap();
        let refused = directory.lock().and_then(|_lock| create(&directory)).and_then(|()| directory.check_whole());
        let Err(LogError::Missing { path }) = refused else { panic!("{part}: {refused:?}") };
        assert_eq!(path, directory.path.join(part));
        assert!(!path.exists());
    }
}

#[test]
fn a_directory_of_something_else_is_left_alone() {
    let temporary = tempfile::tempdir().unwrap();
    fs::write(temporary.path().join("holiday.jpg"), b"").unwrap();
    let refused = Directory::at(temporary.path()).lock();
    assert!(matches!(refused, Err(LogError::NotADataDirectory { .. })), "{refused:?}");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 1);
}

#[test]
fn a_creation_cut_short_anywhere_is_redone() {
    // Each list is what a crash can leave: before `format`, after it, and with some of the parts.
    let creating = "usher data directory\nformat 1\nshards 9\nstate creating\n";
    for left in [&["lock"][..], &["lock", "format.new"], &["format"], &["format", "acknowledged"]] {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::at(temporary.path());
        for name in left {
            fs::write(directory.path.join(name), if *name == "format" { creating } else { "" }).unwrap();
        }
        assert!(directory.check_whole().is_err(), "{left:?}");
        let _lock = directory.lock().unwrap();
        create(&directory).unwrap();
        assert_eq!(directory.check_whole().unwrap(), TWO, "{left:?}");
    }
}

#[test]
fn a_creation_that_failed_within_is_redone() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = Directory::at(temporary.path());
    let failed = directory.create_if_new(TWO, || {
        write_synced(&directory.rocksdb().join("CURRENT"), b"")?;
        Err(LogError::UnknownShard { shard: crate::ShardId(0), shards: 0 })
    });
    assert!(failed.is_err());
    assert!(matches!(directory.check_whole(), Err(LogError::Unfinished { .. })));
    create(&directory).unwrap();
    assert_eq!(directory.check_whole().unwrap(), TWO);
}

#[test]
fn formats_that_are_not_ours_are_named() {
    let (_temporary, directory) = created();
    let with = |text: &str| {
        fs::write(directory.format(), text).unwrap();
        directory.check_shards(TWO).unwrap_err()
    };
    let error = with("usher data directory\nformat 3\nanything\n");
    assert!(matches!(error, LogError::UnknownFormat { found: 3, supported: 2, .. }), "{error}");
    let error = with("usher data directory\nformat 1\nshards 4\nstate ready\n");
    assert!(matches!(error, LogError::ShardCount { found: 4, wanted: 2, .. }), "{error}");
    for text in ["", "usher", "usher data directory\nformat one\n", "usher data directory\nformat 1\nshards 0\n"] {
        let error = with(text);
        assert!(matches!(error, LogError::Malformed { .. }), "{text:?}: {error}");
    }
}

#[test]
fn the_lock_admits_one_at_a_time() {
    let (_temporary, directory) = created();
    let lock = directory.lock().unwrap();
    assert!(matches!(directory.lock(), Err(LogError::InUse { .. })));
    drop(lock);
    directory.lock().unwrap();
}
