//! TLS 1.3 and mutual TLS, with certificates made here: who is let in, as whom, and until when.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use common::{WAIT_MAX, callers::write_private, local::LocalServer, wire};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, ExtendedKeyUsagePurpose,
    IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic_types::StatusExt as _;
use usher_client::{Error, Inventory, Options};
use usher_proto::v1::{inventory_client::InventoryClient, shows_client::ShowsClient};
use usher_server::{
    access::{Grant, Scope},
    config::{self, Access, Config},
};

const SELLER: &str = "spiffe://acme.example/web";

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut own = CertificateParams::new(Vec::new()).unwrap();
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
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2090, 1, 1),
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
        let access = Access { identities, audit_dir: Some(at("audit")), ..Access::default() };
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
async fn new_certificates_and_revocations_need_no_restart() {
    let guarded = Guarded::start().await;
    let seller = guarded.authority.issue(20, &[SELLER], |_| {});
    assert_eq!(ask(guarded.connect(Some(seller.clone())).await, "acme.gala").await, "SHOW_UNKNOWN");
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
