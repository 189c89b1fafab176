//! What is asked of groups.

use std::collections::HashSet;

use usher_engine::{
    command::OwnHold,
    ids::{HoldId, ShowId},
    inventory::groups::{GROUP_SHOWS_MAX, Prepared},
    router::Router,
};
use usher_proto::v1::{self, command::Command as WireCommand, group_member::What};

use super::{Violations, both};
use crate::{access, groups::Asked, status::Refusal};

/// Reads what is to be held, as the commands that hold it in each show.
///
/// # Errors
/// A refusal that names every field that is wrong, or a show that is not there.
pub fn hold_group(wire: v1::HoldGroupRequest, router: &Router) -> Result<Asked, Refusal> {
    let count = wire.members.len();
    let mut violations = Violations::default();
    violations.require(
        (2..=GROUP_SHOWS_MAX).contains(&count),
        "members",
        format_args!("must be 2 to {GROUP_SHOWS_MAX}, are {count}"),
    );
    let mut shows = HashSet::new();
    for (position, member) in wire.members.iter().enumerate().take(GROUP_SHOWS_MAX) {
        let is_new = shows.insert(member.show_id.as_str());
        violations.require(is_new, &format!("members[{position}].show_id"), "must be another show than those before");
        let replaces = member.terms.as_ref().is_some_and(|terms| !terms.replaces.is_empty());
        violations.require(
            !replaces,
            &format!("members[{position}].terms.replaces"),
            "must be empty: nothing is replaced",
        );
    }
    let id = violations.take("group_id", HoldId::new(&wire.group_id));
    let buyer = violations.buyer_id("buyer_id", &wire.buyer_id);
    violations.ttl(wire.ttl_ms);
    let mut read = violations.done(id.zip(buyer).map(|(id, buyer)| (id, buyer, Vec::new())));
    for (position, member) in wire.members.iter().enumerate().take(GROUP_SHOWS_MAX) {
        let own = self::member(&wire, member, router).map_err(|refusal| refusal.of_member(position));
        read = both(read, own).map(|((id, buyer, mut members), own)| {
            members.push(own);
            (id, buyer, members)
        });
    }
    read.map(|(id, buyer, members)| Asked { id, buyer, members })
}

/// As the command that holds it alone, which is read in the same way.
fn member(
    group: &v1::HoldGroupRequest,
    member: &v1::GroupMember,
    router: &Router,
) -> Result<(ShowId, usher_engine::command::Command), Refusal> {
    let (show_id, hold_id, buyer_id) = (member.show_id.clone(), group.group_id.clone(), group.buyer_id.clone());
    let (ttl_ms, terms) = (group.ttl_ms, member.terms.clone());
    let wire = match &member.what {
        None => return Err(Refusal::wrong("what", "must be set")),
        Some(What::Places(places)) => {
            let (places, terms) = (Some(places.clone()), terms.map(Into::into));
            WireCommand::HoldSeats(v1::HoldSeatsRequest { show_id, hold_id, buyer_id, places, ttl_ms, terms })
        }
        Some(What::Wish(wish)) => {
            let (wish, tickets) = (Some((**wish).clone()), Default::default());
            let best = v1::HoldBestRequest { show_id, hold_id, buyer_id, wish, tickets, ttl_ms, terms };
            WireCommand::HoldBest(best.into())
        }
    };
    let id = super::show_id(&member.show_id).map_err(|no| super::also_wrong(no, |any| super::command(&wire, any)))?;
    let (show, _) = router.find(&id).map_err(|why| Refusal::show_not_found(&member.show_id, why))?;
    Ok((id, super::command(&wire, &show.manifest)?))
}

/// Reads which group is to be sold, and for what.
///
/// # Errors
/// A refusal that names every field that is wrong; that the caller may not touch the show.
pub fn confirm_group(wire: &v1::ConfirmGroupRequest) -> Result<(OwnHold, ShowId, Prepared), Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.take("group_id", HoldId::new(&wire.group_id));
    let show = violations.take("show_id", ShowId::new(&wire.show_id));
    let buyer = violations.buyer_id("buyer_id", &wire.buyer_id);
    let order = violations.order(&wire.order_ref);
    let payment = violations.payment(&wire.payment_ref);
    let read = || {
        let own = OwnHold { hold_id: hold_id?, buyer: buyer? };
        Some((own, show?, Prepared { order: order?, payment: payment? }))
    };
    let read = violations.done(read())?;
    access::permit(&read.1)?;
    Ok(read)
}

/// Reads which group is to be released.
///
/// # Errors
/// A refusal that names every field that is wrong; that the caller may not touch the show.
pub fn release_group(wire: &v1::ReleaseGroupRequest) -> Result<(OwnHold, ShowId), Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.take("group_id", HoldId::new(&wire.group_id));
    let show = violations.take("show_id", ShowId::new(&wire.show_id));
    let buyer = violations.buyer_id("buyer_id", &wire.buyer_id);
    let read = || Some((OwnHold { hold_id: hold_id?, buyer: buyer? }, show?));
    let read = violations.done(read())?;
    access::permit(&read.1)?;
    Ok(read)
}

/// Reads which group is asked for.
///
/// # Errors
/// A refusal that names every field that is wrong; that the caller may not touch the show.
pub fn get_group(wire: &v1::GetGroupRequest) -> Result<(HoldId, ShowId), Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.take("group_id", HoldId::new(&wire.group_id));
    let show = violations.take("show_id", ShowId::new(&wire.show_id));
    let read = violations.done(hold_id.zip(show))?;
    access::permit(&read.1)?;
    Ok(read)
}
