//! One caller of a load: asks for those who came, and for what they do next, and notes what they were told.
//!
//! In a closed loop it waits for its answers before it asks again; in an open one its buyers come at a rate of their own,
//! and their patience counts from when they meant to ask.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use tokio::{sync::Notify, task::JoinSet};
use usher_engine::ids::HoldId;

use super::{
    asked::{Asked, Told, Wants},
    link::Link,
    meter::Meter,
    scenario::Buyers,
    tally::Sale,
};

/// Before what was put off is asked again.
const BACK_OFF: Duration = Duration::from_millis(5);
/// Batches of a caller that are under way in an open loop: those who come meanwhile go together in larger ones.
const UNDER_WAY_MAX: usize = 16;

pub(super) struct Caller<L> {
    link: L,
    buyers: Box<dyn Buyers>,
    meter: Meter,
    /// Most commands that go together.
    together: usize,
    may_end: bool,
    /// What is to be asked, in this order.
    due: VecDeque<Asked>,
    /// What was put off.
    later: VecDeque<Asked>,
    sold: Vec<Sale>,
}

impl<L: Link> Caller<L> {
    pub(super) fn new(link: L, buyers: Box<dyn Buyers>, meter: Meter, together: usize, may_end: bool) -> Self {
        Self { link, buyers, meter, together, may_end, due: VecDeque::new(), later: VecDeque::new(), sold: Vec::new() }
    }

    /// Asks and waits, until then; those who hold something by then settle it.
    pub(super) async fn wait_for_each(mut self, until: Instant) -> anyhow::Result<Vec<Sale>> {
        let mut asked = Vec::with_capacity(self.together);
        loop {
            let now = Instant::now();
            asked.clear();
            self.take_due(&mut asked);
            while asked.len() < self.together && now < until {
                let Some(comes) = self.buyers.arrives(now) else { break };
                asked.push(comes);
            }
            if asked.is_empty() {
                return Ok(self.sold);
            }
            let told = self.link.ask(&asked).await?;
            self.learn(&asked, &told)?;
            if !self.later.is_empty() {
                tokio::time::sleep(BACK_OFF).await;
                self.due.append(&mut self.later);
            }
        }
    }

    /// Lets so many come in a second until then, whatever they are told; `clock` says when to look who has come.
    pub(super) async fn let_come(mut self, rate: f64, until: Instant, clock: Arc<Notify>) -> anyhow::Result<Vec<Sale>> {
        let (begun, mut came, mut again_at) = (Instant::now(), 0.0, None);
        let mut under_way: JoinSet<(Vec<Asked>, anyhow::Result<Vec<Told>>)> = JoinSet::new();
        // Single calls are put together by the client.
        let under_way_max = if self.together == 1 { usize::MAX } else { UNDER_WAY_MAX };
        let mut goes_on = true;
        while goes_on || !self.due.is_empty() || !self.later.is_empty() || !under_way.is_empty() {
            tokio::select! {
                Some(done) = under_way.join_next() => {
                    let (asked, told) = done.context("a batch")?;
                    self.learn(&asked, &told?)?;
                }
                () = clock.notified() => {}
            }
            let now = Instant::now();
            let due = (now.min(until) - begun).as_secs_f64() * rate;
            while came < due && goes_on {
                let intended = begun + Duration::from_secs_f64(came / rate);
                match self.buyers.arrives(intended) {
                    Some(comes) => self.due.push_back(comes),
                    None => goes_on = false,
                }
                came += 1.0;
            }
            goes_on &= now < until;
            if !self.later.is_empty() && now >= *again_at.get_or_insert(now + BACK_OFF) {
                again_at = None;
                self.due.append(&mut self.later);
            }
            while !self.due.is_empty() && under_way.len() < under_way_max {
                let (mut asked, link) = (Vec::new(), self.link.clone());
                self.take_due(&mut asked);
                under_way.spawn(async move {
                    let told = link.ask(&asked).await;
                    (asked, told)
                });
            }
        }
        Ok(self.sold)
    }

    /// As many as may go together.
    fn take_due(&mut self, asked: &mut Vec<Asked>) {
        asked.extend(self.due.drain(..self.together.min(self.due.len())));
    }

    fn learn(&mut self, asked: &[Asked], told: &[Told]) -> anyhow::Result<()> {
        ensure!(asked.len() == told.len(), "{} answers to {} commands", told.len(), asked.len());
        let Self { buyers, meter, due, later, sold, may_end, .. } = self;
        let now = Instant::now();
        meter.count(|tally| {
            for (asked, told) in asked.iter().zip(told) {
                ensure!(told.answers(asked.wants, *may_end), "{:?} was answered by {told:?}", asked.wants);
                let micros = u64::try_from((now - asked.came).as_micros()).unwrap_or(u64::MAX);
                tally.note(asked.wants, told, micros);
                match (asked.wants, told) {
                    (_, Told::Later) => {
                        later.push_back(*asked);
                        continue;
                    }
                    (Wants::Confirm, Told::Sold) => {
                        sold.push(Sale { show: asked.show, hold_id: HoldId::new(&asked.hold_id)?, seats: asked.seats });
                    }
                    _ => {}
                }
                if let Some(next) = buyers.goes_on(asked, told) {
                    due.push_back(Asked { came: now, ..next });
                }
            }
            Ok(())
        })
    }
}
