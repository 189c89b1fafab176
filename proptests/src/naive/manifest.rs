//! ChangeManifest and ChangePolicy of the naive model.
//!
//! Whether a changed description is a manifest at all is asked of the engine's checker, which has tests of its own.

use std::collections::{BTreeMap, BTreeSet};

use usher_engine::{
    ids::{Name, SeatIndex, SeatRange, SectionIndex},
    inventory::{
        Answer, HoldState, ManifestReport,
        blocks::{BlockKind, Mark},
        manifest::{
            CategoryIndex, Features, Manifest, ManifestChange, ManifestError, ManifestParts, ManifestProblem,
            ManifestSpot, Row, SeatRun, Section, SectionKind,
        },
        policy::Policy,
    },
    rejection::Rejection,
    shard::Outcome,
    time::Timestamp,
};

use super::{
    blocks,
    lifecycle::CHANGEABLE,
    records::{self, Owner, Seat, Units},
    show::Show,
};

pub(super) fn change_policy(show: &mut Show, policy: &Policy, now: Timestamp) -> Outcome {
    show.must_be(&CHANGEABLE, now)?;
    if show.policy != *policy {
        show.policy = *policy;
        show.look_everywhere();
    }
    Ok(Answer::Done)
}

/// A section's rows, or its units, join the show.
pub(super) fn add_section(show: &mut Show, section: SectionIndex, description: &Section) {
    match &description.kind {
        SectionKind::Reserved(rows) => {
            rows.iter().zip(0u32..).for_each(|(row, rank)| add_row(show, section, row, rank))
        }
        &SectionKind::GeneralAdmission { capacity, category } => {
            let (held, sold, gathered, blocked) = Default::default();
            show.units.insert(section, Units { capacity, category, held, sold, gathered, blocked });
        }
    }
}

/// `position` is the row's within its section: its rank, if it names none.
fn add_row(show: &mut Show, section: SectionIndex, row: &Row, position: u32) {
    let first = u32::try_from(show.seats.len()).unwrap();
    let place = show.rows.len();
    for run in &row.runs {
        for _ in 0..run.names.len() {
            let (category, features, owner) = (run.category, run.features, Owner::Nobody);
            show.seats.push(Seat { section, row: place, category, features, channel: None, mark: None, owner });
        }
    }
    let seats = u32::try_from(show.seats.len()).unwrap() - first;
    let (name, rank) = (row.name.clone(), row.rank.unwrap_or(position));
    show.rows.push(records::Row { section, name, rank, first, seats });
}

pub(super) fn change(show: &mut Show, change: &ManifestChange, now: Timestamp) -> Outcome {
    show.must_be(&CHANGEABLE, now)?;
    let parts = changed(show, change).map_err(|error| Rejection::ManifestInvalid(Box::new(error)))?;
    let (seats, sections) = other_meaning(show, change);
    if parts != show.parts || !seats.is_empty() {
        show.manifest_version += 1;
        keep_prices(show, &seats, &sections);
        show.changed.push((show.manifest_version, seats, sections));
        apply(show, change, parts);
        show.look_everywhere();
    }
    let over_committed = show.over_committed();
    Ok(Answer::ManifestChanged(ManifestReport { version: show.manifest_version, over_committed }))
}

/// The description after a change, without the categories of seats.
fn changed(show: &Show, change: &ManifestChange) -> Result<ManifestParts, ManifestError> {
    let mut parts = show.parts.clone();
    let added = |rows: &[Row]| rows.iter().map(|row| Row { added: show.manifest_version, ..row.clone() }).collect();
    match change {
        repeated if is_there(show, repeated) => {}
        ManifestChange::AddRows { section, rows } => match &mut section_of(&mut parts, *section)?.kind {
            SectionKind::Reserved(own) => own.extend::<Vec<Row>>(added(rows)),
            SectionKind::GeneralAdmission { .. } => return Err(wrong_section(&parts, *section)),
        },
        ManifestChange::AddSection(section) => {
            let kind = match &section.kind {
                SectionKind::Reserved(rows) => SectionKind::Reserved(added(rows)),
                kind @ SectionKind::GeneralAdmission { .. } => kind.clone(),
            };
            parts.sections.push(Section { kind, ..section.clone() });
        }
        ManifestChange::AddCategory(category) => parts.categories.push(category.clone()),
        ManifestChange::Recategorise { seats, category } => check_seats(show, seats, *category)?,
        ManifestChange::Reprice { category, price_minor } => {
            let (index, categories) = (category.0, parts.categories.len());
            let problem = ManifestProblem::UnknownCategory { index, categories };
            let unknown = ManifestError { spot: ManifestSpot::Categories, problem };
            parts.categories.get_mut(usize::from(index)).ok_or(unknown)?.price_minor = *price_minor;
        }
        ManifestChange::SetGaCapacity { section, capacity } => match &mut section_of(&mut parts, *section)?.kind {
            SectionKind::GeneralAdmission { capacity: own, .. } => *own = *capacity,
            SectionKind::Reserved(_) => return Err(wrong_section(&parts, *section)),
        },
        ManifestChange::SetCapacity(capacity) => parts.capacity = *capacity,
        ManifestChange::SetPool(pool) => match parts.pools.iter_mut().find(|own| own.name == pool.name) {
            Some(own) => *own = pool.clone(),
            None => parts.pools.push(pool.clone()),
        },
        ManifestChange::RemovePool(name) => parts.pools.retain(|pool| pool.name != *name),
    }
    Manifest::new(parts.clone())?;
    Ok(parts)
}

/// Whether what would be added is there, as it would be added.
fn is_there(show: &Show, change: &ManifestChange) -> bool {
    match change {
        ManifestChange::AddRows { section, rows } => {
            let own = rows_of(show, *section);
            rows.iter().all(|row| own.iter().any(|(_, own)| *own == described(row)))
        }
        ManifestChange::AddSection(section) => {
            let known = show.parts.sections.iter().position(|own| own.name == section.name);
            known.is_some_and(|known| match &section.kind {
                SectionKind::Reserved(rows) => {
                    let own = rows_of(show, SectionIndex(u32::try_from(known).unwrap()));
                    let came = own.first().map(|(added, _)| *added);
                    let own = own.into_iter().filter(|(added, _)| Some(*added) == came).map(|(_, row)| row);
                    own.eq(rows.iter().map(described))
                }
                units => show.parts.sections[known].kind == *units,
            })
        }
        ManifestChange::AddCategory(category) => show.parts.categories.contains(category),
        _ => false,
    }
}

/// What a row is called, how good it is, and its seats.
type Described = (String, Option<u32>, Vec<(String, CategoryIndex, Features)>);

fn described(row: &Row) -> Described {
    let of_run = |run: &SeatRun| -> Vec<_> {
        (0..run.names.len()).map(|seat| (run.names.name(seat), run.category, run.features)).collect()
    };
    (row.name.clone(), row.rank, row.runs.iter().flat_map(of_run).collect())
}

/// The rows of a section of seats as they are now, each with when it came.
fn rows_of(show: &Show, section: SectionIndex) -> Vec<(u32, Described)> {
    let Some(Section { kind: SectionKind::Reserved(rows), .. }) = show.parts.sections.get(section.0 as usize) else {
        return Vec::new();
    };
    let places = show.rows.iter().filter(|row| row.section == section);
    let now = rows.iter().zip(places).map(|(row, place)| {
        let mut described = described(row);
        for (own, seat) in described.2.iter_mut().zip(place.first..) {
            own.1 = show.seat(SeatIndex(seat)).category;
        }
        (row.added, described)
    });
    now.collect()
}

fn section_of(parts: &mut ManifestParts, section: SectionIndex) -> Result<&mut Section, ManifestError> {
    let sections = parts.sections.len();
    let problem = ManifestProblem::UnknownSection { index: section.0, sections };
    parts.sections.get_mut(section.0 as usize).ok_or(ManifestError { spot: ManifestSpot::Sections, problem })
}

fn wrong_section(parts: &ManifestParts, section: SectionIndex) -> ManifestError {
    let position = section.0 as usize;
    let problem = ManifestProblem::WrongSection { name: parts.sections[position].name.clone() };
    ManifestError { spot: ManifestSpot::Section(position), problem }
}

/// Whether these seats exist, and their new category does.
fn check_seats(show: &Show, ranges: &[SeatRange], category: CategoryIndex) -> Result<(), ManifestError> {
    for range in ranges {
        let end = range.first.0 + range.count;
        if end as usize > show.seats.len() {
            let problem = ManifestProblem::UnknownSeat { index: end - 1 };
            return Err(ManifestError { spot: ManifestSpot::Sections, problem });
        }
    }
    let categories = show.parts.categories.len();
    let seats = ranges.iter().flat_map(|range| range.seats());
    // The first row of them, in the order of the description.
    let row_of = |seat: SeatIndex| {
        let place = show.seat(seat).row;
        let section = show.rows[place].section;
        let row = show.rows[..place].iter().filter(|row| row.section == section).count();
        (section.0 as usize, row)
    };
    match seats.map(row_of).min() {
        Some((section, row)) if usize::from(category.0) >= categories => {
            let problem = ManifestProblem::UnknownCategory { index: category.0, categories };
            Err(ManifestError { spot: ManifestSpot::Row { section, row }, problem })
        }
        _ => Ok(()),
    }
}

/// The seats and sections that have another price or category after a change.
fn other_meaning(show: &Show, change: &ManifestChange) -> (BTreeSet<SeatIndex>, BTreeSet<SectionIndex>) {
    let mut other = (BTreeSet::new(), BTreeSet::new());
    match change {
        ManifestChange::Recategorise { seats, category } => {
            let seats = seats.iter().flat_map(|range| range.seats());
            other.0.extend(seats.filter(|seat| show.seat(*seat).category != *category));
        }
        ManifestChange::Reprice { category, price_minor } if show.price_of_category(*category) != *price_minor => {
            other.0.extend(show.seat_indexes().filter(|seat| show.seat(*seat).category == *category));
            let own = show.units.iter().filter(|(_, units)| units.category == *category);
            other.1.extend(own.map(|(section, _)| *section));
        }
        _ => {}
    }
    other
}

/// Whoever has such a place keeps the price at which he got it.
fn keep_prices(show: &mut Show, seats: &BTreeSet<SeatIndex>, sections: &BTreeSet<SectionIndex>) {
    let owners = show.holds.iter().filter(|(_, hold)| matches!(hold.state, HoldState::Held | HoldState::Confirmed));
    for id in owners.map(|(id, _)| *id).collect::<Vec<_>>() {
        let places = show.places_of(id);
        let mut prices = show.holds[&id].prices.clone();
        for seat in places.seats().filter(|seat| seats.contains(seat)) {
            if prices.seats.iter().all(|(own, _)| *own != seat) {
                prices.seats.push((seat, show.price_of_category(show.seat(seat).category)));
            }
        }
        for (section, _) in places.ga().filter(|(section, _)| sections.contains(section)) {
            if prices.ga.iter().all(|(own, _)| *own != section) {
                prices.ga.push((section, show.price_of_category(show.units[&section].category)));
            }
        }
        show.hold_mut(id).prices = prices;
    }
}

fn apply(show: &mut Show, change: &ManifestChange, parts: ManifestParts) {
    let (seats_before, units_before) = (show.seats.len(), free_units(show));
    show.parts = parts;
    match change {
        ManifestChange::AddRows { section, rows } => {
            let own = show.rows.iter().filter(|row| row.section == *section).count();
            rows.iter()
                .zip(own..)
                .for_each(|(row, position)| add_row(show, *section, row, position.try_into().unwrap()));
        }
        ManifestChange::AddSection(section) => {
            let index = SectionIndex(u32::try_from(show.parts.sections.len()).unwrap() - 1);
            add_section(show, index, section);
        }
        ManifestChange::Recategorise { seats, category } => {
            let seats = seats.iter().flat_map(|range| range.seats());
            seats.for_each(|seat| show.seats[seat.0 as usize].category = *category);
        }
        ManifestChange::SetGaCapacity { section, capacity } => show.units_mut(*section).capacity = *capacity,
        _ => {}
    }
    let new: Vec<(SectionIndex, u32)> = free_units(show)
        .into_iter()
        .map(|(section, free)| (section, free - units_before.get(&section).unwrap_or(&0).min(&free)))
        .filter(|(_, units)| *units > 0)
        .collect();
    let seats: Vec<SeatIndex> = show.seat_indexes().skip(seats_before).collect();
    let count = u32::try_from(seats.len()).unwrap() + new.iter().map(|(_, units)| units).sum::<u32>();
    if count > blocks::AT_ONCE_MAX && show.waiting() > 0 {
        queue(show, &seats, &new);
    } else {
        show.look_at_new(&seats, &new);
    }
}

/// Many new places are offered to those who wait a few at a time.
fn queue(show: &mut Show, seats: &[SeatIndex], ga: &[(SectionIndex, u32)]) {
    let reason = Name::new("new").unwrap();
    show.note_mark(&Mark { kind: BlockKind::Block, reason: reason.clone() });
    let mark = blocks::returning(show, &reason);
    seats.iter().for_each(|seat| show.seats[seat.0 as usize].mark = Some(mark.clone()));
    for &(section, units) in ga {
        *show.units_mut(section).blocked.entry(mark.clone()).or_default() += units;
    }
    show.returns_due_at = show.returns_due_at.or(Some(Timestamp(0)));
}

fn free_units(show: &Show) -> BTreeMap<SectionIndex, u32> {
    show.units.iter().map(|(section, units)| (*section, units.available())).collect()
}
