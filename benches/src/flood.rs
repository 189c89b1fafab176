//! Buyers who come at a rate of their own, however busy the server is (open loop), through frontends that do what frontends
//! should: they put together who comes within a few milliseconds, settle before they claim, and send nobody who has given up.
//!
//! What counts is what is answered within two seconds of when the buyer came, and not put off: goodput.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::SocketAddr,
    time::Duration,
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::{sync::mpsc, task::JoinSet, time::Instant};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Streaming,
    transport::{Channel, Endpoint},
};
use usher_client::{
    Batch,
    v1::{self, inventory_client::InventoryClient, outcome::Outcome as Answer},
};
use usher_server::load::asked::Name;

use crate::{
    over_network::{SEATS_OF_SHOW, SHOWS, id_of},
    percentiles::Percentiles,
};

/// Who waits for longer has gone. It is twice what a server lets anybody wait in a queue.
const PATIENCE: Duration = Duration::from_secs(2);
/// Who is not sent by then would be answered too late: he is told so at once.
const UNSENT_MAX: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(2);
const BATCH_COMMANDS_MAX: usize = 2_048;
/// Batches of a frontend that are not answered yet: who comes meanwhile waits here, where it costs least to send him home.
const UNDER_WAY_MAX: usize = 2;

/// The shape of a flood.
#[derive(Clone, Copy, Debug)]
pub struct Flood {
    /// Buyers a second, in all.
    pub rate: f64,
    /// Streams that they come through.
    pub sessions: u32,
    /// Connections of these.
    pub connections: u32,
    /// How long they come.
    pub takes: Duration,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Survived {
    /// Buyers who came.
    pub came: u64,
    /// Holds and releases that were answered in time.
    pub good: u64,
    /// Answered, but too late.
    pub late: u64,
    /// Told to come again later, or that their time was over.
    pub put_off: u64,
    /// Why, and how often.
    pub reasons: BTreeMap<String, u64>,
    /// Never sent.
    pub unsent: u64,
    /// Releases.
    pub settled: u64,
    /// Of these, put off or late.
    pub settled_badly: u64,
    /// Of what was good.
    pub latency: Percentiles,
}

impl Survived {
    fn add(&mut self, other: &Self) {
        self.came += other.came;
        self.good += other.good;
        self.late += other.late;
        self.put_off += other.put_off;
        for (reason, count) in &other.reasons {
            *self.reasons.entry(reason.clone()).or_default() += count;
        }
        self.unsent += other.unsent;
        self.settled += other.settled;
        self.settled_badly += other.settled_badly;
        self.latency.add(&other.latency);
    }
}

/// Lets them come.
///
/// # Panics
/// When a stream breaks.
pub async fn run(address: SocketAddr, flood: Flood) -> Survived {
    let mut channels = Vec::new();
    for _ in 0..flood.connections {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address").tcp_nodelay(true);
        channels.push(endpoint.connect().await.expect("a server"));
    }
    let mut running = JoinSet::new();
    for (number, channel) in (0..flood.sessions).zip(channels.iter().cycle().cloned()) {
        running.spawn(async move { Frontend::open(channel, number).await.run(flood).await });
    }
    let mut all = Survived::default();
    for survived in running.join_all().await {
        all.add(&survived);
    }
    all
}

/// One stream of a frontend.
struct Frontend {
    messages: mpsc::Sender<v1::SessionRequest>,
    answers: Streaming<v1::SessionResponse>,
    random: StdRng,
    /// Buyers who wait to be sent: when so many came.
    claims: VecDeque<(Instant, u32)>,
    /// Holds that are to be given back, and since when.
    settles: Vec<(Instant, HoldId)>,
    under_way: HashMap<u64, Vec<Sent>>,
    show: u32,
    next_tag: u64,
    survived: Survived,
}

type HoldId = [u8; 16];

struct Sent {
    came: Instant,
    hold_id: HoldId,
    settles: bool,
}

impl Frontend {
    async fn open(channel: Channel, number: u32) -> Self {
        let (messages, requests) = mpsc::channel(1);
        let mut client = InventoryClient::new(channel).max_decoding_message_size(64 << 20);
        let answers = client.session(ReceiverStream::new(requests)).await.expect("a session").into_inner();
        Self {
            messages,
            answers,
            random: StdRng::seed_from_u64(rand::random()),
            claims: VecDeque::new(),
            settles: Vec::new(),
            under_way: HashMap::new(),
            show: number % SHOWS,
            next_tag: 0,
            survived: Survived::default(),
        }
    }

    async fn run(mut self, flood: Flood) -> Survived {
        let begun = Instant::now();
        let rate = flood.rate / f64::from(flood.sessions);
        let mut came = 0;
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while begun.elapsed() < flood.takes + PATIENCE {
            tokio::select! {
                biased;
                answered = self.answers.message() => {
                    let answered = answered.expect("a stream").expect("it goes on");
                    answered.batches.into_iter().for_each(|batch| self.answered(batch));
                }
                now = tick.tick() => {
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of buyers")]
                    let all = (begun.elapsed().min(flood.takes).as_secs_f64() * rate) as u64;
                    let count = u32::try_from(all - came).expect("buyers of a tick");
                    (came, self.survived.came) = (all, all);
                    if count > 0 {
                        self.claims.push_back((now, count));
                    }
                    self.send_home(now);
                }
            }
            self.send();
        }
        self.survived.unsent += self.claims.iter().map(|(_, count)| u64::from(*count)).sum::<u64>();
        self.survived.late += self.under_way.values().map(|sent| sent.len() as u64).sum::<u64>();
        self.survived
    }

    /// Those who could not be sent for too long.
    fn send_home(&mut self, now: Instant) {
        while let Some((came, count)) = self.claims.front().copied().filter(|(came, _)| now - *came > UNSENT_MAX) {
            self.claims.pop_front();
            debug_assert!(came < now);
            self.survived.unsent += u64::from(count);
        }
    }

    fn send(&mut self) {
        if self.under_way.len() >= UNDER_WAY_MAX {
            return;
        }
        let Ok(permit) = self.messages.clone().try_reserve_owned() else { return };
        let mut sent: Vec<Sent> = Vec::new();
        let count = self.settles.len().min(BATCH_COMMANDS_MAX);
        for (came, hold_id) in self.settles.drain(..count) {
            sent.push(Sent { came, hold_id, settles: true });
        }
        while let Some((came, waiting)) = self.claims.front_mut() {
            let count = (BATCH_COMMANDS_MAX - sent.len()).min(*waiting as usize);
            let ids = (0..count).map(|_| self.random.random());
            sent.extend(ids.map(|hold_id| Sent { came: *came, hold_id, settles: false }));
            *waiting -= u32::try_from(count).unwrap_or_default();
            if *waiting > 0 {
                break;
            }
            self.claims.pop_front();
        }
        let Some(first) = sent.iter().map(|sent| sent.came).min() else { return };
        let columns = Some(self.columns(&sent));
        let left = (first + PATIENCE).saturating_duration_since(Instant::now()).as_millis().max(1);
        let timeout_ms = u32::try_from(left).ok();
        let (tag, show_id) = (self.next_tag, id_of(self.show));
        self.next_tag += 1;
        self.under_way.insert(tag, sent);
        let batch = v1::SessionBatch { tag, show_id, timeout_ms, columns, ..Default::default() };
        permit.send(v1::SessionRequest { batches: vec![batch] });
    }

    fn columns(&mut self, sent: &[Sent]) -> v1::CommandColumns {
        let mut batch = Batch::with_capacity(sent.len());
        for Sent { hold_id, settles, .. } in sent {
            // Everybody holds once.
            let number = hold_id.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
            let buyer = Name::of_buyer(number);
            if *settles {
                batch.release(*hold_id, buyer.as_str());
            } else {
                batch.hold(*hold_id, buyer.as_str(), &[self.random.random_range(0..SEATS_OF_SHOW)]);
            }
        }
        batch.into()
    }

    fn answered(&mut self, batch: v1::SessionOutcomes) {
        let sent = self.under_way.remove(&batch.tag).expect("a batch under way");
        let now = Instant::now();
        let columns = batch.columns.unwrap_or_default();
        let (mut codes, mut others) = (columns.codes.iter(), columns.others.into_iter());
        let whole = batch.refused.map(|no| no.reason);
        for Sent { came, hold_id, settles } in sent {
            // Whether he holds something now. A seat that is taken is an answer, too.
            let became = match codes.next() {
                Some(0) => Ok(!settles),
                Some(1) => Ok(false),
                Some(_) => match others.next().and_then(|other| other.outcome) {
                    Some(Answer::Rejection(no)) => Err(no.reason),
                    other => panic!("nobody asked for {other:?}"),
                },
                None => Err(whole.clone().expect("outcomes for all")),
            };
            let in_time = now - came <= PATIENCE;
            self.survived.settled += u64::from(settles);
            self.survived.settled_badly += u64::from(settles && (became.is_err() || !in_time));
            // Who was put off comes back, or his seat stays taken.
            if became == Ok(true) || settles && became.is_err() {
                self.settles.push((now, hold_id));
            }
            match became {
                Err(reason) => {
                    self.survived.put_off += 1;
                    *self.survived.reasons.entry(reason).or_default() += 1;
                }
                Ok(_) if !in_time => self.survived.late += 1,
                Ok(_) => {
                    self.survived.good += 1;
                    self.survived.latency.note(now - came);
                }
            }
        }
    }
}
