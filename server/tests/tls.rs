//! TLS 1.3 and mutual TLS, with certificates made here: who is let in, as whom, and until when.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use common::{
    WAIT_MAX,
    callers::write_private,
    local::LocalServer,
    process::{program, run},
    wire,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber,
    date_time_ymd,
};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic_types::StatusExt as _;
use usher_client::{Error, Inventory, Options};
use usher_proto::v1::{inventory_client::InventoryClient, shows_client::ShowsClient};
use usher_server::{
    access::{Grant, Scope, keys::KeysFile},
    config::{self, Access, Config},
};

const SELLER: &str = "spiffe://acme.example/web";
/// A list by its first line alone: what stands there is a sequence of nothing.
const UNUSABLE: &str = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n";

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        Self::named("authority")
    }

    fn named(name: &str) -> Self {
        let mut own = CertificateParams::new(Vec::new()).unwrap();
        own.distinguished_name.push(DnType::CommonName, name);
        own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        own.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(CertifiedIssuer::self_signed(own, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate and its key, in PEM, for these names.
    fn issue(&self, serial: u64, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let mut own = CertificateParams::new(Vec::new()).unwrap();
        let san = |name: &&str| match name.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) if name.contains("://") => SanType::URI((*name).try_into().unwrap()),
            Err(_) => SanType::DnsName((*name).try_into().unwrap()),
        };
        own.subject_alt_names = names.iter().map(san).collect();
        own.serial_number = Some(SerialNumber::from(serial));
        own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        change(&mut own);
        let key = KeyPair::generate().unwrap();
        (own.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }

    fn revoke(&self, serials: &[u64]) -> String {
        self.revoke_until(serials, 2090)
    }

    fn revoke_until(&self, serials: &[u64], year: i32) -> String {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(year, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.0).unwrap().pem().unwrap()
    }
}

/// A server that asks for certificates, and its files.
struct Guarded {
    directory: tempfile::TempDir,
    authority: Authority,
    server: LocalServer,
}

impl Guarded {
    async fn start() -> Self {
        let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new());
        let at = |name: &str| -> PathBuf { directory.path().join(name) };
        let (certificate, key) = authority.issue(1, &["localhost", "127.0.0.1"], |_| {});
        fs::write(at("server.pem"), certificate).unwrap();
        write_private(&at("server.key"), &key);
        fs::write(at("ca.pem"), authority.0.pem()).unwrap();
        fs::write(at("crl.pem"), authority.revoke(&[13])).unwrap();
        let tls = config::Tls {
            certificate: Some(at("server.pem")),
            key: Some(at("server.key")),
            client_ca: Some(at("ca.pem")),
            client_crl: Some(at("crl.pem")),
            client_certificate_optional: false,
        };
        let grant = Grant { scopes: vec![Scope::Sell], shows: Vec::new(), tenant: Some("acme".to_owned()) };
        let identities = vec![config::Identity { san: SELLER.to_owned(), grant }];
        KeysFile::default().write(&at("keys.json")).unwrap();
        let keys_file = Some(at("keys.json"));
        let access = Access { identities, keys_file, audit_dir: Some(at("audit")), ..Access::default() };
        let server = LocalServer::start_with(1, Config { tls, access, ..Config::default() }).await;
        Self { directory, authority, server }
    }

    async fn connect(&self, identity: Option<(String, String)>) -> Result<Channel, tonic::transport::Error> {
        connect(self.server.address, &self.authority.0.pem(), identity).await
    }
}

/// Of a client that trusts this authority, and shows this certificate.
fn trusting(authority: &str, identity: Option<(String, String)>) -> ClientTlsConfig {
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority)).domain_name("localhost");
    match identity {
        Some((certificate, key)) => tls.identity(Identity::from_pem(certificate, key)),
        None => tls,
    }
}

async fn connect(
    address: SocketAddr,
    authority: &str,
    identity: Option<(String, String)>,
) -> Result<Channel, tonic::transport::Error> {
    let tls = trusting(authority, identity);
    let endpoint = Endpoint::from_shared(format!("https://{address}")).unwrap().tls_config(tls).unwrap();
    endpoint.connect_timeout(WAIT_MAX).timeout(Duration::from_secs(10)).connect().await
}

/// What becomes of a call: the reason of its refusal, or that there was no connection for it.
async fn ask(channel: Result<Channel, tonic::transport::Error>, show: &str) -> String {
    let Ok(channel) = channel else { return "no connection".to_owned() };
    match InventoryClient::new(channel).get_hold(wire::get(show, 1)).await {
        Ok(_) => "OK".to_owned(),
        Err(status) => {
            status.get_error_details().error_info().map_or("no connection".to_owned(), |info| info.reason.clone())
        }
    }
}

#[tokio::test]
async fn a_certificate_is_let_in_by_its_authority_and_known_by_its_name() {
    let guarded = Guarded::start().await;
    let (ours, others) = (&guarded.authority, Authority::new());
    let past = |own: &mut CertificateParams| own.not_after = date_time_ymd(2025, 1, 1);
    let seller = ours.issue(10, &[SELLER], |_| {});
    for (what, identity, expected) in [
        ("the seller", Some(seller.clone()), "SHOW_UNKNOWN"),
        ("somebody else", Some(ours.issue(11, &["spiffe://acme.example/other"], |_| {})), "CREDENTIALS_MISSING"),
        ("an expired one", Some(ours.issue(12, &[SELLER], past)), "no connection"),
        ("a revoked one", Some(ours.issue(13, &[SELLER], |_| {})), "no connection"),
        ("another authority", Some(others.issue(10, &[SELLER], |_| {})), "no connection"),
        ("nobody", None, "no connection"),
    ] {
        assert_eq!(ask(guarded.connect(identity).await, "acme.gala").await, expected, "{what}");
    }
    let other = guarded.connect(Some(ours.issue(14, &["spiffe://acme.example/other"], |_| {}))).await.unwrap();
    let unnamed = InventoryClient::new(other).get_hold(wire::get("acme.gala", 1)).await.unwrap_err();
    let parts = ["the certificate is good", "access.identities", "spiffe://acme.example/other"];
    assert!(parts.iter().all(|part| unnamed.message().contains(part)), "{unnamed}");
    let channel = guarded.connect(Some(seller)).await.unwrap();
    assert_eq!(ask(Ok(channel.clone()), "other.gala").await, "SHOW_FORBIDDEN");
    let refused = ShowsClient::new(channel).create_show(wire::hall("acme.gala", 1, 0)).await.unwrap_err();
    assert_eq!(refused.get_error_details().error_info().unwrap().reason, "SCOPE_MISSING");
    let mistrusting = connect(guarded.server.address, &others.0.pem(), None).await;
    assert!(mistrusting.is_err(), "a client that does not trust the server's authority");
    guarded.server.stop().await;
}

/// Asking again would not help, and it says why.
#[tokio::test]
async fn the_client_is_told_at_once_that_its_certificate_is_not_taken() {
    let guarded = Guarded::start().await;
    let (certificate, key) = guarded.authority.issue(13, &[SELLER], |_| {});
    for (identity, alert) in [(Some((certificate, key)), "Revoked"), (None, "Required")] {
        let tls = Some(trusting(&guarded.authority.0.pem(), identity));
        let options = Options { tls, connections: 1, ..Options::default() };
        let client = Inventory::with_options(&format!("https://{}", guarded.server.address), &options).unwrap();
        let wire = wire::hold("acme.gala", 1, "ada", wire::seats(&[0]));
        match client.hold_seats(wire).await.unwrap_err() {
            Error::Refused(refused) => assert!(refused.message.contains(alert), "{refused}"),
            other => panic!("{other}"),
        }
    }
    guarded.server.stop().await;
}

#[tokio::test]
async fn a_command_that_does_not_know_the_servers_authority_is_told_how_to_name_it() {
    let guarded = Guarded::start().await;
    let mut command = program(env!("CARGO_BIN_EXE_usher"));
    command.args(["show", "list", "--server", &format!("https://localhost:{}", guarded.server.address.port())]);
    let (code, _, said) = tokio::task::spawn_blocking(|| run(command)).await.unwrap();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("--server-ca") && !said.contains("usher serve"), "{said}");
    guarded.server.stop().await;
}

#[tokio::test]
async fn new_certificates_and_revocations_need_no_restart() {
    let guarded = Guarded::start().await;
    let seller = guarded.authority.issue(20, &[SELLER], |_| {});
    assert_eq!(ask(guarded.connect(Some(seller.clone())).await, "acme.gala").await, "SHOW_UNKNOWN");
    // A file that is broken holds back none of the others.
    fs::write(guarded.directory.path().join("keys.json"), "nonsense").unwrap();
    fs::write(guarded.directory.path().join("crl.pem"), guarded.authority.revoke(&[13, 20])).unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(ask(guarded.connect(Some(seller.clone())).await, "acme.gala").await, "no connection");
    // What cannot be read leaves in force what was.
    fs::write(guarded.directory.path().join("crl.pem"), "nonsense").unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(ask(guarded.connect(Some(seller)).await, "acme.gala").await, "no connection");
    let other = guarded.authority.issue(21, &[SELLER], |_| {});
    assert_eq!(ask(guarded.connect(Some(other)).await, "acme.gala").await, "SHOW_UNKNOWN");
    guarded.server.stop().await;
}

/// The lists of an authority that nobody is of, by its own name or falsely by that of ours, and what is no list.
#[tokio::test]
async fn a_wrong_list_lets_nobody_in_whom_the_right_one_revokes() {
    let guarded = Guarded::start().await;
    let revoked = guarded.authority.issue(13, &[SELLER], |_| {});
    let seller = guarded.authority.issue(20, &[SELLER], |_| {});
    let other = Authority::named("other").revoke(&[]);
    for wrong in [Authority::new().revoke(&[]), other.clone(), UNUSABLE.to_owned()] {
        fs::write(guarded.directory.path().join("crl.pem"), wrong).unwrap();
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        assert_eq!(ask(guarded.connect(Some(revoked.clone())).await, "acme.gala").await, "no connection");
        assert_eq!(ask(guarded.connect(Some(seller.clone())).await, "acme.gala").await, "SHOW_UNKNOWN");
    }
    // One that is overdue still revokes; that of another authority beside it does no harm.
    let lists = other + &guarded.authority.revoke_until(&[13, 20], 2021);
    fs::write(guarded.directory.path().join("crl.pem"), lists).unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(ask(guarded.connect(Some(seller)).await, "acme.gala").await, "no connection");
    let other = guarded.authority.issue(21, &[SELLER], |_| {});
    assert_eq!(ask(guarded.connect(Some(other)).await, "acme.gala").await, "SHOW_UNKNOWN");
    guarded.server.stop().await;
}

#[test]
fn a_check_names_the_revocation_list_that_is_wrong_or_overdue() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let at = |name: &str| directory.path().join(name);
    let (certificate, key) = authority.issue(1, &["localhost"], |_| {});
    fs::write(at("server.pem"), certificate).unwrap();
    write_private(&at("server.key"), &key);
    fs::write(at("ca.pem"), authority.0.pem()).unwrap();
    let files =
        [("certificate", "server.pem"), ("key", "server.key"), ("client_ca", "ca.pem"), ("client_crl", "crl.pem")];
    let lines: String = files.iter().map(|(name, file)| format!("{name} = {:?}\n", at(file))).collect();
    fs::write(at("usher.toml"), format!("[tls]\n{lines}")).unwrap();
    for (list, code, said) in [
        (authority.revoke(&[13]), 0, "would start"),
        (authority.revoke_until(&[13], 2021), 0, "crl.pem is past its nextUpdate"),
        (Authority::named("other").revoke(&[]), 2, "crl.pem has no list of an authority of tls.client_ca"),
        (Authority::new().revoke(&[]), 2, "by the name of an authority of tls.client_ca that did not sign it"),
        (UNUSABLE.to_owned(), 2, "crl.pem has a list that is not of version 2"),
    ] {
        fs::write(at("crl.pem"), list).unwrap();
        let mut check = program(env!("CARGO_BIN_EXE_usher"));
        check.args(["config", "check", "--config"]).arg(at("usher.toml"));
        let (ended, out, err) = run(check);
        assert_eq!(ended, Some(code), "{out}{err}");
        let text = out + &err;
        assert!(text.contains(said), "{text}");
        assert_eq!(text.contains("tls.client_crl"), said != "would start", "{text}");
    }
}

#[tokio::test]
async fn plain_text_is_not_answered_and_a_handshake_that_stops_is_not_waited_for() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let guarded = Guarded::start().await;
    // A record of TLS that says that 512 bytes of a ClientHello follow.
    for begun in [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &b"\x16\x03\x01\x02\x00\x01\x00"[..], &b""[..]] {
        let mut stream = tokio::net::TcpStream::connect(guarded.server.address).await.unwrap();
        stream.write_all(begun).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "still open after ten seconds: {begun:?}");
        assert!(answer.len() < 32 && !answer.starts_with(b"HTTP"), "{answer:?}");
    }
    guarded.server.stop().await;
}
