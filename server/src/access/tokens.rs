//! Tokens (JWT): signed elsewhere, believed here. Each key of the JWKS file has its one algorithm; a token cannot choose.

use std::{
    collections::HashMap,
    fs,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use anyhow::{Context as _, bail};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{JwkSet, KeyAlgorithm},
};
use serde::Deserialize;

use super::{Caller, Grant, Scope, check_private};
use crate::config;

/// Clocks may differ by so much.
const LEEWAY_S: u64 = 30;

/// The keys that sign tokens, by `kid`.
pub(super) struct Signers(HashMap<String, (DecodingKey, Validation)>);

/// What a token says. `scope` is a list with blanks between, as in RFC 8693.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
    scope: String,
    #[serde(default)]
    shows: Vec<String>,
    #[serde(default)]
    tenant: Option<String>,
}

impl Signers {
    /// Reads the JWKS file.
    ///
    /// # Errors
    /// When it cannot be read, or one of its keys has no `kid` or another algorithm.
    pub(super) fn read(tokens: &config::Tokens) -> anyhow::Result<Self> {
        let named = || format!("access.tokens.jwks_file {}", tokens.jwks_file.display());
        let text = fs::read(&tokens.jwks_file).with_context(named)?;
        let set: JwkSet = serde_json::from_slice(&text).with_context(named)?;
        let mut signers = HashMap::new();
        for key in &set.keys {
            let id = key.common.key_id.clone().with_context(|| format!("{} has a key without kid", named()))?;
            let algorithm = match key.common.key_algorithm {
                Some(KeyAlgorithm::EdDSA) => Algorithm::EdDSA,
                Some(KeyAlgorithm::HS256) => Algorithm::HS256,
                _ => bail!("{}: the alg of key {id:?} is neither EdDSA nor HS256", named()),
            };
            if algorithm == Algorithm::HS256 {
                check_private(&tokens.jwks_file)?;
            }
            let key = DecodingKey::from_jwk(key).with_context(named)?;
            signers.insert(id, (key, validation(algorithm, tokens)));
        }
        Ok(Self(signers))
    }

    /// Whose token this is. Why not is not told to whoever shows it.
    pub(super) fn find(&self, token: &str) -> Option<Arc<Caller>> {
        let id = decode_header(token).ok()?.kid?;
        let (key, validation) = self.0.get(&id)?;
        let claims: Claims = decode(token, key, validation).ok()?.claims;
        let scopes = claims.scope.split(' ').filter_map(scope).collect();
        let grant = Grant { scopes, shows: claims.shows, tenant: claims.tenant };
        let mut caller = Caller::new(format!("token:{}", claims.sub), grant);
        // An instant beyond all calendars is none.
        caller.expires_at = Some(UNIX_EPOCH.checked_add(Duration::from_secs(claims.exp.saturating_add(LEEWAY_S)))?);
        Some(Arc::new(caller))
    }
}

fn validation(algorithm: Algorithm, tokens: &config::Tokens) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_audience(&[&tokens.audience]);
    validation.set_issuer(&[&tokens.issuer]);
    validation.validate_nbf = true;
    validation.leeway = LEEWAY_S;
    validation
}

/// Scopes of other services may stand in the same token.
fn scope(word: &str) -> Option<Scope> {
    match word {
        "sell" => Some(Scope::Sell),
        "read" => Some(Scope::Read),
        "admin" => Some(Scope::Admin),
        "operate" => Some(Scope::Operate),
        _ => None,
    }
}
