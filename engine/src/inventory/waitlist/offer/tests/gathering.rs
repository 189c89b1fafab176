//! Scenarios of `offer.rs`: places that are withheld until a party has all that it needs.

use crate::inventory::scenario::check;

/// What brings it nearer is withheld, completes it when the rest comes, and goes back at the end; once (rule: gathering).
#[test]
fn places_are_gathered_for_a_party_for_a_bounded_time() {
    check(
        "policy gather 3m
         row A 3 in West
         00:00  hold A1 A2 A3 as h1 by bob           -> held 3000, until 10:00
         00:01  join 2 preferred as h2 by cyd        -> waiting, 1 in all
         00:02  release A1 of h1 by bob              -> held
                => h2 gathers A1, until 03:02
         00:02  hold A1 as h3                        -> rejected: places taken A1
         00:03  get h2                               -> waiting, 1 in all, 1 gathered
         00:03  overview                             -> on sale, West 0+3+0+0 Floor 100+0+0+0, 1 holds 0 bookings 1 waiting, 1 gathered
         00:04  release A3 of h1 by bob              -> held
                => h2 offered A1 A3 2000, until 10:04
         00:05  join 2 preferred as h4 by dan        -> waiting, 1 in all
         00:06  release A2 of h1 by bob              -> released
                => h4 gathers A2, until 03:06
         03:06  hold A2 as h5                        -> held 1000, until 13:06
                => h4 gathers no more
         03:07  release h5                           -> released
         03:08  seats                                -> A1 A3 held
         03:09  release h2 by cyd                    -> released
                => h4 offered A1 A2 2000, until 13:09",
    );
}

/// Before those who joined earlier and would take it alone (rule: gathering).
#[test]
fn completing_a_gathered_party_comes_first() {
    check(
        "row A 3 in West
         00:00  hold A1 A2 A3 as h1 by bob           -> held 3000, until 10:00
         00:01  join 2 any as h2 by cyd              -> waiting, 1 in all
         00:02  release A1 of h1 by bob              -> held
                => h2 gathers A1, until 10:02
         00:03  join 1 any as h3 by dan              -> waiting, 2 in all
         00:04  release A2 of h1 by bob              -> held
                => h2 offered A1 A2 2000, until 10:04
         00:05  release A3 of h1 by bob              -> released
                => h3 offered A3 1000, until 10:05",
    );
}

/// Nothing is withheld for a party that it does not complete if another entry can have it (rule: gathering).
#[test]
fn who_can_be_satisfied_comes_before_gathering() {
    check(
        "row A 2 in West
         00:00  hold A1 A2 as h1 by bob              -> held 2000, until 10:00
         00:01  join 2 any as h2 by cyd              -> waiting, 1 in all
         00:02  join 1 any as h3 by dan              -> waiting, 2 in all
         00:03  release A1 of h1 by bob              -> held
                => h3 offered A1 1000, until 10:03
         00:04  release A2 of h1 by bob              -> released
                => h2 gathers A2, until 10:04
         00:05  release h3 by dan                    -> released
                => h2 offered A1 A2 2000, until 10:05",
    );
}

/// What was withheld for it goes to the next (rule: gathering).
#[test]
fn a_gathering_party_that_leaves_gives_back() {
    check(
        "row A 2 in West
         00:00  hold A1 A2 as h1 by bob              -> held 2000, until 10:00
         00:01  join 2 any as h2 by cyd              -> waiting, 1 in all
         00:02  release A1 of h1 by bob              -> held
                => h2 gathers A1, until 10:02
         00:03  join 1 any as h3 by dan              -> waiting, 2 in all
         00:04  leave h2 by cyd                      -> released
                => h3 offered A1 1000, until 10:04",
    );
}

/// And nobody does where the policy gives no time for it (rule: gathering).
#[test]
fn parties_that_must_sit_together_gather_nothing() {
    check(
        "row A 2 in West
         00:00  hold A1 A2 as h1 by bob              -> held 2000, until 10:00
         00:01  join 2 together as h2 by cyd         -> waiting, 1 in all
         00:02  release A1 of h1 by bob              -> held
         00:03  policy gather 0s                     -> done
         00:03  join 2 any as h3 by dan              -> waiting, 2 in all
         00:04  hold A1 as h4 by eve                 -> held 1000, until 10:04
         00:05  release h4 by eve                    -> released
         00:06  release h1 by bob                    -> released
                => h2 offered A1 A2 2000, until 10:06",
    );
}

/// What is withheld for those who come later is free for those who come before them (SEMANTICS 25, rule: gathering).
#[test]
fn an_earlier_entry_takes_over_what_is_gathered_for_a_later_one() {
    check(
        "row A 6 in West
         00:00  hold A1 A2 A3 A4 A5 A6 as h1 by bob  -> held 6000, until 10:00
         00:01  join 2 together as h2 by cyd         -> waiting, 1 in all
         00:02  join 4 preferred as h3 by dan        -> waiting, 2 in all
         00:03  release A1 of h1 by bob              -> held
                => h3 gathers A1, until 10:03
         00:04  release A5 of h1 by bob              -> held
                => h3 gathers A5, until 10:03
         00:05  release A2 of h1 by bob              -> held
                => h2 offered A1 A2 2000, until 10:05, A1 from h3
         00:06  get h3                               -> waiting, 1 in all, 1 gathered
         00:07  release A6 of h1 by bob              -> held
                => h3 gathers A6, until 10:03
         00:08  release h2 by cyd                    -> released
                => h3 offered A1 A2 A5 A6 4000, until 10:08
         00:09  seats                                -> A1-A6 held",
    );
}

/// Who lost all of it is gathered for again; of units the last in order loses first (rule: gathering).
#[test]
fn whoever_loses_all_that_was_gathered_may_have_it_gathered_again() {
    check(
        "policy waitlist_order priority
         floor Floor 4
         00:00  hold 4xFloor as h1 by bob            -> held 400, until 10:00
         00:01  join 3 any in Floor as h2 by cyd     -> waiting, 1 in all
         00:02  release 1xFloor of h1 by bob         -> held
                => h2 gathers 1xFloor, until 10:02
         00:03  join 2 any in Floor as h3 priority 5 by dan -> waiting, 2 in all
         00:04  release 2xFloor of h1 by bob         -> held
                => h3 offered 2xFloor 200, until 10:04, 1xFloor from h2
         00:05  get h2                               -> waiting, 1 in all
         00:06  release 3xFloor of h1 by bob         -> held
                => h2 gathers 1xFloor, until 10:06",
    );
}

/// Parties that are completed one by one and those that are satisfied at once take their turns (rule: gathering).
#[test]
fn a_party_that_is_gathered_for_comes_before_those_after_it() {
    check(
        "row A 3 in West
         00:00  hold A1 A2 A3 as h1 by bob           -> held 3000, until 10:00
         00:01  join 3 any as h2 by cyd              -> waiting, 1 in all
         00:02  release A1 of h1 by bob              -> held
                => h2 gathers A1, until 10:02
         00:03  join 1 any as h3 by dan              -> waiting, 2 in all
         00:04  release A2 of h1 by bob              -> held
                => h2 gathers A2, until 10:02",
    );
}

/// The house may change: they wait on, and nothing is kept from others meanwhile (rule: gathering).
#[test]
fn nothing_is_gathered_for_a_wish_that_the_house_cannot_meet() {
    check(
        "row A 2 in West
         00:00  hold A1 A2 as h1 by bob              -> held 2000, until 10:00
         00:01  join 3 any in West as h2 by cyd      -> waiting, 1 in all, never as the house is
         00:02  release A1 of h1 by bob              -> held
         00:03  hold A1 as h3 by dan                 -> held 1000, until 10:03",
    );
}

/// Two that are due at once: the first end serves the second party (rule: gathering).
#[test]
fn the_end_of_one_gathering_may_complete_another() {
    check(
        "policy gather 3m
         row A 2 in West
         00:00  hold A1 A2 as h1 by bob              -> held 2000, until 10:00
         00:01  join 2 any as h2 by cyd              -> waiting, 1 in all
         00:01  join 2 any as h3 by dan              -> waiting, 2 in all
         00:02  release A1 of h1 by bob              -> held
                => h2 gathers A1, until 03:02
         00:02  policy gather 0s                     -> done
         00:02  policy gather 3m                     -> done
         00:03  release A2 of h1 by bob              -> released
                => h2 offered A1 A2 2000, until 10:03",
    );
}

/// Nobody waits any more (rule: cancel-show).
#[test]
fn cancelling_the_show_gives_back_what_was_gathered() {
    check(
        "row A 2 in West
         00:00  hold A1 A2 as h1 by bob              -> held 2000, until 10:00
         00:01  join 2 any as h2 by cyd              -> waiting, 1 in all
         00:02  release A1 of h1 by bob              -> held
                => h2 gathers A1, until 10:02
         00:03  cancel-show                          -> 1 holds with 1, 0 bookings with 0 to refund 0, 1 waiting
         00:04  seats                                -> all available
         00:05  get h2                               -> rejected: hold unknown",
    );
}

/// A party's time to be completed stands still as every deadline does (rule: pause-clocks).
#[test]
fn while_clocks_are_stopped_gathering_does_not_end() {
    check(
        "policy gather 5m
         row A 3 in West
         00:00  hold A1 A2 A3 as h1 for 2h by bob    -> held 3000, until 30:00
         00:01  join 2 any as h2 by cyd              -> waiting, 1 in all
         00:02  release A1 of h1 by bob              -> held
                => h2 gathers A1, until 05:02
         01:02  pause clocks                         -> paused
         20:00  get h2                               -> waiting, 1 in all, 1 gathered
         21:02  open                                 -> on sale
         25:01  get h2                               -> waiting, 1 in all, 1 gathered
         25:02  get h2                               -> waiting, 1 in all
                => h2 gathers no more",
    );
}

/// A pool that has grown by less than a party needs, or the show's capacity: what fits in now counts as having come back
/// (rule: gathering).
#[test]
fn a_capacity_that_grew_brings_a_party_nearer() {
    check(
        "policy gather 3m
         row A 4 in West
         floor Floor 4
         pool P 2 Floor
         capacity 4
         00:00  hold 2xFloor as h1 by bob            -> held 200, until 10:00
         00:01  join 2 any in Floor as h2 by cyd     -> waiting, 1 in all
         00:02  pool P 3 Floor                       -> version 2
                => h2 gathers 1xFloor, until 03:02
         00:03  pool P 4 Floor                       -> version 3
                => h2 offered 2xFloor 200, until 10:03
         00:04  join 2 any in West as h3 by dan      -> waiting, 1 in all
         00:05  limit 5                              -> version 4
                => h3 gathers A1, until 03:05
         00:06  hold A2 as h4 by eve                 -> rejected: capacity of the show, 1 wanted, 0 left
         00:07  limit 6                              -> version 5
                => h3 offered A1 A2 2000, until 10:07",
    );
}

/// Of what came back no more than the show's capacity allows (rule: gathering).
#[test]
fn no_more_is_gathered_than_a_capacity_allows() {
    check(
        "policy gather 3m
         row A 6 in West
         capacity 4
         00:00  hold A1 A2 A3 A4 as h1 by bob        -> held 4000, until 10:00
         00:01  join 3 any as h2 by cyd              -> waiting, 1 in all
         00:02  limit 3                              -> version 2, the show over by 1
         00:03  release A3 A4 of h1 by bob           -> held
                => h2 gathers A3, until 03:03",
    );
}
