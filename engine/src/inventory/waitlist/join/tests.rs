//! Scenarios of `join.rs`.

use crate::inventory::scenario::check;

/// A buyer has one entry or one live offer at a time (rule: waits-once).
#[test]
fn one_waits_once_and_has_one_offer() {
    check(
        "row A 1 in West
         00:00  hold A1 as h1 by bob                 -> held 1000, until 10:00
         00:01  join 1 any as h2                     -> waiting, 1 in all
         00:01  join 1 any as h2                     -> waiting, 1 in all
         00:02  join 2 any as h3                     -> rejected: waits already as h2
         00:02  join 2 any as h2                     -> rejected: id reused, another request
         00:02  join 1 any as h2 priority 1          -> rejected: id reused, another request
         00:02  join 1 any as h2 by cyd              -> rejected: id reused, another buyer_id
         00:03  release h1 by bob                    -> released
                => h2 offered A1 1000, until 10:03
         00:04  join 1 any as h3                     -> rejected: waits already as h2
         00:05  release h2                           -> released
         00:06  join 1 any as h2                     -> released, scattered, offer
         00:07  hold A1 as h4 by bob                 -> held 1000, until 10:07
         00:08  join 1 any as h5                     -> waiting, 1 in all",
    );
}

/// A finished entry does not come back to life; a new one is a new one (rule: no-re-entry).
#[test]
fn who_joins_again_stands_at_the_back() {
    check(
        "row A 1 in West
         00:00  hold A1 as h1 by bob                 -> held 1000, until 10:00
         00:01  join 1 any as h2 by cyd              -> waiting, 1 in all
         00:02  join 1 any as h3 by dan              -> waiting, 2 in all
         00:03  leave h2 by cyd                      -> released
         00:04  join 1 any as h2 by cyd              -> released, offer
         00:05  join 1 any as h4 by cyd              -> waiting, 2 in all
         00:06  release h1 by bob                    -> released
                => h3 offered A1 1000, until 10:06",
    );
}

/// Until there is an offer, whatever is asked of it as a hold says that it waits; others' entries are theirs (rule: entry-is-a-hold).
#[test]
fn an_entry_is_a_hold_that_waits() {
    check(
        "row A 1 in West
         00:00  hold A1 as h1 by bob                 -> held 1000, until 10:00
         00:01  join 1 any as h2                     -> waiting, 1 in all
         00:02  get h2                               -> waiting, 1 in all
         00:02  confirm h2 for o2                    -> rejected: waiting
         00:02  extend h2                            -> rejected: waiting
         00:02  release h2                           -> rejected: waiting
         00:02  pin h2                               -> rejected: waiting
         00:02  hold A1 as h2                        -> rejected: waiting
         00:02  best 1 any as h2                     -> rejected: waiting
         00:02  sell A1 as h2 for o2                 -> rejected: waiting
         00:02  cancel h2                            -> rejected: not confirmed
         00:02  transfer h2 to bob                   -> rejected: not confirmed
         00:02  exchange A1 of h2                    -> rejected: not confirmed
         00:03  release h2 by bob                    -> rejected: hold of another buyer
         00:03  confirm h2 for o2 by bob             -> rejected: hold of another buyer
         00:03  leave h2 by bob                      -> rejected: hold of another buyer
         00:04  leave h1 by bob                      -> rejected: not waiting",
    );
}

/// Its length, and what one may wish for, have limits; without a length there is none (rule: bounded).
#[test]
fn the_list_is_bounded() {
    check(
        "policy waitlist 2, places_per_hold 3
         row A 1 in West
         00:00  hold A1 as h1 by bob                 -> held 1000, until 10:00
         00:01  join 4 any as h2                     -> rejected: places_per_hold_max is 3
         00:01  join 1 any as h2                     -> waiting, 1 in all
         00:02  join 1 any as h3 by cyd              -> waiting, 2 in all
         00:03  join 1 any as h4 by dan              -> rejected: waitlist_max is 2
         00:04  leave h2                             -> released
         00:05  join 1 any as h4 by dan              -> waiting, 2 in all
         00:06  policy waitlist 0                    -> done
         00:07  join 1 any as h5 by eve              -> rejected: the waitlist is closed
         00:08  release h1 by bob                    -> released
                => h3 offered A1 1000, until 10:08",
    );
}

/// Whoever named a channel that was public then may draw from it when it is closed again, and may ask again (rule: channel-key).
#[test]
fn a_key_is_kept_with_the_entry() {
    check(
        "row A 2 in West
         00:00  channel fans public 01:00            -> done
         00:00  assign A1 to fans                    -> 1 changed
         01:00  hold A1 A2 as h1 by bob              -> held 2000, until 11:00
                => fans public
         01:01  join 1 any with fans as h2           -> waiting, 1 in all
         01:01  join 1 any as h3 by cyd              -> waiting, 2 in all
         01:02  channel fans public 30:00            -> done
         01:03  join 1 any with fans as h2           -> waiting, 2 in all
         01:04  release A1 of h1 by bob              -> held
                => h2 offered A1 1000, until 11:04
         01:05  release h1 by bob                    -> released
                => h3 offered A2 1000, until 11:05",
    );
}

/// Whoever has to wait before he may hold cannot join, and what comes back passes him by (rule: cool-down).
#[test]
fn who_cools_down_is_not_offered_anything() {
    check(
        "policy lapses 1, cool_down 10m
         row A 2 in West
         00:00  hold A1 A2 as h1 by bob              -> held 2000, until 10:00
         00:01  join 1 any as h2                     -> waiting, 1 in all
         00:02  hold 1xFloor as h3 for 5s            -> held 100, until 00:07
         00:08  join 1 any as h4                     -> rejected: cooling down until 10:07
         00:09  release A1 of h1 by bob              -> held
         00:10  get h2                               -> waiting, 1 in all
         00:11  hold A1 as h5 by cyd                 -> held 1000, until 10:11
         10:07  release h5 by cyd                    -> released
                => h2 offered A2 1000, until 20:07",
    );
}
