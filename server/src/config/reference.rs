//! The reference of all settings: a configuration file in which each has its default, and what there is to say of it.

use std::fmt::Write as _;

use serde_json::Value;

use super::settings::{Setting, settings};

/// Columns of a comment.
const WIDTH: usize = 100;

const HEAD: &str = "\
Every setting of `usher serve`, with its default. What has none stands behind a comment sign, with an example. \
Values come from the flag, or else from the environment variable, or else from the file that --config names (this \
is one), or else they are the default. A changed value holds after a restart, unless it says otherwise.";

/// The reference. It is a valid configuration file, and remains one with the comment signs before examples taken away.
#[must_use]
pub fn reference() -> String {
    let mut text = String::new();
    comment(&mut text, "", HEAD);
    let settings = settings();
    let mut table = "";
    for setting in &settings {
        let (own_table, name) = setting.name.rsplit_once('.').unwrap_or(("", &setting.name));
        if own_table != table {
            table = own_table;
            // One of which nothing is set by default is not there.
            let of_table =
                settings.iter().filter(|other| other.name.rsplit_once('.').is_some_and(|(own, _)| own == table));
            let is_absent = table.contains('.') && of_table.clone().all(|setting| setting.default.is_null());
            let _ = write!(text, "\n{}[{table}]\n", if is_absent { "#" } else { "" });
        } else {
            text.push('\n');
        }
        describe(&mut text, setting);
        let _ = match (&setting.default, &setting.example) {
            (Value::Null, example) => writeln!(text, "#{name} = {}", toml(example.as_ref().unwrap_or(&Value::Null))),
            (Value::Array(default), Some(example)) if default.is_empty() => {
                writeln!(text, "# For example {}\n{name} = []", toml(example))
            }
            (default, _) => writeln!(text, "{name} = {}", toml(default)),
        };
    }
    text
}

fn describe(text: &mut String, setting: &Setting) {
    comment(text, "", &setting.what);
    for (word, what) in &setting.words {
        comment(text, "  ", &format!("{word}: {what}"));
    }
    let range = setting.range.as_ref().map(|range| range.to_string());
    let reload = setting.reload.as_ref().map(|when| format!("reloaded {when}"));
    let facts = [range, Some(setting.variable()), setting.flag(), reload];
    comment(text, "", &facts.into_iter().flatten().collect::<Vec<_>>().join("; "));
}

/// A comment of lines that are not too long, the second and later ones indented.
fn comment(text: &mut String, indent: &str, said: &str) {
    let mut line = format!("#{indent}");
    for word in said.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = format!("#{indent}{indent}");
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(text, "{line}");
}

/// A value as TOML, whose strings, numbers and lists are JSON's.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(values) => format!("[{}]", values.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{name} = {}", toml(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ConfigFlags, settings::json};

    fn loaded(text: &str) -> Config {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("usher.toml");
        std::fs::write(&file, text).unwrap();
        Config::load(&ConfigFlags { config: Some(file), ..ConfigFlags::default() })
            .unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    #[test]
    fn it_is_a_file_of_all_defaults() {
        assert_eq!(json(&loaded(&reference())), json(&Config::default()));
    }

    /// Whatever has no default is there, too, with an example that may stand there.
    #[test]
    fn it_has_every_setting_and_its_examples_are_good() {
        let is_setting = |line: &&str| line.starts_with('#') && !line.starts_with("# ") && !line.starts_with("##");
        let text = reference();
        let uncommented: Vec<String> = text
            .lines()
            .map(|line| if is_setting(&line) { line[1..].trim_start().to_owned() } else { line.to_owned() })
            .collect();
        let values = json(&loaded(&uncommented.join("\n")));
        for setting in settings() {
            assert!(!setting.value_in(&values).is_null(), "{} is not in it", setting.name);
        }
        // Examples of lists stand in comments.
        for setting in settings().iter().filter(|setting| setting.default.is_array() && setting.example.is_some()) {
            let example = setting.example.clone().unwrap();
            let name = setting.name.split('.').next_back().unwrap();
            let with = uncommented.iter().map(|line| {
                if line.starts_with(&format!("{name} = ")) {
                    format!("{name} = {}", toml(&example))
                } else {
                    line.clone()
                }
            });
            let values = json(&loaded(&with.collect::<Vec<_>>().join("\n")));
            assert_eq!(setting.value_in(&values), &example, "{}", setting.name);
        }
    }

    #[test]
    fn a_setting_is_described_with_all_there_is() {
        let text = reference();
        for part in [
            "# 1 to 1048576; USHER_INBOX_COMMANDS_MAX; --inbox-commands-max\ninbox_commands_max = 65536\n",
            "USHER_LOG_LEVEL; --log-level; reloaded on SIGHUP\nlog_level = \"info\"\n",
            "#certificate = \"server.pem\"\n",
            "#[access.tokens]\n",
            "#   fsync: An fsync: what was answered survives a power cut",
        ] {
            assert!(text.contains(part), "no {part:?} in:\n{text}");
        }
    }
}
