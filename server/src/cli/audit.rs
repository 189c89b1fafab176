//! `usher audit`: the audit trail, read offline.

use std::path::PathBuf;

use anyhow::ensure;
use clap::{Args, Subcommand};

use crate::access::audit::chain;

/// The calls of organisers and operators, and refusals.
#[derive(Debug, Args)]
pub(super) struct Audit {
    /// Directory of the trail
    #[arg(long, env = "USHER_ACCESS__AUDIT_DIR", value_name = "DIR", global = true, default_value = "data.audit")]
    audit_dir: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the trail as far as it is sound: a line of JSON each, with the hash of its entry. In a directory, as a file that
    /// ends with .jsonl, it can be verified anywhere
    Export,
    /// Look whether an entry was changed, added or left out
    Verify {
        /// A hash that was noted earlier: the trail must go on from there, or end there
        #[arg(long, value_name = "HASH")]
        noted: Option<String>,
    },
}

impl Audit {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Export => {
                chain::verify(&self.audit_dir, |line, _| {
                    print!("{}", line.text);
                    Ok(())
                })?;
            }
            Command::Verify { noted } => {
                let (mut first, mut is_noted) = (None, noted.is_none());
                let end = chain::verify(&self.audit_dir, |line, entry| {
                    first.get_or_insert(entry.number);
                    is_noted |= noted.as_deref() == Some(line.hash);
                    Ok(())
                })?;
                let first = first.unwrap_or_default();
                println!("sound: entries {first} to {}", end.number);
                if first > 1 {
                    println!("those before entry {first} are not here");
                }
                println!("the last hash is {}", end.hash);
                ensure!(is_noted, "no entry has the hash that was noted: the trail was cut off, or written anew");
            }
        }
        Ok(())
    }
}
