//! `usher.v1.Shows`: creating, importing and finding shows.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use usher_engine::{
    event::ShowCreated,
    ids::ShowId,
    inventory::{manifest::Manifest, policy::Policy},
    router::{Router, ShowEntry},
};
use usher_proto::v1::{self, shows_server::Shows};

use super::ask;
use crate::{
    convert::{self, Violations, policy_to_wire},
    convert_manifest::{manifest, manifest_to_wire},
    plan::{self, PlanFormat, PlanPrices},
    status::Refusal,
};

const PAGE_SIZE_DEFAULT: u32 = 100;
const PAGE_SIZE_MAX: u32 = 1_000;

/// The service.
pub struct ShowsService {
    router: Router,
}

impl ShowsService {
    /// Over the shards of this process.
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self { router }
    }

    async fn create(&self, show_id: ShowId, manifest: Manifest, policy: Policy) -> Result<(v1::Show, bool), Refusal> {
        let created = ShowCreated { show_id: show_id.clone(), manifest: manifest.parts().clone(), policy };
        let decided = ask(|reply| self.router.create_show(Box::new(created), reply)).await?;
        let (entry, existed) = decided.map_err(|rejection| Refusal::rejected(&rejection, &manifest))?;
        Ok((show(&show_id, &entry), existed))
    }

    async fn import(&self, request: v1::ImportShowRequest) -> Result<v1::ImportShowResponse, Refusal> {
        let show_id = convert::show_id(&request.show_id)?;
        let policy = convert::policy(request.policy.as_ref())?;
        // A large plan takes a while to read, and the runtime has others to serve.
        let manifest = tokio::task::spawn_blocking(move || read_plan(&request)).await;
        let manifest = manifest.unwrap_or_else(|_| Err(internal_plan_error()))?;
        let (show, existed) = self.create(show_id, manifest, policy).await?;
        Ok(v1::ImportShowResponse { show: Some(show), existed })
    }

    fn list(&self, request: &v1::ListShowsRequest) -> Result<v1::ListShowsResponse, Refusal> {
        let mut violations = Violations::default();
        if request.page_size > PAGE_SIZE_MAX {
            violations.note("page_size", format!("must be at most {PAGE_SIZE_MAX}, is {}", request.page_size));
            return Err(violations.into_refusal());
        }
        let after = match request.page_token.as_str() {
            "" => None,
            token => Some(ShowId::new(token).map_err(|_| {
                violations.note("page_token", "must be empty or the next_page_token of an earlier answer");
                violations.into_refusal()
            })?),
        };
        let size = if request.page_size == 0 { PAGE_SIZE_DEFAULT } else { request.page_size } as usize;
        let mut page = self.router.catalog().page(after.as_ref(), size + 1);
        let more = page.len() > size;
        page.truncate(size);
        let next_page_token = page.last().filter(|_| more).map(|(id, _)| id.to_string()).unwrap_or_default();
        Ok(v1::ListShowsResponse { shows: page.iter().map(|(id, entry)| show(id, entry)).collect(), next_page_token })
    }
}

fn read_plan(request: &v1::ImportShowRequest) -> Result<Manifest, Refusal> {
    let mut violations = Violations::default();
    let format = match v1::PlanFormat::try_from(request.format) {
        Ok(v1::PlanFormat::Unspecified) => None,
        Ok(v1::PlanFormat::UsherJson) => Some(PlanFormat::UsherJson),
        Ok(v1::PlanFormat::PretixJson) => Some(PlanFormat::PretixJson),
        Err(_) => {
            violations.note("format", format!("{} is not a known format", request.format));
            return Err(violations.into_refusal());
        }
    };
    let currency = (!request.currency.is_empty()).then(|| request.currency.clone());
    let prices = PlanPrices { currency, by_category: request.prices_minor.clone() };
    plan::read(&request.plan, format, &prices).map_err(|error| {
        violations.note("plan", error);
        violations.into_refusal()
    })
}

fn internal_plan_error() -> Refusal {
    let mut violations = Violations::default();
    violations.note("plan", "reading it failed");
    violations.into_refusal()
}

fn show(id: &ShowId, entry: &Arc<ShowEntry>) -> v1::Show {
    v1::Show {
        show_id: id.to_string(),
        name: entry.manifest.parts().name.clone(),
        places: entry.manifest.places(),
        shard: entry.shard.0,
        policy: Some(policy_to_wire(&entry.policy)),
    }
}

#[tonic::async_trait]
impl Shows for ShowsService {
    async fn create_show(
        &self,
        request: Request<v1::CreateShowRequest>,
    ) -> Result<Response<v1::CreateShowResponse>, Status> {
        let request = request.into_inner();
        let create = async {
            let show_id = convert::show_id(&request.show_id)?;
            let policy = convert::policy(request.policy.as_ref())?;
            let (show, existed) = self.create(show_id, manifest(request.manifest)?, policy).await?;
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

    async fn get_show(&self, request: Request<v1::GetShowRequest>) -> Result<Response<v1::GetShowResponse>, Status> {
        let request = request.into_inner();
        let find = || {
            let id = convert::show_id(&request.show_id)?;
            let found = self.router.find(&id).map_err(|why| Refusal::show_not_found(&request.show_id, why))?;
            let manifest = Some(manifest_to_wire(found.0.manifest.parts()));
            Ok(v1::GetShowResponse { show: Some(show(&id, &found.0)), manifest })
        };
        find().map(Response::new).map_err(Refusal::into_status)
    }

    async fn list_shows(
        &self,
        request: Request<v1::ListShowsRequest>,
    ) -> Result<Response<v1::ListShowsResponse>, Status> {
        self.list(request.get_ref()).map(Response::new).map_err(Refusal::into_status)
    }
}
