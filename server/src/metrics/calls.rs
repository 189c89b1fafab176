//! Calls by method and code, and how long they take; refusals by reason. After OpenTelemetry's conventions for RPCs.
//!
//! A method is found once a call, among those of the table of rules; whatever else is called is one method more.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tonic::Code;
use usher_client::Reason;

use super::histogram::{Histogram, TIMES, TraceId};
use crate::access::table::RULES;

/// Names of gRPC's codes, by their numbers.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
/// Of these an answer is a stream: how long it takes to begin says nothing.
const STREAMS: [&str; 4] = [
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/usher.v1.Inventory/Session",
    "/usher.v1.Operations/WatchStatus",
];

/// What is not the rules' no, by reason, in alphabetical order: of this process, whichever server of it said so.
static REFUSALS: LazyLock<Vec<(&'static str, AtomicU64)>> = LazyLock::new(|| {
    let mut reasons: Vec<&'static str> = Reason::ALL.iter().map(Reason::as_str).collect();
    reasons.sort_unstable();
    reasons.into_iter().map(|reason| (reason, AtomicU64::new(0))).collect()
});

/// All methods.
#[derive(Debug)]
pub(crate) struct Calls(Vec<OfMethod>);

/// Calls of one.
#[derive(Debug)]
pub(crate) struct OfMethod {
    /// As OpenTelemetry names it: without the slash in front.
    pub(crate) name: &'static str,
    by_code: [AtomicU64; CODES.len()],
    pub(crate) took: Option<Histogram>,
}

impl Calls {
    pub(crate) fn new() -> Self {
        let methods = RULES.iter().map(|(path, _)| *path).chain(["/other"]);
        let of_method = |path: &'static str| OfMethod {
            name: &path[1..],
            by_code: std::array::from_fn(|_| AtomicU64::new(0)),
            took: (!STREAMS.contains(&path)).then(|| Histogram::new(TIMES)),
        };
        Self(methods.map(of_method).collect())
    }

    /// Where the method with this path is among all.
    pub(crate) fn position(&self, path: &str) -> usize {
        RULES.binary_search_by(|(method, _)| (*method).cmp(path)).unwrap_or(RULES.len())
    }

    pub(crate) fn all(&self) -> &[OfMethod] {
        &self.0
    }
}

impl OfMethod {
    /// One has ended.
    pub(crate) fn ended(&self, code: Code, took: Duration, trace: Option<TraceId>) {
        self.by_code[code as usize].fetch_add(1, Relaxed);
        if let Some(times) = &self.took {
            times.observe_time(took, trace);
        }
    }

    /// Counts by the names of codes, without those that there are none of.
    pub(crate) fn by_code(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let counts = self.by_code.iter().map(|count| count.load(Relaxed));
        CODES.into_iter().zip(counts).filter(|(_, count)| *count > 0)
    }
}

/// Counts refusals that are not the rules' (those the shards count).
pub(crate) fn note_refusals(reason: &str, count: u64) {
    if let Ok(position) = REFUSALS.binary_search_by(|(own, _)| (*own).cmp(reason)) {
        REFUSALS[position].1.fetch_add(count, Relaxed);
    }
}

/// How many there were of each reason, without those that there are none of.
pub(crate) fn refusals() -> impl Iterator<Item = (&'static str, u64)> {
    REFUSALS.iter().map(|(reason, count)| (*reason, count.load(Relaxed))).filter(|(_, count)| *count > 0)
}

/// A code's name.
pub(crate) fn code_name(code: Code) -> &'static str {
    CODES[code as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Calls {
        fn of(&self, path: &str) -> &OfMethod {
            &self.0[self.position(path)]
        }
    }

    #[test]
    fn a_call_is_counted_for_its_method_and_code_and_a_stream_is_not_timed() {
        let calls = Calls::new();
        calls.of("/usher.v1.Inventory/HoldSeats").ended(Code::FailedPrecondition, Duration::from_millis(1), None);
        calls.of("/usher.v1.Inventory/Session").ended(Code::Ok, Duration::from_secs(1), None);
        calls.of("/no.such/Method").ended(Code::Unimplemented, Duration::ZERO, None);
        let found: Vec<_> = calls.all().iter().flat_map(|of| of.by_code().map(move |code| (of.name, code))).collect();
        let expected = [
            ("usher.v1.Inventory/HoldSeats", ("FAILED_PRECONDITION", 1)),
            ("usher.v1.Inventory/Session", ("OK", 1)),
            ("other", ("UNIMPLEMENTED", 1)),
        ];
        assert_eq!(found, expected);
        let timed = |path| calls.of(path).took.as_ref().map(|times| times.counts().count());
        assert_eq!((timed("/usher.v1.Inventory/HoldSeats"), timed("/usher.v1.Inventory/Session")), (Some(1), None));
    }

    #[test]
    fn every_stream_is_a_method_and_every_code_has_its_name() {
        for path in STREAMS {
            assert!(RULES.iter().any(|(method, _)| *method == path), "{path}");
        }
        for (number, name) in (0_i32..).zip(CODES) {
            assert_eq!(format!("{:?}", Code::from_i32(number)).to_uppercase(), name.replace('_', ""));
        }
    }
}
