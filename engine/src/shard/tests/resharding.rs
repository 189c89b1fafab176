//! Shows that go from shard to shard, and back, with snapshots in between: nothing of them changes but where they are.

use usher_wal::{Log, MemoryLog};

use super::*;
use crate::resharding::{Move, move_shows};

impl World {
    fn shard_of(&self, shard: u32) -> Shard {
        let log = Box::new(self.store.log(ShardId(shard)).unwrap());
        Shard::recover(log, self.clock.clone(), ShardOptions::default(), Arc::new(|_, _| {})).unwrap()
    }

    /// Puts shows on shards, of which there are three.
    fn put(&self, places: &[(&str, u32)]) -> Vec<Move> {
        let mut logs: Vec<MemoryLog> = (0..3).map(|shard| self.store.log(ShardId(shard)).unwrap()).collect();
        let place = |id: &ShowId, at: ShardId| {
            places.iter().find(|(show, _)| *show == id.as_str()).map_or(at, |(_, to)| ShardId(*to))
        };
        let append = |clock_ms: u64, (one, left): (&mut MemoryLog, &[u8]), (other, came): (&mut MemoryLog, &[u8])| {
            one.append(clock_ms, left)?;
            other.append(clock_ms, came).map(drop)
        };
        let mut moved = Vec::new();
        move_shows(&mut logs, self.clock.now(), &place, append, &mut |each| moved.push(each.clone())).unwrap();
        moved
    }

    /// Where each show is, with what commands can observe of it but for its version.
    fn shows(&self) -> Vec<(String, u32, u64, String)> {
        let mut shows = Vec::new();
        for shard in 0..3 {
            let (inventory, recovered) = replay(&mut self.store.log(ShardId(shard)).unwrap()).unwrap();
            invariants::check(&inventory);
            for show in recovered.shows {
                let known = inventory.show(show.number).unwrap();
                let owned = format!("{:?}", known.owned().collect::<Vec<_>>());
                shows.push((show.show_id.to_string(), shard, known.version(), owned));
            }
        }
        shows.sort();
        shows
    }
}

fn created(shard: &mut Shard, id: &str) -> ShowNumber {
    let (reply, created) = reply();
    shard.turn([create(id, reply)].into_iter()).unwrap();
    created.recv().unwrap().unwrap().unwrap().number
}

fn held(shard: &mut Shard, show: ShowNumber, commands: Vec<Command>) -> Vec<Option<HoldState>> {
    let (reply, outcomes) = reply();
    shard.turn([Request::Execute { shows: Shows::One(show), commands, reply }].into_iter()).unwrap();
    states(outcomes.recv().unwrap())
}

#[test]
fn a_show_keeps_everything_wherever_it_goes() {
    let world = World::new();
    let mut shard = world.shard_of(0);
    for (number, id) in (0..).zip(["gala", "matinee", "circus"]) {
        let show = created(&mut shard, id);
        held(&mut shard, show, (0..=number).map(|number| hold(number, number)).collect());
    }
    let before = world.shows();
    let moved = world.put(&[("gala", 1), ("circus", 2), ("matinee", 0)]);
    assert_eq!(
        moved.iter().map(|moved| (moved.show_id.as_str(), moved.to.0)).collect::<Vec<_>>(),
        [("gala", 1), ("circus", 2)]
    );
    let after = world.shows();
    let places: Vec<_> = after.iter().map(|(id, shard, ..)| (id.as_str(), *shard)).collect();
    assert_eq!(places, [("circus", 2), ("gala", 1), ("matinee", 0)]);
    for (was, is) in before.iter().zip(&after) {
        assert_eq!((&was.0, &was.3), (&is.0, &is.3));
        assert!(is.2 >= was.2, "a version never runs backwards");
    }
    // It goes on there, and what was granted is known.
    let mut shard = world.shard_of(1);
    assert_eq!(held(&mut shard, SHOW, vec![hold(0, 0), hold(7, 7)]), [Some(HoldState::Held); 2]);
    // A show that left makes room for nothing, and its id may come again under a new number.
    assert_eq!(created(&mut world.shard_of(0), "opera"), ShowNumber(3));
}

#[test]
fn a_show_that_comes_back_has_a_new_number_whatever_was_snapshotted() {
    let world = World::new();
    let gala = created(&mut world.shard_of(0), "gala");
    held(&mut world.shard_of(0), gala, vec![hold(0, 0)]);
    for snapshots_after in [0, 1, 2] {
        world.put(&[("gala", 1)]);
        for shard in (0..2).filter(|shard| snapshots_after > *shard) {
            (0..3).for_each(|_| world.shard_of(shard).take_snapshots());
        }
        world.put(&[("gala", 0)]);
        let mut shard = world.shard_of(0);
        let number = shard.inventory.number(&ShowId::new("gala").unwrap()).unwrap();
        assert_eq!(number.0, snapshots_after + 1);
        assert_eq!(held(&mut shard, number, vec![hold(0, 0), hold(1, 0)]), [Some(HoldState::Held), None]);
        (0..2).for_each(|_| shard.take_snapshots());
        assert_eq!(world.shard_of(0).inventory.state_hash(), shard.inventory.state_hash());
    }
    assert_eq!(world.put(&[("gala", 0), ("nobody", 1)]), []);
}

#[test]
fn deadlines_go_with_the_show() {
    let world = World::new();
    let gala = created(&mut world.shard_of(0), "gala");
    held(&mut world.shard_of(0), gala, vec![hold(0, 0)]);
    world.put(&[("gala", 2)]);
    world.clock.0.store(100_000, Ordering::SeqCst);
    let mut shard = world.shard_of(2);
    assert!(shard.inventory.next_deadline().is_some());
    assert_eq!(
        held(&mut shard, SHOW, vec![Command::GetHold(hold_id(0)), hold(1, 0)]),
        [Some(HoldState::Expired), Some(HoldState::Held)]
    );
}

#[test]
fn a_show_is_loaded_in_place_of_itself_alone() {
    let world = World::new();
    let mut shard = world.shard_of(0);
    let (gala, matinee) = (created(&mut shard, "gala"), created(&mut shard, "matinee"));
    let state = shard.inventory.freeze(gala).store();
    held(&mut shard, gala, vec![hold(0, 0)]);
    let version = shard.inventory.show(gala).unwrap().version();
    let loaded = |state: &[u8]| crate::event::ShowLoaded { of_shard: 0, of_lsn: 1, state: state.to_vec() };
    for (number, fits) in [(gala, true), (matinee, false), (ShowNumber(2), false), (ShowNumber(3), false)] {
        assert_eq!(shard.inventory.check_load(number, &loaded(&state)).is_ok(), fits, "{number:?}");
    }
    assert!(shard.inventory.check_load(gala, &loaded(&state[1..])).is_err());
    let mut event = crate::event::Event::ShowLoaded(Box::new(loaded(&state)));
    shard.inventory.apply(gala, &mut event, Timestamp(2_000));
    invariants::check(&shard.inventory);
    let show = shard.inventory.show(gala).unwrap();
    assert_eq!((show.owned().count(), show.version()), (0, version + 1), "as it was, and newer than it is");
}

#[test]
fn a_show_is_put_back_by_an_event_of_its_log() {
    let world = World::new();
    let gala = created(&mut world.shard_of(0), "gala");
    held(&mut world.shard_of(0), gala, vec![hold(0, 0)]);
    let state = world.shard_of(0).inventory.freeze(gala).store();
    held(&mut world.shard_of(0), gala, vec![hold(1, 1), hold(2, 2)]);
    for shard in [0, 1] {
        let loaded = crate::event::ShowLoaded { of_shard: 0, of_lsn: 2, state: state.clone() };
        let mut log = world.store.log(ShardId(shard)).unwrap();
        let (id, lsn) = crate::restoring::restore_show(&mut log, Timestamp(3_000), loaded).unwrap();
        assert_eq!((id.as_str(), log.tail().lsn), ("gala", lsn));
        let mut shard = world.shard_of(shard);
        assert_eq!(shard.time.now(), Timestamp(3_000));
        let look = [0, 1].map(|number| Command::GetHold(hold_id(number)));
        assert_eq!(held(&mut shard, gala, look.to_vec()), [Some(HoldState::Held), None]);
    }
}
