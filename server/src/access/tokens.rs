//! Tokens (JWT): signed elsewhere, believed here. Each key of the JWKS file has its one algorithm; a token cannot choose.

use std::{
    collections::HashMap,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, UNIX_EPOCH},
};

use anyhow::{Context as _, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm},
};
use serde::Deserialize;

use super::{Caller, Grant, Scope, check_private, grant::some_prefixes};
use crate::config;

/// Clocks may differ by so much.
const LEEWAY_S: u64 = 30;
/// Of a subject, which names whoever calls in the trail.
const SUBJECT_BYTES_MAX: usize = 255;

/// The keys that sign tokens, by `kid`.
pub(super) struct Signers(HashMap<String, Signer>);

struct Signer {
    key: DecodingKey,
    validation: Validation,
    /// What tells it from another one of its `kid`.
    material: AlgorithmParameters,
    /// Of all callers whose tokens it signed.
    is_valid: Arc<AtomicBool>,
}

/// What a token says. `scope` is a list with blanks between, as in RFC 8693.
#[derive(Deserialize)]
struct Claims {
    /// One and never a list (RFC 7519, 4.1.1). Which one, [`validation`] says.
    #[serde(rename = "iss")]
    _issuer: String,
    sub: String,
    exp: u64,
    scope: String,
    #[serde(default, deserialize_with = "some_prefixes")]
    shows: Vec<String>,
    #[serde(default)]
    tenant: Option<String>,
}

impl Signers {
    /// Reads the JWKS file. Without any key, it takes back every token.
    ///
    /// # Errors
    /// When it cannot be read, one of its keys has no `kid` or that of another one, does not fit its algorithm or is too
    /// short, or there are keys and none has an algorithm of ours.
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
            check_fit(algorithm, key).with_context(|| format!("{}: key {id:?}", named()))?;
            ensure!(is_long_enough(key), "{}: key {id:?} has less than 256 bits", named());
            ensure!(!signers.contains_key(&id), "{}: two keys have the kid {id:?}", named());
            let (material, is_valid) = (key.algorithm.clone(), Arc::new(AtomicBool::new(true)));
            let key = DecodingKey::from_jwk(key).with_context(named)?;
            signers.insert(id, Signer { key, validation: validation(algorithm, tokens), material, is_valid });
        }
        ensure!(set.keys.is_empty() || !signers.is_empty(), "{} has no key whose alg is EdDSA or HS256", named());
        Ok(Self(signers))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// From now on in force instead of others. Callers whose signer is gone or another one now are no longer valid.
    pub(super) fn instead_of(mut self, before: &Self) -> Self {
        for (id, old) in &before.0 {
            match self.0.get_mut(id).filter(|new| new.material == old.material) {
                Some(kept) => kept.is_valid = Arc::clone(&old.is_valid),
                None => old.is_valid.store(false, Relaxed),
            }
        }
        self
    }

    /// Whose token this is, also where its time is over: [`Caller::check_valid`] says so. Why it is nobody's is not told to
    /// whoever shows it.
    pub(super) fn find(&self, token: &str) -> Option<Arc<Caller>> {
        let header = decode_header(token).ok()?;
        // RFC 7515, 4.1.11: what is critical has to be understood, and nothing that may stand there is.
        if header.crit.is_some() {
            return None;
        }
        let signer = self.0.get(&header.kid?)?;
        let claims: Claims = decode(token, &signer.key, &signer.validation).ok()?.claims;
        if !can_be_named(&claims.sub) {
            return None;
        }
        let scopes = claims.scope.split(' ').filter_map(scope).collect();
        let grant = Grant { scopes, shows: claims.shows, tenant: claims.tenant };
        grant.check().ok()?;
        let mut caller = Caller::new(format!("token:{}", claims.sub), grant);
        caller.is_valid = Arc::clone(&signer.is_valid);
        // An instant beyond all calendars is none.
        caller.expires_at = Some(UNIX_EPOCH.checked_add(Duration::from_secs(claims.exp.saturating_add(LEEWAY_S)))?);
        Some(Arc::new(caller))
    }
}

/// Whether a subject can stand in a line, and is one.
fn can_be_named(subject: &str) -> bool {
    (1..=SUBJECT_BYTES_MAX).contains(&subject.len()) && !subject.chars().any(char::is_control)
}

/// Refuses a key that is of another kind than its algorithm: it would verify nothing.
fn check_fit(algorithm: Algorithm, key: &Jwk) -> anyhow::Result<()> {
    let (fits, needed) = match (algorithm, &key.algorithm) {
        (Algorithm::HS256, kind) => (matches!(kind, AlgorithmParameters::OctetKey(_)), "oct"),
        (_, AlgorithmParameters::OctetKeyPair(pair)) => (pair.curve == EllipticCurve::Ed25519, "OKP with crv Ed25519"),
        (..) => (false, "OKP with crv Ed25519"),
    };
    ensure!(fits, "its alg is {algorithm:?}, which takes kty {needed}, and its kty or crv is another");
    Ok(())
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
    // Who comes too late is told so: the caller that is made of the token has its end.
    validation.validate_exp = false;
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

#[cfg(test)]
mod tests;
