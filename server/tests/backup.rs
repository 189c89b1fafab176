//! `usher backup` and `usher restore` as an operator uses them: beside a server that sells, after its end, on what is
//! damaged, and with the process killed in the middle.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

#[path = "backup/damage.rs"]
mod damage;
#[path = "backup/one_show.rs"]
mod one_show;
#[path = "backup/restore.rs"]
mod restore;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, SystemTime},
};

use common::{
    process::{Process, program, run},
    sale::Sale,
};
use serde_json::Value;
use usher_engine::{
    inventory::diff::{self, HoldChange},
    shard::rebuild,
};
use usher_wal::{
    ReadOnlyStore, ShardId,
    backup::{self, SoundPart, Target},
};

const SHARDS: u32 = 2;

/// A directory for a data directory, its backups, and whatever is restored.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `usher` with these words, run here: paths are relative to the place.
    fn usher(&self, words: &str) -> Command {
        let mut command = program(env!("CARGO_BIN_EXE_usher"));
        command.args(words.split(' ')).current_dir(self.0.path());
        command
    }

    /// The same, run to its end, which must be with this code; its standard output and error.
    #[track_caller]
    fn says(&self, words: &str, code: i32) -> (String, String) {
        let (ended, out, err) = run(self.usher(words));
        assert_eq!(ended, Some(code), "usher {words}\n{out}{err}");
        (out, err)
    }

    #[track_caller]
    fn json(&self, words: &str) -> Value {
        let (out, _) = self.says(&format!("{words} --json"), 0);
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }

    #[track_caller]
    fn lines(&self, words: &str, code: i32) -> Vec<Value> {
        let (out, _) = self.says(&format!("{words} --json"), code);
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[track_caller]
    fn back_up(&self) -> Value {
        self.json("backup create")
    }

    fn serve(&self) -> (Process, std::net::SocketAddr) {
        Process::serve(&self.path("data"), SHARDS)
    }

    /// Sells so many places to the end of the server, which is in order; the lines with which its shards ended.
    async fn sell(&self, count: u32) -> Vec<Value> {
        let (mut server, address) = self.serve();
        let sale = Sale::start(address).await;
        sale.wait_for(count).await;
        sale.end().await;
        server.terminate();
        assert_eq!(server.wait().code(), Some(0), "{}", server.text());
        server.lines_of("stopped")
    }

    /// Every file below with its length and when it was written last.
    fn files(&self, name: &str) -> BTreeMap<PathBuf, (u64, SystemTime)> {
        fn below(dir: &Path, found: &mut BTreeMap<PathBuf, (u64, SystemTime)>) {
            for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
                let metadata = fs::metadata(&path).unwrap();
                if metadata.is_dir() {
                    below(&path, found);
                } else {
                    found.insert(path, (metadata.len(), metadata.modified().unwrap()));
                }
            }
        }
        let mut found = BTreeMap::new();
        below(&self.path(name), &mut found);
        found
    }

    /// By shard: the state hash and the last LSN, as `usher log verify` finds them.
    #[track_caller]
    fn verified(&self, name: &str) -> Vec<(String, u64)> {
        let verdicts = self.lines(&format!("log verify --data-dir {name}"), 0);
        verdicts.iter().map(|own| (text(&own["state_hash"]), own["last_lsn"].as_u64().unwrap())).collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn take_snapshots(place: &Place, address: std::net::SocketAddr) {
    place.says(&format!("snapshot --server http://{address}"), 0);
}

/// Row 21: a backup of a server under load leads to the state that the server had at its LSN, whichever way it is asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_online_backup_is_the_state_that_the_server_had() {
    let place = Place::new();
    let (mut server, address) = place.serve();
    let sale = Sale::start(address).await;
    let mut ids = Vec::new();
    for round in 1..=4 {
        sale.wait_for(round * 200).await;
        let sold = sale.sold();
        let made = place.back_up();
        assert_eq!(made["incremental"], round > 1, "{made}");
        let verdicts = place.lines("backup verify", 0);
        assert!(verdicts.iter().all(|own| own["sound"] == true), "{verdicts:?}");
        let compared: u64 = verdicts.iter().filter_map(|own| own["snapshots_compared"].as_u64()).sum();
        // Between the rounds the log is trimmed, and there are snapshots to compare with.
        assert!(round < 3 || compared > 0, "{verdicts:?}");
        let diff = place.json("restore --from backups --dry-run --data-dir data");
        let lost = diff["shards"].as_array().unwrap().iter().flat_map(|shard| shard["shows"].as_array().unwrap());
        let lost: Vec<&Value> = lost.flat_map(|show| show["holds"].as_array().unwrap()).collect();
        assert!(lost.iter().all(|hold| hold["change"] != "sale_back"), "{diff}");
        ids.push((text(&made["id"]), sold, made, verdicts));
        take_snapshots(&place, address);
    }
    let sold = sale.end().await;
    server.terminate();
    assert!(server.wait().success());
    place.back_up();
    let stopped = server.lines_of("stopped");
    for (number, (id, sold_before, made, verdicts)) in ids.iter().enumerate() {
        let into = format!("restored-{number}");
        place.says(&format!("restore --from backups --backup {id} --into {into}"), 0);
        let found = place.verified(&into);
        for ((shard, (hash, lsn)), verdict) in made["shards"].as_array().unwrap().iter().zip(found).zip(verdicts) {
            assert_eq!((lsn, &Value::from(hash)), (shard["to_lsn"].as_u64().unwrap(), &verdict["state_hash"]));
        }
        assert!(confirmed(&place, &into) >= *sold_before, "{sold_before} were answered before {id} was begun");
    }
    // The last one is what the server ended with, by its own words.
    place.says("restore --from backups --into last", 0);
    for (own, (hash, lsn)) in by_shard(stopped).iter().zip(place.verified("last")) {
        assert_eq!((&own["state_hash"], &own["lsn"]), (&hash.into(), &lsn.into()));
    }
    let (mut server, address) = Process::serve(&place.path("last"), SHARDS);
    let found = place.json(&format!("show get gala --server http://{address}"));
    assert!(found.to_string().contains("gala") && sold > 0);
    server.kill();
}

fn by_shard(mut lines: Vec<Value>) -> Vec<Value> {
    lines.sort_by_key(|line| line["shard"].as_u64());
    lines
}

/// Sales in a directory, by its snapshots and its log.
fn confirmed(place: &Place, name: &str) -> u32 {
    let source = SoundPart(ReadOnlyStore::open(&place.path(name)).unwrap());
    let sales = (0..SHARDS).map(ShardId).map(|shard| {
        let end = backup::find(&source, shard, Target::Newest).unwrap();
        assert_eq!(end.damage, None);
        let state = rebuild(&source, shard, end.lsn).unwrap();
        let shows = state.shows().filter_map(|(_, show)| diff::of_show(None, Some(show)));
        shows.flat_map(|show| show.holds).filter(|hold| hold.change == HoldChange::SaleLost).count()
    });
    u32::try_from(sales.sum::<usize>()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_goes_on_over_a_trim_and_every_lsn_can_be_restored() {
    let place = Place::new();
    let (mut server, address) = place.serve();
    let sale = Sale::start(address).await;
    for round in 1..=3 {
        sale.wait_for(round * 100).await;
        take_snapshots(&place, address);
        place.back_up();
    }
    sale.end().await;
    let listed = place.lines("backup list", 0);
    let shard = |backup: &Value| backup["shards"][0].clone();
    let range =
        |backup: &Value| (shard(backup)["from_lsn"].as_u64().unwrap(), shard(backup)["to_lsn"].as_u64().unwrap());
    assert!(listed[1..].iter().all(|backup| shard(backup)["kind"] == "incremental"), "{listed:?}");
    for pair in listed.windows(2) {
        assert!(range(&pair[1]).0 <= range(&pair[0]).1, "nothing lies between two backups: {listed:?}");
    }
    // The last begins behind the beginning: the log was trimmed.
    let (from, to) = range(&listed[2]);
    assert!(from > 1, "{listed:?}");
    for lsn in [from, from + 1, (from + to) / 2, to] {
        let wanted = format!("restore --from backups --to-lsn 0:{lsn} --into at-{lsn}");
        place.says(&wanted, 0);
        assert_eq!(place.verified(&format!("at-{lsn}"))[0].1, lsn);
    }
    let (_, err) = place.says(&format!("restore --from backups --to-lsn 0:{} --dry-run", from - 1), 1);
    assert!(err.contains(&format!("shard 0 can be restored from LSN {from} on, not to LSN {}", from - 1)), "{err}");
    let (_, err) = place.says(&format!("restore --from backups --to-lsn 0:{} --dry-run", to + 1), 1);
    assert!(err.contains(&format!("shard 0 can be restored up to LSN {to}, not to LSN {}", to + 1)), "{err}");
    // Trimmed past the end of the last one: the next is whole, and says why.
    take_snapshots(&place, address);
    take_snapshots(&place, address);
    let made = place.back_up();
    assert!(made["shards"].as_array().unwrap().iter().all(|own| own["kind"] != "first"), "{made}");
    server.kill();

    let before = place.files("backups");
    let planned = place.json("backup prune --keep 2 --dry-run");
    assert_eq!((planned["removed"].as_array().unwrap().len(), place.files("backups") == before), (2, true));
    let (_, err) = place.says("backup prune --keep 2", 2);
    assert!(err.contains("say --yes"), "{err}");
    place.says("backup prune --keep 2 --yes", 0);
    assert_eq!(place.lines("backup list", 0).len(), 2);
    assert!(place.files("backups").len() < before.len());
    assert!(place.lines("backup verify --all", 0).iter().all(|own| own["sound"] == true));
    place.says("backup prune --keep 9 --older-than 0s --yes", 0);
    assert_eq!(place.lines("backup list", 0).len(), 2, "so many stay, however old they are");
    place.says("backup prune --older-than 30d --yes", 0);
    assert_eq!(place.lines("backup list", 0).len(), 2, "nothing is as old");
    place.says("backup prune --older-than 0s --yes", 0);
    assert_eq!(place.lines("backup list", 0).len(), 1);
    assert!(place.lines("backup verify", 0).iter().all(|own| own["sound"] == true));
}

/// The doctor says when the last backup was, and what is not in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_knows_the_last_backup() {
    let place = Place::new();
    place.sell(40).await;
    let backup = |words: &str| {
        let found = place.json(&format!("doctor --data-dir data{words}"));
        found["findings"].as_array().unwrap().iter().find(|own| own["check"] == "backup").cloned()
    };
    assert_eq!(backup(""), None);
    assert_eq!(backup(" --backups backups").unwrap()["level"], "warning", "there is none");
    place.back_up();
    let found = backup(" --backups backups").unwrap();
    assert_eq!((&found["level"], &found["values"]["frames_behind"]), (&"ok".into(), &0.into()), "{found}");
}
