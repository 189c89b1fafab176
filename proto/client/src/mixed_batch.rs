//! Many plain commands for several shows at once, in columns.
//!
//! ```no_run
//! # async fn example(inventory: &usher_client::Inventory) -> Result<(), usher_client::Error> {
//! let mut batch = usher_client::MixedBatch::default();
//! batch.of("gala").hold([1; 16], "ada", &[7]);
//! batch.of("club").release([2; 16], "bob");
//! let became = inventory.run_mixed_batch(batch).await?;
//! assert_eq!(became.len(), 2);
//! # Ok(())
//! # }
//! ```

use std::collections::HashMap;

use usher_proto::v1;

use crate::Batch;

/// Commands for several shows. Those for each show are run in the order in which they are added.
#[derive(Clone, Debug, Default)]
pub struct MixedBatch {
    show_ids: Vec<String>,
    known: HashMap<Box<str>, u32>,
    /// Of each command but those of the last show that was named.
    shows: Vec<u32>,
    last: u32,
    batch: Batch,
}

impl MixedBatch {
    /// With room for so many commands.
    #[must_use]
    pub fn with_capacity(commands: usize) -> Self {
        Self { shows: Vec::with_capacity(commands), batch: Batch::with_capacity(commands), ..Self::default() }
    }

    /// What is added to this is for that show, until another one is named.
    pub fn of(&mut self, show_id: &str) -> &mut Batch {
        self.shows.resize(self.batch.len(), self.last);
        self.last = self.known.get(show_id).copied().unwrap_or_else(|| self.add(show_id));
        &mut self.batch
    }

    /// How many commands it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    fn add(&mut self, show_id: &str) -> u32 {
        let position = u32::try_from(self.show_ids.len()).expect("fewer than 2^32 shows");
        self.known.insert(show_id.into(), position);
        self.show_ids.push(show_id.to_owned());
        position
    }
}

/// As a `Session` has it.
impl From<MixedBatch> for v1::SessionBatch {
    fn from(mixed: MixedBatch) -> Self {
        let MixedBatch { show_ids, mut shows, last, batch, .. } = mixed;
        shows.resize(batch.len(), last);
        let columns = v1::CommandColumns { shows, ..batch.into() };
        Self { show_ids, columns: Some(columns), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_is_of_the_show_that_was_named_last() {
        let mut mixed = MixedBatch::default();
        mixed.of("a").hold([1; 16], "ada", &[1]);
        mixed.of("nobody asks for this one");
        mixed.of("b").hold([2; 16], "ada", &[2]);
        mixed.of("a").release([1; 16], "ada");
        mixed.of("a").release([1; 16], "ada");
        let of_a = mixed.of("a");
        of_a.release([3; 16], "ada");
        of_a.release([4; 16], "ada");
        assert_eq!((mixed.len(), mixed.is_empty()), (6, false));
        let wire = v1::SessionBatch::from(mixed);
        assert_eq!(wire.show_ids, ["a", "nobody asks for this one", "b"]);
        assert_eq!(wire.columns.unwrap().shows, [0, 2, 0, 0, 0, 0]);
    }
}
