//! What the library answers by itself, without a reason: said as everything else is.

use tonic::{Code, Status, codegen::http::Response};

use super::Refusal;

/// As tonic's decoder and its router begin.
const UNDECODABLE: &str = "failed to decode Protobuf message";
const TOO_LONG: &str = "Error, decoded message length too large";

/// The answer, or in its place the refusal that it means.
pub(crate) fn explained<B: Default>(response: Response<B>) -> Response<B> {
    match Status::from_header_map(response.headers()).as_ref().and_then(meant) {
        Some(refusal) => refusal.into_status().into_http(),
        None => response,
    }
}

/// The refusal that a status without details means, if it means one.
pub(crate) fn meant(status: &Status) -> Option<Refusal> {
    let said = status.message();
    match status.code() {
        _ if !status.details().is_empty() => None,
        // The caller's fault, not ours.
        Code::Internal if said.starts_with(UNDECODABLE) => {
            Some(Refusal::wrong("request", said.trim_start_matches(UNDECODABLE).trim_start_matches(": ")))
        }
        Code::OutOfRange if said.starts_with(TOO_LONG) => {
            let sizes = said.trim_start_matches(TOO_LONG).trim_start_matches(": ");
            Some(Refusal::new(Code::OutOfRange, "MESSAGE_TOO_LARGE", format!("the message is too large: {sizes}")))
        }
        Code::Unimplemented if said.is_empty() => Some(Refusal::method_elsewhere()),
        _ => None,
    }
}
