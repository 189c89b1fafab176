//! A server and the ways to it.

use std::{
    hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher},
    sync::Arc,
    time::Duration,
};

use tonic::{service::interceptor::InterceptedService, transport::Endpoint};

use crate::{Error, Options, connection::Connection, credentials::Calling, error::innermost};

/// How often a connection that is silent is asked whether it is there, and how long it may take to say so.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
const CONNECT_WAIT_MAX: Duration = Duration::from_secs(5);

/// Its connections end with it.
#[derive(Debug)]
pub(crate) struct Node {
    sessions: Box<[Connection]>,
    /// For calls that are no commands.
    pub(crate) channel: Calling,
    endpoint: Endpoint,
}

impl Node {
    /// Connects when it is first used, and again whenever that is necessary. Must be called within a tokio runtime.
    pub(crate) fn open(address: &str, options: &Options) -> Result<Arc<Self>, Error> {
        let wrong = |error| Error::Address { address: address.to_owned(), problem: innermost(&error) };
        let endpoint = Endpoint::from_shared(address.to_owned()).map_err(wrong)?;
        if endpoint.uri().scheme().is_none() {
            let problem = format!("must begin with a scheme, as http://{address}");
            return Err(Error::Address { address: address.to_owned(), problem });
        }
        let mut endpoint = endpoint
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_WAIT_MAX)
            .http2_keep_alive_interval(KEEP_ALIVE.0)
            .keep_alive_timeout(KEEP_ALIVE.1);
        if let Some(tls) = options.tls.clone().filter(|_| endpoint.uri().scheme_str() == Some("https")) {
            endpoint = endpoint.tls_config(tls).map_err(wrong)?;
        }
        let channel = || InterceptedService::new(endpoint.connect_lazy(), options.bearer.clone());
        let open = |_| Connection::open(channel(), options);
        let sessions = (0..options.connections.clamp(1, 64)).map(open).collect();
        let channel = channel();
        Ok(Arc::new(Self { sessions, channel, endpoint }))
    }

    /// The session of a show: always the same one, so that its calls keep their order.
    pub(crate) fn session_of(&self, show_id: &str) -> &Connection {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(show_id);
        let position = hash % self.sessions.len() as u64;
        &self.sessions[usize::try_from(position).unwrap_or_default()]
    }

    /// Whether somebody listens there.
    pub(crate) async fn ready(&self) -> Result<(), Error> {
        let away = |error| Error::Unreachable { address: self.endpoint.uri().to_string(), problem: innermost(&error) };
        self.endpoint.connect().await.map(drop).map_err(away)
    }
}
