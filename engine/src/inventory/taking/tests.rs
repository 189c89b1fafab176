//! Scenarios of `taking.rs`.

use crate::inventory::scenario::check;

/// A swap takes the new and drops the old in one step; limits count the net (rule: swap-is-net).
#[test]
fn a_swap_counts_what_is_left_afterwards() {
    check(
        "policy places_per_buyer 3, live_holds_per_buyer 1, holds_per_show 1
         00:00  hold A1 A2 A3 as h1                  -> held 3000, until 10:00
         00:01  hold A4 A5 A6 as h2                  -> rejected: holds_per_show_max is 1
         00:02  hold A2 A3 A4 as h2 replacing h1     -> held 3000, until 10:02
         00:03  seats                                -> A2 A3 A4 held
         00:04  get h1                               -> released
         00:05  hold A2 A3 A4 A5 as h3 replacing h2  -> rejected: places_per_buyer_max is 3
         00:06  best 3 together as h3 replacing h2   -> held A4 A5 A6 3000, until 10:06, together
         00:07  seats                                -> A4 A5 A6 held",
    );
}

/// The old hold stands as it was if the new one cannot be had (rule: swap-is-net).
#[test]
fn a_swap_that_is_refused_changes_nothing() {
    check(
        "00:00  hold A1 A2 as h1                     -> held 2000, until 10:00
         00:01  hold A4 as h2 by bob                 -> held 1000, until 10:01
         00:02  hold A2 A4 as h3 replacing h1        -> rejected: places taken A4
         00:03  get h1                               -> held A1 A2 2000, until 10:00
         00:04  hold A3 as h3 replacing h2           -> rejected: hold of another buyer
         00:04  hold A3 as h3 replacing h9           -> rejected: hold unknown
         00:05  release h1                           -> released
         00:05  hold A3 as h3 replacing h1           -> rejected: released
         00:06  hold A5 as h4 for 5s                 -> held 1000, until 00:11
         00:11  hold A6 as h5 replacing h4           -> rejected: expired at 00:11",
    );
}

/// Units of general admission that are given up count as free (rule: swap-is-net).
#[test]
fn units_are_swapped_in_net_too() {
    check(
        "floor Floor 10
         00:00  hold 8xFloor as h1                   -> held 800, until 10:00
         00:01  hold 9xFloor as h2 by bob            -> rejected: places taken Floor 9>2
         00:02  hold 9xFloor as h3                   -> rejected: places taken Floor 9>2
         00:03  hold 9xFloor as h3 replacing h1      -> held 900, until 10:03
         00:04  seats                                -> 9xFloor held",
    );
}

/// The same buyer's seats move from the hold that has them; what else that one has stays (rule: own-seats-move).
#[test]
fn ones_own_seats_move() {
    check(
        "policy live_holds_per_buyer 2, places_per_buyer 4
         00:00  hold A1 A2 2xFloor as h1             -> held 2200, until 10:00
         00:01  hold A1 A3 as h2                     -> rejected: places_per_buyer_max is 4
         00:01  hold A1 as h2                        -> held 1000, until 10:01
         00:02  get h1                               -> held A2 2xFloor 1200, until 10:00
         00:03  hold A1 A2 as h3                     -> held 2000, until 10:03
         00:04  get h2                               -> released
         00:04  get h1                               -> held 2xFloor 200, until 10:00
         00:05  hold A2 as h4 by bob                 -> rejected: places taken A2",
    );
}

/// The same request again is the first grant; another tab's request with a new id takes the seats over (rule: two-tabs).
#[test]
fn a_refreshed_tab_gets_the_hold_it_had() {
    check(
        "00:00  hold A1 A2 as h1                     -> held 2000, until 10:00
         00:01  hold A1 A2 as h1                     -> held 2000, until 10:00
         00:02  hold A1 A2 as h2                     -> held 2000, until 10:02
         00:03  confirm h1 for o1                    -> rejected: released
         00:04  confirm h2 for o2                    -> confirmed A1 A2 2000 for o2
         00:05  confirm h2 for o3                    -> confirmed A1 A2 2000 for o2
         00:06  hold A1 as h3                        -> rejected: places taken A1",
    );
}

/// Unknown hold, show, channel, place, version, limit, protection, capacity, taken: the first that is true is told (rule: precedence).
#[test]
fn refusals_come_in_a_fixed_order() {
    check(
        "row A 6 in West, bays 6
         capacity 4
         policy places_per_hold 4
         00:00  hold A1 as h1 by bob                                             -> held 1000, until 10:00
         00:01  pause                                                            -> paused
         00:02  hold A9 A1 as h2 replacing h9 with fans seen 1                   -> rejected: hold unknown
         00:02  hold A9 A1 as h2 with fans                                       -> rejected: the show is paused
         00:03  open                                                             -> on sale
         00:03  reprice Seat 1100                                                -> version 2
         00:03  hold A9 A1 as h2 with fans seen 1                                -> rejected: no channel has the key fans
         00:03  hold A9 A1 as h2 seen 1                                          -> rejected: places unknown A9
         00:03  hold A1 A2 A3 A4 A6 as h2 seen 1                                 -> rejected: manifest changed to version 2: A1 A2 A3 A4 A6
         00:03  hold A1 A2 A3 A4 A6 as h2                                        -> rejected: places_per_hold_max is 4
         00:03  hold A1 A2 A3 A6 as h2                                           -> rejected: places protected A6
         00:03  hold A1 A2 A3 A4 as h2                                           -> rejected: capacity of the show, 4 wanted, 3 left
         00:03  hold A1 A2 A3 as h2                                              -> rejected: places taken A1",
    );
}

/// Seats and units together: all or none, and each line that fails is named (rule: mixed-order).
#[test]
fn a_mixed_order_is_one_step() {
    check(
        "floor Floor 5
         floor Pit 5
         00:00  hold A1 2xFloor 2xPit as h1          -> held 1400, until 10:00
         00:01  hold A1 A2 4xFloor 3xPit as h2 by bob -> rejected: places taken A1 Floor 4>3
         00:02  hold A2 3xFloor 3xPit as h2 by bob   -> held 1600, until 10:02
         00:03  confirm A1 1xPit of h1 for o1        -> confirmed A1 1xPit 1100 for o1
         00:04  seats                                -> A2 held, A1 sold, 3xFloor held, 3xPit held, 1xPit sold",
    );
}

/// One more than a limit is refused, the limit itself is not (rule: limits).
#[test]
fn the_limits_are_exact() {
    check(
        "policy places_per_hold 3, places_per_buyer 5, live_holds_per_buyer 3
         00:00  hold A1 A2 A3 A4 as h1               -> rejected: places_per_hold_max is 3
         00:00  hold A1 A2 A3 as h1                  -> held 3000, until 10:00
         00:01  best 3 together as h2                -> rejected: places_per_buyer_max is 5
         00:01  best 2 together as h2                -> held A4 A5 2000, until 10:01, together
         00:02  hold B1 as h3                        -> rejected: places_per_buyer_max is 5
         00:03  confirm h1 for o1                    -> confirmed A1 A2 A3 3000 for o1
         00:04  hold B1 as h3                        -> rejected: places_per_buyer_max is 5
         00:05  cancel h1                            -> cancelled, refund 3000
         00:06  hold B1 as h3                        -> held 1000, until 10:06",
    );
}

/// Held and sold together never exceed it; what is given up counts as free (rule: capacity).
#[test]
fn the_capacity_of_the_show_counts_seats_and_units() {
    check(
        "capacity 5
         00:00  hold A1 A2 2xFloor as h1             -> held 2200, until 10:00
         00:01  hold A3 1xFloor as h2 by bob         -> rejected: capacity of the show, 2 wanted, 1 left
         00:01  best 2 any as h2 by bob              -> rejected: capacity of the show, 2 wanted, 1 left
         00:02  hold A3 as h2 by bob                 -> held 1000, until 10:02
         00:03  confirm h1 for o1                    -> confirmed A1 A2 2xFloor 2200 for o1
         00:04  hold B1 B2 as h3 replacing h2 by bob -> rejected: capacity of the show, 2 wanted, 1 left
         00:04  hold B1 as h3 replacing h2 by bob    -> held 1000, until 10:04
         00:05  exchange A1 B3 B4 3xFloor of h1      -> rejected: capacity of the show, 6 wanted, 4 left
         00:05  exchange A1 B3 2xFloor of h1         -> confirmed A1 B3 2xFloor 2200 for o1, difference 0
         00:06  limit 8                              -> version 2
         00:07  hold A5 A6 A7 as h4                  -> held 3000, until 10:07
         00:08  limit none                           -> version 3
         00:09  hold A8 A9 as h5                     -> held 2000, until 10:09
         00:10  overview                             -> on sale, A 4+5+1+0 B 8+1+1+0 Floor 98+0+2+0, 3 holds 1 bookings 0 waiting",
    );
}

/// Sections of one pool have its capacity together (rule: capacity).
#[test]
fn pools_share_a_capacity() {
    check(
        "floor Floor 10
         floor Pit 10
         pool Standing 12 Floor Pit
         00:00  hold 10xFloor as h1                  -> held 1000, until 10:00
         00:01  hold 3xPit as h2 by bob              -> rejected: capacity of Standing, 3 wanted, 2 left
         00:02  hold 2xPit as h2 by bob              -> held 200, until 10:02
         00:03  hold 1xPit A1 as h3 by cyd           -> rejected: capacity of Standing, 1 wanted, 0 left
         00:04  hold 9xPit as h4 replacing h1        -> rejected: places taken Pit 9>8
         00:04  hold 8xPit as h4 replacing h1        -> held 800, until 10:04
         00:05  best 3 any in Floor as h5 by cyd     -> rejected: sold out, 3 wanted, 2 there
         00:05  best 3 any least 2 in Floor as h5 by cyd -> held 2xFloor 200, until 10:05, units
         00:06  unpool Standing                      -> version 2
         00:07  hold 8xFloor as h6 by cyd            -> held 800, until 10:07",
    );
}

/// An offer is a hold of the buyer: its seats may go into another one, which lives no longer (rule: own-seats-move).
#[test]
fn an_offers_seats_move_too() {
    check(
        "policy offer_ttl 2m
         row A 3 in West
         00:00  hold A1 A2 A3 as h1 by bob           -> held 3000, until 10:00
         00:01  join 1 any as h2                     -> waiting, 1 in all
         00:02  release A1 of h1 by bob              -> held
                => h2 offered A1 1000, until 02:02
         00:03  release h1 by bob                    -> released
         00:04  hold A1 A2 as h3                     -> held 2000, until 02:02
         00:05  get h2                               -> released, scattered, offer
         00:06  extend h3 for 1h                     -> extended to 02:02 of 02:02
         00:07  join 1 any as h4                     -> waiting, 1 in all
                => h4 offered A3 1000, until 02:07",
    );
}

/// For other seats, within the time that it had (rule: swap-is-net).
#[test]
fn an_offer_may_be_replaced() {
    check(
        "policy offer_ttl 2m
         row A 3 in West
         00:00  hold A1 A2 A3 as h1 by bob           -> held 3000, until 10:00
         00:01  join 1 any as h2                     -> waiting, 1 in all
         00:01  join 1 any as h9 by cyd              -> waiting, 2 in all
         00:02  release A1 of h1 by bob              -> held
                => h2 offered A1 1000, until 02:02
         00:03  hold 1xFloor as h3 replacing h2      -> held 100, until 02:02
                => h9 offered A1 1000, until 02:03",
    );
}

/// The staff give one buyer more than he may have, and say why; what limits the show stands (rule: override).
#[test]
fn the_staff_set_a_buyers_limits_aside() {
    check(
        "policy places_per_hold 2, places_per_buyer 3, live_holds_per_buyer 1, holds_per_show 2, lapses 1, cool_down 10m
         00:00  limit 9                                      -> version 2
         00:00  hold A1 A2 A3 as h1                          -> rejected: places_per_hold_max is 2
         00:00  hold A1 A2 A3 as h1 overriding vip           -> held 3000, until 10:00, override vip
         00:00  hold A1 A2 A3 as h1                          -> rejected: id reused, another request
         00:00  hold A1 A2 A3 as h1 overriding vip           -> held 3000, until 10:00, override vip
         00:01  hold A4 as h2                                -> rejected: live_holds_per_buyer_max is 1
         00:01  best 3 together as h2 overriding press for 5s -> held A4 A5 A6 3000, until 00:06, together, override press
         00:02  hold A9 as h3 overriding vip                 -> rejected: holds_per_show_max is 2
         00:06  sell B1 as h3 for o3                         -> rejected: live_holds_per_buyer_max is 1
         00:06  hold B1 as h3 replacing h1                   -> rejected: cooling down until 10:06
         00:06  sell B1 as h3 for o3 overriding vip          -> confirmed B1 1000 for o3, override vip
         00:07  exchange B1 B2 of h3                         -> rejected: places_per_buyer_max is 3
         00:07  exchange B1 B2 of h3 overriding friend       -> confirmed B1 B2 2000 for o3, difference 1000, override friend
         00:08  confirm A1 of h1 for o1 keeping h4           -> confirmed A1 1000 for o1, override vip
         00:08  get h4                                       -> held A2 A3 2000, until 10:00, override vip
         00:09  hold B3 B4 B5 B6 B7 as h5 overriding vip      -> rejected: capacity of the show, 5 wanted, 4 left",
    );
}
