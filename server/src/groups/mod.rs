//! Groups: holds of one id in several shows, sold all or none. Who asks which show when.
//!
//! ```text
//! hold     every show at once: hold, join         one refuses -> all release
//! confirm  all but the first: prepare             one refuses -> the first releases, then the others
//!          the first: confirm                     THE DECISION; refused -> it releases, then the others
//!          all but the first: confirm             cannot be refused
//! ```
//! Nothing is written down here: how far a group has come is told by its members' logs, whose rules are in
//! `usher_engine::inventory::groups`. Confirming again goes on wherever it was left, so that is what is done with every member
//! that is found prepared and nobody cares for ([`Groups::finish_forever`]): after a crash, or when a shard was away.
//!
//! One group is in one hand at a time, and what was begun is not given up when its caller goes.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::sync::Mutex;
use usher_engine::{
    command::{Command, JoinGroup, OwnHold, SellMember},
    ids::{BuyerId, HoldId, ShowId},
    inventory::{Answer, groups::Prepared},
    rejection::Rejection,
    router::Router,
    shard::{Fault, Outcome, PreparedMember, Request, ShardHandle, Shows},
};

use crate::{service::ask, status::Refusal};

mod standing;
pub use standing::Standing;

/// Groups that can be in hand at once; of two whose ids fall together one waits.
const LANES: usize = 1_024;
/// Members of groups that a shard is asked for at once.
const MEMBERS_PAGE: usize = 1_000;
/// How often it is looked for groups that nobody cares for.
const FINISH_INTERVAL: Duration = Duration::from_secs(1);

/// Places in several shows, asked for at once.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The group.
    pub id: HoldId,
    /// Whom it is for.
    pub buyer: BuyerId,
    /// In each of its shows, what holds there.
    pub members: Vec<(ShowId, Command)>,
}

/// The groups of a process. Cheap to clone.
#[derive(Clone)]
pub struct Groups {
    router: Router,
    lanes: Arc<[Mutex<()>]>,
}

impl Groups {
    /// Over the shards of this process.
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self { router, lanes: (0..LANES).map(|_| Mutex::new(())).collect() }
    }

    /// Holds in every show or in none.
    ///
    /// # Errors
    /// The refusal of the first show that refuses; or that one did not answer: the same again goes on then.
    pub async fn hold(&self, asked: Asked) -> Result<Standing, Refusal> {
        let _lane = self.lane(asked.id).lock().await;
        let Asked { id, buyer, members } = asked;
        let shows: Vec<ShowId> = members.iter().map(|(show, _)| show.clone()).collect();
        let join = JoinGroup { hold_id: id, buyer: buyer.clone(), shows: shows.clone() };
        let ask = |(show, hold)| (show, vec![hold, Command::JoinGroup(Box::new(join.clone()))]);
        let mut holds = Vec::new();
        let mut refused = Vec::new();
        for (show, answered) in self.ask_each(members.into_iter().map(ask)).await {
            for outcome in answered? {
                match outcome {
                    Ok(Answer::Found(view)) => holds.push(Some(view)),
                    Ok(_) => {}
                    Err(rejection) => refused.push((show.clone(), rejection)),
                }
            }
        }
        let Some((show, rejection)) = refused.first() else {
            let group = Standing { id, shows, holds };
            if !group.is_incomplete() {
                return Ok(group);
            }
            // It was asked for before, and a part of it has ended since.
            self.release_each(id, &buyer, &group.shows).await;
            return self.look(id, &group.shows[0]).await;
        };
        // Another request had this id: what it holds is not ours to release.
        if !refused.iter().any(|(_, rejection)| matches!(rejection, Rejection::IdReused { .. })) {
            self.release_each(id, &buyer, &shows).await;
        }
        Err(self.refusal(id, show, rejection))
    }

    /// Sells every member or none.
    ///
    /// # Errors
    /// Why it cannot be sold: it is released then. Or that a shard did not answer: it will be sold or released when that
    /// does, and the same again tells.
    pub async fn confirm(&self, own: OwnHold, of: &ShowId, sale: Prepared) -> Result<Standing, Refusal> {
        let _lane = self.lane(own.hold_id).lock().await;
        let group = self.own(&own, of).await?;
        self.settle(group, &own.buyer, sale).await
    }

    /// Releases every member.
    ///
    /// # Errors
    /// When it is sold, or a shard did not answer.
    pub async fn release(&self, own: OwnHold, of: &ShowId) -> Result<Standing, Refusal> {
        let _lane = self.lane(own.hold_id).lock().await;
        let group = self.own(&own, of).await?;
        if group.decided().is_some() {
            return Err(self.refusal(group.id, &group.shows[0], &Rejection::HoldConfirmed));
        }
        self.abandon(&group, &own.buyer).await?;
        self.look(own.hold_id, of).await
    }

    /// How a group stands, as one of its shows knows it.
    ///
    /// # Errors
    /// When that show knows no such group, or a shard did not answer.
    pub async fn look(&self, id: HoldId, of: &ShowId) -> Result<Standing, Refusal> {
        let get = |show: &ShowId| (show.clone(), vec![Command::GetHold(id)]);
        let mut found = self.ask_each([get(of)]).await;
        let found = found.pop().map_or(Err(Fault::OutcomeUnknown.into()), |(_, answered)| answered)?;
        let membership = match found.into_iter().next() {
            Some(Ok(Answer::Found(view))) => view.more.and_then(|more| more.group),
            Some(Err(rejection)) => return Err(self.refusal(id, of, &rejection)),
            _ => None,
        };
        let not_one = || self.refusal(id, of, &Rejection::HoldNotOfGroup);
        let shows = membership.ok_or_else(not_one)?.shows;
        let mut holds = Vec::new();
        for (_, answered) in self.ask_each(shows.iter().map(get)).await {
            holds.push(match answered?.into_iter().next() {
                Some(Ok(Answer::Found(view))) if view.more.as_ref().is_some_and(|more| more.group.is_some()) => {
                    Some(view)
                }
                _ => None,
            });
        }
        Ok(Standing { id, shows, holds })
    }

    /// Goes on, as long as it is let, with groups that were left prepared.
    pub async fn finish_forever(self) {
        loop {
            for shard in self.router.shards() {
                self.finish(shard).await;
            }
            tokio::time::sleep(FINISH_INTERVAL).await;
        }
    }

    async fn finish(&self, shard: &ShardHandle) {
        let mut after = None;
        loop {
            let members = ask(|reply| shard.submit(Request::Prepared { after, max: MEMBERS_PAGE, reply })).await;
            // A shard that does not answer is asked again later.
            let Ok(members) = members else { return };
            let Some(last) = members.last() else { return };
            after = Some((last.show, last.hold.hold_id));
            for member in members {
                self.go_on(member).await;
            }
        }
    }

    async fn go_on(&self, member: PreparedMember) {
        let id = member.hold.hold_id;
        // Whoever has it in hand cares for it.
        let Ok(_lane) = self.lane(id).try_lock() else { return };
        let Ok(group) = self.look(id, &member.show_id).await else { return };
        let Some(sale) = group.prepared() else { return };
        let first = group.shows[0].clone();
        match self.settle(group, &member.hold.buyer, sale).await {
            Ok(_) => tracing::info!(group = %id, first_show = %first, "a group that was left is sold"),
            Err(refusal) => {
                tracing::info!(group = %id, first_show = %first, ?refusal, "a group that was left is not sold")
            }
        }
    }

    /// Decides, unless that was done, and lets the others follow.
    async fn settle(&self, group: Standing, buyer: &BuyerId, sale: Prepared) -> Result<Standing, Refusal> {
        let sale = match group.decided() {
            Some(sale) => sale,
            None => {
                // Whoever came first has said what for.
                let sale = group.prepared().unwrap_or(sale);
                self.decide(&group, buyer, &sale).await?;
                sale
            }
        };
        let (first, others) = group.shows.split_first().expect("a group has shows");
        let confirm = |show: &ShowId| (show.clone(), vec![Command::ConfirmMember(sell(&group, show, buyer, &sale))]);
        for (show, answered) in self.ask_each(others.iter().map(confirm)).await {
            if let Some(Err(rejection)) = answered?.into_iter().next() {
                tracing::error!(group = %group.id, %show, %rejection, "a group is sold, but not in this show");
                return Err(Refusal::internal("a group is sold, but not in each of its shows"));
            }
        }
        self.look(group.id, first).await
    }

    async fn decide(&self, group: &Standing, buyer: &BuyerId, sale: &Prepared) -> Result<(), Refusal> {
        let (first, others) = group.shows.split_first().expect("a group has shows");
        let prepare = |show: &ShowId| (show.clone(), vec![Command::PrepareMember(sell(group, show, buyer, sale))]);
        let decide = |show: &ShowId| (show.clone(), vec![Command::ConfirmMember(sell(group, show, buyer, sale))]);
        let prepared = self.ask_each(others.iter().map(prepare)).await;
        let mut refused = refused_of(prepared)?;
        if refused.is_none() {
            refused = refused_of(self.ask_each([decide(first)]).await)?;
        }
        let Some((show, rejection)) = refused else { return Ok(()) };
        self.abandon(group, buyer).await?;
        Err(self.refusal(group.id, &show, &rejection))
    }

    /// The first member first: once it is released, nobody will find the group sold.
    async fn abandon(&self, group: &Standing, buyer: &BuyerId) -> Result<(), Refusal> {
        let (first, others) = group.shows.split_first().expect("a group has shows");
        let own = OwnHold { hold_id: group.id, buyer: buyer.clone() };
        let release = [(first.clone(), vec![Command::ReleaseMember(own)])];
        if let Some((show, rejection)) = refused_of(self.ask_each(release).await)? {
            return Err(self.refusal(group.id, &show, &rejection));
        }
        self.release_each(group.id, buyer, others).await;
        Ok(())
    }

    /// What does not answer now ends by its deadline, or is found prepared.
    async fn release_each(&self, id: HoldId, buyer: &BuyerId, shows: &[ShowId]) {
        let own = OwnHold { hold_id: id, buyer: buyer.clone() };
        let release = |show: &ShowId| (show.clone(), vec![Command::ReleaseMember(own.clone())]);
        for (show, answered) in self.ask_each(shows.iter().map(release)).await {
            tracing::debug!(group = %id, %show, ?answered, "released");
        }
    }

    /// The group, if it is this buyer's.
    async fn own(&self, own: &OwnHold, of: &ShowId) -> Result<Standing, Refusal> {
        let group = self.look(own.hold_id, of).await?;
        match group.holds.iter().flatten().find(|hold| hold.buyer != own.buyer) {
            Some(_) => Err(self.refusal(group.id, of, &Rejection::HoldOfAnotherBuyer)),
            None => Ok(group),
        }
    }

    /// Asks several shows at once, and waits for each.
    async fn ask_each(
        &self,
        asked: impl IntoIterator<Item = (ShowId, Vec<Command>)>,
    ) -> Vec<(ShowId, Result<Vec<Outcome>, Refusal>)> {
        let submit = |(show, commands): (ShowId, Vec<Command>)| {
            let submitted = self.submit(&show, commands);
            (show, submitted)
        };
        let submitted: Vec<_> = asked.into_iter().map(submit).collect();
        let mut answers = Vec::new();
        for (show, submitted) in submitted {
            let answer = match submitted {
                Ok(answer) => answer.await,
                Err(refusal) => Err(refusal),
            };
            answers.push((show, answer));
        }
        answers
    }

    fn submit<'a>(
        &'a self,
        show: &ShowId,
        commands: Vec<Command>,
    ) -> Result<impl Future<Output = Result<Vec<Outcome>, Refusal>> + use<'a>, Refusal> {
        let found = self.router.find(show);
        let (entry, shard) = found.map_err(|why| Refusal::show_not_found(show.as_str(), why))?;
        Ok(ask(move |reply| shard.submit(Request::Execute { shows: Shows::One(entry.number), commands, reply })))
    }

    fn refusal(&self, id: HoldId, show: &ShowId, rejection: &Rejection) -> Refusal {
        match self.router.find(show) {
            Ok((entry, _)) => Refusal::rejected(rejection, &entry.manifest).of_hold(Some(id)).in_show(show),
            Err(why) => Refusal::show_not_found(show.as_str(), why),
        }
    }

    fn lane(&self, id: HoldId) -> &Mutex<()> {
        let bytes = id.as_bytes();
        let folded = bytes.iter().fold(0usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(*byte)));
        &self.lanes[folded % LANES]
    }
}

/// The first of these shows that refused, unless one did not answer.
fn refused_of(answers: Vec<(ShowId, Result<Vec<Outcome>, Refusal>)>) -> Result<Option<(ShowId, Rejection)>, Refusal> {
    let mut first = None;
    for (show, answered) in answers {
        for rejection in answered?.into_iter().filter_map(Result::err) {
            first.get_or_insert((show.clone(), rejection));
        }
    }
    Ok(first)
}

/// A member that was sold may be another buyer's by now.
fn sell(group: &Standing, show: &ShowId, buyer: &BuyerId, sale: &Prepared) -> Box<SellMember> {
    let buyer = group.hold_in(show).map_or(buyer, |hold| &hold.buyer).clone();
    Box::new(SellMember { hold_id: group.id, buyer, order: sale.order.clone(), payment: sale.payment.clone() })
}
