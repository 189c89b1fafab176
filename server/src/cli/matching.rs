//! How many places of a show meet a wish, whoever has them now: a wish for more can never be met.

use usher_client::{Error, Inventory, Reason};
use usher_proto::v1::{self, seat_run::Names, section::Kind};

/// What to do about a wish that was refused because places are wanting, where waiting cannot help.
pub(super) async fn advice(refusal: &Error, inventory: &Inventory, show_id: &str, wish: &v1::Wish) -> Option<String> {
    if refusal.reason() != Some(&Reason::SoldOut) {
        return None;
    }
    let answer = inventory.get_show(v1::GetShowRequest { show_id: show_id.to_owned() }).await.ok()?;
    let matching = count(&answer.manifest?, wish);
    (u64::from(wish.at_least.unwrap_or(wish.quantity)) > matching).then(|| {
        format!(
            "The show has {matching} such places in all, so waiting does not help: ask for fewer, or widen the wish."
        )
    })
}

fn count(manifest: &v1::Manifest, wish: &v1::Wish) -> u64 {
    let will_do = |name: &str| {
        let category = manifest.categories.iter().find(|category| category.name == name);
        let is_named = wish.categories.is_empty() || wish.categories.iter().any(|own| own == name);
        is_named && category.is_some_and(|own| wish.price_minor_max.is_none_or(|max| own.price_minor <= max))
    };
    let is_named = |section: &&v1::Section| wish.sections.contains(&section.name);
    let of_section = |section: &v1::Section| match &section.kind {
        Some(Kind::GeneralAdmission(floor)) if is_named(&section) && will_do(&floor.category) => {
            u64::from(floor.capacity)
        }
        Some(Kind::Reserved(seated)) if wish.sections.is_empty() || is_named(&section) => {
            let runs = seated.rows.iter().flat_map(|row| &row.runs);
            runs.filter(|run| will_do(&run.category) && has_features_for(run, wish)).map(seats).sum()
        }
        _ => 0,
    };
    manifest.sections.iter().map(of_section).sum()
}

/// Accessible seats are only for those who ask for them.
fn has_features_for(run: &v1::SeatRun, wish: &v1::Wish) -> bool {
    run.features().all(|feature| match feature {
        v1::SeatFeature::Wheelchair => wish.wheelchair_bays > 0,
        v1::SeatFeature::Companion => wish.companions > 0,
        v1::SeatFeature::RestrictedView => !wish.exclude_restricted_view,
        v1::SeatFeature::Unspecified => true,
    })
}

fn seats(run: &v1::SeatRun) -> u64 {
    match &run.names {
        Some(Names::Numbered(numbered)) => u64::from(numbered.count),
        Some(Names::Named(named)) => named.names.len() as u64,
        None => 0,
    }
}
