//! Log lines, for people or for machines, on standard error; what is noted of every call ([`called`]), what a request is
//! known by ([`request_id`]), and [`traces`].

use std::sync::OnceLock;

use anyhow::Context as _;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{EnvFilter, Registry, fmt, prelude::*, reload};
use usher_engine::shard::{ClockNews, Notice};
use usher_wal::ShardId;

use crate::config::{LogFormat, WrongSetting};

pub(crate) mod called;
pub(crate) mod request_id;
pub mod traces;

/// The filter of the process's log lines, once there are any.
static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Starts logging for the whole process.
///
/// # Errors
/// [`WrongSetting`] of a filter that cannot be read; when logging was started before.
pub fn start(format: LogFormat, level: &str) -> anyhow::Result<()> {
    let (filter, handle) = reload::Layer::new(filter(level)?);
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
        LogFormat::Human => lines.with_target(false).with_ansi(console::colors_enabled_stderr()).compact().boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).try_init().context("starting the log")?;
    let _ = FILTER.set(handle);
    Ok(())
}

/// From now on there are log lines of this level.
///
/// # Errors
/// [`WrongSetting`] of a filter that cannot be read.
pub(crate) fn set_level(level: &str) -> anyhow::Result<()> {
    let filter = filter(level)?;
    FILTER.get().map_or(Ok(()), |handle| handle.reload(filter)).context("the log's level")
}

/// Whether it is one.
///
/// # Errors
/// [`WrongSetting`].
pub(crate) fn check_level(level: &str) -> Result<(), WrongSetting> {
    filter(level).map(drop)
}

fn filter(level: &str) -> Result<EnvFilter, WrongSetting> {
    let wrong = |what: &str| WrongSetting(format!("log_level {level:?}: {what}"));
    // A word alone is a level; the filter would take any other as the name of a module, and be silent.
    let is_level = |word: &str| word.contains(['=', '[']) || word.parse::<LevelFilter>().is_ok();
    if !level.split(',').all(|word| is_level(word.trim())) {
        return Err(wrong("must be error, warn, info, debug, trace or off; of a module, module=level"));
    }
    let filter = EnvFilter::try_new(level).map_err(|error| wrong(&error.to_string()))?;
    // Every frame of HTTP/2 and every step of a handshake: only whoever names them wants them.
    let quiet = ["h2=info", "hyper=info", "hyper_util=info", "rustls=info", "tokio_util=info", "tower=info"];
    let is_talkative = level.parse::<LevelFilter>().is_ok_and(|level| level > LevelFilter::INFO);
    let quiet = quiet.iter().filter(|_| is_talkative).filter_map(|directive| directive.parse().ok());
    Ok(quiet.fold(filter, EnvFilter::add_directive))
}

/// Writes down what a shard says.
pub fn log_notice(shard: ShardId, notice: &Notice) {
    let shard = shard.0;
    match notice {
        Notice::Recovered(found) => {
            for damage in &found.damaged {
                tracing::warn!(shard, damage, "an older snapshot and the log stand in for a damaged one");
            }
            tracing::info!(
                shard,
                lsn = found.lsn.0,
                epoch = found.epoch.0,
                events = found.events,
                shows = found.shows.len(),
                state_hash = %found.state_hash,
                "recovered"
            );
        }
        Notice::ShowChanged(show) => tracing::debug!(
            shard,
            show_id = %show.show_id,
            manifest_version = show.manifest_version,
            stage = ?show.sale.stage,
            "show changed"
        ),
        Notice::Recovering { lsn, end } => tracing::info!(shard, lsn = lsn.0, end = end.0, "recovering"),
        Notice::Serving => tracing::info!(shard, "serving"),
        // Numbers, which are counted.
        Notice::Decided(_) | Notice::Answered { .. } => {}
        Notice::SnapshotsTaken(taken) => tracing::info!(
            shard,
            lsn = taken.lsn.0,
            shows = taken.shows,
            bytes = taken.bytes,
            log_start = taken.log_start.0,
            "snapshots taken"
        ),
        Notice::SnapshotFailed(error) => tracing::error!(shard, %error, "snapshot failed, the log is kept"),
        Notice::DiskRefuses(error) => tracing::error!(shard, %error, "only reads are answered"),
        Notice::DiskWritable => tracing::info!(shard, "the disk is in order again"),
        Notice::SlowAppend { took_ms } => tracing::warn!(shard, took_ms, "an append took long: the disk is slow"),
        Notice::Clock(news) => log_clock(shard, *news),
        Notice::AppendFailed(error) => tracing::error!(shard, %error, "append failed, recovering"),
        Notice::RecoveryFailed(error) => tracing::error!(shard, %error, "recovery failed, trying again"),
        Notice::Failed(error) => tracing::error!(shard, error, "shard is not serving"),
    }
}

fn log_clock(shard: u32, news: ClockNews) {
    match news {
        ClockNews::Leapt { by_ms, behind_ms } => tracing::error!(
            shard,
            by_ms,
            behind_ms,
            "the clock was set forwards, or the machine stood still; time catches up with it"
        ),
        ClockNews::WentBack { by_ms } => {
            tracing::error!(shard, by_ms, "the clock went back; time stands still until it comes again");
        }
        ClockNews::InStep => tracing::info!(shard, "the clock is in step again"),
    }
}
