//! `usher.v1.Inventory`: commands to a show, one or a batch, and lookups.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use usher_engine::{
    command::Command,
    ids::ShowId,
    inventory::manifest::Manifest,
    router::{Router, ShowEntry},
    shard::{Fault, Outcome, Request as ShardRequest, ShardHandle},
};
use usher_proto::v1::{
    self, command::Command as WireCommand, inventory_server::Inventory, outcome::Outcome as WireOutcome,
};

use super::{ask, newest};
use crate::{
    convert::{self, answers, lookups},
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

    fn find(&self, show_id: &str, id: ShowId) -> Result<(ShowId, Arc<ShowEntry>, &ShardHandle), Refusal> {
        let (entry, shard) = self.router.find(&id).map_err(|why| Refusal::show_not_found(show_id, why))?;
        Ok((id, entry, shard))
    }

    /// One command.
    async fn one(&self, wire: WireCommand) -> Result<WireOutcome, Refusal> {
        let show_id = convert::show_id_of(&wire);
        let read = |manifest: &Manifest| convert::command(&wire, manifest);
        let id = convert::show_id(show_id).map_err(|refusal| convert::also_wrong(refusal, read))?;
        let (id, show, shard) = self.find(show_id, id)?;
        let command = read(&show.manifest)?;
        let hold_id = command.hold_id();
        let outcomes = execute(shard, &show, vec![command]).await?;
        let show = newest(&self.router, &id, show);
        match outcomes.into_iter().next() {
            Some(Ok(answer)) => Ok(answers::outcome(&wire, answer, show_id, &show.manifest)),
            Some(Err(rejection)) => Err(Refusal::rejected(&rejection, &show.manifest).of_hold(hold_id)),
            None => Err(Refusal::from(Fault::OutcomeUnknown)),
        }
    }

    /// A batch, in order. What cannot be read is refused in its place.
    async fn batch(&self, request: v1::ExecuteRequest) -> Result<v1::ExecuteResponse, Refusal> {
        let (count, show_id) = (request.commands.len(), &request.show_id);
        let is_batch = (1..=BATCH_COMMANDS_MAX).contains(&count);
        let wrong = || Refusal::wrong("commands", format_args!("must be 1 to {BATCH_COMMANDS_MAX}, are {count}"));
        let (id, ()) = convert::both(convert::show_id(show_id), is_batch.then_some(()).ok_or_else(wrong))?;
        let (id, show, shard) = self.find(show_id, id)?;
        let mut commands = Vec::with_capacity(count);
        let mut unread = Vec::new();
        for (position, wire) in request.commands.iter().enumerate() {
            match convert::command_of_batch(wire, show_id, &show.manifest) {
                Ok(command) => commands.push(command),
                Err(refusal) => unread.push((position, refusal)),
            }
        }
        let decided = if commands.is_empty() { Vec::new() } else { execute(shard, &show, commands).await? };
        let show = newest(&self.router, &id, show);
        let mut decided = decided.into_iter();
        let mut unread = unread.into_iter().peekable();
        let outcomes = request.commands.iter().enumerate().map(|(position, wire)| {
            let outcome = match (unread.next_if(|(refused, _)| *refused == position), &wire.command) {
                (Some((_, refusal)), _) => Some(WireOutcome::Rejection(refusal.into_rejection())),
                (None, Some(asked)) => decided.next().map(|outcome| wire_outcome(asked, outcome, show_id, &show)),
                (None, None) => None,
            };
            v1::Outcome { outcome }
        });
        Ok(v1::ExecuteResponse { outcomes: outcomes.collect() })
    }

    async fn list(&self, request: v1::ListHoldsRequest) -> Result<v1::ListHoldsResponse, Refusal> {
        let read = |manifest: &Manifest| lookups::list_holds(&request, manifest);
        let id = convert::show_id(&request.show_id).map_err(|refusal| convert::also_wrong(refusal, read))?;
        let (id, show, shard) = self.find(&request.show_id, id)?;
        let lookup = read(&show.manifest)?;
        let (number, by, from, max) = (show.number, lookup.by.clone(), lookup.from, lookup.max);
        let page = ask(|reply| shard.submit(ShardRequest::Lookup { show: number, by, from, max, reply })).await?;
        let show = newest(&self.router, &id, show);
        Ok(lookups::page_to_wire(page, &lookup, &request.show_id, &show.manifest))
    }
}

async fn execute(shard: &ShardHandle, show: &ShowEntry, commands: Vec<Command>) -> Result<Vec<Outcome>, Refusal> {
    let show = show.number;
    ask(|reply| shard.submit(ShardRequest::Execute { show, commands, reply })).await
}

fn wire_outcome(asked: &WireCommand, outcome: Outcome, show_id: &str, show: &ShowEntry) -> WireOutcome {
    match outcome {
        Ok(answer) => answers::outcome(asked, answer, show_id, &show.manifest),
        Err(rejection) => WireOutcome::Rejection(Refusal::rejected(&rejection, &show.manifest).into_rejection()),
    }
}

/// The service's methods: each command is read, sent and answered in the same way, whatever its kind.
macro_rules! inventory {
    ($($method:ident: $kind:ident($request:ident) -> $response:ident,)*) => {
        #[tonic::async_trait]
        impl Inventory for InventoryService {
            $(async fn $method(
                &self,
                request: Request<v1::$request>,
            ) -> Result<Response<v1::$response>, Status> {
                match self.one(WireCommand::$kind(request.into_inner().into())).await {
                    Ok(WireOutcome::$kind(response)) => Ok(Response::new(response)),
                    Ok(_) => Err(Refusal::internal("an answer of another kind than the command").into_status()),
                    Err(refusal) => Err(refusal.into_status()),
                }
            })*

            async fn list_holds(
                &self,
                request: Request<v1::ListHoldsRequest>,
            ) -> Result<Response<v1::ListHoldsResponse>, Status> {
                self.list(request.into_inner()).await.map(Response::new).map_err(Refusal::into_status)
            }

            async fn execute(
                &self,
                request: Request<v1::ExecuteRequest>,
            ) -> Result<Response<v1::ExecuteResponse>, Status> {
                self.batch(request.into_inner()).await.map(Response::new).map_err(Refusal::into_status)
            }
        }
    };
}

inventory! {
    hold_seats: HoldSeats(HoldSeatsRequest) -> HoldSeatsResponse,
    extend_hold: ExtendHold(ExtendHoldRequest) -> ExtendHoldResponse,
    release_hold: ReleaseHold(ReleaseHoldRequest) -> ReleaseHoldResponse,
    confirm_hold: ConfirmHold(ConfirmHoldRequest) -> ConfirmHoldResponse,
    get_hold: GetHold(GetHoldRequest) -> GetHoldResponse,
    hold_best: HoldBest(HoldBestRequest) -> HoldBestResponse,
    pin_hold: PinHold(PinHoldRequest) -> PinHoldResponse,
    unpin_hold: UnpinHold(UnpinHoldRequest) -> UnpinHoldResponse,
    sell_places: SellPlaces(SellPlacesRequest) -> SellPlacesResponse,
    cancel_booking: CancelBooking(CancelBookingRequest) -> CancelBookingResponse,
    transfer_booking: TransferBooking(TransferBookingRequest) -> TransferBookingResponse,
    exchange_seats: ExchangeSeats(ExchangeSeatsRequest) -> ExchangeSeatsResponse,
    join_waitlist: JoinWaitlist(JoinWaitlistRequest) -> JoinWaitlistResponse,
    leave_waitlist: LeaveWaitlist(LeaveWaitlistRequest) -> LeaveWaitlistResponse,
}
