//! Random histories from a seed: small shows, few ids and buyers, so that everything collides with everything.
//!
//! A history is data and depends on nothing but its seed: it does not know what was answered. So any part of it is a
//! history too, which is what makes a failing one short. The shows are in `shows`, the commands in `buying` and
//! `organising`.

use std::fmt;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use usher_engine::{
    command::Command,
    event::ShowCreated,
    ids::{HoldId, ShowNumber},
    inventory::{ENDED_HOLD_RETENTION_MS, places::Places},
    time::Timestamp,
};

mod buying;
mod organising;
mod shows;
pub(crate) use buying::{buyer_id, order};
pub use shows::show;

/// The first instant of every history.
pub const START: Timestamp = Timestamp(1_700_000_000_000);
/// Hold ids that a history uses.
pub const HOLD_IDS: u8 = 24;
/// Buyers of a history; an id's number tells whose it mostly is.
pub const BUYERS: u8 = 4;
/// Orders of a history.
pub const ORDERS: u8 = 8;
const STEPS_MAX: usize = 240;

/// Something that happens to an inventory.
#[derive(Clone, Debug)]
pub enum Step {
    /// A show is created, perhaps again or differently.
    Create(Box<ShowCreated>),
    /// The process dies and comes back: what is known is what the log says.
    Crash,
    /// At most `max` things that are due are done.
    Sweep {
        /// How many.
        max: usize,
    },
    /// A command for a show.
    Ask(ShowNumber, Command),
}

/// A step and when it happens.
#[derive(Clone, Debug)]
pub struct Timed {
    /// Never less than the step's before.
    pub at: Timestamp,
    /// What happens.
    pub step: Step,
}

impl fmt::Display for Timed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{:>9} ms  ", self.at.ms_since(START))?;
        match &self.step {
            Step::Create(created) => {
                let ShowCreated { show_id, policy, sale, manifest } = &**created;
                write!(f, "create {show_id}, capacity {:?}, {policy:?}, {sale:?}", manifest.capacity)
            }
            Step::Crash => f.write_str("crash"),
            Step::Sweep { max } => write!(f, "sweep at most {max}"),
            Step::Ask(show, command) => write!(f, "show {}: {command:?}", show.0),
        }
    }
}

/// The hold id of a number.
#[must_use]
pub fn hold_id(number: u8) -> HoldId {
    HoldId::new(&[number + 1; 16]).unwrap()
}

/// The history of a seed.
#[must_use]
pub fn history(seed: u64) -> Vec<Timed> {
    let mut generator = Generator::new(seed);
    let length = generator.rng.random_range(20..=STEPS_MAX);
    while generator.steps.len() < length {
        generator.move_time();
        generator.sweep();
        generator.step();
    }
    generator.steps
}

/// When what is due is expired.
#[derive(Clone, Copy)]
enum Sweeps {
    BeforeEachStep,
    /// Now and then, and only so many.
    AtMost(usize),
    Never,
}

/// Makes one command after the other, on one show or more.
pub struct Generator {
    rng: StdRng,
    now: Timestamp,
    sweeps: Sweeps,
    shows: Vec<ShowCreated>,
    steps: Vec<Timed>,
    /// Instants at which a hold may expire.
    deadlines: Vec<Timestamp>,
    /// What was last asked for under each id.
    asked: Vec<Option<Places>>,
    /// Numbers of ids that were asked for, the last one last.
    used: Vec<u8>,
    /// Numbers of ids that somebody wanted to buy.
    sold: Vec<u8>,
    /// Numbers of ids whose payment was unknown for a while.
    pinned: Vec<u8>,
    /// Numbers of ids that were to be one of a group.
    grouped: Vec<u8>,
    /// Numbers of ids under which somebody joined the waitlist.
    joined: Vec<u8>,
    /// Seats that the first show has, or may have.
    seats: u32,
    /// Changes of manifests so far.
    changes: u32,
}

impl Generator {
    /// One show, and in a quarter of all cases two.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let sweeps = match rng.random_range(0..10) {
            0..5 => Sweeps::BeforeEachStep,
            5 => Sweeps::AtMost(usize::MAX),
            6..8 => Sweeps::AtMost(rng.random_range(1..3)),
            _ => Sweeps::Never,
        };
        let two = rng.random_bool(0.25);
        let asked = vec![None; usize::from(HOLD_IDS)];
        let (shows, steps, deadlines) = (Vec::new(), Vec::new(), Vec::new());
        let (used, sold, pinned, grouped, joined) = Default::default();
        let (seats, changes) = (0, 0);
        let now = START;
        let mut generator = Self {
            rng,
            now,
            sweeps,
            shows,
            steps,
            deadlines,
            asked,
            used,
            sold,
            pinned,
            grouped,
            joined,
            seats,
            changes,
        };
        for number in 0..=u8::from(two) {
            let created = show(&mut generator.rng, number);
            generator.create(created);
        }
        generator.seats = shows::seats(&generator.shows[0]);
        if generator.chance(70) {
            generator.define_channels();
        }
        if generator.chance(35) {
            generator.withhold_most();
        }
        generator
    }

    /// The shows that it begins with.
    #[must_use]
    pub fn shows(&self) -> &[ShowCreated] {
        &self.shows
    }

    fn create(&mut self, created: ShowCreated) {
        if self.shows.iter().all(|show| show.show_id != created.show_id) {
            self.shows.push(created.clone());
        }
        self.push(Step::Create(Box::new(created)));
    }

    fn push(&mut self, step: Step) {
        self.steps.push(Timed { at: self.now, step });
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    /// Moves time: often not at all, often exactly to a deadline, seldom far.
    pub fn move_time(&mut self) -> Timestamp {
        let now = self.now.0;
        let next_deadline = self.deadlines.iter().map(|at| at.0).filter(|&at| at > now).min();
        let then = match self.rng.random_range(0..400) {
            0..270 => now,
            270..330 => now + self.rng.random_range(1..2_500),
            330..368 => next_deadline.unwrap_or(now),
            368..388 => next_deadline.map_or(now, |at| at - 1),
            388..397 => now + self.rng.random_range(1..40) * 1_000,
            397..399 => now + ENDED_HOLD_RETENTION_MS,
            _ => {
                // To the instant at which what ended at some step is old enough, and the one before.
                let ended = self.steps[self.rng.random_range(0..self.steps.len())].at.0;
                (ended + ENDED_HOLD_RETENTION_MS - self.rng.random_range(0..2)).max(now)
            }
        };
        self.now = Timestamp(then);
        self.now
    }

    fn sweep(&mut self) {
        let sweeps = self.sweeps;
        match sweeps {
            Sweeps::BeforeEachStep => self.push(Step::Sweep { max: usize::MAX }),
            Sweeps::AtMost(max) if self.chance(25) => self.push(Step::Sweep { max }),
            Sweeps::AtMost(_) | Sweeps::Never => {}
        }
    }

    fn step(&mut self) {
        if self.chance(2) {
            return self.push(Step::Crash);
        }
        if self.chance(2) {
            return self.create_again();
        }
        if self.chance(12) {
            let earlier = self.rng.random_range(0..self.steps.len());
            let step = self.steps[earlier].step.clone();
            return self.push(step);
        }
        let shows = u32::try_from(self.shows.len()).unwrap();
        let show = ShowNumber(self.rng.random_range(0..shows));
        let command = self.command();
        self.push(Step::Ask(show, command));
    }

    /// The same show, or one that differs in its manifest, its policy or its sale.
    fn create_again(&mut self) {
        let earlier = self.rng.random_range(0..self.shows.len());
        let mut created = self.shows[earlier].clone();
        match self.rng.random_range(0..4) {
            0 => created.policy.places_per_hold_max += 1,
            1 => {
                created.manifest.categories[0].price_minor += 1;
                created.policy.places_per_hold_max += 1;
            }
            2 => created.sale.opens_at.0 += 1,
            _ => {}
        }
        self.create(created);
    }

    /// A command that may well be granted, may well be refused, and is never malformed.
    pub fn command(&mut self) -> Command {
        match self.rng.random_range(0..1_130) {
            kind @ 0..930 => self.buying(kind),
            kind => self.organising(kind - 930),
        }
    }
}
