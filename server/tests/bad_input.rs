//! What must be refused: each with its code, its reason, and the name of what is wrong. Nothing of it changes anything.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

#[path = "bad_input/batches.rs"]
mod batches;
#[path = "bad_input/commands.rs"]
mod commands;
#[path = "bad_input/holds.rs"]
mod holds;
#[path = "bad_input/lookups.rs"]
mod lookups;
#[path = "bad_input/organise.rs"]
mod organise;
#[path = "bad_input/plans.rs"]
mod plans;
#[path = "bad_input/shows.rs"]
mod shows;
#[path = "bad_input/sizes.rs"]
mod sizes;
#[path = "bad_input/wishes.rs"]
mod wishes;

use tonic::Code;

use common::refusal::Refused;

/// How a refusal names what is wrong.
enum Named<'a> {
    /// A field, with a part of what is said about it.
    Field(&'a str, &'a str),
    /// A resource, by type and name.
    Resource(&'a str, &'a str),
    /// An entry of the metadata, by name and value.
    Said(&'a str, &'a str),
    /// Nothing: the reason says it all.
    Nothing,
}

/// Compares a refusal with what it must be; `case` says which.
fn check(case: &str, refused: &Refused, code: Code, reason: &str, named: &Named<'_>) {
    assert_eq!((refused.code, refused.reason.as_str()), (Some(code), reason), "{case}: {refused:?}");
    match named {
        Named::Field(field, part) => {
            let fits = |(at, what): &(String, String)| at == field && what.contains(part);
            assert!(refused.violations.iter().any(fits), "{case}: no {field:?} with {part:?} in {refused:?}");
        }
        Named::Resource(kind, name) => {
            let resource = refused.resource.as_ref().map(|resource| (resource.0.as_str(), resource.1.as_str()));
            assert_eq!(resource, Some((*kind, *name)), "{case}: {refused:?}");
        }
        Named::Said(name, value) => assert_eq!(refused.said(name), *value, "{case}: {refused:?}"),
        Named::Nothing => {}
    }
}
