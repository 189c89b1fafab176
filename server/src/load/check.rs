//! What is looked at after a load: that nothing was sold twice, that everything acknowledged is there, and that the places of
//! each show add up.
//!
//! It believes three witnesses, none of which is the server's memory alone: what buyers were told, the files of the log, and
//! the house as the server shows it.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    ops::Range,
    path::Path,
    time::Duration,
};

use anyhow::Context as _;
use serde::Serialize;
use usher_client::{Inventory, v1};
use usher_engine::{audit::Audit, ids::HoldId, shard::Loaded};
use usher_wal::{Lsn, ReadOnlyStore, ShardId};

use super::{
    scenario::Scenario,
    tally::{Counts, Sale},
    venue::Venue,
};

/// The files of a running server may change while they are opened.
const TRIES: u32 = 10;
/// Violations that are told.
const TOLD_MAX: usize = 20;

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Check {
    /// Shows in the log.
    pub shows: usize,
    /// Holds that were granted.
    pub grants: u64,
    /// Seats and units that were sold.
    pub places_sold: u64,
    /// Seats that were sold more than once, by the log.
    pub seats_sold_twice: u64,
    /// Acknowledged sales that are not in the log.
    pub sales_missing: u64,
    /// Anything else that must not be, the first few.
    pub violations: Vec<String>,
    /// Places sold, by show.
    #[serde(skip)]
    sold_of_show: BTreeMap<String, u64>,
}

impl Check {
    /// Nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.seats_sold_twice == 0 && self.sales_missing == 0 && self.violations.is_empty()
    }

    /// # Errors
    /// What is wrong.
    pub fn must_be_clean(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.is_clean(), "what was sold is not what it must be: {self:?}");
        Ok(())
    }

    fn add(&mut self, violation: String) {
        if self.violations.len() < TOLD_MAX {
            self.violations.push(violation);
        }
    }
}

/// Reads every shard's log and looks for the acknowledged sales in it, by the ids of their shows.
///
/// # Errors
/// When the log cannot be read or is damaged.
pub fn check_log(data_dir: &Path, acknowledged: &BTreeMap<&str, Vec<HoldId>>) -> anyhow::Result<Check> {
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
    let all: usize = acknowledged.values().map(Vec::len).sum();
    let mut found = 0;
    for audit in &audits {
        check.violations.extend(audit.violations().iter().cloned());
        for show in audit.shows() {
            check.shows += 1;
            check.grants += show.grants;
            check.places_sold += show.places_sold;
            check.seats_sold_twice += show.seats_sold_twice;
            let show_id = show.show_id.as_str();
            let own = acknowledged.get(show_id).map_or(&[][..], Vec::as_slice);
            found += own.iter().filter(|hold_id| show.places_of_sale(**hold_id).is_some()).count();
            check.sold_of_show.insert(show_id.to_owned(), show.places_sold);
        }
    }
    check.sales_missing = (all - found) as u64;
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

/// A house at the end, as its server shows it.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// How many places are how.
    pub counts: v1::Counts,
    available: &'a [u8],
    runs: &'a [Range<u32>],
}

impl Outcome<'_> {
    /// Most free seats side by side that anybody may have.
    #[must_use]
    pub fn widest_free_run(&self) -> u32 {
        let is_free = |seat: u32| self.available.get(seat as usize / 8).is_some_and(|byte| byte >> (seat % 8) & 1 == 1);
        let mut widest = 0;
        for seats in self.runs {
            let mut run = 0;
            for seat in seats.clone() {
                run = if is_free(seat) { run + 1 } else { 0 };
                widest = widest.max(run);
            }
        }
        widest
    }
}

/// Checks what a load left behind: the answers, the log and the houses.
///
/// # Errors
/// When the log or a house cannot be read. What is wrong is in the answer.
pub async fn check_all(
    client: &Inventory,
    data_dir: &Path,
    (scenario, venue, show_ids): (&dyn Scenario, &Venue, &[String]),
    (sales, counts): (&[Sale], &Counts),
) -> anyhow::Result<Check> {
    let mut acknowledged: BTreeMap<&str, Vec<HoldId>> = BTreeMap::new();
    let mut shows = BTreeSet::new();
    for sale in sales {
        acknowledged.entry(show_ids[sale.show as usize].as_str()).or_default().push(sale.hold_id);
        shows.insert(sale.show);
    }
    // Shows that nobody bought anything of are looked at where all are few.
    shows.extend(0..scenario.shows().min(100));
    let mut maps = Vec::new();
    for show in shows {
        let request = v1::GetSeatMapRequest { show_id: show_ids[show as usize].clone(), min_version: 0 };
        maps.push((show, client.get_seat_map(request).await?));
    }
    let mut check = check_log(data_dir, &acknowledged)?;
    if check.grants < counts.granted {
        check.add(format!("{} grants were acknowledged, {} are in the log", counts.granted, check.grants));
    }
    let answers = seats_told_twice(sales);
    if answers > 0 {
        check.add(format!("{answers} seats were sold to two buyers, by what they were told"));
    }
    for (show, map) in maps {
        let show_id = &show_ids[show as usize];
        let outcome = Outcome { counts: map.counts.unwrap_or_default(), available: &map.available, runs: venue.runs() };
        let v1::Counts { available, held, sold, blocked } = outcome.counts;
        if available + held + sold + blocked != venue.places() {
            check.add(format!("show {show_id} has {} places, which are {:?}", venue.places(), outcome.counts));
        }
        if check.sold_of_show.get(show_id) != Some(&sold.into()) {
            check.add(format!("show {show_id} shows {sold} sold places, the log another number"));
        }
        if let Err(wrong) = scenario.check(show, &outcome) {
            check.add(wrong);
        }
    }
    Ok(check)
}

/// Seats that two buyers were told they had bought.
#[must_use]
pub fn seats_told_twice(sales: &[Sale]) -> u64 {
    let mut seen = HashSet::with_capacity(sales.len());
    let seats = sales.iter().flat_map(|sale| sale.seats.each().map(move |seat| (sale.show, seat)));
    seats.filter(|seat| !seen.insert(*seat)).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::asked::Seats;

    #[test]
    fn a_seat_that_two_were_told_they_have_is_found() {
        let sale = |id: u8, show, first, count| Sale {
            show,
            hold_id: HoldId::new(&[id; 16]).unwrap(),
            seats: Seats { first, count },
        };
        assert_eq!(seats_told_twice(&[sale(1, 0, 4, 1), sale(2, 1, 4, 1), sale(3, 0, 5, 2)]), 0);
        assert_eq!(seats_told_twice(&[sale(1, 0, 4, 2), sale(2, 0, 5, 1)]), 1);
    }

    #[test]
    fn the_widest_free_run_does_not_cross_an_aisle() {
        let widest = |runs: &[Range<u32>]| {
            Outcome { counts: v1::Counts::default(), available: &[0b1101_1110], runs }.widest_free_run()
        };
        assert_eq!(widest(std::slice::from_ref(&(0..8))), 4);
        assert_eq!(widest(&[0..3, 3..8]), 2);
    }
}
