//! What panics on a state that must not be, as an error: a damaged directory is a finding of the tools, not their end.

use std::panic::{self, AssertUnwindSafe};

/// Events that do not follow from the state before them.
#[derive(Debug, thiserror::Error)]
#[error("its events do not fit what was before them: {0}")]
pub(super) struct Unfit(pub(super) String);

/// Runs this without a word on standard error about what panics in it.
pub(super) fn silently<T>(run: impl FnOnce() -> T) -> T {
    let told = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let done = run();
    panic::set_hook(told);
    done
}

/// Runs what panics on a state that must not be; returns the panic's words.
pub(super) fn calm<T>(run: impl FnOnce() -> T) -> Result<T, Unfit> {
    // What it was changing is not looked at any more.
    panic::catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        Unfit(text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words").to_owned())
    })
}
