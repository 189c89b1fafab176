//! What is in the files by which callers are known, and what is not taken from them.

use super::*;
use crate::common::{
    callers::write_private,
    process::{program, run},
};

/// What a command that is wrong says.
#[track_caller]
fn wrong_usage(words: &[&str]) -> String {
    let mut command = program(env!("CARGO_BIN_EXE_usher"));
    command.args(words);
    let (code, _, said) = run(command);
    assert_eq!(code, Some(2), "{said}");
    said
}

#[test]
fn a_key_for_shows_that_there_cannot_be_is_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let keys = directory.path().join("keys.json");
    let create = ["key", "create", "web", "--scope", "sell", "--tenant", "acme", "--keys-file", keys.to_str().unwrap()];
    let said = wrong_usage(&[&create[..], &["--shows", "acme.g", "--shows", "bolt"]].concat());
    assert!(said.contains("--shows bolt can be no show of the tenant acme"), "{said}");
    assert!(!keys.exists());
}

#[test]
fn an_empty_file_is_no_key() {
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("key");
    write_private(&key, "\n");
    let said = wrong_usage(&["show", "list", "--key-file", key.to_str().unwrap()]);
    assert!(said.contains("key is empty"), "{said}");
}

/// An empty list of prefixes is no show's, and is not taken for any show's.
#[tokio::test]
async fn a_token_for_no_shows_is_none() {
    let callers = Callers::new();
    let server = start(&callers).await;
    let channel = Clients::connect(server.address).await.channel;
    for wrong in [json!({"shows": []}), json!({"shows": [""]}), json!({"tenant": ""}), json!({"tenant": "acme.x"})] {
        let token = callers.token("ed", "read", &wrong);
        let refused = refusal(&channel, "/usher.v1.Shows/ListShows", &token).await;
        assert_eq!(refused.as_deref(), Some("CREDENTIALS_INVALID"), "{wrong}");
    }
    let good = callers.token("ed", "read", &json!({"shows": ["a"], "tenant": "acme"}));
    assert_eq!(refusal(&channel, "/usher.v1.Shows/ListShows", &good).await, None);
    server.stop().await;
}

/// What is wrong with a file may be mended without its content changing.
#[tokio::test]
async fn a_file_that_everybody_could_read_is_read_when_it_is_mended() {
    let mut callers = Callers::new();
    let key = callers.key(grant(Scope::Read, None, &[])).reveal().to_owned();
    callers.write();
    let server = start(&callers).await;
    let channel = Clients::connect(server.address).await.channel;
    let method = "/usher.v1.Shows/ListShows";
    assert_eq!(refusal(&channel, method, &key).await, None);
    let path = callers.directory().join("keys.json");
    let mode = |mode| std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    callers.keys.keys.clear();
    mode(0o644);
    std::fs::write(&path, serde_json::to_vec(&callers.keys).unwrap()).unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(refusal(&channel, method, &key).await, None, "what was in force still is");
    mode(0o600);
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(refusal(&channel, method, &key).await.as_deref(), Some("CREDENTIALS_INVALID"));
    server.stop().await;
}

/// In an emergency the last signer is taken back.
#[tokio::test]
async fn a_file_without_signers_takes_every_token_back() {
    let callers = Callers::new();
    let server = start(&callers).await;
    let channel = Clients::connect(server.address).await.channel;
    let (method, token) = ("/usher.v1.Shows/ListShows", callers.token("ed", "read", &json!({})));
    assert_eq!(refusal(&channel, method, &token).await, None);
    std::fs::write(callers.directory().join("jwks.json"), r#"{"keys":[]}"#).unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(refusal(&channel, method, &token).await.as_deref(), Some("CREDENTIALS_INVALID"));
    server.stop().await;
}
