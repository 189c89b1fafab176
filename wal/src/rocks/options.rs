//! RocksDB's options, each with its reason. Nothing here touches a database.
//!
//! Two things are left at their default on purpose. `avoid_flush_during_recovery` stays off: what RocksDB reads from its
//! WAL when it opens, it writes anew into a synced table. A frame whose sync had failed may be read back from the page
//! cache without being on the disk; this rewriting makes it durable before any replay shows it. `recycle_log_file_num`
//! stays 0, since recycled WAL files and a tolerated torn tail do not go together.

use rocksdb::{DBCompressionType, DBRecoveryMode, InfoLogger, LogLevel, Options, ReadOptions, WriteOptions};

use crate::Durability;

/// Options of the database when it is created.
///
/// # Errors
/// As [`writing`].
pub(super) fn creating() -> Result<Options, rocksdb::Error> {
    let mut options = writing(Ending::Interrupted)?;
    // The only place that may make a database: anywhere else a missing one means loss.
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_error_if_exists(true);
    Ok(options)
}

/// What may be missing from the end of a WAL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Nothing: it was closed in order.
    Clean,
    /// A torn tail, which was never acknowledged: its writer was interrupted.
    Interrupted,
    /// A torn tail, which was found: RocksDB may stop at what it cannot read.
    Torn,
    /// Anything: whoever reads takes what is sound before the damage, and knows that there is some.
    Damaged,
}

/// Options of the database when it is opened for writing.
///
/// # Errors
/// RocksDB's, when it does not know an option by its name.
pub(super) fn writing(ending: Ending) -> Result<Options, rocksdb::Error> {
    let mut options = common(ending);
    // Bounds the WAL that an opening has to read: one second per 125 MB or so. Trimming keeps it below; this is for a log
    // that nobody trims.
    options.set_max_total_wal_size(MEMTABLE_BYTES);
    // A table stays open while it is in use; 256 leave room under the usual limit of 1,024 descriptors.
    options.set_max_open_files(256);
    // The list of the files grows with each flush and is written anew at this size, not at 1 GiB.
    options.set_max_manifest_file_size(4 * 1024 * 1024);
    // What is flushed goes to the disk bit by bit, so that an append's fsync does not wait for all of it.
    options.set_bytes_per_sync(1024 * 1024);
    // Files grow as they are written. Set aside in advance, a WAL would take a memtable's size from the free disk at once,
    // and each sync would have to turn what was set aside into what was written: measured on ext4, 1.5 to 2 times the time.
    let mut options = options.get_options_from_string("allow_fallocate=false")?;
    // RocksDB's own text log: enough to look back, bounded.
    options.set_keep_log_file_num(5);
    options.set_max_log_file_size(16 * 1024 * 1024);
    Ok(options)
}

/// Options of the database when it is read beside a writer.
pub(super) fn reading(ending: Ending) -> Options {
    let mut options = common(ending);
    // All tables are opened at once: the writer may delete one later, an open descriptor keeps it readable.
    options.set_max_open_files(-1);
    // A reader must not rename or write the writer's text log, which it would do by default.
    options.set_info_logger(InfoLogger::new_callback_logger(LogLevel::Fatal, |_, _| {}));
    options
}

fn common(ending: Ending) -> Options {
    let mut options = Options::default();
    options.set_paranoid_checks(true);
    // A torn tail was never acknowledged and may go; anything else that is wrong with a WAL must refuse. No mode does all
    // of that, hence the chain and the watermark; the tolerant one never rolls back what was applied (RocksDB's
    // options.h). After an orderly end nothing is torn but by damage.
    options.set_wal_recovery_mode(match ending {
        Ending::Clean => DBRecoveryMode::AbsoluteConsistency,
        Ending::Interrupted => DBRecoveryMode::TolerateCorruptedTailRecords,
        // The tolerant mode takes a torn record of full length for damage. That nothing lies behind it was seen before.
        Ending::Torn | Ending::Damaged => DBRecoveryMode::PointInTime,
    });
    // Refuses when an older WAL is missing or shorter than it was when it was closed.
    options.set_track_and_verify_wals_in_manifest(ending != Ending::Damaged);
    options
}

/// What the log's memtable may hold. The longer a frame stays there, the more likely it is trimmed before it would be written
/// a second time.
const MEMTABLE_BYTES: u64 = 256 * 1024 * 1024;

/// With as much in the log's memtable, a trim flushes what it has left, so that RocksDB's WAL files can go: just then the
/// least is left. Snapshots every 32 MiB leave 32 of 192 to be written a second time, every 64 MiB 64. It is below
/// [`MEMTABLE_BYTES`], at which RocksDB would flush on its own, whatever is live.
pub(super) const FLUSH_AT_BYTES: u64 = 192 * 1024 * 1024;

/// Options of the column family of frames.
///
/// # Errors
/// RocksDB's, when it does not know an option by its name.
pub(super) fn log_family() -> Result<Options, rocksdb::Error> {
    let mut options = family()?;
    options.set_write_buffer_size(usize::try_from(MEMTABLE_BYTES).unwrap_or(usize::MAX));
    // Frames are short-lived and their payload is dense; compressing them would cost the shard's cores.
    options.set_compression_type(DBCompressionType::None);
    // A table is dead one trim after it was written. Merging four of them writes only what is live in the last one, and is
    // what removes the others; without it dead tables would stay. Nothing else is ever compacted: neither for its age
    // nor for its deletions.
    options.set_level_zero_file_num_compaction_trigger(4);
    options.set_ttl(0);
    options.set_periodic_compaction_seconds(0);
    Ok(options)
}

/// Options of every other column family: a few numbers for each shard.
///
/// # Errors
/// As [`log_family`].
pub(super) fn family() -> Result<Options, rocksdb::Error> {
    let mut options = Options::default();
    options.set_write_buffer_size(1024 * 1024);
    // Checksums over entries in memory, against bits that flip before a table is written. Measured: 5 % of throughput.
    options.get_options_from_string("memtable_protection_bytes_per_key=8;block_protection_bytes_per_key=8")
}

/// Options of a write: as durable as asked for when it returns. The WAL is never switched off.
pub(super) fn write(durability: Durability) -> WriteOptions {
    let mut options = WriteOptions::default();
    // Without it the WAL is in the page cache when a write returns: RocksDB hands every write to the system at once.
    options.set_sync(durability == Durability::Fsync);
    options
}

/// Options of reading the keys from `lower` (inclusive) to `upper` (exclusive).
pub(super) fn range(lower: &[u8], upper: &[u8]) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_iterate_lower_bound(lower);
    options.set_iterate_upper_bound(upper);
    options.set_verify_checksums(true);
    // A replay reads each frame once; it must not push out what others have cached.
    options.fill_cache(false);
    options
}
