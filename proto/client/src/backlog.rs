//! How long calls wait before they are sent, and who is put off then: the same mercy as the server's, where it costs least.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use tonic::Status;
use usher_proto::v1::command::Command as Kind;

use crate::{error::Refused, reason::Reason};

/// What the calls of a connection wait for.
#[derive(Clone, Debug)]
pub(crate) struct Backlog {
    /// Milliseconds that the call that was sent last had waited.
    waited_ms: Arc<AtomicU64>,
    wait_max: Duration,
}

impl Backlog {
    pub(crate) fn new(wait_max: Duration) -> Self {
        Self { waited_ms: Arc::default(), wait_max }
    }

    /// A call that waited since then is sent.
    pub(crate) fn note(&self, since: Instant) {
        let waited = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.waited_ms.store(waited, Ordering::Relaxed);
    }

    /// Whether one more may wait, where some do; those who settle something always may.
    ///
    /// # Errors
    /// [`put_off`].
    pub(crate) fn check(&self, settles: bool) -> Result<(), Box<Refused>> {
        let waited = Duration::from_millis(self.waited_ms.load(Ordering::Relaxed));
        if waited <= self.wait_max(settles) { Ok(()) } else { Err(put_off(waited)) }
    }

    /// How long others may have waited when one more may wait.
    pub(crate) fn wait_max(&self, settles: bool) -> Duration {
        if settles { Duration::MAX } else { self.wait_max }
    }
}

/// The refusal where others have waited for so long, as the server's would be.
pub(crate) fn put_off(waited: Duration) -> Box<Refused> {
    let message = format!("too many calls wait in the client: for {} ms already", waited.as_millis());
    let refused = Refused::from(Status::resource_exhausted(message));
    Box::new(Refused { reason: Reason::Overloaded, retry_after: Some(waited), ..refused })
}

/// Whether it is of somebody who has something: he pays for it, keeps it or gives it back.
pub(crate) fn settles(command: &Kind) -> bool {
    match command {
        Kind::ExtendHold(_)
        | Kind::ReleaseHold(_)
        | Kind::ConfirmHold(_)
        | Kind::PinHold(_)
        | Kind::UnpinHold(_)
        | Kind::CancelBooking(_)
        | Kind::LeaveWaitlist(_) => true,
        Kind::HoldSeats(_)
        | Kind::GetHold(_)
        | Kind::HoldBest(_)
        | Kind::SellPlaces(_)
        | Kind::TransferBooking(_)
        | Kind::ExchangeSeats(_)
        | Kind::JoinWaitlist(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use usher_proto::v1;

    use super::*;

    #[test]
    fn where_calls_wait_claims_are_put_off_and_who_pays_is_not() {
        let backlog = Backlog::new(Duration::from_millis(500));
        let (hold, confirm) =
            (Kind::HoldSeats(v1::HoldSeatsRequest::default()), Kind::ConfirmHold(v1::ConfirmHoldRequest::default()));
        assert!(backlog.check(settles(&hold)).is_ok());
        backlog.note(Instant::now() - Duration::from_secs(1));
        let refused = backlog.check(settles(&hold)).unwrap_err();
        assert_eq!(refused.reason, Reason::Overloaded);
        assert!(refused.retry_after.unwrap() >= Duration::from_secs(1));
        assert!(backlog.check(settles(&confirm)).is_ok());
        backlog.note(Instant::now());
        assert!(backlog.check(settles(&hold)).is_ok());
    }
}
