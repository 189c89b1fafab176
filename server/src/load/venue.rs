//! The house of a load: a hall of so many seats, or a plan from a file.

use std::{ops::Range, path::Path};

use anyhow::{Context as _, ensure};
use usher_client::v1;
use usher_engine::{
    ids::SeatIndex,
    inventory::manifest::{Manifest, PLACES_MAX, SectionKind},
};

use crate::{
    convert::manifest::manifest_to_wire,
    plan::{self, PlanPrices, generate},
};

/// What a seat costs where the plan does not say it, in minor units.
const PRICE_MINOR: u64 = 5_000;

/// A house.
#[derive(Clone, Debug)]
pub struct Venue {
    manifest: v1::Manifest,
    seats: u32,
    places: u32,
    runs: Vec<Range<u32>>,
}

impl Venue {
    /// A stadium without its standing places, or a plain hall where that would not be one.
    ///
    /// # Errors
    /// When there are more seats than a show may have.
    pub fn of_seats(seats: u32) -> anyhow::Result<Self> {
        ensure!((1..=PLACES_MAX).contains(&seats), "a show has 1 to {PLACES_MAX} seats, not {seats}");
        // One place in twenty of a stadium stands.
        let places = seats + seats.div_ceil(19);
        let is_stadium = (generate::STADIUM_PLACES_MIN..=PLACES_MAX).contains(&places);
        let mut parts = if is_stadium { generate::stadium(places) } else { generate::hall(seats) };
        parts.sections.retain(|section| matches!(section.kind, SectionKind::Reserved(_)));
        if parts_seats(&parts.sections) != seats {
            parts = generate::hall(seats);
        }
        Ok(Self::new(&Manifest::new(parts)?))
    }

    /// A plan; where it has no prices, all seats cost the same.
    ///
    /// # Errors
    /// When the file cannot be read, or is no plan.
    pub fn of_plan(path: &Path) -> anyhow::Result<Self> {
        let document = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let read = |prices: &PlanPrices| plan::read(&document, None, prices);
        let manifest = match read(&PlanPrices::default()) {
            Ok(manifest) => manifest,
            Err(_) => read(&prices_for(&document)).with_context(|| format!("the plan {}", path.display()))?,
        };
        ensure!(manifest.seats() > 0, "the plan {} has no seats", path.display());
        Ok(Self::new(&manifest))
    }

    fn new(manifest: &Manifest) -> Self {
        let mut runs = Vec::new();
        for row in manifest.rows() {
            let mut begins = row.first_seat;
            let end = row.first_seat + row.seats;
            let kept = (row.first_seat..end).filter(|seat| manifest.protected().contains(SeatIndex(*seat)));
            for seat in kept {
                runs.push(begins..seat);
                begins = seat + 1;
            }
            runs.push(begins..end);
        }
        let (seats, places) = (manifest.seats(), manifest.places());
        Self { manifest: manifest_to_wire(manifest.parts()), seats, places, runs }
    }

    /// How many seats there are.
    #[must_use]
    pub fn seats(&self) -> u32 {
        self.seats
    }

    /// The same, and units of general admission.
    #[must_use]
    pub fn places(&self) -> u32 {
        self.places
    }

    /// Seats side by side that anybody may have.
    #[must_use]
    pub fn runs(&self) -> &[Range<u32>] {
        &self.runs
    }

    /// A show in it.
    #[must_use]
    pub fn show(&self, show_id: &str, policy: v1::Policy) -> v1::CreateShowRequest {
        let (show_id, manifest) = (show_id.to_owned(), Some(self.manifest.clone()));
        v1::CreateShowRequest { show_id, manifest, policy: Some(policy), ..v1::CreateShowRequest::default() }
    }
}

fn parts_seats(sections: &[usher_engine::inventory::manifest::Section]) -> u32 {
    let of_section = |kind: &SectionKind| match kind {
        SectionKind::Reserved(rows) => rows.iter().flat_map(|row| &row.runs).map(|run| run.names.len()).sum(),
        SectionKind::GeneralAdmission { .. } => 0,
    };
    sections.iter().map(|section| of_section(&section.kind)).sum()
}

/// The same price for every category that the document names.
fn prices_for(document: &[u8]) -> PlanPrices {
    let plan: serde_json::Value = serde_json::from_slice(document).unwrap_or_default();
    let categories = plan["categories"].as_array().into_iter().flatten();
    let names = categories.filter_map(|category| category["name"].as_str());
    PlanPrices {
        currency: Some("EUR".to_owned()),
        by_category: names.map(|name| (name.to_owned(), PRICE_MINOR)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_house_has_exactly_the_seats_asked_for() {
        for seats in [1, 7, 100, 949, 950, 951, 1_000, 20_000, 70_000, 99_999, 100_000, 950_000, 950_001, PLACES_MAX] {
            let venue = Venue::of_seats(seats).unwrap();
            assert_eq!((venue.seats(), venue.places()), (seats, seats));
            assert_eq!(venue.runs().iter().map(Range::len).sum::<usize>(), seats as usize);
        }
        assert!(Venue::of_seats(PLACES_MAX + 1).is_err());
    }

    #[test]
    fn a_plan_without_prices_is_sold_at_one() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), generate::demo_stadium_pretix()).unwrap();
        assert_eq!(Venue::of_plan(file.path()).unwrap().seats(), 74_475);
    }
}
