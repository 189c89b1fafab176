//! How values are spread: counts in buckets of fixed bounds, and for each bucket a trace that fell into it.
//!
//! Observing takes no lock, unless there is a trace to remember.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;

/// Nanoseconds: 5 µs to 10 s in steps of 1, 2, 5.
pub(crate) const TIMES: Scale = Scale {
    bounds: &[
        5_000,
        10_000,
        20_000,
        50_000,
        100_000,
        200_000,
        500_000,
        1_000_000,
        2_000_000,
        5_000_000,
        10_000_000,
        20_000_000,
        50_000_000,
        100_000_000,
        200_000_000,
        500_000_000,
        1_000_000_000,
        2_000_000_000,
        5_000_000_000,
        10_000_000_000,
    ],
    unit: 1e-9,
};

/// How many of something: powers of four up to 65,536.
pub(crate) const SIZES: Scale = Scale { bounds: &[1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536], unit: 1.0 };

/// The buckets of a histogram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// Greatest value of each bucket but the last, ascending.
    pub(crate) bounds: &'static [u64],
    /// What one of them is in the unit that is told.
    pub(crate) unit: f64,
}

/// A trace, by its id.
pub(crate) type TraceId = u128;

/// Somebody's value, as an example for those of its bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exemplar {
    pub(crate) trace: TraceId,
    pub(crate) value: u64,
    pub(crate) at: SystemTime,
}

/// The counts.
#[derive(Debug)]
pub(crate) struct Histogram {
    scale: Scale,
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
    exemplars: Mutex<Vec<Option<Exemplar>>>,
}

/// The counts at one time, or what came between two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) buckets: Vec<u64>,
    pub(crate) sum: u64,
}

impl Histogram {
    pub(crate) fn new(scale: Scale) -> Self {
        let buckets = scale.bounds.len() + 1;
        Self {
            scale,
            counts: (0..buckets).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
            exemplars: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn scale(&self) -> Scale {
        self.scale
    }

    pub(crate) fn observe(&self, value: u64) {
        self.observe_traced(value, None);
    }

    pub(crate) fn observe_time(&self, took: Duration, trace: Option<TraceId>) {
        self.observe_traced(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), trace);
    }

    fn observe_traced(&self, value: u64, trace: Option<TraceId>) {
        let bucket = self.scale.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket].fetch_add(1, Relaxed);
        self.sum.fetch_add(value, Relaxed);
        if let Some(trace) = trace {
            let mut exemplars = self.exemplars.lock();
            exemplars.resize(self.counts.len(), None);
            exemplars[bucket] = Some(Exemplar { trace, value, at: SystemTime::now() });
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts { buckets: self.counts.iter().map(|count| count.load(Relaxed)).collect(), sum: self.sum.load(Relaxed) }
    }

    /// The last trace of this bucket.
    pub(crate) fn exemplar(&self, bucket: usize) -> Option<Exemplar> {
        self.exemplars.lock().get(bucket).copied().flatten()
    }
}

impl Counts {
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// What came since.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let old = before.buckets.iter().copied().chain(std::iter::repeat(0));
        let buckets = self.buckets.iter().zip(old).map(|(now, old)| now.saturating_sub(old)).collect();
        Self { buckets, sum: self.sum.saturating_sub(before.sum) }
    }

    /// Both together, of the same scale.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.buckets.resize(other.buckets.len().max(self.buckets.len()), 0);
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(own, more)| *own += more);
        self.sum += other.sum;
        self
    }

    /// The value below which this share of all is, as it is found within its bucket by the rule of three; 0 where there is
    /// none. Of the last bucket, its lower bound.
    pub(crate) fn quantile(&self, scale: Scale, share: f64) -> u64 {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let wanted = self.count() as f64 * share;
        let mut below = 0_u64;
        for (bucket, count) in self.buckets.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let (before, own) = (below as f64, *count as f64);
            below += count;
            if *count == 0 || before + own < wanted {
                continue;
            }
            let lower = bucket.checked_sub(1).map_or(0, |before| scale.bounds[before]);
            let Some(upper) = scale.bounds.get(bucket) else { return lower };
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let width = (upper - lower) as f64;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the bucket")]
            return lower + (width * ((wanted - before) / own).clamp(0.0, 1.0)) as u64;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_falls_into_the_first_bucket_that_reaches_it_and_its_trace_with_it() {
        let sizes = Histogram::new(SIZES);
        [0, 1, 2, 4, 5, 70_000].into_iter().for_each(|value| sizes.observe(value));
        assert_eq!(sizes.counts(), Counts { buckets: vec![2, 2, 1, 0, 0, 0, 0, 0, 0, 1], sum: 70_012 });
        assert!(sizes.exemplar(1).is_none());
        let times = Histogram::new(TIMES);
        times.observe_time(Duration::from_millis(3), Some(7));
        let exemplar = times.exemplar(9).unwrap();
        assert_eq!((exemplar.trace, exemplar.value), (7, 3_000_000));
    }

    #[test]
    fn quantiles_lie_within_their_bucket() {
        let times = Histogram::new(TIMES);
        let before = times.counts();
        (0..99).for_each(|_| times.observe(1_500_000));
        times.observe(20_000_000_000);
        let new = times.counts().since(&before);
        assert_eq!(new.count(), 100);
        let median = new.quantile(TIMES, 0.5);
        assert!((1_000_000..=2_000_000).contains(&median), "{median}");
        assert_eq!(new.quantile(TIMES, 0.999), 10_000_000_000);
        assert_eq!(Counts::default().quantile(TIMES, 0.5), 0);
        let twice = new.clone().and(&new);
        assert_eq!((twice.count(), twice.quantile(TIMES, 0.5)), (200, median));
    }
}
