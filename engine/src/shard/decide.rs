//! A turn of the shard: decide many, append once, answer all. The latter two are [`committer`](super::committer)'s.

use usher_wal::LogError;

use super::{
    Shard,
    committer::{Answered, Pending},
    request::{CreateShow, CreatedShow, Fault, Outcome, PreparedMember, Reply, Request, Shows, StopReport},
};
use crate::{
    command::Command,
    ids::{HoldId, ShowNumber},
    inventory::{Due, Inventory},
    time::Timestamp,
};

/// Whether the shard goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It does.
    Go,
    /// It was told to end, and everything before that is durable and answered.
    Stop,
}

impl Shard {
    /// Takes a batch through deciding, logging and answering. In a shard that serves, the latter two of a large batch may go on
    /// when this returns.
    ///
    /// # Errors
    /// When an append failed: this batch, or the last, was answered with [`Fault::OutcomeUnknown`], and the state is not to be
    /// used any more.
    pub fn turn(&mut self, batch: impl Iterator<Item = Request>) -> Result<Flow, LogError> {
        let now = self.advance_clock();
        self.look_at_disk();
        let mut pending = std::mem::take(&mut self.pending);
        pending.now = now;
        pending.since = self.clock.elapsed();
        pending.turn.waited = std::mem::take(&mut self.turns.waited);
        let mut stops = None;
        let decided = self.decide_all(batch, &mut pending, &mut stops);
        let durable = decided.and_then(|()| self.commit(&mut pending));
        self.pending = pending;
        let Some(reply) = stops else {
            return durable.map(|()| Flow::Go).inspect_err(|_| self.pending.outcome_unknown());
        };
        match durable.and_then(|()| self.committer.settled()) {
            Ok(writer) => {
                let (lsn, state_hash) = (writer.log.tail().lsn, self.inventory.state_hash());
                reply(Ok(StopReport { lsn, state_hash }));
                Ok(Flow::Stop)
            }
            Err(error) => {
                self.pending.outcome_unknown();
                reply(Err(Fault::OutcomeUnknown));
                Err(error)
            }
        }
    }

    /// Of everything that is decided so far.
    fn commit(&mut self, pending: &mut Pending) -> Result<(), LogError> {
        pending.turn.decide = self.clock.elapsed().saturating_sub(pending.since);
        pending.turn.holds = self.turns.is_time_for_holds(pending.now).then(|| self.inventory.live_holds());
        let now = pending.now;
        self.snapshotter.note_append(pending.payload.bytes().len());
        let committed = self.committer.commit(pending);
        (pending.now, pending.since) = (now, self.clock.elapsed());
        committed
    }

    fn decide_all(
        &mut self,
        batch: impl Iterator<Item = Request>,
        pending: &mut Pending,
        stops: &mut Option<Reply<StopReport>>,
    ) -> Result<(), LogError> {
        let refuses = self.disk.refuses();
        let mut failed = if refuses.is_none() { self.expire(pending).err() } else { None };
        // A batch may need several frames. After a failed append the rest is not decided, only answered.
        for request in batch {
            if failed.is_some() {
                request.refuse(Fault::OutcomeUnknown);
                continue;
            }
            if let Some(fault) = refuses.filter(|_| request.may_change()) {
                request.refuse(fault);
                continue;
            }
            failed = self.decide(request, pending, stops).err();
        }
        failed.map_or(Ok(()), Err)
    }

    fn expire(&mut self, pending: &mut Pending) -> Result<(), LogError> {
        let now = pending.now;
        let first = self.inventory.next_deadline();
        for (show, due) in self.inventory.take_due(now, self.options.expiries_per_batch_max) {
            if matches!(due, Due::Expire(_)) {
                pending.turn.expired += 1;
                pending.turn.late_ms = first.map_or(0, |first| now.ms_since(first));
            }
            self.inventory.fall_due(show, due, &mut pending.events);
            self.apply(show, pending)?;
        }
        Ok(())
    }

    fn decide(
        &mut self,
        request: Request,
        pending: &mut Pending,
        stops: &mut Option<Reply<StopReport>>,
    ) -> Result<(), LogError> {
        let now = pending.now;
        pending.turn.requests += 1;
        let (answered, logged) = match request {
            Request::Execute { shows, commands, reply } => {
                let (outcomes, logged) = self.execute(&shows, &commands, pending);
                (Answered::Execute(outcomes, reply), logged)
            }
            Request::CreateShow(create) => self.create_show(create, pending),
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
                // It is answered when its round has ended.
                self.snapshotter.ask(reply);
                return Ok(());
            }
            Request::Stop(reply) => {
                *stops = Some(reply);
                return Ok(());
            }
        };
        pending.answered.push(answered);
        logged
    }

    fn execute(
        &mut self,
        shows: &Shows,
        commands: &[Command],
        pending: &mut Pending,
    ) -> (Vec<Outcome>, Result<(), LogError>) {
        let now = pending.now;
        let mut outcomes = Vec::with_capacity(commands.len());
        for some in commands.chunks(Inventory::TOUCHED_AT_ONCE) {
            let first = outcomes.len();
            self.inventory.touch(some, |position| shows.of(first + position));
            for (position, command) in some.iter().enumerate() {
                let show = shows.of(first + position);
                outcomes.push(self.inventory.decide(show, command, now, &mut pending.events));
                if let Err(error) = self.apply(show, pending) {
                    return (outcomes, Err(error));
                }
                if let (Command::JoinWaitlist(_), Some(joined @ Ok(_))) = (command, outcomes.last_mut()) {
                    // What is free may have been offered at once: the same command again tells how the entry stands.
                    *joined = self.inventory.decide(show, command, now, &mut pending.events);
                }
                outcomes.last().into_iter().for_each(|outcome| pending.turn.note(command, outcome));
            }
        }
        (outcomes, Ok(()))
    }

    fn create_show(&mut self, create: CreateShow, pending: &mut Pending) -> (Answered, Result<(), LogError>) {
        let decided = self.inventory.decide_create(*create.created, &mut pending.events);
        let number = self.inventory.next_number();
        let logged = self.apply(number, pending);
        let created = decided.map(|existing| {
            let number = existing.unwrap_or(number);
            self.inventory.created_show(number, existing.is_some())
        });
        (Answered::CreateShow(created, create.reply), logged)
    }

    /// Logs and applies what was decided, and what follows from it for those who wait: in one frame, so that what came
    /// back for them is never anybody else's. A frame that is large enough is appended at once.
    fn apply(&mut self, show: ShowNumber, pending: &mut Pending) -> Result<(), LogError> {
        let now = pending.now;
        let mut is_changed = false;
        for event in &mut pending.events {
            is_changed |= event.changes_description();
            pending.payload.push(show, event, now);
            self.inventory.apply(show, event, now);
        }
        pending.events.clear();
        while let Some(mut event) = self.inventory.follow(show, now) {
            pending.payload.push(show, &event, now);
            self.inventory.apply(show, &mut event, now);
        }
        if is_changed {
            pending.changed.push(self.inventory.created_show(show, true));
        }
        if pending.payload.bytes().len() < self.options.batch_bytes_max { Ok(()) } else { self.commit(pending) }
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
