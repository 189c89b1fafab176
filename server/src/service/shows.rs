//! `usher.v1.Shows`: creating, importing and finding shows. What organisers do with them is in `shows/organise.rs`.

use std::sync::Arc;

use usher_engine::{
    event::ShowCreated,
    ids::ShowId,
    inventory::{
        manifest::Manifest,
        policy::Policy,
        sale::{Sale, ShowState},
    },
    router::{Router, ShowEntry},
    shard::Request as ShardRequest,
    time::Clock as _,
};
use usher_proto::v1;

use super::{ask, newest, submit};
use crate::{
    access,
    clock::WallClock,
    convert::{
        self, Violations, both,
        manifest::{manifest, manifest_to_wire},
        policy::policy,
        sale::sale,
        shows,
    },
    plan::{self, PlanFormat, PlanPrices},
    status::Refusal,
};

mod methods;
mod organise;

const PAGE_SIZE_DEFAULT: u32 = 100;
const PAGE_SIZE_MAX: u32 = 1_000;
/// No show's id has this in it.
const TOKEN_MARK: &str = "after=";

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
    ) -> Result<(Option<v1::Show>, bool), Refusal> {
        let created = ShowCreated { show_id: show_id.clone(), manifest: manifest.parts().clone(), policy, sale };
        let decided = ask(|reply| self.router.create_show(Box::new(created), reply)).await?;
        let (entry, existed) = decided.map_err(|rejection| Refusal::rejected(&rejection, &manifest))?;
        Ok((Some(shows::show(&show_id, &entry, state_now(&entry))), existed))
    }

    async fn create_show(&self, request: v1::CreateShowRequest) -> Result<v1::CreateShowResponse, Refusal> {
        let rules = read_rules(&request.show_id, request.policy.as_ref(), request.sale.as_ref());
        let ((show_id, policy, sale), manifest) = both(rules, manifest(request.manifest))?;
        let (show, existed) = self.create(show_id, manifest, policy, sale).await?;
        Ok(v1::CreateShowResponse { show, existed })
    }

    async fn import_show(&self, request: v1::ImportShowRequest) -> Result<v1::ImportShowResponse, Refusal> {
        let rules = read_rules(&request.show_id, request.policy.as_ref(), request.sale.as_ref());
        // A large plan takes a while to read, and the runtime has others to serve.
        let manifest = tokio::task::spawn_blocking(move || read_plan(&request)).await;
        let manifest = manifest.unwrap_or_else(|_| Err(Refusal::wrong("plan", "reading it failed")));
        let ((show_id, policy, sale), manifest) = both(rules, manifest)?;
        let (show, existed) = self.create(show_id, manifest, policy, sale).await?;
        Ok(v1::ImportShowResponse { show, existed })
    }

    #[expect(clippy::unused_async, reason = "as its siblings, which wait for a shard")]
    async fn get_show(&self, request: v1::GetShowRequest) -> Result<v1::GetShowResponse, Refusal> {
        let id = convert::show_id(&request.show_id)?;
        let (entry, _) = self.router.find(&id).map_err(|why| Refusal::show_not_found(&request.show_id, why))?;
        let manifest = Some(manifest_to_wire(entry.manifest.parts()));
        Ok(v1::GetShowResponse { show: Some(shows::show(&id, &entry, state_now(&entry))), manifest })
    }

    #[expect(clippy::unused_async, reason = "as its siblings, which wait for a shard")]
    async fn list_shows(&self, request: v1::ListShowsRequest) -> Result<v1::ListShowsResponse, Refusal> {
        let mut violations = Violations::default();
        let is_page = request.page_size <= PAGE_SIZE_MAX;
        violations.require(
            is_page,
            "page_size",
            format_args!("must be at most {PAGE_SIZE_MAX}, is {}", request.page_size),
        );
        let after = violations.take("page_token", after(&request.page_token));
        let after = violations.done(after)?;
        let size = if request.page_size == 0 { PAGE_SIZE_DEFAULT } else { request.page_size } as usize;
        let mut page = self.page(after, size + 1);
        let more = page.len() > size;
        page.truncate(size);
        let next_page_token = page.last().filter(|_| more).map(|(id, _)| token(id)).unwrap_or_default();
        let shows = page.iter().map(|(id, entry)| shows::show(id, entry, state_now(entry))).collect();
        Ok(v1::ListShowsResponse { shows, next_page_token })
    }

    /// At most `max` shows after `after` that the caller may see.
    fn page(&self, mut after: Option<ShowId>, max: usize) -> Vec<(ShowId, Arc<ShowEntry>)> {
        let mut page = Vec::new();
        while page.len() < max {
            let next = self.router.catalog().page(after.as_ref(), max);
            let Some((last, _)) = next.last() else { break };
            after = Some(last.clone());
            page.extend(next.into_iter().filter(|(id, _)| access::may_see(id)));
        }
        page.truncate(max);
        page
    }

    async fn get_show_overview(
        &self,
        request: v1::GetShowOverviewRequest,
    ) -> Result<v1::GetShowOverviewResponse, Refusal> {
        let id = convert::show_id(&request.show_id)?;
        let (entry, shard) = self.router.find(&id).map_err(|why| Refusal::show_not_found(&request.show_id, why))?;
        let show = entry.number;
        let overview = ask(|reply| submit(shard, ShardRequest::Overview { show, reply })).await?;
        Ok(shows::overview(&id, &overview, &newest(&self.router, &id, entry)))
    }
}

/// What a request for a new show says besides what is sold.
fn read_rules(
    show_id: &str,
    rules: Option<&v1::Policy>,
    times: Option<&v1::Sale>,
) -> Result<(ShowId, Policy, Sale), Refusal> {
    let rules = both(policy(rules, Policy::default()), sale(times));
    let (show_id, (policy, sale)) = both(convert::show_id(show_id), rules)?;
    Ok((show_id, policy, sale))
}

/// Where the next page of shows goes on. The mark tells it from a show's id, which is no token.
fn token(last: &ShowId) -> String {
    format!("{TOKEN_MARK}{last}")
}

/// The show behind which a page begins.
fn after(token: &str) -> Result<Option<ShowId>, &'static str> {
    if token.is_empty() {
        return Ok(None);
    }
    let id = token.strip_prefix(TOKEN_MARK).and_then(|id| ShowId::new(id).ok());
    id.map(Some).ok_or("must be empty or the next_page_token of an earlier answer")
}

/// The state of a show for people to read; what a command may do is decided by its shard's clock.
fn state_now(entry: &ShowEntry) -> ShowState {
    entry.sale.state_at(WallClock.now())
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
