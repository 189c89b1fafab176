//! The rules of the inventory once more, written for nothing but plainness: maps, lists, and a walk wherever a number is
//! wanted.
//!
//! It shares types with the engine, so that answers can be compared, but no code that decides. It has no log, no events
//! and no limits on its own cost. What it knows of places and holds is in `show`.

use usher_engine::{
    command::{Command, ConfirmHold, ExtendHold, HoldSeats, ReleaseHold},
    event::ShowCreated,
    ids::{BuyerId, HoldId, ShowNumber},
    inventory::{Answer, Booking, HoldState, places::Places},
    rejection::{HoldField, Limit, Rejection, ShowField},
    shard::Outcome,
    time::Timestamp,
};

mod show;
pub use show::{Hold, SeatStatus, Show};

/// All shows of one shard, in the order of their creation.
#[derive(Clone, Debug, Default)]
pub struct Naive {
    shows: Vec<Show>,
}

impl Naive {
    /// The show of this number, which must exist.
    #[must_use]
    pub fn show(&self, number: ShowNumber) -> &Show {
        &self.shows[number.0 as usize]
    }

    /// How many shows there are.
    #[must_use]
    pub fn shows(&self) -> usize {
        self.shows.len()
    }

    /// Creates a show, unless an equal one exists: then its number is returned.
    ///
    /// # Errors
    /// [`Rejection::ShowIdReused`].
    pub fn create(&mut self, created: &ShowCreated) -> Result<Option<ShowNumber>, Rejection> {
        for (number, show) in (0u32..).zip(&self.shows) {
            if show.created.show_id != created.show_id {
                continue;
            }
            if show.created.manifest != created.manifest {
                return Err(Rejection::ShowIdReused { field: ShowField::Manifest });
            }
            if show.created.policy != created.policy {
                return Err(Rejection::ShowIdReused { field: ShowField::Policy });
            }
            return Ok(Some(ShowNumber(number)));
        }
        self.shows.push(Show::new(created.clone()));
        Ok(None)
    }

    /// Decides a command and does what follows from it.
    ///
    /// # Errors
    /// The first [`Rejection`] by precedence; then nothing has changed.
    pub fn execute(&mut self, number: ShowNumber, command: &Command, now: Timestamp) -> Outcome {
        let show = &mut self.shows[number.0 as usize];
        match command {
            Command::HoldSeats(command) => hold_seats(show, command, now),
            Command::ExtendHold(command) => extend_hold(show, command, now),
            Command::ReleaseHold(command) => release_hold(show, command, now),
            Command::ConfirmHold(command) => confirm_hold(show, command, now),
            Command::GetHold(id) => get_hold(show, *id, now),
        }
    }

    /// The holds of a show that are due, in order of deadline and id.
    #[must_use]
    pub fn due(&self, number: ShowNumber, now: Timestamp) -> Vec<HoldId> {
        self.show(number).due(now)
    }

    /// Expires a hold that is due.
    pub fn expire(&mut self, number: ShowNumber, id: HoldId, now: Timestamp) {
        self.shows[number.0 as usize].end(id, HoldState::Expired, now);
    }
}

fn hold_seats(show: &mut Show, command: &HoldSeats, now: Timestamp) -> Outcome {
    let ttl = command.ttl.unwrap_or(show.created.policy.hold_ttl_default);
    if let Some(hold) = show.holds.get(&command.hold_id) {
        return repeat(show, command, hold, now);
    }
    let unknown = show.unknown(&command.places);
    if !unknown.is_empty() {
        return Err(Rejection::PlacesUnknown(unknown));
    }
    check_limits(show, &command.buyer, &command.places)?;
    let taken = show.taken(&command.places);
    if !taken.is_empty() {
        return Err(Rejection::PlacesTaken(taken));
    }
    let hold = Hold {
        buyer: command.buyer.clone(),
        granted: command.places.clone(),
        ttl,
        granted_at: now,
        expires_at: Timestamp(now.0 + ttl.ms().min(show.created.policy.hold_life_ms_max)),
        state: HoldState::Held,
        booking: None,
    };
    show.take(command.hold_id, &command.places);
    show.holds.insert(command.hold_id, hold);
    Ok(Answer::Held(show.view(command.hold_id, HoldState::Held, &command.places)))
}

/// An id that is known: the original grant and how the hold stands now, if the request is the same.
fn repeat(show: &Show, command: &HoldSeats, hold: &Hold, now: Timestamp) -> Outcome {
    let ttl = command.ttl.unwrap_or(show.created.policy.hold_ttl_default);
    // A fence has no content that a request could differ from.
    if hold.state == HoldState::Fenced {
        return Err(Rejection::HoldFenced);
    }
    let field = if hold.buyer != command.buyer {
        HoldField::BuyerId
    } else if hold.granted != command.places {
        HoldField::Places
    } else if hold.ttl != ttl {
        HoldField::TtlMs
    } else {
        return Ok(Answer::Held(show.view(command.hold_id, hold.state_at(now), &hold.granted)));
    };
    Err(Rejection::IdReused { field })
}

fn check_limits(show: &Show, buyer: &BuyerId, places: &Places) -> Result<(), Rejection> {
    let policy = &show.created.policy;
    let live = |hold: &&Hold| hold.state == HoldState::Held;
    let reached = |limit, max: u32| Err(Rejection::LimitReached { limit, max: u64::from(max) });
    if places.count() > policy.places_per_hold_max {
        return reached(Limit::PlacesPerHold, policy.places_per_hold_max);
    }
    if show.holds.values().filter(live).count() + 1 > policy.holds_per_show_max as usize {
        return reached(Limit::HoldsPerShow, policy.holds_per_show_max);
    }
    let own_live = show.holds.values().filter(live).filter(|hold| hold.buyer == *buyer).count();
    if own_live + 1 > policy.live_holds_per_buyer_max as usize {
        return reached(Limit::LiveHoldsPerBuyer, policy.live_holds_per_buyer_max);
    }
    if show.places_of_buyer(buyer) + places.count() > policy.places_per_buyer_max {
        return reached(Limit::PlacesPerBuyer, policy.places_per_buyer_max);
    }
    Ok(())
}

fn extend_hold(show: &mut Show, command: &ExtendHold, now: Timestamp) -> Outcome {
    let hold = live_hold(show, command.hold_id, &command.buyer, now)?;
    let ttl = command.ttl.unwrap_or(show.created.policy.hold_ttl_default);
    let extendable_until = Timestamp(hold.granted_at.0 + show.created.policy.hold_life_ms_max);
    let wanted = Timestamp(now.0 + ttl.ms()).min(extendable_until);
    let expires_at = hold.expires_at.max(wanted);
    show.hold_mut(command.hold_id).expires_at = expires_at;
    Ok(Answer::Extended { expires_at, extendable_until })
}

fn release_hold(show: &mut Show, command: &ReleaseHold, now: Timestamp) -> Outcome {
    let id = command.hold_id;
    let Some(hold) = show.holds.get(&id) else {
        show.fence(id, &command.buyer, now);
        return Ok(Answer::Released(HoldState::Fenced));
    };
    if hold.buyer != command.buyer {
        return Err(Rejection::HoldOfAnotherBuyer);
    }
    match hold.state_at(now) {
        HoldState::Held => {}
        HoldState::Confirmed => return Err(Rejection::HoldConfirmed),
        ended => return Ok(Answer::Released(ended)),
    }
    if let Some(places) = &command.places {
        let foreign = show::missing(places, &hold.granted);
        if !foreign.is_empty() {
            return Err(Rejection::PlacesNotInHold(foreign));
        }
        show.give_back(id, places);
    }
    if command.places.is_some() && !show.places_of(id).is_empty() {
        return Ok(Answer::Released(HoldState::Held));
    }
    show.end(id, HoldState::Released, now);
    Ok(Answer::Released(HoldState::Released))
}

fn confirm_hold(show: &mut Show, command: &ConfirmHold, now: Timestamp) -> Outcome {
    let id = command.hold_id;
    match live_hold(show, id, &command.buyer, now) {
        Err(Rejection::HoldConfirmed) => {
            return Ok(Answer::Confirmed(show.view(id, HoldState::Confirmed, &show.places_of(id))));
        }
        found => found?,
    };
    let remaining = show.places_of(id);
    let sold = command.places.clone().unwrap_or(remaining.clone());
    let foreign = show::missing(&sold, &remaining);
    if !foreign.is_empty() {
        return Err(Rejection::PlacesNotInHold(foreign));
    }
    let granted = show.holds[&id].granted.clone();
    show.give_back(id, &granted);
    show.sell(id, &sold);
    let hold = show.hold_mut(id);
    hold.state = HoldState::Confirmed;
    let (order, payment) = (command.order.clone(), command.payment.clone());
    hold.booking = Some(Booking { order, payment, confirmed_at: now });
    Ok(Answer::Confirmed(show.view(id, HoldState::Confirmed, &sold)))
}

fn get_hold(show: &Show, id: HoldId, now: Timestamp) -> Outcome {
    let hold = show.holds.get(&id).ok_or(Rejection::HoldUnknown)?;
    let state = hold.state_at(now);
    let has_places = state == HoldState::Held || state == HoldState::Confirmed;
    let places = if has_places { show.places_of(id) } else { Places::default() };
    Ok(Answer::Found(show.view(id, state, &places)))
}

/// The hold of this id if it is this buyer's and live.
fn live_hold<'a>(show: &'a Show, id: HoldId, buyer: &BuyerId, now: Timestamp) -> Result<&'a Hold, Rejection> {
    let hold = show.holds.get(&id).ok_or(Rejection::HoldUnknown)?;
    if hold.buyer != *buyer {
        return Err(Rejection::HoldOfAnotherBuyer);
    }
    match hold.state_at(now) {
        HoldState::Held => Ok(hold),
        HoldState::Fenced => Err(Rejection::HoldFenced),
        HoldState::Released => Err(Rejection::HoldReleased),
        HoldState::Expired => Err(Rejection::HoldExpired { expires_at: hold.expires_at }),
        HoldState::Confirmed => Err(Rejection::HoldConfirmed),
    }
}
