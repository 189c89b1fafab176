//! `usher key`: the file of API keys. A running server reads it again within a second.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};

use super::{client::WrongUsage, when::utc};
use crate::access::{Grant, Scope, keys::KeysFile};

/// Keys are shown once, when they are made; the file has their hashes.
#[derive(Debug, Args)]
pub(super) struct Key {
    /// The file of keys; a server reads it with --keys-file
    #[arg(
        long,
        env = "USHER_ACCESS__KEYS_FILE",
        value_name = "FILE",
        global = true,
        default_value = "usher-keys.json"
    )]
    keys_file: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key and print it
    Create(Create),
    /// List the keys, without their secrets
    List,
    /// Give a key a new secret and print it; the old one is good for a while
    Rotate(Rotate),
    /// Take a key back
    Revoke {
        /// The key's id
        id: String,
    },
}

#[derive(Debug, Args)]
struct Create {
    /// For whom it is
    name: String,
    /// What it allows; may be repeated
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<Scope>,
    /// With what the shows' ids must begin; may be repeated [default: any show]
    #[arg(long = "shows", value_name = "PREFIX")]
    shows: Vec<String>,
    /// Whose the shows must be: those of acme are acme. and anything
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
}

#[derive(Debug, Args)]
struct Rotate {
    /// The key's id
    id: String,
    /// How long the old secret is good, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    overlap_s: u64,
}

impl Key {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let path = &self.keys_file;
        match self.command {
            Command::List => list(&KeysFile::read(path)?),
            Command::Create(Create { name, scopes, shows, tenant }) => {
                let grant = Grant { scopes, shows, tenant };
                check_prefixes(&grant)?;
                let key = KeysFile::change(path, true, |file| file.create(&name, grant))?;
                println!("{}", key.reveal());
            }
            Command::Rotate(Rotate { id, overlap_s }) => {
                let overlap = Duration::from_secs(overlap_s);
                let key = KeysFile::change(path, false, |file| file.rotate(&id, overlap))?;
                println!("{}", key.reveal());
            }
            Command::Revoke { id } => {
                KeysFile::change(path, false, |file| file.revoke(&id))?;
                println!("{id} is revoked");
            }
        }
        Ok(())
    }
}

/// A key for shows that there cannot be is no use, and nobody is told when it is used.
fn check_prefixes(grant: &Grant) -> Result<(), WrongUsage> {
    let Some((prefix, tenant)) = grant.idle_prefix().zip(grant.tenant.as_ref()) else { return Ok(()) };
    Err(WrongUsage(format!(
        "--shows {prefix} can be no show of the tenant {tenant}, whose ids begin with {tenant}.: \
         say --shows {tenant}.{prefix}, or leave --tenant out"
    )))
}

fn list(file: &KeysFile) {
    for key in &file.keys {
        let scopes: Vec<String> = key.grant.scopes.iter().map(|scope| format!("{scope:?}").to_lowercase()).collect();
        let shows = key.grant.shows.iter().map(|prefix| format!("  shows {prefix}*")).collect::<String>();
        let tenant = key.grant.tenant.iter().map(|tenant| format!("  tenant {tenant}")).collect::<String>();
        let old = key.secrets.iter().filter_map(|secret| secret.until_ms);
        let old = old.map(|until| format!("  old secret until {}", utc(until))).collect::<String>();
        println!("{}  {:<16} {}{shows}{tenant}{old}", key.id, key.name, scopes.join(","));
    }
}
