//! What is wrong with a request, gathered while it is read, so that a refusal names all of it.

use usher_engine::{
    ids::{BuyerId, HoldId, Name, Reference},
    time::{HoldTtl, Timestamp},
};

use crate::status::{Refusal, Violation};

/// The last millisecond of the year 9999: a later instant is a mistake.
const INSTANT_MS_MAX: u64 = 253_402_300_799_999;

/// More that is wrong is not noted: a list of a million may be wrong a million times, and nobody reads that.
const NOTES_MAX: usize = 1_000;

/// What is wrong with a request.
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// The value, or a note about its field.
    pub fn take<T, E: std::fmt::Display>(&mut self, field: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.note(field, error)).ok()
    }

    /// Notes what is wrong with a field.
    pub fn note(&mut self, field: &str, description: impl std::fmt::Display) {
        if self.0.len() < NOTES_MAX {
            self.0.push(Violation { field: field.to_owned(), description: description.to_string() });
        }
    }

    /// Notes it if `holds` is not so.
    pub fn require(&mut self, holds: bool, field: &str, description: impl std::fmt::Display) {
        if !holds {
            self.note(field, description);
        }
    }

    /// Notes a list that is too long.
    pub fn limit(&mut self, field: &str, found: usize, max: usize) {
        if found > max {
            self.note(field, format_args!("must be at most {max}, are {found}"));
        }
    }

    /// Nothing was noted.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The refusal of everything noted.
    #[must_use]
    pub fn into_refusal(self) -> Refusal {
        Refusal::invalid(self.0)
    }

    /// What was read, if all of it was.
    ///
    /// # Errors
    /// The refusal of everything noted.
    pub fn done<T>(self, read: Option<T>) -> Result<T, Refusal> {
        match read {
            Some(read) if self.0.is_empty() => Ok(read),
            _ => Err(self.into_refusal()),
        }
    }

    pub(super) fn hold_id(&mut self, bytes: &[u8]) -> Option<HoldId> {
        self.take("hold_id", HoldId::new(bytes))
    }

    /// An id that need not be there.
    pub(super) fn other_hold_id(&mut self, field: &str, bytes: &[u8]) -> Option<Option<HoldId>> {
        if bytes.is_empty() { Some(None) } else { self.take(field, HoldId::new(bytes)).map(Some) }
    }

    pub(super) fn buyer_id(&mut self, field: &str, text: &str) -> Option<BuyerId> {
        self.take(field, BuyerId::new(text.as_bytes()))
    }

    pub(super) fn text<'a>(&mut self, field: &str, bytes: &'a [u8]) -> Option<&'a str> {
        self.take(field, std::str::from_utf8(bytes))
    }

    pub(super) fn order(&mut self, text: &str) -> Option<Reference> {
        self.take("order_ref", Reference::order(text))
    }

    pub(super) fn payment(&mut self, text: &str) -> Option<Reference> {
        self.take("payment_ref", Reference::payment(text))
    }

    pub(super) fn name(&mut self, field: &str, text: &str) -> Option<Name> {
        self.take(field, Name::new(text))
    }

    /// The outer `Option` is absent when the value is wrong.
    pub(super) fn ttl(&mut self, ttl_ms: Option<u64>) -> Option<Option<HoldTtl>> {
        match ttl_ms {
            None => Some(None),
            Some(ms) => self.take("ttl_ms", HoldTtl::from_ms(ms)).map(Some),
        }
    }

    pub(super) fn instant(&mut self, field: &str, ms: u64) -> Option<Timestamp> {
        if ms > INSTANT_MS_MAX {
            self.note(field, format_args!("must be in milliseconds and before the year 10000, is {ms}"));
            return None;
        }
        Some(Timestamp(ms))
    }

    /// The outer `Option` is absent when the value is wrong.
    pub(super) fn later(&mut self, field: &str, ms: Option<u64>) -> Option<Option<Timestamp>> {
        match ms {
            None => Some(None),
            Some(ms) => self.instant(field, ms).map(Some),
        }
    }
}
