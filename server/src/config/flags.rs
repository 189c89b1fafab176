//! The settings of tables that have flags of their own; the others stand in the file or the environment.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

/// Flags of `[tls]`.
#[derive(Clone, Debug, Default, PartialEq, Args, Serialize)]
pub struct TlsFlags {
    /// The server's certificate in PEM, and those between it and its authority
    #[arg(long = "tls-certificate", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// Its key
    #[arg(long = "tls-key", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Authorities whose certificates callers must show
    #[arg(long = "tls-client-ca", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
    /// What these have revoked
    #[arg(long = "tls-client-crl", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_crl: Option<PathBuf>,
}

/// Flags of `[access]`.
#[derive(Clone, Debug, Default, PartialEq, Args, Serialize)]
pub struct AccessFlags {
    /// File of the API keys that callers must show one of, as `usher key` writes it [default: nobody has to]
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys_file: Option<PathBuf>,
    /// Directory of the audit trail [default: beside the data directory, as data.audit]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit_dir: Option<PathBuf>,
}

impl TlsFlags {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl AccessFlags {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
