//! One show: its manifest, the status of its places, its holds and buyers. What every command reads and events change.
//!
//! Its methods are the vocabulary of the commands' files; no rule is decided here.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    blocks::Blocks,
    buyers::Buyers,
    channels::Channels,
    groups::Membership,
    hold::{Hold, HoldState},
    holds::Holds,
    manifest::{Manifest, Pool},
    places::Places,
    policy::Policy,
    runs::Runs,
    sale::Sale,
    seat_bitmap::SeatBitmap,
    state_hash::StateHash,
    waitlist::Waitlist,
};
use crate::{
    event::ShowCreated,
    ids::{BuyerId, ChannelIndex, HoldId, Name, SeatIndex, SeatRange, SectionIndex, ShowId},
    rejection::{Conflicts, GaShortage, Rejection},
    time::Timestamp,
};

/// One performance.
#[derive(Debug)]
pub struct Show {
    pub(super) id: ShowId,
    pub(super) manifest: Arc<Manifest>,
    pub(super) policy: Policy,
    pub(super) sale: Sale,
    pub(super) available: SeatBitmap,
    /// A seat that is neither available, sold, blocked nor retired is held.
    pub(super) sold: SeatBitmap,
    pub(super) blocks: Blocks,
    /// Seats that are no part of the show any more.
    pub(super) retired: Option<SeatBitmap>,
    pub(super) channels: Channels,
    /// By section; all zero for sections of seats.
    pub(super) ga: Vec<GaTally>,
    /// Held and sold, seats and units.
    pub(super) taken: u32,
    pub(super) holds: Holds,
    pub(super) buyers: Buyers,
    /// By buyer's slot: who let holds expire.
    pub(super) lapses: BTreeMap<u32, Lapses>,
    pub(super) waitlist: Waitlist,
    /// Holds that are one of several.
    pub(super) groups: BTreeMap<HoldId, Membership>,
    /// Marks that are to be released, by position.
    pub(super) releases: BTreeMap<u8, Timestamp>,
    /// When the next places of a mass return come back.
    pub(super) returns_due_at: Option<Timestamp>,
    /// From 1; rises with every change of the manifest.
    pub(super) manifest_version: u32,
    /// What changed its meaning, and with which version.
    pub(super) manifest_changes: Vec<(u32, Vec<SeatRange>, Vec<SectionIndex>)>,
    /// Hashes of the manifest, the policy and the sale with which it was created.
    pub(super) created_as: [u128; 3],
    /// Rises with every event.
    pub(super) version: u64,
    /// The shard that it is on, if it left this one.
    pub(super) left_to: Option<u32>,
    /// The wake-up that the inventory has noted for this show. Not part of the state.
    pub(super) wake_up_at: Option<Timestamp>,
    /// Where free seats lie side by side. Not part of the state.
    pub(super) runs: Runs,
    /// Its version and its hash when it was loaded, if it was. Not part of the state.
    pub(super) loaded_as: Option<(u64, StateHash)>,
}

/// The units of a general-admission section that are not available.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GaTally {
    pub(super) held: u32,
    pub(super) sold: u32,
    pub(super) blocked: u32,
}

/// How often a buyer let holds expire, one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lapses {
    pub(super) count: u32,
    /// Until then he may not hold.
    pub(super) cools_until: Timestamp,
}

impl Show {
    pub(super) fn new(created: &ShowCreated, manifest: Arc<Manifest>) -> Self {
        let seats = manifest.seats();
        Self {
            created_as: created.hashes(),
            id: created.show_id.clone(),
            policy: created.policy,
            sale: created.sale,
            available: SeatBitmap::full(seats),
            sold: SeatBitmap::empty(seats),
            blocks: Blocks::default(),
            retired: None,
            channels: Channels::default(),
            ga: vec![GaTally::default(); manifest.parts().sections.len()],
            taken: 0,
            manifest,
            holds: Holds::default(),
            buyers: Buyers::default(),
            lapses: BTreeMap::new(),
            waitlist: Waitlist::default(),
            groups: BTreeMap::new(),
            releases: BTreeMap::new(),
            returns_due_at: None,
            manifest_version: 1,
            manifest_changes: Vec::new(),
            version: 0,
            left_to: None,
            wake_up_at: None,
            runs: Runs::default(),
            loaded_as: None,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &ShowId {
        &self.id
    }

    /// What it sells.
    #[must_use]
    pub fn manifest(&self) -> &Arc<Manifest> {
        &self.manifest
    }

    /// Its rules.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// When it is sold.
    #[must_use]
    pub fn sale(&self) -> &Sale {
        &self.sale
    }

    /// The keys of its channels, in the order in which they were defined.
    pub fn channel_keys(&self) -> impl Iterator<Item = &Name> {
        self.channels.all.iter().map(|channel| &channel.key)
    }

    /// What each hold has: those that are live, sold, or expired and may be sold late; and what is gathered for entries
    /// that wait.
    pub fn owned(&self) -> impl Iterator<Item = (HoldId, HoldState, &Places)> {
        let is_one = |hold: &&Hold| matches!(hold.state, HoldState::Held | HoldState::Confirmed | HoldState::Expired);
        let holds = self.holds.iter().filter(is_one).map(|hold| (hold.id, hold.state, hold.remaining()));
        let gathered = self.waitlist.gatherings();
        holds.chain(gathered.map(|(slot, own)| (self.waitlist.entry(slot).id, HoldState::Waiting, &own.places)))
    }

    /// From 1; rises with every change of the manifest.
    #[must_use]
    pub fn manifest_version(&self) -> u32 {
        self.manifest_version
    }

    /// Units of a general-admission section that are available; none of a section of seats, or of one that is
    /// over-committed.
    pub(super) fn ga_available(&self, section: SectionIndex) -> u32 {
        self.ga_available_besides(section, 0)
    }

    /// As [`Self::ga_available`], with so many of the taken ones counted as free.
    pub(super) fn ga_available_besides(&self, section: SectionIndex, own: u32) -> u32 {
        let tally = self.ga[section.0 as usize];
        let taken = tally.held + tally.sold + tally.blocked - own;
        self.manifest.ga_capacity(section).map_or(0, |capacity| capacity.saturating_sub(taken))
    }

    /// Units of a section that may be taken: available, and within its pools and the show's capacity, with these taken
    /// places counted as free.
    pub(super) fn ga_room(&self, section: SectionIndex, own: &Places) -> u32 {
        let parts = self.manifest.parts();
        let pools = parts.pools.iter().filter(|pool| pool.sections.contains(&section));
        let own_of = |pool: &Pool| pool.sections.iter().map(|section| own.units_of(*section)).sum::<u32>();
        let of_pools = pools.map(|pool| pool.capacity.saturating_sub(self.taken_of_pool(pool) - own_of(pool)));
        let of_show = parts.capacity.map(|capacity| capacity.saturating_sub(self.taken - own.count()));
        of_pools.chain(of_show).fold(self.ga_available_besides(section, own.units_of(section)), u32::min)
    }

    /// Places that the show's capacity leaves.
    pub(super) fn room_of_show(&self) -> u32 {
        self.manifest.parts().capacity.map_or(u32::MAX, |capacity| capacity.saturating_sub(self.taken))
    }

    /// Until when a buyer who let holds expire may not hold, if he may not now. `slot` is where he is among the show's
    /// buyers, if he is.
    pub(super) fn cools_until(&self, slot: Option<u32>, now: Timestamp) -> Option<Timestamp> {
        let lapses = self.lapses.get(&slot?)?;
        (now < lapses.cools_until).then_some(lapses.cools_until)
    }

    /// Held and sold, seats and units.
    pub(super) fn taken_places(&self) -> u32 {
        self.taken
    }

    pub(super) fn taken_of_pool(&self, pool: &Pool) -> u32 {
        let tallies = pool.sections.iter().map(|section| self.ga[section.0 as usize]);
        tallies.map(|tally| tally.held + tally.sold).sum()
    }

    /// Whether more than a section's capacity limits its units, or the show's its places.
    pub(super) fn has_capacities(&self) -> bool {
        self.manifest.parts().capacity.is_some() || !self.manifest.parts().pools.is_empty()
    }

    pub(super) fn is_retired(&self, seat: SeatIndex) -> bool {
        self.retired.as_ref().is_some_and(|retired| retired.contains(seat))
    }

    pub(super) fn channel_of(&self, seat: SeatIndex) -> Option<ChannelIndex> {
        let mut channels = (0u8..).zip(&self.channels.all);
        channels.find(|(_, channel)| channel.seats.contains(seat)).map(|(channel, _)| ChannelIndex(channel))
    }

    /// Whether the show has all of these places and all are available: the quick question, before what stands in the
    /// way is gathered.
    pub(super) fn are_available(&self, places: &Places) -> bool {
        let seats = self.manifest.seats();
        places.seats().all(|seat| seat.0 < seats && self.available.contains(seat))
            && places.ga().all(|(section, units)| {
                self.manifest.ga_capacity(section).is_some() && units <= self.ga_available(section)
            })
    }

    /// What of these places the show does not have.
    pub(super) fn unknown(&self, places: &Places) -> Conflicts {
        let missing = |seat: &SeatIndex| seat.0 >= self.manifest.seats() || self.is_retired(*seat);
        let seats = places.seats().filter(missing).collect();
        let unknown = |&(section, _): &(SectionIndex, u32)| self.manifest.ga_capacity(section).is_none();
        let shortage = |(section, requested)| GaShortage { section, requested, available: 0 };
        Conflicts { seats, ga: places.ga().filter(unknown).map(shortage).collect() }
    }

    /// Whether a hold or an entry of the waitlist has this id.
    pub(super) fn is_known(&self, id: HoldId) -> bool {
        self.holds.slot(id).is_some() || self.waitlist.is_entry(id)
    }

    /// The hold of this id, if it is this buyer's.
    pub(super) fn own_hold(&self, id: HoldId, buyer: &BuyerId) -> Result<&Hold, Rejection> {
        let hold = self.holds.find(id).ok_or(Rejection::HoldUnknown)?;
        if self.buyers.get(hold.buyer).id == *buyer { Ok(hold) } else { Err(Rejection::HoldOfAnotherBuyer) }
    }

    pub(super) fn extendable_until(&self, granted_at: Timestamp) -> Timestamp {
        granted_at.plus_ms(self.policy.hold_life_ms_max)
    }

    pub(super) fn extendable_until_of(&self, hold: &Hold) -> Timestamp {
        let kept = hold.rare().and_then(|rare| rare.extendable_until);
        kept.unwrap_or_else(|| self.extendable_until(hold.granted_at))
    }

    /// How a hold stands at an instant: the deadline decides, and while clocks are stopped it does not come.
    pub(super) fn state_of(&self, hold: &Hold, now: Timestamp) -> HoldState {
        hold.state_at(self.sale.clock(now))
    }

    pub(super) fn is_over(&self, hold: &Hold, now: Timestamp) -> bool {
        self.state_of(hold, now) != hold.state
    }

    /// Whoever let a hold expire: how much later the places of this hold come back, should it expire too.
    pub(super) fn returns_later_ms(&self, buyer: u32, id: HoldId) -> Option<u64> {
        let spread = self.policy.return_spread_ms;
        if spread == 0 || !self.lapses.contains_key(&buyer) {
            return None;
        }
        Some(xxhash_rust::xxh3::xxh3_64(id.as_bytes()) % spread)
    }
}
