//! Which scopes allow which call: one line a method, and nothing that is not here.

use super::Scope::{self, Admin, Operate, Read, Sell};

/// What a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Nothing: not even who calls.
    Open,
    /// That one knows who calls.
    Anybody,
    /// One of these scopes.
    Scopes(&'static [Scope]),
    /// One of these, and no bounds: it is about more than a show.
    Unbound(&'static [Scope]),
}
use Rule::{Anybody, Open, Scopes, Unbound};

/// Every method. Batches may be of lookups alone, which needs no more than one lookup does: [`super::permit_batch`].
pub const RULES: &[(&str, Rule)] = &[
    ("/grpc.health.v1.Health/Check", Open),
    ("/grpc.health.v1.Health/Watch", Open),
    ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Anybody),
    ("/usher.v1.Availability/GetSeatMap", Scopes(&[Sell, Read])),
    ("/usher.v1.Groups/ConfirmGroup", Scopes(&[Sell])),
    ("/usher.v1.Groups/GetGroup", Scopes(&[Sell, Read])),
    ("/usher.v1.Groups/HoldGroup", Scopes(&[Sell])),
    ("/usher.v1.Groups/ReleaseGroup", Scopes(&[Sell])),
    ("/usher.v1.Inventory/CancelBooking", Scopes(&[Sell])),
    ("/usher.v1.Inventory/ConfirmHold", Scopes(&[Sell])),
    ("/usher.v1.Inventory/ExchangeSeats", Scopes(&[Sell])),
    ("/usher.v1.Inventory/Execute", Scopes(&[Sell, Read])),
    ("/usher.v1.Inventory/ExtendHold", Scopes(&[Sell])),
    ("/usher.v1.Inventory/GetHold", Scopes(&[Sell, Read])),
    ("/usher.v1.Inventory/HoldBest", Scopes(&[Sell])),
    ("/usher.v1.Inventory/HoldSeats", Scopes(&[Sell])),
    ("/usher.v1.Inventory/JoinWaitlist", Scopes(&[Sell])),
    ("/usher.v1.Inventory/LeaveWaitlist", Scopes(&[Sell])),
    ("/usher.v1.Inventory/ListHolds", Scopes(&[Sell, Read])),
    ("/usher.v1.Inventory/PinHold", Scopes(&[Sell])),
    ("/usher.v1.Inventory/ReleaseHold", Scopes(&[Sell])),
    ("/usher.v1.Inventory/SellPlaces", Scopes(&[Sell])),
    ("/usher.v1.Inventory/Session", Scopes(&[Sell, Read])),
    ("/usher.v1.Inventory/TransferBooking", Scopes(&[Sell])),
    ("/usher.v1.Inventory/UnpinHold", Scopes(&[Sell])),
    ("/usher.v1.Operations/TakeSnapshots", Unbound(&[Operate])),
    ("/usher.v1.Operations/WatchStatus", Unbound(&[Operate])),
    ("/usher.v1.Shows/ArchiveShow", Scopes(&[Admin])),
    ("/usher.v1.Shows/AssignChannel", Scopes(&[Admin])),
    ("/usher.v1.Shows/BlockPlaces", Scopes(&[Admin])),
    ("/usher.v1.Shows/CancelShow", Scopes(&[Admin])),
    ("/usher.v1.Shows/ChangeManifest", Scopes(&[Admin])),
    ("/usher.v1.Shows/CloseSale", Scopes(&[Admin])),
    ("/usher.v1.Shows/CreateShow", Scopes(&[Admin])),
    ("/usher.v1.Shows/GetShow", Scopes(&[Sell, Read, Admin])),
    ("/usher.v1.Shows/GetShowOverview", Scopes(&[Read, Admin])),
    ("/usher.v1.Shows/ImportShow", Scopes(&[Admin])),
    ("/usher.v1.Shows/ListShows", Scopes(&[Sell, Read, Admin])),
    ("/usher.v1.Shows/OpenSale", Scopes(&[Admin])),
    ("/usher.v1.Shows/PauseSale", Scopes(&[Admin])),
    ("/usher.v1.Shows/RetireSeats", Scopes(&[Admin])),
    ("/usher.v1.Shows/ScheduleRelease", Scopes(&[Admin])),
    ("/usher.v1.Shows/ScheduleSale", Scopes(&[Admin])),
    ("/usher.v1.Shows/SetChannel", Scopes(&[Admin])),
    ("/usher.v1.Shows/UnblockPlaces", Scopes(&[Admin])),
    ("/usher.v1.Shows/UpdatePolicy", Scopes(&[Admin])),
];

/// The rule of a method, by its path.
#[must_use]
pub fn rule(path: &str) -> Option<Rule> {
    RULES.binary_search_by(|(method, _)| (*method).cmp(path)).ok().map(|found| RULES[found].1)
}

/// Whether the trail names every such call, not only those that are refused.
#[must_use]
pub fn is_audited(rule: Rule) -> bool {
    matches!(rule, Scopes(&[Admin]) | Unbound(_))
}

#[cfg(test)]
mod tests {
    use prost_reflect::DescriptorPool;

    use super::*;

    #[test]
    fn every_method_has_a_rule_and_every_rule_a_method() {
        let mut methods = Vec::new();
        for set in [usher_proto::FILE_DESCRIPTOR_SET, tonic_health::pb::FILE_DESCRIPTOR_SET] {
            let pool = DescriptorPool::decode(set).unwrap();
            for service in pool.services() {
                methods.extend(service.methods().map(|method| format!("/{}/{}", service.full_name(), method.name())));
            }
        }
        methods.push("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo".to_owned());
        methods.sort_unstable();
        let mut ruled: Vec<String> = RULES.iter().map(|(method, _)| (*method).to_owned()).collect();
        assert!(ruled.is_sorted(), "the table is searched by halves: keep it in order");
        ruled.sort_unstable();
        assert_eq!(ruled, methods);
    }
}
