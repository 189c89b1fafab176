//! The engine and the naive model agree on everything, over random histories.
//!
//! `USHER_MODEL_COMMANDS` says how many commands (150,000 unless set), `USHER_MODEL_SEED` with which seed to begin.
//! A failure prints its seed and a short history; its seed belongs into `REGRESSIONS` then.

use usher_proptests::{
    agreement::check,
    commands::{Timed, history},
    coverage::Coverage,
    number_from_env,
    shrink::{explain, failure_of},
};

/// Seeds that once failed, or would if the engine forgot a rule that is seldom needed; run before all others.
const REGRESSIONS: [u64; 7] = [8, 1_159, 1_397, 2_642, 3_872, 4_362, 2_423];

#[test]
fn engine_and_naive_model_agree() {
    let commands = number_from_env("USHER_MODEL_COMMANDS", 150_000);
    let first = number_from_env("USHER_MODEL_SEED", 1);
    let mut coverage = Coverage::default();
    REGRESSIONS.into_iter().for_each(|seed| coverage.add(run(seed)));
    let mut seed = first;
    while coverage.commands() < commands {
        coverage.add(run(seed));
        seed += 1;
    }
    println!("{} commands, seeds {first} to {}\n{coverage}", coverage.commands(), seed - 1);
    assert_eq!(coverage.unlisted(), [""; 0], "outcomes that the list does not know");
    let min = (coverage.commands() / 100_000).max(1);
    assert_eq!(coverage.missing(min), [""; 0], "outcomes reached less than {min} times");
}

fn run(seed: u64) -> Coverage {
    let history: Vec<Timed> = history(seed);
    match failure_of(&history, check) {
        Ok(coverage) => coverage,
        Err(failure) => panic!("{}", explain(seed, history, &failure, check)),
    }
}
