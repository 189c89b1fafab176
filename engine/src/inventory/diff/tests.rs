//! Diffs between a scenario and what follows it.

use super::*;
use crate::inventory::scenario::run;

const THEN: &str = "row A 6 in West
     00:00  hold A1 as h1 by bob                 -> held 1000, until 10:00
     00:00  confirm h1 for o1 by bob             -> confirmed A1 1000 for o1 by bob
     00:00  hold A2 as h2 by bob                 -> held 1000, until 10:00
     00:00  hold A3 as h3 by cyd                 -> held 1000, until 10:00
     00:00  confirm h3 for o3 by cyd             -> confirmed A3 1000 for o3 by cyd";

const SINCE: &str = "
     00:01  confirm h2 for o2 by bob             -> confirmed A2 1000 for o2 by bob
     00:01  hold A4 2xFloor as h4 by dan         -> held 1200, until 10:01
     00:01  cancel h3 by cyd                     -> cancelled, refund 1000
     00:01  block A6 house:guests                -> 1 changed";

#[test]
fn what_going_back_undoes_is_told() {
    let (then, now) = (run(THEN), run(&format!("{THEN}{SINCE}")));
    let found = diff(&then, &now).shows;
    let [show] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((show.exists, show.manifest_differs, show.waiting), ((true, true), false, (0, 0)));
    assert!(!show.policy_differs && show.sales.0 == show.sales.1);
    let seats: Vec<_> = show.seats.iter().map(|(seat, before, after)| (seat.0, *before, *after)).collect();
    use SeatStatus::{Available, Blocked, Held, Sold};
    assert_eq!(seats, [(1, Held, Sold), (2, Sold, Available), (3, Available, Held), (5, Available, Blocked)]);
    let [(_, before, after)] = show.units.as_slice() else { panic!("{:?}", show.units) };
    assert_eq!((before, after), (&[0, 0, 0], &[2, 0, 0]));
    let holds: Vec<_> = show.holds.iter().map(|own| (own.change, own.total_minor)).collect();
    use HoldChange::{HoldLost, SaleBack, SaleLost};
    assert_eq!(holds, [(SaleLost, 1000), (SaleBack, 1000), (HoldLost, 1200)]);
    let lost = &show.holds[0];
    assert_eq!(
        (lost.booking.as_ref().unwrap().order.to_string(), lost.buyer.to_string()),
        ("o2".to_owned(), "bob".to_owned())
    );
}

#[test]
fn what_is_equal_is_not_told_and_a_show_that_was_not_there_is() {
    let (then, same) = (run(THEN), run(THEN));
    let found = diff(&then, &same);
    assert!(found.shows.is_empty() && found.only_then.is_empty() && found.only_now.is_empty(), "{found:?}");
    let show = then.show(ShowNumber(0));
    assert_eq!(diff(&Inventory::default(), &then).only_now, [ShowNumber(0)]);
    let found = of_show(None, show).unwrap();
    assert_eq!(found.exists, (false, true));
    assert_eq!(found.seats.len(), 6, "every seat would be gone");
    let sales = found.holds.iter().filter(|own| own.change == HoldChange::SaleLost);
    assert_eq!(sales.count(), 2);
    assert_eq!(diff(&then, &Inventory::default()).only_then, [ShowNumber(0)]);
    assert_eq!(of_show(show, None).unwrap().exists, (true, false));
}
