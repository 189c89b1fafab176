//! x
use std::{hint::black_box, time::Instant};
use usher_benches::workload::{NOW, SHOW, confirms, holds, show, show_with};
use usher_engine::{command::Command, event::Event};
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
fn main() {
    let held = holds(1_000, 1_000, 0);
    let commands: Vec<Command> = held.iter().cloned().map(Command::HoldSeats).collect();
    let (mut d, mut a, mut c, mut r) = (u128::MAX, u128::MAX, u128::MAX, u128::MAX);
    for _ in 0..400 {
        let mut inventory = show(1_000);
        let mut events: Vec<Event> = Vec::with_capacity(2_000);
        let t = Instant::now();
        for command in &commands { black_box(inventory.decide(SHOW, command, NOW, &mut events)).ok(); }
        d = d.min(t.elapsed().as_nanos());
        let t = Instant::now();
        for event in events.drain(..) { inventory.apply(SHOW, event, NOW); }
        a = a.min(t.elapsed().as_nanos());
        let other: Vec<Command> = holds(1_000, 1_000, 1).into_iter().map(Command::HoldSeats).collect();
        let t = Instant::now();
        for command in &other { black_box(inventory.decide(SHOW, command, NOW, &mut events)).ok(); }
        r = r.min(t.elapsed().as_nanos());
        let confirms = confirms(&held);
        let t = Instant::now();
        for command in &confirms { black_box(inventory.decide(SHOW, command, NOW, &mut events)).ok(); }
        c = c.min(t.elapsed().as_nanos());
    }
    let _ = show_with;
    println!("decide {} apply {} refuse {} confirm-decide {}", d / 1000, a / 1000, r / 1000, c / 1000);
}
