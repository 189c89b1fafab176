//! Feature tests as text: one line a step, what is asked on the left, what is answered on the right.
//!
//! ```text
//! 00:00  hold A1 A2 2xFloor as h1 for 5m by ada  -> held 2200, until 05:00
//! 00:01  confirm A1 of h1 for order-1            -> confirmed A1 1000 for order-1
//! 00:02  join 1 any as h2 by bob                 -> waiting, 1 in all
//! 00:03  cancel h1                               -> cancelled
//!        => h2 offered A1 1000, until 10:03
//! 00:04  seats                                   -> A1 held
//! ```
//! `=>` tells what followed for those who wait, and what time brought about; expiries only after `tell expiries`. What
//! is due happens before each step, unless `no sweep` stands before.
//!
//! Unless directives before the first step say otherwise (`scenario/hall.rs`), the show has sections A and B of one row
//! of ten seats at 1000 each, and a Floor of 100 units at 100, on sale from the beginning. What can be asked is in
//! `scenario/parse.rs`, how it is answered in `scenario/show.rs`.
//!
//! Every scenario is run three times, the second time with a recovery from the logged bytes after each step, the third
//! time with a snapshot, which is loaded. After each step the invariants are checked, and at the end a replay must have
//! the same state hash.

mod hall;
mod parse;
mod show;
mod world;

use super::Inventory;
use world::{Recovery, World};

/// Runs a scenario and returns what came of it, for tests that look inside.
pub(super) fn run(text: &str) -> Inventory {
    let world = World::run(text, Recovery::None);
    assert!(world.differences.is_empty(), "it came differently:\n{}", world.differences.join("\n"));
    world.inventory
}

/// Runs a scenario.
pub(super) fn check(text: &str) {
    for recovery in [Recovery::None, Recovery::Replay, Recovery::Snapshot] {
        let world = World::run(text, recovery);
        assert!(world.differences.is_empty(), "it came differently ({recovery:?}):\n{}", world.differences.join("\n"));
        assert_eq!(world.replayed().state_hash(), world.inventory.state_hash(), "replay of\n{text}");
    }
}
