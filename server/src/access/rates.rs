//! How fast callers, shows and buyers may ask: token buckets, in memory that does not grow.
//!
//! A bucket is one number, the time at which it will be full again (the generic cell rate algorithm, ITU-T I.371). A name's
//! bucket is found by a hash with a secret of the process, in two tables; who shares one bucket with a busy stranger has the
//! other, and only when both are empty is he refused. Nobody can choose names so that he meets another's.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher as _,
    sync::{
        OnceLock,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::{config::Limits, status::Refusal};

/// Buckets of a table; two tables of them take 2 MiB.
const BUCKETS: usize = 1 << 17;
const NS_PER_S: u64 = 1_000_000_000;

/// Whose bucket it is, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Whose<'a> {
    /// All that a caller asks for.
    Caller(&'a str),
    /// New claims to places of a show.
    Show(&'a str),
    /// New claims of a buyer. Tenants name their buyers as they like.
    Buyer { tenant: Option<&'a str>, id: &'a [u8] },
}

/// The buckets of all. How fast they fill may change at any time.
#[derive(Default)]
pub(crate) struct Rates {
    /// Tokens a second; 0 where there is no limit.
    caller: AtomicU32,
    show: AtomicU32,
    buyer: AtomicU32,
    burst_ns: AtomicU64,
    hasher: RandomState,
    /// Made when the first limit is set.
    buckets: OnceLock<Box<[AtomicU64]>>,
}

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Self {
        let rates = Self::default();
        rates.set(limits);
        rates
    }

    /// From now on these hold, for streams that are open, too.
    pub(crate) fn set(&self, limits: &Limits) {
        self.caller.store(limits.caller_commands_per_s, Relaxed);
        self.show.store(limits.show_claims_per_s, Relaxed);
        self.buyer.store(limits.buyer_claims_per_s, Relaxed);
        self.burst_ns.store(limits.burst_ms.saturating_mul(1_000_000), Relaxed);
    }

    /// Whether any claim could be one too many.
    pub(super) fn limit_claims(&self) -> bool {
        self.show.load(Relaxed) > 0 || self.buyer.load(Relaxed) > 0
    }

    /// Takes so many tokens at `now`, of a time that only runs forwards. Where there is one, there are as many as are asked for:
    /// those that come next wait until they are made up for. A batch that is larger than the bucket gets through, too.
    ///
    /// # Errors
    /// The refusal, with the time after which there is one; nothing is taken then.
    pub(super) fn take(&self, whose: Whose<'_>, count: usize, now: Duration) -> Result<(), Refusal> {
        let (limit, per_s) = match whose {
            Whose::Caller(_) => ("caller_commands_per_s", &self.caller),
            Whose::Show(_) => ("show_claims_per_s", &self.show),
            Whose::Buyer { .. } => ("buyer_claims_per_s", &self.buyer),
        };
        let per_s = per_s.load(Relaxed);
        let Some(token) = NS_PER_S.checked_div(per_s.into()) else { return Ok(()) };
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX / 2);
        let cost = (count as u64).saturating_mul(NS_PER_S) / u64::from(per_s);
        // Of a bucket that does not hold a whole token one is given when it is full.
        let room = self.burst_ns.load(Relaxed).saturating_sub(token.min(cost));
        let buckets = self.buckets.get_or_init(|| (0..2 * BUCKETS).map(|_| AtomicU64::new(0)).collect());
        let hash = self.hasher.hash_one(whose);
        // Both are asked, so that both are charged.
        let [one, other] = [(hash, 0), (hash >> 32, BUCKETS)].map(|(hash, table)| {
            #[expect(clippy::cast_possible_truncation, reason = "the low bits are meant")]
            let bucket = &buckets[table + (hash as usize) % BUCKETS];
            take(bucket, cost, now, now.saturating_add(room))
        });
        match one.min(other) {
            0 => Ok(()),
            wait => Err(Refusal::rate_limited(limit, per_s, Duration::from_nanos(wait))),
        }
    }
}

/// Takes from a bucket, which is full at the time that it says, if that is no later than `latest`; or says for how many
/// nanoseconds it is.
fn take(bucket: &AtomicU64, cost: u64, now: u64, latest: u64) -> u64 {
    let mut full_at = bucket.load(Relaxed);
    loop {
        let begins = full_at.max(now);
        if begins > latest {
            return begins - latest;
        }
        match bucket.compare_exchange_weak(full_at, begins.saturating_add(cost), Relaxed, Relaxed) {
            Ok(_) => return 0,
            Err(other) => full_at = other,
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

    fn buyer(id: &str) -> Whose<'_> {
        Whose::Buyer { tenant: None, id: id.as_bytes() }
    }

    fn take(rates: &Rates, name: &str, count: usize, at_ms: u64) -> bool {
        rates.take(buyer(name), count, Duration::from_millis(at_ms)).is_ok()
    }

    #[test]
    fn a_bucket_gives_its_burst_at_once_and_then_its_rate() {
        let rates = rates(10, 2_000);
        assert!((0..20).all(|_| take(&rates, "ada", 1, 1_000)));
        assert!(!take(&rates, "ada", 1, 1_000) && !take(&rates, "ada", 1, 1_099));
        assert!(take(&rates, "ada", 1, 1_100) && !take(&rates, "ada", 1, 1_100));
        // Others have their own, and so has a show of the same name.
        assert!(take(&rates, "ben", 20, 1_100));
        assert!(rates.take(Whose::Show("ada"), 1, Duration::from_millis(1_100)).is_ok());
        // It is never fuller than full.
        assert!(take(&rates, "ada", 20, 60_000) && !take(&rates, "ada", 1, 60_000));
    }

    #[test]
    fn what_is_refused_takes_nothing_and_says_when_to_come_again() {
        let rates = rates(10, 1_000);
        assert!(take(&rates, "ada", 10, 0) && !take(&rates, "ada", 4, 0));
        let refusal = rates.take(buyer("ada"), 4, Duration::ZERO).unwrap_err();
        assert_eq!(refusal.reason(), "RATE_LIMITED");
        assert_eq!(refusal.retry_after(), Some(Duration::from_millis(100)));
        assert!(take(&rates, "ada", 1, 100));
    }

    #[test]
    fn a_batch_that_is_larger_than_the_bucket_gets_through_and_is_made_up_for() {
        let rates = rates(10, 1_000);
        assert!(take(&rates, "ada", 9, 0) && take(&rates, "ada", 30, 0));
        assert!(!take(&rates, "ada", 1, 2_900) && take(&rates, "ada", 1, 3_000));
        assert!(!take(&rates, "ada", 1, 3_000));
    }

    #[test]
    fn of_a_bucket_that_does_not_hold_a_token_one_is_given_when_it_is_full() {
        let rates = rates(1, 10);
        assert!(take(&rates, "ada", 1, 0) && !take(&rates, "ada", 1, 900) && take(&rates, "ada", 1, 1_000));
    }

    #[test]
    fn buyers_of_one_name_at_two_tenants_are_two() {
        let rates = rates(1, 1_000);
        let of = |tenant| Whose::Buyer { tenant, id: b"guest" };
        assert!([None, Some("acme"), Some("bolt")].map(of).iter().all(|of| rates.take(*of, 1, Duration::ZERO).is_ok()));
        assert!(rates.take(of(Some("bolt")), 1, Duration::ZERO).is_err());
    }

    #[test]
    fn rates_change_while_they_are_gone_by() {
        let rates = rates(1, 1_000);
        assert!(take(&rates, "ada", 1, 0) && !take(&rates, "ada", 1, 0));
        rates.set(&Limits::default());
        assert!(take(&rates, "ada", 1_000, 0));
        rates.set(&Limits { buyer_claims_per_s: 1, ..Limits::default() });
        assert!(take(&rates, "ben", 2, 0) && !take(&rates, "ben", 1, 0));
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
        assert!((0..1_000).all(|_| take(&rates, "ada", 1_000, 0)) && rates.buckets.get().is_none());
    }
}
