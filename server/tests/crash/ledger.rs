//! What a buyer knows about one hold: what was acknowledged, and which call's answer was lost. Every answer and every
//! look at the hold must agree with it.

use usher_proto::v1::{self, HoldState, command::Command, outcome::Outcome};

use crate::common::{now_ms, refusal::Refused, wire};

/// What a buyer does with a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Hold,
    Extend,
    Confirm,
    Release,
}

/// What was acknowledged last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Nothing,
    Refused,
    Held { expires_at_ms: u64 },
    Confirmed { confirmed_at_ms: u64 },
    Released,
    Expired,
}

/// One hold of one buyer.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) show_id: String,
    pub(crate) hold_id: u128,
    pub(crate) buyer_id: String,
    /// Ascending.
    pub(crate) seats: Vec<u32>,
    pub(crate) ttl_ms: u64,
    pub(crate) known: Known,
    /// The call whose answer was lost: it happened or it did not.
    pub(crate) lost: Option<Call>,
    /// Not looked at since it was last changed.
    pub(crate) changed: bool,
}

impl Entry {
    /// The same call has the same content, however often it is sent.
    pub(crate) fn command(&self, call: Call) -> Command {
        let (show_id, buyer_id) = (self.show_id.as_str(), self.buyer_id.as_str());
        match call {
            Call::Hold => {
                let request = wire::hold(show_id, self.hold_id, buyer_id, wire::seats(&self.seats));
                Command::HoldSeats(v1::HoldSeatsRequest { ttl_ms: Some(self.ttl_ms), ..request })
            }
            Call::Extend => Command::ExtendHold(wire::extend(show_id, self.hold_id, buyer_id, Some(600_000))),
            Call::Confirm => Command::ConfirmHold(wire::confirm(show_id, self.hold_id, buyer_id, &self.order_ref())),
            Call::Release => Command::ReleaseHold(wire::release(show_id, self.hold_id, buyer_id)),
        }
    }

    /// Takes in the answer to a call.
    pub(crate) fn settle(&mut self, call: Call, answer: &Result<Outcome, Refused>) {
        self.changed = true;
        match answer {
            Err(refused) if refused.is_lost() => {
                self.lost = Some(call);
                return;
            }
            Err(refused) => self.known = self.after_refusal(call, refused),
            Ok(outcome) => self.known = self.after_answer(call, outcome),
        }
        self.lost = None;
    }

    fn after_answer(&self, call: Call, outcome: &Outcome) -> Known {
        match (call, outcome) {
            (Call::Hold, Outcome::HoldSeats(response)) => self.after_grant(response.hold.as_ref().unwrap()),
            (Call::Extend, Outcome::ExtendHold(response)) => {
                let Known::Held { expires_at_ms } = self.known else { panic!("extended: {self:?}") };
                assert!(response.expires_at_ms >= expires_at_ms, "extending shortened {self:?}: {response:?}");
                Known::Held { expires_at_ms: response.expires_at_ms }
            }
            (Call::Confirm, Outcome::ConfirmHold(response)) => {
                let hold = response.hold.as_ref().unwrap();
                assert_eq!(hold.state(), HoldState::Confirmed);
                self.found(hold)
            }
            (Call::Release, Outcome::ReleaseHold(response)) => match response.state() {
                HoldState::Released if !self.is_sold() => Known::Released,
                HoldState::Expired if self.may_have_expired() => Known::Expired,
                state => panic!("released to {state:?}: {self:?}"),
            },
            _ => panic!("{outcome:?} answers {call:?} of {self:?}"),
        }
    }

    /// A grant: the first one, or again what was granted before.
    fn after_grant(&self, hold: &v1::Hold) -> Known {
        assert_eq!(seats_of(hold), self.seats, "other seats than asked for: {self:?}");
        if let Known::Held { expires_at_ms } = self.known {
            assert_eq!(hold.expires_at_ms, expires_at_ms, "the same grant again: {self:?}");
        }
        match hold.state() {
            HoldState::Held => Known::Held { expires_at_ms: hold.expires_at_ms },
            HoldState::Expired if hold.expires_at_ms <= now_ms() => Known::Expired,
            state => panic!("granted as {state:?}: {self:?}"),
        }
    }

    fn after_refusal(&self, call: Call, refused: &Refused) -> Known {
        match (call, refused.reason.as_str(), self.known) {
            (Call::Hold, "PLACES_TAKEN", Known::Nothing) => {
                let named: Vec<u32> =
                    refused.said("seat_indexes").split(',').map(|seat| seat.parse().unwrap()).collect();
                assert!(named.iter().all(|seat| self.seats.contains(seat)), "{refused:?} blames other seats: {self:?}");
                Known::Refused
            }
            (Call::Extend | Call::Confirm, "HOLD_EXPIRED", Known::Held { expires_at_ms }) => {
                assert_eq!(refused.said("expires_at_ms"), expires_at_ms.to_string(), "{self:?}");
                assert!(expires_at_ms <= now_ms(), "expired before its deadline: {self:?}");
                Known::Expired
            }
            (Call::Extend | Call::Confirm, "HOLD_EXPIRED", Known::Expired) => Known::Expired,
            _ => panic!("{call:?} was refused with {refused:?}: {self:?}"),
        }
    }

    /// Compares with what the server has, and takes in what became of a call whose answer was lost.
    pub(crate) fn look(&mut self, answer: &Result<Outcome, Refused>) {
        self.changed = false;
        match answer {
            Ok(Outcome::GetHold(response)) => {
                let hold = response.hold.as_ref().unwrap();
                let sold_now = hold.state() == HoldState::Confirmed && !self.is_sold();
                assert!(!sold_now || self.lost == Some(Call::Confirm), "sold, and nobody asked: {self:?}");
                self.known = self.found(hold);
            }
            Err(refused) => {
                assert_eq!(refused.reason, "HOLD_UNKNOWN", "{self:?}");
                assert!(
                    matches!(self.known, Known::Nothing | Known::Refused),
                    "an acknowledged grant is gone: {self:?}"
                );
            }
            Ok(other) => panic!("{other:?} answers GetHold"),
        }
    }

    fn found(&self, hold: &v1::Hold) -> Known {
        assert_eq!(hold.buyer_id, self.buyer_id);
        match (hold.state(), self.known) {
            (HoldState::Held, Known::Held { expires_at_ms }) => {
                let moved = hold.expires_at_ms != expires_at_ms;
                assert!(
                    !moved || self.lost == Some(Call::Extend) && hold.expires_at_ms > expires_at_ms,
                    "{self:?}: {hold:?}"
                );
            }
            (HoldState::Expired, Known::Held { expires_at_ms }) => {
                assert!(hold.expires_at_ms >= expires_at_ms, "{self:?}: {hold:?}")
            }
            (HoldState::Held | HoldState::Expired, Known::Nothing) => {
                assert_eq!(self.lost, Some(Call::Hold), "{self:?}")
            }
            (HoldState::Confirmed, Known::Confirmed { confirmed_at_ms }) => {
                assert_eq!(
                    hold.booking.as_ref().unwrap().confirmed_at_ms,
                    confirmed_at_ms,
                    "another booking: {self:?}"
                );
            }
            (HoldState::Confirmed, Known::Held { .. })
            | (HoldState::Released, Known::Released)
            | (HoldState::Expired, Known::Expired) => {}
            (HoldState::Released, Known::Held { .. }) => assert_eq!(self.lost, Some(Call::Release), "{self:?}"),
            (state, _) => panic!("found {state:?}: {self:?}"),
        }
        match hold.state() {
            HoldState::Held => {
                assert_eq!(seats_of(hold), self.seats, "{self:?}");
                Known::Held { expires_at_ms: hold.expires_at_ms }
            }
            HoldState::Confirmed => {
                let booking = hold.booking.as_ref().unwrap();
                assert_eq!((seats_of(hold), &booking.order_ref), (self.seats.clone(), &self.order_ref()), "{self:?}");
                Known::Confirmed { confirmed_at_ms: booking.confirmed_at_ms }
            }
            HoldState::Expired => {
                assert!(hold.expires_at_ms <= now_ms(), "expired before its deadline: {hold:?}");
                Known::Expired
            }
            _ => Known::Released,
        }
    }

    /// Whether its seats are its own at an instant.
    pub(crate) fn has_seats_at(&self, at_ms: u64) -> bool {
        self.is_sold() || matches!(self.known, Known::Held { expires_at_ms } if expires_at_ms > at_ms)
    }

    pub(crate) fn is_sold(&self) -> bool {
        matches!(self.known, Known::Confirmed { .. })
    }

    fn may_have_expired(&self) -> bool {
        self.known == Known::Expired || matches!(self.known, Known::Held { expires_at_ms } if expires_at_ms <= now_ms())
    }

    fn order_ref(&self) -> String {
        format!("order-{:032x}", self.hold_id)
    }
}

fn seats_of(hold: &v1::Hold) -> Vec<u32> {
    hold.seats.iter().map(|seat| seat.seat_index).collect()
}
