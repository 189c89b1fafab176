//! What callers were told, as a caller would note it: grants and sales. It trusts nothing else.
//!
//! A promise ends only by what its caller may expect: its deadline, or a command about it whose answer he knows or has
//! reason to fear. What the latter did is the naive model's business; here a booking is for ever and a seat is sold once.

use std::collections::{BTreeMap, BTreeSet};

use usher_engine::{
    command::{Command, ConfirmHold},
    ids::{HoldId, Reference, SeatIndex, ShowNumber},
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
    /// Grants that their callers asked to end or to change, whether or not they heard of it.
    touched: BTreeSet<(ShowNumber, HoldId)>,
}

impl Ledger {
    /// Commands are about to be sent.
    pub fn note_sent(&mut self, show: ShowNumber, commands: &[Command]) {
        for command in commands {
            let touched = match command {
                Command::ReleaseHold(release) => release.hold_id,
                Command::ConfirmHold(confirm) => confirm.hold_id,
                Command::HoldSeats(_) | Command::ExtendHold(_) | Command::GetHold(_) => continue,
            };
            self.touched.insert((show, touched));
        }
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
                    self.grants.insert((show, hold.hold_id), hold.clone());
                }
                Ok(Answer::Confirmed(booking)) => self.confirmed(show, booking)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn confirmed(&mut self, show: ShowNumber, booking: &HoldView) -> Result<(), String> {
        for seat in booking.places.seats() {
            let owner = *self.sold.entry((show, seat)).or_insert(booking.hold_id);
            if owner != booking.hold_id {
                return Err(format!("{seat:?} is sold to {owner} and to {}", booking.hold_id));
            }
        }
        let first = self.sales.entry((show, booking.hold_id)).or_insert_with(|| booking.clone());
        if first == booking { Ok(()) } else { Err(format!("first booked as {first:?}, then as {booking:?}")) }
    }

    /// Whether everything is there, by the answers to `GetHold`.
    ///
    /// # Errors
    /// Which promise was broken.
    pub fn check(&self, get: impl Fn(ShowNumber, HoldId) -> Outcome, now: Timestamp) -> Result<(), String> {
        for (&(show, id), booking) in &self.sales {
            match get(show, id) {
                Ok(Answer::Found(found)) if found == *booking => {}
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
        let touched = self.touched.contains(&(show, hold.hold_id));
        match found {
            Ok(Answer::Found(found)) if found.granted_at == hold.granted_at => {
                let same_hold = found.buyer == hold.buyer && found.expires_at >= hold.expires_at;
                same_hold && (touched || now >= hold.expires_at || found.state == HoldState::Held)
            }
            // Forgotten after its retention, or another hold under its id since then.
            Ok(Answer::Found(_)) | Err(Rejection::HoldUnknown) => {
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
            (show, vec![Command::ConfirmHold(ConfirmHold { hold_id, buyer, order, payment, places: None })])
        };
        self.sales.iter().map(again).collect()
    }

    /// How many grants and sales there are.
    #[must_use]
    pub fn promises(&self) -> (usize, usize) {
        (self.grants.len(), self.sales.len())
    }
}
