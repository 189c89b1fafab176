//! The three numbers that name a frame: which shard, where in its log, written by which opening of it.
//!
//! They are types so that no two of them can be swapped. How they are stored is `frame`'s business and `rocks`'s.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A shard, counted from 0. Fixed for the life of a data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ShardId(pub u32);

impl ShardId {
    /// Where this shard stands in a list of all shards; past the end of any list where it does not fit.
    pub(crate) fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// The position of a frame in its shard's log. The first frame is 1; positions have no gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lsn(pub u64);

impl Lsn {
    /// Before the first frame: the tail of an empty log.
    pub const ZERO: Lsn = Lsn(0);
    /// The first frame of every log.
    pub const FIRST: Lsn = Lsn(1);

    /// The position after this one. A million frames a second would take 584,000 years to run out of them.
    #[must_use]
    pub const fn next(self) -> Lsn {
        Lsn(self.0 + 1)
    }
}

/// The fencing number of a shard: raised and stored at each opening of its log, so that an older handle is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ShardEpoch(pub u64);

impl ShardEpoch {
    /// Before the first opening.
    pub const ZERO: ShardEpoch = ShardEpoch(0);

    /// The epoch of the opening after this one.
    #[must_use]
    pub const fn next(self) -> ShardEpoch {
        ShardEpoch(self.0 + 1)
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ShardEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
