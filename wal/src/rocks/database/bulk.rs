//! Whole stretches of a shard's log, out of a database and into a new one, byte for byte.
//!
//! What is put into a new one is not durable before [`Database::close_in_order`]; nothing serves from it until then.

use std::ops::ControlFlow;

use rocksdb::WriteBatch;

use super::{Database, LOG, META, encode_start, frame_key, meta_key};
use crate::chain::Chain;
use crate::rocks::options;
use crate::{Durability, EncodedVisit, LogError, LogStart, Lsn, ShardEpoch, ShardId, Tail};

impl Database {
    /// Visits the frames of a shard from `from` on with their bytes, all verified, until the visitor has enough. The first
    /// is believed by itself. Returns the last one's tail and epoch, and whether it is the last of the log.
    ///
    /// # Errors
    /// What is wrong with a frame; [`LogError::PastEnd`] where there is none at `from`.
    pub(in crate::rocks) fn export(
        &self,
        shard: ShardId,
        from: Lsn,
        visit: &mut EncodedVisit<'_>,
    ) -> Result<(Tail, ShardEpoch, bool), LogError> {
        let mut chain = Chain::anchored(shard, from, from);
        let mut frames = self.frames(shard, from)?;
        frames.seek_to_first();
        while let Some((key, encoded)) = frames.item() {
            let at = self.lsn_of(key)?;
            let frame = chain.accept(at, encoded)?;
            let visited = visit(frame, encoded).map_err(|source| LogError::Rejected { shard, lsn: at, source })?;
            if visited == ControlFlow::Break(()) {
                let (tail, epoch) = chain.end()?;
                return Ok((tail, epoch, false));
            }
            frames.next();
        }
        // An iterator that met damage ends like one that met the end.
        frames.status().map_err(|error| self.storage(error))?;
        let (tail, epoch) = chain.end()?;
        Ok((tail, epoch, true))
    }

    /// Puts encoded frames of a shard into a new database.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub(in crate::rocks) fn import(&self, shard: ShardId, frames: &[(Lsn, Vec<u8>)]) -> Result<(), LogError> {
        let log = self.family(LOG)?;
        let mut batch = WriteBatch::default();
        for (lsn, encoded) in frames {
            batch.put_cf(log, frame_key(shard, *lsn), encoded);
        }
        let result = self.db.write_opt(batch, &options::write(Durability::Os));
        self.written(result).map_err(|error| self.storage(error))
    }

    /// Says where the log of a shard of a new database begins, and which epoch was its last.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub(in crate::rocks) fn put_beginning(
        &self,
        shard: ShardId,
        start: &LogStart,
        epoch: ShardEpoch,
    ) -> Result<(), LogError> {
        let meta = self.family(META)?;
        let mut batch = WriteBatch::default();
        batch.put_cf(meta, meta_key(b"epoch", shard), epoch.0.to_le_bytes());
        if start.lsn > Lsn::ZERO {
            batch.put_cf(meta, meta_key(b"start", shard), encode_start(start));
        }
        let result = self.db.write_opt(batch, &options::write(Durability::Os));
        self.written(result).map_err(|error| self.storage(error))
    }
}
