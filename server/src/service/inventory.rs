//! `usher.v1.Inventory`: commands to a show, one or a batch.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use usher_engine::{
    command::Command,
    router::{Router, ShowEntry},
    shard::{Outcome, Request as ShardRequest, ShardHandle},
};
use usher_proto::v1::{self, inventory_server::Inventory, outcome::Outcome as WireOutcome};

use super::ask;
use crate::{
    convert::{self, Violations},
    status::Refusal,
};

/// Most commands of one batch.
pub const BATCH_COMMANDS_MAX: usize = 4_096;

/// The service.
pub struct InventoryService {
    router: Router,
}

impl InventoryService {
    /// Over the shards of this process.
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self { router }
    }

    fn find(&self, show_id: &str) -> Result<(Arc<ShowEntry>, &ShardHandle), Refusal> {
        let id = convert::show_id(show_id)?;
        self.router.find(&id).map_err(|why| Refusal::show_not_found(show_id, why))
    }

    /// One command, read by `parse`.
    async fn one(
        &self,
        show_id: &str,
        parse: impl FnOnce(&ShowEntry) -> Result<Command, Refusal>,
    ) -> Result<WireOutcome, Refusal> {
        let (show, shard) = self.find(show_id)?;
        let command = parse(&show)?;
        let hold_id = command.hold_id();
        let outcomes = execute(shard, &show, vec![command]).await?;
        match outcomes.into_iter().next() {
            Some(Ok(answer)) => Ok(convert::answer(answer, show_id, &show.manifest)),
            Some(Err(rejection)) => Err(Refusal::rejected(&rejection, &show.manifest).of_hold(hold_id)),
            None => Err(Refusal::from(usher_engine::shard::Fault::OutcomeUnknown)),
        }
    }

    /// A batch, in order. What cannot be read is refused in its place.
    async fn batch(&self, request: v1::ExecuteRequest) -> Result<v1::ExecuteResponse, Refusal> {
        let count = request.commands.len();
        if !(1..=BATCH_COMMANDS_MAX).contains(&count) {
            let mut violations = Violations::default();
            violations.note("commands", format!("must be 1 to {BATCH_COMMANDS_MAX}, are {count}"));
            return Err(violations.into_refusal());
        }
        let show_id = &request.show_id;
        let (show, shard) = self.find(show_id)?;
        let mut commands = Vec::with_capacity(count);
        let mut unread = Vec::new();
        for (position, wire) in request.commands.iter().enumerate() {
            match convert::command(wire, show_id, &show.manifest) {
                Ok(command) => commands.push(command),
                Err(refusal) => unread.push((position, refusal)),
            }
        }
        let decided = if commands.is_empty() { Vec::new() } else { execute(shard, &show, commands).await? };
        let mut decided = decided.into_iter();
        let mut unread = unread.into_iter().peekable();
        let outcomes = (0..count).map(|position| {
            let outcome = match unread.next_if(|(refused, _)| *refused == position) {
                Some((_, refusal)) => Some(WireOutcome::Rejection(refusal.into_rejection())),
                None => decided.next().map(|outcome| wire_outcome(outcome, show_id, &show)),
            };
            v1::Outcome { outcome }
        });
        Ok(v1::ExecuteResponse { outcomes: outcomes.collect() })
    }
}

async fn execute(shard: &ShardHandle, show: &ShowEntry, commands: Vec<Command>) -> Result<Vec<Outcome>, Refusal> {
    let show = show.number;
    ask(|reply| shard.submit(ShardRequest::Execute { show, commands, reply })).await
}

fn wire_outcome(outcome: Outcome, show_id: &str, show: &ShowEntry) -> WireOutcome {
    match outcome {
        Ok(answer) => convert::answer(answer, show_id, &show.manifest),
        Err(rejection) => WireOutcome::Rejection(Refusal::rejected(&rejection, &show.manifest).into_rejection()),
    }
}

/// The answer of the kind that the call promises.
macro_rules! respond {
    ($outcome:expr, $kind:ident) => {
        match $outcome.map_err(Refusal::into_status)? {
            WireOutcome::$kind(response) => Ok(Response::new(response)),
            _ => Err(Status::internal("an answer of another kind than the command")),
        }
    };
}

#[tonic::async_trait]
impl Inventory for InventoryService {
    async fn hold_seats(
        &self,
        request: Request<v1::HoldSeatsRequest>,
    ) -> Result<Response<v1::HoldSeatsResponse>, Status> {
        let request = request.into_inner();
        let outcome = self.one(&request.show_id, |show| convert::hold_seats(&request, &show.manifest)).await;
        respond!(outcome, HoldSeats)
    }

    async fn extend_hold(
        &self,
        request: Request<v1::ExtendHoldRequest>,
    ) -> Result<Response<v1::ExtendHoldResponse>, Status> {
        let request = request.into_inner();
        let outcome = self.one(&request.show_id, |_| convert::extend_hold(&request)).await;
        respond!(outcome, ExtendHold)
    }

    async fn release_hold(
        &self,
        request: Request<v1::ReleaseHoldRequest>,
    ) -> Result<Response<v1::ReleaseHoldResponse>, Status> {
        let request = request.into_inner();
        let outcome = self.one(&request.show_id, |show| convert::release_hold(&request, &show.manifest)).await;
        respond!(outcome, ReleaseHold)
    }

    async fn confirm_hold(
        &self,
        request: Request<v1::ConfirmHoldRequest>,
    ) -> Result<Response<v1::ConfirmHoldResponse>, Status> {
        let request = request.into_inner();
        let outcome = self.one(&request.show_id, |show| convert::confirm_hold(&request, &show.manifest)).await;
        respond!(outcome, ConfirmHold)
    }

    async fn get_hold(&self, request: Request<v1::GetHoldRequest>) -> Result<Response<v1::GetHoldResponse>, Status> {
        let request = request.into_inner();
        let outcome = self.one(&request.show_id, |_| convert::get_hold(&request)).await;
        respond!(outcome, GetHold)
    }

    async fn execute(&self, request: Request<v1::ExecuteRequest>) -> Result<Response<v1::ExecuteResponse>, Status> {
        self.batch(request.into_inner()).await.map(Response::new).map_err(Refusal::into_status)
    }
}
