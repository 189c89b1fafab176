//! The files of `server/deploy` say nothing that the program does not know: flags, variables, ports and files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use std::{collections::BTreeMap, fs, path::Path};

use common::process::{program, run};
use usher_server::config::settings::{Setting, settings};

const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy");
/// Of the command line, or of other programs.
const OTHER_VARIABLES: [&str; 4] = ["USHER_CONFIG", "USHER_SERVER", "USHER_SERVER_CA", "MIMALLOC_ALLOW_THP"];

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(DEPLOY).join(name)).unwrap()
}

/// Each word that looks like one of our variables, also those in comments.
fn variables(text: &str) -> Vec<String> {
    let words = text.split(|symbol: char| !symbol.is_ascii_alphanumeric() && symbol != '_');
    words.filter(|word| word.starts_with("USHER_") || word.starts_with("MIMALLOC_")).map(str::to_owned).collect()
}

/// Arguments that the program must take. Help is printed after them, so that nothing is done.
#[track_caller]
fn parses(arguments: &str) {
    let mut command = program(env!("CARGO_BIN_EXE_usher"));
    command.args(arguments.split_whitespace()).arg("--help");
    let (code, _, said) = run(command);
    assert_eq!(code, Some(0), "usher {arguments}: {said}");
}

#[test]
fn every_variable_is_one() {
    let known: Vec<String> = settings().iter().map(Setting::variable).collect();
    for name in ["usher.service", "Dockerfile", "compose.yml"] {
        let found = variables(&file(name));
        assert!(!found.is_empty());
        for variable in found {
            let is_known = known.contains(&variable) || OTHER_VARIABLES.contains(&variable.as_str());
            assert!(is_known, "{name}: there is no {variable}");
        }
    }
}

#[test]
fn commands_are_the_program_s() {
    let unit = file("usher.service");
    let run_by_unit = unit.lines().filter_map(|line| line.strip_prefix("Exec")?.split_once("=/usr/local/bin/usher "));
    let run_by_unit: Vec<&str> = run_by_unit.map(|(_, arguments)| arguments).collect();
    assert_eq!(run_by_unit, ["config check", "serve"]);
    run_by_unit.into_iter().for_each(parses);
    let image = file("Dockerfile");
    let check = image.lines().find(|line| line.starts_with("HEALTHCHECK")).unwrap();
    let check: Vec<String> = serde_json::from_str(check.split_once("CMD ").unwrap().1).unwrap();
    assert_eq!(check[..2], ["/usr/local/bin/usher", "health"]);
    parses(&check[1..].join(" "));
    assert!(
        image.contains("\nENTRYPOINT [\"/usr/local/bin/usher\"]\nCMD [\"serve\"]\n")
            && image.contains("\nUSER nonroot\n")
    );
}

/// What the containers are given is enough for a server to start, but for the places of its files.
#[test]
fn the_composed_settings_are_good_and_the_ports_fit() {
    let compose = file("compose.yml");
    let given = compose.lines().filter_map(|line| line.trim().split_once(": "));
    let given: BTreeMap<&str, &str> = given.filter(|(name, _)| name.starts_with("USHER_")).collect();
    assert_eq!(given.len(), 3, "{given:?}");
    let mut command = program(env!("CARGO_BIN_EXE_usher"));
    command.args(["config", "check"]).envs(given.iter().map(|(name, value)| (*name, value.trim_matches('"'))));
    let (code, out, said) = run(command);
    assert_eq!(code, Some(0), "{out}{said}");
    let port = |name: &str| given[name].rsplit_once(':').unwrap().1.to_owned();
    let (listen, metrics) = (port("USHER_LISTEN"), port("USHER_METRICS_LISTEN"));
    assert!(file("Dockerfile").contains(&format!("\nEXPOSE {listen} {metrics}\n")));
    assert!(compose.contains(&format!("- 127.0.0.1:{listen}:{listen}\n")));
    let scraped = file("../observe/prometheus.yml");
    assert!(scraped.contains(&format!("127.0.0.1:{metrics}")), "Prometheus asks elsewhere");
}

#[test]
fn what_is_mounted_is_there() {
    let compose = file("compose.yml");
    let mounted = compose.lines().filter_map(|line| line.trim().strip_prefix("- ../")?.split_once(':'));
    let mounted: Vec<&str> = mounted.map(|(path, _)| path).collect();
    assert_eq!(mounted.len(), 4);
    for path in mounted {
        assert!(Path::new(DEPLOY).join("..").join(path).exists(), "{path}");
    }
    // Only loopback is reached from outside.
    let published =
        compose.lines().map(str::trim).filter(|line| line.starts_with("- ") && line.ends_with(char::is_numeric));
    assert!(published.clone().count() == 2 && published.clone().all(|line| line.starts_with("- 127.0.0.1:")));
}
