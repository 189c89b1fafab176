//! Plain calls of many tasks, written by each straight into the columns in which they travel together.
//!
//! A show's calls gather while batches of its are under way: one that its shard decides and one that waits there. More of
//! them would be decided together all the same, and cost both ends a message each. All who travel together wait for one
//! answer, of which each reads his own.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, OnceLock},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

use crate::{
    batch::{BATCH_COMMANDS_MAX, Batch, Became},
    error::Refused,
};

/// Batches of a show that are under way.
const UNDER_WAY_MAX: usize = 2;

/// The batches of a connection that are not sent yet. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gathering(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    shows: Mutex<Shows>,
    /// One more show may be taken from.
    word: Notify,
}

#[derive(Debug, Default)]
struct Shows {
    of: HashMap<Box<str>, OfShow>,
    /// Those that may be taken from, in the order in which they were.
    ready: VecDeque<Box<str>>,
}

#[derive(Debug, Default)]
struct OfShow {
    gathered: VecDeque<Gathered>,
    under_way: usize,
    is_ready: bool,
}

/// A batch that gathers.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) batch: Batch,
    pub(crate) answers: Arc<Answers>,
    /// When the first of them came.
    since: Instant,
    /// When the last of them gives up.
    pub(crate) deadline: Instant,
}

/// A command's place among those that travel with it.
#[derive(Debug)]
pub(crate) struct Place {
    answers: Arc<Answers>,
    position: usize,
}

/// What became of a batch, for all who wait for it.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    all: OnceLock<Result<Vec<Became>, Box<Refused>>>,
    told: Notify,
}

impl Gathering {
    /// Adds a command to the show's last batch, or to a new one where that is full; unless those before it have waited for
    /// longer than that.
    ///
    /// # Errors
    /// How long they have.
    pub(crate) fn add(
        &self,
        show_id: &str,
        (now, deadline): (Instant, Instant),
        wait_max: Duration,
        command: impl FnOnce(&mut Batch),
    ) -> Result<Place, Duration> {
        let mut shows = self.0.shows.lock();
        let Shows { of, ready } = &mut *shows;
        let of_show = match of.get_mut(show_id) {
            Some(of_show) => of_show,
            None => of.entry(show_id.into()).or_default(),
        };
        let waited =
            of_show.gathered.front().map_or(Duration::ZERO, |first| now.saturating_duration_since(first.since));
        if waited > wait_max {
            return Err(waited);
        }
        if of_show.gathered.back().is_none_or(|last| last.batch.len() >= BATCH_COMMANDS_MAX) {
            let (batch, answers) = (Batch::default(), Arc::default());
            of_show.gathered.push_back(Gathered { batch, answers, since: now, deadline });
        }
        let last = of_show.gathered.back_mut().expect("there is one");
        command(&mut last.batch);
        last.deadline = last.deadline.max(deadline);
        let place = Place { answers: Arc::clone(&last.answers), position: last.batch.len() - 1 };
        if of_show.becomes_ready() {
            ready.push_back(show_id.into());
            drop(shows);
            self.0.word.notify_one();
        }
        Ok(place)
    }

    /// Waits until something may be taken. There may be nothing all the same.
    pub(crate) async fn word(&self) {
        self.0.word.notified().await;
    }

    /// Whether something may be taken now.
    pub(crate) fn is_ready(&self) -> bool {
        !self.0.shows.lock().ready.is_empty()
    }

    /// The next batch that may be sent, and its show; it is under way from now on.
    pub(crate) fn take(&self) -> Option<(Box<str>, Gathered)> {
        let mut shows = self.0.shows.lock();
        let Shows { of, ready } = &mut *shows;
        let show_id = ready.pop_front()?;
        let of_show = of.get_mut(&show_id)?;
        let taken = of_show.gathered.pop_front()?;
        (of_show.under_way, of_show.is_ready) = (of_show.under_way + 1, false);
        if of_show.becomes_ready() {
            ready.push_back(show_id.clone());
        }
        Some((show_id, taken))
    }

    /// A batch of the show was answered.
    pub(crate) fn was_answered(&self, show_id: &str) {
        let mut shows = self.0.shows.lock();
        let Shows { of, ready } = &mut *shows;
        let Some(of_show) = of.get_mut(show_id) else { return };
        of_show.under_way -= 1;
        if of_show.becomes_ready() {
            ready.push_back(show_id.into());
        } else if of_show.under_way == 0 && of_show.gathered.is_empty() {
            of.remove(show_id);
        }
    }

    /// Everybody who waits to be sent hears this instead, and nothing is under way any more.
    pub(crate) fn refuse_all(&self, refused: &Refused) {
        let shows = std::mem::take(&mut *self.0.shows.lock());
        let gathered = shows.of.into_values().flat_map(|of_show| of_show.gathered);
        gathered.for_each(|gathered| gathered.answers.tell(Err(Box::new(refused.clone()))));
    }
}

impl OfShow {
    /// Whether it may be taken from, and could not before.
    fn becomes_ready(&mut self) -> bool {
        let becomes = !self.is_ready && !self.gathered.is_empty() && self.under_way < UNDER_WAY_MAX;
        self.is_ready |= becomes;
        becomes
    }
}

impl Answers {
    /// Everybody is told.
    pub(crate) fn tell(&self, all: Result<Vec<Became>, Box<Refused>>) {
        // Nobody else has.
        let _ = self.all.set(all);
        self.told.notify_waiters();
    }
}

impl Place {
    /// What became of the command.
    pub(crate) async fn answer(self) -> Result<Became, Box<Refused>> {
        let told = self.answers.told.notified();
        if self.answers.all.get().is_none() {
            told.await;
        }
        match self.answers.all.get() {
            Some(Ok(all)) => match all.get(self.position) {
                Some(Became::Refused(refused)) => Err(refused.clone()),
                Some(became) => Ok(became.clone()),
                None => Err(crate::connection::lost("the outcomes are not those of the batch")),
            },
            Some(Err(refused)) => Err(refused.clone()),
            None => Err(crate::connection::lost("the connection broke")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Gathering {
        fn hold(&self, seat: u32) -> Place {
            let now = Instant::now();
            self.add("gala", (now, now), Duration::MAX, |batch| batch.hold([1; 16], "ada", &[seat])).unwrap()
        }

        fn take_seats(&self) -> usize {
            self.take().map_or(0, |(_, gathered)| gathered.batch.len())
        }
    }

    #[tokio::test]
    async fn who_comes_until_a_batch_is_taken_travels_with_it() {
        let gathering = Gathering::default();
        let (first, second) = (gathering.hold(1), gathering.hold(2));
        gathering.word().await;
        let (show_id, taken) = gathering.take().unwrap();
        assert_eq!((&*show_id, taken.batch.len()), ("gala", 2));
        assert!(gathering.take().is_none() && !gathering.is_ready());
        taken.answers.tell(Ok(vec![Became::Taken, Became::Sold]));
        assert_eq!((first.answer().await, second.answer().await), (Ok(Became::Taken), Ok(Became::Sold)));
    }

    #[test]
    fn while_two_batches_are_under_way_the_third_gathers() {
        let gathering = Gathering::default();
        for _ in 0..UNDER_WAY_MAX {
            gathering.hold(1);
            assert_eq!(gathering.take_seats(), 1);
        }
        (0..5).for_each(|seat| drop(gathering.hold(seat)));
        assert!(!gathering.is_ready() && gathering.take().is_none());
        gathering.was_answered("gala");
        assert!(gathering.is_ready());
        assert_eq!(gathering.take_seats(), 5);
        (0..UNDER_WAY_MAX).for_each(|_| gathering.was_answered("gala"));
        assert!(gathering.0.shows.lock().of.is_empty());
    }

    #[test]
    fn a_full_batch_is_followed_by_another() {
        let gathering = Gathering::default();
        (0..=u32::try_from(BATCH_COMMANDS_MAX).unwrap()).for_each(|seat| drop(gathering.hold(seat)));
        assert_eq!([(); 2].map(|()| gathering.take_seats()), [BATCH_COMMANDS_MAX, 1]);
    }

    #[tokio::test]
    async fn where_others_have_waited_for_too_long_nobody_joins_them_and_all_hear_of_an_end() {
        let gathering = Gathering::default();
        let waits = gathering.hold(1);
        let late = Instant::now() + Duration::from_secs(1);
        let add = |wait_max| gathering.add("gala", (late, late), wait_max, |batch| batch.release([1; 16], "ada"));
        assert!(add(Duration::from_millis(500)).unwrap_err() > Duration::from_millis(500));
        assert!(add(Duration::MAX).is_ok());
        gathering.refuse_all(&crate::connection::lost("it broke"));
        assert!(waits.answer().await.unwrap_err().message.contains("it broke"));
        assert!(gathering.take().is_none());
    }
}
