//! Everybody who is known at the moment, by what he shows. Read again when the files change.

use std::sync::Arc;

use parking_lot::RwLock;
use tonic::codegen::http::{HeaderMap, header};

use super::{
    Caller, Grant,
    keys::{Keys, KeysFile},
    tokens::Signers,
};
use crate::{config, edge::Peer, status::Refusal};

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

    /// Reads the files again.
    ///
    /// # Errors
    /// As [`Self::open`]; what was in force stays in force.
    pub(crate) fn reload(&self) -> anyhow::Result<()> {
        let file = self.settings.keys_file.as_deref().map(KeysFile::read).transpose()?.unwrap_or_default();
        let signers = self.settings.tokens.as_ref().map(Signers::read).transpose()?;
        let mut now = self.now.write();
        now.keys = Keys::of(file, &now.keys);
        now.signers = signers;
        Ok(())
    }

    /// Who calls: by the key or token that he shows, or else by the names in his certificate.
    ///
    /// # Errors
    /// When nobody is known by that. What exactly is wrong with it is not told.
    pub(crate) fn find(&self, headers: &HeaderMap, peer: Option<&Peer>) -> Result<Arc<Caller>, Refusal> {
        if !self.settings.is_configured() {
            return Ok(Arc::clone(&self.everybody));
        }
        let now = self.now.read();
        if headers.contains_key(header::AUTHORIZATION) {
            let by_token = |bearer| now.signers.as_ref().and_then(|signers| signers.find(bearer));
            let caller = bearer(headers).and_then(|bearer| now.keys.find(bearer).or_else(|| by_token(bearer)));
            return caller.ok_or_else(|| {
                Refusal::unauthenticated("CREDENTIALS_INVALID", "nobody is known by this key or token, or no longer")
            });
        }
        let names = peer.map(Peer::names).unwrap_or_default();
        let named = now.identities.iter().find(|(san, _)| names.contains(san));
        named.map(|(_, caller)| Arc::clone(caller)).ok_or_else(|| {
            Refusal::unauthenticated("CREDENTIALS_MISSING", "say who calls: `authorization: Bearer` and a key or token")
        })
    }
}
