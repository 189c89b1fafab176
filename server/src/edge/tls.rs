//! TLS 1.3, and who vouches for callers. Certificates and revocations are read anew while connections come and go.
//!
//! Nothing older than 1.3 is spoken, and no session is resumed: a resumed one would not ask what was revoked since.

use std::{
    fs, io,
    path::Path,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, ensure};
use parking_lot::RwLock;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
        version::TLS13,
    },
    server::TlsStream,
};

use super::revocations;
use crate::{access::check_private, config};

/// TLS as its files say.
pub(crate) struct Tls {
    settings: config::Tls,
    now: RwLock<(Arc<ServerConfig>, i64)>,
}

impl Tls {
    /// Reads the files; nothing if TLS is not set.
    ///
    /// # Errors
    /// Which file is wrong, and why.
    pub(crate) fn open(settings: &config::Tls) -> anyhow::Result<Option<Arc<Self>>> {
        let Some((certificate, key)) = settings.certificate.as_deref().zip(settings.key.as_deref()) else {
            return Ok(None);
        };
        let now = RwLock::new(read(certificate, key, settings)?);
        Ok(Some(Arc::new(Self { settings: settings.clone(), now })))
    }

    /// Reads the files again. Connections that are there stay as they are.
    ///
    /// # Errors
    /// As [`Self::open`]; what was in force stays in force.
    pub(crate) fn reload(&self) -> anyhow::Result<()> {
        if let Some((certificate, key)) = self.settings.certificate.as_deref().zip(self.settings.key.as_deref()) {
            *self.now.write() = read(certificate, key, &self.settings)?;
        }
        Ok(())
    }

    /// When the server's certificate ends, in seconds since 1970.
    pub(crate) fn ends_at_s(&self) -> i64 {
        self.now.read().1
    }

    /// The other side's handshake, and the names in its certificate.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<(TlsStream<TcpStream>, Vec<String>)> {
        let now = Arc::clone(&self.now.read().0);
        let stream = TlsAcceptor::from(now).accept(stream).await?;
        let names = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).map(names);
        Ok((stream, names.unwrap_or_default()))
    }
}

/// DNS names and URIs among the subject's alternative names. A common name is none.
fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok(parsed) = webpki::EndEntityCert::try_from(certificate) else { return Vec::new() };
    parsed.valid_dns_names().chain(parsed.valid_uri_names()).map(str::to_owned).collect()
}

/// When a certificate ends, in seconds since 1970.
pub(crate) fn ends_at_s(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

fn read(certificate: &Path, key: &Path, settings: &config::Tls) -> anyhow::Result<(Arc<ServerConfig>, i64)> {
    check_private(key)?;
    let chain: Vec<CertificateDer<'static>> = pem("tls.certificate", certificate)?;
    let ends_at_s = chain.first().and_then(ends_at_s).unwrap_or(i64::MAX);
    if ends_at_s <= SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed()) {
        tracing::warn!(certificate = %certificate.display(), "the server's certificate has ended: nobody will connect");
    }
    let private = PrivateKeyDer::from_pem_file(key).with_context(|| format!("tls.key {}", key.display()))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13]).context("TLS 1.3")?;
    let builder = match &settings.client_ca {
        Some(authorities) => builder.with_client_cert_verifier(verifier(authorities, settings)?),
        None => builder.with_no_client_auth(),
    };
    let mut tls = builder
        .with_single_cert(chain, private)
        .with_context(|| format!("tls.certificate {} with its key", certificate.display()))?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    tls.session_storage = Arc::new(NoServerSessionStorage {});
    tls.send_tls13_tickets = 0;
    if let Some(revoked) = settings.client_crl.as_deref().filter(|revoked| revocations::are_overdue(revoked)) {
        let revoked = revoked.display();
        tracing::warn!(client_crl = %revoked, "a revocation list is past its nextUpdate: whoever was revoked since is let in");
    }
    Ok((Arc::new(tls), ends_at_s))
}

fn verifier(authorities: &Path, settings: &config::Tls) -> anyhow::Result<Arc<dyn ClientCertVerifier>> {
    let trusted: Vec<CertificateDer<'static>> = pem("tls.client_ca", authorities)?;
    let mut roots = RootCertStore::empty();
    for authority in &trusted {
        roots.add(authority.clone()).with_context(|| format!("tls.client_ca {}", authorities.display()))?;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    if let Some(revoked) = &settings.client_crl {
        // Of authorities that revoke nothing there is no list.
        verifier = verifier.with_crls(revocations::read(revoked, &trusted)?).allow_unknown_revocation_status();
    }
    if settings.client_certificate_optional {
        verifier = verifier.allow_unauthenticated();
    }
    verifier.build().with_context(|| format!("tls.client_ca {}", authorities.display()))
}

/// Everything of one kind in a PEM file.
pub(super) fn pem<T: PemObject>(setting: &str, path: &Path) -> anyhow::Result<Vec<T>> {
    let wrong = || format!("{setting} {}", path.display());
    let text = fs::read(path).with_context(wrong)?;
    let found: Vec<T> = T::pem_slice_iter(&text).collect::<Result<_, _>>().with_context(wrong)?;
    ensure!(!found.is_empty(), "{setting} {} has none of what it is for", path.display());
    Ok(found)
}
