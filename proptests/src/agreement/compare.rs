//! Whether the engine and the naive model say the same of a show, by everything that readers can ask.

use usher_engine::{
    command::Command,
    ids::{Reference, SeatIndex, SectionIndex, ShowNumber},
    inventory::{
        Inventory, Show,
        lookups::{Cursor, LookupBy, Page},
    },
    time::Timestamp,
};

use super::same;
use crate::{
    commands::{BUYERS, HOLD_IDS, ORDERS, buyer_id, hold_id, order},
    naive::{self, Naive},
};

/// Whether both give the places of a show the same statuses and prices.
///
/// # Errors
/// What they differ in.
pub fn compare_places(engine: &Inventory, naive: &Naive, number: ShowNumber, at: Timestamp) -> Result<(), String> {
    let engine = engine.show(number).ok_or("the engine lacks a show")?;
    let (map, naive) = (engine.seat_map(at), naive.show(number));
    let manifest = engine.manifest();
    same("number of seats", &(manifest.seats() as usize), &naive.statuses().count())?;
    for (seat, (expected, category)) in (0u32..).map(SeatIndex).zip(naive.statuses().zip(naive.categories())) {
        let [blocked, retired] = [&map.blocked, &map.retired].map(|seats| seats.as_ref());
        let is_in = |seats: Option<&usher_engine::inventory::seat_bitmap::SeatBitmap>| {
            seats.is_some_and(|seats| seats.contains(seat))
        };
        let found = [map.available.contains(seat), map.sold.contains(seat), is_in(blocked), is_in(retired)];
        if found != expected || manifest.category_of(seat) != category {
            let what = format!("available, sold, blocked, retired, category of {seat:?}");
            return same(&what, &(found, manifest.category_of(seat)), &(expected, category));
        }
    }
    let prices: Vec<u64> = manifest.parts().categories.iter().map(|category| category.price_minor).collect();
    same("prices", &prices, &naive.prices().collect())?;
    same("units", &map.ga, &naive.ga_counts())?;
    same("available at once", &map.available_at_once, &naive.available_at_once())
}

/// Whether both say the same of a show in every respect.
///
/// # Errors
/// What they differ in.
pub fn compare_show(engine: &Inventory, naive: &Naive, number: ShowNumber, at: Timestamp) -> Result<(), String> {
    compare_places(engine, naive, number, at)?;
    let mut scratch = naive.clone();
    for id in (0..HOLD_IDS).map(hold_id) {
        let command = Command::GetHold(id);
        let found = engine.decide(number, &command, at, &mut Vec::new());
        same(&format!("fate of {id:?}"), &found, &scratch.execute(number, &command, at))?;
    }
    let show = engine.show(number).ok_or("the engine lacks a show")?;
    same("policy and sale", &(*show.policy(), *show.sale()), &naive.show(number).rules())?;
    let parts = show.manifest().parts();
    same("capacities", &(parts.capacity, &*parts.pools), &naive.show(number).capacities())?;
    let overview = show.overview(at);
    same("overview", &overview, &naive.show(number).overview(overview.version, at))?;
    compare_lookups(show, naive.show(number), at)
}

fn compare_lookups(engine: &Show, naive: &naive::Show, at: Timestamp) -> Result<(), String> {
    for buyer in (0..BUYERS).map(buyer_id) {
        let page = all(engine, &LookupBy::Buyer(buyer.clone()), at);
        same("holds and entry of a buyer", &(page.holds, page.waiting), &naive.of_buyer(&buyer, at))?;
    }
    for order in (0..ORDERS).map(order) {
        let page = all(engine, &LookupBy::Order(order.clone()), at);
        same("bookings of an order", &page.holds, &naive.of_order(&order, at))?;
    }
    for sections in [vec![], vec![SectionIndex(0)], vec![SectionIndex(2), SectionIndex(3)]] {
        let page = all(engine, &LookupBy::Newest(sections.clone()), at);
        same("newest holds", &page.holds, &naive.newest(&sections, at))?;
    }
    let none = Reference::order("no such order").unwrap();
    same("bookings of no order", &all(engine, &LookupBy::Order(none), at).holds, &Vec::new())?;
    same("sales", &all(engine, &LookupBy::Show, at).holds, &naive.sales(at))
}

/// All pages of three as one.
fn all(show: &Show, by: &LookupBy, at: Timestamp) -> Page {
    let mut all = show.lookup(by, None, 3, at);
    while let Some(next) = all.next.take() {
        let page = show.lookup(by, Some::<Cursor>(next), 3, at);
        all.holds.extend(page.holds);
        all.next = page.next;
    }
    all
}
