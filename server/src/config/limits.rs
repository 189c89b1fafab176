//! What callers may take of the process before anything is known of them: `[limits]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The limits of connections, of what is on them, and of calls. Less than the least of some is served worse than not at
/// all, and hyper panics below that of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections in all.
    #[schemars(range(min = 1))]
    pub connections_max: u32,
    /// Connections of one address; of IPv6, of one /64.
    #[schemars(range(min = 1))]
    pub connections_per_address_max: u32,
    /// Connections on which one caller is known by his name.
    #[schemars(range(min = 1))]
    pub connections_per_caller_max: u32,
    /// Milliseconds for the TLS handshake, then for the first bytes, then for the headers of HTTP/1.1; and longest that a
    /// caller may not read what is written.
    #[schemars(range(min = 100))]
    pub patience_ms: u64,
    /// Milliseconds after which a connection is asked to end, give or take a tenth.
    #[schemars(range(min = 1_000))]
    pub connection_age_ms_max: u64,
    /// Milliseconds after which it is asked to end where no caller's call was let in on it; those of health are nobody's.
    #[schemars(range(min = 1_000))]
    pub connection_unused_ms_max: u64,
    /// Milliseconds that it then has.
    pub connection_grace_ms: u64,
    /// Milliseconds of silence on HTTP/2 after which the other side is asked whether it is there.
    #[schemars(range(min = 100))]
    pub keepalive_ms: u64,
    /// Milliseconds that it has to answer.
    #[schemars(range(min = 100))]
    pub keepalive_answer_ms: u64,
    /// Calls under way on one connection.
    #[schemars(range(min = 1))]
    pub streams_max: u32,
    /// Bytes of the headers of a request.
    #[schemars(range(min = 8_192))]
    pub header_bytes_max: u32,
    /// Calls that a caller may give up before they are taken up: more ends the connection (rapid reset).
    pub resets_pending_max: usize,
    /// Malformed calls on a connection before it ends.
    pub resets_of_errors_max: usize,
    /// Bytes of answers that wait on a stream until they are read.
    #[schemars(range(min = 16_384))]
    pub send_buffer_bytes: usize,
    /// Calls and commands of one caller in a second; 0 is no limit. Those of nobody in particular are one caller's.
    pub caller_commands_per_s: u32,
    /// New claims to places of one show in a second; 0 is no limit.
    pub show_claims_per_s: u32,
    /// New claims of one buyer in a second; 0 is no limit.
    pub buyer_claims_per_s: u32,
    /// Milliseconds' worth of these that may come at once.
    #[schemars(range(min = 1))]
    pub burst_ms: u64,
    /// Milliseconds until a call that is no stream must be answered; callers may give it less.
    #[schemars(range(min = 100))]
    pub call_ms_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 16_384,
            connections_per_address_max: 4_096,
            connections_per_caller_max: 1_024,
            patience_ms: 5_000,
            connection_age_ms_max: 1_800_000,
            connection_unused_ms_max: 60_000,
            connection_grace_ms: 60_000,
            keepalive_ms: 5_000,
            keepalive_answer_ms: 5_000,
            streams_max: 256,
            header_bytes_max: 16_384,
            resets_pending_max: 20,
            resets_of_errors_max: 128,
            send_buffer_bytes: 262_144,
            caller_commands_per_s: 0,
            show_claims_per_s: 0,
            buyer_claims_per_s: 0,
            burst_ms: 2_000,
            call_ms_max: 90_000,
        }
    }
}
