//! A turn of the shard: decide many, append once, answer all.

use std::time::Duration;

use usher_wal::{LogError, Lsn};

use super::{
    Notice, Shard, Turn,
    request::{CreateShow, CreatedShow, Fault, Outcome, PreparedMember, Reply, Request, StopReport},
};
use crate::{
    codec::PayloadWriter,
    command::Command,
    event::Event,
    ids::{HoldId, ShowNumber},
    inventory::{Due, Inventory, lookups::Page, overview::Overview, seat_map::SeatMap},
    rejection::Rejection,
    time::Timestamp,
};

/// What is reused from turn to turn.
#[derive(Default)]
pub(super) struct Buffers {
    payload: PayloadWriter,
    events: Vec<Event>,
    answered: Vec<Answered>,
    /// Shows whose description changed.
    changed: Vec<ShowNumber>,
    turn: Box<Turn>,
}

/// Whether the shard goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It does.
    Go,
    /// It was told to end, and everything before that is durable and answered.
    Stop,
}

/// A decided request that waits for its batch to be durable.
enum Answered {
    Execute(Vec<Outcome>, Reply<Vec<Outcome>>),
    CreateShow(Result<CreatedShow, Rejection>, Reply<Result<CreatedShow, Rejection>>),
    SeatMap(SeatMap, Reply<SeatMap>),
    Lookup(Page, Reply<Page>),
    Overview(Box<Overview>, Reply<Overview>),
    Prepared(Vec<PreparedMember>, Reply<Vec<PreparedMember>>),
    /// It is answered when its round has ended.
    Snapshot,
    Stop(Reply<StopReport>),
}

impl Shard {
    /// Takes a batch through deciding, logging and answering.
    ///
    /// # Errors
    /// When the append failed: the batch was answered with [`Fault::OutcomeUnknown`], and the state is not to be used
    /// any more.
    pub fn turn(&mut self, batch: impl Iterator<Item = Request>) -> Result<Flow, LogError> {
        let now = self.advance_clock();
        self.look_at_disk();
        let mut buffers = std::mem::take(&mut self.buffers);
        let began = self.clock.elapsed();
        let flow = self.decide_and_log(batch, now, &mut buffers);
        let ended = self.clock.elapsed();
        if flow.is_ok() {
            self.tell_of_changes(&mut buffers.changed);
            self.tell_of_turn(std::mem::take(&mut buffers.turn), ended.saturating_sub(began), now);
        }
        buffers.changed.clear();
        let answered = buffers.answered.drain(..);
        match &flow {
            Ok(_) => answered.for_each(|answered| answered.deliver(&self.inventory, self.log.tail().lsn)),
            Err(_) => answered.for_each(Answered::outcome_unknown),
        }
        if flow.is_ok() {
            let took = self.clock.elapsed().saturating_sub(ended);
            (self.observer)(self.log.shard(), Notice::Answered { took });
        }
        *buffers.turn = Turn::default();
        buffers.payload.clear();
        self.buffers = buffers;
        flow
    }

    /// Before those who asked for the changes hear of them: whoever asks next finds them.
    fn tell_of_changes(&self, changed: &mut Vec<ShowNumber>) {
        changed.sort_unstable();
        changed.dedup();
        for &number in changed.iter() {
            let show = self.inventory.created_show(number, true);
            (self.observer)(self.log.shard(), Notice::ShowChanged(Box::new(show)));
        }
    }

    /// A turn took so long with its appends.
    fn tell_of_turn(&mut self, mut turn: Box<Turn>, took: Duration, now: Timestamp) {
        turn.waited = std::mem::take(&mut self.turns.waited);
        turn.decide = took.saturating_sub(turn.append);
        turn.holds = self.turns.is_time_for_holds(now).then(|| self.inventory.live_holds());
        (self.observer)(self.log.shard(), Notice::Decided(turn));
    }

    fn decide_and_log(
        &mut self,
        batch: impl Iterator<Item = Request>,
        now: Timestamp,
        buffers: &mut Buffers,
    ) -> Result<Flow, LogError> {
        let mut batch = batch;
        let refuses = self.disk.refuses();
        let mut failed = if refuses.is_none() { self.expire(now, buffers).err() } else { None };
        let mut flow = Flow::Go;
        // A batch may need several frames. After a failed append the rest is not decided, only answered.
        for request in &mut batch {
            if failed.is_some() {
                request.refuse(Fault::OutcomeUnknown);
                continue;
            }
            if let Some(fault) = refuses.filter(|_| request.may_change()) {
                request.refuse(fault);
                continue;
            }
            if matches!(request, Request::Stop(_)) {
                flow = Flow::Stop;
            }
            failed = self.decide(request, now, buffers).err();
        }
        match failed {
            Some(error) => Err(error),
            None => self.append(now, buffers).map(|()| flow),
        }
    }

    fn expire(&mut self, now: Timestamp, buffers: &mut Buffers) -> Result<(), LogError> {
        let first = self.inventory.next_deadline();
        for (show, due) in self.inventory.take_due(now, self.options.expiries_per_batch_max) {
            if matches!(due, Due::Expire(_)) {
                buffers.turn.expired += 1;
                buffers.turn.late_ms = first.map_or(0, |first| now.ms_since(first));
            }
            self.inventory.fall_due(show, due, &mut buffers.events);
            self.apply(show, now, buffers)?;
        }
        Ok(())
    }

    fn decide(&mut self, request: Request, now: Timestamp, buffers: &mut Buffers) -> Result<(), LogError> {
        buffers.turn.requests += 1;
        let (answered, logged) = match request {
            Request::Execute { show, commands, reply } => {
                let (outcomes, logged) = self.execute(show, &commands, now, buffers);
                (Answered::Execute(outcomes, reply), logged)
            }
            Request::CreateShow(create) => self.create_show(create, now, buffers),
            Request::SeatMap { show, reply } => {
                let show = self.inventory.show(show).expect("a show of the router");
                (Answered::SeatMap(show.seat_map(now), reply), Ok(()))
            }
            Request::Lookup { show, by, from, max, reply } => {
                let show = self.inventory.show(show).expect("a show of the router");
                (Answered::Lookup(show.lookup(&by, from, max, now), reply), Ok(()))
            }
            Request::Overview { show, reply } => {
                let show = self.inventory.show(show).expect("a show of the router");
                (Answered::Overview(Box::new(show.overview(now)), reply), Ok(()))
            }
            Request::Prepared { after, max, reply } => {
                (Answered::Prepared(self.inventory.prepared(after, max, now), reply), Ok(()))
            }
            Request::Snapshot(reply) => {
                self.snapshotter.ask(reply);
                (Answered::Snapshot, Ok(()))
            }
            Request::Stop(reply) => (Answered::Stop(reply), Ok(())),
        };
        buffers.answered.push(answered);
        logged
    }

    fn execute(
        &mut self,
        show: ShowNumber,
        commands: &[Command],
        now: Timestamp,
        buffers: &mut Buffers,
    ) -> (Vec<Outcome>, Result<(), LogError>) {
        let mut outcomes = Vec::with_capacity(commands.len());
        for some in commands.chunks(Inventory::TOUCHED_AT_ONCE) {
            self.inventory.touch(show, some);
            for command in some {
                outcomes.push(self.inventory.decide(show, command, now, &mut buffers.events));
                if let Err(error) = self.apply(show, now, buffers) {
                    return (outcomes, Err(error));
                }
                if let (Command::JoinWaitlist(_), Some(joined @ Ok(_))) = (command, outcomes.last_mut()) {
                    // What is free may have been offered at once: the same command again tells how the entry stands.
                    *joined = self.inventory.decide(show, command, now, &mut buffers.events);
                }
                outcomes.last().into_iter().for_each(|outcome| buffers.turn.note(command, outcome));
            }
        }
        (outcomes, Ok(()))
    }

    fn create_show(
        &mut self,
        create: CreateShow,
        now: Timestamp,
        buffers: &mut Buffers,
    ) -> (Answered, Result<(), LogError>) {
        let decided = self.inventory.decide_create(*create.created, &mut buffers.events);
        let number = self.inventory.next_number();
        let logged = self.apply(number, now, buffers);
        let created = decided.map(|existing| {
            let number = existing.unwrap_or(number);
            self.inventory.created_show(number, existing.is_some())
        });
        (Answered::CreateShow(created, create.reply), logged)
    }

    /// Logs and applies what was decided, and what follows from it for those who wait: in one frame, so that what came
    /// back for them is never anybody else's. A frame that is large enough is appended at once.
    fn apply(&mut self, show: ShowNumber, now: Timestamp, buffers: &mut Buffers) -> Result<(), LogError> {
        for event in &mut buffers.events {
            if event.changes_description() {
                buffers.changed.push(show);
            }
            buffers.payload.push(show, event, now);
            self.inventory.apply(show, event, now);
        }
        buffers.events.clear();
        while let Some(mut event) = self.inventory.follow(show, now) {
            buffers.payload.push(show, &event, now);
            self.inventory.apply(show, &mut event, now);
        }
        if buffers.payload.bytes().len() < self.options.batch_bytes_max {
            return Ok(());
        }
        self.append(now, buffers)
    }

    fn append(&mut self, now: Timestamp, buffers: &mut Buffers) -> Result<(), LogError> {
        if buffers.payload.events() > 0 {
            let (began, since) = (self.clock.now(), self.clock.elapsed());
            self.log.append(now.0, buffers.payload.bytes())?;
            buffers.turn.append += self.clock.elapsed().saturating_sub(since);
            buffers.turn.bytes += buffers.payload.bytes().len() as u64;
            buffers.turn.events += buffers.payload.events();
            self.snapshotter.note_append(buffers.payload.bytes().len());
            self.note_append(began);
            buffers.payload.clear();
        }
        Ok(())
    }
}

impl Inventory {
    /// Members of groups that wait for the decision, behind this one, by show and id.
    fn prepared(&self, after: Option<(ShowNumber, HoldId)>, max: usize, now: Timestamp) -> Vec<PreparedMember> {
        let from = after.map_or(ShowNumber(0), |(show, _)| show);
        let shows = self.shows().skip(from.0 as usize);
        let members = shows.flat_map(|(show, own)| {
            let after = after.filter(|(last, _)| *last == show).map(|(_, id)| id);
            own.prepared(after, max, now).into_iter().map(move |hold| PreparedMember {
                show,
                show_id: own.id().clone(),
                hold,
            })
        });
        members.take(max).collect()
    }

    /// A show of this inventory as the router needs to know it. It must exist.
    pub(super) fn created_show(&self, number: ShowNumber, existed: bool) -> CreatedShow {
        let show = self.show(number).expect("a show that exists");
        CreatedShow {
            show_id: show.id().clone(),
            number,
            manifest: show.manifest().clone(),
            manifest_version: show.manifest_version(),
            policy: *show.policy(),
            sale: *show.sale(),
            existed,
        }
    }
}

impl Answered {
    fn deliver(self, inventory: &Inventory, lsn: Lsn) {
        match self {
            Self::Execute(outcomes, reply) => reply(Ok(outcomes)),
            Self::CreateShow(created, reply) => reply(Ok(created)),
            Self::SeatMap(map, reply) => reply(Ok(map)),
            Self::Lookup(page, reply) => reply(Ok(page)),
            Self::Overview(overview, reply) => reply(Ok(*overview)),
            Self::Prepared(members, reply) => reply(Ok(members)),
            Self::Snapshot => {}
            Self::Stop(reply) => reply(Ok(StopReport { lsn, state_hash: inventory.state_hash() })),
        }
    }

    fn outcome_unknown(self) {
        match self {
            Self::Execute(_, reply) => reply(Err(Fault::OutcomeUnknown)),
            Self::CreateShow(_, reply) => reply(Err(Fault::OutcomeUnknown)),
            Self::SeatMap(_, reply) => reply(Err(Fault::OutcomeUnknown)),
            Self::Lookup(_, reply) => reply(Err(Fault::OutcomeUnknown)),
            Self::Overview(_, reply) => reply(Err(Fault::OutcomeUnknown)),
            Self::Prepared(_, reply) => reply(Err(Fault::OutcomeUnknown)),
            Self::Snapshot => {}
            Self::Stop(reply) => reply(Err(Fault::OutcomeUnknown)),
        }
    }
}
