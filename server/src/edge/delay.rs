//! How long whatever comes in on this thread waits until it is looked at.
//!
//! A thread that serves connections has a queue, too: its tasks. Now and then one more goes to the end of it, and measures how
//! long it takes to get to the front.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use crate::metrics::histogram::Histogram;

/// How often.
const INTERVAL: Duration = Duration::from_millis(5);

thread_local! {
    static DELAY: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// The delay of the thread that asks; none on any other.
pub(crate) fn delay() -> Duration {
    DELAY.get()
}

/// Measures for as long as the thread serves.
pub(super) async fn measure(told: &Histogram) -> std::convert::Infallible {
    let mut before = Duration::ZERO;
    loop {
        let due = Instant::now() + INTERVAL;
        tokio::time::sleep_until(due.into()).await;
        tokio::task::yield_now().await;
        let delay = due.elapsed();
        // A queue stands; a thread that stood still for once has none.
        DELAY.set(delay.min(before));
        before = delay;
        told.observe_time(delay, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::histogram::TIMES;

    #[tokio::test(flavor = "current_thread")]
    async fn a_thread_with_much_to_do_is_late() {
        let busy = async {
            for _ in 0..20 {
                std::thread::sleep(Duration::from_millis(40));
                tokio::task::yield_now().await;
            }
        };
        let told = Histogram::new(TIMES);
        tokio::select! { biased; () = busy => {}, never = measure(&told) => match never {} }
        assert!(delay() >= Duration::from_millis(20), "{:?}", delay());
    }
}
