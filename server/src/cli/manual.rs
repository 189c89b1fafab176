//! `usher completions` and `usher man`: what the command line says of itself, for shells and for `man`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;

/// Prints a script that completes commands and flags in a shell.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  $ usher completions bash > ~/.local/share/bash-completion/completions/usher
  $ usher completions zsh > \"${fpath[1]}/_usher\"
  $ usher completions fish > ~/.config/fish/completions/usher.fish")]
pub(super) struct Completions {
    /// For which shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "usher", &mut script);
        println!("{}", String::from_utf8(script).context("the script")?.trim_end());
        Ok(())
    }
}

/// Prints the manual page, or writes one for each command into a directory.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  $ usher man | man -l -
  $ usher man --into ~/.local/share/man/man1 && man usher-hold")]
pub(super) struct Man {
    /// Write the pages of all commands into this directory, which must be there
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self.into {
            Some(dir) => clap_mangen::generate_to(Cli::command(), &dir)
                .with_context(|| format!("writing manual pages into {}", dir.display())),
            None => {
                let mut page = Vec::new();
                clap_mangen::Man::new(Cli::command()).render(&mut page).context("making the manual page")?;
                println!("{}", String::from_utf8(page).context("the manual page")?.trim_end());
                Ok(())
            }
        }
    }
}
