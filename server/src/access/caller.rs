//! Who calls, once that is known.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use super::Grant;
use crate::status::Refusal;

/// Somebody who may do something.
#[derive(Clone, Debug)]
pub struct Caller {
    /// As the trail names him: `key:…`, `token:…`, `certificate:…`. Never a secret.
    pub name: String,
    /// What he may do.
    pub grant: Grant,
    /// Becomes false when what he is known by is revoked or changed; streams look at it again and again.
    pub(super) is_valid: Arc<AtomicBool>,
    /// The end of what he is known by.
    pub(super) expires_at: Option<SystemTime>,
}

impl Caller {
    pub(super) fn new(name: String, grant: Grant) -> Self {
        Self { name, grant, is_valid: Arc::new(AtomicBool::new(true)), expires_at: None }
    }

    /// Whether he is still known.
    ///
    /// # Errors
    /// The refusal.
    pub(super) fn check_valid(&self) -> Result<(), Refusal> {
        if !self.is_valid.load(Ordering::Relaxed) {
            return Err(Refusal::unauthenticated("CREDENTIALS_REVOKED", "the credentials were revoked or changed"));
        }
        if self.expires_at.is_some_and(|end| end <= SystemTime::now()) {
            return Err(Refusal::unauthenticated("CREDENTIALS_EXPIRED", "the credentials have expired"));
        }
        Ok(())
    }
}
