//! Plain calls of many tasks, written by each straight into the columns in which they travel together.
//!
//! The first one for a show sends word to the stream's task; whoever comes until that takes the batch travels with it. All of
//! them wait for one answer, of which each reads his own.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, OnceLock},
};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

use crate::{
    batch::{BATCH_COMMANDS_MAX, Batch, Became},
    error::Refused,
};

/// The batches that nobody has taken yet, by show. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gathering(Arc<Mutex<HashMap<Box<str>, VecDeque<Gathered>>>>);

/// A batch that gathers.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) batch: Batch,
    pub(crate) answers: Arc<Answers>,
    /// When the last of them gives up.
    pub(crate) deadline: Instant,
}

/// A command's place among those that travel with it.
#[derive(Debug)]
pub(crate) struct Place {
    answers: Arc<Answers>,
    position: usize,
    /// Word has to be sent for its batch.
    pub(crate) is_first: bool,
}

/// What became of a batch, for all who wait for it.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    all: OnceLock<Result<Vec<Became>, Box<Refused>>>,
    told: Notify,
}

impl Gathering {
    /// Adds a command to the show's last batch, or to a new one where that is full.
    pub(crate) fn add(&self, show_id: &str, deadline: Instant, command: impl FnOnce(&mut Batch)) -> Place {
        let mut shows = self.0.lock();
        let batches = match shows.get_mut(show_id) {
            Some(batches) => batches,
            None => shows.entry(show_id.into()).or_default(),
        };
        let is_first = batches.back().is_none_or(|last| last.batch.len() >= BATCH_COMMANDS_MAX);
        if is_first {
            batches.push_back(Gathered { batch: Batch::default(), answers: Arc::default(), deadline });
        }
        let last = batches.back_mut().expect("there is one");
        command(&mut last.batch);
        last.deadline = last.deadline.max(deadline);
        Place { answers: Arc::clone(&last.answers), position: last.batch.len() - 1, is_first }
    }

    /// The show's first batch, which is closed with it.
    pub(crate) fn take(&self, show_id: &str) -> Option<Gathered> {
        let mut shows = self.0.lock();
        let batches = shows.get_mut(show_id)?;
        let first = batches.pop_front();
        if batches.is_empty() {
            shows.remove(show_id);
        }
        first
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

    #[tokio::test]
    async fn who_comes_until_a_batch_is_taken_travels_with_it() {
        let (gathering, now) = (Gathering::default(), Instant::now());
        let hold = |seat: u32| gathering.add("gala", now, |batch| batch.hold([1; 16], "ada", &[seat]));
        let (first, second) = (hold(1), hold(2));
        assert!(first.is_first && !second.is_first);
        let taken = gathering.take("gala").unwrap();
        assert_eq!(taken.batch.len(), 2);
        assert!(gathering.take("gala").is_none() && hold(3).is_first);
        taken.answers.tell(Ok(vec![Became::Taken, Became::Sold]));
        assert_eq!((first.answer().await, second.answer().await), (Ok(Became::Taken), Ok(Became::Sold)));
    }

    #[test]
    fn a_full_batch_is_followed_by_another() {
        let (gathering, now) = (Gathering::default(), Instant::now());
        let firsts = (0..=BATCH_COMMANDS_MAX)
            .filter(|_| gathering.add("gala", now, |batch| batch.release([1; 16], "ada")).is_first);
        assert_eq!(firsts.collect::<Vec<_>>(), [0, BATCH_COMMANDS_MAX]);
        let lengths = [(); 2].map(|()| gathering.take("gala").unwrap().batch.len());
        assert_eq!(lengths, [BATCH_COMMANDS_MAX, 1]);
    }
}
