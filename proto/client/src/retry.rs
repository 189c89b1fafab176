//! When a call is sent again, and when the next attempt is made.

use std::time::Duration;

use rand::RngExt as _;
use tonic::Code;

use crate::{error::Refused, reason::Reason};

/// Pause after the first attempt that failed; each one doubles it.
const FIRST: Duration = Duration::from_millis(10);
/// Longest pause but for what the server asks for.
const LONGEST: Duration = Duration::from_secs(1);

/// Whether the same command may help if it is sent again: it was not decided, or nobody knows. The ids make it safe.
pub(crate) fn is_worth_it(refused: &Refused) -> bool {
    match refused.reason {
        Reason::InboxFull
        | Reason::Overloaded
        | Reason::RateLimited
        | Reason::ConnectionsReached
        | Reason::DeadlineExceeded
        | Reason::OutcomeUnknown
        | Reason::ShardNotServing
        | Reason::ShardRecovering
        | Reason::DiskFull
        | Reason::DiskUnwritable
        | Reason::ShowMoved => true,
        // No server was there, or the connection broke; tonic has several codes for that.
        Reason::None => {
            matches!(refused.code, Code::Unavailable | Code::Unknown | Code::Internal | Code::Cancelled | Code::Aborted)
        }
        _ => false,
    }
}

/// Whether the next attempt is made at home, wherever this one was: the server was not there, or does not have the show.
pub(crate) fn asks_at_home(refused: &Refused) -> bool {
    matches!(refused.reason, Reason::None | Reason::ShardNotServing | Reason::ShowMoved)
}

/// How long to wait before the next attempt: what the server asked for at least, and a random part, so that those who were
/// refused together do not come back together.
pub(crate) fn pause(attempts: u32, refused: &Refused) -> Duration {
    let backoff = FIRST.saturating_mul(1 << attempts.min(10)).min(LONGEST);
    let asked = refused.retry_after.unwrap_or_default();
    asked + backoff.mul_f64(rand::rng().random_range(0.5..1.0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn refused(reason: Reason, retry_after: Option<Duration>) -> Refused {
        Refused {
            code: Code::Unavailable,
            reason,
            message: String::new(),
            metadata: BTreeMap::new(),
            seat_indexes: Vec::new(),
            ga: Vec::new(),
            retry_after,
        }
    }

    #[test]
    fn rules_are_not_asked_twice() {
        assert!(!is_worth_it(&refused(Reason::PlacesTaken, None)));
        assert!(!is_worth_it(&refused(Reason::Unknown("TOMORROW".into()), None)));
        assert!(is_worth_it(&refused(Reason::OutcomeUnknown, None)) && is_worth_it(&refused(Reason::None, None)));
    }

    #[test]
    fn pauses_grow_to_a_bound_and_never_below_what_was_asked_for() {
        let soon = refused(Reason::InboxFull, None);
        assert!(pause(0, &soon) < FIRST && pause(40, &soon) <= LONGEST && pause(40, &soon) >= LONGEST / 2);
        let later = refused(Reason::InboxFull, Some(Duration::from_secs(3)));
        assert!(pause(0, &later) >= Duration::from_secs(3));
    }
}
