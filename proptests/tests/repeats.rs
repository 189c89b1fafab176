//! Every request may be sent again: a granted command, repeated at once, is granted, and changes nothing. Few may be
//! refused then; they change nothing either.
//!
//! `USHER_REPEAT_HISTORIES` says over how many random histories (500 unless set).

use usher_engine::{
    event::{Event, ShowCreated},
    ids::ShowNumber,
    inventory::{Answer, Inventory, sale::ShowState},
    shard::Outcome,
    time::Timestamp,
};
use usher_proptests::{
    commands::{Step, Timed, history},
    number_from_env,
    shrink::{explain, failure_of},
};

#[test]
fn a_granted_command_repeated_changes_nothing() {
    for seed in 1..=number_from_env("USHER_REPEAT_HISTORIES", 500) {
        let history = history(seed);
        if let Err(failure) = failure_of(&history, check) {
            panic!("{}", explain(seed, history, &failure, check));
        }
    }
}

fn check(history: &[Timed]) -> Result<(), String> {
    let mut inventory = Inventory::default();
    for Timed { at, step } in history {
        match step {
            Step::Create(created) => {
                let (number, mut events) = (inventory.next_number(), Vec::new());
                let created = inventory.decide_create(ShowCreated::clone(created), &mut events);
                apply(&mut inventory, number, events, *at);
                drop(created);
            }
            Step::Sweep { max } => {
                for (show, due) in inventory.take_due(*at, *max) {
                    let mut events = Vec::new();
                    inventory.fall_due(show, due, &mut events);
                    apply(&mut inventory, show, events, *at);
                }
            }
            Step::Crash => {}
            Step::Ask(show, _) if inventory.show(*show).is_none() => {}
            Step::Ask(show, command) => {
                let decide = |inventory: &Inventory| -> (Outcome, Vec<Event>) {
                    let mut events = Vec::new();
                    (inventory.decide(*show, command, *at, &mut events), events)
                };
                let (first, events) = decide(&inventory);
                apply(&mut inventory, *show, events, *at);
                let (again, events) = decide(&inventory);
                // What has closed the sale, and the unpinning of a hold whose deadline has come meanwhile.
                let may_be_refused = match first {
                    Ok(Answer::Sale(state)) => state == ShowState::Closed,
                    Ok(Answer::Extended { expires_at, .. }) => expires_at <= *at,
                    _ => false,
                };
                if first.is_ok() && ((again.is_err() && !may_be_refused) || !events.is_empty()) {
                    return Err(format!("{command:?}\n  first {first:?}\n  again {again:?} with {events:?}"));
                }
            }
        }
    }
    Ok(())
}

fn apply(inventory: &mut Inventory, show: ShowNumber, events: Vec<Event>, at: Timestamp) {
    events.into_iter().for_each(|mut event| inventory.apply(show, &mut event, at));
    while let Some(mut event) = inventory.follow(show, at) {
        inventory.apply(show, &mut event, at);
    }
}
