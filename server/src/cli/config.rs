//! `usher config`: what can be set, what is set, and whether a server would start with it.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::format::{Column, FormatArgs, List};
use crate::config::{ConfigFlags, Sources, reference, settings};

mod check;

/// Settings come from flags, the environment (USHER_LISTEN, ...) and a TOML file (--config), in this order of precedence.
#[derive(Debug, Args)]
pub(super) struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the settings in force, and where each comes from
    Show(Box<Show>),
    /// Look whether `usher serve` would start with these settings, and what is risky about them; opens no data directory
    Check(Box<check::Check>),
    /// Print every setting with its default, unit, limits, variable and flag, as a configuration file
    Reference,
}

#[derive(Debug, Args)]
struct Show {
    #[command(flatten)]
    config: ConfigFlags,
    #[command(flatten)]
    format: FormatArgs,
    /// Only what is not the default
    #[arg(long)]
    changed: bool,
}

impl Config {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Show(show) => show.run(),
            Command::Check(check) => check.run(),
            Command::Reference => {
                println!("{}", reference::reference().trim_end());
                Ok(())
            }
        }
    }
}

impl Show {
    fn run(&self) -> anyhow::Result<()> {
        let sources = Sources::of(&self.config)?;
        let values = settings::json(&sources.load()?);
        let columns = [Column::Left("SETTING"), Column::Left("VALUE"), Column::Left("SOURCE")];
        let mut list = List::new(self.format.format(), &columns);
        for setting in settings::settings() {
            let (value, source) = (setting.value_in(&values), sources.source(&setting));
            if self.changed && source.kind() == "default" {
                continue;
            }
            let (name, from) = (&setting.name, source.to_string());
            let object = json!({ "setting": name, "value": value, "kind": source.kind(), "source": from });
            list.add(|| object, || vec![name.clone(), text(value), from]);
        }
        list.end("Everything is the default.");
        Ok(())
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
