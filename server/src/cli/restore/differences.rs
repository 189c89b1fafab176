//! What a restore undoes, for people and for scripts.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde_json::{Value, json};
use usher_engine::{
    ids::{SeatIndex, SectionIndex},
    inventory::{
        diff::{HoldChange, HoldDiff, SeatStatus, ShowDiff},
        manifest::Manifest,
        places::Places,
        sale::Sale,
    },
    time::Clock as _,
};

use super::{
    Restore,
    plan::{Plan, ShardPlan},
};
use crate::{
    cli::{log::thousands, places::money, print::counted, when::utc},
    clock::WallClock,
};

/// What differs of one show, with the names of its places.
pub(super) struct ShowDifferences {
    diff: ShowDiff,
    manifest: Option<Arc<Manifest>>,
}

const CHANGES: [HoldChange; 5] =
    [HoldChange::SaleLost, HoldChange::SaleChanged, HoldChange::SaleBack, HoldChange::HoldLost, HoldChange::HoldBack];

/// Its name in JSON, and what it is called of one and of several.
fn of_change(change: HoldChange) -> [&'static str; 3] {
    match change {
        HoldChange::SaleLost => ["sale_lost", "sale lost", "sales lost"],
        HoldChange::SaleChanged => {
            ["sale_changed", "sale as it was before a change", "sales as they were before a change"]
        }
        HoldChange::SaleBack => ["sale_back", "sale that stands again", "sales that stand again"],
        HoldChange::HoldLost => ["hold_lost", "hold lost", "holds lost"],
        HoldChange::HoldBack => {
            ["hold_back", "hold that lives again until its deadline", "holds that live again until their deadlines"]
        }
    }
}

fn of_status(status: SeatStatus) -> &'static str {
    match status {
        SeatStatus::Absent => "absent",
        SeatStatus::Available => "available",
        SeatStatus::Held => "held",
        SeatStatus::Sold => "sold",
        SeatStatus::Blocked => "blocked",
        SeatStatus::Retired => "retired",
    }
}

impl Plan {
    pub(super) fn print(&self, restore: &Restore) {
        for own in &self.shards {
            own.print(restore);
        }
    }

    pub(super) fn to_json(&self) -> Vec<Value> {
        self.shards.iter().map(ShardPlan::to_json).collect()
    }
}

impl ShardPlan {
    fn print(&self, restore: &Restore) {
        let (shard, lsn, now) = (self.shard, self.point.lsn, self.now.lsn);
        let title = console::style(format!("shard {shard}")).bold();
        if self.is_kept {
            println!("{title}: stays as it is, at LSN {now}");
            return;
        }
        if let Some(lost) = self.lost {
            let damage = self.point.damage.as_deref().unwrap_or("they are not there");
            let loss = console::style("LOSS").red().bold();
            println!(
                "{title}: {loss}: what is behind LSN {lsn} cannot be read, acknowledged up to LSN {lost}: {damage}"
            );
        }
        let at = if lsn.0 == 0 { String::new() } else { format!(", {}", utc(self.point.clock_ms)) };
        if (lsn.0, now.0, self.lost) == (0, 0, None) && self.now.is_compared {
            println!("{title}: empty, then and now");
            return;
        }
        let is_now = if self.now.is_compared { format!("; now at LSN {now}") } else { String::new() };
        println!("{title}: to LSN {lsn}{at}{is_now}");
        if let Some(damage) = self.now.damage.as_ref().filter(|damage| self.point.damage.as_ref() != Some(damage)) {
            let how = if self.now.is_compared { "compared up to there only" } else { "not compared" };
            println!(
                "  {how}: what there is now cannot be read{}: {damage}",
                if self.now.is_compared { " on" } else { "" }
            );
        }
        if let Some(damage) = self.point.damage.as_ref().filter(|_| self.lost.is_none()) {
            println!("  what lies behind it is not sound: {damage}");
        }
        for show in &self.shows {
            show.print(restore.limit);
        }
        if self.shows.is_empty() && self.now.is_compared {
            println!("  nothing differs");
        }
        if let Some(dir) = restore.log_of_now().filter(|_| now > lsn) {
            let (dir, from) = (dir.display(), lsn.next());
            println!("  what happened behind it: usher log export --data-dir {dir} --shard {shard} --from {from}");
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "shard": self.shard.0, "stays": self.is_kept, "lsn": self.point.lsn.0, "clock_ms": self.point.clock_ms,
            "time": utc(self.point.clock_ms), "now_lsn": self.now.lsn.0, "compared": self.now.is_compared,
            "now_damage": self.now.damage, "state_hash": self.state_hash.to_string(),
            "damage": self.point.damage, "acknowledged_lsn_lost": self.lost.map(|lsn| lsn.0),
            "shows": self.shows.iter().map(ShowDifferences::to_json).collect::<Vec<_>>(),
        })
    }
}

impl ShowDifferences {
    pub(super) fn new(diff: ShowDiff, manifest: Option<Arc<Manifest>>) -> Self {
        Self { diff, manifest }
    }

    /// Whether nothing differs but how many events it has seen.
    pub(super) fn is_of_version_only(&self) -> bool {
        let ShowDiff { exists, sales, policy_differs, manifest_differs, seats, units, holds, waiting, .. } = &self.diff;
        let differs = *policy_differs || *manifest_differs || sales.0 != sales.1 || waiting.0 != waiting.1;
        *exists == (true, true) && !differs && seats.is_empty() && units.is_empty() && holds.is_empty()
    }

    pub(super) fn print(&self, limit: usize) {
        let diff = &self.diff;
        println!("  {}{}", console::style(&diff.show_id).bold(), self.what());
        for ((now, then), count) in self.by_status() {
            println!("    seats    {} {now} -> {then}", thousands(count));
        }
        let seat = |(seat, then, now): &(SeatIndex, SeatStatus, SeatStatus)| {
            format!("{} {} -> {}", self.seat(*seat), of_status(*now), of_status(*then))
        };
        list(diff.seats.iter().map(seat), limit);
        for (section, then, now) in &diff.units {
            let [held, sold, blocked] = [0, 1, 2].map(|at| format!("{} -> {}", now[at], then[at]));
            let section = self.section(*section);
            println!("    units    {section}: held {held}, sold {sold}, blocked {blocked}");
        }
        for change in CHANGES {
            let own: Vec<&HoldDiff> = diff.holds.iter().filter(|hold| hold.change == change).collect();
            if !own.is_empty() {
                let total = own.iter().map(|hold| hold.total_minor).sum();
                let [_, one, several] = of_change(change);
                let what = if own.len() == 1 { one } else { several };
                println!("    {} {what}, {}", thousands(own.len() as u64), self.money(total));
                list(own.iter().map(|hold| self.hold(hold)), limit);
            }
        }
        if diff.waiting.0 != diff.waiting.1 {
            println!("    waiting  {} -> {}", diff.waiting.1, diff.waiting.0);
        }
    }

    /// What is to be said of the show as a whole.
    fn what(&self) -> String {
        let diff = &self.diff;
        match diff.exists {
            (false, _) => return ": would be gone".to_owned(),
            (_, false) => return ": would be there again".to_owned(),
            _ => {}
        }
        let mut said = vec![format!("{} -> {}", counted(diff.versions.1, "event"), thousands(diff.versions.0))];
        let (then, now) = self.states();
        if then != now {
            said.push(format!("{} -> {}", now.unwrap_or_default(), then.unwrap_or_default()));
        }
        said.extend(diff.manifest_differs.then(|| "another manifest".to_owned()));
        said.extend(diff.policy_differs.then(|| "other rules".to_owned()));
        format!(": {}", said.join(", "))
    }

    /// The state in which its sale would be at this moment by what was decided then, and is.
    fn states(&self) -> (Option<String>, Option<String>) {
        let state = |sale: Option<Sale>| sale.map(|sale| sale.state_at(WallClock.now()).to_string());
        (state(self.diff.sales.0), state(self.diff.sales.1))
    }

    /// Seats, by how they stand now and stood then.
    fn by_status(&self) -> BTreeMap<(&'static str, &'static str), u64> {
        let mut counts = BTreeMap::new();
        for (_, then, now) in &self.diff.seats {
            *counts.entry((of_status(*now), of_status(*then))).or_default() += 1;
        }
        counts
    }

    fn hold(&self, hold: &HoldDiff) -> String {
        let order =
            hold.booking.as_ref().map(|booking| format!("order {}, ", booking.order.to_string().escape_debug()));
        let buyer = hold.buyer.to_string().escape_debug().to_string();
        let (id, places, total) = (hold.hold_id, self.places(&hold.places), self.money(hold.total_minor));
        format!("{}{buyer}: {places}, {total} (hold {id})", order.unwrap_or_default())
    }

    fn places(&self, places: &Places) -> String {
        let more = places.seats().len().saturating_sub(8);
        let mut names: Vec<String> = places.seats().take(8).map(|seat| self.seat(seat)).collect();
        names.extend((more > 0).then(|| format!("{more} more")));
        names.extend(places.ga().map(|(own, units)| format!("{units} x {}", self.section(own))));
        names.join(", ")
    }

    fn seat(&self, seat: SeatIndex) -> String {
        let label = self.manifest.as_ref().and_then(|manifest| manifest.label(seat));
        label.map_or_else(|| format!("seat {}", seat.0), |own| format!("{}/{}/{}", own.section, own.row, own.seat))
    }

    fn section(&self, section: SectionIndex) -> String {
        let parts = self.manifest.as_ref().map(|manifest| manifest.parts());
        let found = parts.and_then(|parts| parts.sections.get(section.0 as usize));
        found.map_or_else(|| format!("section {}", section.0), |own| own.name.clone())
    }

    fn money(&self, minor: u64) -> String {
        money(minor, self.manifest.as_ref().map_or("", |manifest| &manifest.parts().currency))
    }

    pub(super) fn to_json(&self) -> Value {
        let diff = &self.diff;
        let seat = |(seat, then, now): &(SeatIndex, SeatStatus, SeatStatus)| json!({ "index": seat.0, "label": self.seat(*seat), "now": of_status(*now), "then": of_status(*then) });
        let units = diff.units.iter().map(|(section, then, now)| {
            let tally = |[held, sold, blocked]: &[u32; 3]| json!({ "held": held, "sold": sold, "blocked": blocked });
            json!({ "section": section.0, "now": tally(now), "then": tally(then) })
        });
        let (state_then, state_now) = self.states();
        json!({
            "show_id": diff.show_id.as_str(), "exists_then": diff.exists.0, "exists_now": diff.exists.1,
            "version_then": diff.versions.0, "version_now": diff.versions.1, "manifest_differs": diff.manifest_differs,
            "policy_differs": diff.policy_differs, "state_then": state_then, "state_now": state_now,
            "seat_counts": self.by_status().into_iter()
                .map(|((now, then), count)| json!({ "now": now, "then": then, "seats": count })).collect::<Vec<_>>(),
            "seats": diff.seats.iter().map(seat).collect::<Vec<_>>(), "units": units.collect::<Vec<_>>(),
            "holds": diff.holds.iter().map(|hold| self.hold_json(hold)).collect::<Vec<_>>(),
            "waiting_then": diff.waiting.0, "waiting_now": diff.waiting.1,
        })
    }

    fn hold_json(&self, hold: &HoldDiff) -> Value {
        let seats: Vec<Value> =
            hold.places.seats().map(|seat| json!({ "index": seat.0, "label": self.seat(seat) })).collect();
        let ga: Vec<Value> =
            hold.places.ga().map(|(section, units)| json!({ "section": section.0, "quantity": units })).collect();
        json!({
            "change": of_change(hold.change)[0], "hold_id": hold.hold_id.to_string(),
            "buyer": hold.buyer.to_string(),
            "order": hold.booking.as_ref().map(|booking| booking.order.to_string()),
            "payment": hold.booking.as_ref().map(|booking| booking.payment.to_string()),
            "confirmed_at_ms": hold.booking.as_ref().map(|booking| booking.confirmed_at.0),
            "places": { "seats": seats, "ga": ga }, "total_minor": hold.total_minor,
        })
    }
}

/// The first of them, and how many more there are.
fn list(lines: impl ExactSizeIterator<Item = impl fmt::Display>, limit: usize) {
    let more = lines.len().saturating_sub(limit);
    for line in lines.take(limit) {
        println!("      {line}");
    }
    if more > 0 {
        println!("      and {} more; --limit or --json says all", thousands(more as u64));
    }
}
