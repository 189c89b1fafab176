//! Properties of the whole: what must hold whatever is asked, in whatever order, and wherever the process dies.
//!
//! Reading order: [`naive`] (the rules once more, in the plainest way), [`commands`] (random histories from a seed),
//! [`coverage`] (what such histories have reached), [`agreement`] (engine and naive model side by side), [`shrink`]
//! (the short form of a history that fails), [`ledger`] (what callers were told) and [`world`] (a shard on a disk that
//! fails). The properties themselves are in `tests/`.
//!
//! Nothing here is imported by a product crate, and nothing here is fast.

#![expect(clippy::unwrap_used, reason = "all of this is test code: what is not as it must be ends the test")]

pub mod agreement;
pub mod commands;
pub mod coverage;
pub mod ledger;
pub mod naive;
pub mod shrink;
pub mod world;

/// A number from the environment, or `default` when the variable is not set.
///
/// # Panics
/// When the variable is no number.
#[must_use]
pub fn number_from_env(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} must be a number, is {text:?}")),
        Err(_) => default,
    }
}
