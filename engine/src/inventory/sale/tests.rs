//! Scenarios of `sale.rs`.

use crate::inventory::scenario::check;

/// The shard's clock opens the sale; until then the refusal says when (rule: sale-start).
#[test]
fn commands_before_the_opening_are_refused_not_queued() {
    check(
        "sale opens 05:00 closes 20:00
         00:00  hold A1 as h1                        -> rejected: the show is scheduled, opens at 05:00
         04:59  best 1 any as h1                     -> rejected: the show is scheduled, opens at 05:00
         04:59  join 1 any as h1                     -> rejected: the show is scheduled, opens at 05:00
         05:00  hold A1 as h1                        -> held 1000, until 15:00
         19:59  best 1 any as h2                     -> held A5 1000, until 29:59, scattered
         20:00  hold A2 as h3                        -> rejected: the show is closed
         20:00  best 1 any as h3                     -> rejected: the show is closed
         20:00  join 1 any as h3                     -> rejected: the show is closed
         20:01  confirm h2 for o2                    -> confirmed A5 1000 for o2, scattered
         20:02  overview                             -> closed, A 9+0+1+0 B 10+0+0+0 Floor 100+0+0+0, 0 holds 1 bookings 0 waiting",
    );
}

/// Draft, scheduled, on sale, paused, closed: each command once or repeated (rule: sale-states).
#[test]
fn a_draft_is_scheduled_opened_and_closed() {
    check(
        "sale draft
         00:00  hold A1 as h1                        -> rejected: the show is draft
         00:00  pause                                -> rejected: the show is draft
         00:00  close                                -> rejected: the show is draft
         00:00  archive                              -> rejected: the show is draft
         00:01  plan opens 05:00                     -> scheduled
         00:01  plan opens 05:00                     -> scheduled
         00:02  hold A1 as h1                        -> rejected: the show is scheduled, opens at 05:00
         00:03  plan opens 06:00 closes 30:00        -> scheduled
         05:30  hold A1 as h1                        -> rejected: the show is scheduled, opens at 06:00
         05:31  open                                 -> on sale
         05:31  open                                 -> on sale
         05:32  hold A1 as h1                        -> held 1000, until 15:32
         05:33  pause                                -> paused
         05:33  pause                                -> paused
         05:34  open                                 -> on sale
         05:35  close                                -> closed
         05:35  close                                -> closed
         05:36  open                                 -> rejected: the show is closed
         05:36  pause                                -> rejected: the show is closed
         05:36  plan opens 07:00                     -> rejected: the show is closed
         05:37  archive                              -> rejected: 1 holds are live
         05:38  confirm h1 for o1                    -> confirmed A1 1000 for o1
         05:39  archive                              -> archived
         05:39  archive                              -> archived",
    );
}

/// Live holds may be confirmed, extended and given back; their deadlines come (rule: pause).
#[test]
fn while_a_sale_pauses_nothing_new_is_held_and_clocks_run() {
    check(
        "tell expiries
         00:00  hold A1 as h1                        -> held 1000, until 10:00
         00:00  hold A2 as h2                        -> held 1000, until 10:00
         00:00  hold A3 as h3                        -> held 1000, until 10:00
         01:00  pause                                -> paused
         02:00  hold A4 as h4                        -> rejected: the show is paused
         02:00  hold A1 A4 as h4 replacing h1        -> rejected: the show is paused
         02:00  best 1 any as h4                     -> rejected: the show is paused
         02:01  confirm h1 for o1                    -> confirmed A1 1000 for o1
         02:02  release h2                           -> released
         02:03  extend h3                            -> extended to 12:03 of 30:00
         02:04  sell A2 as h5 for o5                 -> confirmed A2 1000 for o5
         02:05  hold A1 as h1                        -> confirmed 1000, until 10:00
         12:03  open                                 -> on sale
                => h3 expired",
    );
}

/// Every live deadline, longest life and pin is shifted by the pause (rule: pause-clocks).
#[test]
fn while_clocks_are_stopped_no_deadline_comes() {
    check(
        "tell expiries
         00:00  hold A1 as h1                        -> held 1000, until 10:00
         00:00  hold A2 as h2                        -> held 1000, until 10:00
         00:30  pin h2                               -> extended to 60:00 of 30:00
         01:00  pause clocks                         -> paused
         30:00  get h1                               -> held A1 1000, until 39:00
         30:00  hold A1 as h1                        -> held 1000, until 39:00
         30:00  extend h1 for 10m                    -> extended to 40:00 of 59:00
         30:01  extend h1 for 10m                    -> extended to 40:01 of 59:01
         30:02  pin h2                               -> extended to 89:02 of 59:02
         30:03  confirm h1 for o1 by bob             -> rejected: hold of another buyer
         31:00  open                                 -> on sale
         31:01  get h1                               -> held A1 1000, until 41:00
         31:02  extend h1 for 2h                     -> extended to 60:00 of 60:00
         31:03  unpin h2                             -> extended to 40:00 of 60:00
         40:00  confirm h2 for o2                    -> rejected: expired at 40:00
                => h2 expired
         60:00  tick                                 -> done
                => h1 expired",
    );
}

/// Pausing again says whether clocks stand from now on (rule: pause-clocks).
#[test]
fn clocks_are_stopped_and_started_while_a_sale_pauses() {
    check(
        "tell expiries
         00:00  hold A1 as h1                        -> held 1000, until 10:00
         00:00  hold A2 as h2 for 5m                 -> held 1000, until 05:00
         01:00  pause                                -> paused
         05:00  pause clocks                         -> paused
                => h2 expired
         06:00  pause clocks                         -> paused
         20:00  get h1                               -> held A1 1000, until 25:00
         25:00  pause                                -> paused
         25:00  pause                                -> paused
         26:00  get h1                               -> held A1 1000, until 30:00
         26:00  hold A3 as h3                        -> rejected: the show is paused
         27:00  pause clocks                         -> paused
         40:00  extend h1                            -> extended to 50:00 of 63:00
         41:00  open                                 -> on sale
         41:00  get h1                               -> held A1 1000, until 51:00
         51:00  tick                                 -> done
                => h1 expired",
    );
}

/// Stopping clocks gives nothing back that had passed (rule: pause-clocks).
#[test]
fn what_was_over_before_the_pause_stays_over() {
    check(
        "tell expiries
         no sweep
         00:00  hold A1 as h1 for 5s                 -> held 1000, until 00:05
         00:05  pause clocks                         -> paused
         00:06  confirm h1 for o1                    -> rejected: expired at 00:05
         00:07  open                                 -> on sale
         00:07  confirm h1 for o1                    -> rejected: expired at 00:05
         sweep
         00:08  tick                                 -> done
                => h1 expired",
    );
}

/// A hold always ends: clocks do not stand still beyond the sale (rule: pause-clocks).
#[test]
fn the_end_of_the_sale_starts_clocks_again() {
    check(
        "sale closes 20:00
         tell expiries
         00:00  hold A1 as h1                        -> held 1000, until 10:00
         01:00  pause clocks                         -> paused
         20:00  get h1                               -> held A1 1000, until 29:00
                => sale closed
         29:00  archive                              -> archived
                => h1 expired",
    );
}

/// So does closing by hand (rule: pause-clocks).
#[test]
fn closing_while_clocks_stand_starts_them() {
    check(
        "tell expiries
         00:00  hold A1 as h1                        -> held 1000, until 10:00
         01:00  pause clocks                         -> paused
         05:00  close                                -> closed
         05:01  get h1                               -> held A1 1000, until 14:00
         14:00  tick                                 -> done
                => h1 expired",
    );
}

/// An open sale stays open though it was planned for later (rule: sale-states).
#[test]
fn opening_by_hand_before_the_time_opens() {
    check(
        "sale opens 10:00
         01:00  open                                 -> on sale
         02:00  hold A1 as h1                        -> held 1000, until 12:00
         03:00  pause                                -> paused
         04:00  open                                 -> on sale
         05:00  plan opens 09:00 closes 08:00        -> scheduled
         08:00  hold A2 as h2                        -> rejected: the show is closed",
    );
}

/// Channels open and blocks come back by the clock on the wall; those who wait are served when it goes on (rule: pause).
#[test]
fn what_is_due_goes_on_while_a_sale_pauses() {
    check(
        "row A 2 in West
         00:00  block A1 block:x                     -> 1 changed
         00:00  schedule block:x at 05:00            -> done
         00:00  channel fans public 05:00            -> done
         00:00  assign A2 to fans                    -> 1 changed
         00:01  join 1 any as h1                     -> waiting, 1 in all
         00:02  pause clocks                         -> paused
         05:00  tick                                 -> done
                => fans public; A1 from block:x; block:x released
         06:00  open                                 -> on sale
                => h1 offered A1 1000, until 16:00",
    );
}
