//! Many plain commands for one show at once, in columns: for frontends that have thousands of them.
//!
//! ```no_run
//! # async fn example(inventory: &usher_client::Inventory) -> Result<(), usher_client::Error> {
//! use usher_client::{Batch, Became};
//!
//! let mut batch = Batch::default();
//! for (id, seat) in [([1; 16], 7), ([2; 16], 8)] {
//!     batch.hold(id, "ada", &[seat]);
//! }
//! for became in inventory.run_batch("gala", batch).await? {
//!     match became {
//!         Became::Held { expires_at_ms, .. } => println!("held until {expires_at_ms}"),
//!         Became::Taken => println!("somebody was faster"),
//!         other => println!("{other:?}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```

use usher_proto::v1::{self, outcome::Outcome as Answer};

use crate::error::Refused;

/// Most commands of a batch.
pub const BATCH_COMMANDS_MAX: usize = 4_096;

const HOLD: u8 = 1;
const CONFIRM: u8 = 2;
const RELEASE: u8 = 3;

/// Commands for one show, in the order in which they are added. What is malformed in one is refused in its place.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    kinds: Vec<u8>,
    hold_ids: Vec<u8>,
    buyer_ids: Vec<u8>,
    seat_counts: Vec<u8>,
    seat_indexes: Vec<u32>,
    references: Vec<u8>,
}

/// What became of a command of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Became {
    /// The seats are held.
    Held {
        /// The first instant at which it is no longer good.
        expires_at_ms: u64,
        /// What they cost together, in minor units.
        total_minor: u64,
    },
    /// None of the seats is available.
    Taken,
    /// The hold is sold under this order.
    Sold,
    /// The hold's places are given back.
    Released,
    /// Something else, as a single call would say it.
    Other(Box<Answer>),
    /// The server said no.
    Refused(Box<Refused>),
}

impl Batch {
    /// With room for so many.
    #[must_use]
    pub fn with_capacity(commands: usize) -> Self {
        Self {
            kinds: Vec::with_capacity(commands),
            hold_ids: Vec::with_capacity(16 * commands),
            buyer_ids: Vec::with_capacity(24 * commands),
            seat_counts: Vec::with_capacity(commands),
            seat_indexes: Vec::with_capacity(commands),
            references: Vec::new(),
        }
    }

    /// Holds seats, at most 255, for as long as the show has it.
    ///
    /// # Panics
    /// With more seats, or a buyer of more than 255 bytes.
    pub fn hold(&mut self, hold_id: [u8; 16], buyer_id: &str, seats: &[u32]) {
        self.add(HOLD, hold_id, buyer_id);
        self.seat_counts.push(u8::try_from(seats.len()).expect("at most 255 seats"));
        self.seat_indexes.extend_from_slice(seats);
    }

    /// Sells a hold as a whole.
    ///
    /// # Panics
    /// With an order, payment or buyer of more than 255 bytes.
    pub fn confirm(&mut self, hold_id: [u8; 16], buyer_id: &str, order_ref: &str, payment_ref: &str) {
        self.add(CONFIRM, hold_id, buyer_id);
        text(&mut self.references, order_ref);
        text(&mut self.references, payment_ref);
    }

    /// Gives a hold back as a whole.
    ///
    /// # Panics
    /// With a buyer of more than 255 bytes.
    pub fn release(&mut self, hold_id: [u8; 16], buyer_id: &str) {
        self.add(RELEASE, hold_id, buyer_id);
    }

    /// How many commands it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    fn add(&mut self, kind: u8, hold_id: [u8; 16], buyer_id: &str) {
        self.kinds.push(kind);
        self.hold_ids.extend_from_slice(&hold_id);
        text(&mut self.buyer_ids, buyer_id);
    }
}

/// As a batch of a `Session` has them.
impl From<Batch> for v1::CommandColumns {
    fn from(batch: Batch) -> Self {
        Self {
            kinds: batch.kinds.into(),
            hold_ids: batch.hold_ids.into(),
            buyer_ids: batch.buyer_ids.into(),
            seat_counts: batch.seat_counts.into(),
            seat_indexes: batch.seat_indexes,
            references: batch.references.into(),
            ttl_ms: None,
            shows: Vec::new(),
        }
    }
}

fn text(column: &mut Vec<u8>, text: &str) {
    column.push(u8::try_from(text.len()).expect("at most 255 bytes"));
    column.extend_from_slice(text.as_bytes());
}

/// Reads outcomes; nothing if they do not belong to the commands.
pub(crate) fn became(kinds: &[u8], wire: v1::OutcomeColumns) -> Option<Vec<Became>> {
    let mut holds = wire.expires_at_ms.into_iter().zip(wire.total_minor);
    let mut others = wire.others.into_iter();
    if wire.codes.len() != kinds.len() {
        return None;
    }
    let became = kinds.iter().zip(&wire.codes).map(|outcome| {
        Some(match outcome {
            (&HOLD, 0) => {
                let (expires_at_ms, total_minor) = holds.next()?;
                Became::Held { expires_at_ms, total_minor }
            }
            (&CONFIRM, 0) => Became::Sold,
            (&RELEASE, 0) => Became::Released,
            (&HOLD, 1) => Became::Taken,
            (_, 2) => match others.next()?.outcome? {
                Answer::Rejection(no) => Became::Refused(Box::new(no.into())),
                other => Became::Other(Box::new(other)),
            },
            _ => return None,
        })
    });
    became.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_that_do_not_fit_the_commands_are_none() {
        let held = v1::OutcomeColumns {
            codes: vec![0].into(),
            expires_at_ms: vec![5],
            total_minor: vec![7],
            ..Default::default()
        };
        let read = |kinds: &[u8], wire: &v1::OutcomeColumns| became(kinds, wire.clone());
        assert_eq!(read(&[HOLD], &held), Some(vec![Became::Held { expires_at_ms: 5, total_minor: 7 }]));
        assert_eq!(read(&[CONFIRM], &held), Some(vec![Became::Sold]));
        assert_eq!(read(&[HOLD, HOLD], &held), None);
        let taken = v1::OutcomeColumns { codes: vec![1].into(), ..Default::default() };
        assert_eq!((read(&[HOLD], &taken), read(&[RELEASE], &taken)), (Some(vec![Became::Taken]), None));
        let missing = v1::OutcomeColumns { codes: vec![2].into(), ..Default::default() };
        assert_eq!(read(&[HOLD], &missing), None);
    }
}
