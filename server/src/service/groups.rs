//! `usher.v1.Groups`: places in several shows, all or none.

use std::future::Future;

use tonic::{Request, Response, Status};
use usher_engine::{
    ids::{HoldId, ShowId},
    router::Router,
    shard::Fault,
    time::Clock as _,
};
use usher_proto::v1::{self, groups_server};

use super::charge;
use crate::{
    access,
    clock::WallClock,
    convert::{answers, groups as convert},
    groups::{Groups, Standing},
    status::Refusal,
};

/// The service.
pub struct GroupsService {
    router: Router,
    groups: Groups,
}

impl GroupsService {
    /// Over the shards of this process.
    #[must_use]
    pub fn new(router: Router, groups: Groups) -> Self {
        Self { router, groups }
    }

    /// What was begun goes on when the caller does not wait for it.
    async fn finish(
        &self,
        work: impl Future<Output = Result<Standing, Refusal>> + Send + 'static,
    ) -> Result<Option<v1::Group>, Status> {
        let done = tokio::spawn(work).await.unwrap_or_else(|_| Err(Fault::OutcomeUnknown.into()));
        done.map(|group| Some(self.group(group))).map_err(Refusal::into_status)
    }

    /// A group is one thing: whoever may not touch each of its shows may not touch it.
    async fn permit(&self, id: HoldId, show: &ShowId) -> Result<(), Status> {
        if access::is_bound() {
            let group = self.groups.look(id, show).await.map_err(Refusal::into_status)?;
            group.shows.iter().try_for_each(access::permit).map_err(Refusal::into_status)?;
        }
        Ok(())
    }

    fn group(&self, group: Standing) -> v1::Group {
        let state = group.state().into();
        let holds = group.shows.iter().zip(group.holds).filter_map(|(show, hold)| {
            let (entry, _) = self.router.find(show).ok()?;
            Some(answers::hold(*hold?, show.as_str(), &entry.manifest))
        });
        v1::Group {
            group_id: group.id.as_bytes().to_vec().into(),
            state,
            holds: holds.collect(),
            show_ids: group.shows.iter().map(|show: &ShowId| show.as_str().to_owned()).collect(),
        }
    }
}

#[tonic::async_trait]
impl groups_server::Groups for GroupsService {
    async fn hold_group(
        &self,
        request: Request<v1::HoldGroupRequest>,
    ) -> Result<Response<v1::HoldGroupResponse>, Status> {
        let asked = convert::hold_group(request.into_inner(), &self.router).map_err(Refusal::into_status)?;
        let now = WallClock.elapsed();
        asked
            .members
            .iter()
            .try_for_each(|(show, command)| charge(access::claims(show).as_ref(), command, now))
            .map_err(Refusal::into_status)?;
        let groups = self.groups.clone();
        let group = self.finish(async move { groups.hold(asked).await }).await?;
        Ok(Response::new(v1::HoldGroupResponse { group }))
    }

    async fn confirm_group(
        &self,
        request: Request<v1::ConfirmGroupRequest>,
    ) -> Result<Response<v1::ConfirmGroupResponse>, Status> {
        let (own, show, sale) = convert::confirm_group(&request.into_inner()).map_err(Refusal::into_status)?;
        self.permit(own.hold_id, &show).await?;
        let groups = self.groups.clone();
        let group = self.finish(async move { groups.confirm(own, &show, sale).await }).await?;
        Ok(Response::new(v1::ConfirmGroupResponse { group }))
    }

    async fn release_group(
        &self,
        request: Request<v1::ReleaseGroupRequest>,
    ) -> Result<Response<v1::ReleaseGroupResponse>, Status> {
        let (own, show) = convert::release_group(&request.into_inner()).map_err(Refusal::into_status)?;
        self.permit(own.hold_id, &show).await?;
        let groups = self.groups.clone();
        let group = self.finish(async move { groups.release(own, &show).await }).await?;
        Ok(Response::new(v1::ReleaseGroupResponse { group }))
    }

    async fn get_group(&self, request: Request<v1::GetGroupRequest>) -> Result<Response<v1::GetGroupResponse>, Status> {
        let (id, show) = convert::get_group(&request.into_inner()).map_err(Refusal::into_status)?;
        self.permit(id, &show).await?;
        let group = self.groups.look(id, &show).await.map_err(Refusal::into_status)?;
        Ok(Response::new(v1::GetGroupResponse { group: Some(self.group(group)) }))
    }
}
