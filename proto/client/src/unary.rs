//! The calls that are no commands: lookups, and those of organisers. Each travels by itself, and is repeated like a command:
//! all of them may be sent again.

use std::{future::Future, sync::Arc};

use tokio::time::Instant;
use tonic::{Response, Status};
use usher_proto::v1::{
    self, availability_client::AvailabilityClient, groups_client::GroupsClient, inventory_client::InventoryClient,
    operations_client::OperationsClient, shows_client::ShowsClient,
};

use crate::{Error, Inventory, credentials::Calling, node::Node};

/// Largest answer that is read: a whole manifest.
const ANSWER_BYTES_MAX: usize = 64 << 20;

impl Inventory {
    async fn unary<T, F: Future<Output = Result<Response<T>, Status>>>(
        &self,
        show_id: &str,
        call: impl Fn(Calling) -> F,
    ) -> Result<T, Error> {
        let attempt = |node: Arc<Node>| {
            let answer = call(node.channel.clone());
            async { answer.await.map(Response::into_inner).map_err(|status| Box::new(status.into())) }
        };
        self.until_answered(show_id, Instant::now(), attempt).await
    }
}

/// A method for each call: the request in, its response out. `of` says where the show is in the request.
macro_rules! calls {
    ($($(#[$doc:meta])* $client:ident.$method:ident($request:ident$(, of $show_id:ident)?) -> $response:ident,)*) => {
        impl Inventory {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// [`Error::Refused`], [`Error::TimedOut`].
                pub async fn $method(&self, request: v1::$request) -> Result<v1::$response, Error> {
                    let show_id: &str = calls!(@show request $($show_id)?);
                    self.unary(show_id, |channel| {
                        let request = request.clone();
                        async move {
                            let client = $client::new(channel);
                            client.max_decoding_message_size(ANSWER_BYTES_MAX).$method(request).await
                        }
                    })
                    .await
                }
            )*
        }
    };
    (@show $request:ident $show_id:ident) => { &$request.$show_id };
    (@show $request:ident) => { "" };
}

calls! {
    /// Holds and bookings of a buyer, of an order or of the show, in pages.
    InventoryClient.list_holds(ListHoldsRequest, of show_id) -> ListHoldsResponse,
    /// Holds places in several shows, or in none.
    GroupsClient.hold_group(HoldGroupRequest) -> HoldGroupResponse,
    /// Sells every member of a group, or none.
    GroupsClient.confirm_group(ConfirmGroupRequest, of show_id) -> ConfirmGroupResponse,
    /// Releases every member of a group.
    GroupsClient.release_group(ReleaseGroupRequest, of show_id) -> ReleaseGroupResponse,
    /// Tells the fate of a group.
    GroupsClient.get_group(GetGroupRequest, of show_id) -> GetGroupResponse,
    /// Which places are available.
    AvailabilityClient.get_seat_map(GetSeatMapRequest, of show_id) -> GetSeatMapResponse,
    /// Creates a show.
    ShowsClient.create_show(CreateShowRequest, of show_id) -> CreateShowResponse,
    /// Creates a show from a seating plan.
    ShowsClient.import_show(ImportShowRequest, of show_id) -> ImportShowResponse,
    /// A show with its manifest.
    ShowsClient.get_show(GetShowRequest, of show_id) -> GetShowResponse,
    /// The shows of the server that the client was made for, in pages.
    ShowsClient.list_shows(ListShowsRequest) -> ListShowsResponse,
    /// A show's counts.
    ShowsClient.get_show_overview(GetShowOverviewRequest, of show_id) -> GetShowOverviewResponse,
    /// Sets when the sale opens and closes.
    ShowsClient.schedule_sale(ScheduleSaleRequest, of show_id) -> ScheduleSaleResponse,
    /// Opens the sale now.
    ShowsClient.open_sale(OpenSaleRequest, of show_id) -> OpenSaleResponse,
    /// Takes no new holds for a while.
    ShowsClient.pause_sale(PauseSaleRequest, of show_id) -> PauseSaleResponse,
    /// Ends the sale.
    ShowsClient.close_sale(CloseSaleRequest, of show_id) -> CloseSaleResponse,
    /// The show does not take place.
    ShowsClient.cancel_show(CancelShowRequest, of show_id) -> CancelShowResponse,
    /// Only looked up from now on.
    ShowsClient.archive_show(ArchiveShowRequest, of show_id) -> ArchiveShowResponse,
    /// Changes rules, or tells those in force.
    ShowsClient.update_policy(UpdatePolicyRequest, of show_id) -> UpdatePolicyResponse,
    /// Other places and prices.
    ShowsClient.change_manifest(ChangeManifestRequest, of show_id) -> ChangeManifestResponse,
    /// Withholds places.
    ShowsClient.block_places(BlockPlacesRequest, of show_id) -> BlockPlacesResponse,
    /// Offers withheld places.
    ShowsClient.unblock_places(UnblockPlacesRequest, of show_id) -> UnblockPlacesResponse,
    /// Takes seats out for good.
    ShowsClient.retire_seats(RetireSeatsRequest, of show_id) -> RetireSeatsResponse,
    /// Plans when withheld places come back.
    ShowsClient.schedule_release(ScheduleReleaseRequest, of show_id) -> ScheduleReleaseResponse,
    /// Defines a channel.
    ShowsClient.set_channel(SetChannelRequest, of show_id) -> SetChannelResponse,
    /// Puts seats into a channel.
    ShowsClient.assign_channel(AssignChannelRequest, of show_id) -> AssignChannelResponse,
    /// Takes snapshots now.
    OperationsClient.take_snapshots(TakeSnapshotsRequest) -> TakeSnapshotsResponse,
}
