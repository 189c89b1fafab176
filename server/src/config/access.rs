//! Who the server is and who its callers are: `[tls]` and `[access]`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::Grant;

/// The files of TLS 1.3, all in PEM. They are read again when they change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// The server's certificate and those between it and its authority. With it, nothing is served without TLS.
    #[schemars(example = "server.pem")]
    pub certificate: Option<PathBuf>,
    /// Its key, which nobody else may read.
    #[schemars(example = "server.key")]
    pub key: Option<PathBuf>,
    /// The authorities whose certificates callers must show.
    #[schemars(example = "clients.pem")]
    pub client_ca: Option<PathBuf>,
    /// What these authorities have revoked.
    #[schemars(example = "revoked.pem")]
    pub client_crl: Option<PathBuf>,
    /// Serve callers without a certificate, too.
    pub client_certificate_optional: bool,
}

/// How callers say who they are. Without any of it, everybody may do everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// The file of API keys, as `usher key` writes it. It is read again when it changes.
    #[schemars(example = "usher-keys.json")]
    pub keys_file: Option<PathBuf>,
    /// Who signs tokens (JWT).
    pub tokens: Option<Tokens>,
    /// Whom the names in callers' certificates mean.
    #[schemars(example = serde_json::json!([{"san": "spiffe://acme.example/web", "scopes": ["sell"], "tenant": "acme"}]))]
    pub identities: Vec<Identity>,
    /// Directory of the audit trail [default: beside the data directory, with `.audit` behind its name].
    #[schemars(example = "data.audit")]
    pub audit_dir: Option<PathBuf>,
    /// Bytes of a file of the trail after which the next one begins [default: 16777216].
    #[schemars(example = 16_777_216)]
    pub audit_file_bytes: Option<u64>,
}

/// Which tokens are believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// The keys that sign them (JWKS), each with `kid` and with `alg` EdDSA or HS256. Read again when they change.
    #[schemars(example = "jwks.json")]
    pub jwks_file: PathBuf,
    /// Their `iss`.
    #[schemars(example = "https://login.example")]
    pub issuer: String,
    /// Their `aud`.
    #[schemars(example = &"usher")]
    pub audience: String,
}

/// Whom a name in a certificate means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// A DNS name or a URI among the certificate's subject alternative names.
    pub san: String,
    /// What he may do.
    #[serde(flatten)]
    pub grant: Grant,
}

impl Access {
    /// Whether callers have to say who they are.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.keys_file.is_some() || self.tokens.is_some() || !self.identities.is_empty()
    }

    /// Where the audit trail is.
    #[must_use]
    pub fn audit_dir(&self, data_dir: &Path) -> PathBuf {
        let beside = || {
            let mut name = data_dir.file_name().unwrap_or_default().to_owned();
            name.push(".audit");
            data_dir.with_file_name(name)
        };
        self.audit_dir.clone().unwrap_or_else(beside)
    }

    /// The files that are read again when they change, by their settings.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let signers = self.tokens.as_ref().map(|tokens| ("access.tokens.jwks_file", tokens.jwks_file.as_path()));
        let keys = self.keys_file.as_deref().map(|path| ("access.keys_file", path));
        keys.into_iter().chain(signers)
    }

    pub(super) fn check(&self, tls: &Tls) -> anyhow::Result<()> {
        let trail = self.audit_dir.as_deref().map(|path| ("access.audit_dir", path));
        check_named(self.files().chain(trail))?;
        ensure!(
            self.identities.is_empty() || tls.client_ca.is_some(),
            "access.identities needs tls.client_ca: names in certificates that nobody vouches for mean nothing"
        );
        for identity in &self.identities {
            ensure!(!identity.san.is_empty(), "access.identities has one without a san");
            identity.grant.check().with_context(|| format!("access.identities, {}", identity.san))?;
        }
        if let Some(Tokens { issuer, audience, .. }) = &self.tokens {
            ensure!(!issuer.is_empty() && !audience.is_empty(), "access.tokens needs an issuer and an audience");
        }
        ensure!(
            self.audit_dir.is_none() || self.is_configured(),
            "access.audit_dir needs access.keys_file, access.tokens or access.identities: the trail names who called"
        );
        Ok(())
    }
}

impl Tls {
    /// The files, by their settings.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let files = [
            ("tls.certificate", &self.certificate),
            ("tls.key", &self.key),
            ("tls.client_ca", &self.client_ca),
            ("tls.client_crl", &self.client_crl),
        ];
        files.into_iter().filter_map(|(setting, path)| Some((setting, path.as_deref()?)))
    }

    pub(super) fn check(&self) -> anyhow::Result<()> {
        check_named(self.files())?;
        ensure!(self.certificate.is_some() == self.key.is_some(), "tls.certificate and tls.key belong together");
        ensure!(self.client_ca.is_none() || self.certificate.is_some(), "tls.client_ca needs tls.certificate");
        ensure!(self.client_crl.is_none() || self.client_ca.is_some(), "tls.client_crl needs tls.client_ca");
        Ok(())
    }
}

/// Whether every setting that names a file or a directory does: an empty variable does not take one away.
pub(super) fn check_named<'p>(paths: impl Iterator<Item = (&'static str, &'p Path)>) -> anyhow::Result<()> {
    for (setting, path) in paths {
        ensure!(!path.as_os_str().is_empty(), "{setting} is empty: leave it out, or let it name something");
    }
    Ok(())
}
