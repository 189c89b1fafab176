//! The id of the data directory that a database belongs to.

use super::{Database, META};
use crate::identity::DirectoryId;
use crate::rocks::options;
use crate::{Durability, LogError};

const IDENTITY: &[u8] = b"identity";

impl Database {
    /// The directory's id; `None` of one that only earlier releases have opened for writing.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub(in crate::rocks) fn identity(&self) -> Result<Option<DirectoryId>, LogError> {
        let stored = self.db.get_pinned_cf(self.family(META)?, IDENTITY).map_err(|error| self.storage(error))?;
        let Some(stored) = stored else { return Ok(None) };
        let id = <[u8; 16]>::try_from(stored.as_ref());
        let id = id.map_err(|_| self.malformed("the directory's id is not sixteen bytes".to_owned()))?;
        Ok(Some(DirectoryId(id)))
    }

    /// Gives the directory an id, unless it has one; durable when it returns `Ok`.
    ///
    /// # Errors
    /// [`LogError::Storage`], [`LogError::Io`].
    pub(super) fn give_identity(&self) -> Result<(), LogError> {
        if self.identity()?.is_some() {
            return Ok(());
        }
        self.set_identity(DirectoryId::random()?)
    }

    /// Gives the directory this id; durable when it returns `Ok`.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub(in crate::rocks) fn set_identity(&self, id: DirectoryId) -> Result<(), LogError> {
        let write = options::write(Durability::Fsync);
        let result = self.db.put_cf_opt(self.family(META)?, IDENTITY, id.0, &write);
        self.written(result).map_err(|error| self.storage(error))
    }
}
