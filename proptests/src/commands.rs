//! Random histories from a seed: small shows, few ids and buyers, so that everything collides with everything.
//!
//! A history is data and depends on nothing but its seed: it does not know what was answered. So any part of it is a
//! history too, which is what makes a failing one short. The shows are in `shows`.

use std::fmt;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use usher_engine::{
    command::{Command, ConfirmHold, ExtendHold, HoldSeats, ReleaseHold},
    event::ShowCreated,
    ids::{BuyerId, HoldId, Reference, SeatIndex, SectionIndex, ShowNumber},
    inventory::{ENDED_HOLD_RETENTION_MS, places::Places},
    time::{HoldTtl, Timestamp},
};

mod shows;
pub use shows::show;

/// The first instant of every history.
pub const START: Timestamp = Timestamp(1_700_000_000_000);
/// Hold ids that a history uses.
pub const HOLD_IDS: u8 = 10;
const BUYERS: u8 = 3;
const STEPS_MAX: usize = 160;
const TTLS_MS: [u64; 4] = [5_000, 6_000, 10_000, 60_000];

/// Something that happens to an inventory.
#[derive(Clone, Debug)]
pub enum Step {
    /// A show is created, perhaps again or differently.
    Create(ShowCreated),
    /// At most `max` holds that are due are expired.
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
            Step::Create(created) => write!(f, "create {} with {:?}", created.show_id, created.policy),
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
        let mut generator = Self { rng, now: START, sweeps, shows, steps, deadlines, asked };
        for number in 0..=u8::from(two) {
            let created = show(&mut generator.rng, number);
            generator.create(created);
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
        self.push(Step::Create(created));
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
        let then = match self.rng.random_range(0..200) {
            0..115 => now,
            115..155 => now + self.rng.random_range(1..2_500),
            155..180 => next_deadline.unwrap_or(now),
            180..190 => next_deadline.map_or(now, |at| at - 1),
            190..196 => now + self.rng.random_range(1..40) * 1_000,
            196..198 => now + ENDED_HOLD_RETENTION_MS,
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
        if self.chance(3) {
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

    /// The same show, or one that differs in its manifest or its policy.
    fn create_again(&mut self) {
        let earlier = self.rng.random_range(0..self.shows.len());
        let mut created = self.shows[earlier].clone();
        match self.rng.random_range(0..3) {
            0 => created.policy.places_per_hold_max += 1,
            1 => {
                created.manifest.categories[0].price_minor += 1;
                created.policy.places_per_hold_max += 1;
            }
            _ => {}
        }
        self.create(created);
    }

    /// A command that may well be granted, may well be refused, and is never malformed.
    pub fn command(&mut self) -> Command {
        let number = self.rng.random_range(0..HOLD_IDS);
        let id = hold_id(number);
        let buyer = self.buyer(number);
        match self.rng.random_range(0..100) {
            0..45 => self.hold_seats(number, buyer),
            45..57 => {
                let ttl = self.ttl();
                Command::ExtendHold(ExtendHold { hold_id: id, buyer, ttl })
            }
            57..70 => {
                let places = self.part_of(number);
                Command::ReleaseHold(ReleaseHold { hold_id: id, buyer, places })
            }
            70..85 => {
                let places = self.part_of(number);
                let order = Reference::order(&format!("order-{}", self.rng.random_range(0..100))).unwrap();
                let payment = Reference::payment(if self.chance(50) { "paid" } else { "" }).unwrap();
                Command::ConfirmHold(ConfirmHold { hold_id: id, buyer, order, payment, places })
            }
            _ => Command::GetHold(id),
        }
    }

    fn hold_seats(&mut self, number: u8, buyer: BuyerId) -> Command {
        let places = self.places();
        let ttl = self.ttl();
        self.asked[usize::from(number)] = Some(places.clone());
        Command::HoldSeats(HoldSeats { hold_id: hold_id(number), buyer, places, ttl })
    }

    /// Mostly the one that an id belongs to.
    fn buyer(&mut self, number: u8) -> BuyerId {
        let buyer = if self.chance(90) { number % BUYERS } else { self.rng.random_range(0..BUYERS) };
        BuyerId::new(format!("buyer-{buyer}").as_bytes()).unwrap()
    }

    fn ttl(&mut self) -> Option<HoldTtl> {
        let ms = TTLS_MS[self.rng.random_range(0..TTLS_MS.len())];
        let given = self.chance(60);
        // Both the wish and the policies' own values, wherever they may end.
        let ends = [Some(ms), self.shows.first().map(|show| show.policy.hold_ttl_default.ms())];
        self.deadlines.extend(ends.into_iter().flatten().map(|ms| self.now.plus_ms(ms)));
        self.deadlines.extend(self.shows.first().map(|show| self.now.plus_ms(show.policy.hold_life_ms_max)));
        given.then(|| HoldTtl::from_ms(ms).unwrap())
    }

    /// Seats and units that mostly exist, few at a time.
    fn places(&mut self) -> Places {
        let mut seats = Vec::new();
        let mut ga = Vec::new();
        for _ in 0..[1, 1, 1, 2, 2, 3, 0, 5][self.rng.random_range(0..8)] {
            let seat = if self.chance(2) { 12 + self.rng.random_range(0..3) } else { self.rng.random_range(0..12) };
            seats.push(SeatIndex(seat));
        }
        seats.sort_unstable();
        seats.dedup();
        if seats.is_empty() || self.chance(20) {
            let section = if self.chance(5) { [0, 3][self.rng.random_range(0..2)] } else { 2 };
            ga.push((SectionIndex(section), self.rng.random_range(1..5)));
        }
        Places::new(seats, ga).unwrap()
    }

    /// All, a part of what was asked for under an id, or something else.
    fn part_of(&mut self, number: u8) -> Option<Places> {
        let asked = self.asked[usize::from(number)].clone();
        match (self.rng.random_range(0..10), asked) {
            (0..5, _) => None,
            (5..9, Some(asked)) => {
                let seats: Vec<_> = asked.seats().filter(|_| self.rng.random_bool(0.5)).collect();
                let ga: Vec<_> =
                    asked.ga().map(|(section, units)| (section, self.rng.random_range(1..=units))).collect();
                Places::new(seats, ga).ok()
            }
            _ => Some(self.places()),
        }
    }
}
