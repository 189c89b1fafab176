//! Scenarios of `expire_holds.rs`.

use crate::inventory::scenario::check;

#[test]
fn expired_places_are_available_again() {
    check(
        "00:00  hold A1 2xFloor as h1 for 5s  -> held 1200, until 00:05
         00:04  hold A1 as h2 by bob          -> rejected: places taken A1
         00:05  hold A1 as h2 by bob          -> held 1000, until 10:05
         00:06  get h1                        -> expired
         00:07  seats                         -> A1 held",
    );
}

#[test]
fn over_is_over_even_before_the_sweep() {
    check(
        "00:00  hold A1 as h1 for 5s    -> held 1000, until 00:05
         no sweep
         00:05  confirm h1 for o1       -> rejected: expired at 00:05
         00:05  extend h1               -> rejected: expired at 00:05
         00:05  release h1              -> expired
         00:05  get h1                  -> expired
         00:05  hold A1 as h1 for 5s    -> expired 1000, until 00:05
         00:05  hold A1 as h2 by bob    -> rejected: places taken A1",
    );
}

/// Of confirm, release and expiry exactly one is logged (rule: ends-once).
#[test]
fn a_hold_ends_in_exactly_one_way() {
    check(
        "tell expiries
         00:00  hold A1 as h1 for 5s                -> held 1000, until 00:05
         00:04  tick                                -> done
         00:05  tick                                -> done
                => h1 expired
         00:05  confirm h1 for o1                   -> rejected: expired at 00:05
         00:06  release h1                          -> expired
         00:06  hold A2 as h2 for 5s                -> held 1000, until 00:11
         00:07  release h2                          -> released
         00:08  hold A3 as h3 for 5s                -> held 1000, until 00:13
         00:09  confirm h3 for o3                   -> confirmed A3 1000 for o3
         00:20  tick                                -> done",
    );
}

/// Expiry is logged in the order of deadline and id, so that replay is the same (rule: sweep-order).
#[test]
fn deadlines_come_in_order_of_time_and_id() {
    check(
        "tell expiries
         00:00  hold A1 as h3 for 5s                -> held 1000, until 00:05
         00:00  hold A2 as h1 for 6s                -> held 1000, until 00:06
         00:00  hold A3 as h2 for 5s                -> held 1000, until 00:05
         00:07  tick                                -> done
                => h2 expired; h3 expired; h1 expired",
    );
}

/// Repeating it never makes a new hold as long as it is remembered (rule: ended-remembered).
#[test]
fn an_ended_hold_is_remembered_for_a_day() {
    check(
        "00:00  hold A1 as h1 for 5s                -> held 1000, until 00:05
         00:05  hold A2 as h2 for 5s                -> held 1000, until 00:10
         1440:04  hold A1 as h1 for 5s              -> expired 1000, until 00:05
         1440:04  get h1                            -> expired
         1440:30  release h3                        -> fenced
         1440:31  get h1                            -> rejected: hold unknown
         1440:32  release h1 by bob                 -> fenced",
    );
}

/// After so many expired holds in a row a buyer cools down; a sale forgives (rule: cool-down).
#[test]
fn who_lets_holds_expire_has_to_wait() {
    check(
        "policy lapses 2, cool_down 10m
         00:00  hold A1 as h1 for 5s                -> held 1000, until 00:05
         00:10  hold A1 as h2 for 5s                -> held 1000, until 00:15
         00:20  hold A1 as h3 for 5s                -> rejected: cooling down until 10:15
         00:20  hold A1 as h3 for 5s by bob         -> held 1000, until 00:25
         00:26  best 1 any as h4                    -> rejected: cooling down until 10:15
         00:26  sell A1 as h4 for o4                -> rejected: cooling down until 10:15
         10:15  hold A1 as h4 for 5s                -> held 1000, until 10:20
         10:30  hold A1 as h5 for 5s                -> held 1000, until 10:35
         10:31  confirm h5 for o5                   -> confirmed A1 1000 for o5
         10:32  hold A2 as h6 for 5s                -> held 1000, until 10:37
         10:40  hold A2 as h7 for 5s                -> held 1000, until 10:45",
    );
}

/// His places come back a while after the deadline, at an instant that the id decides; over is over all the same (rule: return-spread).
#[test]
fn who_let_a_hold_expire_does_not_know_when_the_next_one_comes_back() {
    check(
        "policy return_spread 60s
         tell expiries
         00:00  hold A1 as h1 for 5s                -> held 1000, until 00:05
         00:05  hold A2 as h2 for 5s                -> held 1000, until 00:10
                => h1 expired
         00:10  confirm h2 for o2                   -> rejected: expired at 00:10
                => h2 lapsed
         00:10  seats                               -> A2 held
         01:10  seats                               -> all available
                => h2 expired",
    );
}

/// It counts at the deadline, whenever the places come back, and he cools down from then on (rule: cool-down).
#[test]
fn a_hold_whose_places_come_back_later_counts_at_its_deadline() {
    check(
        "policy lapses 1, cool_down 20s, return_spread 60s
         tell expiries
         00:00  hold A1 as h1 for 5s                -> held 1000, until 00:05
         00:30  hold A2 as h2 for 5s                -> held 1000, until 00:35
                => h1 expired
         00:36  hold A3 as h3 for 5s                -> rejected: cooling down until 00:55
                => h2 lapsed
         00:36  seats                               -> A2 held
         00:55  hold A3 as h3 for 5s                -> held 1000, until 01:00
         01:00  tick                                -> done
                => h3 lapsed
         02:00  seats                               -> all available
                => h3 expired; h2 expired
         02:00  hold A3 as h4 for 5s                -> held 1000, until 02:05",
    );
}

/// What comes late comes at once (rule: late-is-bounded).
#[test]
fn a_late_turn_expires_what_it_did_not_let_lapse() {
    check(
        "policy lapses 1, cool_down 20s, return_spread 60s
         tell expiries
         00:00  hold A1 as h1 for 5s                -> held 1000, until 00:05
         00:30  hold A2 as h2 for 5s                -> held 1000, until 00:35
                => h1 expired
         05:00  hold A2 as h3 for 5s                -> held 1000, until 05:05
                => h2 expired",
    );
}

/// A late payment forgives what was counted (rule: late-confirm).
#[test]
fn a_lapsed_hold_that_is_paid_for_late_is_forgiven() {
    check(
        "policy lapses 1, cool_down 20s, return_spread 60s, late_confirm 30s
         tell expiries
         00:00  hold A1 as h1 for 5s                -> held 1000, until 00:05
         00:30  hold A2 as h2 for 5s                -> held 1000, until 00:35
                => h1 expired
         00:36  confirm h2 for o2 late              -> confirmed A2 1000 for o2
                => h2 lapsed
         00:36  hold A3 as h3 for 5s                -> held 1000, until 00:41
         02:00  seats                               -> A2 sold
                => h3 expired",
    );
}
