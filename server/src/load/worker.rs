//! One caller of a load: sends a batch, waits for its answer, pays or gives back what it won, and asks for more.

use std::{
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use usher_client::{Batch, Became, Error, Inventory, Reason};
use usher_engine::ids::HoldId;

use super::{LoadOptions, Progress, Tally};

/// Of ten winners, how many pay.
const PAYING_OF_TEN: u32 = 9;
/// Before a refused batch is sent again.
const BACK_OFF: Duration = Duration::from_millis(20);

pub(super) struct Worker {
    client: Inventory,
    show_id: String,
    seats: u32,
    batch: usize,
    random: StdRng,
    number: usize,
    buyers: u64,
    progress: Arc<Progress>,
    /// Granted and not yet paid or given back.
    won: Vec<Asked>,
    done: Tally,
}

/// A command that was sent.
struct Asked {
    does: Does,
    hold_id: [u8; 16],
    /// By its number.
    buyer: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    Hold,
    Confirm,
    Release,
}

impl Worker {
    pub(super) fn new(
        client: Inventory,
        show_id: &str,
        seats: u32,
        options: LoadOptions,
        number: usize,
        progress: Arc<Progress>,
    ) -> Self {
        Self {
            client,
            show_id: show_id.to_owned(),
            seats,
            batch: options.batch,
            random: StdRng::seed_from_u64(options.seed.wrapping_add(number as u64)),
            number,
            buyers: 0,
            progress,
            won: Vec::new(),
            done: Tally::default(),
        }
    }

    pub(super) async fn run(mut self, until: Instant) -> anyhow::Result<Tally> {
        while Instant::now() < until {
            let (asked, batch) = self.next_batch();
            let sent = Instant::now();
            let became = self.send(&batch).await?;
            let micros = u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.done.latency_us.saturating_record_n(micros, became.len() as u64);
            self.learn(asked, became)?;
        }
        Ok(self.done)
    }

    /// Sends a batch until it is taken: overload and recovery are no failures, and the ids make it safe.
    async fn send(&mut self, batch: &Batch) -> anyhow::Result<Vec<Became>> {
        loop {
            match self.client.run_batch(&self.show_id, batch).await {
                Ok(became) => return Ok(became),
                Err(Error::TimedOut { .. }) => {
                    self.done.shed += 1;
                    tokio::time::sleep(BACK_OFF).await;
                }
                Err(error) => return Err(error).context("running a batch"),
            }
        }
    }

    /// First what was won, then new attempts.
    fn next_batch(&mut self) -> (Vec<Asked>, Batch) {
        let mut asked = std::mem::take(&mut self.won);
        let mut batch = Batch::with_capacity(self.batch.max(asked.len()));
        let (mut buyer, mut order) = (String::new(), String::new());
        for Asked { does, hold_id, buyer: number } in &mut asked {
            name(&mut buyer, "buyer", self.number, *number);
            if self.random.random_range(0..10) < PAYING_OF_TEN {
                name(&mut order, "order", self.number, *number);
                batch.confirm(*hold_id, &buyer, &order, "");
                *does = Does::Confirm;
            } else {
                batch.release(*hold_id, &buyer);
                *does = Does::Release;
            }
        }
        while asked.len() < self.batch {
            self.buyers += 1;
            let (hold_id, seat) = (self.random.random(), self.random.random_range(0..self.seats));
            name(&mut buyer, "buyer", self.number, self.buyers);
            batch.hold(hold_id, &buyer, &[seat]);
            asked.push(Asked { does: Does::Hold, hold_id, buyer: self.buyers });
        }
        (asked, batch)
    }

    fn learn(&mut self, asked: Vec<Asked>, became: Vec<Became>) -> anyhow::Result<()> {
        anyhow::ensure!(asked.len() == became.len(), "{} outcomes for {} commands", became.len(), asked.len());
        let (mut attempts, mut granted, mut sold) = (0, 0, 0);
        for (asked, became) in asked.into_iter().zip(became) {
            match (asked.does, became) {
                (Does::Hold, Became::Held { .. }) => {
                    attempts += 1;
                    granted += 1;
                    self.won.push(asked);
                }
                (Does::Hold, Became::Taken) => attempts += 1,
                (Does::Confirm, Became::Sold) => {
                    sold += 1;
                    self.done.sold.push(HoldId::new(&asked.hold_id)?);
                }
                (Does::Release, Became::Released) => self.done.released += 1,
                (_, Became::Refused(no)) if matches!(no.reason, Reason::Overloaded | Reason::RateLimited) => {
                    self.done.shed += 1;
                    if asked.does != Does::Hold {
                        self.won.push(asked);
                    }
                }
                (_, other) => bail!("a command was answered by {other:?}"),
            }
        }
        self.done.attempts += attempts;
        self.done.granted += granted;
        self.done.refused += attempts - granted;
        self.progress.add(attempts, granted, sold);
        Ok(())
    }
}

fn name(text: &mut String, what: &str, caller: usize, number: u64) {
    text.clear();
    // Writing into a string does not fail.
    let _ = write!(text, "{what}-{caller}-{number}");
}
