//! What a load does while it runs: counted as it happens, sampled for the curves, and told on a line of the terminal.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use parking_lot::Mutex;
use serde::Serialize;

use super::{
    report::{millis, rate, thousands},
    tally::{Counts, Tally},
};

/// Samples of a run, about.
const SAMPLES: u32 = 200;
const INTERVAL_MIN: Duration = Duration::from_millis(20);
/// How often the line is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(100);

/// What happened since the last sample.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Tally>>);

impl Meter {
    /// Counts while nobody else does.
    pub(super) fn count<T>(&self, count: impl FnOnce(&mut Tally) -> T) -> T {
        count(&mut self.0.lock())
    }
}

/// A piece of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    /// When it ended, in milliseconds since the run began.
    pub at_ms: u64,
    /// How long it took.
    pub took_ms: f64,
    /// Commands decided.
    pub commands: u64,
    /// Attempts that were granted.
    pub granted: u64,
    /// Attempts that were refused.
    pub refused: u64,
    /// Holds that were paid for.
    pub sold: u64,
    /// Latency of all commands in microseconds: the median.
    pub p50_us: u64,
    /// The slowest of a hundred.
    pub p99_us: u64,
}

/// What was measured of a run.
#[derive(Debug, Default)]
pub struct Measured {
    /// All of it.
    pub tally: Tally,
    /// Its pieces.
    pub samples: Vec<Sample>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Samples a meter until it is told that the run is over.
pub(super) struct Sampler {
    thread: thread::JoinHandle<Measured>,
    is_over: Arc<AtomicBool>,
}

impl Sampler {
    pub(super) fn start(meter: Meter, lasts: Duration) -> anyhow::Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&is_over);
        let sampling = move || sample(&meter, lasts, &end);
        let thread = thread::Builder::new().name("usher-meter".to_owned()).spawn(sampling);
        Ok(Self { thread: thread.context("starting the meter")?, is_over })
    }

    pub(super) fn end(self) -> anyhow::Result<Measured> {
        self.is_over.store(true, Ordering::Release);
        self.thread.thread().unpark();
        self.thread.join().map_err(|_| anyhow::anyhow!("the meter panicked"))
    }
}

fn sample(meter: &Meter, lasts: Duration, is_over: &AtomicBool) -> Measured {
    let interval = (lasts / SAMPLES).max(INTERVAL_MIN);
    let line = Line::new(lasts);
    let (begun, mut last, mut drawn) = (Instant::now(), Instant::now(), Instant::now());
    let (mut piece, mut measured) = (Tally::default(), Measured::default());
    let mut shown = Tally::default();
    loop {
        let over = is_over.load(Ordering::Acquire);
        meter.count(|now| std::mem::swap(now, &mut piece));
        let now = Instant::now();
        if piece.counts != Counts::default() {
            measured.samples.push(sample_of(&piece, begun, last, now));
            measured.tally.add(&piece);
            shown.add(&piece);
        }
        last = now;
        piece.clear();
        if over {
            measured.elapsed = begun.elapsed();
            line.end();
            return measured;
        }
        if now - drawn >= DRAWN_EVERY {
            line.draw(&shown, now - drawn, &measured.tally.counts);
            shown.clear();
            drawn = now;
        }
        thread::park_timeout(interval);
    }
}

fn sample_of(piece: &Tally, begun: Instant, last: Instant, now: Instant) -> Sample {
    let Counts { granted, refused, sold, .. } = piece.counts;
    let latency = piece.latency_us();
    Sample {
        at_ms: u64::try_from((now - begun).as_millis()).unwrap_or(u64::MAX),
        took_ms: (now - last).as_secs_f64() * 1e3,
        commands: piece.counts.commands(),
        granted,
        refused,
        sold,
        p50_us: latency.value_at_quantile(0.5),
        p99_us: latency.value_at_quantile(0.99),
    }
}

/// A line that lives while the load runs. Where nobody looks it stays away.
struct Line(ProgressBar);

impl Line {
    fn new(lasts: Duration) -> Self {
        let bar = ProgressBar::new(u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX));
        let style = ProgressStyle::with_template("  {bar:20} {elapsed:>4}  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(bar)
    }

    fn draw(&self, shown: &Tally, took: Duration, all: &Counts) {
        let [granted, refused, sold] = [all.granted, all.refused, all.sold].map(thousands);
        let per_second = rate(shown.counts.commands(), took);
        let p99 = millis(shown.latency_us().value_at_quantile(0.99));
        self.0.set_position(self.0.position() + u64::try_from(took.as_millis()).unwrap_or(0));
        self.0
            .set_message(format!("{per_second}/s  p99 {p99:.1} ms  {granted} granted  {refused} refused  {sold} sold"));
    }

    fn end(&self) {
        self.0.finish_and_clear();
    }
}
