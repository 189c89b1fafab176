//! Revocation lists: whose they are, and whether they are of today. Whom they revoke is looked up by rustls, at each handshake.

use std::path::Path;

use anyhow::{Context as _, ensure};
use tokio_rustls::rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, CertificateRevocationListDer, SignatureVerificationAlgorithm},
};
use webpki::OwnedCertRevocationList;
use x509_parser::{prelude::FromDer as _, revocation_list::CertificateRevocationList, time::ASN1Time};

use super::tls::pem;

const SETTING: &str = "tls.client_crl";

type Lists = Vec<CertificateRevocationListDer<'static>>;

/// The lists of a file.
///
/// # Errors
/// When one cannot be used or is falsely of an authority of these, or all are of others: a wrong file would let in whom the
/// right one revokes.
pub(super) fn read(path: &Path, authorities: &[CertificateDer<'_>]) -> anyhow::Result<Lists> {
    let lists: Lists = pem(SETTING, path)?;
    let (path, mut is_known) = (path.display(), false);
    for list in &lists {
        // RFC 5280, 5.1.2 and 5.2.
        let unusable =
            || format!("{SETTING} {path} has a list that is not of version 2 with nextUpdate and extensions");
        OwnedCertRevocationList::from_der(list).with_context(unusable)?;
        let signed: Vec<bool> = authorities.iter().filter_map(|named| is_signed(list, named)).collect();
        let is_false = !signed.is_empty() && !signed.contains(&true);
        ensure!(
            !is_false,
            "{SETTING} {path} has a list by the name of an authority of tls.client_ca that did not sign it"
        );
        is_known |= !signed.is_empty();
    }
    ensure!(is_known, "{SETTING} {path} has no list of an authority of tls.client_ca");
    Ok(lists)
}

/// Whether a list of a file is past its `nextUpdate`: it does not know who was revoked since.
pub(crate) fn are_overdue(path: &Path) -> bool {
    let lists: Lists = pem(SETTING, path).unwrap_or_default();
    let ends = lists.iter().filter_map(|list| CertificateRevocationList::from_der(list).ok()?.1.next_update());
    ends.min().is_some_and(|end| end <= ASN1Time::now())
}

/// Whether an authority signed a list by its name, by an algorithm that a handshake would take, too. Nothing where the list has
/// another name.
fn is_signed(list: &[u8], authority: &[u8]) -> Option<bool> {
    let (_, list) = CertificateRevocationList::from_der(list).ok()?;
    let (_, authority) = x509_parser::parse_x509_certificate(authority).ok()?;
    let (key, text) = (&authority.public_key().subject_public_key.data, list.tbs_cert_list.as_ref());
    let known = aws_lc_rs::default_provider().signature_verification_algorithms.all;
    let by = |one: &&dyn SignatureVerificationAlgorithm| one.verify_signature(key, text, &list.signature_value.data);
    (list.issuer().as_raw() == authority.subject().as_raw()).then(|| known.iter().any(|one| by(one).is_ok()))
}
