//! Scenarios of `offer.rs`: who comes first, who is passed over, and when nobody gets anything.

use crate::inventory::scenario::check;

/// Within a priority it is first come, first served (rule: waitlist-order).
#[test]
fn higher_priority_is_served_earlier() {
    check(
        "policy waitlist_order priority
         row A 1 in West
         00:00  hold A1 as h1 by bob                 -> held 1000, until 10:00
         00:01  join 1 any as h2 by cyd              -> waiting, 1 in all
         00:02  join 1 any as h3 by dan priority 5   -> waiting, 2 in all
         00:03  join 1 any in West as h4 by eve priority 9 -> waiting, 3 in all
         00:04  join 1 any as h5 by fay priority 5   -> waiting, 4 in all
         00:05  release h1 by bob                    -> released
                => h4 offered A1 1000, until 10:05
         00:06  release h4 by eve                    -> released
                => h3 offered A1 1000, until 10:06
         00:07  release h3 by dan                    -> released
                => h5 offered A1 1000, until 10:07
         00:08  release h5 by fay                    -> released
                => h2 offered A1 1000, until 10:08",
    );
}

/// The order has nothing to do with who came first, and is the same whoever draws it (rule: waitlist-order).
#[test]
fn a_lottery_is_drawn_by_seed_and_id() {
    check(
        "policy waitlist_order lottery 7
         row A 1 in West
         00:00  hold A1 as h1 by bob                 -> held 1000, until 10:00
         00:01  join 1 any as h2 by cyd              -> waiting, 1 in all
         00:02  join 1 any as h3 by dan              -> waiting, 2 in all
         00:03  join 1 any as h4 by eve              -> waiting, 3 in all
         00:04  join 1 any in West as h5 by fay      -> waiting, 4 in all
         00:05  release h1 by bob                    -> released
                => h3 offered A1 1000, until 10:05
         00:06  leave h3 by dan                      -> released
                => h4 offered A1 1000, until 10:06
         00:07  leave h4 by eve                      -> released
                => h5 offered A1 1000, until 10:07
         00:08  leave h5 by fay                      -> released
                => h2 offered A1 1000, until 10:08",
    );
}

/// Changing the policy sorts them anew (rule: waitlist-order).
#[test]
fn another_order_is_another_order_for_those_who_wait_already() {
    check(
        "row A 1 in West
         00:00  hold A1 as h1 by bob                 -> held 1000, until 10:00
         00:01  join 1 any as h2 by cyd              -> waiting, 1 in all
         00:02  join 1 any as h3 by dan priority 5   -> waiting, 2 in all
         00:03  policy waitlist_order priority       -> done
         00:04  release h1 by bob                    -> released
                => h3 offered A1 1000, until 10:04",
    );
}

/// Held, offered and sold count; when he has room again he is the first (rule: offer-limits).
#[test]
fn a_buyer_at_his_limit_is_passed_over_and_keeps_his_turn() {
    check(
        "policy places_per_buyer 2
         row A 4 in West
         00:00  hold A1 A2 as h1                     -> held 2000, until 10:00
         00:00  hold A3 A4 as h2 by bob              -> held 2000, until 10:00
         00:01  join 1 any as h3                     -> waiting, 1 in all
         00:01  join 1 any as h4 by cyd              -> waiting, 2 in all
         00:02  release A3 of h2 by bob              -> held
                => h4 offered A3 1000, until 10:02
         00:03  release A4 of h2 by bob              -> released
         00:04  hold A4 as h5 by bob                 -> held 1000, until 10:04
         00:05  release A1 of h1                     -> held
                => h3 offered A1 1000, until 10:05
         00:06  join 3 any as h6 by dan              -> rejected: places_per_buyer_max is 2",
    );
}

/// An offer is a hold more of the buyer and of the show (rule: offer-limits).
#[test]
fn live_holds_limit_an_offer_too() {
    check(
        "policy live_holds_per_buyer 1
         row A 2 in West
         00:00  hold A1 as h1                        -> held 1000, until 10:00
         00:00  hold A2 as h2 by bob                 -> held 1000, until 10:00
         00:01  join 1 any in West as h3             -> waiting, 1 in all
         00:02  release h2 by bob                    -> released
         00:03  release h1                           -> released
                => h3 offered A1 1000, until 10:03",
    );
}

/// From the cut-off on nobody joins and nobody gets an offer; offers that were made stand (rule: waitlist-cutoff).
#[test]
fn the_list_has_an_end() {
    check(
        "policy waitlist_closes 05:00
         row A 2 in West
         00:00  hold A1 A2 as h1 by bob              -> held 2000, until 10:00
         00:01  join 1 any as h2 by cyd              -> waiting, 1 in all
         00:01  join 1 any as h3 by dan              -> waiting, 2 in all
         00:02  release A1 of h1 by bob              -> held
                => h2 offered A1 1000, until 10:02
         05:00  join 1 any as h4 by eve              -> rejected: the waitlist is closed
         05:00  release h1 by bob                    -> released
         05:01  hold A2 as h5 by eve                 -> held 1000, until 15:01
         05:02  get h3                               -> waiting, 1 in all
         05:03  confirm h2 for o2 by cyd             -> confirmed A1 1000 for o2 by cyd, scattered, offer
         05:04  leave h3 by dan                      -> released",
    );
}

/// What came back meanwhile is offered when it goes on, before the public (rule: waitlist-paused).
#[test]
fn while_a_sale_pauses_nobody_gets_an_offer() {
    check(
        "row A 2 in West
         00:00  hold A1 A2 as h1 by bob              -> held 2000, until 10:00
         00:01  join 1 any as h2 by cyd              -> waiting, 1 in all
         00:02  pause                                -> paused
         00:03  release A1 of h1 by bob              -> held
         00:03  join 1 any as h3 by dan              -> waiting, 2 in all
         00:04  release A2 of h1 by bob              -> released
         00:05  seats                                -> all available
         00:06  open                                 -> on sale
                => h2 offered A1 1000, until 10:06; h3 offered A2 1000, until 10:06",
    );
}

/// What came back before the planned opening is offered at it (rule: waitlist-paused).
#[test]
fn a_sale_that_opens_again_by_time_serves_first() {
    check(
        "row A 1 in West
         00:00  hold A1 as h1 by bob                 -> held 1000, until 10:00
         00:01  join 1 any as h2 by cyd              -> waiting, 1 in all
         00:02  plan opens 05:00                     -> scheduled
         00:03  release h1 by bob                    -> released
         04:59  seats                                -> all available
         05:00  hold A1 as h3                        -> rejected: places taken A1
                => h2 offered A1 1000, until 15:00",
    );
}

/// After the end places that come back stay free (rule: waitlist-paused).
#[test]
fn a_closed_sale_offers_nothing() {
    check(
        "row A 1 in West
         00:00  hold A1 as h1 by bob                 -> held 1000, until 10:00
         00:01  join 1 any as h2 by cyd              -> waiting, 1 in all
         00:02  close                                -> closed
         00:03  release h1 by bob                    -> released
         00:04  seats                                -> all available",
    );
}

/// What was promised when it joined stands (rule: policy-change).
#[test]
fn an_entry_larger_than_a_hold_may_be_now_is_still_served() {
    check(
        "row A 3 in West
         00:00  hold A1 A2 A3 as h1 by bob           -> held 3000, until 10:00
         00:01  join 3 together as h2                -> waiting, 1 in all
         00:02  policy places_per_hold 2             -> done
         00:03  release h1 by bob                    -> released
                => h2 offered A1 A2 A3 3000, until 10:03",
    );
}

/// Of one queue at most sixteen buyers at their limit are passed over, so that a return costs a bounded time (rule:
/// bounded).
#[test]
fn not_everybody_is_passed_over_at_once() {
    let crowd = |buyers: u32| {
        let hold = |number| format!("00:00  hold 1xFloor as h{number} by b{number}  -> held 100, until 10:00\n");
        let join = |number| {
            format!("00:01  join 1 any in West as h{} by b{number} -> waiting, {number} in all\n", 100 + number)
        };
        let holds: String = (1..=buyers).map(hold).collect();
        let joins: String = (1..=buyers).map(join).collect();
        format!(
            "policy places_per_buyer 1
             row A 1 in West
             00:00  hold A1 as h99 by bob         -> held 1000, until 10:00
             {holds}{joins}00:02  join 1 any in West as h98 by cyd  -> waiting, {} in all
             00:03  release h99 by bob            -> released",
            buyers + 1
        )
    };
    check(&format!("{}\n => h98 offered A1 1000, until 10:03", crowd(15)));
    check(&format!("{}\n 00:04  seats -> 16xFloor held", crowd(16)));
}
