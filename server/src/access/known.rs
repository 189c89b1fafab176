//! Everybody who is known at the moment, by what he shows. Read again when the files change.

use std::sync::Arc;

use anyhow::Context as _;
use parking_lot::RwLock;
use tonic::codegen::http::{HeaderMap, header};

use super::{
    Caller, Grant,
    keys::{Keys, KeysFile},
    tokens::Signers,
};
use crate::{config, credentials::all_of, edge::Peer, status::Refusal};

/// The key or token that a caller shows.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, bearer) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| bearer.trim())
}

/// The callers.
pub(crate) struct Known {
    settings: config::Access,
    now: RwLock<Now>,
    /// Where nobody has to say who he is.
    everybody: Arc<Caller>,
}

struct Now {
    keys: Keys,
    signers: Option<Signers>,
    identities: Vec<(String, Arc<Caller>)>,
}

impl Known {
    /// Reads the files.
    ///
    /// # Errors
    /// Which file is wrong, and why.
    pub(crate) fn open(settings: &config::Access) -> anyhow::Result<Self> {
        let named = |identity: &config::Identity| {
            let caller = Caller::new(format!("certificate:{}", identity.san), identity.grant.clone());
            (identity.san.clone(), Arc::new(caller))
        };
        let identities = settings.identities.iter().map(named).collect();
        let now = RwLock::new(Now { keys: Keys::default(), signers: None, identities });
        let everybody = Arc::new(Caller::new("anybody".to_owned(), Grant::everything()));
        let known = Self { settings: settings.clone(), now, everybody };
        known.reload()?;
        Ok(known)
    }

    /// Reads the files again, each by itself.
    ///
    /// # Errors
    /// As [`Self::open`]; what was in force stays in force.
    pub(crate) fn reload(&self) -> anyhow::Result<()> {
        all_of([self.reload_keys(), self.reload_signers()])
    }

    fn reload_keys(&self) -> anyhow::Result<()> {
        let file = self.settings.keys_file.as_deref().map(KeysFile::read).transpose();
        let file = file.context("access.keys_file")?.unwrap_or_default();
        let mut now = self.now.write();
        now.keys = Keys::of(file, &now.keys);
        Ok(())
    }

    fn reload_signers(&self) -> anyhow::Result<()> {
        let signers = self.settings.tokens.as_ref().map(Signers::read).transpose()?;
        if signers.as_ref().is_some_and(Signers::is_empty) {
            tracing::warn!("the file of signers (access.tokens.jwks_file) has none: every token is refused");
        }
        let mut now = self.now.write();
        now.signers = signers.map(|signers| match &now.signers {
            Some(before) => signers.instead_of(before),
            None => signers,
        });
        Ok(())
    }

    /// Who calls: by the key or token that he shows, or else by the names in his certificate.
    ///
    /// # Errors
    /// When nobody is known by that, or no longer. What exactly is wrong with a key or token is not told, but that its time
    /// is over.
    pub(crate) fn find(&self, headers: &HeaderMap, peer: Option<&Peer>) -> Result<Arc<Caller>, Refusal> {
        if !self.settings.is_configured() {
            return Ok(Arc::clone(&self.everybody));
        }
        let now = self.now.read();
        if headers.contains_key(header::AUTHORIZATION) {
            let invalid = |message| Refusal::unauthenticated("CREDENTIALS_INVALID", message);
            if headers.get_all(header::AUTHORIZATION).iter().nth(1).is_some() {
                return Err(invalid("there are two `authorization` headers, and who calls is said by one"));
            }
            let by_token = |bearer| now.signers.as_ref().and_then(|signers| signers.find(bearer));
            let caller = bearer(headers).and_then(|bearer| now.keys.find(bearer).or_else(|| by_token(bearer)));
            let caller = caller.ok_or_else(|| invalid("nobody is known by this key or token, or no longer"))?;
            return caller.check_valid().map(|()| caller);
        }
        let names = peer.map(Peer::names).unwrap_or_default();
        let named = now.identities.iter().find(|(san, _)| names.contains(san));
        named.map(|(_, caller)| Arc::clone(caller)).ok_or_else(|| missing(names))
    }
}

/// Nothing was shown by which he could be known; his certificate has these names.
fn missing(names: &[String]) -> Refusal {
    let say = "say who calls: `authorization: Bearer` and a key or token";
    let message = match names {
        [] => say.to_owned(),
        names => format!("the certificate is good, but access.identities has none of its names: {}", names.join(", ")),
    };
    Refusal::unauthenticated("CREDENTIALS_MISSING", &message)
}
