//! House rules that a compiler does not hold: who may import whom, where RocksDB and clocks are spoken of, how a file
//! begins, how long it may be, and what stands at the top of the repository.
//!
//! A new line in `MAY_IMPORT` is a change of the architecture, not of a test.

#![expect(clippy::unwrap_used, reason = "all of this is test code: what is not as it must be ends the test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Our crates by directory, and which of ours each may import. `benches` and `proptests` are imported by nobody.
const MAY_IMPORT: [(&str, &[&str]); 7] = [
    ("proto", &[]),
    ("proto/client", &["proto"]),
    ("wal", &[]),
    ("engine", &["wal"]),
    ("server", &["client", "engine", "proto", "wal"]),
    ("benches", &["client", "engine", "proto", "server", "wal"]),
    ("proptests", &["client", "engine", "proto", "server", "wal"]),
];
/// Libraries that only one crate may depend on. `benches` may too: it measures the ways that were not taken.
const ONLY_IN: [(&str, &str); 2] = [("rocksdb", "wal"), ("bincode", "engine")];
/// The core and the log know no wire and no runtime, and the core rolls no dice.
const NOT_IN: [(&str, &[&str]); 2] =
    [("engine", &["tokio", "tonic", "prost", "rand"]), ("wal", &["tokio", "tonic", "prost"])];
const TOP_LEVEL: [&str; 11] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "Makefile",
    "README.md",
    "benches",
    "engine",
    "proptests",
    "proto",
    "server",
    "wal",
];
/// What a build and a run leave behind.
const TOP_LEVEL_TOLERATED: [&str; 2] = ["data", "target"];
const LINES_MAX: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Everything that a crate depends on, for whatever purpose and on whatever platform.
fn dependencies(crate_name: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(crate_name).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let mut found = BTreeSet::new();
    collect_dependencies(&manifest, &mut found);
    let platforms = manifest.get("target").and_then(toml::Value::as_table).into_iter().flatten();
    platforms.filter_map(|(_, of_platform)| of_platform.as_table()).for_each(|of| collect_dependencies(of, &mut found));
    found
}

/// By their real names: a renamed dependency says its own in `package`.
fn collect_dependencies(table: &toml::Table, found: &mut BTreeSet<String>) {
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (name, value) in table.get(kind).and_then(toml::Value::as_table).into_iter().flatten() {
            let package = value.get("package").and_then(toml::Value::as_str);
            found.insert(package.unwrap_or(name).to_owned());
        }
    }
}

/// Every Rust file of ours with its text, by its path from the root.
fn sources() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut directories: Vec<PathBuf> = MAY_IMPORT.iter().map(|(name, _)| root().join(name)).collect();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                if entry.file_name().is_some_and(|name| name != "target") {
                    directories.push(entry);
                }
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                let path = entry.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.insert(path, fs::read_to_string(&entry).unwrap());
            }
        }
    }
    assert!(found.len() > 40, "the sources were not found");
    found
}

/// Lines of code, not of comment, that contain one of `words`, as `path:line`.
fn lines_with(path: &str, text: &str, words: &[String]) -> Vec<String> {
    let is_code = |line: &str| !line.trim_start().starts_with("//");
    let lines = (1..).zip(text.lines()).filter(|(_, line)| is_code(line));
    let hits = lines.filter(|(_, line)| words.iter().any(|word| line.contains(word.as_str())));
    hits.map(|(number, line): (u32, _)| format!("{path}:{number}: {}", line.trim())).collect()
}

fn assert_none(broken: &[String], rule: &str) {
    assert!(broken.is_empty(), "{rule}:\n{}", broken.join("\n"));
}

#[test]
fn crates_import_only_whom_they_may() {
    let mut broken = Vec::new();
    for (name, may_import) in MAY_IMPORT {
        for imported in dependencies(name).iter().filter_map(|dependency| dependency.strip_prefix("usher-")) {
            if !may_import.contains(&imported) {
                broken.push(format!("{name} imports {imported}"));
            }
        }
    }
    assert_none(&broken, "the import map forbids it");
}

#[test]
fn every_crate_of_the_workspace_is_in_the_map() {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let members: BTreeSet<&str> =
        manifest["workspace"]["members"].as_array().unwrap().iter().filter_map(toml::Value::as_str).collect();
    assert_eq!(members, MAY_IMPORT.iter().map(|(name, _)| *name).collect());
}

#[test]
fn libraries_stay_where_they_belong() {
    let mut broken = Vec::new();
    for (name, _) in MAY_IMPORT {
        let dependencies = dependencies(name);
        let may = |owner| owner == name || name == "benches";
        let elsewhere = ONLY_IN.iter().filter(|(library, owner)| !may(*owner) && dependencies.contains(*library));
        broken.extend(elsewhere.map(|(library, owner)| format!("{name} depends on {library}, only {owner} may")));
        for (_, libraries) in NOT_IN.iter().filter(|(owner, _)| *owner == name) {
            let forbidden = |dependency: &&String| {
                let of = |library: &&str| **dependency == **library || dependency.starts_with(&format!("{library}-"));
                libraries.iter().any(of)
            };
            broken.extend(dependencies.iter().filter(forbidden).map(|found| format!("{name} depends on {found}")));
        }
    }
    assert_none(&broken, "a library is where it may not be");
}

#[test]
fn only_one_module_speaks_to_rocksdb() {
    // Put together here, so that this file does not contain them.
    let words = ["use rocks", "rocks"].map(|start| format!("{start}db"));
    let words = [format!("{};", words[0]), format!("{}::", words[1])];
    let may = |path: &str| path.starts_with("wal/src/rocks") || path == "benches/src/committers.rs";
    let foreign = sources().into_iter().filter(|(path, _)| !may(path));
    let broken: Vec<String> = foreign.flat_map(|(path, text)| lines_with(&path, &text, &words)).collect();
    assert_none(&broken, "RocksDB is spoken to outside of wal/src/rocks");
}

#[test]
fn the_engine_reads_no_clock() {
    let words = ["SystemTime", "Instant"].map(|clock| format!("{clock}::now"));
    let engine = sources().into_iter().filter(|(path, _)| path.starts_with("engine/src/"));
    let broken: Vec<String> = engine.flat_map(|(path, text)| lines_with(&path, &text, &words)).collect();
    assert_none(&broken, "the clock is passed in");
}

#[test]
fn every_file_says_what_it_owns_and_is_short() {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        if !text.starts_with("//! ") {
            broken.push(format!("{path} does not begin with `//!`"));
        }
        let lines = text.lines().count();
        if lines > LINES_MAX {
            broken.push(format!("{path} has {lines} lines, at most {LINES_MAX} are allowed"));
        }
    }
    assert_none(&broken, "a file is not as it should be");
}

#[test]
fn the_visible_top_level_is_the_owners() {
    let names = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let found: BTreeSet<String> =
        names.filter(|name| !name.starts_with('.') && !TOP_LEVEL_TOLERATED.contains(&name.as_str())).collect();
    assert_eq!(found, TOP_LEVEL.iter().map(|name| (*name).to_owned()).collect());
}
