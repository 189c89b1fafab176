//! Shows and their overviews as they read in a terminal, and as JSON.

use serde_json::{Value, json};
use usher_proto::v1::{self, over_committed::Of};

use crate::cli::{print::counted, when::utc};

/// More sections than this are printed only on demand.
const SECTIONS_PRINTED_MAX: usize = 12;

/// `on sale since ...`, `scheduled, opens at ...`.
pub(super) fn sale_text(show: &v1::Show) -> String {
    let state = state_name(show.state()).replace('_', " ");
    let closes = show.closes_at_ms.map(|at| format!(", closes at {}", utc(at))).unwrap_or_default();
    match show.state() {
        v1::ShowState::Scheduled => format!("{state}, opens at {}{closes}", utc(show.opens_at_ms)),
        v1::ShowState::OnSale => format!("{state}{closes}"),
        v1::ShowState::Paused => {
            let stand = show.clocks_stand_since_ms.map(|at| format!(", clocks stand since {}", utc(at)));
            format!("{state}{}{closes}", stand.unwrap_or_default())
        }
        _ => state,
    }
}

/// `on_sale`, `paused`, ...
fn state_name(state: v1::ShowState) -> String {
    state.as_str_name().trim_start_matches("SHOW_STATE_").to_lowercase()
}

pub(super) fn show_json(show: &v1::Show) -> Value {
    json!({
        "show_id": show.show_id, "name": show.name, "places": show.places, "shard": show.shard,
        "state": state_name(show.state()), "opens_at_ms": show.opens_at_ms, "closes_at_ms": show.closes_at_ms,
        "clocks_stand_since_ms": show.clocks_stand_since_ms, "manifest_version": show.manifest_version,
    })
}

pub(super) fn overview_json(overview: &v1::GetShowOverviewResponse) -> Value {
    let mut value = show_json(&overview.show.clone().unwrap_or_default());
    let counts = overview.counts.unwrap_or_default();
    for (name, count) in named(&counts) {
        value[name] = count.into();
    }
    let list = |all: &[v1::NamedCounts]| -> Value {
        let one = |own: &v1::NamedCounts| with_counts(json!({ "name": own.name }), own.counts);
        all.iter().map(one).collect()
    };
    value["sections"] = list(&overview.sections);
    value["categories"] = list(&overview.categories);
    let channel = |own: &v1::ChannelOverview| {
        let channel = json!({ "key": own.key, "public_at_ms": own.public_at_ms, "is_public": own.is_public });
        with_counts(channel, own.counts)
    };
    value["channels"] = overview.channels.iter().map(channel).collect();
    let block = |own: &v1::BlockOverview| {
        let ga: Vec<Value> =
            own.ga.iter().map(|ga| json!({ "section": ga.section, "quantity": ga.quantity })).collect();
        let (kind, reason) = mark_parts(own);
        json!({ "kind": kind, "reason": reason, "seats": own.seats, "ga": ga, "released_at_ms": own.released_at_ms })
    };
    value["blocks"] = overview.blocks.iter().map(block).collect();
    for (name, number) in [
        ("live_holds", overview.live_holds),
        ("bookings", overview.bookings),
        ("waiting", overview.waiting),
        ("gathered", overview.gathered),
        ("taken", overview.taken),
    ] {
        value[name] = number.into();
    }
    value["capacity"] = overview.capacity.into();
    let pool = |own: &v1::PoolOverview| json!({ "name": own.name, "capacity": own.capacity, "taken": own.taken, "available": own.available });
    value["pools"] = overview.pools.iter().map(pool).collect();
    value["over_committed"] = overview.over_committed.iter().map(over_json).collect();
    value["version"] = overview.version.into();
    value
}

pub(super) fn over_json(over: &v1::OverCommitted) -> Value {
    let (what, name) = match &over.of {
        Some(Of::Section(name)) => ("section", name.as_str().into()),
        Some(Of::Pool(name)) => ("pool", name.as_str().into()),
        None => ("show", true.into()),
    };
    let name: Value = name;
    json!({ what: name, "places": over.places })
}

/// `Floor: 2 more are taken than its capacity allows`.
pub(super) fn over_text(over: &v1::OverCommitted) -> String {
    let places = over.places;
    match &over.of {
        Some(Of::Section(name)) => format!("{name}: {places} more are held, sold or blocked than its capacity allows"),
        Some(Of::Pool(name)) => format!("pool {name}: {places} more are taken than its capacity allows"),
        None => format!("the show: {places} more are taken than its capacity allows"),
    }
}

fn named(counts: &v1::Counts) -> [(&'static str, u32); 4] {
    [("available", counts.available), ("held", counts.held), ("sold", counts.sold), ("blocked", counts.blocked)]
}

fn with_counts(mut value: Value, counts: Option<v1::Counts>) -> Value {
    for (name, count) in named(&counts.unwrap_or_default()) {
        value[name] = count.into();
    }
    value
}

fn mark_parts(block: &v1::BlockOverview) -> (String, String) {
    let mark = block.mark.clone().unwrap_or_default();
    (mark.kind().as_str_name().trim_start_matches("BLOCK_KIND_").to_lowercase(), mark.reason)
}

/// An overview for people.
pub(super) fn print_overview(overview: &v1::GetShowOverviewResponse, all_sections: bool) {
    let show = overview.show.clone().unwrap_or_default();
    println!("{}: {}, {}", show.show_id, show.name, sale_text(&show));
    let (shard, version, manifest) = (show.shard, overview.version, show.manifest_version);
    println!("on shard {shard}, version {version}, manifest {manifest}");
    println!("  {:<24} {:>9} {:>9} {:>9} {:>9}", "", "available", "held", "sold", "blocked");
    print_counts("all", overview.counts);
    let is_long = overview.sections.len() > SECTIONS_PRINTED_MAX && !all_sections;
    if is_long {
        println!("  ({} sections; --sections prints them)", overview.sections.len());
    } else {
        overview.sections.iter().for_each(|section| print_counts(&format!("  {}", section.name), section.counts));
    }
    println!("  by category");
    overview.categories.iter().for_each(|category| print_counts(&format!("  {}", category.name), category.counts));
    if !overview.channels.is_empty() {
        println!("  by channel");
        overview.channels.iter().for_each(print_channel);
    }
    print_capacities(overview);
    overview.blocks.iter().for_each(print_block);
    let (holds, bookings, waiting) = (overview.live_holds, overview.bookings, overview.waiting);
    println!("  {}, {}, {waiting} waiting", counted(holds, "live hold"), counted(bookings, "booking"));
    if overview.gathered > 0 {
        println!("  {} places are kept for some who wait, until they have all they need", overview.gathered);
    }
    overview.over_committed.iter().for_each(|over| println!("  {}", over_text(over)));
}

/// Pools and the show's capacity, if there are such.
fn print_capacities(overview: &v1::GetShowOverviewResponse) {
    if overview.pools.is_empty() && overview.capacity.is_none() {
        return;
    }
    println!("  {:<24} {:>9} {:>9} {:>9}", "by capacity", "available", "taken", "capacity");
    for v1::PoolOverview { name, capacity, taken, available } in &overview.pools {
        println!("    {name:<22} {available:>9} {taken:>9} {capacity:>9}");
    }
    if let Some(capacity) = overview.capacity {
        let available = overview.counts.unwrap_or_default().available;
        println!("    {:<22} {available:>9} {:>9} {capacity:>9}", "the show", overview.taken);
    }
}

fn print_counts(name: &str, counts: Option<v1::Counts>) {
    println!("{}", counts_text(name, counts));
}

fn counts_text(name: &str, counts: Option<v1::Counts>) -> String {
    let v1::Counts { available, held, sold, blocked } = counts.unwrap_or_default();
    format!("  {name:<24} {available:>9} {held:>9} {sold:>9} {blocked:>9}")
}

fn print_channel(channel: &v1::ChannelOverview) {
    let opens = match (channel.is_public, channel.public_at_ms) {
        (true, _) => "  public".to_owned(),
        (false, Some(at)) => format!("  public at {}", utc(at)),
        (false, None) => String::new(),
    };
    println!("{}{opens}", counts_text(&format!("  {}", channel.key), channel.counts));
}

fn print_block(block: &v1::BlockOverview) {
    let (kind, reason) = mark_parts(block);
    let seats = match block.seats {
        0 => None,
        1 => Some("1 seat".to_owned()),
        seats => Some(format!("{seats} seats")),
    };
    let mut places: Vec<String> = seats.into_iter().collect();
    places.extend(block.ga.iter().map(|ga| format!("{} x {}", ga.quantity, ga.section)));
    let back = block.released_at_ms.map(|at| format!(", back at {}", utc(at))).unwrap_or_default();
    let places = if places.is_empty() { "nothing now".to_owned() } else { places.join(", ") };
    println!("  {kind} \"{reason}\": {places}{back}");
}
