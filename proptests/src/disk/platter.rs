//! What a disk holds: the bytes that are durable, and the writes since the last sync, which are not.
//!
//! A disk promises nothing of unsynced writes: they are lost, or there, in any order and any number, sector by sector.
//! It knows no files and no kernel.

use std::{collections::HashMap, ops::Range};

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// The unit that is written whole, by the promise of real disks.
pub(super) const SECTOR_BYTES: usize = 512;

type Sector = [u8; SECTOR_BYTES];

/// What becomes of unsynced writes when the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// All are lost.
    Dropped,
    /// Each sector's write is lost or kept at random, which also reorders them.
    Scattered,
    /// As scattered, and some of the kept ones are there in part: the promise of whole sectors is broken, too.
    Torn,
}

/// What has happened to a disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Syncs that made something durable.
    pub syncs: u64,
    /// Sectors whose unsynced write was lost.
    pub dropped: u64,
    /// Sectors whose unsynced write survived whole.
    pub kept: u64,
    /// Sectors whose unsynced write survived in part.
    pub torn: u64,
}

/// The disk's medium and its volatile cache.
pub(super) struct Platter {
    durable: Vec<u8>,
    /// Writes since the last sync, in their order. A sector may be among them more than once.
    unsynced: Vec<(usize, Sector)>,
    /// For each sector with an unsynced write, the last one.
    newest: HashMap<usize, usize>,
    /// Whether syncs are answered without anything being done.
    pub(super) lies: bool,
    /// How many syncs it is until one fails.
    pub(super) fail_sync_in: Option<u64>,
    pub(super) counts: Counts,
    on: bool,
    rng: StdRng,
}

/// The power is off, or this access was to fail.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failed;

impl Platter {
    /// All zeros. Memory is used only for what is written.
    pub(super) fn new(bytes: usize, seed: u64) -> Platter {
        assert_eq!(bytes % SECTOR_BYTES, 0, "a disk has whole sectors");
        Platter {
            durable: vec![0; bytes],
            unsynced: Vec::new(),
            newest: HashMap::new(),
            lies: false,
            fail_sync_in: None,
            counts: Counts::default(),
            on: true,
            rng: StdRng::seed_from_u64(seed),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.durable.len()
    }

    /// What was last written, synced or not. Ends with the disk.
    pub(super) fn read(&self, from: usize, bytes: usize) -> Result<Vec<u8>, Failed> {
        self.check_on()?;
        let end = (from + bytes).min(self.durable.len());
        let mut read = self.durable.get(from..end).unwrap_or_default().to_vec();
        for sector in sectors(from, read.len()) {
            if let Some(&newest) = self.newest.get(&sector) {
                let (of_sector, of_read) = overlap(sector, from, read.len());
                read[of_read].copy_from_slice(&self.unsynced[newest].1[of_sector]);
            }
        }
        Ok(read)
    }

    /// Writes into the volatile cache.
    pub(super) fn write(&mut self, from: usize, bytes: &[u8]) -> Result<(), Failed> {
        self.check_on()?;
        if from + bytes.len() > self.durable.len() {
            return Err(Failed);
        }
        for sector in sectors(from, bytes.len()) {
            let whole = self.read(sector * SECTOR_BYTES, SECTOR_BYTES)?;
            let mut content: Sector = whole.try_into().expect("a whole sector");
            let (of_sector, of_bytes) = overlap(sector, from, bytes.len());
            content[of_sector].copy_from_slice(&bytes[of_bytes]);
            self.newest.insert(sector, self.unsynced.len());
            self.unsynced.push((sector, content));
        }
        Ok(())
    }

    /// Makes all writes so far durable; or fails as ordered and loses them; or lies.
    pub(super) fn sync(&mut self) -> Result<(), Failed> {
        self.check_on()?;
        if let Some(left) = self.fail_sync_in.as_mut() {
            *left -= 1;
            if *left == 0 {
                self.fail_sync_in = None;
                self.settle(Fate::Dropped);
                return Err(Failed);
            }
        }
        if !self.lies {
            self.counts.syncs += 1;
            for (sector, content) in std::mem::take(&mut self.unsynced) {
                self.set(sector, &content);
            }
            self.newest.clear();
        }
        Ok(())
    }

    /// Writes of a sector that the next sync is to make durable.
    pub(super) fn unsynced(&self) -> usize {
        self.unsynced.len()
    }

    pub(super) fn power_off(&mut self, fate: Fate) {
        self.settle(fate);
        self.on = false;
    }

    pub(super) fn power_on(&mut self) {
        self.on = true;
    }

    fn check_on(&self) -> Result<(), Failed> {
        if self.on { Ok(()) } else { Err(Failed) }
    }

    /// Decides what became of the unsynced writes. Of a sector's several writes any one may be the last that arrived.
    fn settle(&mut self, fate: Fate) {
        let share_kept = if fate == Fate::Dropped { 0.0 } else { self.rng.random_range(0.05..0.95) };
        for (sector, mut content) in std::mem::take(&mut self.unsynced) {
            if !self.rng.random_bool(share_kept) {
                self.counts.dropped += 1;
            } else if fate == Fate::Torn && self.rng.random_bool(0.2) {
                self.counts.torn += 1;
                let written = self.rng.random_range(1..SECTOR_BYTES);
                content[written..].copy_from_slice(&self.durable[span(sector)][written..]);
                self.set(sector, &content);
            } else {
                self.counts.kept += 1;
                self.set(sector, &content);
            }
        }
        self.newest.clear();
    }

    fn set(&mut self, sector: usize, content: &Sector) {
        self.durable[span(sector)].copy_from_slice(content);
    }
}

fn span(sector: usize) -> Range<usize> {
    sector * SECTOR_BYTES..(sector + 1) * SECTOR_BYTES
}

/// The sectors that a stretch of bytes touches.
fn sectors(from: usize, bytes: usize) -> Range<usize> {
    from / SECTOR_BYTES..(from + bytes).div_ceil(SECTOR_BYTES)
}

/// Where a sector and a stretch of bytes meet: within the sector, and within the stretch.
fn overlap(sector: usize, from: usize, bytes: usize) -> (Range<usize>, Range<usize>) {
    let start = sector * SECTOR_BYTES;
    let (first, end) = (from.max(start), (from + bytes).min(start + SECTOR_BYTES));
    (first - start..end - start, first - from..end - from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> Platter {
        let mut platter = Platter::new(8 * SECTOR_BYTES, 1);
        platter.write(0, &[1; 2 * SECTOR_BYTES]).unwrap();
        platter.sync().unwrap();
        // Ends in the middle of a sector.
        platter.write(SECTOR_BYTES + 10, &[2; SECTOR_BYTES]).unwrap();
        platter
    }

    #[test]
    fn reads_see_unsynced_writes_and_cuts_lose_them() {
        let mut platter = written();
        assert_eq!(platter.read(SECTOR_BYTES + 8, 4).unwrap(), [1, 1, 2, 2]);
        assert_eq!(platter.read(2 * SECTOR_BYTES + 8, 4).unwrap(), [2, 2, 0, 0]);
        platter.power_off(Fate::Dropped);
        assert_eq!(
            (platter.read(0, 1), platter.write(0, &[1]), platter.sync()),
            (Err(Failed), Err(Failed), Err(Failed))
        );
        platter.power_on();
        assert_eq!(platter.read(SECTOR_BYTES + 8, 4).unwrap(), [1, 1, 1, 1]);
        assert_eq!(platter.read(2 * SECTOR_BYTES + 8, 4).unwrap(), [0; 4]);
    }

    #[test]
    fn a_sync_that_lies_or_fails_makes_nothing_durable() {
        for fails in [true, false] {
            let mut platter = written();
            platter.lies = true;
            platter.fail_sync_in = fails.then_some(1);
            assert_eq!(platter.sync().is_err(), fails);
            // A lie is not seen before the cut, a failure at once.
            assert_eq!(platter.read(SECTOR_BYTES + 10, 1).unwrap(), [if fails { 1 } else { 2 }]);
            platter.power_off(Fate::Dropped);
            platter.power_on();
            assert_eq!(platter.read(SECTOR_BYTES + 10, 1).unwrap(), [1]);
        }
    }

    #[test]
    fn scattered_writes_are_kept_by_sector_and_torn_ones_by_byte() {
        let mut platter = Platter::new(1_000 * SECTOR_BYTES, 1);
        platter.write(0, &vec![1; 1_000 * SECTOR_BYTES]).unwrap();
        platter.power_off(Fate::Torn);
        platter.power_on();
        let (mut lost, mut kept, mut torn) = (0, 0, 0);
        for sector in platter.read(0, 1_000 * SECTOR_BYTES).unwrap().chunks(SECTOR_BYTES) {
            match sector.iter().filter(|byte| **byte == 1).count() {
                0 => lost += 1,
                SECTOR_BYTES => kept += 1,
                _ => torn += 1,
            }
        }
        assert!(lost > 0 && kept > 0 && torn > 0, "{lost} {kept} {torn}");
        assert_eq!((platter.counts.dropped, platter.counts.kept, platter.counts.torn), (lost, kept, torn));
    }
}
