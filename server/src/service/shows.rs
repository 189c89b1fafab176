//! `usher.v1.Shows`: creating, importing and finding shows, and what their organisers do with them.

use tonic::{Request, Response, Status};
use usher_engine::{
    command::Command,
    event::ShowCreated,
    ids::ShowId,
    inventory::{Answer, manifest::Manifest, policy::Policy, sale::Sale},
    router::Router,
    shard::Request as ShardRequest,
};
use usher_proto::v1::{self, shows_server::Shows};

use super::{
    ask, newest,
    organise::{Organised, organise, state_now},
};
use crate::{
    convert::{
        self, change,
        manifest::{manifest, manifest_to_wire},
        organise as read,
        policy::policy,
        sale::{sale, schedule_sale},
        shows,
    },
    plan::{self, PlanFormat, PlanPrices},
    status::Refusal,
};

const PAGE_SIZE_DEFAULT: u32 = 100;
const PAGE_SIZE_MAX: u32 = 1_000;

/// The service.
pub struct ShowsService {
    router: Router,
    /// Rules are read, changed and sent back as a whole: one change at a time.
    policies: tokio::sync::Mutex<()>,
}

impl ShowsService {
    /// Over the shards of this process.
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self { router, policies: tokio::sync::Mutex::default() }
    }

    async fn create(
        &self,
        show_id: ShowId,
        manifest: Manifest,
        policy: Policy,
        sale: Sale,
    ) -> Result<(v1::Show, bool), Refusal> {
        let created = ShowCreated { show_id: show_id.clone(), manifest: manifest.parts().clone(), policy, sale };
        let decided = ask(|reply| self.router.create_show(Box::new(created), reply)).await?;
        let (entry, existed) = decided.map_err(|rejection| Refusal::rejected(&rejection, &manifest))?;
        Ok((shows::show(&show_id, &entry, state_now(&entry)), existed))
    }

    async fn import(&self, request: v1::ImportShowRequest) -> Result<v1::ImportShowResponse, Refusal> {
        let show_id = convert::show_id(&request.show_id)?;
        let policy = policy(request.policy.as_ref(), Policy::default())?;
        let sale = sale(request.sale.as_ref())?;
        // A large plan takes a while to read, and the runtime has others to serve.
        let manifest = tokio::task::spawn_blocking(move || read_plan(&request)).await;
        let manifest = manifest.unwrap_or_else(|_| Err(Refusal::wrong("plan", "reading it failed")))?;
        let (show, existed) = self.create(show_id, manifest, policy, sale).await?;
        Ok(v1::ImportShowResponse { show: Some(show), existed })
    }

    fn get(&self, show_id: &str) -> Result<v1::GetShowResponse, Refusal> {
        let id = convert::show_id(show_id)?;
        let (entry, _) = self.router.find(&id).map_err(|why| Refusal::show_not_found(show_id, why))?;
        let manifest = Some(manifest_to_wire(entry.manifest.parts()));
        Ok(v1::GetShowResponse { show: Some(shows::show(&id, &entry, state_now(&entry))), manifest })
    }

    fn list(&self, request: &v1::ListShowsRequest) -> Result<v1::ListShowsResponse, Refusal> {
        if request.page_size > PAGE_SIZE_MAX {
            let description = format!("must be at most {PAGE_SIZE_MAX}, is {}", request.page_size);
            return Err(Refusal::wrong("page_size", description));
        }
        let after = match request.page_token.as_str() {
            "" => None,
            token => Some(ShowId::new(token).map_err(|_| {
                Refusal::wrong("page_token", "must be empty or the next_page_token of an earlier answer")
            })?),
        };
        let size = if request.page_size == 0 { PAGE_SIZE_DEFAULT } else { request.page_size } as usize;
        let mut page = self.router.catalog().page(after.as_ref(), size + 1);
        let more = page.len() > size;
        page.truncate(size);
        let next_page_token = page.last().filter(|_| more).map(|(id, _)| id.to_string()).unwrap_or_default();
        let shows = page.iter().map(|(id, entry)| shows::show(id, entry, state_now(entry))).collect();
        Ok(v1::ListShowsResponse { shows, next_page_token })
    }

    async fn overview(&self, show_id: &str) -> Result<v1::GetShowOverviewResponse, Refusal> {
        let id = convert::show_id(show_id)?;
        let (entry, shard) = self.router.find(&id).map_err(|why| Refusal::show_not_found(show_id, why))?;
        let show = entry.number;
        let overview = ask(|reply| shard.submit(ShardRequest::Overview { show, reply })).await?;
        Ok(shows::overview(&id, &overview, &newest(&self.router, &id, entry)))
    }

    async fn update_policy(&self, request: v1::UpdatePolicyRequest) -> Result<v1::UpdatePolicyResponse, Refusal> {
        let id = convert::show_id(&request.show_id)?;
        let _one_at_a_time = self.policies.lock().await;
        let (entry, _) = self.router.find(&id).map_err(|why| Refusal::show_not_found(&request.show_id, why))?;
        let policy = policy(request.policy.as_ref(), entry.policy)?;
        let command = Command::ChangePolicy(Box::new(policy));
        let organised = organise(&self.router, &request.show_id, |_| Ok(command)).await?;
        Ok(v1::UpdatePolicyResponse { show: Some(organised.show()) })
    }

    async fn change_manifest(&self, request: v1::ChangeManifestRequest) -> Result<v1::ChangeManifestResponse, Refusal> {
        let show_id = request.show_id.clone();
        let read = move |manifest: &Manifest| change::change_manifest(request, manifest);
        let Organised { entry, answer, .. } = organise(&self.router, &show_id, read).await?;
        match answer {
            Answer::ManifestChanged(report) => Ok(change::report_to_wire(&report, &entry.manifest)),
            _ => Err(Refusal::internal("an answer of another kind than the command")),
        }
    }

    async fn cancel(&self, request: v1::CancelShowRequest) -> Result<v1::CancelShowResponse, Refusal> {
        let command = Command::CancelShow { dry_run: request.dry_run };
        let organised = organise(&self.router, &request.show_id, |_| Ok(command)).await?;
        match &organised.answer {
            Answer::ShowCancelled(report) => Ok(shows::cancel_report(report, organised.show())),
            _ => Err(Refusal::internal("an answer of another kind than the command")),
        }
    }
}

fn read_plan(request: &v1::ImportShowRequest) -> Result<Manifest, Refusal> {
    let format = match v1::PlanFormat::try_from(request.format) {
        Ok(v1::PlanFormat::Unspecified) => None,
        Ok(v1::PlanFormat::UsherJson) => Some(PlanFormat::UsherJson),
        Ok(v1::PlanFormat::PretixJson) => Some(PlanFormat::PretixJson),
        Err(_) => return Err(Refusal::wrong("format", format_args!("{} is not a known format", request.format))),
    };
    let currency = (!request.currency.is_empty()).then(|| request.currency.clone());
    let prices = PlanPrices { currency, by_category: request.prices_minor.clone() };
    plan::read(&request.plan, format, &prices).map_err(|error| Refusal::wrong("plan", error))
}

/// The commands of organisers: each is read, sent and answered in the same way. What is not one is written out.
macro_rules! shows {
    ($($method:ident($request:ident) -> $response:ident: |$wire:ident, $manifest:pat_param| $read:expr, |$done:ident| $answer:expr;)*) => {
        #[tonic::async_trait]
        impl Shows for ShowsService {
            $(async fn $method(
                &self,
                request: Request<v1::$request>,
            ) -> Result<Response<v1::$response>, Status> {
                let $wire = request.into_inner();
                let show_id = $wire.show_id.clone();
                let done = organise(&self.router, &show_id, move |$manifest| $read).await;
                let $done = done.map_err(Refusal::into_status)?;
                Ok(Response::new($answer))
            })*

            async fn create_show(
                &self,
                request: Request<v1::CreateShowRequest>,
            ) -> Result<Response<v1::CreateShowResponse>, Status> {
                let request = request.into_inner();
                let create = async {
                    let show_id = convert::show_id(&request.show_id)?;
                    let policy = policy(request.policy.as_ref(), Policy::default())?;
                    let sale = sale(request.sale.as_ref())?;
                    let (show, existed) = self.create(show_id, manifest(request.manifest)?, policy, sale).await?;
                    Ok(Response::new(v1::CreateShowResponse { show: Some(show), existed }))
                };
                create.await.map_err(Refusal::into_status)
            }

            async fn import_show(
                &self,
                request: Request<v1::ImportShowRequest>,
            ) -> Result<Response<v1::ImportShowResponse>, Status> {
                self.import(request.into_inner()).await.map(Response::new).map_err(Refusal::into_status)
            }

            async fn get_show(
                &self,
                request: Request<v1::GetShowRequest>,
            ) -> Result<Response<v1::GetShowResponse>, Status> {
                self.get(&request.get_ref().show_id).map(Response::new).map_err(Refusal::into_status)
            }

            async fn list_shows(
                &self,
                request: Request<v1::ListShowsRequest>,
            ) -> Result<Response<v1::ListShowsResponse>, Status> {
                self.list(request.get_ref()).map(Response::new).map_err(Refusal::into_status)
            }

            async fn get_show_overview(
                &self,
                request: Request<v1::GetShowOverviewRequest>,
            ) -> Result<Response<v1::GetShowOverviewResponse>, Status> {
                self.overview(&request.get_ref().show_id).await.map(Response::new).map_err(Refusal::into_status)
            }

            async fn cancel_show(
                &self,
                request: Request<v1::CancelShowRequest>,
            ) -> Result<Response<v1::CancelShowResponse>, Status> {
                self.cancel(request.into_inner()).await.map(Response::new).map_err(Refusal::into_status)
            }

            async fn update_policy(
                &self,
                request: Request<v1::UpdatePolicyRequest>,
            ) -> Result<Response<v1::UpdatePolicyResponse>, Status> {
                self.update_policy(request.into_inner()).await.map(Response::new).map_err(Refusal::into_status)
            }

            async fn change_manifest(
                &self,
                request: Request<v1::ChangeManifestRequest>,
            ) -> Result<Response<v1::ChangeManifestResponse>, Status> {
                self.change_manifest(request.into_inner()).await.map(Response::new).map_err(Refusal::into_status)
            }
        }
    };
}

shows! {
    schedule_sale(ScheduleSaleRequest) -> ScheduleSaleResponse:
        |wire, _| schedule_sale(&wire).map(Command::ScheduleSale),
        |done| v1::ScheduleSaleResponse { show: Some(done.show()) };
    open_sale(OpenSaleRequest) -> OpenSaleResponse:
        |wire, _| Ok(Command::OpenSale),
        |done| v1::OpenSaleResponse { show: Some(done.show()) };
    pause_sale(PauseSaleRequest) -> PauseSaleResponse:
        |wire, _| Ok(Command::PauseSale { stop_clocks: wire.stop_clocks }),
        |done| v1::PauseSaleResponse { show: Some(done.show()) };
    close_sale(CloseSaleRequest) -> CloseSaleResponse:
        |wire, _| Ok(Command::CloseSale),
        |done| v1::CloseSaleResponse { show: Some(done.show()) };
    archive_show(ArchiveShowRequest) -> ArchiveShowResponse:
        |wire, _| Ok(Command::ArchiveShow),
        |done| v1::ArchiveShowResponse { show: Some(done.show()) };
    block_places(BlockPlacesRequest) -> BlockPlacesResponse:
        |wire, manifest| read::block_places(&wire, manifest),
        |done| v1::BlockPlacesResponse { report: done.report() };
    unblock_places(UnblockPlacesRequest) -> UnblockPlacesResponse:
        |wire, manifest| read::unblock_places(&wire, manifest),
        |done| v1::UnblockPlacesResponse { report: done.report() };
    retire_seats(RetireSeatsRequest) -> RetireSeatsResponse:
        |wire, manifest| read::retire_seats(&wire, manifest),
        |done| v1::RetireSeatsResponse { report: done.report() };
    schedule_release(ScheduleReleaseRequest) -> ScheduleReleaseResponse:
        |wire, _| read::schedule_release(&wire),
        |_done| v1::ScheduleReleaseResponse {};
    set_channel(SetChannelRequest) -> SetChannelResponse:
        |wire, _| read::set_channel(&wire),
        |_done| v1::SetChannelResponse {};
    assign_channel(AssignChannelRequest) -> AssignChannelResponse:
        |wire, manifest| read::assign_channel(&wire, manifest),
        |done| v1::AssignChannelResponse { report: done.report() };
}
