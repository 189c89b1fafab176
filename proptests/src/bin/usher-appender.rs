//! The appender as a program: `usher-appender load DIR SEED MILLISECONDS fsync|os`; `usher-appender script DIR MILLISECONDS`,
//! where the last is how long it has patience; or `usher-appender open DIR SHARDS`, which opens a data directory and closes it.
//!
//! Only tests start it.

use std::{
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use usher_proptests::appender::{GAVE_UP, load, script};
use usher_wal::{Durability, RocksStore, backup::BackupError};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["load", dir, seed, ms, durability] => {
            let durability = if durability == "os" { Durability::Os } else { Durability::Fsync };
            load(Path::new(dir), number(seed), Instant::now() + milliseconds(ms), durability)
                .map(|never| match never {})
                .map_err(BackupError::from)
        }
        ["script", dir, patience] => script(Path::new(dir), milliseconds(patience)),
        ["open", dir, shards] => {
            let opened = RocksStore::open(Path::new(dir), shards.parse().expect("a number of shards"));
            opened.map(drop).map_err(BackupError::from)
        }
        _ => panic!("not {arguments:?}"),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(u8::try_from(GAVE_UP).expect("a small number"))
        }
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

fn milliseconds(text: &str) -> Duration {
    Duration::from_millis(number(text))
}
