//! One show's part in a group.

use crate::inventory::scenario::check;

/// The first member decides, by its own deadline; it may be asked again (rule: group).
#[test]
fn a_member_is_sold_by_its_group_only() {
    check(
        "tell expiries
         00:00  hold A1 A2 as h1            -> held 2000, until 10:00
         00:00  prepare h1 for o1           -> rejected: not one of a group
         00:00  decide h1 for o1            -> rejected: not one of a group
         00:00  abandon h1                  -> rejected: not one of a group
         00:01  group h1 with another       -> held A1 A2 2000, until 10:00, one of 2
         00:01  group h1 with another       -> held A1 A2 2000, until 10:00, one of 2
         00:01  group h1 with others        -> rejected: id reused, another members
         00:02  hold A1 A2 as h1            -> held 2000, until 10:00, one of 2
         00:02  confirm h1 for o1           -> rejected: one of a group
         00:02  confirm A1 of h1 for o1     -> rejected: one of a group
         00:02  release h1                  -> rejected: one of a group
         00:02  release A1 of h1            -> rejected: one of a group
         00:02  pin h1                      -> rejected: one of a group
         00:02  unpin h1                    -> rejected: one of a group
         00:02  hold A3 as h2 replacing h1  -> rejected: one of a group
         00:02  hold A2 A3 as h2            -> rejected: places taken A2
         00:03  extend h1                   -> extended to 10:03 of 30:00
         00:04  decide h1 for o1            -> confirmed A1 A2 2000 for o1, one of 2
         00:05  decide h1 for o2            -> confirmed A1 A2 2000 for o1, one of 2
         00:05  prepare h1 for o2           -> confirmed A1 A2 2000, until 10:03, one of 2
         00:05  group h1 with another       -> confirmed A1 A2 2000, until 10:03, one of 2
         00:05  abandon h1                  -> rejected: confirmed
         00:06  cancel h1                   -> cancelled, refund 2000
         00:07  decide h1 for o1            -> cancelled, refunded 2000
         00:08  abandon h1                  -> rejected: cancelled",
    );
}

/// Whoever waits for the decision has no deadline until it comes (rule: group-prepared).
#[test]
fn a_prepared_member_lives_until_the_decision() {
    check(
        "tell expiries
         00:00  hold A1 as h1               -> held 1000, until 10:00
         00:00  group h1                    -> held A1 1000, until 10:00, one of 2
         09:59  prepare h1 for o1           -> held A1 1000, until 10:00, pinned, prepared for o1
         09:59  prepare h1 for o2           -> held A1 1000, until 10:00, pinned, prepared for o1
         09:59  extend h1                   -> rejected: one of a group
         09:59  release h1                  -> rejected: pinned
         09:59  pin h1                      -> rejected: one of a group
         90:00  get h1                      -> held A1 1000, until 10:00, pinned, prepared for o1
         90:00  hold A1 as h2               -> rejected: places taken A1
         90:00  decide h1 for o1            -> confirmed A1 1000 for o1, one of 2
         90:01  get h1                      -> confirmed A1 1000, until 10:00, one of 2
         90:01  hold A2 as h3               -> held 1000, until 100:01
         90:01  group h3                    -> held A2 1000, until 100:01, one of 2
         90:02  prepare h3 for o3           -> held A2 1000, until 100:01, pinned, prepared for o3
         99:00  abandon h3                  -> released
         99:00  abandon h3                  -> released
         99:00  prepare h3 for o3           -> rejected: released
         99:01  get h3                      -> released, one of 2
         99:02  seats                       -> A1 sold",
    );
}

/// Before it is prepared its deadline counts like any other's (rule: group).
#[test]
fn a_member_that_is_not_prepared_expires() {
    check(
        "tell expiries
         00:00  hold A1 as h1               -> held 1000, until 10:00
         00:00  group h1                    -> held A1 1000, until 10:00, one of 2
         10:00  decide h1 for o1            -> rejected: expired at 10:00
                => h1 expired
         10:00  prepare h1 for o1           -> rejected: expired at 10:00
         10:01  abandon h1                  -> expired
         10:02  abandon h2                  -> fenced
         10:03  hold A1 as h2               -> rejected: fenced
         10:04  group h3                    -> rejected: hold unknown
         10:05  hold A1 as h3               -> held 1000, until 20:05
         10:05  group h3 by bob             -> rejected: hold of another buyer
         10:05  pin h3                      -> extended to 70:05 of 40:05
         10:06  group h3                    -> rejected: pinned",
    );
}

/// A show that is cancelled takes no part of a group away from it: what follows the decision is to be refunded (rule:
/// group-cancelled).
#[test]
fn a_prepared_member_outlives_its_show() {
    check(
        "00:00  hold A1 as h1               -> held 1000, until 10:00
         00:00  group h1                    -> held A1 1000, until 10:00, one of 2
         00:00  hold A2 as h2               -> held 1000, until 10:00
         00:00  group h2                    -> held A2 1000, until 10:00, one of 2
         00:00  hold A3 as h3               -> held 1000, until 10:00
         00:00  group h3                    -> held A3 1000, until 10:00, one of 2
         00:01  prepare h1 for o1           -> held A1 1000, until 10:00, pinned, prepared for o1
         00:01  prepare h2 for o1           -> held A2 1000, until 10:00, pinned, prepared for o1
         00:02  cancel-show                 -> 3 holds with 3, 0 bookings with 0 to refund 0, 0 waiting
         00:02  get h3                      -> cancelled, one of 2
         00:03  decide h3 for o1            -> rejected: cancelled
         00:03  archive                     -> rejected: 2 holds are live
         00:03  decide h1 for o1            -> confirmed A1 1000 for o1, one of 2, refund due
         00:03  get h1                      -> confirmed A1 1000, until 10:00, one of 2, refund due
         00:04  abandon h2                  -> released
         00:05  archive                     -> archived",
    );
}

/// What stands still stands still for those who wait for a decision, too (rule: group-prepared).
#[test]
fn clocks_that_stood_move_the_deadline_behind_the_decision() {
    check(
        "00:00  hold A1 as h1               -> held 1000, until 10:00
         00:00  group h1                    -> held A1 1000, until 10:00, one of 2
         01:00  prepare h1 for o1           -> held A1 1000, until 10:00, pinned, prepared for o1
         02:00  pause clocks                -> paused
         05:00  open                        -> on sale
         06:00  get h1                      -> held A1 1000, until 13:00, pinned, prepared for o1
         07:00  decide h1 for o1            -> confirmed A1 1000 for o1, one of 2",
    );
}
