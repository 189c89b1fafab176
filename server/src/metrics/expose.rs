//! Every metric by its name, with what it says. Names after Prometheus' conventions: base units, `_total` for counters.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use usher_engine::{command::CommandKind, rejection::RejectionKind, router::Router, shard::ShardStatus};

use super::{
    Metrics, calls,
    process::{self, Disk, Process},
    shard::{OfShard, STAGE_NAMES},
    text::{Format, Kind, Text},
};
use crate::{access::audit::Audit, config::Limits, edge::Tls, status};

const STATUSES: [(ShardStatus, &str); 4] = [
    (ShardStatus::Recovering, "recovering"),
    (ShardStatus::Serving, "serving"),
    (ShardStatus::ReadOnly, "read_only"),
    (ShardStatus::NotServing, "not_serving"),
];

/// Where the numbers are.
pub(crate) struct Sources {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) router: Router,
    pub(crate) limits: tokio::sync::watch::Receiver<Arc<Limits>>,
    pub(crate) inbox_commands_max: usize,
    pub(crate) data_dir: PathBuf,
    pub(crate) disk_reserve_bytes: u64,
    /// Where there is TLS.
    pub(crate) tls: Option<Arc<Tls>>,
    /// Where there is a trail.
    pub(crate) audit: Option<Arc<Audit>>,
    /// Whether keys or certificates have changed and cannot be read.
    pub(crate) are_files_stale: Arc<AtomicBool>,
}

impl Sources {
    /// All of them, in this format.
    pub(super) fn text(&self, format: Format) -> String {
        let mut text = Text::new(format);
        self.commands(&mut text);
        self.shards(&mut text);
        self.log(&mut text);
        self.snapshots(&mut text);
        self.calls(&mut text);
        self.connections(&mut text);
        self.disk(&mut text);
        self.access(&mut text);
        of_process(&mut text);
        text.end()
    }

    fn commands(&self, text: &mut Text) {
        let shards = &self.metrics.shards;
        text.family("usher_commands_total", Kind::Counter, "Commands that were decided, by kind and outcome.");
        for (position, kind) in CommandKind::ALL.iter().enumerate() {
            for (outcome, name) in ["granted", "rejected"].into_iter().enumerate() {
                let count = sum(shards, |shard| &shard.commands[position][outcome]);
                if count > 0 {
                    text.sample(&[("kind", kind.as_str()), ("outcome", name)], count);
                }
            }
        }
        text.family("usher_rejections_total", Kind::Counter, "Commands that the rules refused, by reason.");
        for (position, kind) in RejectionKind::ALL.iter().enumerate() {
            let count = sum(shards, |shard| &shard.rejections[position]);
            if count > 0 {
                text.sample(&[("reason", status::reason(*kind))], count);
            }
        }
        text.family("usher_refusals_total", Kind::Counter, "What was refused before or beside the rules, by reason.");
        calls::refusals().for_each(|(reason, count)| text.sample(&[("reason", reason)], count));
    }

    fn shards(&self, text: &mut Text) {
        text.family("usher_shard_status", Kind::Gauge, "1 for the status that a shard has, 0 for the others.");
        for handle in self.router.shards() {
            for (status, name) in STATUSES {
                let has = u8::from(handle.status() == status);
                text.sample(&[("shard", &handle.shard().0.to_string()), ("status", name)], has);
            }
        }
        text.family("usher_shard_inbox_commands", Kind::Gauge, "Commands that wait in a shard's inbox.");
        for handle in self.router.shards() {
            text.sample(&[("shard", &handle.shard().0.to_string())], handle.waiting());
        }
        text.family("usher_shard_inbox_wait_seconds", Kind::Gauge, "How long the first of those that wait has waited.");
        for handle in self.router.shards() {
            text.sample(&[("shard", &handle.shard().0.to_string())], handle.admission().waited().as_secs_f64());
        }
        let max = self.inbox_commands_max;
        text.single("usher_shard_inbox_commands_max", Kind::Gauge, "Commands that an inbox takes.", max);
        text.family("usher_shard_batch_commands", Kind::Histogram, "Commands of a batch.");
        self.each(|shard, own| text.histogram(&[("shard", shard)], &own.batch));
        text.family(
            "usher_shard_stage_duration_seconds",
            Kind::Histogram,
            "Stages of a batch: the longest wait in the queue, deciding, the append with its fsync, answering.",
        );
        self.each(|shard, own| {
            for (stage, times) in STAGE_NAMES.into_iter().zip(&own.stages) {
                text.histogram(&[("shard", shard), ("stage", stage)], times);
            }
        });
        text.family("usher_shard_holds", Kind::Gauge, "Holds that live.");
        self.each(|shard, own| text.sample(&[("shard", shard)], own.holds.load(Relaxed)));
        text.family("usher_shard_holds_expired_total", Kind::Counter, "Holds that expired.");
        self.each(|shard, own| text.sample(&[("shard", shard)], own.expired.load(Relaxed)));
        text.family("usher_shard_expiry_delay_seconds", Kind::Histogram, "How late the first expiry of a batch was.");
        self.each(|shard, own| text.histogram(&[("shard", shard)], &own.late));
        text.family("usher_shard_clock_in_step", Kind::Gauge, "1 while a shard's time is the clock's.");
        self.each(|shard, own| text.sample(&[("shard", shard)], u8::from(own.is_clock_in_step.load(Relaxed))));
        text.family("usher_shard_recovery_duration_seconds", Kind::Gauge, "How long the last recovery took.");
        self.each(|shard, own| {
            text.sample(&[("shard", shard)], Duration::from_nanos(own.recovery_ns.load(Relaxed)).as_secs_f64());
        });
        text.family("usher_shard_recoveries_total", Kind::Counter, "Recoveries, that at the start included.");
        self.each(|shard, own| text.sample(&[("shard", shard)], own.recoveries.load(Relaxed)));
    }

    fn log(&self, text: &mut Text) {
        text.family("usher_log_appended_bytes_total", Kind::Counter, "Bytes of events that were appended.");
        self.each(|shard, own| text.sample(&[("shard", shard)], own.appended_bytes.load(Relaxed)));
        text.family("usher_log_events_total", Kind::Counter, "Events that were appended.");
        self.each(|shard, own| text.sample(&[("shard", shard)], own.events.load(Relaxed)));
        text.family("usher_log_append_failures_total", Kind::Counter, "Appends that failed: the shard recovered.");
        self.each(|shard, own| text.sample(&[("shard", shard)], own.appends_failed.load(Relaxed)));
    }

    fn snapshots(&self, text: &mut Text) {
        text.family("usher_snapshot_age_seconds", Kind::Gauge, "Since the last round of snapshots, or the start.");
        self.each(|shard, own| {
            let age = SystemTime::now().duration_since(*own.snapshot.at.lock()).unwrap_or_default();
            text.sample(&[("shard", shard)], age.as_secs_f64());
        });
        text.family("usher_snapshot_duration_seconds", Kind::Gauge, "How long the last round took.");
        self.each(|shard, own| {
            text.sample(&[("shard", shard)], Duration::from_millis(own.snapshot.took_ms.load(Relaxed)).as_secs_f64());
        });
        text.family("usher_snapshot_size_bytes", Kind::Gauge, "Of the last round.");
        self.each(|shard, own| text.sample(&[("shard", shard)], own.snapshot.bytes.load(Relaxed)));
        text.family("usher_snapshot_rounds_total", Kind::Counter, "Rounds of snapshots.");
        self.each(|shard, own| text.sample(&[("shard", shard)], own.snapshot.rounds.load(Relaxed)));
        text.family("usher_snapshot_failures_total", Kind::Counter, "Rounds that failed: the log keeps everything.");
        self.each(|shard, own| text.sample(&[("shard", shard)], own.snapshot.failed.load(Relaxed)));
    }

    fn calls(&self, text: &mut Text) {
        let called = || self.metrics.calls.all().iter().filter(|of| of.by_code().next().is_some());
        text.family("usher_rpc_server_calls_total", Kind::Counter, "Calls that were answered, by method and code.");
        for of in called() {
            for (code, count) in of.by_code() {
                text.sample(&[("rpc_method", of.name), ("rpc_response_status_code", code)], count);
            }
        }
        let help = "From a call's headers to its answer; not of streams.";
        text.family("usher_rpc_server_call_duration_seconds", Kind::Histogram, help);
        for (of, times) in called().filter_map(|of| Some((of, of.took.as_ref()?))) {
            text.histogram(&[("rpc_method", of.name)], times);
        }
    }

    fn connections(&self, text: &mut Text) {
        let counts = &self.metrics.connections;
        text.single("usher_connections", Kind::Gauge, "Connections that are open.", counts.now());
        text.single(
            "usher_connections_max",
            Kind::Gauge,
            "Connections that there may be.",
            self.limits.borrow().connections_max,
        );
        let taken = counts.taken.load(Relaxed);
        text.single("usher_connections_taken_total", Kind::Counter, "Connections that were let in.", taken);
        let turned_away = counts.turned_away.load(Relaxed);
        let help = "Connections beyond the limits.";
        text.single("usher_connections_turned_away_total", Kind::Counter, help, turned_away);
        let failed = counts.tls_failed.load(Relaxed);
        let help = "How late the threads are that serve connections, measured every few milliseconds.";
        text.family("usher_edge_delay_seconds", Kind::Histogram, help);
        text.histogram(&[], &self.metrics.edge_delay);
        text.single("usher_tls_failures_total", Kind::Counter, "Connections on which no TLS came about.", failed);
    }

    fn disk(&self, text: &mut Text) {
        let Some(disk) = Disk::of(&self.data_dir) else { return };
        text.single("usher_log_size_bytes", Kind::Gauge, "Of the data directory.", disk.used_bytes);
        text.single("usher_disk_size_bytes", Kind::Gauge, "Of the file system of the log.", disk.size_bytes);
        text.single("usher_disk_free_bytes", Kind::Gauge, "Free on it.", disk.free_bytes);
        let help = "With less free, only reads are answered.";
        text.single("usher_disk_reserve_bytes", Kind::Gauge, help, self.disk_reserve_bytes);
    }

    fn access(&self, text: &mut Text) {
        let is_stale = u8::from(self.are_files_stale.load(Relaxed));
        let help = "Whether keys or certificates have changed and cannot be read: what was in force still is.";
        text.single("usher_credentials_stale", Kind::Gauge, help, is_stale);
        if let Some(tls) = &self.tls {
            let (name, help) = ("usher_certificate_expiry_timestamp_seconds", "When the server's certificate ends.");
            text.single(name, Kind::Gauge, help, tls.ends_at_s());
        }
        let lost = self.audit.as_ref().map_or(0, |audit| audit.lost());
        let help = "Entries that could not be written to the audit trail.";
        text.single("usher_audit_entries_lost_total", Kind::Counter, help, lost);
    }

    fn each(&self, mut tell: impl FnMut(&str, &OfShard)) {
        self.metrics.shards.iter().enumerate().for_each(|(shard, own)| tell(&shard.to_string(), own));
    }
}

/// By the names that every exporter has for them, and the release.
fn of_process(text: &mut Text) {
    let now = Process::now();
    text.family("usher_build_info", Kind::Gauge, "The release, as its label.");
    text.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    let cpu = now.cpu_seconds;
    text.single("process_cpu_seconds_total", Kind::Counter, "Processor time, of user and system.", cpu);
    if let Some(bytes) = now.resident_bytes {
        text.single("process_resident_memory_bytes", Kind::Gauge, "Memory that it takes.", bytes);
    }
    if let Some(threads) = now.threads {
        text.single("process_threads", Kind::Gauge, "Its threads.", threads);
    }
    if let Some(files) = now.open_files {
        text.single("process_open_fds", Kind::Gauge, "Files that it has open.", files);
    }
    if let Some(files) = now.open_files_max {
        text.single("process_max_fds", Kind::Gauge, "Files that it may have open.", files);
    }
    let begun = process::begun().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    text.single("process_start_time_seconds", Kind::Gauge, "When it began, since the Unix epoch.", begun);
}

fn sum(shards: &[OfShard], count: impl Fn(&OfShard) -> &AtomicU64) -> u64 {
    shards.iter().map(|shard| count(shard).load(Relaxed)).sum()
}
