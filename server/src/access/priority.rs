//! Whom a call serves, by its method: what decides who is put off first where threads have more to do than they can.

use usher_engine::shard::Priority;

use super::{Scope, table::Rule};

/// Those who have something: they pay for it, keep it or give it back; and whoever stops a sale.
const SETTLING: [&str; 12] = [
    "/usher.v1.Groups/ConfirmGroup",
    "/usher.v1.Groups/ReleaseGroup",
    "/usher.v1.Inventory/CancelBooking",
    "/usher.v1.Inventory/ConfirmHold",
    "/usher.v1.Inventory/ExtendHold",
    "/usher.v1.Inventory/LeaveWaitlist",
    "/usher.v1.Inventory/PinHold",
    "/usher.v1.Inventory/ReleaseHold",
    "/usher.v1.Inventory/UnpinHold",
    "/usher.v1.Shows/CancelShow",
    "/usher.v1.Shows/CloseSale",
    "/usher.v1.Shows/PauseSale",
];

/// Of many commands, each of which has its own.
const BATCHES: [&str; 2] = ["/usher.v1.Inventory/Execute", "/usher.v1.Inventory/Session"];

/// The priority of a method with this rule. Operators are let in always, and so is whoever asks how the process is.
pub(super) fn of(method: &str, rule: Rule) -> Option<Priority> {
    match rule {
        _ if BATCHES.contains(&method) => None,
        _ if SETTLING.binary_search(&method).is_ok() => Some(Priority::Settle),
        Rule::Scopes(scopes) if scopes.contains(&Scope::Read) => Some(Priority::Read),
        Rule::Scopes(scopes) if scopes.contains(&Scope::Sell) => Some(Priority::Claim),
        Rule::Scopes(_) => Some(Priority::Organise),
        Rule::Open | Rule::Anybody | Rule::Unbound(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::table::{self, RULES};

    fn check(method: &str, expected: Option<Priority>) {
        assert_eq!(of(method, table::rule(method).unwrap()), expected, "{method}");
    }

    #[test]
    fn a_method_has_the_priority_of_its_command() {
        assert!(SETTLING.is_sorted());
        assert!(SETTLING.iter().chain(&BATCHES).all(|own| RULES.iter().any(|(method, _)| method == own)));
        check("/usher.v1.Inventory/ConfirmHold", Some(Priority::Settle));
        check("/usher.v1.Shows/PauseSale", Some(Priority::Settle));
        check("/usher.v1.Inventory/HoldBest", Some(Priority::Claim));
        check("/usher.v1.Groups/HoldGroup", Some(Priority::Claim));
        check("/usher.v1.Availability/GetSeatMap", Some(Priority::Read));
        check("/usher.v1.Shows/ListShows", Some(Priority::Read));
        check("/usher.v1.Shows/ImportShow", Some(Priority::Organise));
        check("/usher.v1.Inventory/Session", None);
        check("/usher.v1.Operations/TakeSnapshots", None);
        check("/grpc.health.v1.Health/Check", None);
    }
}
