//! Scenarios of `offer.rs`: what brings places back, and whom they satisfy.

mod gathering;
mod order;

use crate::inventory::scenario::check;

/// In the same step, before the public: first come, first served among those it satisfies (rule: waitlist-first).
#[test]
fn a_place_that_comes_back_goes_to_the_first_it_satisfies() {
    check(
        "row A 2 in West
         00:00  hold A1 A2 as h1 by bob              -> held 2000, until 10:00
         00:01  join 1 any as h2 by cyd              -> waiting, 1 in all
         00:02  join 2 together as h3 by dan         -> waiting, 2 in all
         00:03  join 1 any as h4 by eve              -> waiting, 3 in all
         00:04  release A1 of h1 by bob              -> held
                => h2 offered A1 1000, until 10:04
         00:04  hold A1 as h5                        -> rejected: places taken A1
         00:04  best 1 any as h5                     -> rejected: sold out, 1 wanted, 0 there
         00:05  release h1 by bob                    -> released
                => h4 offered A2 1000, until 10:05
         00:06  get h2                               -> held A1 1000, until 10:04, scattered, offer
         00:07  confirm h2 for o2 by cyd             -> confirmed A1 1000 for o2 by cyd, scattered, offer
         00:08  get h3                               -> waiting, 1 in all",
    );
}

/// Released, left or expired, its places go to the next (rule: offer-cascades).
#[test]
fn an_offer_that_is_declined_passes_on() {
    check(
        "tell expiries
         row A 1 in West
         00:00  hold A1 as h1 by bob                 -> held 1000, until 10:00
         00:01  join 1 any as h2 by cyd              -> waiting, 1 in all
         00:01  join 1 any as h3 by dan              -> waiting, 2 in all
         00:01  join 1 any as h4 by eve              -> waiting, 3 in all
         00:01  join 1 any as h5 by fay              -> waiting, 4 in all
         00:02  release h1 by bob                    -> released
                => h2 offered A1 1000, until 10:02
         00:03  release h2 by cyd                    -> released
                => h3 offered A1 1000, until 10:03
         00:04  leave h3 by dan                      -> released
                => h4 offered A1 1000, until 10:04
         00:05  leave h5 by fay                      -> released
         00:05  leave h5 by fay                      -> released
         10:04  hold A1 as h6                        -> held 1000, until 20:04
                => h4 expired
         10:05  confirm h4 for o4 by eve             -> rejected: expired at 10:04
         10:06  leave h4 by eve                      -> expired",
    );
}

/// It came of joining: nothing else comes back under it (SEMANTICS 8).
#[test]
fn the_id_of_an_offer_is_not_that_of_another_request() {
    check(
        "00:00  join 1 any in Floor as h1            -> waiting, 1 in all
                => h1 offered 1xFloor 100, until 10:00
         00:01  hold 1xFloor as h1                   -> rejected: id reused, another request
         00:02  join 1 any in Floor as h1            -> held 1xFloor 100, until 10:00, units, offer",
    );
}

/// It cannot be extended, and its holder may pin and confirm it as any hold (rule: offer-is-a-hold).
#[test]
fn an_offer_has_its_own_time_and_no_more() {
    check(
        "policy offer_ttl 2m, pin 5m
         row A 2 in West
         00:00  hold A1 A2 as h1 by bob              -> held 2000, until 10:00
         00:01  join 2 together as h2                -> waiting, 1 in all
         00:02  release h1 by bob                    -> released
                => h2 offered A1 A2 2000, until 02:02
         00:03  extend h2 for 1h                     -> extended to 02:02 of 02:02
         00:04  release A1 of h2                     -> held
         00:05  pin h2                               -> extended to 07:02 of 02:02
         00:06  leave h2                             -> rejected: pinned
         06:00  confirm h2 for o2                    -> confirmed A2 1000 for o2, together, offer
         06:01  leave h2                             -> rejected: confirmed
         06:01  hold A1 as h3 by bob                 -> held 1000, until 16:01",
    );
}

/// Sold places come back to the waitlist before anybody sees them (rule: waitlist-first).
#[test]
fn a_cancelled_booking_goes_to_who_waits() {
    check(
        "row A 2 in West
         00:00  sell A1 A2 as h1 for o1 by bob       -> confirmed A1 A2 2000 for o1 by bob
         00:01  join 1 any as h2 by cyd              -> waiting, 1 in all
         00:02  cancel A2 of h1 by bob               -> confirmed A1 1000 for o1 by bob, refund 1000
                => h2 offered A2 1000, until 10:02
         00:03  join 1 any as h3 by dan              -> waiting, 1 in all
         00:04  cancel h1 by bob to kill:damage      -> cancelled, refund 1000 of 2000
         00:05  unblock A1 kill:damage               -> 1 changed, 1 waiting
                => h3 offered A1 1000, until 10:05",
    );
}

/// Expiry, swaps, exchanges, partial sales, releases by time and opened channels alike (rule: waitlist-first).
#[test]
fn whatever_brings_places_back_serves_who_waits() {
    check(
        "row A 8 in West
         00:00  channel fans public 06:00            -> done
         00:00  assign A8 to fans                    -> 1 changed
         00:00  block A7 house:press                 -> 1 changed
         00:00  schedule house:press at 05:00        -> done
         00:00  hold A1 as h1 for 1m by bob          -> held 1000, until 01:00
         00:00  hold A2 as h2 by cyd                 -> held 1000, until 10:00
         00:00  sell A3 as h3 for o3 by dan          -> confirmed A3 1000 for o3 by dan
         00:00  hold A4 A5 as h4 by eve              -> held 2000, until 10:00
         00:00  hold A6 as h5 by fay                 -> held 1000, until 10:00
         00:01  join 1 any in West as h11 by k1      -> waiting, 1 in all
         00:01  join 1 any in West as h12 by k2      -> waiting, 2 in all
         00:01  join 1 any in West as h13 by k3      -> waiting, 3 in all
         00:01  join 1 any in West as h14 by k4      -> waiting, 4 in all
         00:01  join 1 any in West as h15 by k5      -> waiting, 5 in all
         00:01  join 1 any in West as h16 by k6      -> waiting, 6 in all
         01:00  tick                                 -> done
                => h11 offered A1 1000, until 11:00
         01:01  hold 1xFloor as h6 replacing h2 by cyd -> held 100, until 11:01
                => h12 offered A2 1000, until 11:01
         01:02  exchange 1xFloor of h3 by dan        -> confirmed 1xFloor 100 for o3 by dan, difference -900
                => h13 offered A3 1000, until 11:02
         01:03  confirm A4 of h4 for o4 by eve       -> confirmed A4 1000 for o4 by eve
                => h14 offered A5 1000, until 11:03
         05:00  tick                                 -> done
                => A7 from house:press; house:press released; h15 offered A7 1000, until 15:00
         06:00  tick                                 -> done
                => fans public; h16 offered A8 1000, until 16:00",
    );
}

/// An entry that can be satisfied now is an offer in the same step (rule: waitlist-first).
#[test]
fn who_joins_while_there_is_something_is_served_at_once() {
    check(
        "00:00  join 2 together in A as h1           -> waiting, 1 in all
                => h1 offered A5 A6 2000, until 10:00
         00:01  join 2 together in A as h1           -> held A5 A6 2000, until 10:00, together, offer
         00:02  join 3 any in Floor as h2 by bob     -> waiting, 1 in all
                => h2 offered 3xFloor 300, until 10:02",
    );
}

/// Section, category, price, view, adjacency and channels decide whether a place satisfies (rule: waitlist-wish).
#[test]
fn a_wish_is_kept_to() {
    check(
        "category Gold 3000
         row A 4 in West, at Gold, 4 at Seat
         row B 4 in East, restricted 1
         00:00  channel fans                         -> done
         00:00  assign B4 to fans                    -> 1 changed
         00:01  hold A1 A2 A3 A4 as h1               -> held 10000, until 10:01
         00:01  hold B1 B2 B3 B4 as h2 with fans     -> held 4000, until 10:01
         00:02  join 1 any as h11 in West at Seat by k1 -> waiting, 1 in all
         00:02  join 1 any as h12 in East unrestricted by k2 -> waiting, 2 in all
         00:02  join 1 any as h13 under 2000 by k3   -> waiting, 3 in all
         00:02  join 1 any as h14 with fans in East by k4 -> waiting, 4 in all
         00:02  join 2 together as h15 in West by k5 -> waiting, 5 in all
         00:02  join 1 any as h16 in Nowhere by k6   -> rejected: places unknown nowhere
         00:02  join 1 any as h16 with nobody by k6  -> rejected: no channel has the key nobody
         00:03  release B4 of h2                     -> held
                => h14 offered B4 1000, until 10:03
         00:04  release B1 of h2                     -> held
                => h13 offered B1 1000, until 10:04
         00:05  release A1 A3 of h1                  -> held
         00:06  release B2 of h2                     -> held
                => h12 offered B2 1000, until 10:06
         00:07  release A4 of h1                     -> held
                => h11 offered A4 1000, until 10:07
         00:08  release A2 of h1                     -> released
                => h15 offered A2 A3 6000, until 10:08",
    );
}

/// Whoever takes fewer units is offered as many as there are (rule: take-available).
#[test]
fn as_many_as_there_are_may_do() {
    check(
        "floor Floor 5
         00:00  hold 5xFloor as h1 by bob            -> held 500, until 10:00
         00:01  join 4 any least 2 in Floor as h2    -> waiting, 1 in all
         00:02  release 3xFloor of h1 by bob         -> held
                => h2 offered 3xFloor 300, until 10:02",
    );
}

/// The pool is offered only to those who asked for it (rule: accessible-pool).
#[test]
fn who_needs_a_bay_waits_for_one() {
    check(
        "row A 3 in West, bays 1, companions 2
         00:00  hold A1 A2 A3 as h1 accessible       -> held 3000, until 10:00
         00:01  join 1 any as h2 by bob              -> waiting, 1 in all
         00:02  join 2 together bays 1 companions 1 as h3 by cyd -> waiting, 2 in all
         00:03  release A1 of h1                     -> held
         00:04  release A2 of h1                     -> held
                => h3 offered A1 A2 2000, until 10:04
         00:05  release A3 of h1                     -> released
                => h2 offered A3 1000, until 10:05",
    );
}

/// A place that ends anywhere may be what the show's capacity or a pool was lacking (rule: capacity).
#[test]
fn capacity_that_is_freed_elsewhere_serves_who_waits() {
    check(
        "capacity 2
         floor Pit 10
         pool Standing 5 Floor Pit
         00:00  hold B1 B2 as h1 by bob              -> held 2000, until 10:00
         00:01  join 1 any in A as h2 by cyd         -> waiting, 1 in all
         00:02  release B1 of h1 by bob              -> held
                => h2 offered A5 1000, until 10:02
         00:03  join 1 any in Pit as h3 by dan       -> waiting, 1 in all
         00:04  limit 10                             -> version 2
                => h3 offered 1xPit 100, until 10:04
         00:05  hold 4xFloor as h4 by eve            -> held 400, until 10:05
         00:06  join 2 any in Pit as h5 by fay       -> waiting, 1 in all
         00:07  release 1xFloor of h4 by eve         -> held
                => h5 gathers 1xPit, until 10:07
         00:08  release 2xFloor of h4 by eve         -> held
                => h5 offered 2xPit 200, until 10:08",
    );
}
