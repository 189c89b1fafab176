//! What is always true of an inventory, whatever was done to it. Tests call it after every step.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Inventory,
    blocks::BlockKind,
    groups::NEVER,
    hold::{Hold, HoldState},
    manifest::SectionKind,
    overview::Counts,
    places::Places,
    show::{GaTally, Show},
};
use crate::{
    ids::{SeatIndex, SectionIndex},
    time::Timestamp,
};

/// Checks every show. Costs a walk over everything.
///
/// # Panics
/// When something is not as it must be.
pub fn check(inventory: &Inventory) {
    for (number, show) in inventory.shows() {
        let is_found = inventory.number(show.id()) == Some(number);
        assert_eq!(is_found, show.left_to.is_none(), "a show is found by its id until it leaves");
        check_places(show);
        check_blocks(show);
        check_counts(show);
        check_buyers(show);
        check_ended(show);
        check_waitlist(show);
        check_groups(show);
        check_deadlines(inventory, show);
        show.runs.check(show);
    }
}

/// Everybody who has places, held or sold.
fn owners(show: &Show) -> impl Iterator<Item = (&Places, bool)> {
    let is_owner = |hold: &&Hold| matches!(hold.state, HoldState::Held | HoldState::Confirmed);
    let holds = show.holds.iter().filter(is_owner);
    let holds = holds.map(|hold| (hold.remaining(), hold.state == HoldState::Confirmed));
    holds.chain(show.waitlist.gathered_places().map(|places| (places, false)))
}

/// Every seat is exactly one of available, held, sold, blocked and out of the show, and is held or sold exactly by one.
fn check_places(show: &Show) {
    let mut owned: BTreeMap<SeatIndex, bool> = BTreeMap::new();
    let mut ga = vec![GaTally::default(); show.ga.len()];
    let mut taken = 0;
    for (places, is_sold) in owners(show) {
        for seat in places.seats() {
            assert_eq!(owned.insert(seat, is_sold), None, "{seat:?} has two owners");
        }
        for (section, units) in places.ga() {
            let tally = &mut ga[section.0 as usize];
            *(if is_sold { &mut tally.sold } else { &mut tally.held }) += units;
        }
        assert!(!places.is_empty(), "whoever owns places has some");
        taken += places.count();
    }
    for seat in (0..show.manifest().seats()).map(SeatIndex) {
        let is_owned = owned.contains_key(&seat);
        let statuses = [show.available.contains(seat), show.blocks.is_blocked(seat), show.is_retired(seat), is_owned];
        assert_eq!(statuses.into_iter().filter(|is| *is).count(), 1, "{seat:?} has one status: {statuses:?}");
        assert_eq!(show.sold.contains(seat), owned.get(&seat) == Some(&true), "{seat:?} is sold by a booking");
    }
    for hold in show.holds.iter().filter(|hold| hold.state == HoldState::Held) {
        assert!(hold.remaining().without(&hold.places).is_empty(), "a live hold has nothing that it was not granted");
    }
    for (units, (section, tally)) in ga.iter_mut().zip((0u32..).map(SectionIndex).zip(&show.ga)) {
        units.blocked = show.blocks.ga().filter(|(own, ..)| *own == section).map(|(_, _, units)| units).sum();
        assert_eq!(tally, units, "units of {section:?} are those of holds and blocks");
        let over = show.seat_map(Timestamp(0)).ga.into_iter().find(|counts| counts.section == section);
        if let (Some(capacity), Some(counts)) = (show.manifest().ga_capacity(section), over) {
            let all = counts.available + counts.held + counts.sold + counts.blocked;
            let is_all = all == capacity + counts.over_committed;
            assert!(is_all || (show.has_capacities() && all < capacity), "units of {section:?} add up to its capacity");
        }
    }
    assert_eq!(show.taken, taken, "taken places are those of holds");
}

/// What is blocked has a mark; what has a mark is blocked, or the house's.
fn check_blocks(show: &Show) {
    for seat in (0..show.manifest().seats()).map(SeatIndex) {
        let mark = show.blocks.mark_of(seat);
        if show.blocks.is_blocked(seat) {
            assert!(mark.is_some(), "{seat:?} is blocked for a reason");
        } else if let Some(mark) = mark {
            assert_eq!(mark.kind, BlockKind::House, "{seat:?} is marked, and not blocked");
            assert!(!show.available.contains(seat) && !show.is_retired(seat), "{seat:?} comes back to the house");
        }
        assert!(show.channels.all.iter().filter(|channel| channel.seats.contains(seat)).count() <= 1);
    }
    assert!(show.releases.keys().all(|mark| usize::from(*mark) < show.blocks.marks().len()));
    let is_returning = show.blocks.marks().iter().any(|mark| {
        mark.kind == BlockKind::Returning
            && (show.blocks.seats_of(mark).next().is_some() || show.blocks.ga().any(|(_, own, _)| own == mark))
    });
    assert!(!is_returning || show.returns_due_at.is_some(), "what is to return is due");
}

/// The counts of sections, categories and channels are those of their places.
fn check_counts(show: &Show) {
    let overview = show.overview(Timestamp(0));
    let section_of = |seat| show.manifest().rows()[show.manifest().row_of(seat)].section;
    let (mut of_section, mut of_channel) = (BTreeMap::<_, u32>::new(), BTreeMap::<_, u32>::new());
    for seat in (0..show.manifest().seats()).map(SeatIndex).filter(|seat| !show.is_retired(*seat)) {
        *of_section.entry(section_of(seat)).or_default() += 1;
        *of_channel.entry(show.channel_of(seat)).or_default() += 1;
    }
    // Fewer where capacities nest.
    let nest = show.has_capacities();
    let are = |counts: u32, all: u32| counts == all || (nest && counts < all);
    let sum = |counts: &Counts| counts.available + counts.held + counts.sold + counts.blocked;
    for (section, counts) in &overview.sections {
        if let SectionKind::Reserved(_) = show.manifest().parts().sections[section.0 as usize].kind {
            let all = of_section.get(section).copied().unwrap_or_default();
            assert!(are(sum(counts), all), "counts of {section:?}");
        }
    }
    let total = |counts: &mut dyn Iterator<Item = &Counts>| counts.map(sum).sum::<u32>();
    let by_section = total(&mut overview.sections.iter().map(|(_, counts)| counts));
    let by_category = total(&mut overview.categories.iter().map(|(_, counts)| counts));
    assert!(nest || by_section == by_category, "counts of categories");
    assert!(nest || by_section == sum(&overview.counts), "counts of all");
    for channel in &overview.channels {
        let position = show.channels.find(&channel.key);
        let all = of_channel.get(&position).copied().unwrap_or_default();
        assert!(are(sum(&channel.counts), all), "counts of a channel");
    }
}

/// A buyer's counts are those of his holds, and he waits or has an offer at most once.
fn check_buyers(show: &Show) {
    let mut live = 0;
    let mut ids_of: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for hold in show.holds.iter() {
        ids_of.entry(hold.buyer).or_default().insert(hold.id);
    }
    for (slot, buyer) in show.buyers.iter() {
        let own = ids_of.remove(&slot).unwrap_or_default();
        let listed: Vec<&Hold> = show.buyers.holds_of(slot).map(|hold| show.holds.get(hold)).collect();
        assert_eq!(buyer.holds.get() as usize, own.len());
        assert_eq!(listed.len(), own.len(), "every hold of a buyer is listed once");
        assert_eq!(listed.iter().map(|hold| hold.id).collect::<BTreeSet<_>>(), own);
        let of_state = |state| listed.iter().filter(move |hold| hold.state == state);
        let count = |state| of_state(state).map(|hold| hold.remaining().count()).sum::<u32>();
        assert_eq!(buyer.live_holds as usize, of_state(HoldState::Held).count());
        assert_eq!(buyer.places, count(HoldState::Held) + count(HoldState::Confirmed));
        live += buyer.live_holds;
    }
    assert!(ids_of.is_empty(), "every hold is of a buyer");
    assert_eq!(show.holds.live(), live);
    assert!(show.holds.iter().all(|hold| show.holds.find(hold.id).is_some()), "a hold is found by its id");
    let buyers: BTreeSet<_> = show.buyers.iter().map(|(slot, _)| slot).collect();
    assert!(show.lapses.keys().all(|slot| buyers.contains(slot)));
    let booked: BTreeSet<_> = show.holds.booked().map(|hold| hold.id).collect();
    let bookings = show.holds.iter().filter(|hold| hold.booking().is_some());
    assert_eq!(booked, bookings.map(|hold| hold.id).collect(), "every booking is listed");
}

/// Every ended hold is remembered once, in order.
fn check_ended(show: &Show) {
    assert_eq!(show.holds.ended().count(), show.holds.iter().filter(|hold| hold.is_ended()).count());
    assert!(show.holds.ended().is_sorted_by_key(|(at, _)| at));
}

/// Whoever waits stands in one queue, in its order, or has something gathered.
fn check_waitlist(show: &Show) {
    let waitlist = &show.waitlist;
    let mut standing = BTreeSet::new();
    for queue in waitlist.all_queues() {
        let slots: Vec<u32> = waitlist.entries_of(queue).collect();
        assert!(slots.is_sorted_by_key(|slot| waitlist.key(*slot)), "a queue is in order");
        for slot in slots {
            assert!(standing.insert(slot), "an entry stands once");
            assert!(waitlist.gathering(slot).is_none(), "who is gathered for stands in no queue");
        }
    }
    let mut count = 0;
    for (slot, entry) in waitlist.iter() {
        count += 1;
        assert!(standing.contains(&slot) || waitlist.gathering(slot).is_some(), "an entry stands somewhere");
        assert_eq!(waitlist.slot(entry.id), Some(slot), "an entry is found by its id");
        assert_eq!(waitlist.slot_of_buyer(&entry.buyer), Some(slot), "a buyer waits once");
        assert!(show.holds.find(entry.id).is_none(), "an id is an entry's or a hold's");
        if let Some(gathering) = waitlist.gathering(slot) {
            let wanted = waitlist.queue_of(slot).wish.quantity;
            assert!(gathering.places.count() <= wanted, "no more is gathered than is wished for");
        }
    }
    assert_eq!(waitlist.waiting(), count);
}

/// Whoever is one of several is a hold, and waits for the decision only while it is live and has no deadline.
fn check_groups(show: &Show) {
    for (id, membership) in &show.groups {
        let hold = show.holds.find(*id).expect("a member is a hold");
        assert!(membership.shows.contains(show.id()), "its show is one of the group's");
        if membership.prepared.is_some() {
            assert_eq!(hold.state, HoldState::Held, "only a live member is prepared");
        }
        assert_eq!(membership.prepared.is_some(), hold.state == HoldState::Held && hold.expires_at >= NEVER);
    }
}

/// Nothing that is due is overlooked.
fn check_deadlines(inventory: &Inventory, show: &Show) {
    for slot in show.holds.live_slots() {
        assert!(show.holds.is_due_in_time(slot), "every live hold has its deadline noted");
    }
    if let Some(next) = show.next_due(Timestamp(u64::MAX)) {
        assert!(inventory.next_deadline().is_some_and(|noted| noted <= next), "a deadline is never overlooked");
    }
}
