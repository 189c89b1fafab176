//! Scenarios of `hold_best.rs`.

use crate::inventory::scenario::check;

/// The ladder begins with a block in the best row, nearest to its middle, of two the left one (rule: best-ladder).
#[test]
fn the_best_row_is_the_first_by_rank_and_the_best_seats_are_its_middle() {
    check(
        "row C 9 in West, rank 7
         row A 9 in West, rank 2
         row B 9 in West, rank 5
         00:00  best 3 together as h1                -> held A4 A5 A6 3000, until 10:00, together
         00:01  best 3 together as h2                -> held A1 A2 A3 3000, until 10:01, together
         00:02  best 4 together as h3                -> held B3 B4 B5 B6 4000, until 10:02, together
         00:03  best 3 together as h4 by bob         -> held A7 A8 A9 3000, until 10:03, together",
    );
}

/// A block that leaves a single seat is taken only if every other does too (rule: best-avoids-orphans).
#[test]
fn no_single_seat_is_left_over_if_there_is_another_way() {
    check(
        "row A 5 in West, rank 1
         row B 4 in West, rank 9
         00:00  best 2 together as h1                -> held A1 A2 2000, until 10:00, together
         00:01  best 2 together as h2                -> held B1 B2 2000, until 10:01, together
         00:02  seats                                -> A1 A2 B1 B2 held",
    );
}

/// The second step takes the block that leaves one, and says so (rule: best-ladder).
#[test]
fn leaving_one_is_the_last_way_to_sit_together() {
    check(
        "row A 5 in West, rank 1
         row B 3 in West, rank 9
         00:00  best 4 together as h1                -> held A1 A2 A3 A4 4000, until 10:00, together leaving one
         00:01  best 2 together as h2                -> held B1 B2 2000, until 10:01, together leaving one",
    );
}

/// Together means together; preferred takes as few groups as can be in one section, near each other (rule: best-ladder).
#[test]
fn a_party_is_split_only_if_it_may_be() {
    check(
        "row A 2 in West, rank 1
         row B 3 in West, rank 2
         row C 3 in West, rank 3
         row D 9 in East, rank 9
         00:00  hold D1 D2 D4 D6 D8 D9 as h1 by bob  -> held 6000, until 10:00
         00:01  best 5 together as h2                -> rejected: not together, 5 wanted, 11 there
         00:02  best 5 preferred as h2               -> held A1 A2 B1 B2 B3 5000, until 10:02, split
         00:03  best 3 preferred as h3               -> held C1 C2 C3 3000, until 10:03, together
         00:04  best 4 preferred as h4               -> rejected: sold out, 4 wanted, 3 there
         00:05  best 3 preferred as h4               -> held D3 D5 D7 3000, until 10:05, split",
    );
}

/// Of four in runs of three it is two and two (rule: best-nobody-alone).
#[test]
fn nobody_sits_alone_if_the_others_can_spare_one() {
    check(
        "row A 3 in West, rank 1
         row B 3 in West, rank 2
         00:00  best 4 preferred as h1               -> held A1 A2 B1 B2 4000, until 10:00, split",
    );
}

/// Where there is an orphan rule, the groups are such that no single seat is left over, if they can be
/// (rule: best-split-orphans).
#[test]
fn a_split_leaves_no_single_seat_if_it_can() {
    let rows = "row A 12 in West
         row B 12 in West
         policy places_per_hold 50";
    check(&format!(
        "{rows}
         00:00  best 13 preferred as h1              -> held A1-A11 B1 B2 13000, until 10:00, split"
    ));
    check(&format!(
        "{rows}, orphans avoid
         00:00  best 13 preferred as h1              -> held A1-A10 B1 B2 B3 13000, until 10:00, split
         00:01  release h1                           -> released
         00:02  best 23 preferred as h2              -> held A1-A12 B1-B11 23000, until 10:02, split"
    ));
}

/// A single seat weighs more than a few rows, or a better row, but never more than a group or somebody alone
/// (rule: best-split-orphans).
#[test]
fn a_split_looks_for_runs_in_which_no_single_seat_is_left() {
    check(
        "row A 5 in West
         row B 5 in West
         row C 4 in West
         row D 3 in East
         row E 6 in East
         row F 6 in East
         policy orphans forbid
         00:00  best 9 preferred in West as h1       -> held A1-A5 C1 C2 C3 C4 9000, until 10:00, split
         00:01  best 8 preferred in East as h2       -> held E1-E6 F1 F2 8000, until 10:01, split
         00:02  best 9 preferred as h3               -> held B1-B5 F3 F4 F5 F6 9000, until 10:02, across sections
         00:03  best 3 preferred as h4               -> held D1 D2 D3 3000, until 10:03, together",
    );
}

/// Further groups take the run fewest rows away, not the next best (rule: best-nearest).
#[test]
fn the_groups_sit_near_each_other() {
    check(
        "row A 4 in West, rank 1
         row B 2 in West, rank 8
         row C 2 in West, rank 9
         row D 4 in West, rank 2
         00:00  best 4 together as h1 by bob         -> held A1 A2 A3 A4 4000, until 10:00, together
         00:00  release A1 A2 of h1 by bob           -> held
         00:00  hold D1 D2 as h2 by bob              -> held 2000, until 10:00
         00:01  best 4 preferred as h3               -> held A1 A2 B1 B2 4000, until 10:01, split",
    );
}

/// Only a party for which no section has room is split across them (rule: best-ladder).
#[test]
fn across_sections_is_the_last_way_to_split() {
    check(
        "row A 3 in West
         row B 3 in East
         00:00  best 5 preferred as h1               -> held A1 A2 A3 B1 B2 5000, until 10:00, across sections
         00:01  best 1 preferred as h2               -> held B3 1000, until 10:01, together",
    );
}

/// Who wants any gets the best rows' seats from the middle outwards (rule: best-any).
#[test]
fn any_takes_the_best_seats_wherever_they_are() {
    check(
        "row A 5 in West
         row B 5 in West
         00:00  hold A3 as h1 by bob                 -> held 1000, until 10:00
         00:01  best 3 any as h2                     -> held A1 A2 A4 3000, until 10:01, scattered
         00:02  best 3 any as h3                     -> held A5 B2 B3 3000, until 10:02, scattered
         00:03  best 4 any as h4                     -> rejected: sold out, 4 wanted, 3 there",
    );
}

/// Rows of nearly the same rank share the herd, by the hold's id and nothing else (rule: best-spreads).
#[test]
fn among_places_as_good_the_id_decides() {
    check(
        "row A 10 in West
         row B 10 in West
         row C 10 in West
         00:00  best 2 together as h1                -> held A5 A6 2000, until 10:00, together
         00:00  release h1                           -> released
         00:01  best 2 together as h1                -> released A5 A6 2000, until 10:00, together
         00:02  best 2 together as h2                -> held A5 A6 2000, until 10:02, together
         00:02  best 2 together as h3                -> held A3 A4 2000, until 10:02, together
         00:03  best 2 together as h4                -> held B5 B6 2000, until 10:03, together",
    );
}

/// A row at another price is not as good, whatever its rank; across a price boundary the block decides
/// (rule: best-same-price).
#[test]
fn the_id_does_not_decide_what_a_party_pays() {
    check(
        "category Gold 3000
         category Also 3000
         row A 4 in West, rank 1, at Gold
         row B 4 in West, rank 1
         row C 4 in West, rank 2, at Also
         row D 6 in West, rank 2, at Seat, 4-6 at Gold
         row E 5 in West, rank 2, at Gold, 5 at Seat
         00:01  best 2 together as h1 by b1          -> held C1 C2 6000, until 10:01, together
         00:02  best 2 together as h2 by b2          -> held C3 C4 6000, until 10:02, together
         00:03  best 2 together as h3 by b3          -> held A1 A2 6000, until 10:03, together
         00:04  best 2 together as h4 by b4          -> held E1 E2 6000, until 10:04, together
         00:05  best 2 together as h5 by b5          -> held A3 A4 6000, until 10:05, together
         00:06  best 2 together as h6 by b6          -> held B1 B2 2000, until 10:06, together
         00:07  best 2 together as h7 by b7          -> held B3 B4 2000, until 10:07, together
         00:08  best 2 together as h8 by b8          -> held D3 D4 4000, until 10:08, together",
    );
}

/// Only what the wish allows is counted and taken (rule: best-wish).
#[test]
fn a_wish_names_sections_categories_and_a_price() {
    check(
        "category Gold 3000
         row A 6 in West, at Gold, 1-2 at Seat
         row B 6 in East
         00:00  best 2 together as h1 at Gold        -> held A3 A4 6000, until 10:00, together
         00:01  best 2 together as h2 in West under 2000 -> held A1 A2 2000, until 10:01, together
         00:02  best 2 together as h3 in West under 2000 -> rejected: sold out, 2 wanted, 0 there
         00:03  best 2 together as h3 in West        -> held A5 A6 6000, until 10:03, together
         00:04  best 2 together as h4 in West        -> rejected: sold out, 2 wanted, 0 there
         00:04  best 3 together as h4 under 1000     -> held B1 B2 B3 3000, until 10:04, together
         00:05  best 1 together as h5 in Nowhere     -> rejected: places unknown nowhere
         00:05  best 2 any as h5 at Nothing          -> rejected: sold out, 2 wanted, 0 there",
    );
}

/// A party may sit across a price boundary; its seats cost what each costs (rule: best-runs).
#[test]
fn another_price_does_not_end_a_run() {
    check(
        "category Gold 3000
         row A 4 in West, at Gold, 1-2 at Seat
         00:00  best 4 together as h1                -> held A1 A2 A3 A4 8000, until 10:00, together",
    );
}

/// What the caller may not take bounds a block as a taken seat does (rule: best-runs).
#[test]
fn another_channels_seat_ends_a_run() {
    check(
        "row A 9 in West
         00:00  channel fans                         -> done
         00:00  assign A4 to fans                    -> 1 changed
         00:01  best 6 together as h1                -> rejected: not together, 6 wanted, 8 there
         00:02  best 5 together as h1                -> held A5-A9 5000, until 10:02, together
         00:03  best 4 together as h2 with fans      -> held A1 A2 A3 A4 4000, until 10:03, together",
    );
}

/// Who excludes it gets none, and for him it ends a run (rule: best-wish).
#[test]
fn a_restricted_view_can_be_declined() {
    check(
        "row A 5 in West, restricted 3
         00:00  best 3 together as h1 unrestricted   -> rejected: not together, 3 wanted, 4 there
         00:01  best 2 together as h1 unrestricted   -> held A1 A2 2000, until 10:01, together
         00:02  best 1 together as h2                -> held A3 1000, until 10:02, together",
    );
}

/// The refusal says how many there are now (rule: sold-out-now).
#[test]
fn sold_out_and_not_together_are_told_apart() {
    check(
        "row A 3 in West
         00:00  hold A2 as h1 by bob                 -> held 1000, until 10:00
         00:01  best 3 together as h2                -> rejected: sold out, 3 wanted, 2 there
         00:01  best 2 together as h2                -> rejected: not together, 2 wanted, 2 there
         00:01  best 2 preferred as h2               -> held A1 A3 2000, until 10:01, split
         00:02  release h1 by bob                    -> released
         00:03  best 1 together as h3                -> held A2 1000, until 10:03, together",
    );
}

/// Take what is there, if it is at least what will do, and say how many; never silently fewer (rule: take-available).
#[test]
fn as_many_as_there_are_of_general_admission() {
    check(
        "floor Floor 5
         00:00  best 3 any as h1 in Floor            -> held 3xFloor 300, until 10:00, units
         00:01  best 3 any as h2 in Floor            -> rejected: sold out, 3 wanted, 2 there
         00:02  best 4 any least 3 as h2 in Floor    -> rejected: sold out, 4 wanted, 2 there
         00:03  best 4 any least 2 as h2 in Floor    -> held 2xFloor 200, until 10:03, units
         00:04  best 4 any least 2 as h2 in Floor    -> held 2xFloor 200, until 10:03, units
         00:05  best 1 any least 1 as h3 in Floor    -> rejected: sold out, 1 wanted, 0 there",
    );
}

/// A replaced hold's seats are among those to choose from (rule: swap-is-net).
#[test]
fn ones_own_seats_count_as_free_when_they_are_given_up() {
    check(
        "row A 4 in West
         00:00  hold A2 A3 as h1                     -> held 2000, until 10:00
         00:01  best 4 together as h2                -> rejected: sold out, 4 wanted, 2 there
         00:02  best 4 together as h2 replacing h1   -> held A1 A2 A3 A4 4000, until 10:02, together
         00:03  best 2 together as h3 replacing h2   -> held A1 A2 2000, until 10:03, together",
    );
}

/// Confirming does not choose again; tickets are kept (rule: best-kept).
#[test]
fn a_held_block_is_what_is_sold() {
    check(
        "00:00  best 2 together as h1 tickets adult:1,child:1 -> held A5 A6 2000, until 10:00, together, tickets adult:1,child:1
         00:01  confirm h1 for o1                    -> confirmed A5 A6 2000 for o1, together, tickets adult:1,child:1
         00:02  best 2 together as h1 tickets adult:2 -> rejected: id reused, another request",
    );
}

/// Own seats that are given up join free ones to longer runs (rule: swap-is-net).
#[test]
fn a_split_party_of_an_own_hold_may_use_its_seats() {
    check(
        "row A 5 in West
         row B 2 in West
         00:00  hold A3 as h1                        -> held 1000, until 10:00
         00:01  hold A5 as h2 by bob                 -> held 1000, until 10:01
         00:02  best 4 preferred as h3 replacing h1  -> held A1 A2 A3 A4 4000, until 10:02, together
         00:03  best 6 preferred as h4 replacing h3  -> held A1 A2 A3 A4 B1 B2 6000, until 10:03, split
         00:04  best 5 preferred in West as h5       -> rejected: sold out, 5 wanted, 0 there",
    );
}
