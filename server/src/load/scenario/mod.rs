//! Scenarios: who comes, what he wants, and what he does next. A file each; how they are sent and measured is not their affair.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use clap::ValueEnum;
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};
use serde::Serialize;
use usher_client::v1;

use super::{
    asked::{Asked, Seats, Told, Wants},
    check::Outcome,
};

mod best;
mod granted;
mod last100;
mod many;
mod mixed;
mod spike;

/// Of ten who hold places, how many pay.
const PAYING_OF_TEN: u32 = 9;

/// A scenario by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Name {
    /// One sale after the other: ten attempts a seat by ever new buyers at random seats, nine of ten winners pay
    Spike,
    /// Every hold succeeds and is paid: the durable write path and nothing else
    Granted,
    /// Parties of 1 to 8 ask for the best seats side by side until the house is full
    Best,
    /// Ten thousand buyers at once for 100 seats, again and again: exactly 100 win
    Last100,
    /// Random seats of many shows, some of which everybody wants (Zipf)
    Many,
    /// As spike, with holds that expire, are extended and replaced, a waitlist and watchers
    Mixed,
}

/// Who comes, as one caller of a load sees it.
pub trait Buyers: Send {
    /// The next one who comes, at that time; none once nobody comes any more.
    fn arrives(&mut self, came: Instant) -> Option<Asked>;

    /// What somebody does who was told this; nothing, if he goes home. He is not told to come again: that is repeated
    /// for him. When he does it is the caller's affair.
    fn goes_on(&mut self, asked: &Asked, told: &Told) -> Option<Asked>;
}

/// A scenario, as all callers of a run share it.
pub trait Scenario: Send + Sync {
    /// How many shows there must be.
    fn shows(&self) -> u32;

    /// Their rules.
    fn policy(&self) -> v1::Policy {
        v1::Policy::default()
    }

    /// Whether holds end by time.
    fn may_end(&self) -> bool {
        false
    }

    /// Whether commands are plain enough to go in columns.
    fn is_plain(&self) -> bool {
        true
    }

    /// How many look at the house all the time.
    fn watchers(&self) -> u32 {
        0
    }

    /// Those of one caller.
    fn buyers(self: Arc<Self>, caller: u32, seed: u64) -> Box<dyn Buyers>;

    /// What must be true of a show at the end, besides what is checked of all.
    ///
    /// # Errors
    /// What is not.
    fn check(&self, _show: u32, _outcome: &Outcome<'_>) -> Result<(), String> {
        Ok(())
    }
}

/// The sizes of a scenario.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Shows, if they are not found out.
    pub shows: Option<u32>,
    /// Seats of each.
    pub seats: u32,
    /// Seats of a hold where buyers choose them.
    pub party: u8,
    /// Buyers at once, of `last100`.
    pub buyers: u32,
    /// How long buyers come.
    pub lasts: Duration,
    /// Commands that one caller sends at once.
    pub together: u32,
}

impl Name {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spike => "spike",
            Self::Granted => "granted",
            Self::Best => "best",
            Self::Last100 => "last100",
            Self::Many => "many",
            Self::Mixed => "mixed",
        }
    }

    /// Seats of a show.
    #[must_use]
    pub fn seats(self) -> u32 {
        match self {
            Self::Spike => 100_000,
            Self::Granted | Self::Mixed => 20_000,
            Self::Best | Self::Many => 70_000,
            Self::Last100 => last100::SEATS,
        }
    }

    /// Buyers at once, and how many commands of theirs go together; 0 is each by himself.
    #[must_use]
    pub fn load(self) -> (u32, u32) {
        match self {
            Self::Spike | Self::Granted | Self::Many => (8_192, 1_024),
            Self::Best | Self::Mixed => (256, 0),
            Self::Last100 => (10_000, 0),
        }
    }

    /// A scenario of these sizes.
    #[must_use]
    pub fn of(self, sizes: Sizes) -> Arc<dyn Scenario> {
        match self {
            Self::Spike => Arc::new(spike::Spike::new(sizes)),
            Self::Granted => Arc::new(granted::Granted::new(sizes)),
            Self::Best => Arc::new(best::Best::new(sizes)),
            Self::Last100 => Arc::new(last100::Last::new(sizes)),
            Self::Many => Arc::new(many::Many::new(sizes)),
            Self::Mixed => Arc::new(mixed::Mixed::new(sizes)),
        }
    }
}

/// Shows of which one opens after the other, for as long as any system could need: each has its share of attempts.
fn shows_in_turn(sizes: Sizes, attempts_each: u64) -> u32 {
    /// No system here is asked for more in a second.
    const ATTEMPTS_PER_SECOND_MAX: u64 = 5_000_000;
    const SHOWS_MAX: u64 = 2_000;
    let enough = sizes.lasts.as_secs().max(1) * ATTEMPTS_PER_SECOND_MAX / attempts_each.max(1) + 1;
    sizes.shows.unwrap_or(u32::try_from(enough.min(SHOWS_MAX)).unwrap_or(1))
}

/// What the buyers of one caller have in common: chance, and numbers of their own.
struct Crowd {
    random: SmallRng,
    next: u64,
}

impl Crowd {
    fn new(caller: u32, seed: u64) -> Self {
        let random = SmallRng::seed_from_u64(seed ^ (u64::from(caller) << 40) ^ 0x5eed);
        Self { random, next: (u64::from(caller) + 1) << 40 }
    }

    /// Somebody new.
    fn comes(&mut self, came: Instant, show: u32, wants: Wants, seats: Seats) -> Asked {
        self.next += 1;
        Asked { show, wants, seats, hold_id: self.id(), buyer: self.next, came }
    }

    /// Never that of nothing.
    fn id(&mut self) -> [u8; 16] {
        (self.random.random::<u128>() | 1).to_le_bytes()
    }

    /// So many seats side by side, anywhere.
    fn seats(&mut self, seats: u32, count: u8) -> Seats {
        Seats { first: self.random.random_range(0..=seats.saturating_sub(count.into())), count }
    }

    fn is_one_of_ten(&mut self, tenths: u32) -> bool {
        self.random.random_range(0..10) < tenths
    }

    /// Nine of ten pay, one gives back.
    fn pays_or_not(&mut self, asked: &Asked, told: &Told) -> Option<Asked> {
        let wants = if self.is_one_of_ten(PAYING_OF_TEN) { Wants::Confirm } else { Wants::Release };
        (*told == Told::Held).then(|| next(asked, wants))
    }
}

/// The same buyer's next command, which comes when the caller says.
fn next(asked: &Asked, wants: Wants) -> Asked {
    Asked { wants, ..*asked }
}
