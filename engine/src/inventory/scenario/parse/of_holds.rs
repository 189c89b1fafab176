//! What is asked about holds, bookings and entries, and lookups.

use super::{
    super::{
        super::{
            lookups::{Cursor, LookupBy},
            show::Show,
        },
        hall,
    },
    Asked, Words, buyer, hold_id, mark, name, number,
};
use crate::{
    command::{
        Adjacency, CancelBooking, Command, ConfirmHold, ExchangeSeats, ExtendHold, HoldBest, HoldSeats, JoinGroup,
        JoinWaitlist, Part, ReleaseHold, ReturnTo, SellMember, SellPlaces, Terms, TicketCount, TransferBooking, Wish,
    },
    ids::{Name, Reference, ShowId},
};

impl Words<'_> {
    fn keys(&self) -> Vec<Name> {
        self.values.get("with").into_iter().flatten().map(|key| name(key)).collect()
    }

    fn terms(&self) -> Terms {
        Terms {
            replaces: self.value("replacing").map(hold_id),
            channels: self.keys(),
            accessible: self.has("accessible"),
            house: self.has("house"),
            manifest_version: self.number("seen"),
            override_reason: self.value("overriding").map(name),
        }
    }

    fn wish(&self) -> Wish {
        let adjacency = match () {
            () if self.has("together") => Adjacency::Required,
            () if self.has("preferred") => Adjacency::Preferred,
            () => Adjacency::Any,
        };
        let all = |keyword: &str| self.values.get(keyword).cloned().unwrap_or_default();
        let mut wish = Wish::seats(number(self.others.first().expect("how many")), adjacency);
        wish.sections = all("in").into_iter().map(|name| self.section(name)).collect();
        wish.categories =
            all("at").into_iter().map(|name| hall::category(name, &self.manifest.parts().categories)).collect();
        wish.sections.sort_unstable();
        wish.categories.sort_unstable();
        wish.at_least = self.number("least");
        wish.price_minor_max = self.number("under").map(u64::from);
        wish.exclude_restricted = self.has("unrestricted");
        wish.bays = self.number("bays").unwrap_or(0);
        wish.companions = self.number("companions").unwrap_or(0);
        wish
    }

    fn tickets(&self) -> Vec<TicketCount> {
        let ticket = |text: &str| {
            let (ticket_type, count) = text.split_once(':').expect("a type and a count");
            TicketCount { ticket_type: name(ticket_type), count: number(count) }
        };
        self.value("tickets").into_iter().flat_map(|tickets| tickets.split(',').map(ticket)).collect()
    }

    pub(super) fn of_hold(&self, verb: &str) -> Option<Command> {
        let places = self.places();
        Some(match verb {
            "hold" => {
                let terms = Some(self.terms()).filter(|terms| *terms != Terms::default()).map(Box::new);
                let (hold_id, buyer, ttl) = (self.hold_id(), self.buyer(), self.ttl());
                Command::HoldSeats(HoldSeats { hold_id, buyer, places: self.some_places(), ttl, terms })
            }
            "best" => Command::HoldBest(Box::new(HoldBest {
                hold_id: self.hold_id(),
                buyer: self.buyer(),
                wish: self.wish(),
                tickets: self.tickets(),
                ttl: self.ttl(),
                terms: self.terms(),
            })),
            "extend" => {
                Command::ExtendHold(ExtendHold { hold_id: self.hold_id(), buyer: self.buyer(), ttl: self.ttl() })
            }
            "release" => Command::ReleaseHold(ReleaseHold { hold_id: self.hold_id(), buyer: self.buyer(), places }),
            "get" => Command::GetHold(self.hold_id()),
            "confirm" => {
                let (order, payment, accept_late) = (self.reference(), Reference::default(), self.has("late"));
                let (hold_id, buyer, keep_rest_as) = (self.hold_id(), self.buyer(), self.value("keeping").map(hold_id));
                let part = places.map(|places| Box::new(Part { places, keep_rest_as }));
                Command::ConfirmHold(ConfirmHold { hold_id, buyer, order, payment, part, accept_late })
            }
            "pin" => Command::PinHold(self.own_hold()),
            "unpin" => Command::UnpinHold(self.own_hold()),
            "leave" => Command::LeaveWaitlist(self.own_hold()),
            "group" => {
                let others = self.values.get("with").cloned().unwrap_or_else(|| vec!["another"]);
                let shows = ["scenario"].into_iter().chain(others).map(|id| ShowId::new(id).expect("a show"));
                let (hold_id, buyer, shows) = (self.hold_id(), self.buyer(), shows.collect());
                Command::JoinGroup(Box::new(JoinGroup { hold_id, buyer, shows }))
            }
            "prepare" => Command::PrepareMember(self.sell_member()),
            "decide" => Command::ConfirmMember(self.sell_member()),
            "abandon" => Command::ReleaseMember(self.own_hold()),
            verb => return self.of_booking(verb),
        })
    }

    fn sell_member(&self) -> Box<SellMember> {
        let (hold_id, buyer, order, payment) = (self.hold_id(), self.buyer(), self.reference(), Reference::default());
        Box::new(SellMember { hold_id, buyer, order, payment })
    }

    fn of_booking(&self, verb: &str) -> Option<Command> {
        let (order, payment) = (|| self.reference(), Reference::default());
        Some(match verb {
            "sell" => Command::SellPlaces(Box::new(SellPlaces {
                hold_id: self.hold_id(),
                buyer: self.buyer(),
                places: self.some_places(),
                order: order(),
                payment,
                terms: self.terms(),
            })),
            "cancel" => {
                let return_to = self.value("to").map_or(ReturnTo::Available, |text| ReturnTo::Blocked(mark(text)));
                let (hold_id, buyer, places) = (self.hold_id(), self.buyer(), self.places());
                Command::CancelBooking(CancelBooking { hold_id, buyer, places, return_to })
            }
            "transfer" => {
                let to_buyer = buyer(self.value("to").expect("to whom"));
                Command::TransferBooking(TransferBooking { hold_id: self.hold_id(), buyer: self.buyer(), to_buyer })
            }
            "exchange" => {
                let (hold_id, buyer, terms) = (self.hold_id(), self.buyer(), self.terms());
                Command::ExchangeSeats(Box::new(ExchangeSeats { hold_id, buyer, places: self.some_places(), terms }))
            }
            "join" => Command::JoinWaitlist(Box::new(JoinWaitlist {
                hold_id: self.hold_id(),
                buyer: self.buyer(),
                wish: self.wish(),
                priority: u8::try_from(self.number("priority").unwrap_or(0)).expect("a priority"),
                channels: self.keys(),
            })),
            _ => return None,
        })
    }

    pub(super) fn lookup(&self, verb: &str, show: &Show) -> Asked {
        let after = self.value("after").map(|hold| Cursor::After(hold_id(hold)));
        let before = self.value("before").map(hold_id);
        let before = before.map(|id| Cursor::Before(show.holds.find(id).expect("a hold").granted_at, id));
        let from = self.number("from").map(Cursor::At).or(after).or(before);
        let by = match verb {
            "list" => LookupBy::Buyer(buyer(self.others[0])),
            "order" => LookupBy::Order(Reference::order(self.others[0]).expect("an order")),
            "newest" => {
                let named = self.values.get("in").into_iter().flatten();
                LookupBy::Newest(named.map(|name| self.section(name)).collect())
            }
            _ => LookupBy::Show,
        };
        Asked::Lookup { by, from, max: self.number("max").unwrap_or(10) as usize }
    }
}
