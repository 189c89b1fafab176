//! As whom a command calls, and whom it believes to be the server. Secrets come from files or the environment, never from
//! arguments, which everybody on the machine can read.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use clap::Args;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

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

/// Adds the key or token to calls.
#[derive(Clone)]
pub(super) struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(bearer) = &self.0 {
            request.metadata_mut().insert("authorization", bearer.clone());
        }
        Ok(request)
    }
}

impl Credentials {
    /// The key or token, ready to be sent.
    pub(super) fn bearer(&self) -> anyhow::Result<Bearer> {
        let text = match &self.key_file {
            Some(path) => Some(fs::read_to_string(path).with_context(|| path.display().to_string())?),
            None => std::env::var(KEY).ok(),
        };
        let Some(text) = text else { return Ok(Bearer(None)) };
        let value: Result<MetadataValue<Ascii>, _> = format!("Bearer {}", text.trim()).parse();
        // The error would show what it is about.
        let mut value =
            value.map_err(|_| WrongUsage("the key is none: it has characters that no key has".to_owned()))?;
        value.set_sensitive(true);
        Ok(Bearer(Some(value)))
    }

    /// An endpoint with TLS, if its address says so.
    pub(super) fn secure(&self, endpoint: Endpoint) -> anyhow::Result<Endpoint> {
        if endpoint.uri().scheme_str() != Some("https") {
            return Ok(endpoint);
        }
        let read = |path: &PathBuf| fs::read(path).with_context(|| path.display().to_string());
        let mut tls = ClientTlsConfig::new();
        if let Some(authorities) = &self.server_ca {
            tls = tls.ca_certificate(Certificate::from_pem(read(authorities)?));
        }
        if let Some((certificate, key)) = self.certificate.as_ref().zip(self.certificate_key.as_ref()) {
            tls = tls.identity(Identity::from_pem(read(certificate)?, read(key)?));
        }
        endpoint.tls_config(tls).context("TLS")
    }
}
