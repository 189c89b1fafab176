//! Tokens (JWT): signed elsewhere, believed here. Each key of the JWKS file has its one algorithm; a token cannot choose.

use std::{
    collections::HashMap,
    fs,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use anyhow::{Context as _, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{AlgorithmParameters, Jwk, JwkSet, KeyAlgorithm},
};
use serde::Deserialize;

use super::{Caller, Grant, Scope, check_private, grant::some_prefixes};
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
    #[serde(default, deserialize_with = "some_prefixes")]
    shows: Vec<String>,
    #[serde(default)]
    tenant: Option<String>,
}

impl Signers {
    /// Reads the JWKS file.
    ///
    /// # Errors
    /// When it cannot be read, one of its keys has no `kid` or is too short, or none has an algorithm of ours.
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
                // Of an issuer that signs for others, too.
                other => {
                    tracing::warn!(key = id, alg = ?other, "a signer is left out: its alg is neither EdDSA nor HS256");
                    continue;
                }
            };
            if algorithm == Algorithm::HS256 {
                check_private(&tokens.jwks_file)?;
            }
            ensure!(is_long_enough(key), "{}: key {id:?} has less than 256 bits", named());
            let key = DecodingKey::from_jwk(key).with_context(named)?;
            signers.insert(id, (key, validation(algorithm, tokens)));
        }
        ensure!(!signers.is_empty(), "{} has no key whose alg is EdDSA or HS256", named());
        Ok(Self(signers))
    }

    /// Whose token this is. Why not is not told to whoever shows it.
    pub(super) fn find(&self, token: &str) -> Option<Arc<Caller>> {
        let id = decode_header(token).ok()?.kid?;
        let (key, validation) = self.0.get(&id)?;
        let claims: Claims = decode(token, key, validation).ok()?.claims;
        let scopes = claims.scope.split(' ').filter_map(scope).collect();
        let grant = Grant { scopes, shows: claims.shows, tenant: claims.tenant };
        grant.check().ok()?;
        let mut caller = Caller::new(format!("token:{}", claims.sub), grant);
        // An instant beyond all calendars is none.
        caller.expires_at = Some(UNIX_EPOCH.checked_add(Duration::from_secs(claims.exp.saturating_add(LEEWAY_S)))?);
        Some(Arc::new(caller))
    }
}

/// RFC 7518, 3.2: as many bits as the hash has; RFC 8032: those of a point.
fn is_long_enough(key: &Jwk) -> bool {
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).map_or(0, |bytes| bytes.len());
    match &key.algorithm {
        AlgorithmParameters::OctetKey(secret) => bytes(&secret.value) >= 32,
        AlgorithmParameters::OctetKeyPair(pair) => bytes(&pair.x) == 32,
        _ => false,
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
