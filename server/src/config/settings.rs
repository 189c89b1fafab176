//! What can be set, as data: made of the types and their comments, so that nothing has to be kept beside them.

use anyhow::ensure;
use clap::{Args as _, FromArgMatches as _};
use schemars::generate::SchemaSettings;
use serde::Serialize as _;
use serde_json::{Map, Value};

use super::{Config, ConfigFlags};

/// A setting.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Its name, behind that of its table and a dot if it is in one.
    pub name: String,
    /// What it is, with its unit.
    pub what: String,
    /// Which values it takes, where not every one of its type.
    pub range: Option<Range>,
    /// What one of several words means, or a field of each entry of a list.
    pub words: Vec<(String, String)>,
    /// Its default; null where it is not set then.
    pub default: Value,
    /// What may stand there, where the default does not show it.
    pub example: Option<Value>,
    /// When a changed value holds; after a restart, if absent.
    pub reload: Option<String>,
}

/// The least and the most.
#[derive(Clone, Debug)]
pub struct Range {
    least: Value,
    most: Option<Value>,
}

impl Setting {
    /// Its name in the environment.
    #[must_use]
    pub fn variable(&self) -> String {
        variable(&self.name)
    }

    /// Its value in settings that are given as JSON; null where it is not set.
    #[must_use]
    pub fn value_in<'a>(&self, settings: &'a Value) -> &'a Value {
        self.name.split('.').fold(settings, |found, name| &found[name])
    }

    /// The flag that sets it, if there is one. Each is tried out: a list could be wrong.
    #[must_use]
    pub fn flag(&self) -> Option<String> {
        let command = ConfigFlags::augment_args(clap::Command::new("usher"));
        let sets_this = |flag: &str, value: Option<&str>| {
            let words = ["usher", flag].into_iter().chain(value);
            let matches = command.clone().try_get_matches_from(words).ok()?;
            let set = serde_json::to_value(ConfigFlags::from_arg_matches(&matches).ok()?).ok()?;
            (!self.value_in(&set).is_null()).then(|| flag.to_owned())
        };
        command.get_arguments().find_map(|argument| {
            let flag = format!("--{}", argument.get_long()?);
            if !argument.get_action().takes_values() {
                return sets_this(&flag, None);
            }
            let words: Vec<String> =
                argument.get_possible_values().iter().map(|word| word.get_name().to_owned()).collect();
            let mut values = words.iter().map(String::as_str).chain(["1", "127.0.0.1:1"]);
            values.find_map(|value| sets_this(&flag, Some(value)))
        })
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.most {
            Some(most) => write!(f, "{} to {most}", self.least),
            None => write!(f, "at least {}", self.least),
        }
    }
}

impl Range {
    fn of(schema: &Map<String, Value>) -> Option<Self> {
        let range = Self { least: schema.get("minimum")?.clone(), most: schema.get("maximum").cloned() };
        // Of any unsigned integer.
        let says_nothing = range.most.is_none() && range.least.as_u64() == Some(0);
        (!says_nothing).then_some(range)
    }

    fn contains(&self, value: &Value) -> bool {
        let Some(value) = value.as_f64() else { return true };
        let bound = |bound: &Value| bound.as_f64();
        bound(&self.least).is_none_or(|least| value >= least)
            && self.most.as_ref().and_then(bound).is_none_or(|most| value <= most)
    }
}

/// As a setting is named in the environment.
pub(super) fn variable(name: &str) -> String {
    format!("USHER_{}", name.to_uppercase().replace('.', "__"))
}

/// All of them, in the order in which they are declared, those in tables last.
#[must_use]
pub fn settings() -> Vec<Setting> {
    let generator = SchemaSettings::default().with(|settings| settings.inline_subschemas = true).into_generator();
    let schema = generator.into_root_schema_for::<Config>();
    let mut settings = Vec::new();
    let default = json(&Config::default());
    if let Some(schema) = schema.as_object() {
        collect("", schema, &default, None, &mut settings);
    }
    let declared = serde_json::to_string(&Config::default()).unwrap_or_default();
    let position = |name: &str| {
        let find = |from: usize, word: &str| Some(from + declared.get(from..)?.find(&format!("\"{word}\":"))?);
        name.split('.').try_fold(0, find).unwrap_or(usize::MAX)
    };
    settings.sort_by_cached_key(|setting| (setting.name.contains('.'), position(&setting.name)));
    settings
}

/// Settings as JSON.
pub(crate) fn json(config: &Config) -> Value {
    config.serialize(serde_json::value::Serializer).unwrap_or_default()
}

fn collect(
    table: &str,
    schema: &Map<String, Value>,
    defaults: &Value,
    reload: Option<&str>,
    settings: &mut Vec<Setting>,
) {
    for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let Some(schema) = schema.as_object() else { continue };
        let reload = schema.get("x-reload").and_then(Value::as_str).or(reload);
        let path = if table.is_empty() { name.clone() } else { format!("{table}.{name}") };
        if schema.contains_key("properties") {
            collect(&path, schema, &defaults[name], reload, settings);
            continue;
        }
        settings.push(Setting {
            name: path,
            what: what(schema),
            range: Range::of(schema),
            words: words(schema),
            default: defaults[name].clone(),
            example: schema.get("examples").map(|examples| examples[0].clone()),
            reload: reload.map(str::to_owned),
        });
    }
}

fn what(schema: &Map<String, Value>) -> String {
    schema.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ")
}

/// The words of a choice, or the fields of the entries of a list.
fn words(schema: &Map<String, Value>) -> Vec<(String, String)> {
    let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let choices = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    let choices =
        choices.map(object).filter_map(|choice| Some((choice.get("const")?.as_str()?.to_owned(), what(&choice))));
    let fields = schema.get("items").map(|items| object(&items["properties"])).unwrap_or_default();
    choices.chain(fields.iter().map(|(name, field)| (name.clone(), what(&object(field))))).collect()
}

/// Whether every number is within its range.
///
/// # Errors
/// The first that is not.
pub(super) fn check_ranges(config: &Config) -> anyhow::Result<()> {
    let values = json(config);
    for setting in settings() {
        let value = setting.value_in(&values);
        if let Some(range) = &setting.range {
            ensure!(range.contains(value), "{} must be {range}, is {value}", setting.name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_but_the_file_s_is_of_a_setting_and_every_setting_says_what_it_is() {
        let settings = settings();
        let mut of_settings: Vec<String> = settings.iter().filter_map(Setting::flag).collect();
        of_settings.sort_unstable();
        let command = ConfigFlags::augment_args(clap::Command::new("usher"));
        let flags = command.get_arguments().filter_map(|flag| Some(format!("--{}", flag.get_long()?)));
        let mut flags: Vec<String> = flags.filter(|flag| flag != "--config").collect();
        flags.sort_unstable();
        assert_eq!(of_settings, flags);
        for setting in &settings {
            let (name, what) = (setting.name.as_str(), setting.what.to_lowercase());
            assert!(what.ends_with('.'), "{name} is not described: {what:?}");
            for (unit, word) in [("_ms", "millisecond"), ("_bytes", "bytes")] {
                let has_unit = name.ends_with(unit) || name.contains(&format!("{unit}_"));
                assert!(!has_unit || what.contains(word), "{name} does not say its unit: {what}");
            }
            let is_secret = ["secret", "password"].iter().any(|word| name.contains(word));
            assert!(!is_secret, "{name}: what is set is printed and logged, a secret belongs in a file that is named");
        }
        assert_eq!(settings[0].name, "listen");
        assert_eq!(
            (settings[0].variable().as_str(), settings[0].flag().as_deref()),
            ("USHER_LISTEN", Some("--listen"))
        );
    }

    #[test]
    fn ranges_are_held() {
        let mut config = Config::default();
        check_ranges(&config).unwrap();
        config.limits.patience_ms = 99;
        assert_eq!(check_ranges(&config).unwrap_err().to_string(), "limits.patience_ms must be at least 100, is 99");
        config.limits.patience_ms = 100;
        config.batch_commands_max = 1_048_577;
        assert_eq!(
            check_ranges(&config).unwrap_err().to_string(),
            "batch_commands_max must be 1 to 1048576, is 1048577"
        );
    }
}
