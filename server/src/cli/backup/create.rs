//! `usher backup create`: what is new, copied.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use usher_engine::time::Clock as _;
use usher_wal::backup::{Backups, NewBackup};

use super::{BackupsArgs, copying, print, to_json};
use crate::{
    cli::{apart::check_apart, when::utc},
    clock::WallClock,
};

/// Reads the data directory beside its server and writes nothing into it.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(in crate::cli) struct Create {
    /// Data directory to back up
    #[arg(long, env = "USHER_DATA_DIR", value_name = "DIR", default_value = "./data")]
    data_dir: PathBuf,
    #[command(flatten)]
    backups: BackupsArgs,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const NOTES: &str = "\
What was answered before it starts is in the backup. Frames are checked as they are copied; those
that the backup before has, and snapshots that it has, are not copied again. It has everything
from where the log began at the backup before to its end now, and can be restored to every instant
in between. An interrupted one is none, and leaves nothing behind that the next one does not
remove.

Make one more often than the server trims its log (see `usher snapshot --help`): otherwise the
next one says that it is whole, and the time in between cannot be restored.

The backups of one data directory are together, and of no other. One that was restored into a new
directory is another one: its backups go elsewhere. After a restore in place they go on; the next
one is whole where the log went another way than the one before.

Exit codes: 0 done; 1 there is no new backup: another one is being made, those before are of
another directory or lack files, the data directory is damaged, or a disk failed; 2 wrong usage.";

impl Create {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let dir = self.data_dir.display();
        ensure!(self.data_dir.is_dir(), "{dir} is no directory; name the data directory with --data-dir");
        check_apart(("--data-dir", &self.data_dir), ("--backups", &self.backups.backups))?;
        let created_ms = WallClock.now().0;
        let id = utc(created_ms).chars().filter(char::is_ascii_alphanumeric).collect();
        let new = NewBackup { id, created_ms, program: format!("usher {}", env!("CARGO_PKG_VERSION")) };
        let backups = Backups::open_or_create(&self.backups.backups)?;
        let bar = copying("copying");
        let made = backups.create(&self.data_dir, &new, &mut |bytes| bar.inc(bytes));
        bar.finish_and_clear();
        let catalogue = made?;
        if self.json {
            println!("{}", to_json(&catalogue))
        } else {
            print(&catalogue)
        }
        Ok(())
    }
}
