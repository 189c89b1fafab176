//! `usher.v1.Inventory`: commands to a show, one or a batch, and lookups.

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};
use usher_engine::{
    command::Command,
    ids::ShowId,
    inventory::manifest::Manifest,
    router::{Router, ShowEntry},
    shard::{Fault, Outcome, Request as ShardRequest, ShardHandle, Shows},
    time::Clock as _,
};
use usher_proto::v1::{
    self, command::Command as WireCommand, inventory_server::Inventory, outcome::Outcome as WireOutcome,
};

use super::{
    Draining, ask,
    batch::{Asked, Batch, Of, Outcomes},
    charge,
    inbox_room::InboxRoom,
    newest,
    session::{self, SessionStream},
    submit,
};
use crate::{
    access,
    clock::WallClock,
    convert::{self, answers, lookups},
    status::Refusal,
};

/// The service.
pub struct InventoryService {
    room: InboxRoom,
    router: Router,
    draining: Draining,
}

impl InventoryService {
    /// Over the shards of this process, until it drains.
    #[must_use]
    pub fn new(router: Router, draining: Draining) -> Self {
        Self { room: InboxRoom::of(&router), router, draining }
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
        charge(access::claims(&id).as_ref(), &command, WallClock.elapsed())?;
        let hold_id = command.hold_id();
        let outcomes = execute(shard, &show, vec![command]).await?;
        let show = newest(&self.router, &id, show);
        match outcomes.into_iter().next() {
            Some(Ok(answer)) => Ok(answers::outcome(&wire, answer, show_id, &show.manifest)),
            Some(Err(rejection)) => Err(Refusal::rejected(&rejection, &show.manifest).of_hold(hold_id)),
            None => Err(Refusal::from(Fault::OutcomeUnknown)),
        }
    }

    async fn batch(&self, request: v1::ExecuteRequest) -> Result<v1::ExecuteResponse, Refusal> {
        let asked = Asked::Commands(request.commands);
        let (batch, parts) = Batch::read(&self.router, &Of::One(request.show_id), asked)?;
        let mut decided = Vec::with_capacity(parts.len());
        for part in parts {
            decided.push(Ok(ask(|reply| part.submit(&self.router, access::decide_by(), reply)).await?));
        }
        match batch.outcomes(&self.router, decided)? {
            Outcomes::Each(outcomes) => Ok(v1::ExecuteResponse { outcomes }),
            Outcomes::Columns(_) => Err(Refusal::internal("outcomes in columns where none were asked for")),
        }
    }

    async fn list(&self, request: v1::ListHoldsRequest) -> Result<v1::ListHoldsResponse, Refusal> {
        let read = |manifest: &Manifest| lookups::list_holds(&request, manifest);
        let id = convert::show_id(&request.show_id).map_err(|refusal| convert::also_wrong(refusal, read))?;
        let (id, show, shard) = self.find(&request.show_id, id)?;
        let lookup = read(&show.manifest)?;
        let (number, by, from, max) = (show.number, lookup.by.clone(), lookup.from, lookup.max);
        let asked = |reply| submit(shard, ShardRequest::Lookup { show: number, by, from, max, reply });
        let page = ask(asked).await?;
        let show = newest(&self.router, &id, show);
        Ok(lookups::page_to_wire(page, &lookup, &request.show_id, &show.manifest))
    }
}

async fn execute(shard: &ShardHandle, show: &ShowEntry, commands: Vec<Command>) -> Result<Vec<Outcome>, Refusal> {
    show.note_commands(commands.len());
    let show = show.number;
    ask(|reply| submit(shard, ShardRequest::Execute { shows: Shows::One(show), commands, reply })).await
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

            type SessionStream = SessionStream;

            async fn session(
                &self,
                request: Request<Streaming<v1::SessionRequest>>,
            ) -> Result<Response<Self::SessionStream>, Status> {
                let (router, room, draining) = (self.router.clone(), self.room.clone(), self.draining.clone());
                Ok(Response::new(session::start(router, room, request.into_inner(), draining)))
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
