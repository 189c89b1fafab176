//! What is always true of an inventory, whatever was done to it. Tests call it after every step.

use super::{Inventory, hold::HoldState, seat_bitmap::SeatBitmap, show::GaTally, show::Show};

/// Checks every show. Costs a walk over everything.
///
/// # Panics
/// When something is not as it must be.
pub fn check(inventory: &Inventory) {
    for (number, show) in inventory.shows() {
        assert_eq!(inventory.number(show.id()), Some(number), "a show is found by its id");
        check_places(show);
        check_buyers(show);
        check_ended(show);
        if let Some(next) = show.holds.next_deadline() {
            assert!(inventory.next_deadline().is_some_and(|noted| noted <= next), "a deadline is never overlooked");
        }
    }
}

/// Every seat has one status; the statuses of places are those that the holds give them.
fn check_places(show: &Show) {
    let seats = show.manifest().seats();
    let mut available = SeatBitmap::full(seats);
    let mut sold = SeatBitmap::empty(seats);
    let mut ga = vec![GaTally::default(); show.ga.len()];
    for hold in show.holds.iter().filter(|hold| matches!(hold.state, HoldState::Held | HoldState::Confirmed)) {
        for seat in hold.remaining().seats() {
            assert!(available.contains(seat), "{seat:?} is in two holds");
            available.remove(seat);
            if hold.state == HoldState::Confirmed {
                sold.insert(seat);
            }
        }
        for (section, units) in hold.remaining().ga() {
            let tally = &mut ga[section.0 as usize];
            *(if hold.state == HoldState::Held { &mut tally.held } else { &mut tally.sold }) += units;
        }
        assert!(!hold.remaining().is_empty(), "a live hold has places");
        assert!(hold.places.without(hold.remaining()).count() + hold.remaining().count() == hold.places.count());
    }
    assert_eq!(show.available, available, "available seats are those of no hold");
    assert_eq!(show.sold, sold, "sold seats are those of confirmed holds");
    assert_eq!(*show.ga, *ga, "units are those of the holds");
    for (section, tally) in (0u32..).zip(&show.ga) {
        let capacity = show.manifest().ga_capacity(crate::ids::SectionIndex(section)).unwrap_or(0);
        assert!(tally.held + tally.sold <= capacity, "no more units than there are");
    }
}

/// A buyer's counts are those of his holds.
fn check_buyers(show: &Show) {
    let mut live = 0;
    for (slot, buyer) in show.buyers.iter() {
        let own = || show.holds.iter().filter(|hold| hold.buyer == slot);
        let of_state = |state| own().filter(move |hold| hold.state == state);
        let count = |state| of_state(state).map(|hold| hold.remaining().count()).sum::<u32>();
        assert_eq!(buyer.holds as usize, own().count());
        assert_eq!(buyer.live_holds as usize, of_state(HoldState::Held).count());
        assert_eq!(buyer.places, count(HoldState::Held) + count(HoldState::Confirmed));
        live += buyer.live_holds;
    }
    assert_eq!(show.holds.live(), live);
    for hold in show.holds.iter() {
        assert!(show.holds.find(hold.id).is_some(), "a hold is found by its id");
    }
}

/// Every ended hold is remembered once, in order.
fn check_ended(show: &Show) {
    let is_ended = |state| matches!(state, HoldState::Released | HoldState::Expired | HoldState::Fenced);
    assert_eq!(show.holds.ended().count(), show.holds.iter().filter(|hold| is_ended(hold.state)).count());
    assert!(show.holds.ended().all(|(_, hold)| is_ended(hold.state)));
    assert!(show.holds.ended().is_sorted_by_key(|(at, _)| at));
}
