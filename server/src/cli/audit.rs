//! `usher audit`: the audit trail, read offline.

use std::path::PathBuf;

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
    /// Print the entries, a line of JSON each, as far as they are sound
    Export,
    /// Look whether an entry was changed, added or left out
    Verify,
}

impl Audit {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Export => {
                chain::verify(&self.audit_dir, |text, _| {
                    println!("{text}");
                    Ok(())
                })?;
            }
            Command::Verify => {
                let mut first = None;
                let end = chain::verify(&self.audit_dir, |_, entry| {
                    first.get_or_insert(entry.number);
                    Ok(())
                })?;
                println!("sound: entries {} to {}", first.unwrap_or_default(), end.number);
                println!("the last hash is {}", end.hash);
            }
        }
        Ok(())
    }
}
