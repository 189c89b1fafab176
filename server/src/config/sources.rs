//! From where each setting has its value: defaults < a file < the environment < flags.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use figment::{
    Figment,
    providers::{Env, Format as _, Serialized, Toml},
};

use super::{
    Config, ConfigFlags, WrongSetting,
    settings::{Setting, json, settings, variable},
};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// This file.
    File(PathBuf),
    /// This variable.
    Environment(String),
    /// This flag.
    Flag(String),
}

impl Source {
    /// What kind it is, in a word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File(_) => "file",
            Self::Environment(_) => "environment",
            Self::Flag(_) => "flag",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => path.display().fmt(f),
            Self::Environment(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// All that is set, by where.
pub struct Sources {
    file: Option<(PathBuf, Figment)>,
    environment: Figment,
    flags: Figment,
}

impl Sources {
    /// Reads the file and the environment as they are now.
    ///
    /// # Errors
    /// [`WrongSetting`] when the file is not there.
    pub fn of(flags: &ConfigFlags) -> Result<Self, WrongSetting> {
        let file = flags.config.as_deref().map(read).transpose().map_err(|error| WrongSetting(error.to_string()))?;
        // Only what is a setting: an orchestrator may add variables such as USHER_SERVICE_HOST.
        let own: Vec<String> = match json(&Config::default()) {
            serde_json::Value::Object(settings) => settings.into_iter().map(|(name, _)| name).collect(),
            _ => Vec::new(),
        };
        let known: Vec<String> = settings().iter().map(|setting| variable(&setting.name)).collect();
        for (name, _) in std::env::vars_os() {
            let Some(name) = name.to_str().filter(|name| name.starts_with("USHER_")) else { continue };
            // One underscore between a table and its setting instead of two: nothing would be set, and nobody told.
            let meant = known.iter().find(|known| known.replace("__", "_") == name);
            if let Some(meant) = meant.filter(|meant| *meant != name) {
                return Err(WrongSetting(format!("{name} is no setting: {meant} is, with two underscores")));
            }
        }
        let is_setting = move |name: &str| own.iter().any(|setting| setting.eq_ignore_ascii_case(name));
        let environment = Env::prefixed("USHER_")
            .filter(move |name| is_setting(name.as_str().split("__").next().unwrap_or_default()))
            .split("__");
        let flags = Figment::from(Serialized::defaults(flags));
        Ok(Self { file, environment: Figment::from(environment), flags })
    }

    /// Merges them, and checks the result.
    ///
    /// # Errors
    /// [`WrongSetting`]: a setting is unknown, of the wrong type or out of range; it names where that is set.
    pub fn load(&self) -> Result<Config, WrongSetting> {
        let mut merged = Figment::from(Serialized::defaults(Config::default()));
        if let Some((_, file)) = &self.file {
            merged = merged.merge(file);
        }
        let extracted = merged.merge(&self.environment).merge(&self.flags).extract::<Config>();
        // Figment's profiles are none of ours.
        let wrong = |error: figment::Error| error.to_string().replace("key \"default.", "key \"");
        let config = extracted.map_err(|error| WrongSetting(format!("in the configuration: {}", wrong(error))))?;
        config.check().map_err(|error| WrongSetting(self.with_sources(format!("{error:#}"), &config)))?;
        Ok(config)
    }

    /// Where a setting's value comes from.
    #[must_use]
    pub fn source(&self, setting: &Setting) -> Source {
        let name = setting.name.as_str();
        if self.flags.find_value(name).is_ok() {
            return Source::Flag(setting.flag().unwrap_or_else(|| name.to_owned()));
        }
        if self.environment.find_value(name).is_ok() {
            return Source::Environment(variable(name));
        }
        match &self.file {
            Some((path, file)) if file.find_value(name).is_ok() => Source::File(path.clone()),
            _ => Source::Default,
        }
    }

    /// A text about settings, with where those are set that it names, or whose file it names.
    pub(crate) fn with_sources(&self, text: String, config: &Config) -> String {
        let values = json(config);
        let is_named = |setting: &Setting| {
            let value = setting.value_in(&values).as_str().filter(|value| value.contains(['/', '.']));
            names(&text, &setting.name) || value.is_some_and(|value| names(&text, value))
        };
        let named = settings().into_iter().filter(is_named).map(|setting| (self.source(&setting), setting));
        let named: Vec<(Source, Setting)> = named.filter(|(source, _)| *source != Source::Default).collect();
        match named.as_slice() {
            [] => text,
            [(source, _)] => format!("{text} (set by {source})"),
            several => {
                let each = several.iter().map(|(source, setting)| format!("{} by {source}", setting.name));
                format!("{text} (set: {})", each.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

fn read(path: &Path) -> anyhow::Result<(PathBuf, Figment)> {
    ensure!(path.is_file(), "the configuration file {} does not exist", path.display());
    // Otherwise it would be told as one that is empty.
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string());
    text.map_err(|error| anyhow::anyhow!("the configuration file {error:#}"))?;
    Ok((path.to_owned(), Figment::from(Toml::file_exact(path))))
}

/// Whether it stands in the text, and not as a part of a longer name.
fn names(text: &str, name: &str) -> bool {
    let is_part = |symbol: Option<char>| symbol.is_some_and(|symbol| symbol.is_alphanumeric() || symbol == '_');
    text.match_indices(name).any(|(at, _)| {
        let (before, behind) = (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
        !is_part(before) && before != Some('.') && !is_part(behind)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_not_a_part_of_another_one() {
        assert!(names("listen is 0.0.0.0", "listen") && names("(listen)", "listen"));
        assert!(!names("operations_listen is", "listen") && !names("tls.key", "key") && !names("listening", "listen"));
    }

    #[test]
    fn what_is_wrong_says_where_it_is_set() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("usher.toml");
        let load = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let flags = ConfigFlags {
                config: Some(file.clone()),
                data_dir: Some("elsewhere".into()),
                ..ConfigFlags::default()
            };
            let sources = Sources::of(&flags).unwrap();
            (sources.load().map_err(|error| error.to_string()), sources)
        };
        let (loaded, sources) = load("[limits]\npatience_ms = 700\n");
        assert_eq!(loaded.unwrap().limits.patience_ms, 700);
        let source = |name: &str| {
            let setting = settings().into_iter().find(|setting| setting.name == name).unwrap();
            sources.source(&setting).to_string()
        };
        assert_eq!(source("limits.patience_ms"), file.display().to_string());
        assert_eq!((source("data_dir").as_str(), source("shards").as_str()), ("--data-dir", "default"));
        let place = file.display();
        assert_eq!(
            load("[limits]\npatience_ms = 7\n").0.unwrap_err(),
            format!("limits.patience_ms must be at least 100, is 7 (set by {place})")
        );
        let wrong = load("[limits]\npatience_ms = \"long\"\n").0.unwrap_err();
        assert!(wrong.contains("limits.patience_ms") && wrong.contains(&place.to_string()), "{wrong}");
        let wrong = load("[limits]\npatiense_ms = 7\n").0.unwrap_err();
        assert!(wrong.contains("patiense_ms") && wrong.contains(&place.to_string()), "{wrong}");
        let wrong = load("[tls]\ncertificate = \"a.pem\"\n").0.unwrap_err();
        assert_eq!(wrong, format!("tls.certificate and tls.key belong together (set by {place})"));
    }
}
