//! What shows consist of as JSON: manifests and their changes, rules, when they are sold.

use serde_json::{Value, json};
use usher_engine::{
    event::ShowCreated,
    inventory::{
        manifest::{
            Category, Features, ManifestChange, ManifestParts, Pool, Row, SeatNames, SeatRun, Section, SectionKind,
        },
        policy::{OrphanRule, Policy, WaitlistOrder},
        sale::{Sale, Stage},
    },
};

use super::json::{Json, ms};

impl Json<'_> {
    pub(super) fn created(self, created: &ShowCreated) -> Value {
        let ShowCreated { show_id: _, manifest, policy: rules, sale: sold } = created;
        json!({ "manifest": self.manifest(manifest), "policy": policy(rules), "sale": sale(sold) })
    }

    fn manifest(self, manifest: &ManifestParts) -> Value {
        let ManifestParts { name, currency, categories, sections, capacity, pools } = manifest;
        json!({
            "name": name, "currency": currency, "capacity": capacity,
            "categories": categories.iter().map(category).collect::<Value>(),
            "sections": sections.iter().map(|own| self.section_parts(own)).collect::<Value>(),
            "pools": pools.iter().map(|pool| self.pool(pool)).collect::<Value>(),
        })
    }

    pub(super) fn change(self, change: &ManifestChange) -> Value {
        match change {
            ManifestChange::AddRows { section, rows } => {
                json!({ "kind": "AddRows", "section": self.section(*section), "rows": self.rows(rows) })
            }
            ManifestChange::AddSection(section) => {
                json!({ "kind": "AddSection", "section": self.section_parts(section) })
            }
            ManifestChange::AddCategory(own) => json!({ "kind": "AddCategory", "category": category(own) }),
            ManifestChange::Recategorise { seats, category } => {
                json!({ "kind": "Recategorise", "seats": self.ranges(seats), "category": self.category(*category) })
            }
            ManifestChange::Reprice { category, price_minor } => {
                json!({ "kind": "Reprice", "category": self.category(*category), "price_minor": price_minor })
            }
            ManifestChange::SetGaCapacity { section, capacity } => {
                json!({ "kind": "SetGaCapacity", "section": self.section(*section), "capacity": capacity })
            }
            ManifestChange::SetCapacity(capacity) => json!({ "kind": "SetCapacity", "capacity": capacity }),
            ManifestChange::SetPool(pool) => json!({ "kind": "SetPool", "pool": self.pool(pool) }),
            ManifestChange::RemovePool(name) => json!({ "kind": "RemovePool", "name": name }),
        }
    }

    fn section_parts(self, section: &Section) -> Value {
        match &section.kind {
            SectionKind::Reserved(rows) => json!({ "name": section.name, "rows": self.rows(rows) }),
            SectionKind::GeneralAdmission { capacity, category } => {
                json!({ "name": section.name, "capacity": capacity, "category": self.category(*category) })
            }
        }
    }

    fn rows(self, rows: &[Row]) -> Value {
        let row = |row: &Row| {
            let Row { name, runs, rank, added } = row;
            let runs: Value = runs.iter().map(|run| self.run(run)).collect();
            json!({ "name": name, "rank": rank, "added": added, "runs": runs })
        };
        rows.iter().map(row).collect()
    }

    fn run(self, run: &SeatRun) -> Value {
        let SeatRun { category, names, features } = run;
        let names = match names {
            SeatNames::Numbered { first, step, count } => json!({ "first": first, "step": step, "count": count }),
            SeatNames::Named(names) => json!(names),
        };
        let features: Vec<&str> = [
            (Features::ACCESSIBLE, "accessible"),
            (Features::COMPANION, "companion"),
            (Features::RESTRICTED_VIEW, "restricted_view"),
        ]
        .into_iter()
        .filter_map(|(feature, name)| features.has_any(feature).then_some(name))
        .collect();
        json!({ "category": self.category(*category), "names": names, "features": features })
    }

    fn pool(self, pool: &Pool) -> Value {
        let Pool { name, capacity, sections } = pool;
        let sections: Value = sections.iter().map(|section| self.section(*section)).collect();
        json!({ "name": name, "capacity": capacity, "sections": sections })
    }
}

fn category(category: &Category) -> Value {
    let Category { name, price_minor } = category;
    json!({ "name": name, "price_minor": price_minor })
}

pub(super) fn policy(policy: &Policy) -> Value {
    // Named one by one, so that a new rule is not forgotten here.
    let Policy {
        hold_ttl_default,
        hold_life_ms_max,
        places_per_hold_max,
        live_holds_per_buyer_max,
        places_per_buyer_max,
        holds_per_show_max,
        orphans,
        late_confirm_ms_max,
        pin_ms_max,
        lapses_max,
        cool_down_ms,
        return_spread_ms,
        waitlist_max,
        waitlist_order,
        waitlist_closes_at,
        offer_ttl,
        gather_ms_max,
        returns_per_second_max,
        extends_max,
        orphan_rule_ends_at,
    } = policy;
    let orphans = match orphans {
        OrphanRule::Off => "off",
        OrphanRule::Avoid => "avoid",
        OrphanRule::Forbid => "forbid",
    };
    let (order, seed) = match waitlist_order {
        WaitlistOrder::Fifo => ("fifo", None),
        WaitlistOrder::Priority => ("priority", None),
        // As text: JSON's numbers lose the last digits in many readers.
        WaitlistOrder::Lottery { seed } => ("lottery", Some(seed.to_string())),
    };
    json!({
        "hold_ttl_default_ms": hold_ttl_default.ms(), "hold_life_ms_max": hold_life_ms_max,
        "places_per_hold_max": places_per_hold_max, "live_holds_per_buyer_max": live_holds_per_buyer_max,
        "places_per_buyer_max": places_per_buyer_max, "holds_per_show_max": holds_per_show_max, "orphans": orphans,
        "late_confirm_ms_max": late_confirm_ms_max, "pin_ms_max": pin_ms_max, "lapses_max": lapses_max,
        "cool_down_ms": cool_down_ms, "return_spread_ms": return_spread_ms, "waitlist_max": waitlist_max,
        "waitlist_order": order, "waitlist_seed": seed, "waitlist_closes_at_ms": ms(*waitlist_closes_at),
        "offer_ttl_ms": offer_ttl.ms(), "gather_ms_max": gather_ms_max,
        "returns_per_second_max": returns_per_second_max, "extends_max": extends_max,
        "orphan_rule_ends_at_ms": ms(*orphan_rule_ends_at),
    })
}

fn sale(sale: &Sale) -> Value {
    let Sale { stage, opens_at, closes_at } = sale;
    let (stage, clocks_stand_since) = match stage {
        Stage::Draft => ("draft", None),
        Stage::Planned => ("planned", None),
        Stage::Paused { clocks_stand_since } => ("paused", *clocks_stand_since),
        Stage::Closed => ("closed", None),
        Stage::Cancelled => ("cancelled", None),
        Stage::Archived => ("archived", None),
    };
    json!({
        "stage": stage, "clocks_stand_since_ms": ms(clocks_stand_since), "opens_at_ms": opens_at.0,
        "closes_at_ms": ms(*closes_at),
    })
}
