//! `usher backup list`: which backups there are.

use anyhow::bail;
use clap::Args;
use serde_json::json;

use super::{BackupsArgs, print, to_json};

/// The oldest first.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    backups: BackupsArgs,
    /// Print JSON, one object a backup and line
    #[arg(long)]
    json: bool,
}

const NOTES: &str = "\
Of every shard: from where and up to where it can be restored. Only the catalogues are read;
`usher backup verify` reads all that they name.

Exit codes: 0 done; 1 a catalogue is damaged, or there is no directory of backups; 2 wrong usage.";

impl List {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let all = self.backups.open()?.list()?;
        let mut damaged = 0;
        for found in &all {
            match found {
                Ok(catalogue) if self.json => println!("{}", to_json(catalogue)),
                Ok(catalogue) => print(catalogue),
                Err(error) => {
                    damaged += 1;
                    if self.json {
                        println!("{}", json!({ "id": null, "problem": error.to_string() }));
                    } else {
                        println!("{}: {error}", console::style("DAMAGED").red().bold());
                    }
                }
            }
        }
        if damaged > 0 {
            bail!("{damaged} of {} backups are damaged", all.len());
        }
        if all.is_empty() && !self.json {
            println!("none; `usher backup create` makes one");
        }
        Ok(())
    }
}
