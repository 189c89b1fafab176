//! Scenarios of `hold_seats.rs`.

use crate::inventory::scenario::check;

#[test]
fn all_or_nothing_and_every_conflict_is_named() {
    check(
        "policy places_per_hold 200, places_per_buyer 200
         00:00  hold A1 A2 as h1              -> held 2000, until 10:00
         00:01  hold A2 A3 A1 as h2 by bob    -> rejected: places taken A1 A2
         00:01  hold A3 2xFloor as h3 by bob  -> held 1200, until 10:01
         00:01  hold A4 99xFloor as h4 by bob -> rejected: places taken Floor 99>98
         00:01  hold A1 99xFloor as h4 by bob -> rejected: places taken A1 Floor 99>98
         00:02  seats                         -> A1 A2 A3 held, 2xFloor held",
    );
}

#[test]
fn the_same_request_again_returns_the_first_grant_and_its_present_state() {
    check(
        "00:00  hold A1 A2 as h1              -> held 2000, until 10:00
         00:05  hold A2 A1 as h1              -> held 2000, until 10:00
         00:06  hold A1 A2 as h1 for 10m      -> held 2000, until 10:00
         00:07  hold A1 as h1                 -> rejected: id reused, another places
         00:07  hold A1 A2 as h1 for 5m       -> rejected: id reused, another ttl_ms
         00:07  hold A1 A2 as h1 by bob       -> rejected: id reused, another buyer_id
         00:08  release A1 of h1              -> held
         00:09  hold A1 A2 as h1              -> held 2000, until 10:00
         00:10  release h1                    -> released
         00:11  hold A1 A2 as h1              -> released 2000, until 10:00
         00:12  hold A1 A2 as h2              -> held 2000, until 10:12
         00:13  confirm h2 for o1             -> confirmed A1 A2 2000 for o1
         00:14  hold A1 A2 as h2              -> confirmed 2000, until 10:12
         00:15  seats                         -> A1 A2 sold",
    );
}

#[test]
fn a_refusal_is_not_remembered() {
    check(
        "00:00  hold A1 as h1                 -> held 1000, until 10:00
         00:01  hold A1 as h2 by bob          -> rejected: places taken A1
         00:02  release h1                    -> released
         00:03  hold A1 as h2 by bob          -> held 1000, until 10:03",
    );
}

#[test]
fn unknown_places_come_before_limits_and_limits_before_taken_places() {
    check(
        "00:00  hold A1 as h1                                          -> held 1000, until 10:00
         00:01  hold A1 A99 5xA as h2                                  -> rejected: places unknown A99 A
         00:01  hold A1 A2 A3 A4 A5 A6 A7 A8 A9 B1 B2 as h2            -> rejected: places_per_hold_max is 10",
    );
}

#[test]
fn a_buyer_has_limits_over_held_and_sold() {
    check(
        "policy live_holds_per_buyer 2, places_per_buyer 4
         00:00  hold A1 A2 as h1       -> held 2000, until 10:00
         00:00  confirm h1 for o1      -> confirmed A1 A2 2000 for o1
         00:01  hold A3 as h2          -> held 1000, until 10:01
         00:01  hold A4 A5 as h3       -> rejected: places_per_buyer_max is 4
         00:01  hold A4 as h3          -> held 1000, until 10:01
         00:01  hold A5 as h4          -> rejected: live_holds_per_buyer_max is 2
         00:01  hold A5 as h4 by bob   -> held 1000, until 10:01
         00:02  release h2             -> released
         00:02  hold A5 as h5          -> rejected: places taken A5
         00:02  hold A6 as h5          -> held 1000, until 10:02",
    );
}

#[test]
fn a_show_has_a_limit_of_live_holds() {
    check(
        "policy holds_per_show 1
         00:00  hold A1 as h1          -> held 1000, until 10:00
         00:00  hold A2 as h2 by bob   -> rejected: holds_per_show_max is 1
         00:01  confirm h1 for o1      -> confirmed A1 1000 for o1
         00:01  hold A2 as h2 by bob   -> held 1000, until 10:01",
    );
}

#[test]
fn the_longest_life_caps_the_first_deadline() {
    check(
        "policy hold_life_ms 60000
         00:00  hold A1 as h1 for 2h   -> held 1000, until 01:00",
    );
}

/// An id belongs to the content it was first used with, terms and kind included (rule: id-content).
#[test]
fn the_same_id_is_the_same_request_whatever_it_was() {
    check(
        "00:00  channel fans                        -> done
         00:01  hold A1 as h1 with fans             -> held 1000, until 10:01
         00:02  hold A1 as h1 with fans             -> held 1000, until 10:01
         00:03  hold A1 as h1                       -> rejected: id reused, another request
         00:04  best 2 together as h2               -> held A5 A6 2000, until 10:04, together
         00:05  best 2 together as h2               -> held A5 A6 2000, until 10:04, together
         00:06  best 2 any as h2                    -> rejected: id reused, another request
         00:06  hold A5 A6 as h2                    -> rejected: id reused, another request
         00:07  best 2 together as h1               -> rejected: id reused, another request
         00:08  join 2 any as h1                    -> rejected: id reused, another request
         00:09  sell A1 as h1 for o1                -> rejected: id reused, another request",
    );
}

/// Repeating a hold after its sale returns the grant and its state, however late (rule: sales-remembered).
#[test]
fn a_sale_is_remembered_for_ever() {
    check(
        "00:00  hold A1 as h1                       -> held 1000, until 10:00
         00:01  confirm h1 for o1                   -> confirmed A1 1000 for o1
         1500:00  hold A1 as h1                     -> confirmed 1000, until 10:00
         1500:00  confirm h1 for o1                 -> confirmed A1 1000 for o1
         1500:00  get h1                            -> confirmed A1 1000, until 10:00
         1500:00  get h2                            -> rejected: hold unknown",
    );
}
