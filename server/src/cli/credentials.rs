//! As whom a command calls, and whom it believes to be the server. Secrets come from files or the environment, never from
//! arguments, which everybody on the machine can read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use tonic::{
    service::interceptor::InterceptedService,
    transport::{Channel, Endpoint},
};
use usher_client::{Bearer, Certificate, ClientTlsConfig, Identity};

use super::client::WrongUsage;

/// A connection on which every call says who calls.
pub(super) type Connection = InterceptedService<Channel, Bearer>;

/// The environment variable of a key or token.
const KEY: &str = "USHER_KEY";

/// What a caller shows.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Credentials")]
pub(super) struct Credentials {
    /// File with the API key or token to call with [default: the environment's USHER_KEY]
    #[arg(long, env = "USHER_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Authorities that vouch for the server, in PEM; for https://
    #[arg(long, env = "USHER_SERVER_CA", value_name = "FILE")]
    server_ca: Option<PathBuf>,
    /// Certificate to call with, in PEM
    #[arg(long, env = "USHER_CERTIFICATE", value_name = "FILE", requires = "certificate_key")]
    certificate: Option<PathBuf>,
    /// Its key
    #[arg(long, env = "USHER_CERTIFICATE_KEY", value_name = "FILE", requires = "certificate")]
    certificate_key: Option<PathBuf>,
}

impl Credentials {
    /// The key or token.
    pub(super) fn bearer(&self) -> anyhow::Result<Bearer> {
        let text = match &self.key_file {
            Some(path) => Some(read_key(path)?),
            None => std::env::var(KEY).ok(),
        };
        let bearer = text.map(|text| Bearer::new(&text)).transpose();
        Ok(bearer.map_err(|error| WrongUsage(error.to_string()))?.unwrap_or_default())
    }

    /// What TLS needs, where it is spoken.
    pub(super) fn tls(&self) -> anyhow::Result<ClientTlsConfig> {
        let read = |path: &PathBuf| fs::read(path).with_context(|| path.display().to_string());
        let mut tls = ClientTlsConfig::new();
        if let Some(authorities) = &self.server_ca {
            tls = tls.ca_certificate(Certificate::from_pem(read(authorities)?));
        }
        if let Some((certificate, key)) = self.certificate.as_ref().zip(self.certificate_key.as_ref()) {
            tls = tls.identity(Identity::from_pem(read(certificate)?, read(key)?));
        }
        Ok(tls)
    }

    /// A connection to a server.
    pub(super) async fn connect(&self, endpoint: Endpoint) -> anyhow::Result<Connection> {
        let is_tls = endpoint.uri().scheme_str() == Some("https");
        let endpoint = if is_tls { endpoint.tls_config(self.tls()?)? } else { endpoint };
        Ok(InterceptedService::new(endpoint.connect().await?, self.bearer()?))
    }
}

fn read_key(path: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    if text.trim().is_empty() {
        return Err(WrongUsage(format!("{} is empty: a key or token must be in it", path.display())).into());
    }
    Ok(text)
}
