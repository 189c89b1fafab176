//! What makes frames a sequence: the checks that every replay makes, whatever kept the frames, and their counterpart,
//! the making of the next frame.
//!
//! It reads and writes nothing; its caller brings the stored bytes in the order of their keys.

use crate::frame::{self, Frame, FrameHash};
use crate::log::ReplayStop;
use crate::{LogError, Lsn, ShardEpoch, ShardId};

/// The end of a log: its last frame. The next one goes on from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// The last frame's position; [`Lsn::ZERO`] when there is none.
    pub lsn: Lsn,
    /// The last frame's hash; [`FrameHash::ZERO`] when there is none.
    pub hash: FrameHash,
    /// The last frame's clock reading, in milliseconds since the Unix epoch; 0 when there is none.
    pub clock_ms: u64,
}

impl Tail {
    /// The end of an empty log.
    pub const EMPTY: Tail = Tail { lsn: Lsn::ZERO, hash: FrameHash::ZERO, clock_ms: 0 };
}

/// Encodes the frame that follows `tail` into `buffer` and says what the tail is once that frame is durable.
///
/// # Errors
/// [`LogError::ClockFell`] and [`LogError::PayloadTooLarge`]: frames that no replay would accept are never made.
pub(crate) fn encode_next(
    (shard, epoch): (ShardId, ShardEpoch),
    tail: &Tail,
    (clock_ms, payload): (u64, &[u8]),
    buffer: &mut Vec<u8>,
) -> Result<Tail, LogError> {
    let lsn = tail.lsn.next();
    if clock_ms < tail.clock_ms {
        return Err(LogError::ClockFell { shard, lsn, clock_ms, previous_ms: tail.clock_ms });
    }
    frame::encode(&Frame { shard, epoch, lsn, clock_ms, payload }, tail.hash, buffer)?;
    Ok(Tail { lsn, hash: FrameHash::of(buffer), clock_ms })
}

/// A replay under way: it is given each stored frame and lets through what is the right next one.
pub(crate) struct Chain {
    shard: ShardId,
    /// The first frame to be visited.
    from: Lsn,
    /// Where the next frame must stand.
    expected: Lsn,
    /// The frame before; `None` until the anchor has been read.
    last: Option<Link>,
}

/// What a frame must agree with: the one before it.
struct Link {
    tail: Tail,
    epoch: ShardEpoch,
}

impl Chain {
    /// Visits from `from` on, in a log that begins behind `start`. Reading must begin at [`Chain::first_read`]: the frame
    /// before `from` is read too, as the anchor, because the first visited frame can only be checked against it.
    ///
    /// # Errors
    /// [`LogError::Trimmed`].
    pub(crate) fn starting_at(shard: ShardId, from: Lsn, start: Lsn) -> Result<Chain, LogError> {
        let from = if from == Lsn::ZERO { start.next() } else { from };
        if from <= start {
            return Err(LogError::Trimmed { shard, from, start });
        }
        if from == Lsn::FIRST {
            let last = Some(Link { tail: Tail::EMPTY, epoch: ShardEpoch::ZERO });
            return Ok(Chain { shard, from, expected: Lsn::FIRST, last });
        }
        Ok(Chain { shard, from, expected: Lsn(from.0 - 1), last: None })
    }

    /// Visits from `from` on, and checks every frame from `first` on, of which the first is believed by itself: for frames
    /// that are copied together with the one that anchors them.
    pub(crate) fn anchored(shard: ShardId, first: Lsn, from: Lsn) -> Chain {
        let last = (first == Lsn::FIRST).then_some(Link { tail: Tail::EMPTY, epoch: ShardEpoch::ZERO });
        Chain { shard, from, expected: first, last }
    }

    /// Where the reading must begin.
    pub(crate) fn first_read(&self) -> Lsn {
        self.expected
    }

    /// Takes the frame stored at `at`, and visits it unless it is the anchor.
    ///
    /// # Errors
    /// Whatever is wrong with the frame or its place, or [`LogError::Rejected`] with the visitor's own error.
    pub(crate) fn read(
        &mut self,
        at: Lsn,
        encoded: &[u8],
        visit: &mut dyn FnMut(Frame<'_>) -> Result<(), ReplayStop>,
    ) -> Result<(), LogError> {
        let frame = self.accept(at, encoded)?;
        if frame.lsn < self.from {
            return Ok(());
        }
        visit(frame).map_err(|source| LogError::Rejected { shard: self.shard, lsn: at, source })
    }

    /// Whether this frame is to be visited, rather than to anchor the others.
    pub(crate) fn is_visited(&self, lsn: Lsn) -> bool {
        lsn >= self.from
    }

    /// The tail and the epoch of the last frame, once all stored frames have been read.
    ///
    /// # Errors
    /// [`LogError::PastEnd`] when the log ends before the frame that was to anchor the replay.
    pub(crate) fn end(&self) -> Result<(Tail, ShardEpoch), LogError> {
        let link = self.last.as_ref().ok_or(LogError::PastEnd { shard: self.shard, from: self.from })?;
        Ok((link.tail, link.epoch))
    }

    /// Takes the frame stored at `at`, which the caller visits or not.
    ///
    /// # Errors
    /// Whatever is wrong with the frame or its place.
    pub(crate) fn accept<'a>(&mut self, at: Lsn, encoded: &'a [u8]) -> Result<Frame<'a>, LogError> {
        let shard = self.shard;
        if at != self.expected {
            return Err(LogError::Gap { shard, expected: self.expected, found: at });
        }
        let (frame, previous) =
            frame::decode(encoded).map_err(|reason| LogError::Corrupt { shard, lsn: at, reason })?;
        if (frame.shard, frame.lsn) != (shard, at) {
            let (found_shard, found_lsn) = (frame.shard, frame.lsn);
            return Err(LogError::Misplaced { shard, lsn: at, found_shard, found_lsn });
        }
        if let Some(last) = &self.last {
            last.check_followed_by(&frame, previous)?;
        }
        let tail = Tail { lsn: at, hash: FrameHash::of(encoded), clock_ms: frame.clock_ms };
        self.last = Some(Link { tail, epoch: frame.epoch });
        self.expected = at.next();
        Ok(frame)
    }
}

impl Link {
    fn check_followed_by(&self, frame: &Frame<'_>, previous: FrameHash) -> Result<(), LogError> {
        let Frame { shard, lsn, epoch, clock_ms, .. } = *frame;
        if previous != self.tail.hash {
            return Err(LogError::ChainBroken { shard, lsn, expected: self.tail.hash, found: previous });
        }
        if epoch < self.epoch {
            return Err(LogError::EpochFell { shard, lsn, epoch, previous: self.epoch });
        }
        if clock_ms < self.tail.clock_ms {
            return Err(LogError::ClockFell { shard, lsn, clock_ms, previous_ms: self.tail.clock_ms });
        }
        Ok(())
    }
}

/// The tail and the epoch that a log's last stored frame gives; of an empty log when there is none.
///
/// # Errors
/// [`LogError::Corrupt`] and [`LogError::Misplaced`]: the frame is checked by itself, not against the one before.
pub(crate) fn tail_of(shard: ShardId, last: Option<(Lsn, &[u8])>) -> Result<(Tail, ShardEpoch), LogError> {
    let Some((at, encoded)) = last else { return Ok((Tail::EMPTY, ShardEpoch::ZERO)) };
    let mut chain = Chain { shard, from: at.next(), expected: at, last: None };
    chain.accept(at, encoded)?;
    chain.end()
}

#[cfg(test)]
mod tests;
