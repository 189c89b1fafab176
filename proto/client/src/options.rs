//! How a client is set up.

use std::time::Duration;

use tonic::transport::ClientTlsConfig;

use crate::Bearer;

/// Settings of a client, all with defaults.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a call may take in all, its repetitions among it. Default: 10 s.
    pub timeout: Duration,
    /// Connections; each show has one of them, so that calls for it keep their order. 1 to 64. Default: 2.
    pub connections: usize,
    /// Calls that wait on a connection before whoever calls next has to wait for them. Default: 16,384.
    pub calls_waiting_max: usize,
    /// How long the call before may have waited to be sent when one more is let in, where some wait: otherwise it is refused as
    /// [`Reason::Overloaded`](crate::Reason::Overloaded), and tried again while there is time. Calls that pay for something, or
    /// give it back, are always let in. Default: 500 ms.
    pub queue_wait_max: Duration,
    /// As whom it calls. Default: nobody.
    pub bearer: Bearer,
    /// Whom it believes to be the server, and the certificate that it shows, where the address begins with `https`.
    pub tls: Option<ClientTlsConfig>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            connections: 2,
            calls_waiting_max: 16_384,
            queue_wait_max: Duration::from_millis(500),
            bearer: Bearer::default(),
            tls: None,
        }
    }
}
