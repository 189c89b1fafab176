//! From a history that fails to a short one that still does, and to words that say how to run it again.
//!
//! It takes steps away one by one, and does not make the steps themselves simpler: histories are small as they are.

use std::{
    fmt::Display,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// What went wrong with a history, an error or a panic, if anything.
pub fn failure_of<S, T>(history: &[S], check: impl Fn(&[S]) -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(|| check(history))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("panicked: {}", text.unwrap_or("without words")))
    })
}

/// The words for a failing history: its seed, what went wrong, and the shortest part of it that fails still.
pub fn explain<S, T>(seed: u64, history: Vec<S>, failure: &str, check: impl Fn(&[S]) -> Result<T, String>) -> String
where
    S: Clone + Display,
{
    // The panics of the shortening would bury what it finds.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let short = shorten(history, &check);
    let last_failure = failure_of(&short, &check).err();
    std::panic::set_hook(hook);
    let steps: Vec<String> = short.iter().map(|step| format!("  {step}")).collect();
    let last_failure = last_failure.unwrap_or_default();
    format!("seed {seed}: {failure}\n\nshortest history:\n{}\n\nends with: {last_failure}", steps.join("\n"))
}

fn shorten<S: Clone, T>(mut history: Vec<S>, check: impl Fn(&[S]) -> Result<T, String>) -> Vec<S> {
    let mut length = history.len() + 1;
    while history.len() < length {
        length = history.len();
        for position in (0..length).rev() {
            let mut shorter = history.clone();
            shorter.remove(position);
            if failure_of(&shorter, &check).is_err() {
                history = shorter;
            }
        }
    }
    history
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_needed_goes() {
        let fails = |history: &[u32]| {
            let both = history.contains(&3) && history.contains(&7);
            if both { Err("three and seven".to_owned()) } else { Ok(()) }
        };
        let text = explain(5, (0..10).collect(), "it failed", fails);
        assert_eq!(text, "seed 5: it failed\n\nshortest history:\n  3\n  7\n\nends with: three and seven");
    }

    #[test]
    fn a_panic_is_a_failure() {
        let failure = failure_of(&[1], |_| -> Result<(), String> { panic!("broken {}", 1) });
        assert_eq!(failure, Err("panicked: broken 1".to_owned()));
    }
}
