//! Groups: holds of one id in several shows, which are sold all or none. What one show knows of them, and its part in it.
//!
//! Whoever drives a group holds in each show and lets each hold join; to sell it, prepares every member but the first, and
//! confirms the first: that is the decision, in one frame of one log, and the others follow it. A prepared member has no
//! deadline, and nothing but the decision ends it, so that the others can always follow. Shows know nothing of each other:
//! who asks whom when, also after a crash, is the driver's business.

use std::ops::ControlFlow;

use bincode::{Decode, Encode};

use super::{
    Answer, confirm_hold,
    hold::{Hold, HoldState},
    live_hold, own_hold, pin_hold,
    release_hold::{released, to_be_released},
    sale::ShowState,
    show::Show,
    view::HoldView,
};
use crate::{
    command::{JoinGroup, OwnHold, SellMember},
    event::Event,
    ids::{HoldId, Reference, ShowId},
    rejection::{HoldField, Rejection},
    time::Timestamp,
};

/// Most shows of a group.
pub const GROUP_SHOWS_MAX: usize = 16;
/// The deadline of a prepared member: none that comes, and none that overflows when clocks that stood go on.
pub(super) const NEVER: Timestamp = Timestamp(u64::MAX / 2);

/// What a hold that is one of several knows of them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Membership {
    /// Every show of the group, its own among them. The first one decides.
    pub shows: Vec<ShowId>,
    /// It waits for the decision, to be sold so.
    pub prepared: Option<Prepared>,
}

/// What a prepared member is to be sold for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Prepared {
    /// The frontend's order.
    pub order: Reference,
    /// The frontend's payment.
    pub payment: Reference,
}

impl Show {
    /// What this hold knows of its group, if it is in one.
    pub(super) fn membership(&self, id: HoldId) -> Option<&Membership> {
        // Hardly any show has groups.
        if self.groups.is_empty() { None } else { self.groups.get(&id) }
    }

    pub(super) fn is_prepared(&self, id: HoldId) -> bool {
        self.membership(id).is_some_and(|membership| membership.prepared.is_some())
    }

    /// What is done to a hold alone is not done to one of a group.
    ///
    /// # Errors
    /// [`Rejection::HoldOfGroup`].
    pub(super) fn must_be_alone(&self, id: HoldId) -> Result<(), Rejection> {
        if self.membership(id).is_some() { Err(Rejection::HoldOfGroup) } else { Ok(()) }
    }

    /// Prepared members behind this id, in order of their ids, at most so many.
    pub fn prepared(&self, after: Option<HoldId>, max: usize, now: Timestamp) -> Vec<Box<HoldView>> {
        let behind = |id: &HoldId| after.is_none_or(|after| *id > after);
        let prepared = self.groups.iter().filter(|(id, own)| own.prepared.is_some() && behind(id));
        let holds = prepared.filter_map(|(id, _)| self.holds.find(*id)).take(max);
        holds.map(|hold| self.view_now(hold, now)).collect()
    }

    /// A prepared member has the deadline again that it had: it is about to end, or to be sold.
    pub(super) fn forget_prepared(&mut self, slot: u32) {
        let id = self.holds.get(slot).id;
        if !self.is_prepared(id) {
            return;
        }
        let hold = self.holds.get_mut(slot);
        if let Some(deadline) = hold.rare_mut().pinned_from.take() {
            hold.expires_at = deadline;
        }
        if let Some(membership) = self.groups.get_mut(&id) {
            membership.prepared = None;
        }
    }
}

pub(super) fn join(
    show: &Show,
    command: &JoinGroup,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let hold_id = command.hold_id;
    let hold = own_hold(show, hold_id, &command.buyer, &Rejection::HoldWaiting)?;
    if let Some(own) = show.membership(hold_id) {
        let is_same = own.shows == command.shows;
        let reused = Rejection::IdReused { field: HoldField::Group };
        return if is_same { Ok(Answer::Found(show.view_now(hold, now))) } else { Err(reused) };
    }
    let hold = live_hold(show, hold_id, &command.buyer, now)?;
    if hold.is_offer() {
        return Err(Rejection::IdReused { field: HoldField::Request });
    }
    if hold.is_pinned() {
        return Err(Rejection::HoldPinned);
    }
    // After this point it must succeed.
    let membership = Membership { shows: command.shows.clone(), prepared: None };
    let mut view = show.view_now(hold, now);
    view.more.get_or_insert_default().group = Some(membership);
    events.push(Event::GroupJoined(Box::new((hold_id, command.shows.clone()))));
    Ok(Answer::Found(view))
}

pub(super) fn prepare(
    show: &Show,
    command: &SellMember,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let hold_id = command.hold_id;
    let hold = match to_be_sold(show, command, now)? {
        Stands::Sold(view) => return Ok(Answer::Found(view)),
        Stands::Live(hold) => hold,
    };
    if show.is_prepared(hold_id) {
        return Ok(Answer::Found(show.view_now(hold, now)));
    }
    show.must_be(&[ShowState::OnSale, ShowState::Paused, ShowState::Closed], now)?;
    // After this point it must succeed.
    let prepared = Prepared { order: command.order.clone(), payment: command.payment.clone() };
    let mut view = show.view_now(hold, now);
    let details = view.more.get_or_insert_default();
    details.is_pinned = true;
    details.group = show.membership(hold_id).cloned().map(|own| Membership { prepared: Some(prepared), ..own });
    let (order, payment) = (command.order.clone(), command.payment.clone());
    events.push(Event::MemberPrepared { hold_id, order, payment });
    Ok(Answer::Found(view))
}

/// Of the first member it is the decision, and the deadline counts. A prepared one follows the decision whatever became of
/// its show since.
pub(super) fn confirm(
    show: &Show,
    command: &SellMember,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let hold_id = command.hold_id;
    let hold = match to_be_sold(show, command, now)? {
        Stands::Sold(view) => return Ok(Answer::Confirmed(view)),
        Stands::Live(hold) => hold,
    };
    if !show.is_prepared(hold_id) {
        show.must_be(&[ShowState::OnSale, ShowState::Paused, ShowState::Closed], now)?;
    }
    // After this point it must succeed.
    let (order, payment) = (command.order.clone(), command.payment.clone());
    let mut view = confirm_hold::sold(show, hold, hold.remaining().clone(), (&order, &payment), now);
    if let Some(group) = view.more.as_mut().and_then(|more| more.group.as_mut()) {
        group.prepared = None;
    }
    events.push(Event::HoldConfirmed { hold_id, order, payment, places: None });
    Ok(Answer::Confirmed(view))
}

/// Prepared or not. An id never seen is fenced, as by `ReleaseHold`.
pub(super) fn release(
    show: &Show,
    command: &OwnHold,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let hold_id = command.hold_id;
    if let ControlFlow::Break(answer) = to_be_released(show, hold_id, &command.buyer, now, events)? {
        return Ok(answer);
    }
    show.membership(hold_id).ok_or(Rejection::HoldNotOfGroup)?;
    // After this point it must succeed.
    events.push(Event::HoldReleased { hold_id, places: None });
    Ok(released(HoldState::Released))
}

enum Stands<'a> {
    /// Now, or once.
    Sold(Box<HoldView>),
    Live(&'a Hold),
}

fn to_be_sold<'a>(show: &'a Show, command: &SellMember, now: Timestamp) -> Result<Stands<'a>, Rejection> {
    let hold = own_hold(show, command.hold_id, &command.buyer, &Rejection::HoldWaiting)?;
    let is_member = show.membership(command.hold_id).is_some();
    if is_member && hold.booking().is_some() {
        return Ok(Stands::Sold(show.view_now(hold, now)));
    }
    let hold = live_hold(show, command.hold_id, &command.buyer, now)?;
    if is_member { Ok(Stands::Live(hold)) } else { Err(Rejection::HoldNotOfGroup) }
}

pub(super) fn apply_joined(show: &mut Show, hold_id: HoldId, shows: Vec<ShowId>) {
    assert!(show.holds.slot(hold_id).is_some(), "only a known hold joins a group");
    show.groups.insert(hold_id, Membership { shows, prepared: None });
}

pub(super) fn apply_prepared(show: &mut Show, hold_id: HoldId, prepared: Prepared) {
    show.groups.get_mut(&hold_id).expect("only a member is prepared").prepared = Some(prepared);
    pin_hold::apply_pinned(show, hold_id, NEVER);
}

#[cfg(test)]
mod tests;
