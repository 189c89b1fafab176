//! Callers of a server that asks who they are: keys, tokens, and files of them.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use usher_server::{
    access::{Grant, Scope, Secret, keys::KeysFile},
    config::{Access, Tokens},
};

use super::now_ms;

/// The secret of the tokens of `HS256`.
const SHARED: [u8; 32] = [7; 32];

/// Everybody who calls in a test, and the files by which the server knows them.
pub(crate) struct Callers {
    directory: tempfile::TempDir,
    signer: rcgen::KeyPair,
    pub(crate) keys: KeysFile,
}

impl Callers {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let signer = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let x = URL_SAFE_NO_PAD.encode(signer.public_key_raw());
        let shared = URL_SAFE_NO_PAD.encode(SHARED);
        let set = json!({"keys": [
            {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "ed", "x": x},
            {"kty": "oct", "alg": "HS256", "kid": "shared", "k": shared},
        ]});
        write_private(&directory.path().join("jwks.json"), &set.to_string());
        let callers = Self { directory, signer, keys: KeysFile::default() };
        callers.write();
        callers
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What makes a server know them.
    pub(crate) fn access(&self) -> Access {
        let tokens = Tokens {
            jwks_file: self.directory().join("jwks.json"),
            issuer: "https://login.example".to_owned(),
            audience: "usher".to_owned(),
        };
        let audit_dir = Some(self.directory().join("audit"));
        Access {
            keys_file: Some(self.directory().join("keys.json")),
            tokens: Some(tokens),
            audit_dir,
            ..Access::default()
        }
    }

    /// A new key. The server knows it once it is written.
    pub(crate) fn key(&mut self, grant: Grant) -> Secret {
        self.keys.create("test", grant).unwrap()
    }

    pub(crate) fn write(&self) {
        self.keys.write(&self.directory().join("keys.json")).unwrap();
    }

    /// A token with these claims, and `scope`, beside good ones.
    pub(crate) fn token(&self, key_id: &str, scope: &str, other: &Value) -> String {
        let mut claims = json!({"iss": "https://login.example", "aud": "usher", "sub": "web", "scope": scope,
                                "exp": now_ms() / 1_000 + 600});
        other.as_object().unwrap().iter().for_each(|(name, value)| claims[name] = value.clone());
        let (algorithm, key) = match key_id {
            "shared" => (Algorithm::HS256, EncodingKey::from_secret(&SHARED)),
            _ => (Algorithm::EdDSA, EncodingKey::from_ed_der(&self.signer.serialize_der())),
        };
        encode(&Header { kid: Some(key_id.to_owned()), ..Header::new(algorithm) }, &claims, &key).unwrap()
    }

    /// A token signed with the public key as if it were a shared secret.
    pub(crate) fn confused_token(&self) -> String {
        let claims = json!({"iss": "https://login.example", "aud": "usher", "sub": "web", "scope": "sell",
                            "exp": now_ms() / 1_000 + 600});
        let key = EncodingKey::from_secret(self.signer.public_key_raw());
        encode(&Header { kid: Some("ed".to_owned()), ..Header::new(Algorithm::HS256) }, &claims, &key).unwrap()
    }
}

/// One scope, for shows of a tenant or with a prefix.
pub(crate) fn grant(scope: Scope, tenant: Option<&str>, shows: &[&str]) -> Grant {
    let shows = shows.iter().map(|prefix| (*prefix).to_owned()).collect();
    Grant { scopes: vec![scope], shows, tenant: tenant.map(str::to_owned) }
}

/// A file that its owner alone may read.
pub(crate) fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
