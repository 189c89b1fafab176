//! What choosing costs: HoldBest in a house that is empty, half full, nearly full and almost sold out, and a return to
//! a sold-out house in which ten thousand wait.
//!
//! Each command is timed by itself, decided and applied with what follows from it; what brings the house back to where
//! it was is off the clock. Beside criterion's figures the percentiles are printed, which means cannot show. No log, no
//! threads.

use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use mimalloc::MiMalloc;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use usher_benches::{
    percentiles::Percentiles,
    workload::{NOW, SHOW, STADIUM_SEATS, best, execute, fill, join, sell, stadium},
};
use usher_engine::{
    command::{Adjacency, CancelBooking, Command, ConfirmHold, ReleaseHold, ReturnTo, Wish},
    event::Event,
    ids::{BuyerId, HoldId, Reference},
    inventory::{
        Inventory,
        lookups::{LookupBy, PAGE_MAX},
        manifest::CategoryIndex,
        places::Places,
    },
};

/// Seats that are left of the stadium's 100,000: empty, half full, 95 % and 99.9 % full.
const LEFT: [(&str, u32); 4] = [("0", STADIUM_SEATS), ("50", 50_000), ("95", 5_000), ("99.9", 100)];
const WAITING: usize = 10_000;
/// Commands after which a house is built anew, off the clock: its tables are not to grow while it is measured.
const FRESH_AFTER: u64 = 2_000;
/// Commands on a new house before the clock runs: building it empties the caches, and the first one makes the index, which
/// is measured by itself.
const WARM_UP: u64 = 100;

/// The allocator that the process has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

criterion_group!(benches, clock, together, filtered, first_in_sight, split, not_together, returned);
criterion_main!(benches);

/// Nothing, timed as everything else is: what of the percentiles is the machine's doing.
fn clock(criterion: &mut Criterion) {
    let mut all = Percentiles::default();
    criterion.bench_function("best/nothing", |bencher| {
        bencher.iter_custom(|iterations| {
            let times = (0..iterations).map(|_| {
                let took = Instant::now().elapsed();
                all.note(took);
                took
            });
            times.sum()
        });
    });
    all.print("best/nothing");
}

/// A stadium with so many seats left.
fn house(left: u32, group: u32) -> Inventory {
    let mut inventory = stadium();
    fill(&mut inventory, left, group);
    inventory
}

/// Times one granted party after the other, whose wishes take turns; each is released before the next.
fn time_parties(criterion: &mut Criterion, name: &str, left: (&str, u32), group: u32, wishes: &[Wish]) {
    let mut inventory = house(left.1, group);
    let (mut rng, mut events, mut all) = (StdRng::seed_from_u64(7), Vec::new(), Percentiles::default());
    let id = format!("{name}/full={}/seats={}", left.0, wishes[0].quantity);
    let mut next = wishes.iter().cycle();
    let mut executed = 0;
    criterion.bench_function(&id, |bencher| {
        bencher.iter_custom(|iterations| {
            let mut elapsed = Duration::ZERO;
            let mut timed = 0;
            while timed < iterations {
                if executed % FRESH_AFTER == FRESH_AFTER - 1 {
                    inventory = house(left.1, group);
                }
                let party = best(&mut rng, next.next().expect("a cycle has no end").clone());
                let back = ReleaseHold { hold_id: party.hold_id, buyer: party.buyer.clone(), places: None };
                let took = time(&mut inventory, &Command::HoldBest(Box::new(party)), &mut events, true);
                assert!(execute(&mut inventory, &Command::ReleaseHold(back), &mut events));
                executed += 1;
                if executed % FRESH_AFTER >= WARM_UP {
                    all.note(took);
                    elapsed += took;
                    timed += 1;
                }
            }
            elapsed
        });
    });
    all.print(&id);
}

fn time(inventory: &mut Inventory, command: &Command, events: &mut Vec<Event>, granted: bool) -> Duration {
    let start = Instant::now();
    let done = execute(inventory, command, events);
    let took = start.elapsed();
    assert_eq!(done, granted, "as it should be: {command:?}");
    took
}

/// Sold in groups of ten, so that also the last hundred seats have room for parties.
fn together(criterion: &mut Criterion) {
    for left in LEFT {
        for quantity in [2, 4, 8] {
            time_parties(criterion, "best/together", left, 10, &[Wish::seats(quantity, Adjacency::Required)]);
        }
    }
}

/// In one category, under a price.
fn filtered(criterion: &mut Criterion) {
    for left in LEFT {
        let categories = vec![CategoryIndex(1), CategoryIndex(2)];
        let wish = Wish { categories, price_minor_max: Some(8_999), ..Wish::seats(4, Adjacency::Required) };
        time_parties(criterion, "best/filtered", left, 10, &[wish]);
    }
}

/// In more ways of looking at the house than it keeps indexes for: each ask makes a new one.
fn first_in_sight(criterion: &mut Criterion) {
    for left in LEFT {
        let wish = |sight: u8| Wish {
            categories: (0..4).filter(|category| sight >> 1 & (1 << category) != 0).map(CategoryIndex).collect(),
            exclude_restricted: sight % 2 == 1,
            ..Wish::seats(4, Adjacency::Required)
        };
        let wishes: Vec<Wish> = (2..32).map(wish).collect();
        time_parties(criterion, "best/first_in_sight", left, 10, &wishes);
    }
}

/// Sold in pairs, so that a party of eight has to be split when few are left.
fn split(criterion: &mut Criterion) {
    for left in LEFT {
        time_parties(criterion, "best/preferred", left, 2, &[Wish::seats(8, Adjacency::Preferred)]);
    }
}

/// Sold one by one, so that there is no room for a party of eight.
fn not_together(criterion: &mut Criterion) {
    for left in &LEFT[2..] {
        let mut inventory = house(left.1, 1);
        let (mut rng, mut events, mut all) = (StdRng::seed_from_u64(7), Vec::new(), Percentiles::default());
        let id = format!("best/refused/full={}/seats=8", left.0);
        criterion.bench_function(&id, |bencher| {
            bencher.iter_custom(|iterations| {
                let mut elapsed = Duration::ZERO;
                for _ in 0..iterations {
                    let party = best(&mut rng, Wish::seats(8, Adjacency::Required));
                    let took = time(&mut inventory, &Command::HoldBest(Box::new(party)), &mut events, false);
                    all.note(took);
                    elapsed += took;
                }
                elapsed
            });
        });
        all.print(&id);
    }
}

/// One or two seats come back while ten thousand entries wait; what is offered is confirmed, and somebody else joins.
fn returned(criterion: &mut Criterion) {
    let mut house = House::new();
    let mut all = Percentiles::default();
    let id = format!("waitlist/returned/waiting={WAITING}");
    criterion.bench_function(&id, |bencher| {
        bencher.iter_custom(|iterations| {
            let mut elapsed = Duration::ZERO;
            for iteration in 0..iterations {
                if iteration % FRESH_AFTER == FRESH_AFTER - 1 {
                    house = House::new();
                }
                let took = house.take_back();
                all.note(took);
                elapsed += took;
                house.restore();
            }
            elapsed
        });
    });
    all.print(&id);
}

/// A sold-out stadium in which many wait.
struct House {
    inventory: Inventory,
    events: Vec<Event>,
    rng: StdRng,
    /// Sales that can be taken back.
    sales: Vec<CancelBooking>,
    /// Offers of the last return.
    offered: Vec<(HoldId, BuyerId)>,
}

impl House {
    fn new() -> Self {
        let mut inventory = house(0, 2);
        let (mut events, mut rng) = (Vec::new(), StdRng::seed_from_u64(7));
        for _ in 0..WAITING {
            assert!(execute(&mut inventory, &Command::JoinWaitlist(Box::new(join(&mut rng))), &mut events));
        }
        let mut house = Self { inventory, events, rng, sales: Vec::new(), offered: Vec::new() };
        house.find_sales();
        house
    }

    fn find_sales(&mut self) {
        let show = self.inventory.show(SHOW).expect("the stadium");
        let (mut from, by) = (None, LookupBy::Show);
        loop {
            let page = show.lookup(&by, from, PAGE_MAX, NOW);
            let standing = page.holds.into_iter().filter(|sale| !sale.places.is_empty());
            self.sales.extend(standing.map(|sale| CancelBooking {
                hold_id: sale.hold_id,
                buyer: sale.buyer,
                places: None,
                return_to: ReturnTo::Available,
            }));
            from = page.next;
            if from.is_none() {
                return;
            }
        }
    }

    /// Times the return of one sale with all that follows from it.
    fn take_back(&mut self) -> Duration {
        if self.sales.is_empty() {
            self.find_sales();
        }
        let chosen = self.rng.random_range(0..self.sales.len());
        let cancel = Command::CancelBooking(self.sales.swap_remove(chosen));
        let start = Instant::now();
        assert!(self.inventory.decide(SHOW, &cancel, NOW, &mut self.events).is_ok());
        self.events.iter_mut().for_each(|event| self.inventory.apply(SHOW, event, NOW));
        self.events.clear();
        while let Some(mut event) = self.inventory.follow(SHOW, NOW) {
            if let Event::OfferMade(offer) = &event {
                self.offered.push((offer.granted.hold_id, offer.granted.buyer.clone()));
            }
            self.inventory.apply(SHOW, &mut event, NOW);
        }
        start.elapsed()
    }

    /// Sells what was offered and what nobody wanted, and fills the waitlist up.
    fn restore(&mut self) {
        for (hold_id, buyer) in std::mem::take(&mut self.offered) {
            let order = Reference::order("order-12345678").expect("an order");
            let (payment, part) = (Reference::default(), None);
            let confirm = ConfirmHold { hold_id, buyer, order, payment, part, accept_late: false };
            assert!(execute(&mut self.inventory, &Command::ConfirmHold(confirm), &mut self.events));
            let joined = Command::JoinWaitlist(Box::new(join(&mut self.rng)));
            assert!(execute(&mut self.inventory, &joined, &mut self.events));
        }
        let map = self.inventory.show(SHOW).expect("the stadium").seat_map(NOW);
        for seat in map.available.iter() {
            let sale = sell(&mut self.rng, Places::new([seat], []).expect("a seat"));
            assert!(execute(&mut self.inventory, &sale, &mut self.events));
        }
    }
}
