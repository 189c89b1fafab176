//! Which data directory one is: sixteen random bytes that it is given once, and keeps wherever it is moved.
//!
//! It is made here and kept by `rocks`; `backup` goes by it, so that the logs of two directories never mix.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::LogError;

/// A data directory's own id. A copy has the same one, and so has what is restored in its place;
/// what is restored elsewhere is another directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DirectoryId(pub [u8; 16]);

impl DirectoryId {
    /// One that nobody else has.
    ///
    /// # Errors
    /// [`LogError::Io`] where the system has no random bytes.
    pub(crate) fn random() -> Result<Self, LogError> {
        let (source, mut bytes) = (Path::new("/dev/urandom"), [0; 16]);
        let read = File::open(source).and_then(|mut file| file.read_exact(&mut bytes));
        read.map(|()| Self(bytes)).map_err(LogError::io(source))
    }
}

impl fmt::Display for DirectoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<DirectoryId> for String {
    fn from(id: DirectoryId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for DirectoryId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<DirectoryId, Self::Error> {
        // Only as it is written.
        let id = u128::from_str_radix(&text, 16).map(|id| DirectoryId(id.to_be_bytes())).ok();
        id.filter(|id| id.to_string() == text).ok_or("the id of a data directory is not 32 digits")
    }
}
