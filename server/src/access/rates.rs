//! How fast callers, shows and buyers may ask: token buckets, in memory that does not grow.
//!
//! A bucket is one number, the time at which it will be full again (the generic cell rate algorithm, ITU-T I.371). A name's
//! bucket is found by a hash with a secret of the process, in two tables; who shares one bucket with a busy stranger has the
//! other, and only when both are empty is he refused. Nobody can choose names so that he meets another's.

use std::{
    hash::{BuildHasher as _, DefaultHasher, Hash as _, Hasher as _, RandomState},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use usher_engine::ids::BuyerId;

use crate::{config::Limits, status::Refusal};

/// Buckets of a table; two tables of them take 2 MiB.
const BUCKETS: usize = 1 << 17;
const NS_PER_S: u64 = 1_000_000_000;

/// Whose bucket it is, and what for.
#[derive(Hash)]
enum Whose<'a> {
    /// All that a caller asks for.
    Caller(&'a str),
    /// New claims to places of a show.
    Show(&'a str),
    /// New claims of a buyer of this tenant, who follows: tenants name their buyers as they like.
    BuyerOf(Option<&'a str>),
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

/// A rate in force.
#[derive(Clone, Copy)]
struct Rate {
    limit: &'static str,
    per_s: u32,
    burst_ns: u64,
}

/// How fast places of a show may be claimed, as it is now: found once for many claims.
pub(crate) struct Claims {
    rates: Arc<Rates>,
    /// With the hash of the show.
    show: Option<(Rate, u64)>,
    /// With a hash that only a buyer is missing from.
    buyers: Option<(Rate, DefaultHasher)>,
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

    /// Takes so many tokens of a caller.
    ///
    /// # Errors
    /// As of [`Rates::take_at`].
    pub(super) fn take(&self, caller: &str, count: usize, now: Duration) -> Result<(), Refusal> {
        let take = |rate| self.take_at(self.hasher.hash_one(Whose::Caller(caller)), rate, count, now);
        rate("caller_commands_per_s", &self.caller, &self.burst_ns).map_or(Ok(()), take)
    }

    /// How fast a caller of this tenant may claim places of a show. None where there is no limit.
    pub(super) fn claims(self: &Arc<Self>, tenant: Option<&str>, show: &str) -> Option<Claims> {
        let of_show = rate("show_claims_per_s", &self.show, &self.burst_ns);
        let of_buyers = rate("buyer_claims_per_s", &self.buyer, &self.burst_ns);
        let hash_of_tenant = || {
            let mut hasher = self.hasher.build_hasher();
            Whose::BuyerOf(tenant).hash(&mut hasher);
            hasher
        };
        (of_show.is_some() || of_buyers.is_some()).then(|| Claims {
            rates: Arc::clone(self),
            show: of_show.map(|rate| (rate, self.hasher.hash_one(Whose::Show(show)))),
            buyers: of_buyers.map(|rate| (rate, hash_of_tenant())),
        })
    }

    /// Takes so many tokens at `now`, of a time that only runs forwards. Where there is one, there are as many as are asked for:
    /// those that come next wait until they are made up for. A batch that is larger than the bucket gets through, too.
    ///
    /// # Errors
    /// The refusal, with the time after which there is one; nothing is taken then.
    fn take_at(&self, hash: u64, rate: Rate, count: usize, now: Duration) -> Result<(), Refusal> {
        let (per_s, now) = (u64::from(rate.per_s), u64::try_from(now.as_nanos()).unwrap_or(u64::MAX / 2));
        let cost = (count as u64).saturating_mul(NS_PER_S) / per_s;
        // Of a bucket that does not hold a whole token one is given when it is full.
        let room = rate.burst_ns.saturating_sub(cost.min(NS_PER_S / per_s));
        let all = self.buckets.get_or_init(|| (0..2 * BUCKETS).map(|_| AtomicU64::new(0)).collect());
        let buckets = [(hash, 0), (hash >> 32, BUCKETS)].map(|(hash, table)| {
            #[expect(clippy::cast_possible_truncation, reason = "the low bits are meant")]
            let bucket = &all[table + (hash as usize) % BUCKETS];
            // Memory is waited for once for both.
            (bucket, bucket.load(Relaxed))
        });
        // Both are asked, so that both are charged.
        let [one, other] = buckets.map(|(bucket, full_at)| take(bucket, full_at, cost, now, now.saturating_add(room)));
        match one.min(other) {
            0 => Ok(()),
            wait => Err(Refusal::rate_limited(rate.limit, rate.per_s, Duration::from_nanos(wait))),
        }
    }
}

impl Claims {
    /// Whether there may be one more by this buyer.
    ///
    /// # Errors
    /// As of [`Rates::take_at`].
    pub(crate) fn take(&self, buyer: &BuyerId, now: Duration) -> Result<(), Refusal> {
        if let Some((rate, hash_of_tenant)) = &self.buyers {
            let mut hasher = hash_of_tenant.clone();
            buyer.hash(&mut hasher);
            self.rates.take_at(hasher.finish(), *rate, 1, now)?;
        }
        self.show.map_or(Ok(()), |(rate, hash)| self.rates.take_at(hash, rate, 1, now))
    }
}

/// None where there is no limit.
fn rate(limit: &'static str, per_s: &AtomicU32, burst_ns: &AtomicU64) -> Option<Rate> {
    let per_s = per_s.load(Relaxed);
    (per_s > 0).then(|| Rate { limit, per_s, burst_ns: burst_ns.load(Relaxed) })
}

/// Takes from a bucket, which was full at that time when it was looked at, if that is no later than `latest`; or says for how
/// many nanoseconds it is.
fn take(bucket: &AtomicU64, mut full_at: u64, cost: u64, now: u64, latest: u64) -> u64 {
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

    fn rates(per_s: u32, burst_ms: u64) -> Arc<Rates> {
        let limits = Limits { caller_commands_per_s: per_s, buyer_claims_per_s: per_s, burst_ms, ..Limits::default() };
        Arc::new(Rates::new(&limits))
    }

    fn take(rates: &Rates, name: &str, count: usize, at_ms: u64) -> bool {
        rates.take(name, count, Duration::from_millis(at_ms)).is_ok()
    }

    fn claim(rates: &Arc<Rates>, tenant: Option<&str>, show: &str, buyer: &str) -> Result<(), Refusal> {
        let buyer = BuyerId::new(buyer.as_bytes()).unwrap();
        rates.claims(tenant, show).map_or(Ok(()), |claims| claims.take(&buyer, Duration::ZERO))
    }

    #[test]
    fn a_bucket_gives_its_burst_at_once_and_then_its_rate() {
        let rates = rates(10, 2_000);
        assert!((0..20).all(|_| take(&rates, "ada", 1, 1_000)));
        assert!(!take(&rates, "ada", 1, 1_000) && !take(&rates, "ada", 1, 1_099));
        assert!(take(&rates, "ada", 1, 1_100) && !take(&rates, "ada", 1, 1_100));
        // Others have their own, and so has a buyer of the same name.
        assert!(take(&rates, "ben", 20, 1_100) && claim(&rates, None, "gig", "ada").is_ok());
        // It is never fuller than full.
        assert!(take(&rates, "ada", 20, 60_000) && !take(&rates, "ada", 1, 60_000));
    }

    #[test]
    fn what_is_refused_takes_nothing_and_says_when_to_come_again() {
        let rates = rates(10, 1_000);
        assert!(take(&rates, "ada", 10, 0) && !take(&rates, "ada", 4, 0));
        let refusal = rates.take("ada", 4, Duration::ZERO).unwrap_err();
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
    fn buyers_of_one_name_at_two_tenants_are_two_and_at_two_shows_one() {
        let rates = rates(1, 1_000);
        assert!([None, Some("acme"), Some("bolt")].iter().all(|tenant| claim(&rates, *tenant, "gig", "guest").is_ok()));
        let refusal = claim(&rates, Some("bolt"), "play", "guest").unwrap_err();
        assert!(format!("{refusal:?}").contains("buyer_claims_per_s"), "{refusal:?}");
    }

    #[test]
    fn a_show_has_one_bucket_for_all_its_buyers() {
        let limits = Limits { show_claims_per_s: 2, burst_ms: 1_000, ..Limits::default() };
        let rates = Arc::new(Rates::new(&limits));
        assert!(["ada", "ben"].iter().all(|buyer| claim(&rates, None, "gig", buyer).is_ok()));
        let refusal = claim(&rates, Some("acme"), "gig", "cem").unwrap_err();
        assert!(format!("{refusal:?}").contains("show_claims_per_s"), "{refusal:?}");
        assert!(claim(&rates, None, "play", "cem").is_ok());
    }

    #[test]
    fn rates_change_while_they_are_gone_by() {
        let rates = rates(1, 1_000);
        assert!(take(&rates, "ada", 1, 0) && !take(&rates, "ada", 1, 0));
        rates.set(&Limits::default());
        assert!(take(&rates, "ada", 1_000, 0));
        rates.set(&Limits { caller_commands_per_s: 1, ..Limits::default() });
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
        assert!(Arc::new(rates).claims(None, "gig").is_none());
    }
}
