//! How a group stands, as its members tell.

use usher_engine::{
    ids::{HoldId, ShowId},
    inventory::{HoldState, HoldView, groups::Prepared},
};
use usher_proto::v1::GroupState;

/// A group and its members, as they were when they were asked.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Its id.
    pub id: HoldId,
    /// Its shows. The first one decides.
    pub shows: Vec<ShowId>,
    /// The hold in each of them, if there is one.
    pub holds: Vec<Option<Box<HoldView>>>,
}

impl Standing {
    /// How it stands.
    #[must_use]
    pub fn state(&self) -> GroupState {
        let are = |is: fn(&HoldView) -> bool| self.holds.iter().filter(|hold| hold.as_deref().is_some_and(is)).count();
        let (live, sold) = (are(is_live), are(is_sold));
        match self.holds.len() {
            all if sold == all => GroupState::Confirmed,
            _ if self.decided().is_some() || self.prepared().is_some() => GroupState::Confirming,
            all if live == all => GroupState::Held,
            _ if live + sold == 0 => GroupState::Ended,
            _ => GroupState::Incomplete,
        }
    }

    /// Some members are held and others are not, and it is not being sold.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.state() == GroupState::Incomplete
    }

    /// What it was sold for, if that is decided.
    #[must_use]
    pub fn decided(&self) -> Option<Prepared> {
        let booking = self.holds.first()?.as_ref()?.booking.clone()?;
        Some(Prepared { order: booking.order, payment: booking.payment })
    }

    /// What a member waits to be sold for.
    #[must_use]
    pub fn prepared(&self) -> Option<Prepared> {
        let members = self.holds.iter().flatten().filter_map(|hold| hold.more.as_ref()?.group.as_ref());
        members.filter_map(|group| group.prepared.as_ref()).next().cloned()
    }

    /// Its hold in a show.
    #[must_use]
    pub fn hold_in(&self, show: &ShowId) -> Option<&HoldView> {
        let position = self.shows.iter().position(|own| own == show)?;
        self.holds.get(position)?.as_deref()
    }
}

fn is_live(hold: &HoldView) -> bool {
    hold.state == HoldState::Held
}

/// Now, or once.
fn is_sold(hold: &HoldView) -> bool {
    hold.booking.is_some()
}
