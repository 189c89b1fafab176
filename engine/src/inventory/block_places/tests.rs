//! Scenarios of `block_places.rs`.

use crate::inventory::scenario::check;

/// Nothing is taken from anybody; the rest is blocked (rule: block-refuses-per-place).
#[test]
fn what_is_held_or_sold_is_left_alone_and_named() {
    check(
        "00:00  hold A1 as h1                        -> held 1000, until 10:00
         00:00  hold A2 as h2                        -> held 1000, until 10:00
         00:01  confirm h2 for o2                    -> confirmed A2 1000 for o2
         00:02  block A1-A5 kill:camera              -> 3 changed, 2 refused: A1 A2
         00:03  block A3 A4 A5 A6 block:rain         -> 1 changed, 3 refused: A3 A4 A5
         00:04  seats                                -> A1 held, A2 sold, A3 A4 A5 A6 blocked
         00:05  hold A3 A6 as h3                     -> rejected: places taken A3 A6
         00:05  hold A3 as h3 house                  -> rejected: places taken A3
         00:06  block A3 A4 kill:camera              -> 0 changed
         00:07  block A99 kill:camera                -> rejected: places unknown A99",
    );
}

/// Only what is blocked in that way comes back (rule: block-kinds).
#[test]
fn a_block_is_taken_back_by_its_mark() {
    check(
        "00:00  block A1 A2 kill:camera              -> 2 changed
         00:00  block A3 block:rain                  -> 1 changed
         00:01  unblock A1-A5 block:rain             -> 1 changed, 2 refused: A1 A2
         00:02  seats                                -> A1 A2 blocked
         00:03  unblock A1 kill:sound                -> 0 changed, 1 refused: A1
         00:03  unblock A1 A2 kill:camera dry        -> 2 changed
         00:03  seats                                -> A1 A2 blocked
         00:04  unblock A1 A2 kill:camera            -> 2 changed
         00:05  unblock A1 A2 kill:camera            -> 0 changed
         00:06  seats                                -> all available",
    );
}

/// Only who speaks for the house takes them; released or expired they are the house's again (rule: house).
#[test]
fn the_house_sells_its_own_places_and_gets_them_back() {
    check(
        "00:00  block A1 A2 A3 house:guests          -> 3 changed
         00:01  hold A1 as h1                        -> rejected: places taken A1
         00:02  hold A1 A4 as h1 house               -> held 2000, until 10:02
         00:03  sell A2 as h2 for o2 house           -> confirmed A2 1000 for o2
         00:04  seats                                -> A1 A4 held, A2 sold, A3 blocked
         00:05  release h1                           -> released
         00:06  cancel h2                            -> cancelled, refund 1000
         00:07  seats                                -> A1 A2 A3 blocked
         00:08  hold A1 as h3 for 5s house           -> held 1000, until 00:13
         00:09  unblock A1 A2 A3 house:guests        -> 3 changed
         00:13  seats                                -> all available
         00:14  best 1 any as h4 in A house          -> held A5 1000, until 10:14, scattered",
    );
}

/// It may be sent again; what is not there is refused (rule: block-units).
#[test]
fn units_are_blocked_up_to_a_number() {
    check(
        "floor Floor 10
         00:00  hold 3xFloor as h1                   -> held 300, until 10:00
         00:01  block 5xFloor block:rain             -> 5 changed, Floor 0>5
         00:01  block 5xFloor block:rain             -> 0 changed, Floor 5>5
         00:02  block 9xFloor block:rain             -> 2 changed, 2 refused: Floor, Floor 5>7
         00:03  seats                                -> 3xFloor held, 7xFloor blocked
         00:04  hold 1xFloor as h2                   -> rejected: places taken Floor 1>0
         00:05  unblock 4xFloor block:rain           -> 3 changed, Floor 7>4
         00:05  unblock 4xFloor block:rain           -> 0 changed, Floor 4>4
         00:05  block 0xFloor block:rain             -> 0 changed, Floor 4>4
         00:06  unblock 0xFloor block:rain dry       -> 4 changed, Floor 4>0
         00:06  unblock 0xFloor block:rain           -> 4 changed, Floor 4>0
         00:07  block section:Floor kill:fire        -> 7 changed, Floor 0>7
         00:07  unblock section:Floor kill:fire      -> 7 changed, Floor 7>0
         00:07  block section:Floor kill:fire        -> 7 changed, Floor 0>7
         00:08  overview                             -> on sale, A 10+0+0+0 B 10+0+0+0 Floor 0+3+0+7, kill:fire 0 7xFloor, 1 holds 0 bookings 0 waiting",
    );
}

/// Seats, rows, sections and categories, each place once (rule: selection).
#[test]
fn a_selection_is_the_union_of_what_is_named() {
    check(
        "category Gold 3000
         row A 3 in West, 1 at Gold
         row B 3 in West
         row C 3 in East, 1 at Gold
         00:00  block A1 row:West/B category:Gold block:x -> 5 changed
         00:01  seats                                -> A1 B1 B2 B3 C1 blocked
         00:02  block section:West section:Floor block:x -> 102 changed, Floor 0>100
         00:03  block section:Nowhere block:x        -> rejected: places unknown nowhere",
    );
}

/// By the shard's clock, as events in the log; the plan is done then (rule: timed-release).
#[test]
fn a_block_comes_back_at_a_time() {
    check(
        "00:00  block A1 A2 3xFloor house:sponsor    -> 5 changed, Floor 0>3
         00:01  schedule house:sponsor at 05:00      -> done
         00:02  overview                             -> on sale, A 8+0+0+2 B 10+0+0+0 Floor 97+0+0+3, house:sponsor 2 3xFloor until 05:00, 0 holds 0 bookings 0 waiting
         00:03  hold A1 as h1 for 1h house           -> held 1000, until 30:03
         04:59  hold A2 as h2                        -> rejected: places taken A2
         05:00  hold A2 as h2                        -> held 1000, until 15:00
                => A1 A2 3xFloor from house:sponsor; house:sponsor released
         05:01  release h1                           -> released
         05:02  seats                                -> A2 held
         05:03  block A3 house:sponsor               -> 1 changed
         06:00  seats                                -> A2 held, A3 blocked",
    );
}

/// The last word counts (rule: timed-release).
#[test]
fn a_timed_release_is_moved_and_forgotten() {
    check(
        "00:00  block A1 block:x                     -> 1 changed
         00:01  schedule block:x at 05:00            -> done
         00:02  schedule block:x at 06:00            -> done
         05:30  seats                                -> A1 blocked
         05:31  schedule block:x                     -> done
         07:00  seats                                -> A1 blocked
         07:01  schedule block:x at 05:00            -> done
         07:02  seats                                -> all available
                => A1 from block:x; block:x released",
    );
}

/// Only free and blocked ones are retired, for good; the others are named (rule: retire).
#[test]
fn a_retired_seat_is_no_part_of_the_show() {
    check(
        "00:00  hold A1 as h1                        -> held 1000, until 10:00
         00:01  block A2 kill:camera                 -> 1 changed
         00:02  retire A1 A2 A3                      -> 2 changed, 1 refused: A1
         00:02  retire A2 A3                         -> 0 changed
         00:03  hold A3 as h2                        -> rejected: places unknown A3
         00:04  unblock A2 kill:camera               -> 0 changed
         00:05  seats                                -> A1 held, A2 A3 retired
         00:06  release h1                           -> released
         00:07  best 8 together as h3 in A           -> rejected: not together, 8 wanted, 8 there
         00:08  overview                             -> on sale, A 8+0+0+0 B 10+0+0+0 Floor 100+0+0+0, 0 holds 0 bookings 0 waiting",
    );
}

/// A few places at once, in the same step; a party they would complete comes before (rule: waitlist-first).
#[test]
fn what_is_unblocked_goes_to_who_waits_first() {
    check(
        "row A 4 in West
         00:00  block A1 A2 A3 A4 block:x            -> 4 changed
         00:01  join 2 any as h1                     -> waiting, 1 in all
         00:02  unblock A1 block:x                   -> 1 changed, 1 waiting
                => h1 gathers A1, until 10:02
         00:03  join 1 any as h2 by bob              -> waiting, 2 in all
         00:04  unblock A2 A3 A4 block:x             -> 3 changed, 2 waiting
                => h1 offered A1 A2 2000, until 10:04; h2 offered A3 1000, until 10:04
         00:05  seats                                -> A1 A2 A3 held",
    );
}

/// More than a few are offered so many a second; a dry run tells how many wait (rule: mass-return).
#[test]
fn a_mass_return_comes_back_at_a_bounded_rate() {
    check(
        "policy returns_per_second 30
         row A 70 in West
         00:00  block row:West/A block:x             -> 70 changed
         00:01  join 2 together as h1                -> waiting, 1 in all
         00:02  unblock row:West/A block:x dry       -> 70 changed, 70 queued, 1 waiting
         00:02  unblock row:West/A block:x           -> 70 changed, 70 queued, 1 waiting
         00:02  overview                             -> on sale, West 28+2+0+40 Floor 100+0+0+0, returning:x 40, 1 holds 0 bookings 0 waiting
                => A1-A30 from returning:x; h1 offered A29 A30 2000, until 10:02
         00:02  seats                                -> A29 A30 held, A31-A70 blocked
         00:03  seats                                -> A29 A30 held, A61-A70 blocked
                => A31-A60 from returning:x
         00:10  seats                                -> A29 A30 held
                => A61-A70 from returning:x
         00:11  tick                                 -> done",
    );
}

/// The rate is for those who wait (rule: mass-return).
#[test]
fn without_anybody_who_waits_a_mass_comes_back_at_once() {
    check(
        "row A 70 in West
         00:00  block row:West/A block:x             -> 70 changed
         00:01  unblock row:West/A block:x           -> 70 changed
         00:02  seats                                -> all available",
    );
}

/// What is due is queued as what is unblocked by hand (rule: mass-return).
#[test]
fn a_mass_that_is_released_by_time_comes_back_at_a_rate_too() {
    check(
        "policy returns_per_second 60
         row A 70 in West
         00:00  block row:West/A block:x             -> 70 changed
         00:00  schedule block:x at 05:00            -> done
         00:01  join 2 together as h1                -> waiting, 1 in all
         05:00  tick                                 -> done
                => A1-A70 queued from block:x; block:x released
         05:00  tick                                 -> done
                => A1-A60 from returning:x; h1 offered A35 A36 2000, until 15:00
         05:01  seats                                -> A35 A36 held
                => A61-A70 from returning:x",
    );
}

/// Seats and units of one mass share the rate (rule: mass-return).
#[test]
fn units_return_at_a_rate_too() {
    check(
        "policy returns_per_second 50
         floor Floor 100
         00:00  block section:Floor block:x          -> 100 changed, Floor 0>100
         00:01  join 2 any in Floor as h1            -> waiting, 1 in all
         00:02  unblock section:Floor block:x        -> 100 changed, Floor 100>0, 100 queued, 1 waiting
         00:02  tick                                 -> done
                => 50xFloor from returning:x; h1 offered 2xFloor 200, until 10:02
         00:03  seats                                -> 2xFloor held
                => 50xFloor from returning:x",
    );
}

/// A kill comes before everything and needs to be taken back first (rule: block-kinds).
#[test]
fn a_seat_may_be_blocked_again_in_another_way_only_when_it_is_free() {
    check(
        "00:00  block A1 kill:camera                 -> 1 changed
         00:01  block A1 house:guests                -> 0 changed, 1 refused: A1
         00:02  hold A1 as h1 house                  -> rejected: places taken A1
         00:03  unblock A1 kill:camera               -> 1 changed
         00:04  block A1 house:guests                -> 1 changed
         00:05  hold A1 as h1 house                  -> held 1000, until 10:05
         00:06  block A1 kill:camera                 -> 0 changed, 1 refused: A1",
    );
}

/// A show has at most 255 ways and reasons of blocks, and says so (rule: bounded).
#[test]
fn marks_are_bounded() {
    let schedule = |number: usize| format!("00:00  schedule block:b{number} at 05:00  -> done\n");
    let all: String = (0..super::MARKS_MAX).map(schedule).collect();
    check(&format!(
        "{all}00:01  block A1 block:more  -> rejected: marks_per_show_max is 255
         00:01  schedule kill:b0 at 06:00 -> rejected: marks_per_show_max is 255
         00:02  block A1 block:b254      -> 1 changed
         00:02  sell A2 as h1 for o1     -> confirmed A2 1000 for o1
         00:03  cancel h1 to kill:damage -> rejected: marks_per_show_max is 255
         00:04  cancel h1 to block:b7    -> cancelled, refund 1000
         00:05  seats                    -> A1 A2 blocked"
    ));
}
