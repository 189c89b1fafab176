//! What the doctor looks for: one small function each, in the order of the report.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use rustix::fs::StatVfsMountFlags;
use serde_json::{Value, json};
use usher_engine::{codec::PAYLOAD_VERSION, time::Timestamp};
use usher_wal::{DIRECTORY_FORMAT, Durability, FRAME_VERSION};

use super::{Examined, Finding, Level, Shard};
use crate::cli::{backup::bytes, print::counted};

/// Every check; each says what it found, or nothing where it does not apply.
pub(super) const ALL: [fn(&Examined) -> Vec<Finding>; 12] = [
    versions,
    server,
    durability,
    size,
    log,
    super::snapshots::check,
    lag,
    super::backup::check,
    clock,
    disk,
    permissions,
    open_files,
];

/// RocksDB's own log may grow to so much before it is cut: less is not enough to go on.
const FREE_BYTES_MIN: u64 = 256 << 20;
const FREE_BYTES_LOW: u64 = 2 << 30;
/// The watermark is written every 50 ms: so many frames behind, its disk is slow.
const LAG_FRAMES_HIGH: u64 = 10_000;
/// The server's tables take 256, each connection one.
const OPEN_FILES_LOW: u64 = 1_024;
/// Two machines' clocks differ by so much, and nobody minds.
const CLOCK_AHEAD_MS_MAX: u64 = 2_000;

pub(super) fn found(check: &'static str, text: String, values: Value) -> Finding {
    Finding { check, level: Level::Ok, text, advice: None, values }
}

impl Finding {
    pub(super) fn but(self, level: Level, advice: impl Into<String>) -> Self {
        Self { level, advice: Some(advice.into()), ..self }
    }
}

/// The shards of a log that can be opened.
pub(super) fn shards(examined: &Examined) -> &[Shard] {
    examined.shards.as_deref().unwrap_or_default()
}

fn versions(_: &Examined) -> Vec<Finding> {
    let program = env!("CARGO_PKG_VERSION");
    let text = format!(
        "usher {program}: directory format {DIRECTORY_FORMAT}, frames {FRAME_VERSION}, events {PAYLOAD_VERSION}"
    );
    let values = json!({
        "program": program, "directory": DIRECTORY_FORMAT, "frames": FRAME_VERSION, "events": PAYLOAD_VERSION,
    });
    vec![found("versions", text, values)]
}

fn server(examined: &Examined) -> Vec<Finding> {
    let (text, values) = match &examined.writer {
        Ok(None) => ("no server has it open".to_owned(), json!({ "open": false, "process_id": null })),
        Ok(Some(writer)) => {
            let who = writer
                .process_id
                .map_or_else(|| "a process that is not seen from here".to_owned(), |id| format!("process {id}"));
            (format!("open by {who}"), json!({ "open": true, "process_id": writer.process_id }))
        }
        Err(error) => {
            let finding = found("server", error.to_string(), Value::Null);
            return vec![finding.but(Level::Warning, "look as the user that the server runs as")];
        }
    };
    vec![found("server", text, values)]
}

fn durability(examined: &Examined) -> Vec<Finding> {
    let Some(durability) = examined.durability else { return Vec::new() };
    let values = json!({ "durability": durability.to_string() });
    vec![match durability {
        Durability::Fsync => found("durability", "fsync: what was answered survives a power cut".to_owned(), values),
        Durability::Os => found("durability", "os: what was answered survives no power cut".to_owned(), values)
            .but(Level::Warning, "serve with --durability fsync, unless a lost sale costs nothing"),
    }]
}

fn size(examined: &Examined) -> Vec<Finding> {
    let sizes = match &examined.sizes {
        Ok(sizes) => sizes,
        Err(error) => {
            let finding = found("size", format!("{}: {error}", examined.dir.display()), Value::Null);
            return vec![finding.but(Level::Problem, "name the data directory with --data-dir")];
        }
    };
    let total: u64 = sizes.values().sum();
    let parts: Vec<String> = sizes.iter().map(|(name, size)| format!("{name} {}", bytes(*size))).collect();
    let text = format!("{} ({})", bytes(total), parts.join(", "));
    vec![found("size", text, json!({ "bytes": total, "entries": sizes }))]
}

fn log(examined: &Examined) -> Vec<Finding> {
    let shards = match &examined.shards {
        // Said already.
        Err(_) if examined.sizes.is_err() => return Vec::new(),
        Ok(shards) => shards,
        Err(error) => {
            let advice = "restore the directory from a backup, unless the line above says otherwise";
            return vec![found("log", error.to_string(), Value::Null).but(Level::Problem, advice)];
        }
    };
    let describe = |shard: &Shard| {
        let Shard { epoch, acknowledged, first, last, frames, bytes: size, last_clock_ms, .. } = *shard;
        let age_ms = (frames > 0).then(|| examined.now_ms.saturating_sub(last_clock_ms));
        let age = age_ms.map_or_else(String::new, |age| format!(", the last {} ago", seconds(age)));
        let range = if frames == 0 { "empty".to_owned() } else { format!("LSN {first} to {last}") };
        let text = format!(
            "shard {}: {range}, epoch {epoch}, {}, {}{age}",
            shard.shard,
            counted(frames, "frame"),
            bytes(size)
        );
        let values = json!({
            "shard": shard.shard.0, "first_lsn": first, "last_lsn": last, "acknowledged_lsn": acknowledged,
            "epoch": epoch, "frames": frames, "bytes": size, "last_age_ms": age_ms,
        });
        match &shard.damage {
            None => found("log", text, values),
            Some(damage) => found("log", damage.to_string(), values)
                .but(Level::Problem, format!("restore shard {}; `usher log verify` checks the others", shard.shard)),
        }
    };
    shards.iter().map(describe).collect()
}

pub(super) fn seconds(ms: u64) -> String {
    indicatif::HumanDuration(std::time::Duration::from_millis(ms)).to_string()
}

fn lag(examined: &Examined) -> Vec<Finding> {
    let lag = |shard: &Shard| shard.last.saturating_sub(shard.acknowledged);
    // The end of a damaged log is not known.
    let sound = shards(examined).iter().filter(|shard| shard.damage.is_none());
    let Some(worst) = sound.max_by_key(|shard| lag(shard)) else { return Vec::new() };
    let frames = lag(worst);
    let values = json!({ "shard": worst.shard.0, "frames": frames });
    let text = match frames {
        0 => "the acknowledged watermark is at the end of every sound shard".to_owned(),
        _ => {
            let frames = counted(frames, "frame");
            format!("the acknowledged watermark is {frames} behind the end of shard {}", worst.shard)
        }
    };
    let finding = found("watermark", text, values);
    let is_high = frames > LAG_FRAMES_HIGH;
    let advice = "the disk is slow, or the server died under load: a start catches up";
    vec![if is_high { finding.but(Level::Warning, advice) } else { finding }]
}

fn clock(examined: &Examined) -> Vec<Finding> {
    let now = Timestamp(examined.now_ms);
    let latest = shards(examined).iter().map(|shard| shard.last_clock_ms).max().unwrap_or(0);
    let ahead_ms = latest.saturating_sub(examined.now_ms);
    let values = json!({ "now_ms": examined.now_ms, "latest_frame_ms": latest });
    if ahead_ms <= CLOCK_AHEAD_MS_MAX {
        return vec![found("clock", format!("{now}, behind no frame"), values)];
    }
    let text = format!("{now}, but the latest frame is of {}, {} ahead", Timestamp(latest), seconds(ahead_ms));
    let advice = "set the clock right (NTP); a shard's time stands still until the clock has passed its last frame";
    vec![found("clock", text, values).but(Level::Problem, advice)]
}

fn disk(examined: &Examined) -> Vec<Finding> {
    // Where it cannot be asked, the directory cannot be read, which is said already.
    let Ok(disk) = rustix::fs::statvfs(&examined.dir) else { return Vec::new() };
    let (free, total) = (disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize);
    let finding =
        found("disk", format!("{} free of {}", bytes(free), bytes(total)), json!({ "free": free, "total": total }));
    if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return vec![
            finding.but(Level::Problem, "it is mounted read-only: look for its errors in dmesg, then remount it"),
        ];
    }
    vec![match free {
        ..FREE_BYTES_MIN => finding.but(Level::Problem, "make room now: without room no command is taken"),
        FREE_BYTES_MIN..FREE_BYTES_LOW => {
            finding.but(Level::Warning, "make room, or move the directory to a larger disk")
        }
        _ => finding,
    }]
}

/// Whatever is in the directory is shielded by the directory's own mode.
fn permissions(examined: &Examined) -> Vec<Finding> {
    let mode_of = |path: &Path| Some(fs::metadata(path).ok()?.permissions().mode() & 0o777);
    let Some(mode) = mode_of(&examined.dir) else { return Vec::new() };
    let dir = examined.dir.display();
    let finding =
        found("permissions", format!("the directory has mode {mode:04o}"), json!({ "mode": format!("{mode:04o}") }));
    if mode & 0o077 != 0 {
        return vec![finding.but(Level::Warning, format!("others may look into it: chmod 700 {dir}"))];
    }
    let files = ["format", "lock", "acknowledged"];
    let open = files.iter().filter(|file| mode_of(&examined.dir.join(file)).is_some_and(|mode| mode & 0o077 != 0));
    let open: Vec<&str> = open.copied().collect();
    if open.is_empty() {
        return vec![finding];
    }
    let text = format!("the directory has mode {mode:04o}, but files in it are open to others: {}", open.join(", "));
    vec![
        found("permissions", text, json!({ "mode": format!("{mode:04o}"), "open": open }))
            .but(Level::Warning, format!("chmod 600 {dir}/{{{}}}", open.join(","))),
    ]
}

/// The limit of the server where one runs and can be asked, otherwise what a server started from here would have.
fn open_files(examined: &Examined) -> Vec<Finding> {
    let process = examined.writer.as_ref().ok().copied().flatten().and_then(|writer| writer.process_id);
    let of_server = process.and_then(|id| limit_of(&fs::read_to_string(format!("/proc/{id}/limits")).ok()?));
    let own = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let limit = of_server.or(own);
    let whose = if of_server.is_some() { "the server" } else { "a server started from here" };
    let said = limit.map_or_else(|| "any number of".to_owned(), |limit| limit.to_string());
    let finding = found("open files", format!("{whose} may open {said} files"), json!({ "limit": limit }));
    let advice = "raise it (ulimit -n, LimitNOFILE=): tables take 256, each connection takes one";
    vec![if limit.is_some_and(|limit| limit < OPEN_FILES_LOW) { finding.but(Level::Warning, advice) } else { finding }]
}

/// The soft limit of open files in a process's `limits`, as Linux shows it.
fn limit_of(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use usher_wal::ShardId;

    use super::*;
    use crate::cli::doctor::snapshots::FoundSnapshots;

    fn examined(shard: Shard) -> Examined {
        let (dir, sizes) = (Path::new("/").to_owned(), Ok(BTreeMap::new()));
        let (now_ms, writer, shards) = (1_000_000_000_000, Ok(None), Ok(vec![shard]));
        Examined { dir, now_ms, writer, sizes, shards, durability: None, id: None, backup: None }
    }

    pub(in crate::cli::doctor) fn shard() -> Shard {
        let (epoch, acknowledged, first, last) = (1, 90, 5, 90);
        let (last_clock_ms, frames, bytes, damage) = (999_999_990_000, 86, 8_600, None);
        let (shard, snapshots) = (ShardId(3), FoundSnapshots::default());
        Shard { shard, epoch, acknowledged, first, last, last_clock_ms, frames, bytes, damage, snapshots }
    }

    fn one(check: fn(&Examined) -> Vec<Finding>, shard: Shard) -> Finding {
        check(&examined(shard)).pop().unwrap()
    }

    #[test]
    fn a_frame_from_the_future_is_a_problem() {
        assert_eq!(one(clock, shard()).level, Level::Ok);
        let ahead = one(clock, Shard { last_clock_ms: 1_000_000_090_000, ..shard() });
        assert_eq!(ahead.level, Level::Problem);
        assert!(ahead.text.contains("2001-09-09T01:48:10Z") && ahead.advice.unwrap().contains("NTP"), "{}", ahead.text);
    }

    #[test]
    fn a_log_may_begin_anywhere_and_says_how_old_it_is() {
        let log = one(log, shard());
        assert_eq!(log.level, Level::Ok);
        assert_eq!(log.text, "shard 3: LSN 5 to 90, epoch 1, 86 frames, 8.40 KiB, the last 10 seconds ago");
    }

    #[test]
    fn a_watermark_far_behind_is_a_warning() {
        assert_eq!(one(lag, Shard { acknowledged: 80, ..shard() }).level, Level::Ok);
        let behind = one(lag, Shard { last: 20_000, ..shard() });
        assert_eq!((behind.level, behind.values["frames"].as_u64()), (Level::Warning, Some(19_910)));
    }

    #[test]
    fn the_limit_of_another_process_is_read() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max open files            1024                 524288               files     \n";
        assert_eq!(limit_of(limits), Some(1_024));
        assert_eq!(limit_of("Max open files            unlimited            unlimited            files"), None);
        assert_eq!(limit_of(""), None);
    }
}
