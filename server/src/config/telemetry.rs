//! Where traces go: `[telemetry]`.

use std::{net::IpAddr, path::PathBuf};

use anyhow::{Context as _, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tonic::codegen::http::Uri;

/// Traces, as OTLP over gRPC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// The collector, such as `http://127.0.0.1:4317`; without it there are no traces.
    #[schemars(example = "http://127.0.0.1:4317")]
    pub endpoint: Option<String>,
    /// Which share of the calls is traced whose callers do not say whether they are, 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub sample_ratio: f64,
    /// The authority of the collector's certificate, in PEM, where the endpoint is `https`.
    #[schemars(example = "collector.pem")]
    pub ca: Option<PathBuf>,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { endpoint: None, sample_ratio: 0.01, ca: None }
    }
}

impl Telemetry {
    pub(super) fn check(&self, allow_plaintext: bool) -> anyhow::Result<()> {
        super::access::check_named(self.ca.as_deref().map(|path| ("telemetry.ca", path)).into_iter())?;
        let ratio = self.sample_ratio;
        ensure!((0.0..=1.0).contains(&ratio), "telemetry.sample_ratio must be 0 to 1, is {ratio}");
        let Some(endpoint) = &self.endpoint else { return Ok(()) };
        let uri: Uri = endpoint.parse().with_context(|| format!("telemetry.endpoint {endpoint:?}"))?;
        let is_plain = uri.authority().is_none_or(|authority| !authority.as_str().contains('@'));
        ensure!(
            is_plain,
            "telemetry.endpoint has a user or password in it, which everybody sees who sees the settings"
        );
        let host = uri.host().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        let is_here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
        match uri.scheme_str() {
            Some("https") => {
                ensure!(self.ca.is_some(), "telemetry.endpoint is https: telemetry.ca must name its authority");
            }
            Some("http") => ensure!(
                is_here || allow_plaintext,
                "telemetry.endpoint is {endpoint}, which is not loopback: use https, a collector on 127.0.0.1, or allow_plaintext"
            ),
            _ => anyhow::bail!("telemetry.endpoint must begin with http:// or https://, is {endpoint:?}"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_stay_on_the_machine_or_under_tls_unless_allowed() {
        let check = |endpoint: &str, ca: Option<&str>, allow| {
            let settings =
                Telemetry { endpoint: Some(endpoint.to_owned()), ca: ca.map(Into::into), ..Telemetry::default() };
            settings.check(allow).is_ok()
        };
        assert!(check("http://127.0.0.1:4317", None, false) && check("http://[::1]:4317", None, false));
        assert!(!check("http://collector:4317", None, false) && check("http://collector:4317", None, true));
        assert!(
            !check("https://collector:4317", None, false) && check("https://collector:4317", Some("ca.pem"), false)
        );
        assert!(!check("collector:4317", None, true) && !check("", None, true));
        assert!(Telemetry { sample_ratio: 1.5, ..Telemetry::default() }.check(false).is_err());
    }
}
