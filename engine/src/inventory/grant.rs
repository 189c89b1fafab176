//! The grant, which every command that holds places ends with: its numbers, its event, and the hold that comes of it.
//!
//! Whether it may be granted was decided before.

use super::{
    hold::{Hold, HoldState, More, Rare, Uncommon},
    hold_best::Placement,
    places::Places,
    show::Show,
    taking::Taking,
    view::{HoldDetails, HoldView},
};
use crate::{
    command::TicketCount,
    event::{Event, GrantedOnTerms, HoldGranted},
    ids::{BuyerId, HoldId},
    time::{HoldTtl, Timestamp},
};

/// With its first hold a show makes room for holds of one place in so many: half a byte a place, and none while nobody
/// has come.
const RUSH_SHARE: usize = 32;
/// A small show makes room for this many, or for all of its places.
const RUSH_MIN: usize = 1_024;

/// A grant to be.
pub(super) struct Grant<'a> {
    hold_id: HoldId,
    buyer: &'a BuyerId,
    places: &'a Places,
    ttl: HoldTtl,
    granted_at: Timestamp,
    expires_at: Timestamp,
    extendable_until: Timestamp,
    total_minor: u64,
}

/// What few grants have.
#[derive(Default)]
pub(super) struct Special {
    pub(super) request: Option<u64>,
    pub(super) placement: Option<Placement>,
    pub(super) tickets: Vec<TicketCount>,
}

impl<'a> Grant<'a> {
    /// Of checked places that nothing is given up for.
    #[inline(always)]
    pub(super) fn new(
        show: &Show,
        (hold_id, buyer): (HoldId, &'a BuyerId),
        places: &'a Places,
        ttl: Option<HoldTtl>,
        now: Timestamp,
    ) -> Self {
        let ttl = ttl.unwrap_or(show.policy.hold_ttl_default);
        let extendable_until = show.extendable_until(now);
        let expires_at = now.plus_ms(ttl.ms()).min(extendable_until);
        let (granted_at, total_minor) = (now, show.price(places));
        Self { hold_id, buyer, places, ttl, granted_at, expires_at, extendable_until, total_minor }
    }

    /// Of checked places, for which something may be given up: its longest life goes on.
    pub(super) fn of(
        taking: &Taking<'_>,
        hold: (HoldId, &'a BuyerId),
        places: &'a Places,
        ttl: Option<HoldTtl>,
    ) -> Self {
        let mut grant = Self::new(taking.show, hold, places, ttl, taking.now);
        grant.extendable_until = taking.extendable_until();
        grant.expires_at = grant.expires_at.min(grant.extendable_until);
        grant
    }

    /// What a plain grant says. Always inlined, as the view is.
    #[inline(always)]
    pub(super) fn granted(&self) -> HoldGranted {
        HoldGranted {
            hold_id: self.hold_id,
            buyer: self.buyer.clone(),
            places: self.places.clone(),
            ttl: self.ttl,
            expires_at: self.expires_at,
            total_minor: self.total_minor,
        }
    }

    /// The event of a grant that is more than plain.
    pub(super) fn on_terms(&self, taking: &Taking<'_>, special: Special) -> Event {
        Event::HoldGrantedOnTerms(Box::new(GrantedOnTerms {
            granted: self.granted(),
            replaces: taking.replaced.map(|hold| hold.id),
            moved_from: taking.moved.iter().map(|hold| hold.id).collect(),
            request: special.request,
            placement: special.placement,
            tickets: special.tickets,
            extendable_until: self.extendable_until,
            override_reason: taking.terms.override_reason.clone(),
        }))
    }

    /// The hold as its caller sees it.
    pub(super) fn view(&self, more: Option<Box<HoldDetails>>) -> Box<HoldView> {
        Box::new(HoldView {
            hold_id: self.hold_id,
            buyer: self.buyer.clone(),
            state: HoldState::Held,
            places: self.places.clone(),
            total_minor: self.total_minor,
            granted_at: self.granted_at,
            expires_at: self.expires_at,
            extendable_until: self.extendable_until,
            booking: None,
            more,
        })
    }
}

pub(super) fn apply(show: &mut Show, granted: &HoldGranted, at: Timestamp) {
    show.take(&granted.places);
    insert(show, granted, None, at);
}

pub(super) fn apply_on_terms(show: &mut Show, on_terms: &mut GrantedOnTerms, at: Timestamp) {
    if let Some(replaced) = on_terms.replaces {
        let slot = show.holds.slot(replaced).expect("only a known hold is replaced");
        show.end_hold(slot, HoldState::Released, at);
    }
    for loser in &on_terms.moved_from {
        let slot = show.holds.slot(*loser).expect("only a known hold loses places");
        show.lose_seats(slot, &on_terms.granted.places, at);
    }
    show.take(&on_terms.granted.places);
    let extendable_until = Some(on_terms.extendable_until).filter(|until| *until != show.extendable_until(at));
    let is_rare = extendable_until.is_some() || !on_terms.tickets.is_empty() || on_terms.override_reason.is_some();
    let rare = is_rare.then(|| {
        let (tickets, override_reason) = (std::mem::take(&mut on_terms.tickets), on_terms.override_reason.take());
        Box::new(Rare { tickets, override_reason, extendable_until, ..Rare::default() })
    });
    let (request, placement) = (on_terms.request, on_terms.placement);
    insert(show, &on_terms.granted, Some(Uncommon { request, placement, rare, ..Uncommon::default() }.into()), at);
}

/// Stores a hold whose places are taken.
pub(super) fn insert(show: &mut Show, granted: &HoldGranted, more: Option<Box<More>>, at: Timestamp) {
    show.make_room_for_a_rush();
    let buyer = show.buyers.name(&granted.buyer);
    let count = granted.places.count();
    let hold = Hold {
        id: granted.hold_id,
        buyer,
        ttl: granted.ttl,
        granted_at: at,
        expires_at: granted.expires_at,
        places: granted.places.clone(),
        state: HoldState::Held,
        extends: 0,
        more,
    };
    show.keep(hold, count);
}

impl Show {
    /// Stores a live hold of so many places, whose buyer is named for it.
    #[inline]
    pub(super) fn keep(&mut self, mut hold: Hold, count: u32) {
        let buyer = hold.buyer;
        if let Some(ms) = self.returns_later_ms(buyer, hold.id) {
            hold.rare_mut().returns_later_ms = ms;
        }
        let slot = self.holds.insert(hold);
        self.buyers.add_live_hold(buyer, slot, count);
    }

    /// Before its first hold of any kind.
    pub(super) fn make_room_for_a_rush(&mut self) {
        if self.holds.is_new() {
            let places = self.manifest.places() as usize;
            let rush = (places / RUSH_SHARE).max(places.min(RUSH_MIN));
            self.holds.expect(rush, places);
            self.buyers.expect(rush, places);
        }
    }
}
