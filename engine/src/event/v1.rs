//! A show as it was stored at first: without features, ranks, pools, a sale, or the rules that came later.
//!
//! Only the log's reader knows these types; it turns them into today's.

use bincode::{Decode, Encode};

use crate::{
    ids::ShowId,
    inventory::{
        manifest::{self, Category, CategoryIndex, SeatNames},
        policy,
        sale::Sale,
    },
    time::HoldTtl,
};

/// A show came to be.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ShowCreated {
    show_id: ShowId,
    manifest: ManifestParts,
    policy: Policy,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct ManifestParts {
    name: String,
    currency: String,
    categories: Vec<Category>,
    sections: Vec<Section>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Section {
    name: String,
    kind: SectionKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
enum SectionKind {
    Reserved(Vec<Row>),
    GeneralAdmission { capacity: u32, category: CategoryIndex },
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Row {
    name: String,
    runs: Vec<SeatRun>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct SeatRun {
    category: CategoryIndex,
    names: SeatNames,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
struct Policy {
    hold_ttl_default: HoldTtl,
    hold_life_ms_max: u64,
    places_per_hold_max: u32,
    live_holds_per_buyer_max: u32,
    places_per_buyer_max: u32,
    holds_per_show_max: u32,
}

/// On sale from the beginning, under the defaults of what was not there.
impl From<ShowCreated> for super::ShowCreated {
    fn from(old: ShowCreated) -> Self {
        let ManifestParts { name, currency, categories, sections } = old.manifest;
        let sections = sections.into_iter().map(section).collect();
        let (capacity, pools) = (None, Vec::new());
        let policy = policy::Policy {
            hold_ttl_default: old.policy.hold_ttl_default,
            hold_life_ms_max: old.policy.hold_life_ms_max,
            places_per_hold_max: old.policy.places_per_hold_max,
            live_holds_per_buyer_max: old.policy.live_holds_per_buyer_max,
            places_per_buyer_max: old.policy.places_per_buyer_max,
            holds_per_show_max: old.policy.holds_per_show_max,
            ..policy::Policy::default()
        };
        let manifest = manifest::ManifestParts { name, currency, categories, sections, capacity, pools };
        Self { show_id: old.show_id, manifest, policy, sale: Sale::default() }
    }
}

fn section(old: Section) -> manifest::Section {
    let kind = match old.kind {
        SectionKind::Reserved(rows) => manifest::SectionKind::Reserved(rows.into_iter().map(row).collect()),
        SectionKind::GeneralAdmission { capacity, category } => {
            manifest::SectionKind::GeneralAdmission { capacity, category }
        }
    };
    manifest::Section { name: old.name, kind }
}

fn row(old: Row) -> manifest::Row {
    let runs = old.runs.into_iter().map(|run| manifest::SeatRun::new(run.category, run.names));
    manifest::Row::new(old.name, runs.collect())
}
