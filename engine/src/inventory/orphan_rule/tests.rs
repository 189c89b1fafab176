//! Scenarios of `orphan_rule.rs`.

use crate::inventory::scenario::check;

/// Without the rule any choice is granted, and no orphan is told (rule: orphans).
#[test]
fn nobody_looks_when_the_rule_is_off() {
    check(
        "00:00  hold A2 as h1                        -> held 1000, until 10:00
         00:01  hold A4 as h2                        -> held 1000, until 10:01
         00:02  release h2                           -> released",
    );
}

/// A hand-picked hold that leaves single seats is granted, and they are named (rule: orphans).
#[test]
fn orphans_are_told_when_they_are_to_be_avoided() {
    check(
        "policy orphans avoid
         00:00  hold A2 as h1                        -> held 1000, until 10:00, leaves A1 alone
         00:01  hold A4 as h2 by bob                 -> held 1000, until 10:01, leaves A3 alone
         00:02  hold A6 A7 as h3                     -> held 2000, until 10:02, leaves A5 alone
         00:03  hold A9 as h4                        -> held 1000, until 10:03, leaves A8 A10 alone
         00:04  hold A9 as h4                        -> held 1000, until 10:03
         00:05  hold B1 B2 as h5                     -> held 2000, until 10:05",
    );
}

/// They are named in the refusal, as long as as many seats side by side can be had without (rule: orphans).
#[test]
fn orphans_are_refused_when_they_are_forbidden() {
    check(
        "policy orphans forbid
         row A 6 in West
         00:00  hold A2 A3 as h1                     -> rejected: orphans left A1
         00:01  hold A1 A2 as h1                     -> held 2000, until 10:01
         00:02  hold A4 A5 as h2 by bob              -> rejected: orphans left A3 A6
         00:03  hold A3 A4 as h2 by bob              -> held 2000, until 10:03",
    );
}

/// The last resort: if every block of that size leaves one, it is granted and told (rule: orphans).
#[test]
fn forbidding_ends_where_there_is_no_other_way() {
    check(
        "policy orphans forbid
         row A 5 in West
         00:00  hold A1 A2 A3 A4 as h1               -> held 4000, until 10:00, leaves A5 alone
         00:01  release h1                           -> released
         00:02  hold A2 A3 as h2                     -> rejected: orphans left A1
         00:03  hold A3 as h2                        -> held 1000, until 10:03",
    );
}

/// A seat that never had a neighbour is not alone (rule: orphans).
#[test]
fn a_row_of_one_seat_has_no_orphans() {
    check(
        "policy orphans forbid
         row A 1 in West
         row B 2 in West
         00:00  hold B1 B2 as h1                     -> held 2000, until 10:00
         00:01  hold A1 as h2                        -> held 1000, until 10:01",
    );
}

/// Seats of one take may close a gap together, and one's own that stay do not count as free (rule: orphans).
#[test]
fn the_whole_take_is_judged() {
    check(
        "policy orphans forbid
         row A 8 in West
         00:00  hold A1 A3 as h1                     -> rejected: orphans left A2
         00:01  hold A1 A2 A3 as h1                  -> held 3000, until 10:01
         00:02  hold A5 A6 A7 as h2                  -> rejected: orphans left A4 A8
         00:03  hold A3-A8 as h3                     -> held 6000, until 10:03
         00:04  get h1                               -> held A1 A2 2000, until 10:01",
    );
}

/// Judged over the seats that the buyer could take (rule: orphans).
#[test]
fn seats_of_another_channel_bound_a_run_and_another_price_does_not() {
    check(
        "policy orphans avoid
         category Gold 3000
         row A 6 in West, 1-2 at Gold
         00:00  channel fans                         -> done
         00:00  assign A5 A6 to fans                 -> 2 changed
         00:01  hold A3 as h1                        -> held 1000, until 10:01, leaves A4 alone
         00:02  release h1                           -> released
         00:03  hold A3 as h2 with fans              -> held 1000, until 10:03
         00:04  release h2                           -> released
         00:05  hold A2 as h3                        -> held 3000, until 10:05, leaves A1 alone",
    );
}

/// A bay beside a seat does not save it from being alone, for whoever may not take the bay (rule: orphans).
#[test]
fn protected_seats_are_no_company() {
    check(
        "policy orphans avoid
         row A 5 in West, bays 5
         00:00  hold A1 A2 A3 as h1                  -> held 3000, until 10:00, leaves A4 alone
         00:01  release h1                           -> released
         00:02  hold A1 A2 A3 as h2 accessible       -> held 3000, until 10:02",
    );
}

/// A partial release is never refused for it (rule: orphans-told).
#[test]
fn giving_back_may_leave_one_alone_and_says_so() {
    check(
        "policy orphans forbid
         row A 6 in West
         00:00  hold A1-A6 as h1                     -> held 6000, until 10:00
         00:01  release A2 A4 A5 of h1               -> held, leaves A2 alone
         00:02  seats                                -> A1 A3 A6 held",
    );
}

/// What a replaced hold gives back is free in the judgement (rule: orphans).
#[test]
fn giving_up_seats_in_a_swap_counts() {
    check(
        "policy orphans forbid
         row A 6 in West
         00:00  hold A1 A2 as h1                     -> held 2000, until 10:00
         00:01  hold A2 A3 as h2 replacing h1        -> rejected: orphans left A1
         00:02  hold A3 A4 as h2 replacing h1        -> held 2000, until 10:02",
    );
}

/// HoldBest is never refused for orphans (rule: orphans).
#[test]
fn what_is_chosen_for_the_buyer_avoids_it_by_itself() {
    check(
        "policy orphans forbid
         row A 3 in West
         00:00  best 2 together as h1                -> held A1 A2 2000, until 10:00, together leaving one",
    );
}

/// A single buyer is not refused when every choice leaves one (rule: orphans).
#[test]
fn where_only_pairs_remain_one_may_sit_alone() {
    check(
        "policy orphans forbid
         row A 2 in West
         row B 2 in West
         00:00  hold A1 as h1                        -> held 1000, until 10:00, leaves A2 alone
         00:01  hold B2 as h2 by bob                 -> rejected: orphans left B1
         00:02  hold A2 as h2 by bob                 -> held 1000, until 10:02",
    );
}

/// Late in a sale single seats may be all that is left: from an instant on nobody looks (rule: orphans-end).
#[test]
fn the_rule_ends_at_its_time() {
    check(
        "policy orphans forbid, orphans_end 05:00
         00:00  hold A2 as h1                        -> rejected: orphans left A1
         04:59  hold A2 as h1                        -> rejected: orphans left A1
         05:00  hold A2 as h1                        -> held 1000, until 15:00
         05:01  hold A4 as h2                        -> held 1000, until 15:01
         05:02  hold A3 as h3                        -> held 1000, until 15:02
         05:03  release h3                           -> released
         05:05  policy orphans forbid, orphans_end 06:00 -> done
         05:06  hold A6 as h5                        -> rejected: orphans left A5",
    );
}

/// The staff see the hall: they are told, and not refused (rule: override).
#[test]
fn the_staff_may_leave_single_seats_over() {
    check(
        "policy orphans forbid
         00:00  hold A2 as h1                        -> rejected: orphans left A1
         00:00  hold A2 as h1 overriding vip         -> held 1000, until 10:00, override vip, leaves A1 alone
         00:01  get h1                               -> held A2 1000, until 10:00, override vip",
    );
}
