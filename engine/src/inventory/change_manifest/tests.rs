//! Scenarios of `change_manifest.rs`.

use crate::inventory::scenario::check;

/// New places are free at once and keep every old place's number (rule: manifest-adds).
#[test]
fn rows_and_sections_are_added_while_on_sale() {
    check(
        "00:00  hold A1 A10 B1 as h1                 -> held 3000, until 10:00
         00:01  add row C 4 in A                     -> version 2
         00:02  add row N 3 in North                 -> version 3
         00:03  add floor Pit 5                      -> version 4
         00:04  hold A2 C1 N3 2xPit as h2            -> held 3200, until 10:04
         00:05  seats                                -> A1 A2 A10 B1 C1 N3 held, 2xPit held
         00:06  best 3 together in A as h3 by bob    -> held A5 A6 A7 3000, until 10:06, together
         00:07  best 3 together in North as h4       -> rejected: sold out, 3 wanted, 2 there
         00:08  add row C 5 in A                     -> rejected: manifest invalid, sections[0].rows[2], seat 0 (from 0): \"1\" stands twice
         00:09  add floor Pit 6                      -> rejected: manifest invalid, sections[5]: \"Pit\" stands twice
         00:10  add category Seat 5                  -> rejected: manifest invalid, categories[2]: \"Seat\" stands twice",
    );
}

/// Every change may be sent again, also after others: what is so already changes nothing, and has no new version
/// (rule: manifest-repeats).
#[test]
fn a_change_that_comes_again_changes_nothing() {
    check(
        "00:00  add row C 4 in A, 2 at Floor         -> version 2
         00:01  add row C 4 in A, 2 at Floor         -> version 2
         00:02  add row N 3 in North                 -> version 3
         00:03  add floor Pit 5                      -> version 4
         00:04  add category Gold 3000               -> version 5
         00:05  add row O 3 in North                 -> version 6
         00:06  pool Standing 6 Floor Pit            -> version 7
         00:07  limit 30                             -> version 8
         00:08  reprice Floor 150                    -> version 9
         00:09  resize Floor 90                      -> version 10
         00:10  recategorise A1-A3 at Gold           -> version 11
         00:11  add row C 4 in A, 2 at Floor         -> version 11
         00:11  add floor Pit 5                      -> version 11
         00:11  add category Gold 3000               -> version 11
         00:11  add row O 3 in North                 -> version 11
         00:11  pool Standing 6 Floor Pit            -> version 11
         00:11  limit 30                             -> version 11
         00:11  reprice Floor 150                    -> version 11
         00:11  resize Floor 90                      -> version 11
         00:11  recategorise A1-A3 at Gold           -> version 11
         00:12  unpool Standing                      -> version 12
         00:12  unpool Standing                      -> version 12
         00:13  recategorise C1 at Gold              -> version 13
         00:14  add row C 4 in A, 2 at Floor         -> rejected: manifest invalid, sections[0].rows[2], seat 0 (from 0): \"1\" stands twice
         00:15  recategorise C1 at Seat              -> version 14
         00:16  add row C 4 in A, 2 at Floor         -> version 14
         00:17  resize Pit 6                         -> version 15
         00:18  add floor Pit 5                      -> rejected: manifest invalid, sections[5]: \"Pit\" stands twice",
    );
}

/// A section is the same whatever rows came to it later (rule: manifest-repeats).
#[test]
fn a_section_that_has_grown_may_be_added_again() {
    let mut inventory = crate::inventory::scenario::run(
        "00:00  add row N 3 in North                 -> version 2
         00:01  add row O 3 in North                 -> version 3",
    );
    let show = &mut inventory.shows[0];
    let (now, mut events) = (super::Timestamp(2_000_000), Vec::new());
    let mut section = show.manifest.parts().sections[3].clone();
    let super::SectionKind::Reserved(rows) = &mut section.kind else { panic!("a section of seats") };
    rows.truncate(1);
    let again = super::ManifestChange::AddSection(section.clone());
    assert!(super::decide(show, &again, now, &mut events).is_ok() && events.is_empty());
    let super::SectionKind::Reserved(rows) = &mut section.kind else { panic!("a section of seats") };
    rows[0].rank = Some(7);
    let other = super::ManifestChange::AddSection(section);
    assert!(super::decide(show, &other, now, &mut events).is_err() && events.is_empty());
}

/// New seats serve the waitlist in the same step (rule: manifest-adds).
#[test]
fn what_is_added_goes_to_who_waits_first() {
    check(
        "row A 1 in West
         00:00  hold A1 as h1 by bob                 -> held 1000, until 10:00
         00:01  join 2 together in West as h2        -> waiting, 1 in all, never as the house is
         00:02  add row B 3 in West                  -> version 2
                => h2 offered B1 B2 2000, until 10:02",
    );
}

/// Categories are added, and seats go to them (rule: manifest-recategorise).
#[test]
fn a_new_category_is_sold_at_its_price() {
    check(
        "00:00  hold A1 as h1                        -> held 1000, until 10:00
         00:01  add category Gold 3000               -> version 2
         00:02  recategorise A1-A3 at Gold           -> version 3
         00:02  recategorise A1-A3 at Gold           -> version 3
         00:03  hold A2 A4 as h2                     -> held 4000, until 10:03
         00:04  best 1 any at Gold as h3             -> held A3 3000, until 10:04, scattered
         00:05  get h1                               -> held A1 1000, until 10:00, kept A1=1000
         00:06  recategorise A99 at Gold             -> rejected: manifest invalid, sections: there is no seat 10099",
    );
}

/// What was granted at a price is confirmed at it; repeated changes keep the first (rule: price-kept).
#[test]
fn a_hold_keeps_its_price() {
    check(
        "00:00  hold A1 A2 2xFloor as h1             -> held 2200, until 10:00
         00:01  reprice Seat 1500                    -> version 2
         00:01  reprice Floor 200                    -> version 3
         00:02  reprice Seat 1700                    -> version 4
         00:03  get h1                               -> held A1 A2 2xFloor 2200, until 10:00, kept A1=1000 A2=1000 Floor=100
         00:03  hold A1 A2 2xFloor as h1             -> held 2200, until 10:00, kept A1=1000 A2=1000 Floor=100
         00:04  hold A3 as h2                        -> held 1700, until 10:04
         00:05  extend h1                            -> extended to 10:05 of 30:00
         00:06  confirm A1 1xFloor of h1 for o1      -> confirmed A1 1xFloor 1100 for o1, kept A1=1000 A2=1000 Floor=100
         00:07  reprice Seat 1000                    -> version 5
         00:08  confirm h2 for o2                    -> confirmed A3 1700 for o2, kept A3=1700
         00:09  hold A3 A2 as h3                     -> rejected: places taken A3
         00:10  hold A2 as h3                        -> held 1000, until 10:10",
    );
}

/// A new grant is at today's prices, a replaced hold's seats too (rule: price-kept).
#[test]
fn moved_seats_cost_what_they_cost_now() {
    check(
        "00:00  hold A1 as h1                        -> held 1000, until 10:00
         00:01  reprice Seat 1500                    -> version 2
         00:02  hold A1 A2 as h2 replacing h1        -> held 3000, until 10:02",
    );
}

/// Who saw an older map is refused if a place he names changed its price or category, and told which (rule: map-version).
#[test]
fn only_a_named_place_that_changed_is_told() {
    check(
        "00:00  add row C 2 in A                     -> version 2
         00:01  hold A1 as h1 seen 1                 -> held 1000, until 10:01
         00:02  add category Gold 3000               -> version 3
         00:02  recategorise A5 A6 at Gold           -> version 4
         00:03  hold A4 A5 as h2 seen 3              -> rejected: manifest changed to version 4: A5
         00:03  hold A4 A5 as h2 seen 4              -> held 4000, until 10:03
         00:03  hold A7 1xFloor as h3 seen 1         -> held 1100, until 10:03
         00:04  reprice Floor 150                    -> version 5
         00:05  hold A8 1xFloor as h4 seen 4         -> rejected: manifest changed to version 5: Floor
         00:05  sell A8 2xFloor as h4 for o4 seen 4  -> rejected: manifest changed to version 5: Floor
         00:05  hold A8 as h4 seen 4                 -> held 1000, until 10:05
         00:06  hold A9 as h5 seen 5                 -> held 1000, until 10:06
         00:07  hold A9 as h5 seen 5                 -> held 1000, until 10:06
         00:08  best 1 any as h6 in B seen 1         -> held B5 1000, until 10:08, scattered",
    );
}

/// A section that grows serves who waits, in the same step (rule: ga-grow).
#[test]
fn more_units_go_to_the_waitlist_first() {
    check(
        "floor Floor 5
         00:00  hold 5xFloor as h1 by bob            -> held 500, until 10:00
         00:01  join 2 any in Floor as h2            -> waiting, 1 in all
         00:02  resize Floor 6                       -> version 2
                => h2 gathers 1xFloor, until 10:02
         00:03  resize Floor 8                       -> version 3
                => h2 offered 2xFloor 200, until 10:03
         00:04  hold 1xFloor as h3 by cyd            -> held 100, until 10:04",
    );
}

/// More than a few new places while somebody waits are offered so many a second (rule: mass-return).
#[test]
fn a_mass_of_new_places_comes_to_the_waitlist_at_a_rate() {
    check(
        "policy returns_per_second 60
         floor Floor 1
         00:00  hold 1xFloor as h1 by bob            -> held 100, until 10:00
         00:01  join 2 any in Floor as h2            -> waiting, 1 in all, never as the house is
         00:02  resize Floor 101                     -> version 2
         00:03  tick                                 -> done
                => 60xFloor from returning:new; h2 offered 2xFloor 200, until 10:03
         00:04  seats                                -> 3xFloor held
                => 40xFloor from returning:new",
    );
}

/// Nobody loses anything, nothing more is granted, and never is anything negative (rule: ga-shrink).
#[test]
fn a_section_that_shrinks_below_what_is_taken_is_over_committed() {
    check(
        "floor Floor 10
         00:00  hold 4xFloor as h1                   -> held 400, until 10:00
         00:00  sell 3xFloor as h2 for o2 by bob     -> confirmed 3xFloor 300 for o2 by bob
         00:01  resize Floor 5                       -> version 2, Floor over by 2
         00:02  seats                                -> 4xFloor held, 3xFloor sold, 2xFloor over
         00:03  hold 1xFloor as h3 by cyd            -> rejected: places taken Floor 1>0
         00:04  confirm h1 for o1                    -> confirmed 4xFloor 400 for o1
         00:05  cancel 1xFloor of h2 by bob          -> confirmed 2xFloor 200 for o2 by bob, refund 100
         00:06  seats                                -> 6xFloor sold, 1xFloor over
         00:07  hold 1xFloor as h3 by cyd            -> rejected: places taken Floor 1>0
         00:08  cancel h2 by bob                     -> cancelled, refund 200 of 300
         00:09  hold 2xFloor as h3 by cyd            -> rejected: places taken Floor 2>1
         00:09  hold 1xFloor as h3 by cyd            -> held 100, until 10:09
         00:10  resize Floor 0                       -> rejected: manifest invalid, sections[2]: has a capacity of 0",
    );
}

/// What comes back only pays the debt (rule: ga-shrink).
#[test]
fn an_over_committed_section_offers_nothing_to_who_waits() {
    check(
        "floor Floor 4
         00:00  hold 4xFloor as h1 by bob            -> held 400, until 10:00
         00:01  join 1 any in Floor as h2            -> waiting, 1 in all
         00:02  resize Floor 2                       -> version 2, Floor over by 2
         00:03  release 2xFloor of h1 by bob         -> held
         00:04  release 3xFloor of h1 by bob         -> held
                => h2 offered 1xFloor 100, until 10:04",
    );
}

/// Limits and times of new requests; what was granted stands (rule: policy-change).
#[test]
fn another_policy_holds_from_now_on() {
    check(
        "00:00  hold A1 A2 A3 as h1                  -> held 3000, until 10:00
         00:01  policy places_per_hold 2, ttl 5m     -> done
         00:01  policy places_per_hold 2, ttl 5m     -> done
         00:02  hold A4 A5 A6 as h2                  -> rejected: places_per_hold_max is 2
         00:02  hold A4 A5 as h2                     -> held 2000, until 05:02
         00:03  hold A1 A2 A3 as h1                  -> held 3000, until 10:00
         00:03  hold A1 A2 A3 as h1 for 5m           -> rejected: id reused, another ttl_ms
         00:03  hold A1 A2 A3 as h1 for 10m          -> held 3000, until 10:00
         00:04  confirm h1 for o1                    -> confirmed A1 A2 A3 3000 for o1",
    );
}

/// Whoever named a highest price is looked at anew (rule: waitlist-wish).
#[test]
fn a_price_that_falls_serves_who_waits_for_it() {
    check(
        "category Gold 3000
         row A 2 in West, at Gold
         00:00  join 2 together under 2000 in West as h1 -> waiting, 1 in all, never as the house is
         00:01  reprice Gold 1900                    -> version 2
                => h1 offered A1 A2 3800, until 10:01
         00:02  add category Silver 500              -> version 3
         00:02  join 1 any at Silver as h2 by bob    -> waiting, 1 in all, never as the house is
         00:03  release h1                           -> released
         00:04  recategorise A2 at Silver            -> version 4
                => h2 offered A2 500, until 10:04",
    );
}

/// Not even for whoever asks in the same step (rule: mass-return).
#[test]
fn a_mass_of_new_seats_is_withheld_until_its_turn() {
    check(
        "row A 1 in West
         00:00  hold A1 as h1 by bob                 -> held 1000, until 10:00
         00:01  join 2 together as h2                -> waiting, 1 in all, never as the house is
         00:02  add row B 65 in West                 -> version 2
         00:03  best 2 together as h3 by cyd         -> held B34 B35 2000, until 10:03, together
                => B1-B65 from returning:new; h2 offered B32 B33 2000, until 10:03",
    );
}

/// A show's manifest changes at most 10,000 times (rule: bounded).
#[test]
fn changes_are_bounded() {
    let mut inventory = crate::inventory::scenario::run("00:00  reprice Seat 1500  -> version 2");
    let show = &mut inventory.shows[0];
    show.manifest_version = super::MANIFEST_CHANGES_MAX + 1;
    let change = super::ManifestChange::SetCapacity(Some(5));
    let (now, mut events) = (super::Timestamp(2_000_000), Vec::new());
    let decided = super::decide(show, &change, now, &mut events);
    assert_eq!(decided.unwrap_err().to_string(), "manifest_changes_max is 10000");
    let again =
        super::ManifestChange::Reprice { category: super::super::manifest::CategoryIndex(0), price_minor: 1_500 };
    assert!(super::decide(show, &again, now, &mut events).is_ok(), "the last one may come again");
    assert!(events.is_empty());
}

/// Nobody saw a version that is still to come: it is another show's, or a mistake (rule: manifest-version).
#[test]
fn a_version_that_is_not_reached_is_refused_whoever_names_it() {
    check(
        "00:00  hold A1 as h1 seen 2                 -> rejected: the manifest is at version 1
         00:00  hold A99 as h1 seen 2                -> rejected: the manifest is at version 1
         00:00  best 1 any as h1 seen 2              -> rejected: the manifest is at version 1
         00:00  sell A1 as h1 for o1 seen 2          -> rejected: the manifest is at version 1
         00:00  sell A1 as h1 for o1 seen 1          -> confirmed A1 1000 for o1
         00:01  exchange A2 of h1 seen 2             -> rejected: the manifest is at version 1
         00:02  reprice Seat 1500                    -> version 2
         00:03  exchange A2 of h1 seen 2             -> confirmed A2 1500 for o1, difference 500",
    );
}
