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
            bearer: Bearer::default(),
            tls: None,
        }
    }
}
