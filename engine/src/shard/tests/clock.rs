//! A clock that is set while a show is sold.

use std::sync::Mutex;

use super::*;
use crate::{command::ConfirmHold, ids::Reference};

const HOUR: u64 = 3_600_000;

struct Sale {
    world: World,
    shard: Shard,
    news: Arc<Mutex<Vec<ClockNews>>>,
}

impl Sale {
    /// Hold 1 was granted at 1,000 and is good until 6,000.
    fn new() -> Self {
        let world = World::new();
        drop(world.shard_with_show());
        let news = Arc::<Mutex<Vec<ClockNews>>>::default();
        let told = Arc::clone(&news);
        let observer: Observer = Arc::new(move |_, notice| {
            if let Notice::Clock(news) = notice {
                told.lock().unwrap().push(news);
            }
        });
        let log = Box::new(world.store.log(SHARD).unwrap());
        let shard = Shard::recover(log, world.clock.clone(), ShardOptions::default(), observer).unwrap();
        let mut sale = Self { world, shard, news };
        assert_eq!(sale.at(1_000, vec![hold(1, 1)]), [Some(HoldState::Held)]);
        sale
    }

    fn at(&mut self, clock: u64, commands: Vec<Command>) -> Vec<Option<HoldState>> {
        self.world.clock.0.store(clock, Ordering::SeqCst);
        let (request, outcomes) = execute(commands);
        self.shard.turn([request].into_iter()).unwrap();
        states(outcomes.recv().unwrap())
    }

    fn is_live(&mut self, clock: u64) -> bool {
        self.at(clock, vec![Command::GetHold(hold_id(1))]) == [Some(HoldState::Held)]
    }

    fn assert_replays(&self) {
        invariants::check(&self.shard.inventory);
        let (inventory, _) = replay(&mut self.world.store.log(SHARD).unwrap()).unwrap();
        assert_eq!(inventory.state_hash(), self.shard.inventory.state_hash());
    }
}

fn confirm(number: u32) -> Command {
    let buyer = BuyerId::new(format!("buyer-{number}").as_bytes()).unwrap();
    let (order, payment) = (Reference::order("o").unwrap(), Reference::default());
    Command::ConfirmHold(ConfirmHold {
        hold_id: hold_id(number),
        buyer,
        order,
        payment,
        part: None,
        accept_late: false,
    })
}

#[test]
fn a_leap_expires_nothing_and_takes_no_sale_away() {
    let mut sale = Sale::new();
    assert!(sale.is_live(HOUR));
    assert_eq!(*sale.news.lock().unwrap(), [ClockNews::Leapt { by_ms: HOUR - 1_000, behind_ms: HOUR - 1_000 }]);
    assert_eq!(sale.at(HOUR + 4_000, vec![hold(2, 1), confirm(1)]), [None, Some(HoldState::Confirmed)]);
    sale.assert_replays();
}

#[test]
fn after_a_leap_holds_end_as_fast_as_time_passes_and_no_more_than_an_eighth_faster() {
    let mut sale = Sale::new();
    // 5 seconds of the shard's are 4,445 ms of the clock's while it catches up.
    assert!(sale.is_live(HOUR) && sale.is_live(HOUR + 4_444));
    assert_eq!(sale.shard.idle_wait(), Duration::from_millis(1));
    assert!(!sale.is_live(HOUR + 4_445));
    assert_eq!(sale.at(HOUR + 4_445, vec![hold(2, 1)]), [Some(HoldState::Held)]);
    sale.assert_replays();
}

#[test]
fn a_leap_that_is_taken_back_changes_nothing() {
    let mut sale = Sale::new();
    assert!(sale.is_live(HOUR) && sale.is_live(5_999) && !sale.is_live(6_000));
    assert_eq!(sale.news.lock().unwrap().last(), Some(&ClockNews::InStep));
    sale.assert_replays();
}

#[test]
fn a_clock_that_goes_back_or_stands_ends_nothing_and_frees_all_when_it_comes_again() {
    let mut sale = Sale::new();
    assert!(sale.is_live(5_000) && sale.is_live(1) && sale.is_live(1) && sale.is_live(4_999));
    assert!(!sale.is_live(6_000));
    sale.assert_replays();
    assert_eq!(*sale.news.lock().unwrap(), [], "5 seconds are not worth a word");
}

#[test]
fn whoever_starts_it_again_says_that_the_clock_is_right() {
    let mut sale = Sale::new();
    assert!(sale.is_live(HOUR));
    sale.shard = sale.world.shard();
    assert!(!sale.is_live(HOUR));
    sale.assert_replays();
}
