//! HoldBest: the best places that meet a wish, chosen and held in one step.
//!
//! The choice is in `choose.rs` (one row), `split.rs` (several) and `accessible.rs` (wheelchair bays and companions);
//! what is checked besides is what every taking checks.

use bincode::{Decode, Encode};
use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    Answer,
    grant::{Grant, Special},
    hold_seats,
    places::Places,
    runs::Sight,
    sale::ShowState,
    show::Show,
    taking::Taking,
    view::HoldDetails,
};
use crate::{
    codec::stable_bytes,
    command::{Adjacency, HoldBest, Wish},
    event::Event,
    ids::{HoldId, SeatIndex, SectionIndex},
    rejection::{Conflicts, GaShortage, HoldField, Rejection},
    time::Timestamp,
};

mod accessible;
mod choose;
mod field;
mod possible;
mod split;

use choose::Choice;
use field::Field;
pub(super) use possible::is_possible;

/// How places were chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Placement {
    /// The step of the ladder that had an answer.
    pub step: Step,
    /// Lower is better; comparable within one show and step. 1,000 for each rank of the best row, and how far from the
    /// middle of it the party sits.
    pub score: u32,
}

/// The steps of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Step {
    /// Side by side, and no single seat is left over.
    Together,
    /// Side by side; a single seat is left over.
    TogetherLeavingOne,
    /// In one section, in as few groups as can be.
    Split,
    /// Across sections, in as few groups as can be.
    AcrossSections,
    /// The best seats, wherever they are, as was wished.
    Scattered,
    /// Units of general admission.
    Units,
}

pub(super) fn decide(
    show: &Show,
    command: &HoldBest,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let request = request_of(command);
    if let Some(hold) = hold_seats::known(show, command.hold_id, &command.buyer, command.ttl, now)? {
        let is_same = hold.request() == Some(request);
        let reused = Rejection::IdReused { field: HoldField::Request };
        return if is_same { Ok(hold_seats::again(show, hold, now)) } else { Err(reused) };
    }
    let mut taking = Taking::new(show, &command.buyer, &command.terms, now);
    taking.begin(command.terms.replaces, &[ShowState::OnSale])?;
    check_sections(show, &command.wish)?;
    // Before the seats are known: so many of them, whichever.
    let counted = Places::new((0..command.wish.quantity).map(SeatIndex), []).unwrap_or_default();
    taking.check_limits(&counted)?;
    let own = taking.replaced.map(|hold| hold.remaining().clone()).unwrap_or_default();
    let sight = Sight::new(&command.wish, &show.manifest, taking.reach);
    let (places, placement) = choose(show, &command.wish, &sight, &own, (command.hold_id, now))?;
    taking.check_capacities(&places)?;
    // After this point it must succeed.
    let grant = Grant::of(&taking, (command.hold_id, &command.buyer), &places, command.ttl);
    let tickets = command.tickets.clone();
    let details = HoldDetails {
        placement: Some(placement),
        tickets: tickets.clone(),
        override_reason: command.terms.override_reason.clone(),
        ..HoldDetails::default()
    };
    events.push(grant.on_terms(&taking, Special { request: Some(request), placement: Some(placement), tickets }));
    Ok(Answer::Held(grant.view(Some(Box::new(details)))))
}

/// A hash of everything that was asked for besides the id, the buyer and the time to live.
fn request_of(command: &HoldBest) -> u64 {
    xxh3_64(&stable_bytes(&(&command.wish, &command.tickets, &command.terms)))
}

/// # Errors
/// [`Rejection::PlacesUnknown`].
pub(super) fn check_sections(show: &Show, wish: &Wish) -> Result<(), Rejection> {
    let sections = show.manifest.parts().sections.len();
    let unknown = |section: &&SectionIndex| section.0 as usize >= sections;
    let shortage = |section: &SectionIndex| GaShortage { section: *section, requested: wish.quantity, available: 0 };
    let ga: SmallVec<[GaShortage; 1]> = wish.sections.iter().filter(unknown).map(shortage).collect();
    if ga.is_empty() { Ok(()) } else { Err(Rejection::PlacesUnknown(Conflicts { seats: SmallVec::new(), ga })) }
}

/// The places that meet a wish best. `own` places count as free.
///
/// # Errors
/// [`Rejection::SoldOut`] or [`Rejection::NotTogether`].
pub(super) fn choose(
    show: &Show,
    wish: &Wish,
    sight: &Sight,
    own: &Places,
    (hold_id, now): (HoldId, Timestamp),
) -> Result<(Places, Placement), Rejection> {
    if let [section] = *wish.sections
        && show.manifest.ga_capacity(section).is_some()
    {
        return units(show, wish, section, own);
    }
    let Choice { seats, placement } =
        show.runs.with(show, sight, |index| seats(&Field::new(show, wish, index, own).at(now), hold_id))?;
    let places = Places::new(seats, []).expect("as many different seats as were wished for");
    Ok((places, placement))
}

fn seats(field: &Field<'_>, hold_id: HoldId) -> Result<Choice, Rejection> {
    let wish = field.wish;
    if wish.bays > 0 { accessible::seats(field, hold_id) } else { choose::seats(field, wish.quantity, hold_id) }
}

/// So many units of a section, or as many as there are if that is enough. `own` ones count as free.
fn units(show: &Show, wish: &Wish, section: SectionIndex, own: &Places) -> Result<(Places, Placement), Rejection> {
    let available = if units_will_do(show, wish, section) { show.ga_room(section, own) } else { 0 };
    let granted = available.min(wish.quantity);
    if granted < wish.at_least.unwrap_or(wish.quantity).max(1) {
        return Err(Rejection::SoldOut { requested: wish.quantity, available });
    }
    let places = Places::new([], [(section, granted)]).expect("a unit or more");
    Ok((places, Placement { step: Step::Units, score: 0 }))
}

/// Whether units of a section have a category and a price that will do.
pub(super) fn units_will_do(show: &Show, wish: &Wish, section: SectionIndex) -> bool {
    show.manifest.ga_category_index(section).is_some_and(|category| {
        (wish.categories.is_empty() || wish.categories.binary_search(&category).is_ok())
            && wish.price_minor_max.is_none_or(|max| show.manifest.price_of(category) <= max)
    })
}

/// Whether so many seats side by side are free without leaving a single one over.
pub(super) fn has_block(show: &Show, reach: u64, quantity: u32) -> bool {
    let wish = Wish::seats(quantity, Adjacency::Required);
    show.runs.with(show, &Sight::of_reach(reach), |index| {
        choose::has_block(&Field::new(show, &wish, index, &Places::default()), quantity)
    })
}

#[cfg(test)]
mod tests;
