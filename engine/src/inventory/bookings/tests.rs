//! Scenarios of `bookings.rs`.

use crate::inventory::scenario::check;

/// Places are free for others, the buyer's limit is given back; it may be sent again (rule: cancel-booking).
#[test]
fn a_cancelled_booking_gives_everything_back() {
    check(
        "policy places_per_buyer 3
         00:00  sell A1 A2 1xFloor as h1 for o1      -> confirmed A1 A2 1xFloor 2100 for o1
         00:01  hold A3 as h2                        -> rejected: places_per_buyer_max is 3
         00:02  cancel h1 by bob                     -> rejected: hold of another buyer
         00:02  cancel h9                            -> rejected: hold unknown
         00:03  cancel h1                            -> cancelled, refund 2100
         00:03  cancel h1                            -> cancelled, refund 0 of 2100
         00:04  hold A1 A2 A3 as h2                  -> held 3000, until 10:04
         00:05  get h1                               -> cancelled, refunded 2100
         00:05  confirm h1 for o1                    -> rejected: cancelled
         00:05  release h1                           -> rejected: cancelled
         00:06  cancel h2                            -> rejected: not confirmed",
    );
}

/// The rest stays sold; naming a part again changes nothing (rule: cancel-booking).
#[test]
fn a_part_of_a_booking_is_cancelled() {
    check(
        "00:00  sell A1 A2 3xFloor as h1 for o1      -> confirmed A1 A2 3xFloor 2300 for o1
         00:01  cancel A1 2xFloor of h1              -> confirmed A2 1xFloor 1100 for o1, refund 1200
         00:01  cancel A1 2xFloor of h1              -> confirmed A2 1xFloor 1100 for o1, refund 0 of 1200
         00:02  cancel A3 of h1                      -> rejected: places not in hold A3
         00:02  cancel 4xFloor of h1                 -> rejected: places not in hold Floor 4>3
         00:03  seats                                -> A2 sold, 1xFloor sold
         00:04  cancel A2 3xFloor of h1              -> cancelled, refund 1100 of 2300
         00:05  seats                                -> all available",
    );
}

/// They go to a block instead of the public, under the mark that is named (rule: cancel-booking).
#[test]
fn cancelled_places_may_be_withheld() {
    check(
        "00:00  sell A1 A2 2xFloor as h1 for o1      -> confirmed A1 A2 2xFloor 2200 for o1
         00:01  cancel A1 1xFloor of h1 to kill:damage -> confirmed A2 1xFloor 1100 for o1, refund 1100
         00:02  seats                                -> A2 sold, A1 blocked, 1xFloor sold, 1xFloor blocked
         00:03  hold A1 as h2                        -> rejected: places taken A1
         00:04  cancel h1 to house:guests            -> cancelled, refund 1100 of 2200
         00:05  seats                                -> A1 A2 blocked, 2xFloor blocked
         00:06  hold A2 as h2 house                  -> held 1000, until 10:06
         00:07  unblock A1 section:Floor kill:damage -> 2 changed, Floor 1>0
         00:08  seats                                -> A2 held, 1xFloor blocked",
    );
}

/// The same places and order, another buyer; limits and lookups go by him (rule: transfer).
#[test]
fn a_booking_is_transferred() {
    check(
        "policy places_per_buyer 2
         00:00  sell A1 A2 as h1 for o1              -> confirmed A1 A2 2000 for o1
         00:00  hold A3 as h2 by bob                 -> held 1000, until 10:00
         00:01  transfer h1 to bob                   -> rejected: places_per_buyer_max is 2
         00:01  transfer h1 to cyd by bob            -> rejected: hold of another buyer
         00:02  transfer h1 to cyd                   -> confirmed A1 A2 2000 for o1 by cyd
         00:02  transfer h1 to cyd                   -> confirmed A1 A2 2000 for o1 by cyd
         00:03  cancel h1                            -> rejected: hold of another buyer
         00:03  hold A4 as h3 by cyd                 -> rejected: places_per_buyer_max is 2
         00:03  hold A4 A5 as h3                     -> held 2000, until 10:03
         00:04  list ada                             -> h3 held A4 A5 2000, until 10:03
         00:04  list cyd                             -> h1 confirmed A1 A2 2000, until 10:00
         00:05  cancel h1 by cyd                     -> cancelled, refund 2000
         00:06  transfer h1 to dan by cyd            -> rejected: cancelled
         00:06  transfer h2 to dan by bob            -> rejected: not confirmed",
    );
}

/// Its own places may be among the new ones; the difference is told; what it gives up is free at once (rule: exchange).
#[test]
fn a_booking_is_exchanged_in_one_step() {
    check(
        "category Gold 3000
         policy places_per_buyer 3
         row A 6 in West, 1-3 at Gold
         00:00  sell A1 A4 as h1 for o1              -> confirmed A1 A4 4000 for o1
         00:00  hold A6 as h2 by bob                 -> held 1000, until 10:00
         00:01  exchange A1 A6 of h1                 -> rejected: places taken A6
         00:01  exchange A1 A2 A3 A4 of h1           -> rejected: places_per_buyer_max is 3
         00:02  exchange A4 A5 of h1                 -> confirmed A4 A5 2000 for o1, difference -2000
         00:02  exchange A4 A5 of h1                 -> confirmed A4 A5 2000 for o1, difference -2000
         00:03  seats                                -> A6 held, A4 A5 sold
         00:04  exchange A2 A5 1xFloor of h1         -> confirmed A2 A5 1xFloor 4100 for o1, difference 2100
         00:05  cancel A2 of h1                      -> confirmed A5 1xFloor 1100 for o1, difference 2100, refund 3000
         00:06  exchange A1 of h2 by bob             -> rejected: not confirmed
         00:06  exchange A1 of h1 by bob             -> rejected: hold of another buyer
         00:07  cancel h1                            -> cancelled, refund 1100 of 4100
         00:08  exchange A1 of h1                    -> rejected: cancelled",
    );
}

/// New places cost what they cost now, kept ones what they did (rule: exchange-prices).
#[test]
fn an_exchange_keeps_the_price_of_the_places_it_keeps() {
    check(
        "00:00  sell A1 A2 3xFloor as h1 for o1      -> confirmed A1 A2 3xFloor 2300 for o1
         00:01  reprice Seat 1500                    -> version 2
         00:01  reprice Floor 120                    -> version 3
         00:02  get h1                               -> confirmed A1 A2 3xFloor 2300, until 10:00, kept A1=1000 A2=1000 Floor=100
         00:03  exchange A2 A3 5xFloor of h1         -> confirmed A2 A3 5xFloor 3000 for o1, kept A2=1000 Floor=100, difference 700
         00:04  exchange A3 A4 of h1                 -> confirmed A3 A4 3000 for o1, difference 0",
    );
}

/// Limits of live holds are not asked (rule: exchange).
#[test]
fn an_exchange_makes_no_hold() {
    check(
        "policy live_holds_per_buyer 1, holds_per_show 1
         00:00  hold A1 as h1                        -> held 1000, until 10:00
         00:01  confirm h1 for o1                    -> confirmed A1 1000 for o1
         00:02  hold A2 as h2                        -> held 1000, until 10:02
         00:03  exchange A3 of h1                    -> confirmed A3 1000 for o1, difference 0",
    );
}

/// What is given up goes where it came from, and only the house takes more of it (rule: exchange).
#[test]
fn an_exchange_of_house_seats_gives_them_back_to_the_house() {
    check(
        "00:00  block A1 A2 house:guests             -> 2 changed
         00:01  sell A1 as h1 for o1 house           -> confirmed A1 1000 for o1
         00:02  exchange A2 of h1                    -> rejected: places taken A2
         00:02  exchange A2 of h1 house              -> confirmed A2 1000 for o1, difference 0
         00:03  exchange A3 of h1                    -> confirmed A3 1000 for o1, difference 0
         00:04  seats                                -> A3 sold, A1 A2 blocked",
    );
}

/// One's own seat of a channel stays one's own, and one's own bay (rule: exchange).
#[test]
fn an_exchange_keeps_what_it_has_without_the_key() {
    check(
        "row A 6 in West, bays 5
         00:00  channel fans                         -> done
         00:00  assign A1 to fans                    -> 1 changed
         00:01  sell A1 A5 as h1 for o1 with fans accessible -> confirmed A1 A5 2000 for o1
         00:02  exchange A1 A2 A5 of h1              -> confirmed A1 A2 A5 3000 for o1, difference 1000
         00:03  exchange A2 A5 of h1 accessible      -> confirmed A2 A5 2000 for o1, difference -1000
         00:04  exchange A1 A2 A5 of h1 accessible   -> rejected: places taken A1
         00:05  exchange A2 of h1                    -> confirmed A2 1000 for o1, difference -1000
         00:06  exchange A2 A5 of h1                 -> rejected: places protected A5",
    );
}

/// A bay that the booking has was asked for when it was taken; another one has to be (rule: accessible-pool).
#[test]
fn a_booking_keeps_its_bay_without_asking_again() {
    check(
        "row A 6 in West, bays 1 6, companions 2
         00:00  sell A1 A2 A3 as h1 for o1 accessible -> confirmed A1 A2 A3 3000 for o1
         00:01  exchange A1 A2 A4 of h1               -> confirmed A1 A2 A4 3000 for o1, difference 0
         00:02  exchange A4 A6 of h1                  -> rejected: places protected A6
         00:03  exchange A4 of h1                     -> confirmed A4 1000 for o1, difference -2000
         00:04  exchange A1 A4 of h1                  -> rejected: places protected A1
         00:05  exchange A1 A4 of h1 accessible       -> confirmed A1 A4 2000 for o1, difference 1000",
    );
}
