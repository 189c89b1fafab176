//! The one layer that decides, before any service is called: for gRPC, gRPC-Web and HTTP/JSON alike.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use prost::bytes::Buf as _;
use tonic::{
    Code, Status,
    codegen::{
        Body,
        http::{Extensions, HeaderMap, Request, Response},
    },
};
use tower::{Layer, Service};
use usher_engine::{ids::ShowId, shard::Admission};

use super::{
    CALL, Call, Caller, Grant, Known,
    audit::Audit,
    keys,
    known::bearer,
    priority,
    rates::Rates,
    table::{self, Rule},
};
use crate::{
    edge::{self, DecideBy, Peer, Places},
    status::{Refusal, explained},
};

/// What is read of a call that is refused: so many bytes, for so long.
const READ_OUT: (usize, Duration) = (64 << 10, Duration::from_millis(100));

/// Who is known, and what is remembered of what they do.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) known: Arc<Known>,
    /// Nothing is written where nobody has to say who he is.
    pub(crate) audit: Option<Arc<Audit>>,
    pub(crate) connections: Arc<Places<String>>,
    pub(crate) rates: Arc<Rates>,
    /// How long those may have waited who wait already when a new claim is let in.
    pub(crate) wait_max: Duration,
}

impl Guard {
    /// The rule: whoever is known, and has a scope that the method takes, may call it.
    fn decide(&self, rule: Option<Rule>, caller: &Caller, peer: Option<&Peer>) -> Result<(), Refusal> {
        let Some(rule) = rule else { return Err(Refusal::method_unknown()) };
        // Where nobody says who he is, all would be one.
        if self.audit.is_some()
            && rule != Rule::Open
            && peer.is_some_and(|peer| !peer.is_counted(&self.connections, &caller.name))
        {
            return Err(Refusal::connections_reached());
        }
        match rule {
            Rule::Open | Rule::Anybody => Ok(()),
            Rule::Scopes(scopes) | Rule::Unbound(scopes) if !caller.grant.has_any(scopes) => {
                Err(Refusal::scope_missing(scopes))
            }
            Rule::Unbound(_) if caller.grant.is_bound() => {
                Err(Refusal::forbidden("CALLER_BOUND", "this is about more than the shows that the caller is bound to"))
            }
            Rule::Scopes(_) | Rule::Unbound(_) => Ok(()),
        }
    }

    /// Whether there is time for one more call, and whether it is not one too many of this caller's.
    fn let_in(&self, call: &Call) -> Result<(), Refusal> {
        let Some(rule) = table::rule(&call.method).filter(|rule| *rule != Rule::Open) else { return Ok(()) };
        if let Some(priority) = priority::of(&call.method, rule) {
            Admission::new(edge::delay(), self.wait_max).check(priority)?;
        }
        call.charge(1)
    }

    /// Lets a call of a method in, or refuses it, which the trail tells. HTTP/JSON asks before it reads a body, too.
    pub(crate) fn admit(&self, method: &str, headers: &HeaderMap, extensions: &Extensions) -> Result<Call, Refusal> {
        let (rule, peer) = (table::rule(method), extensions.get::<Peer>());
        let caller = self.known.find(headers, peer);
        let from = || {
            let address = peer.map_or_else(|| "nobody".to_owned(), |peer| format!("address:{}", peer.address().ip()));
            // The public half of the key that he shows, whether there is one or not.
            bearer(headers).and_then(keys::shown_id).map_or_else(|| address.clone(), |id| format!("{address} key:{id}"))
        };
        let is_known = caller.is_ok();
        let who = caller.as_ref().map_or_else(|_| from(), |caller| caller.name.clone());
        let caller = match caller {
            Err(_) if rule == Some(Rule::Open) => Ok(Arc::new(Caller::new(from(), Grant::default()))),
            found => found,
        };
        let admitted = caller.and_then(|caller| self.decide(rule, &caller, peer).map(|()| caller));
        match admitted {
            Ok(caller) => {
                if rule != Some(Rule::Open) {
                    peer.inspect(|peer| peer.note_call());
                }
                let (method, audit) = (Arc::from(method), self.audit.clone());
                Ok(Call {
                    caller,
                    method,
                    audit,
                    is_audited: rule.is_some_and(table::is_audited),
                    rates: Arc::clone(&self.rates),
                    decide_by: extensions.get::<DecideBy>().map(|end| end.0),
                    show: Arc::default(),
                })
            }
            Err(refusal) => {
                if let Some(audit) = &self.audit {
                    audit.refused(&who, is_known, method, None, refusal.reason());
                }
                Err(refusal)
            }
        }
    }
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, service: S) -> Guarded<S> {
        Guarded { guard: self.clone(), service }
    }
}

/// A service behind the guard.
#[derive(Clone)]
pub(crate) struct Guarded<S> {
    guard: Guard,
    service: S,
}

impl<S, B, A> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<A>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    A: Default,
    B: Body + Send + 'static,
    B::Data: Send,
{
    type Response = Response<A>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let admitted = self.guard.admit(request.uri().path(), request.headers(), request.extensions());
        let call = match admitted.and_then(|call| self.guard.let_in(&call).map(|()| call)) {
            Ok(call) => call,
            Err(refusal) => {
                return Box::pin(async move {
                    read_out(request.into_body()).await;
                    Ok(refusal.into_status().into_http())
                });
            }
        };
        let answer = self.service.call(request);
        Box::pin(async move {
            let response = explained(CALL.scope(call.clone(), answer).await?);
            if let Some(audit) = call.audit.as_ref().filter(|_| call.is_audited) {
                let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
                audit.called(&call.caller.name, &call.method, call.show.get().map(ShowId::as_str), code);
            }
            Ok(response)
        })
    }
}

/// Reads what belongs to a call that is refused, as far as it is there. An answer before the end of its request resets the stream,
/// and a connection on which that happens often is ended: whoever shares it with a caller that is refused would suffer.
async fn read_out<B: Body>(body: B) {
    let (mut body, mut left) = (pin!(body), READ_OUT.0);
    let reading = async {
        while let Some(Ok(frame)) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
            let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, |data| data.remaining())) else { return };
            left = rest;
        }
    };
    // Whoever has not sent it by then is answered all the same.
    let _ = tokio::time::timeout(READ_OUT.1, reading).await;
}
