//! The one source of randomness of the process: ids that the command line and the load generator make up.

use uuid::Uuid;

/// A hold id nobody else has: a UUID of version 7.
#[must_use]
pub fn new_hold_id() -> Uuid {
    Uuid::now_v7()
}
