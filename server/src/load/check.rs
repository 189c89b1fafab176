//! What the log says after a load: nothing sold twice, and everything acknowledged is there.
//!
//! It reads the files of a running server, not its memory.

use std::{collections::BTreeSet, path::Path, time::Duration};

use anyhow::Context as _;
use usher_engine::{audit::Audit, ids::HoldId, shard::Loaded};
use usher_wal::{Lsn, ReadOnlyStore, ShardId};

/// The files of a running server may change while they are opened.
const TRIES: u32 = 10;

/// What the log says.
#[derive(Debug, Default)]
pub struct Check {
    /// Shows in the log.
    pub shows: usize,
    /// Holds that were granted.
    pub grants: u64,
    /// Seats and units that were sold.
    pub places_sold: u64,
    /// Seats that were sold more than once.
    pub seats_sold_twice: u64,
    /// Acknowledged sales that are not in the log.
    pub sales_missing: u64,
    /// Anything else that must not be, the first few.
    pub violations: Vec<String>,
}

impl Check {
    /// Nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.seats_sold_twice == 0 && self.sales_missing == 0 && self.violations.is_empty()
    }
}

/// Reads every shard's log and looks for the acknowledged sales in it.
///
/// # Errors
/// When the log cannot be read or is damaged.
pub fn check_log(data_dir: &Path, acknowledged: &[HoldId]) -> anyhow::Result<Check> {
    let mut tries = 0;
    let audits = loop {
        match audit(data_dir) {
            Ok(audits) => break audits,
            Err(error) if tries + 1 == TRIES => return Err(error),
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
        tries += 1;
    };
    let mut check = Check::default();
    let mut missing: BTreeSet<HoldId> = acknowledged.iter().copied().collect();
    for audit in &audits {
        check.violations.extend(audit.violations().iter().cloned());
        for show in audit.shows() {
            check.shows += 1;
            check.grants += show.grants;
            check.places_sold += show.places_sold;
            check.seats_sold_twice += show.seats_sold_twice;
            missing.retain(|hold_id| show.places_of_sale(*hold_id).is_none());
        }
    }
    check.sales_missing = missing.len() as u64;
    Ok(check)
}

fn audit(data_dir: &Path) -> anyhow::Result<Vec<Audit>> {
    let store = ReadOnlyStore::open(data_dir)?;
    let mut audits = Vec::new();
    for shard in (0..store.shards().get()).map(ShardId) {
        let start = store.start(shard)?;
        // As long as the log has everything, nothing else is believed.
        let mut audit = if start.lsn == Lsn::ZERO {
            Audit::default()
        } else {
            Audit::of_snapshots(&Loaded::load(shard, store.snapshots(shard).as_ref(), &start)?)
        };
        store.replay(shard, &mut |frame| Ok(audit.read(&frame)?)).context("reading the log")?;
        audits.push(audit);
    }
    Ok(audits)
}
