//! Which files of signers are taken, and which tokens.

use jsonwebtoken::{EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Value, json};

use super::*;
use crate::status::Refusal;

const SECRET: [u8; 32] = [7; 32];

fn key(change: Value) -> Value {
    changed(json!({"kty": "oct", "alg": "HS256", "kid": "a", "k": URL_SAFE_NO_PAD.encode(SECRET)}), change)
}

fn changed(mut whole: Value, change: Value) -> Value {
    for (name, value) in change.as_object().unwrap() {
        whole[name] = value.clone();
    }
    whole
}

fn read(keys: &[Value]) -> anyhow::Result<Signers> {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let jwks_file = directory.path().join("jwks.json");
    fs::write(&jwks_file, json!({"keys": keys}).to_string()).unwrap();
    fs::set_permissions(&jwks_file, fs::Permissions::from_mode(0o600)).unwrap();
    let (issuer, audience) = ("https://login.example".to_owned(), "usher".to_owned());
    Signers::read(&config::Tokens { jwks_file, issuer, audience })
}

fn token(change: Value, change_header: impl FnOnce(&mut Header)) -> String {
    let good = json!({"iss": "https://login.example", "aud": "usher", "sub": "web", "scope": "read",
                      "exp": get_current_timestamp() + 600});
    let mut header = Header { kid: Some("a".to_owned()), ..Header::new(Algorithm::HS256) };
    change_header(&mut header);
    encode(&header, &changed(good, change), &EncodingKey::from_secret(&SECRET)).unwrap()
}

/// What becomes of a token: known, known no longer, or nobody's.
fn found(signers: &Signers, token: &str) -> Option<Result<(), &'static str>> {
    signers.find(token).map(|caller| caller.check_valid().map_err(|refusal: Refusal| refusal.reason()))
}

#[test]
fn a_key_that_fits_not_its_algorithm_and_a_kid_of_two_are_refused_by_name() {
    let point = URL_SAFE_NO_PAD.encode([1; 32]);
    let other = json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "b", "x": point});
    assert!(read(&[key(json!({})), other.clone()]).is_ok());
    let wrong = |keys: &[Value], words: [&str; 2]| {
        let error = format!("{:#}", read(keys).map(drop).unwrap_err());
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    };
    wrong(&[changed(other.clone(), json!({"alg": "HS256"}))], ["\"b\"", "HS256, which takes kty oct"]);
    wrong(&[key(json!({"alg": "EdDSA"}))], ["\"a\"", "EdDSA, which takes kty OKP"]);
    wrong(&[changed(other.clone(), json!({"crv": "X25519"}))], ["\"b\"", "crv Ed25519"]);
    wrong(&[key(json!({})), changed(other, json!({"kid": "a"}))], ["two keys", "\"a\""]);
    wrong(&[key(json!({"alg": "HS512"}))], ["no key whose alg", "EdDSA or HS256"]);
}

#[test]
fn a_token_that_asks_for_more_than_is_understood_or_names_nobody_is_nobodys() {
    let signers = read(&[key(json!({}))]).unwrap();
    let by_claims = |change: Value| found(&signers, &token(change, |_| {}));
    assert_eq!(by_claims(json!({})), Some(Ok(())));
    assert_eq!(by_claims(json!({"sub": "ü".repeat(127)})), Some(Ok(())));
    for wrong in [
        json!({"iss": ["https://login.example"]}),
        json!({"iss": ["https://evil", "https://login.example"]}),
        json!({"sub": ""}),
        json!({"sub": "web\nkey:1:boss"}),
        json!({"sub": "\u{9b}2J"}),
        json!({"sub": "ü".repeat(128)}),
        json!({"sub": ["web"]}),
        json!({"exp": null}),
        json!({"exp": u64::MAX}),
    ] {
        assert_eq!(by_claims(wrong.clone()), None, "{wrong}");
    }
    for critical in [vec![], vec!["exp".to_owned()], vec!["b64".to_owned()]] {
        assert_eq!(found(&signers, &token(json!({}), |header| header.crit = Some(critical))), None);
    }
}

#[test]
fn only_a_token_that_was_good_has_expired() {
    let signers = read(&[key(json!({}))]).unwrap();
    let at = |seconds: u64| json!({"exp": get_current_timestamp() - seconds});
    assert_eq!(found(&signers, &token(at(LEEWAY_S - 10), |_| {})), Some(Ok(())));
    let expired = token(at(LEEWAY_S + 1), |_| {});
    assert_eq!(found(&signers, &expired), Some(Err("CREDENTIALS_EXPIRED")));
    let signature = token(json!({}), |_| {}).rsplit_once('.').unwrap().1.to_owned();
    assert_eq!(found(&signers, &format!("{}.{signature}", expired.rsplit_once('.').unwrap().0)), None);
    assert_eq!(found(&signers, &token(changed(at(LEEWAY_S + 1), json!({"aud": "mail"})), |_| {})), None);
}

#[test]
fn whoever_was_known_by_a_signer_that_is_gone_or_another_one_is_known_no_longer() {
    let caller = |signers: &Signers| signers.find(&token(json!({}), |_| {}));
    let first = read(&[key(json!({}))]).unwrap();
    let known = caller(&first).unwrap();
    let same = read(&[key(json!({"use": "sig"}))]).unwrap().instead_of(&first);
    assert!(known.check_valid().is_ok() && caller(&same).is_some());
    let none = read(&[]).unwrap().instead_of(&same);
    assert_eq!(known.check_valid().unwrap_err().reason(), "CREDENTIALS_REVOKED");
    assert!(none.is_empty() && caller(&none).is_none());
    let again = read(&[key(json!({}))]).unwrap().instead_of(&none);
    let known = caller(&again).unwrap();
    let other = key(json!({"k": URL_SAFE_NO_PAD.encode([8; 32])}));
    assert!(known.check_valid().is_ok() && caller(&read(&[other]).unwrap().instead_of(&again)).is_none());
    assert!(known.check_valid().is_err());
}
