//! The methods of `usher.v1.Shows` as tonic calls them. Each has a namesake that does the work and knows no gRPC.

use tonic::{Request, Response, Status};
use usher_proto::v1::{self, shows_server::Shows};

use super::ShowsService;
use crate::status::Refusal;

macro_rules! methods {
    ($($method:ident($request:ident) -> $response:ident,)*) => {
        #[tonic::async_trait]
        impl Shows for ShowsService {
            $(async fn $method(
                &self,
                request: Request<v1::$request>,
            ) -> Result<Response<v1::$response>, Status> {
                // The namesake: a type's own functions come before its traits'.
                Self::$method(self, request.into_inner()).await.map(Response::new).map_err(Refusal::into_status)
            })*
        }
    };
}

methods! {
    create_show(CreateShowRequest) -> CreateShowResponse,
    import_show(ImportShowRequest) -> ImportShowResponse,
    get_show(GetShowRequest) -> GetShowResponse,
    list_shows(ListShowsRequest) -> ListShowsResponse,
    get_show_overview(GetShowOverviewRequest) -> GetShowOverviewResponse,
    schedule_sale(ScheduleSaleRequest) -> ScheduleSaleResponse,
    open_sale(OpenSaleRequest) -> OpenSaleResponse,
    pause_sale(PauseSaleRequest) -> PauseSaleResponse,
    close_sale(CloseSaleRequest) -> CloseSaleResponse,
    cancel_show(CancelShowRequest) -> CancelShowResponse,
    archive_show(ArchiveShowRequest) -> ArchiveShowResponse,
    update_policy(UpdatePolicyRequest) -> UpdatePolicyResponse,
    change_manifest(ChangeManifestRequest) -> ChangeManifestResponse,
    block_places(BlockPlacesRequest) -> BlockPlacesResponse,
    unblock_places(UnblockPlacesRequest) -> UnblockPlacesResponse,
    retire_seats(RetireSeatsRequest) -> RetireSeatsResponse,
    schedule_release(ScheduleReleaseRequest) -> ScheduleReleaseResponse,
    set_channel(SetChannelRequest) -> SetChannelResponse,
    assign_channel(AssignChannelRequest) -> AssignChannelResponse,
}
