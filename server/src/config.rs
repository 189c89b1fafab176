//! What can be set, and from where: defaults < a TOML file < environment `USHER_*` < flags.
//!
//! It reads and checks; it opens nothing.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf};

use anyhow::ensure;
use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use usher_engine::shard::ShardOptions;
use usher_wal::{SHARDS_MAX, StoreOptions};

mod access;
mod flags;
mod limits;
pub mod reference;
pub mod settings;
mod sources;
mod telemetry;
pub use access::{Access, Identity, Tls, Tokens};
pub use flags::{AccessFlags, TlsFlags};
pub use limits::Limits;
pub use sources::{Source, Sources};
pub use telemetry::Telemetry;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// What an answer waits for. Nothing weaker can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// An fsync: what was answered survives a power cut
    Fsync,
    /// The operating system: what was answered survives a crash of the process, but not of the machine, which then loses
    /// the sales of the last seconds and refuses its log
    Os,
}

impl From<Durability> for usher_wal::Durability {
    fn from(durability: Durability) -> Self {
        match durability {
            Durability::Fsync => Self::Fsync,
            Durability::Os => Self::Os,
        }
    }
}

/// The settings in force. What is said of each of them here is what `usher config reference` prints; `x-reload` marks those
/// that change without a restart.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Serve without TLS on an address that is not loopback.
    pub allow_plaintext: bool,
    /// Where operators and reflection are served, and nowhere else; on `listen` too if absent.
    #[schemars(example = "127.0.0.1:7422")]
    pub operations_listen: Option<SocketAddr>,
    /// Where metrics are served; nowhere if absent.
    #[schemars(example = "127.0.0.1:7423")]
    pub metrics_listen: Option<SocketAddr>,
    /// Where traces go.
    pub telemetry: Telemetry,
    /// TLS and mutual TLS.
    pub tls: Tls,
    /// Who may do what.
    pub access: Access,
    /// What callers may take.
    #[schemars(extend("x-reload" = "on SIGHUP, for new connections and calls"))]
    pub limits: Limits,
    /// Origins such as `https://tickets.example` whose pages may call the server from a browser.
    #[schemars(extend("x-reload" = "on SIGHUP"))]
    pub http_allowed_origins: Vec<String>,
    /// Where the log is kept. Created if absent or empty.
    pub data_dir: PathBuf,
    /// Shards; as many as the data directory has, or half the cores for a new one, if absent.
    #[schemars(example = 2, range(min = 1, max = SHARDS_MAX))]
    pub shards: Option<NonZeroU32>,
    /// What an answer waits for.
    pub durability: Durability,
    /// Bytes of the data directory's file system that are left free: with less, commands are refused.
    pub disk_reserve_bytes: u64,
    /// Commands waiting in a shard's inbox before callers are refused.
    #[schemars(range(min = 1, max = COMMANDS_MAX))]
    pub inbox_commands_max: usize,
    /// Milliseconds that those in an inbox may have waited when a new claim is let in: reads half of it, organisers a
    /// quarter, and confirmations and releases four times as long.
    #[schemars(range(min = 1))]
    pub queue_wait_ms_max: u64,
    /// Commands taken from the inbox for one batch.
    #[schemars(range(min = 1, max = COMMANDS_MAX))]
    pub batch_commands_max: usize,
    /// Bytes appended to a shard's log after which it takes snapshots; as many as the last ones took, where that is more.
    #[schemars(range(min = SNAPSHOT_LOG_BYTES_MIN))]
    pub snapshot_log_bytes: u64,
    /// Milliseconds after which a shard takes snapshots of what has changed, however little that is.
    #[schemars(range(min = SNAPSHOT_INTERVAL_MS_MIN))]
    pub snapshot_interval_ms: u64,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which log lines there are: error, warn, info, debug, trace, or a filter such as `info,usher_server=debug`.
    #[schemars(extend("x-reload" = "on SIGHUP"))]
    pub log_level: String,
}

/// Of one shard at once.
const COMMANDS_MAX: usize = 1 << 20;
/// Snapshots more often than that would be most of what a shard does.
const SNAPSHOT_LOG_BYTES_MIN: u64 = 64 * 1024;
const SNAPSHOT_INTERVAL_MS_MIN: u64 = 100;

/// What is set cannot be meant; it names the setting.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongSetting(pub(crate) String);

/// Flags that override the file and the environment.
#[derive(Clone, Debug, Default, Args, Serialize)]
pub struct ConfigFlags {
    /// TOML file with settings of the same names (dashes as underscores)
    #[arg(long, env = "USHER_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:7421]
    #[arg(long, value_name = "ADDR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// Serve without TLS on an address that is not loopback
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_plaintext: bool,
    /// Address for operators and reflection alone [default: they are served with the rest]
    #[arg(long, value_name = "ADDR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations_listen: Option<SocketAddr>,
    /// Address for metrics, as Prometheus reads them [default: nowhere]
    #[arg(long, value_name = "ADDR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_listen: Option<SocketAddr>,
    /// Those of `[tls]`.
    #[command(flatten)]
    #[serde(skip_serializing_if = "TlsFlags::is_empty")]
    pub tls: TlsFlags,
    /// Those of `[access]`.
    #[command(flatten)]
    #[serde(skip_serializing_if = "AccessFlags::is_empty")]
    pub access: AccessFlags,
    /// Origin such as https://tickets.example whose pages may call the server from a browser; may be repeated [default: none]
    #[arg(long = "http-allowed-origin", value_name = "ORIGIN")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub http_allowed_origins: Vec<String>,
    /// Directory of the log; created if absent or empty [default: ./data]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// Number of shards [default: as many as the data directory has; half the cores for a new one]
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shards: Option<NonZeroU32>,
    /// What an answer waits for [default: fsync]
    #[arg(long, value_name = "WHAT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub durability: Option<Durability>,
    /// Bytes of disk that are left free; with less, commands are refused and reads answered [default: 536870912]
    #[arg(long, value_name = "BYTES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_reserve_bytes: Option<u64>,
    /// Commands waiting per shard before callers are refused [default: 65536]
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbox_commands_max: Option<usize>,
    /// Milliseconds that those in an inbox may have waited when a new claim is let in [default: 1000]
    #[arg(long, value_name = "MS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_wait_ms_max: Option<u64>,
    /// Commands taken for one batch [default: 16384]
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_commands_max: Option<usize>,
    /// Bytes appended to a shard's log after which it takes snapshots and trims the log; as many as the last snapshots took,
    /// where that is more [default: 67108864]
    #[arg(long, value_name = "BYTES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_log_bytes: Option<u64>,
    /// Milliseconds after which a shard takes snapshots of what has changed, however little that is [default: 600000]
    #[arg(long, value_name = "MS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_interval_ms: Option<u64>,
    /// How log lines look [default: human]
    #[arg(long, value_name = "FORMAT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<LogFormat>,
    /// Which log lines there are [default: info]
    #[arg(long, value_name = "LEVEL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_level: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        let options = ShardOptions::default();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7421)),
            allow_plaintext: false,
            operations_listen: None,
            metrics_listen: None,
            telemetry: Telemetry::default(),
            tls: Tls::default(),
            access: Access::default(),
            limits: Limits::default(),
            http_allowed_origins: Vec::new(),
            data_dir: PathBuf::from("./data"),
            shards: None,
            durability: Durability::Fsync,
            disk_reserve_bytes: StoreOptions::DISK_RESERVE_BYTES,
            inbox_commands_max: options.inbox_commands_max,
            queue_wait_ms_max: options.queue_wait_ms_max,
            batch_commands_max: options.batch_commands_max,
            snapshot_log_bytes: options.snapshot_log_bytes,
            snapshot_interval_ms: options.snapshot_interval_ms,
            log_format: LogFormat::Human,
            log_level: "info".to_owned(),
        }
    }
}

impl Config {
    /// Merges defaults, file, environment and flags, and checks the result.
    ///
    /// # Errors
    /// [`WrongSetting`]: the file cannot be read, or a setting is unknown, of the wrong type or out of range.
    pub fn load(flags: &ConfigFlags) -> Result<Self, WrongSetting> {
        Sources::of(flags)?.load()
    }

    fn check(&self) -> anyhow::Result<()> {
        settings::check_ranges(self)?;
        crate::telemetry::check_level(&self.log_level)?;
        self.tls.check()?;
        self.access.check(&self.tls)?;
        self.telemetry.check(self.allow_plaintext)?;
        let listeners = [
            ("listen", Some(self.listen)),
            ("operations_listen", self.operations_listen),
            ("metrics_listen", self.metrics_listen),
        ];
        let listeners: Vec<_> = listeners.into_iter().filter_map(|(name, address)| Some((name, address?))).collect();
        for (position, &(name, address)) in listeners.iter().enumerate() {
            ensure!(
                address.ip().is_loopback() || self.tls.certificate.is_some() || self.allow_plaintext,
                "{name} is {address}, which is not loopback: without TLS everything can be read on the way. \
                 Set tls.certificate and tls.key, listen on 127.0.0.1 behind a TLS proxy, or set allow_plaintext"
            );
            let is_twice = address.port() != 0 && listeners[..position].iter().any(|(_, other)| *other == address);
            ensure!(!is_twice, "{address} is listened on twice: listen, operations_listen and metrics_listen differ");
        }
        ensure!(!self.data_dir.as_os_str().is_empty(), "data_dir is empty");
        ensure!(
            self.access.audit_dir.as_ref() != Some(&self.data_dir),
            "access.audit_dir is data_dir: what is in there is the log's"
        );
        for origin in &self.http_allowed_origins {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            let is_origin = host.is_some_and(|host| !host.is_empty() && host.bytes().all(is_of_host));
            ensure!(
                is_origin,
                "http_allowed_origins has {origin:?}, which is no origin such as https://tickets.example"
            );
        }
        Ok(())
    }

    /// The number of shards, where the data directory has `existing`, or is not there yet.
    #[must_use]
    pub fn shards(&self, existing: Option<NonZeroU32>) -> NonZeroU32 {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let half = u32::try_from(cores / 2).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        self.shards.or(existing).unwrap_or(half)
    }

    /// What of it concerns the log's store.
    #[must_use]
    pub fn store_options(&self) -> StoreOptions {
        StoreOptions { durability: self.durability.into(), disk_reserve_bytes: self.disk_reserve_bytes }
    }

    /// What of it concerns a shard.
    #[must_use]
    pub fn shard_options(&self) -> ShardOptions {
        ShardOptions {
            inbox_commands_max: self.inbox_commands_max,
            queue_wait_ms_max: self.queue_wait_ms_max,
            batch_commands_max: self.batch_commands_max,
            snapshot_log_bytes: self.snapshot_log_bytes,
            snapshot_interval_ms: self.snapshot_interval_ms,
            ..ShardOptions::default()
        }
    }
}

/// What a host and its port are made of, as browsers send them.
fn is_of_host(symbol: u8) -> bool {
    symbol.is_ascii_lowercase() || symbol.is_ascii_digit() || b"-.:[]".contains(&symbol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_file_and_unknown_settings_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("usher.toml");
        std::fs::write(&file, "shards = 3\ninbox_commands_max = 7\n").unwrap();
        let mut flags =
            ConfigFlags { config: Some(file.clone()), inbox_commands_max: Some(9), ..ConfigFlags::default() };
        let config = Config::load(&flags).unwrap();
        assert_eq!((config.shards(None).get(), config.inbox_commands_max), (3, 9));
        flags.inbox_commands_max = Some(0);
        assert_eq!(
            Config::load(&flags).unwrap_err().to_string(),
            "inbox_commands_max must be 1 to 1048576, is 0 (set by --inbox-commands-max)"
        );
        std::fs::write(&file, "shrads = 3\n").unwrap();
        let error = format!("{:#}", Config::load(&flags).unwrap_err());
        assert!(error.contains("shrads"), "{error}");
        flags.config = Some(dir.path().join("absent.toml"));
        assert!(Config::load(&flags).unwrap_err().to_string().contains("absent.toml"));
    }

    #[test]
    fn an_origin_is_what_a_browser_sends() {
        let check = |origin: &str| {
            let http_allowed_origins = vec![origin.to_owned()];
            Config::load(&ConfigFlags { http_allowed_origins, ..ConfigFlags::default() }).is_ok()
        };
        assert!(check("https://tickets.example") && check("http://localhost:5173") && check("http://[::1]:80"));
        for wrong in ["*", "tickets.example", "https://tickets.example/", "https://Tickets.example", "https://"] {
            assert!(!check(wrong), "{wrong}");
        }
    }

    #[test]
    fn plain_text_stays_on_loopback_unless_allowed() {
        let listen = Some("0.0.0.0:7421".parse().unwrap());
        let flags = ConfigFlags { listen, ..ConfigFlags::default() };
        assert!(Config::load(&flags).unwrap_err().to_string().contains("not loopback"));
        assert!(Config::load(&ConfigFlags { allow_plaintext: true, ..flags }).is_ok());
    }
}
