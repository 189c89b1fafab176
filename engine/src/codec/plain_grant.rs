//! The short form of the record that the log has most of: a grant whose deadline is its time to live from its frame on.
//!
//! It has a variant's number that no event will have. Whoever reads the log gets a [`HoldGranted`].

use bincode::Decode;

use crate::{
    event::{Event, HoldGranted},
    ids::{BuyerId, HoldId, ShowNumber},
    inventory::places::Places,
    time::{HoldTtl, Timestamp},
};

/// Far beyond the events' own, and still one byte, as theirs are.
pub(super) const PLAIN_GRANT: u8 = 200;

/// All that such a record says.
#[derive(Decode)]
pub(super) struct PlainGrant {
    hold_id: HoldId,
    buyer: BuyerId,
    places: Places,
    ttl: HoldTtl,
    total_minor: u64,
}

impl PlainGrant {
    /// What is written for an event that has this form.
    pub(super) fn record<'a>(show: ShowNumber, event: &'a Event, at: Timestamp) -> Option<impl bincode::Encode + 'a> {
        match event {
            Event::HoldGranted(own) if own.expires_at == at.plus_ms(own.ttl.ms()) => {
                Some((show, PLAIN_GRANT, (own.hold_id, &own.buyer, &own.places, own.ttl, own.total_minor)))
            }
            _ => None,
        }
    }

    pub(super) fn event(self, at: Timestamp) -> Event {
        let Self { hold_id, buyer, places, ttl, total_minor } = self;
        let expires_at = Timestamp(at.0.saturating_add(ttl.ms()));
        Event::HoldGranted(HoldGranted { hold_id, buyer, places, ttl, expires_at, total_minor })
    }
}
