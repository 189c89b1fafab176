//! Ways to an inventory: a batch of commands there, what buyers are told back.

use std::{future::Future, sync::Arc};

use anyhow::Context as _;
use usher_client::{
    Batch, Became, Error, Inventory, MixedBatch, Reason, Refused,
    v1::{self, command::Command as Kind, outcome::Outcome as Answer},
};

use super::asked::{Asked, Name, Told, Wants};

/// A way to an inventory. Clones share its connection.
pub trait Link: Clone + Send + Sync + 'static {
    /// Asks, and waits until all are answered: as many answers, in the same order.
    ///
    /// # Errors
    /// When there was no answer that could be one.
    fn ask(&self, asked: &[Asked]) -> impl Future<Output = anyhow::Result<Vec<Told>>> + Send;
}

/// Usher, through batches in columns.
#[derive(Clone, Debug)]
pub struct Columns {
    /// The client.
    pub client: Inventory,
    /// By the number of the show.
    pub show_ids: Arc<[String]>,
}

impl Columns {
    async fn run(&self, asked: &[Asked]) -> Result<Vec<Became>, Error> {
        let show_id = |asked: &Asked| &self.show_ids[asked.show as usize];
        if let [first, rest @ ..] = asked
            && rest.iter().all(|other| other.show == first.show)
        {
            let mut batch = Batch::with_capacity(asked.len());
            asked.iter().for_each(|asked| add(&mut batch, asked));
            return self.client.run_batch(show_id(first), batch).await;
        }
        let mut batch = MixedBatch::with_capacity(asked.len());
        asked.iter().for_each(|asked| add(batch.of(show_id(asked)), asked));
        self.client.run_mixed_batch(batch).await
    }
}

impl Link for Columns {
    async fn ask(&self, asked: &[Asked]) -> anyhow::Result<Vec<Told>> {
        match self.run(asked).await {
            Ok(became) => Ok(became.into_iter().map(told).collect()),
            Err(Error::TimedOut { .. }) => Ok(vec![Told::Later; asked.len()]),
            Err(error) => Err(error).context("running a batch"),
        }
    }
}

fn add(batch: &mut Batch, asked: &Asked) {
    let buyer = Name::of_buyer(asked.buyer);
    match asked.wants {
        Wants::Confirm => batch.confirm(asked.hold_id, buyer.as_str(), Name::of_order(asked.buyer).as_str(), ""),
        Wants::Release => batch.release(asked.hold_id, buyer.as_str()),
        _ if asked.seats.count == 1 => batch.hold(asked.hold_id, buyer.as_str(), &[asked.seats.first]),
        _ => batch.hold(asked.hold_id, buyer.as_str(), &asked.seats.each().collect::<Vec<_>>()),
    }
}

fn told(became: Became) -> Told {
    match became {
        Became::Held { .. } => Told::Held,
        Became::Taken => Told::Taken,
        Became::Sold => Told::Sold,
        Became::Released => Told::Released,
        Became::Other(answer) => answered(&answer),
        Became::Refused(refused) => refused_as(&refused),
    }
}

/// Usher, through single calls, which the client puts together.
#[derive(Clone, Debug)]
pub struct Singly {
    /// The client.
    pub client: Inventory,
    /// By the number of the show.
    pub show_ids: Arc<[String]>,
}

impl Link for Singly {
    async fn ask(&self, asked: &[Asked]) -> anyhow::Result<Vec<Told>> {
        let mut all = Vec::with_capacity(asked.len());
        for asked in asked {
            let show_id = &self.show_ids[asked.show as usize];
            all.push(match ask_one(&self.client, show_id, asked).await {
                Ok(told) => told,
                Err(Error::TimedOut { .. }) => Told::Later,
                Err(Error::Refused(refused)) => refused_as(&refused),
                Err(error) => return Err(error).context("running a command"),
            });
        }
        Ok(all)
    }
}

/// By a plain call, if there is one for it.
async fn ask_one(client: &Inventory, show_id: &str, asked: &Asked) -> Result<Told, Error> {
    let (buyer, id) = (Name::of_buyer(asked.buyer), asked.hold_id);
    let became = match asked.wants {
        Wants::Hold if asked.seats.count == 1 => client.hold(show_id, id, buyer.as_str(), &[asked.seats.first]).await,
        Wants::Hold => client.hold(show_id, id, buyer.as_str(), &asked.seats.each().collect::<Vec<_>>()).await,
        Wants::Confirm => client.confirm(show_id, id, buyer.as_str(), Name::of_order(asked.buyer).as_str(), "").await,
        Wants::Release => client.release(show_id, id, buyer.as_str()).await,
        // Boxed, as it is large and seldom: open loops have a call of their own for everybody.
        _ => return Box::pin(client.run(show_id, command(asked))).await.map(|answer| answered(&answer)),
    };
    became.map(told)
}

/// As a single call has it, for which there is no plain one.
fn command(asked: &Asked) -> v1::Command {
    let buyer_id = Name::of_buyer(asked.buyer).as_str().to_owned();
    let (show_id, hold_id) = (String::new(), prost::bytes::Bytes::copy_from_slice(&asked.hold_id));
    let wish = |count: u8| {
        let adjacency = v1::Adjacency::Required.into();
        Some(v1::Wish { quantity: count.into(), adjacency, ..v1::Wish::default() })
    };
    let command = match asked.wants {
        Wants::Replace { former } => {
            let replaces = prost::bytes::Bytes::copy_from_slice(&former);
            let terms = Some(Box::new(v1::Terms { replaces, ..v1::Terms::default() }));
            let places = Some(v1::Places { seat_indexes: asked.seats.each().collect(), ..v1::Places::default() });
            Kind::HoldSeats(v1::HoldSeatsRequest { show_id, hold_id, buyer_id, places, ttl_ms: None, terms })
        }
        Wants::Best { count } => {
            let wish = wish(count);
            Kind::HoldBest(Box::new(v1::HoldBestRequest { hold_id, buyer_id, wish, ..Default::default() }))
        }
        Wants::Extend => Kind::ExtendHold(v1::ExtendHoldRequest { show_id, hold_id, buyer_id, ttl_ms: None }),
        Wants::Look => Kind::GetHold(v1::GetHoldRequest { show_id, hold_id }),
        Wants::Leave => Kind::LeaveWaitlist(v1::LeaveWaitlistRequest { show_id, hold_id, buyer_id }),
        Wants::Join => {
            let wish = wish(1);
            Kind::JoinWaitlist(Box::new(v1::JoinWaitlistRequest { hold_id, buyer_id, wish, ..Default::default() }))
        }
        plain @ (Wants::Hold | Wants::Confirm | Wants::Release) => unreachable!("{plain:?} goes plainly"),
    };
    v1::Command { command: Some(command) }
}

fn answered(answer: &Answer) -> Told {
    use v1::join_waitlist_response::Standing;
    match answer {
        Answer::HoldSeats(v1::HoldSeatsResponse { hold: Some(hold) })
        | Answer::HoldBest(v1::HoldBestResponse { hold: Some(hold) })
        | Answer::ConfirmHold(v1::ConfirmHoldResponse { hold: Some(hold) })
        | Answer::GetHold(v1::GetHoldResponse { hold: Some(hold), .. }) => stands(hold.state()),
        Answer::JoinWaitlist(v1::JoinWaitlistResponse { standing: Some(Standing::Hold(hold)) }) => stands(hold.state()),
        Answer::JoinWaitlist(v1::JoinWaitlistResponse { standing: Some(Standing::Waiting(_)) }) => Told::Waiting,
        Answer::ReleaseHold(v1::ReleaseHoldResponse { state, .. })
        | Answer::LeaveWaitlist(v1::LeaveWaitlistResponse { state }) => match v1::HoldState::try_from(*state) {
            Ok(v1::HoldState::Released) => Told::Released,
            Ok(state) => stands(state),
            Err(_) => Told::Wrong("a state that nobody knows".into()),
        },
        Answer::ExtendHold(_) => Told::Extended,
        Answer::Rejection(no) => refused_as(&no.clone().into()),
        other => Told::Wrong(format!("{other:?}").into()),
    }
}

fn stands(state: v1::HoldState) -> Told {
    match state {
        v1::HoldState::Held => Told::Held,
        v1::HoldState::Confirmed => Told::Sold,
        v1::HoldState::Waiting => Told::Waiting,
        v1::HoldState::Released | v1::HoldState::Expired | v1::HoldState::Cancelled | v1::HoldState::Fenced => {
            Told::Over
        }
        v1::HoldState::Unspecified => Told::Wrong("a hold without a state".into()),
    }
}

fn refused_as(refused: &Refused) -> Told {
    match refused.reason {
        Reason::PlacesTaken | Reason::NotTogether | Reason::SoldOut => Told::Taken,
        Reason::HoldExpired | Reason::HoldReleased | Reason::HoldUnknown | Reason::HoldFenced => Told::Over,
        Reason::Overloaded
        | Reason::RateLimited
        | Reason::InboxFull
        | Reason::OutcomeUnknown
        | Reason::DeadlinePassed => Told::Later,
        _ => Told::Wrong(refused.to_string().into()),
    }
}
