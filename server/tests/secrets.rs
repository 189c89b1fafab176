//! No secret is in what the server writes: it runs with everything in its log, is called well and badly, and its output is
//! searched.

mod common;

use std::fs;

use common::{
    callers::Callers,
    http::Http,
    process::{Process, serve_command},
    wire,
};
use serde_json::json;
use tonic::{Request, metadata::MetadataValue, transport::Endpoint};
use usher_proto::v1::inventory_client::InventoryClient;
use usher_server::access::Grant;

#[tokio::test]
async fn no_secret_is_in_the_log_nor_in_the_trail_nor_in_an_answer() {
    let mut callers = Callers::new();
    let key = callers.key(Grant::everything()).reveal().to_owned();
    callers.write();
    let access = callers.access();
    let data = tempfile::tempdir().unwrap();
    let config = data.path().join("usher.toml");
    let tokens = access.tokens.unwrap();
    let text = format!(
        "[access]\nkeys_file = {:?}\naudit_dir = {:?}\n[access.tokens]\njwks_file = {:?}\nissuer = {:?}\naudience = {:?}\n",
        access.keys_file.unwrap(),
        access.audit_dir.unwrap(),
        tokens.jwks_file,
        tokens.issuer,
        tokens.audience
    );
    fs::write(&config, text).unwrap();
    let mut command = serve_command(&data.path().join("data"), 1);
    command.arg("--config").arg(&config).args(["--log-level", "trace"]);
    let mut server = Process::spawn(command);
    let address = server.address();
    let token = callers.token("ed", "sell read", &json!({}));
    let wrong = format!("usher_{}_wrongwrongwrongwrongwrongwrongwrong", callers.keys.keys[0].id);
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let mut inventory = InventoryClient::new(channel);
    let mut answers = String::new();
    for bearer in [&key, &token, &wrong, &format!("{token}x")] {
        let mut request = Request::new(wire::get("show", 1));
        let value: MetadataValue<_> = format!("Bearer {bearer}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
        answers.push_str(&format!("{:?}", inventory.get_hold(request).await));
        let (http, header) = (Http::to(address), format!("Bearer {bearer}"));
        let ask = move || http.send("GET", "/v1/shows/show", &[("authorization", &header)], "").bytes;
        answers.push_str(&String::from_utf8_lossy(&tokio::task::spawn_blocking(ask).await.unwrap()));
    }
    server.terminate();
    // The client's connection ends here, too.
    let (server, status) = tokio::task::spawn_blocking(move || {
        let status = server.wait();
        (server, status)
    })
    .await
    .unwrap();
    assert!(status.success());
    let trail: String = fs::read_dir(callers.directory().join("audit"))
        .unwrap()
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    assert!(trail.contains("CREDENTIALS_INVALID") && answers.contains("CREDENTIALS_INVALID"));
    let output = server.text();
    assert!(output.len() > 10_000, "this is no trace: {output}");
    let secret_of = |text: &str| text[text.len() - 20..].to_owned();
    for secret in [&key, &token, &wrong].map(|text| secret_of(text)) {
        for (place, text) in [("the log", &output), ("the trail", &trail), ("an answer", &answers)] {
            assert!(!text.contains(&secret), "a secret is in {place}");
        }
    }
}
