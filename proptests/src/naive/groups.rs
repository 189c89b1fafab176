//! One show's part in a group, in the naive model.

use usher_engine::{
    command::{JoinGroup, OwnHold, SellMember},
    ids::HoldId,
    inventory::{
        Answer, HoldState,
        groups::{Membership, Prepared},
    },
    rejection::{HoldField, Rejection},
    shard::Outcome,
    time::Timestamp,
};

use super::{confirm, found, holds::GOING_ON, live_hold, own_hold, show::Show};

impl Show {
    pub(super) fn is_prepared(&self, id: HoldId) -> bool {
        self.holds.get(&id).and_then(|hold| hold.group.as_ref()).is_some_and(|group| group.prepared.is_some())
    }

    pub(super) fn must_be_alone(&self, id: HoldId) -> Result<(), Rejection> {
        if self.holds[&id].group.is_some() { Err(Rejection::HoldOfGroup) } else { Ok(()) }
    }
}

pub(super) fn join(show: &mut Show, command: &JoinGroup, now: Timestamp) -> Outcome {
    let id = command.hold_id;
    if let Ok(hold) = own_hold(show, id, &command.buyer)
        && let Some(group) = &hold.group
    {
        if group.shows != command.shows {
            return Err(Rejection::IdReused { field: HoldField::Group });
        }
        return Ok(found(show, id, now));
    }
    let hold = live_hold(show, id, &command.buyer, now)?;
    if hold.is_offer {
        return Err(Rejection::IdReused { field: HoldField::Request });
    }
    if hold.pinned_from.is_some() {
        return Err(Rejection::HoldPinned);
    }
    show.hold_mut(id).group = Some(Membership { shows: command.shows.clone(), prepared: None });
    Ok(found(show, id, now))
}

pub(super) fn prepare(show: &mut Show, command: &SellMember, now: Timestamp) -> Outcome {
    let id = command.hold_id;
    if is_sold(show, command, now)? {
        return Ok(found(show, id, now));
    }
    if !show.is_prepared(id) {
        show.must_be(&GOING_ON, now)?;
        let prepared = Prepared { order: command.order.clone(), payment: command.payment.clone() };
        show.hold_mut(id).group.as_mut().unwrap().prepared = Some(prepared);
    }
    Ok(found(show, id, now))
}

pub(super) fn confirm(show: &mut Show, command: &SellMember, now: Timestamp) -> Outcome {
    let id = command.hold_id;
    if is_sold(show, command, now)? {
        return Ok(Answer::Confirmed(show.view_now(id, now)));
    }
    if !show.is_prepared(id) {
        show.must_be(&GOING_ON, now)?;
    }
    show.hold_mut(id).group.as_mut().unwrap().prepared = None;
    let all = show.places_of(id);
    Ok(confirm::sell(show, id, &all, &command.order, &command.payment, now))
}

pub(super) fn release(show: &mut Show, command: &OwnHold, now: Timestamp) -> Outcome {
    let id = command.hold_id;
    let released = |state| Ok(Answer::Released { state, orphans: Vec::new() });
    if let Some(entry) = show.entry(id) {
        let own = entry.buyer == command.buyer;
        return Err(if own { Rejection::HoldWaiting } else { Rejection::HoldOfAnotherBuyer });
    }
    let hold = match own_hold(show, id, &command.buyer) {
        Err(Rejection::HoldUnknown) => {
            show.fence(id, &command.buyer, now);
            return released(HoldState::Fenced);
        }
        found => found?,
    };
    match show.state_of(hold, now) {
        HoldState::Confirmed => return Err(Rejection::HoldConfirmed),
        HoldState::Cancelled if hold.booking.is_some() => return Err(Rejection::HoldCancelled),
        HoldState::Held => {}
        ended => return released(ended),
    }
    let Some(group) = &mut show.hold_mut(id).group else { return Err(Rejection::HoldNotOfGroup) };
    group.prepared = None;
    show.end(id, HoldState::Released, now);
    released(HoldState::Released)
}

/// Now, or once; otherwise it is a live member.
fn is_sold(show: &Show, command: &SellMember, now: Timestamp) -> Result<bool, Rejection> {
    let id = command.hold_id;
    if let Ok(hold) = own_hold(show, id, &command.buyer)
        && hold.group.is_some()
        && hold.booking.is_some()
    {
        return Ok(true);
    }
    let hold = live_hold(show, id, &command.buyer, now)?;
    if hold.group.is_none() { Err(Rejection::HoldNotOfGroup) } else { Ok(false) }
}
