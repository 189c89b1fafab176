//! How fast callers, shows and buyers may ask: token buckets, in memory that does not grow.
//!
//! A bucket is one number, the time at which it will be full again (the generic cell rate algorithm, ITU-T I.371). A name's
//! bucket is found by a hash with a secret of the process, in two tables; who shares one bucket with a busy stranger has the
//! other, and only when both are empty is he refused. Nobody can choose names so that he meets another's.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher as _,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{config::Limits, status::Refusal};

/// Buckets of a table; two tables of them take 2 MiB.
const BUCKETS: usize = 1 << 17;
const NS_PER_S: u64 = 1_000_000_000;

/// What a bucket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    /// All that a caller asks for.
    Caller,
    /// New claims to places of a show.
    Show,
    /// New claims of a buyer.
    Buyer,
}

/// The buckets of all.
pub(crate) struct Rates {
    caller: Option<Rate>,
    show: Option<Rate>,
    buyer: Option<Rate>,
    hasher: RandomState,
    buckets: Box<[AtomicU64]>,
}

/// So many a second, and so many seconds' worth at once.
#[derive(Clone, Copy)]
struct Rate {
    per_s: u32,
    burst_ns: u64,
}

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Self {
        let burst_ns = limits.burst_ms.saturating_mul(1_000_000);
        let rate = |per_s: u32| (per_s > 0).then_some(Rate { per_s, burst_ns });
        let [caller, show, buyer] =
            [limits.caller_commands_per_s, limits.show_claims_per_s, limits.buyer_claims_per_s].map(rate);
        let is_needed = [caller, show, buyer].iter().any(Option::is_some);
        let buckets = (0..if is_needed { 2 * BUCKETS } else { 0 }).map(|_| AtomicU64::new(0)).collect();
        Self { caller, show, buyer, hasher: RandomState::new(), buckets }
    }

    /// Whether any claim could be one too many.
    pub(super) fn limit_claims(&self) -> bool {
        self.show.is_some() || self.buyer.is_some()
    }

    /// Takes so many tokens at `now`, of a time that only runs forwards.
    ///
    /// # Errors
    /// The refusal, with the time after which there are enough; nothing is taken then.
    pub(super) fn take(&self, whose: Whose, name: &[u8], count: usize, now: Duration) -> Result<(), Refusal> {
        let (limit, rate) = match whose {
            Whose::Caller => ("caller_commands_per_s", self.caller),
            Whose::Show => ("show_claims_per_s", self.show),
            Whose::Buyer => ("buyer_claims_per_s", self.buyer),
        };
        let Some(rate) = rate else { return Ok(()) };
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX / 2);
        let cost = (count as u64).saturating_mul(NS_PER_S) / u64::from(rate.per_s);
        let hash = self.hasher.hash_one((whose, name));
        let waits = [hash, hash >> 32].into_iter().zip([0, BUCKETS]).map(|(hash, table)| {
            #[expect(clippy::cast_possible_truncation, reason = "the low bits are meant")]
            let bucket = &self.buckets[table + (hash as usize) % BUCKETS];
            rate.take(bucket, cost, now)
        });
        // Both are asked, so that both are charged.
        let wait = waits.collect::<Vec<_>>().into_iter().min().unwrap_or(0);
        if wait == 0 { Ok(()) } else { Err(Refusal::rate_limited(limit, rate.per_s, Duration::from_nanos(wait))) }
    }
}

impl Rate {
    /// Takes from one bucket, or says after how many nanoseconds there is enough. One that is full gives anything once, however
    /// much: what is left is the wait of the next.
    fn take(self, bucket: &AtomicU64, cost: u64, now: u64) -> u64 {
        let mut full_at = bucket.load(Ordering::Relaxed);
        loop {
            let begins = full_at.max(now);
            let wait = (begins + cost).saturating_sub(now.saturating_add(self.burst_ns.max(cost)));
            if wait > 0 {
                return wait;
            }
            match bucket.compare_exchange_weak(full_at, begins + cost, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return 0,
                Err(other) => full_at = other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(per_s: u32, burst_ms: u64) -> Rates {
        let limits = Limits { buyer_claims_per_s: per_s, show_claims_per_s: per_s, burst_ms, ..Limits::default() };
        Rates::new(&limits)
    }

    fn take(rates: &Rates, name: &str, count: usize, at_ms: u64) -> bool {
        rates.take(Whose::Buyer, name.as_bytes(), count, Duration::from_millis(at_ms)).is_ok()
    }

    #[test]
    fn a_bucket_gives_its_burst_at_once_and_then_its_rate() {
        let rates = rates(10, 2_000);
        assert!((0..20).all(|_| take(&rates, "ada", 1, 1_000)));
        assert!(!take(&rates, "ada", 1, 1_000) && !take(&rates, "ada", 1, 1_099));
        assert!(take(&rates, "ada", 1, 1_100) && !take(&rates, "ada", 1, 1_100));
        // Others have their own, and so has a show of the same name.
        assert!(take(&rates, "ben", 20, 1_100));
        assert!(rates.take(Whose::Show, b"ada", 1, Duration::from_millis(1_100)).is_ok());
        // It is never fuller than full.
        assert!(take(&rates, "ada", 20, 60_000) && !take(&rates, "ada", 1, 60_000));
    }

    #[test]
    fn what_is_refused_takes_nothing_and_says_when_to_come_again() {
        let rates = rates(10, 1_000);
        assert!(take(&rates, "ada", 8, 0) && !take(&rates, "ada", 4, 0));
        let refusal = rates.take(Whose::Buyer, b"ada", 4, Duration::ZERO).unwrap_err();
        assert_eq!(refusal.reason(), "RATE_LIMITED");
        assert_eq!(refusal.retry_after(), Some(Duration::from_millis(200)));
        assert!(take(&rates, "ada", 4, 200));
    }

    #[test]
    fn more_than_a_bucket_holds_is_given_when_it_is_full() {
        let rates = rates(10, 1_000);
        assert!(take(&rates, "ada", 30, 0) && !take(&rates, "ada", 1, 2_000) && take(&rates, "ada", 1, 2_100));
    }

    #[test]
    fn a_stranger_in_one_table_does_not_stand_in_the_way() {
        let rates = rates(1, 1_000);
        let refused = (0..20_000).filter(|number| !take(&rates, &number.to_string(), 1, 0)).count();
        assert!(refused < 200, "{refused} of 20,000");
    }

    #[test]
    fn where_nothing_is_limited_there_are_no_buckets() {
        let rates = Rates::new(&Limits::default());
        assert!(rates.buckets.is_empty() && (0..1_000).all(|_| take(&rates, "ada", 1_000, 0)));
    }
}
