//! What callers were told, as a caller would note it: grants and sales. It trusts nothing else.
//!
//! A promise ends only by what its caller may expect: its deadline, or a command that may end or change it, whose answer
//! he knows or has reason to fear. What the latter did is the naive model's business; here a booking that nobody touched
//! is for ever, and a seat that was not given back is sold once.

use std::collections::{BTreeMap, BTreeSet};

use usher_engine::{
    command::{Command, ConfirmHold},
    ids::{BuyerId, HoldId, Reference, SeatIndex, ShowNumber},
    inventory::{Answer, ENDED_HOLD_RETENTION_MS, HoldState, HoldView},
    rejection::Rejection,
    shard::Outcome,
    time::Timestamp,
};

/// Grants and sales by show.
#[derive(Debug, Default)]
pub struct Ledger {
    grants: BTreeMap<(ShowNumber, HoldId), HoldView>,
    sales: BTreeMap<(ShowNumber, HoldId), HoldView>,
    sold: BTreeMap<(ShowNumber, SeatIndex), HoldId>,
    /// Who asked for a hold.
    asked: BTreeMap<(ShowNumber, HoldId), BuyerId>,
    /// Holds that somebody asked to end or to change, whether or not he heard of it.
    touched: BTreeSet<(ShowNumber, HoldId)>,
    /// Bookings that somebody asked to change.
    reopened: BTreeSet<(ShowNumber, HoldId)>,
    /// Shows whose organiser asked to change what all holds of it are.
    shaken: BTreeSet<ShowNumber>,
}

impl Ledger {
    /// Commands are about to be sent.
    pub fn note_sent(&mut self, show: ShowNumber, commands: &[Command]) {
        for command in commands {
            match command {
                Command::HoldSeats(hold) => self.note_asked(show, hold.hold_id, &hold.buyer),
                Command::HoldBest(hold) => self.note_asked(show, hold.hold_id, &hold.buyer),
                Command::SellPlaces(sale) => self.note_asked(show, sale.hold_id, &sale.buyer),
                Command::CancelShow { dry_run: false } | Command::ChangePolicy(_) | Command::ChangeManifest(_) => {
                    self.shaken.insert(show);
                }
                Command::ExtendHold(_) | Command::GetHold(_) => {}
                Command::CancelBooking(_) | Command::TransferBooking(_) | Command::ExchangeSeats(_) => {
                    self.reopened.extend(command.hold_id().map(|id| (show, id)));
                    self.touched.extend(command.hold_id().map(|id| (show, id)));
                }
                other => self.touched.extend(other.hold_id().map(|id| (show, id))),
            }
        }
    }

    /// A buyer's new hold takes seats of his others, and may replace one.
    fn note_asked(&mut self, show: ShowNumber, id: HoldId, buyer: &BuyerId) {
        let others = self.asked.iter().filter(|(key, other)| **key != (show, id) && *other == buyer);
        self.touched.extend(others.map(|(key, _)| *key));
        self.asked.entry((show, id)).or_insert_with(|| buyer.clone());
    }

    /// Commands were answered.
    ///
    /// # Errors
    /// When an answer contradicts an earlier one: a seat that was sold already, or another booking of the same hold.
    pub fn note(&mut self, show: ShowNumber, commands: &[Command], outcomes: &[Outcome]) -> Result<(), String> {
        if commands.len() != outcomes.len() {
            return Err(format!("{} outcomes for {} commands", outcomes.len(), commands.len()));
        }
        for outcome in outcomes {
            match outcome {
                Ok(Answer::Held(hold)) if hold.state == HoldState::Held => {
                    self.grants.insert((show, hold.hold_id), HoldView::clone(hold));
                }
                Ok(Answer::Confirmed(booking)) if booking.state == HoldState::Confirmed => {
                    self.confirmed(show, booking)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn confirmed(&mut self, show: ShowNumber, booking: &HoldView) -> Result<(), String> {
        for seat in booking.places.seats() {
            let owner = self.sold.get(&(show, seat)).copied().unwrap_or(booking.hold_id);
            if owner != booking.hold_id && !self.is_reopened(show, owner) {
                return Err(format!("{seat:?} is sold to {owner} and to {}", booking.hold_id));
            }
        }
        self.sold.extend(booking.places.seats().map(|seat| ((show, seat), booking.hold_id)));
        let first = self.sales.entry((show, booking.hold_id)).or_insert_with(|| booking.clone());
        let same_booking = first.booking == booking.booking;
        if *first == *booking || (same_booking && self.is_reopened(show, booking.hold_id)) {
            return Ok(());
        }
        Err(format!("first booked as {:?}, then as {booking:?}", self.sales[&(show, booking.hold_id)]))
    }

    /// Somebody asked to change this booking, or the whole show.
    fn is_reopened(&self, show: ShowNumber, id: HoldId) -> bool {
        self.reopened.contains(&(show, id)) || self.shaken.contains(&show)
    }

    /// Whether everything is there, by the answers to `GetHold`.
    ///
    /// # Errors
    /// Which promise was broken.
    pub fn check(&self, get: impl Fn(ShowNumber, HoldId) -> Outcome, now: Timestamp) -> Result<(), String> {
        for (&(show, id), booking) in &self.sales {
            match get(show, id) {
                Ok(Answer::Found(found)) if *found == *booking => {}
                Ok(Answer::Found(found)) if found.booking == booking.booking && self.is_reopened(show, id) => {}
                other => return Err(format!("sold as {booking:?}, but found {other:?}")),
            }
        }
        for (&(show, id), hold) in &self.grants {
            let found = get(show, id);
            if !self.is_kept(show, hold, &found, now) {
                return Err(format!("granted as {hold:?}, but found {found:?} at {now:?}"));
            }
        }
        Ok(())
    }

    fn is_kept(&self, show: ShowNumber, hold: &HoldView, found: &Outcome, now: Timestamp) -> bool {
        let touched = self.touched.contains(&(show, hold.hold_id)) || self.shaken.contains(&show);
        match found {
            Ok(Answer::Found(found)) if found.granted_at == hold.granted_at => {
                let same_hold = touched || (found.buyer == hold.buyer && found.expires_at >= hold.expires_at);
                same_hold && (touched || now >= hold.expires_at || found.state == HoldState::Held)
            }
            // Forgotten after its retention, or another hold or entry under its id since then.
            Ok(Answer::Found(_) | Answer::Waiting(_)) | Err(Rejection::HoldUnknown) => {
                now.ms_since(hold.granted_at) >= ENDED_HOLD_RETENTION_MS
            }
            _ => false,
        }
    }

    /// Confirms of everything that was sold, for another order.
    #[must_use]
    pub fn confirms(&self) -> Vec<(ShowNumber, Vec<Command>)> {
        let order = Reference::order("a second checkout").unwrap();
        let again = |(&(show, hold_id), booking): (&(ShowNumber, HoldId), &HoldView)| {
            let (buyer, order, payment) = (booking.buyer.clone(), order.clone(), Reference::default());
            let (part, accept_late) = (None, false);
            (show, vec![Command::ConfirmHold(ConfirmHold { hold_id, buyer, order, payment, part, accept_late })])
        };
        self.sales.iter().map(again).collect()
    }

    /// How many grants and sales there are.
    #[must_use]
    pub fn promises(&self) -> (usize, usize) {
        (self.grants.len(), self.sales.len())
    }
}
