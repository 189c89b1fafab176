//! All that can be answered to each command.

/// By command. Out of reach are only the limits of shows of a shard, marks, channels and changes of a manifest.
pub(super) const REACHABLE: &[(&str, &[&str])] = &[];
