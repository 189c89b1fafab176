//! One caller of a load: sends a batch, waits for its answer, pays or gives back what it won, and asks for more.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tonic::{Code, transport::Channel};
use usher_engine::ids::HoldId;
use usher_proto::v1::{self, command::Command, inventory_client::InventoryClient, outcome::Outcome};

use super::{LoadOptions, Progress, Tally};

/// Of ten winners, how many pay.
const PAYING_OF_TEN: u32 = 9;
/// Before a refused batch is sent again.
const BACK_OFF: Duration = Duration::from_millis(20);

pub(super) struct Worker {
    client: InventoryClient<Channel>,
    show_id: String,
    seats: u32,
    batch: usize,
    random: StdRng,
    number: usize,
    buyers: u64,
    progress: Arc<Progress>,
    /// Granted and not yet paid or given back.
    won: Vec<(prost::bytes::Bytes, String)>,
    done: Tally,
}

impl Worker {
    pub(super) fn new(
        channel: Channel,
        show_id: &str,
        seats: u32,
        options: LoadOptions,
        number: usize,
        progress: Arc<Progress>,
    ) -> Self {
        Self {
            client: InventoryClient::new(channel),
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
            let commands = self.next_batch();
            let request = v1::ExecuteRequest { show_id: self.show_id.clone(), commands };
            let sent = Instant::now();
            let outcomes = self.send(&request).await?;
            let micros = u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.done.latency_us.saturating_record_n(micros, outcomes.len() as u64);
            self.learn(request.commands, outcomes)?;
        }
        Ok(self.done)
    }

    /// Sends a batch until it is taken: overload and recovery are no failures, and the ids make it safe.
    async fn send(&mut self, request: &v1::ExecuteRequest) -> anyhow::Result<Vec<v1::Outcome>> {
        loop {
            match self.client.execute(request.clone()).await {
                Ok(answer) => return Ok(answer.into_inner().outcomes),
                Err(status) if matches!(status.code(), Code::ResourceExhausted | Code::Unavailable) => {
                    self.done.shed += 1;
                    tokio::time::sleep(BACK_OFF).await;
                }
                Err(status) => return Err(status).context("executing a batch"),
            }
        }
    }

    /// First what was won, then new attempts.
    fn next_batch(&mut self) -> Vec<v1::Command> {
        let mut commands = Vec::with_capacity(self.batch);
        for (hold_id, buyer_id) in std::mem::take(&mut self.won) {
            let pays = self.random.random_range(0..10) < PAYING_OF_TEN;
            commands.push(if pays { confirm(hold_id, buyer_id) } else { release(hold_id, buyer_id) });
        }
        while commands.len() < self.batch {
            self.buyers += 1;
            let seat = self.random.random_range(0..self.seats);
            let hold_id: [u8; 16] = self.random.random();
            let buyer_id = format!("buyer-{}-{}", self.number, self.buyers);
            commands.push(hold(hold_id, buyer_id, seat));
        }
        commands
    }

    fn learn(&mut self, commands: Vec<v1::Command>, outcomes: Vec<v1::Outcome>) -> anyhow::Result<()> {
        anyhow::ensure!(
            commands.len() == outcomes.len(),
            "{} outcomes for {} commands",
            outcomes.len(),
            commands.len()
        );
        let (mut attempts, mut granted, mut sold) = (0, 0, 0);
        for (command, outcome) in commands.into_iter().zip(outcomes) {
            match (command.command, outcome.outcome) {
                (Some(Command::HoldSeats(hold)), Some(Outcome::HoldSeats(_))) => {
                    attempts += 1;
                    granted += 1;
                    self.won.push((hold.hold_id, hold.buyer_id));
                }
                (Some(Command::HoldSeats(_)), Some(Outcome::Rejection(rejection)))
                    if rejection.reason == "PLACES_TAKEN" =>
                {
                    attempts += 1;
                }
                (Some(Command::ConfirmHold(confirm)), Some(Outcome::ConfirmHold(_))) => {
                    sold += 1;
                    self.done.sold.push(HoldId::new(&confirm.hold_id)?);
                }
                (Some(Command::ReleaseHold(_)), Some(Outcome::ReleaseHold(_))) => self.done.released += 1,
                (command, outcome) => bail!("{command:?} was answered by {outcome:?}"),
            }
        }
        self.done.attempts += attempts;
        self.done.granted += granted;
        self.done.refused += attempts - granted;
        self.progress.add(attempts, granted, sold);
        Ok(())
    }
}

fn hold(hold_id: [u8; 16], buyer_id: String, seat: u32) -> v1::Command {
    let places = v1::Places { seat_indexes: vec![seat], ..v1::Places::default() };
    command(Command::HoldSeats(v1::HoldSeatsRequest {
        hold_id: hold_id.to_vec().into(),
        buyer_id,
        places: Some(places),
        ..v1::HoldSeatsRequest::default()
    }))
}

fn confirm(hold_id: prost::bytes::Bytes, buyer_id: String) -> v1::Command {
    let order_ref = format!("order-of-{buyer_id}");
    command(Command::ConfirmHold(v1::ConfirmHoldRequest {
        hold_id,
        buyer_id,
        order_ref,
        ..v1::ConfirmHoldRequest::default()
    }))
}

fn release(hold_id: prost::bytes::Bytes, buyer_id: String) -> v1::Command {
    command(Command::ReleaseHold(v1::ReleaseHoldRequest { hold_id, buyer_id, ..v1::ReleaseHoldRequest::default() }))
}

fn command(command: Command) -> v1::Command {
    v1::Command { command: Some(command) }
}
