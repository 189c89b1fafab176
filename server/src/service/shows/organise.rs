//! What organisers do with a show: how a command of theirs gets to its shard, and what its answer says.

use std::sync::Arc;

use usher_engine::{
    command::Command,
    ids::ShowId,
    inventory::{Answer, manifest::Manifest, policy::Policy},
    router::{Router, ShowEntry},
    shard::{Fault, Request as ShardRequest, Shows},
};
use usher_proto::v1;

use super::{
    super::{ask, newest, submit},
    ShowsService, state_now,
};
use crate::{
    convert::{self, change, organise, policy::policy, sale::schedule_sale, selection, shows},
    status::Refusal,
};

/// A show after a command of its organiser.
struct Organised {
    id: ShowId,
    entry: Arc<ShowEntry>,
    answer: Answer,
}

/// Sends the command that `read` makes of a request. Reading may take a while, as a million labels do, and the runtime
/// has others to serve.
async fn send(
    router: &Router,
    show_id: &str,
    read: impl FnOnce(&Manifest) -> Result<Command, Refusal> + Send + 'static,
) -> Result<Organised, Refusal> {
    let id = match convert::show_id(show_id) {
        Ok(id) => id,
        Err(refusal) => return Err(convert::also_wrong(refusal, read)),
    };
    let (entry, shard) = router.find(&id).map_err(|why| Refusal::show_not_found(show_id, why))?;
    let manifest = Arc::clone(&entry.manifest);
    let command = tokio::task::spawn_blocking(move || read(&manifest)).await;
    let command = command.unwrap_or_else(|_| Err(Refusal::internal("reading the request failed")))?;
    let (show, commands) = (entry.number, vec![command]);
    let outcomes =
        ask(|reply| submit(shard, ShardRequest::Execute { shows: Shows::One(show), commands, reply })).await?;
    let entry = newest(router, &id, entry);
    match outcomes.into_iter().next() {
        Some(Ok(answer)) => Ok(Organised { id, entry, answer }),
        Some(Err(rejection)) => Err(Refusal::rejected(&rejection, &entry.manifest)),
        None => Err(Refusal::from(Fault::OutcomeUnknown)),
    }
}

impl Organised {
    /// The show as it is now.
    fn show(&self) -> Option<v1::Show> {
        let state = match self.answer {
            Answer::Sale(state) => state,
            _ => state_now(&self.entry),
        };
        Some(shows::show(&self.id, &self.entry, state))
    }

    fn report(&self) -> Option<v1::BulkReport> {
        match &self.answer {
            Answer::Bulk(report) => Some(selection::report_to_wire(report, &self.entry.manifest)),
            _ => None,
        }
    }
}

fn of_another_kind() -> Refusal {
    Refusal::internal("an answer of another kind than the command")
}

impl ShowsService {
    pub(super) async fn schedule_sale(
        &self,
        request: v1::ScheduleSaleRequest,
    ) -> Result<v1::ScheduleSaleResponse, Refusal> {
        let command = schedule_sale(&request).map(Command::ScheduleSale);
        let show = send(&self.router, &request.show_id, |_| command).await?.show();
        Ok(v1::ScheduleSaleResponse { show })
    }

    pub(super) async fn open_sale(&self, request: v1::OpenSaleRequest) -> Result<v1::OpenSaleResponse, Refusal> {
        let show = send(&self.router, &request.show_id, |_| Ok(Command::OpenSale)).await?.show();
        Ok(v1::OpenSaleResponse { show })
    }

    pub(super) async fn pause_sale(&self, request: v1::PauseSaleRequest) -> Result<v1::PauseSaleResponse, Refusal> {
        let command = Command::PauseSale { stop_clocks: request.stop_clocks };
        let show = send(&self.router, &request.show_id, |_| Ok(command)).await?.show();
        Ok(v1::PauseSaleResponse { show })
    }

    pub(super) async fn close_sale(&self, request: v1::CloseSaleRequest) -> Result<v1::CloseSaleResponse, Refusal> {
        let show = send(&self.router, &request.show_id, |_| Ok(Command::CloseSale)).await?.show();
        Ok(v1::CloseSaleResponse { show })
    }

    pub(super) async fn archive_show(
        &self,
        request: v1::ArchiveShowRequest,
    ) -> Result<v1::ArchiveShowResponse, Refusal> {
        let show = send(&self.router, &request.show_id, |_| Ok(Command::ArchiveShow)).await?.show();
        Ok(v1::ArchiveShowResponse { show })
    }

    pub(super) async fn cancel_show(&self, request: v1::CancelShowRequest) -> Result<v1::CancelShowResponse, Refusal> {
        let command = Command::CancelShow { dry_run: request.dry_run };
        let organised = send(&self.router, &request.show_id, |_| Ok(command)).await?;
        match &organised.answer {
            Answer::ShowCancelled(report) => Ok(shows::cancel_report(report, organised.show())),
            _ => Err(of_another_kind()),
        }
    }

    pub(super) async fn update_policy(
        &self,
        request: v1::UpdatePolicyRequest,
    ) -> Result<v1::UpdatePolicyResponse, Refusal> {
        // Whether a seed is wanted depends on the show's own order.
        let judged = request
            .policy
            .map(|own| v1::Policy { waitlist_lottery_seed: own.waitlist_order.and(own.waitlist_lottery_seed), ..own });
        let judge = |_: &Manifest| policy(judged.as_ref(), Policy::default());
        let id = convert::show_id(&request.show_id).map_err(|refusal| convert::also_wrong(refusal, judge))?;
        let _one_at_a_time = self.policies.lock().await;
        let (entry, _) = self.router.find(&id).map_err(|why| Refusal::show_not_found(&request.show_id, why))?;
        let policy = policy(request.policy.as_ref(), entry.policy)?;
        let command = Command::ChangePolicy(Box::new(policy));
        let show = send(&self.router, &request.show_id, |_| Ok(command)).await?.show();
        Ok(v1::UpdatePolicyResponse { show })
    }

    pub(super) async fn change_manifest(
        &self,
        request: v1::ChangeManifestRequest,
    ) -> Result<v1::ChangeManifestResponse, Refusal> {
        let show_id = request.show_id.clone();
        let read = move |manifest: &Manifest| change::change_manifest(request, manifest);
        let Organised { entry, answer, .. } = send(&self.router, &show_id, read).await?;
        match answer {
            Answer::ManifestChanged(report) => Ok(change::report_to_wire(&report, &entry.manifest)),
            _ => Err(of_another_kind()),
        }
    }

    pub(super) async fn block_places(
        &self,
        request: v1::BlockPlacesRequest,
    ) -> Result<v1::BlockPlacesResponse, Refusal> {
        let show_id = request.show_id.clone();
        let read = move |manifest: &Manifest| organise::block_places(&request, manifest);
        Ok(v1::BlockPlacesResponse { report: send(&self.router, &show_id, read).await?.report() })
    }

    pub(super) async fn unblock_places(
        &self,
        request: v1::UnblockPlacesRequest,
    ) -> Result<v1::UnblockPlacesResponse, Refusal> {
        let show_id = request.show_id.clone();
        let read = move |manifest: &Manifest| organise::unblock_places(&request, manifest);
        Ok(v1::UnblockPlacesResponse { report: send(&self.router, &show_id, read).await?.report() })
    }

    pub(super) async fn retire_seats(
        &self,
        request: v1::RetireSeatsRequest,
    ) -> Result<v1::RetireSeatsResponse, Refusal> {
        let show_id = request.show_id.clone();
        let read = move |manifest: &Manifest| organise::retire_seats(&request, manifest);
        Ok(v1::RetireSeatsResponse { report: send(&self.router, &show_id, read).await?.report() })
    }

    pub(super) async fn schedule_release(
        &self,
        request: v1::ScheduleReleaseRequest,
    ) -> Result<v1::ScheduleReleaseResponse, Refusal> {
        let command = organise::schedule_release(&request);
        send(&self.router, &request.show_id, |_| command).await?;
        Ok(v1::ScheduleReleaseResponse {})
    }

    pub(super) async fn set_channel(&self, request: v1::SetChannelRequest) -> Result<v1::SetChannelResponse, Refusal> {
        let command = organise::set_channel(&request);
        send(&self.router, &request.show_id, |_| command).await?;
        Ok(v1::SetChannelResponse {})
    }

    pub(super) async fn assign_channel(
        &self,
        request: v1::AssignChannelRequest,
    ) -> Result<v1::AssignChannelResponse, Refusal> {
        let show_id = request.show_id.clone();
        let read = move |manifest: &Manifest| organise::assign_channel(&request, manifest);
        Ok(v1::AssignChannelResponse { report: send(&self.router, &show_id, read).await?.report() })
    }
}
