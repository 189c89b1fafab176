//! Whether the house could meet a wish if all of its places were free and its channels open.
//!
//! What is taken, blocked or kept for others today is not asked; the ladder itself answers where a look does not.

use super::{Field, seats, units_will_do};
use crate::{
    command::Wish,
    ids::{HoldId, SeatIndex},
    inventory::{
        manifest::RowPlace,
        places::Places,
        runs::{RunIndex, Sight},
        seat_bitmap::SeatBitmap,
        show::Show,
    },
};

/// The reach of whoever may draw from all of them.
const EVERY_CHANNEL: u64 = u64::MAX;
/// Rows that are looked at before all of them are.
const ROWS_TRIED: usize = 32;

/// Nearly always a look at one row; otherwise as costly as the first question in a new sight.
pub(in crate::inventory) fn is_possible(show: &Show, wish: &Wish) -> bool {
    let parts = show.manifest.parts();
    let needed = wish.at_least.unwrap_or(wish.quantity);
    if parts.capacity.is_some_and(|capacity| capacity < needed) {
        return false;
    }
    if let [section] = *wish.sections
        && let Some(capacity) = show.manifest.ga_capacity(section)
    {
        let mut pools = parts.pools.iter().filter(|pool| pool.sections.contains(&section));
        return units_will_do(show, wish, section) && capacity >= needed && pools.all(|pool| pool.capacity >= needed);
    }
    let sight = Sight::new(wish, &show.manifest, EVERY_CHANNEL);
    if wish.bays == 0 && some_row_will_do(show, wish, &sight) {
        return true;
    }
    let mut house = SeatBitmap::full(show.manifest.seats());
    show.retired.iter().for_each(|retired| house.remove_all(retired));
    let index = RunIndex::new(show, sight, &house);
    let nothing = Places::default();
    // Which of the seats that are as good is not asked.
    let any = HoldId::new(&[1; 16]).expect("an id");
    seats(&Field::new(show, wish, &index, &nothing).in_house(&house), any).is_ok()
}

/// Whether one of the first rows that may do seats the whole party side by side.
fn some_row_will_do(show: &Show, wish: &Wish, sight: &Sight) -> bool {
    let protected = show.manifest.protected();
    let will_do = |seat: SeatIndex| !protected.contains(seat) && !show.is_retired(seat) && sight.sees(show, seat);
    let seats_all = |row: &RowPlace| {
        let mut run = 0;
        (row.first_seat..row.first_seat + row.seats).any(|seat| {
            run = if will_do(SeatIndex(seat)) { run + 1 } else { 0 };
            run == wish.quantity
        })
    };
    let may_do = |row: &&RowPlace| {
        row.seats >= wish.quantity
            && (wish.sections.is_empty() || wish.sections.binary_search(&row.section).is_ok())
            && row.category.is_none_or(|category| sight.has_category(category))
    };
    show.manifest.rows().iter().filter(may_do).take(ROWS_TRIED).any(seats_all)
}
