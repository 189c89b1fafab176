//! Wishes: of a party that wants the best places now, and of one that waits for them.

use std::collections::BTreeMap;

use usher_engine::{
    command::{Adjacency, Command, HoldBest, JoinWaitlist, TicketCount, Wish},
    ids::SectionIndex,
    inventory::{
        manifest::{CATEGORIES_MAX, CategoryIndex, Manifest, PRICE_MINOR_MAX, SECTIONS_MAX},
        places::PLACES_PER_HOLD_MAX,
    },
};
use usher_proto::v1;

use super::{
    Violations,
    places::{Unknown, channel_keys, terms},
};
use crate::status::Refusal;

/// Most types of tickets of one hold.
const TICKET_TYPES_MAX: usize = 16;

pub(super) fn hold_best(wire: &v1::HoldBestRequest, manifest: &Manifest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.hold_id(&wire.hold_id);
    let buyer = violations.buyer_id("buyer_id", &wire.buyer_id);
    let ttl = violations.ttl(wire.ttl_ms);
    let tickets = tickets(&wire.tickets, &mut violations);
    let terms = terms(wire.terms.as_ref(), &mut violations);
    let sum = wire.tickets.values().fold(0, |sum: u32, &count| sum.saturating_add(count));
    let wish = wish(wire.wish.as_ref(), sum, manifest, &mut violations)?;
    if let Some(wish) = &wish
        && !wire.tickets.is_empty()
        && wish.quantity != sum
    {
        violations.note("tickets", format_args!("must be as many as wish.quantity, {}, are {sum}", wish.quantity));
    }
    let read = || {
        let (hold_id, buyer, wish) = (hold_id?, buyer?, wish?);
        Some(HoldBest { hold_id, buyer, wish, tickets: tickets?, ttl: ttl?, terms: terms? })
    };
    violations.done(read()).map(Box::new).map(Command::HoldBest)
}

pub(super) fn join_waitlist(wire: &v1::JoinWaitlistRequest, manifest: &Manifest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.hold_id(&wire.hold_id);
    let buyer = violations.buyer_id("buyer_id", &wire.buyer_id);
    let priority = u8::try_from(wire.priority).map_err(|_| format!("must be 0 to 255, is {}", wire.priority));
    let priority = violations.take("priority", priority);
    let channels = channel_keys("channel_keys", &wire.channel_keys, &mut violations);
    let wish = wish(wire.wish.as_ref(), 0, manifest, &mut violations)?;
    let read = || {
        let (hold_id, buyer, wish) = (hold_id?, buyer?, wish?);
        Some(JoinWaitlist { hold_id, buyer, wish, priority: priority?, channels: channels? })
    };
    violations.done(read()).map(Box::new).map(Command::JoinWaitlist)
}

fn tickets(wire: &BTreeMap<String, u32>, violations: &mut Violations) -> Option<Vec<TicketCount>> {
    violations.limit("tickets", wire.len(), TICKET_TYPES_MAX);
    let mut tickets = Vec::new();
    for (ticket_type, &count) in wire.iter().take(TICKET_TYPES_MAX) {
        let field = format!("tickets[{ticket_type:?}]");
        violations.require(count > 0, &field, "must be 1 or more, is 0");
        let ticket_type = violations.name(&field, ticket_type);
        tickets.push(ticket_type.map(|ticket_type| TicketCount { ticket_type, count }));
    }
    tickets.into_iter().collect()
}

/// Reads a wish. Without a quantity of its own it is for `tickets` places.
fn wish(
    wire: Option<&v1::Wish>,
    tickets: u32,
    manifest: &Manifest,
    violations: &mut Violations,
) -> Result<Option<Wish>, Refusal> {
    let empty = v1::Wish::default();
    let wire = wire.unwrap_or(&empty);
    let quantity = if wire.quantity == 0 { tickets } else { wire.quantity };
    let is_quantity = (1..=PLACES_PER_HOLD_MAX).contains(&quantity);
    violations.require(is_quantity, "wish.quantity", format_args!("must be 1 to {PLACES_PER_HOLD_MAX}, is {quantity}"));
    let adjacency = match v1::Adjacency::try_from(wire.adjacency) {
        Ok(v1::Adjacency::Unspecified | v1::Adjacency::Preferred) => Some(Adjacency::Preferred),
        Ok(v1::Adjacency::Required) => Some(Adjacency::Required),
        Ok(v1::Adjacency::Any) => Some(Adjacency::Any),
        Err(_) => {
            violations.note("wish.adjacency", format_args!("{} is not a known adjacency", wire.adjacency));
            None
        }
    };
    violations.limit("wish.categories", wire.categories.len(), CATEGORIES_MAX);
    violations.limit("wish.sections", wire.sections.len(), SECTIONS_MAX);
    violations.require(
        wire.price_minor_max.is_none_or(|max| max <= PRICE_MINOR_MAX),
        "wish.price_minor_max",
        format_args!("must be at most {PRICE_MINOR_MAX}, is {}", wire.price_minor_max.unwrap_or(0)),
    );
    let mut unknown = Unknown::default();
    let categories = categories(wire, manifest, &mut unknown);
    let sections = sections(wire, manifest, &mut unknown);
    if !unknown.none(violations)? {
        return Ok(None);
    }
    check_general_admission(wire, &sections, quantity, manifest, violations);
    check_pool(wire, quantity, violations);
    Ok(adjacency.filter(|_| is_quantity).map(|adjacency| Wish {
        quantity,
        at_least: wire.at_least,
        adjacency,
        categories,
        sections,
        price_minor_max: wire.price_minor_max,
        exclude_restricted: wire.exclude_restricted_view,
        bays: wire.wheelchair_bays,
        companions: wire.companions,
    }))
}

/// Ascending, each once: the engine relies on it.
fn categories(wire: &v1::Wish, manifest: &Manifest, unknown: &mut Unknown) -> Vec<CategoryIndex> {
    let mut categories = Vec::new();
    for name in wire.categories.iter().take(CATEGORIES_MAX) {
        match manifest.category(name) {
            Some(category) => categories.push(category),
            None => unknown.note(format!("category {name:?}")),
        }
    }
    categories.sort_unstable();
    categories.dedup();
    categories
}

/// Ascending, each once: the engine relies on it.
fn sections(wire: &v1::Wish, manifest: &Manifest, unknown: &mut Unknown) -> Vec<SectionIndex> {
    let mut sections = Vec::new();
    for name in wire.sections.iter().take(SECTIONS_MAX) {
        match manifest.section(name) {
            Some(section) => sections.push(section),
            None => unknown.note(format!("section {name:?}")),
        }
    }
    sections.sort_unstable();
    sections.dedup();
    sections
}

/// A general-admission section stands alone, and only it takes less than all.
fn check_general_admission(
    wire: &v1::Wish,
    sections: &[SectionIndex],
    quantity: u32,
    manifest: &Manifest,
    violations: &mut Violations,
) {
    let is_ga = |section: &SectionIndex| manifest.ga_capacity(*section).is_some();
    let has_ga = sections.iter().any(is_ga);
    violations.require(!has_ga || sections.len() == 1, "wish.sections", "a general-admission section must stand alone");
    if let Some(at_least) = wire.at_least {
        violations.require(has_ga, "wish.at_least", "is only for a single general-admission section");
        let fits = (1..=quantity).contains(&at_least);
        violations.require(
            fits,
            "wish.at_least",
            format_args!("must be 1 to wish.quantity, {quantity}, is {at_least}"),
        );
    }
    let is_plain = wire.wheelchair_bays == 0 || !has_ga;
    violations.require(is_plain, "wish.wheelchair_bays", "a general-admission section has no bays");
}

/// Bays and companions' seats are among the places, and nobody accompanies nobody.
fn check_pool(wire: &v1::Wish, quantity: u32, violations: &mut Violations) {
    let (bays, companions) = (wire.wheelchair_bays, wire.companions);
    violations.require(companions == 0 || bays > 0, "wish.companions", "must be 0 without wheelchair_bays");
    let fits = u64::from(bays) + u64::from(companions) <= u64::from(quantity);
    violations.require(
        fits,
        "wish.wheelchair_bays",
        format_args!(
            "with the companions at most wish.quantity, {quantity}, are {}",
            u64::from(bays) + u64::from(companions)
        ),
    );
}
