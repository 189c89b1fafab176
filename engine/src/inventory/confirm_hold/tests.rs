//! Scenarios of `confirm_hold.rs`.

use crate::inventory::scenario::check;

#[test]
fn a_confirmed_hold_is_a_booking_and_confirming_again_returns_it() {
    check(
        "00:00  hold A1 A2 2xFloor as h1     -> held 2200, until 10:00
         00:01  confirm h1 for o1            -> confirmed A1 A2 2xFloor 2200 for o1
         00:02  confirm h1 for o2            -> confirmed A1 A2 2xFloor 2200 for o1
         20:00  confirm h1 for o1            -> confirmed A1 A2 2xFloor 2200 for o1
         20:00  get h1                       -> confirmed A1 A2 2xFloor 2200, until 10:00
         20:00  seats                        -> A1 A2 sold, 2xFloor sold",
    );
}

#[test]
fn a_part_is_sold_and_the_rest_released_in_one_step() {
    check(
        "00:00  hold A1 A2 3xFloor as h1        -> held 2300, until 10:00
         00:01  confirm A3 of h1 for o1         -> rejected: places not in hold A3
         00:01  confirm A2 1xFloor of h1 for o1 -> confirmed A2 1xFloor 1100 for o1
         00:02  seats                           -> A2 sold, 1xFloor sold
         00:03  hold A1 as h2                   -> held 1000, until 10:03",
    );
}

#[test]
fn the_deadline_decides_and_it_is_half_open() {
    check(
        "00:00  hold A1 as h1 for 5s   -> held 1000, until 00:05
         00:00  hold A2 as h2 for 6s   -> held 1000, until 00:06
         00:05  confirm h1 for o1      -> rejected: expired at 00:05
         00:05  confirm h2 for o2      -> confirmed A2 1000 for o2
         00:05  seats                  -> A2 sold",
    );
}

#[test]
fn a_released_part_is_not_confirmed() {
    check(
        "00:00  hold A1 A2 as h1           -> held 2000, until 10:00
         00:01  release A1 of h1           -> held
         00:02  confirm A1 A2 of h1 for o1 -> rejected: places not in hold A1
         00:03  confirm h1 for o1          -> confirmed A2 1000 for o1",
    );
}

#[test]
fn somebody_elses_hold_is_not_confirmed() {
    check(
        "00:00  confirm h1 for o1          -> rejected: hold unknown
         00:00  hold A1 as h1              -> held 1000, until 10:00
         00:01  confirm h1 for o1 by bob   -> rejected: hold of another buyer",
    );
}

/// Within the grace a hold that is over but has its places still is sold, also in part (rule: accept-late).
#[test]
fn a_late_payment_is_taken_before_the_sweep() {
    check(
        "policy late_confirm 30s
         no sweep
         00:00  hold A1 A2 as h1 for 5s             -> held 2000, until 00:05
         00:34  confirm h1 for o1                   -> rejected: expired at 00:05
         00:34  confirm A2 of h1 for o1 late        -> confirmed A2 1000 for o1
         00:35  confirm h1 for o1 late              -> confirmed A2 1000 for o1
         00:36  seats                               -> A2 sold",
    );
}

/// Otherwise all that are gone are named, and what is free may still be taken (rule: accept-late).
#[test]
fn a_late_payment_is_taken_after_the_sweep_if_every_place_is_free() {
    check(
        "policy late_confirm 30s
         00:00  hold A1 A2 as h1 for 5s             -> held 2000, until 00:05
         00:34  confirm h1 for o1 late              -> confirmed A1 A2 2000 for o1
         00:35  seats                               -> A1 A2 sold
         00:35  hold A1 A2 as h1 for 5s             -> confirmed 2000, until 00:05
         00:36  hold A5 as h2 for 5s                -> held 1000, until 00:41
         01:11  confirm h2 for o2 late              -> rejected: expired at 00:41
         01:12  hold A6 A7 as h3 for 5s             -> held 2000, until 01:17
         01:20  hold A7 as h4 by bob                -> held 1000, until 11:20
         01:21  confirm h3 for o3 late              -> rejected: places taken A7
         01:21  confirm A8 of h3 for o3 late        -> rejected: places not in hold A8
         01:21  confirm A6 of h3 for o3 late        -> confirmed A6 1000 for o3
         01:22  release h3                          -> rejected: confirmed",
    );
}

/// What was given back is not taken again (rule: accept-late).
#[test]
fn a_released_hold_is_not_late() {
    check(
        "00:00  hold A1 as h1 for 5s                -> held 1000, until 00:05
         00:01  release h1                          -> released
         00:06  confirm h1 for o1 late              -> rejected: released",
    );
}

/// A buyer who took others meanwhile has no room for these (rule: accept-late).
#[test]
fn a_late_payment_keeps_within_the_buyers_limit() {
    check(
        "policy places_per_buyer 2
         00:00  hold A1 A2 as h1 for 5s             -> held 2000, until 00:05
         00:06  hold A3 as h2                       -> held 1000, until 10:06
         00:07  confirm h1 for o1 late              -> rejected: places_per_buyer_max is 2
         00:07  confirm A1 of h1 for o1 late        -> confirmed A1 1000 for o1",
    );
}

/// A seat that was blocked meanwhile is not free (rule: accept-late).
#[test]
fn a_late_payment_does_not_take_a_seat_that_was_withheld() {
    check(
        "00:00  hold A1 A2 as h1 for 5s             -> held 2000, until 00:05
         00:06  block A1 kill:camera                -> 1 changed
         00:07  confirm h1 for o1 late              -> rejected: places taken A1",
    );
}

/// Unless nobody waits, its places are somebody else's by then (rule: accept-late).
#[test]
fn a_late_offer_is_an_offer_that_passed_on() {
    check(
        "policy offer_ttl 1m
         row A 1 in West
         00:00  hold A1 as h1 by bob                 -> held 1000, until 10:00
         00:01  join 1 any as h2                     -> waiting, 1 in all
         00:01  join 1 any as h3 by cyd              -> waiting, 2 in all
         00:02  release h1 by bob                    -> released
                => h2 offered A1 1000, until 01:02
         01:03  confirm h2 for o2 late               -> rejected: places taken A1
                => h3 offered A1 1000, until 02:03
         02:04  confirm h3 for o3 by cyd late        -> confirmed A1 1000 for o3 by cyd, scattered, offer",
    );
}

/// What is not sold stays held under an id of its own, until the same deadline (rule: partial-confirm).
#[test]
fn the_rest_may_be_kept_in_the_same_step() {
    check(
        "policy live_holds_per_buyer 1, places_per_buyer 4
         00:00  hold A1 A2 2xFloor as h1                   -> held 2200, until 10:00
         00:00  release h9                                 -> fenced
         00:01  confirm A2 1xFloor of h1 for o1 keeping h9 -> rejected: id reused, another keep_rest_as
         00:01  confirm A2 1xFloor of h1 for o1 keeping h1 -> rejected: id reused, another keep_rest_as
         00:01  confirm A2 1xFloor of h1 for o1 keeping h2 -> confirmed A2 1xFloor 1100 for o1
         00:01  confirm A2 1xFloor of h1 for o1 keeping h2 -> confirmed A2 1xFloor 1100 for o1
         00:02  get h2                                     -> held A1 1xFloor 1100, until 10:00
         00:02  seats                                      -> A1 held, A2 sold, 1xFloor held, 1xFloor sold
         00:02  hold B1 as h3                              -> rejected: live_holds_per_buyer_max is 1
         00:03  extend h2 for 1h                           -> extended to 30:00 of 30:00
         00:04  confirm h2 for o2 keeping h3               -> confirmed A1 1xFloor 1100 for o2
         00:05  get h3                                     -> rejected: hold unknown",
    );
}

/// It keeps its prices, and its longest life, but not the pin of what was paid (rule: partial-confirm).
#[test]
fn the_rest_goes_on_as_the_hold_would_have() {
    check(
        "tell expiries
         00:00  hold A1 A2 as h1                    -> held 2000, until 10:00
         00:01  reprice Seat 1500                   -> version 2
         05:00  pin h1                              -> extended to 60:00 of 30:00
         06:00  confirm A1 of h1 for o1 keeping h2  -> confirmed A1 1000 for o1, kept A1=1000 A2=1000
         06:00  get h2                              -> held A2 1000, until 10:00, kept A2=1000
         06:00  hold A2 as h2                       -> held 1000, until 10:00, kept A2=1000
         10:00  get h2                              -> expired, kept A2=1000
                => h2 expired",
    );
}

/// Of what is over nothing can be held on (rule: accept-late).
#[test]
fn a_late_payment_keeps_no_rest() {
    check(
        "policy late_confirm 30s
         no sweep
         00:00  hold A1 A2 as h1 for 5s                  -> held 2000, until 00:05
         00:06  confirm A1 of h1 for o1 keeping h2 late  -> rejected: expired at 00:05",
    );
}
