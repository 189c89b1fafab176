//! What must not be seen: no `Debug`, no log line and no error shows it.

use std::fmt;

/// A secret text. Whoever needs the text says so by name.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Keeps it.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text. Only to compare it, to hash it, or to hand it to its owner.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
