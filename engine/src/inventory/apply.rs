//! Which event is applied where. It dispatches and does nothing else; each event is applied in the file of the command
//! that it follows from.

use std::mem::take;

use super::{
    Inventory, block_places, bookings, cancel_show, change_manifest, channels, confirm_hold,
    due::{self, WakeUp},
    expire_holds, extend_hold, grant, groups, pin_hold, release_hold, sale,
    show::Show,
    waitlist::{join, offer},
};
use crate::{event::Event, ids::ShowNumber, time::Timestamp};

impl Inventory {
    /// Makes an event true, and takes out of it what is kept: what is left of it means nothing. It stays where it is, since
    /// moving it costs as much as making it true. `at` is the clock reading of its frame.
    ///
    /// # Panics
    /// When the event does not fit the state, which a log of our own never makes it do.
    pub fn apply(&mut self, number: ShowNumber, event: &mut Event, at: Timestamp) {
        match event {
            Event::ShowCreated(created) => return self.create(number, created),
            Event::ShowLoaded(loaded) => return self.apply_loaded(number, loaded, at),
            Event::ShowLeft { to_shard } => return self.apply_left(number, *to_shard),
            _ => {}
        }
        let show = &mut self.shows[number.0 as usize];
        show.version += 1;
        match event {
            Event::ShowCreatedV1(_) => unreachable!("read as another"),
            Event::HoldGranted(granted) => grant::apply(show, granted, at),
            Event::HoldExtended { hold_id, expires_at } => extend_hold::apply(show, *hold_id, *expires_at),
            Event::HoldReleased { hold_id, places } => release_hold::apply(show, *hold_id, places.as_ref(), at),
            Event::HoldFenced { hold_id, buyer } => release_hold::apply_fence(show, *hold_id, buyer, at),
            Event::HoldConfirmed { hold_id, order, payment, places } => {
                let (order, payment) = (take(order), take(payment));
                confirm_hold::apply(
                    show,
                    *hold_id,
                    confirm_hold::Confirmed { order, payment, places: places.take() },
                    at,
                );
            }
            Event::HoldExpired { hold_id } => expire_holds::apply(show, *hold_id, at),
            Event::HoldSplit { hold_id, rest_id, rest } => {
                confirm_hold::apply_split(show, *hold_id, *rest_id, take(rest))
            }
            Event::HoldLapsed { hold_id } => expire_holds::apply_lapsed(show, *hold_id),
            Event::HoldGrantedOnTerms(granted) => grant::apply_on_terms(show, granted, at),
            Event::HoldPinned { hold_id, expires_at } => pin_hold::apply_pinned(show, *hold_id, *expires_at),
            Event::HoldUnpinned { hold_id } => pin_hold::apply_unpinned(show, *hold_id),
            Event::GroupJoined(joined) => groups::apply_joined(show, joined.0, take(&mut joined.1)),
            Event::MemberPrepared { hold_id, order, payment } => {
                let (order, payment) = (take(order), take(payment));
                groups::apply_prepared(show, *hold_id, groups::Prepared { order, payment });
            }
            Event::HoldConfirmedLate { hold_id, order, payment, places } => {
                let (order, payment, places) = (take(order), take(payment), Some(take(places)));
                confirm_hold::apply_late(show, *hold_id, confirm_hold::Confirmed { order, payment, places }, at);
            }
            Event::BookingCancelled { hold_id, places, return_to } => {
                bookings::apply_cancelled(show, *hold_id, places.take(), return_to);
            }
            Event::BookingTransferred { hold_id, buyer } => bookings::apply_transferred(show, *hold_id, buyer),
            Event::BookingExchanged { hold_id, places, difference_minor, override_reason } => {
                let override_reason = override_reason.take();
                bookings::apply_exchanged(show, *hold_id, take(places), *difference_minor, override_reason);
            }
            _ => Self::apply_to_waitlist(show, event, at),
        }
        match due::wake_up_of(event) {
            WakeUp::At(due) => self.note_wake_up(number, due),
            WakeUp::Same if self.shows[number.0 as usize].waitlist.look.is_empty() => {}
            WakeUp::Same | WakeUp::Ask => self.ask_wake_up(number, at),
        }
    }

    fn apply_to_waitlist(show: &mut Show, event: &mut Event, at: Timestamp) {
        match event {
            Event::EntryJoined(joined) => join::apply_joined(show, joined),
            Event::EntryLeft { hold_id } => join::apply_left(show, *hold_id, at),
            Event::OfferMade(made) => offer::apply_offer(show, made, at),
            Event::PlacesGathered { hold_id, places, until } => offer::apply_gathered(show, *hold_id, places, *until),
            Event::GatheringEnded { hold_id } => offer::apply_gathering_ended(show, *hold_id),
            event => Self::apply_organised(show, event, at),
        }
    }

    fn apply_organised(show: &mut Show, event: &Event, at: Timestamp) {
        match event {
            Event::PlacesBlocked(places) => block_places::apply_blocked(show, places),
            Event::PlacesUnblocked(places) => block_places::apply_unblocked(show, places, at),
            Event::ReturnsQueued(places) => block_places::apply_queued(show, places, at),
            Event::ReleaseScheduled { mark, at } => block_places::apply_scheduled(show, mark, *at),
            Event::SeatsRetired { seats } => block_places::apply_retired(show, seats),
            Event::ChannelSet { key, public_at } => channels::apply_set(show, key.clone(), *public_at),
            Event::ChannelOpened { channel } => channels::apply_opened(show, *channel),
            Event::ChannelAssigned { channel, seats } => channels::apply_assigned(show, *channel, seats),
            Event::SaleScheduled { opens_at, closes_at } => sale::apply_scheduled(show, *opens_at, *closes_at, at),
            Event::SaleOpened => sale::apply_opened(show, at),
            Event::SalePaused { stop_clocks } => sale::apply_paused(show, *stop_clocks, at),
            Event::SaleClosed => sale::apply_closed(show, at),
            Event::ShowCancelled => cancel_show::apply_cancelled(show, at),
            Event::ShowArchived => cancel_show::apply_archived(show, at),
            Event::PolicyChanged(policy) => change_manifest::apply_policy(show, **policy),
            Event::ManifestChanged(change) => change_manifest::apply(show, change),
            _ => unreachable!("every other event is about a hold"),
        }
    }
}
