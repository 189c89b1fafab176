//! The appender as a program: `usher-appender load DIR SEED MILLISECONDS`, `usher-appender script DIR`, or `usher-appender
//! open DIR SHARDS`, which opens a data directory and closes it.
//!
//! Only tests start it.

use std::{
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use usher_proptests::appender::{GAVE_UP, load, script};
use usher_wal::RocksStore;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["load", dir, seed, ms] => {
            let [seed, ms] = [seed, ms].map(|number| number.parse().expect("a number"));
            load(Path::new(dir), seed, Instant::now() + Duration::from_millis(ms)).map(|never| match never {})
        }
        ["script", dir] => script(Path::new(dir)),
        ["open", dir, shards] => {
            RocksStore::open(Path::new(dir), shards.parse().expect("a number of shards")).map(drop)
        }
        _ => panic!("load DIR SEED MILLISECONDS, script DIR, or open DIR SHARDS; not {arguments:?}"),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(u8::try_from(GAVE_UP).expect("a small number"))
        }
    }
}
