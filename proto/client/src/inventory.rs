//! The client: a call for each command, and what happens until it is answered.

use std::{future::Future, sync::Arc, time::Duration};

use prost::{Message as _, bytes::Bytes};
use tokio::time::Instant;
use usher_proto::v1::{self, command::Command as Kind, outcome::Outcome as Answer};

use crate::{
    Batch, Became, Error, MixedBatch, Options, Refused, connection::COMMAND_BYTES_MAX, node::Node, nodes::Nodes,
    reason::Reason, retry,
};

/// How often an attempt goes at once to where the show is said to be; then there is a pause, and home is asked.
const HOPS_MAX: u32 = 3;

/// Usher's inventory, over the network. Cheap to clone; all clones share their connections.
#[derive(Clone, Debug)]
pub struct Inventory {
    nodes: Arc<Nodes>,
    timeout: Duration,
}

/// A new id for a hold: a UUID of version 7, which sorts by time.
#[must_use]
pub fn new_hold_id() -> Bytes {
    Bytes::copy_from_slice(uuid::Uuid::now_v7().as_bytes())
}

impl Inventory {
    /// A client of this server. It connects when it is first used, and again whenever that is necessary. Must be called
    /// within a tokio runtime.
    ///
    /// # Errors
    /// [`Error::Address`].
    pub fn connect(address: &str) -> Result<Self, Error> {
        Self::with_options(address, &Options::default())
    }

    /// The same, set up otherwise.
    ///
    /// # Errors
    /// [`Error::Address`].
    pub fn with_options(address: &str, options: &Options) -> Result<Self, Error> {
        Ok(Self { nodes: Arc::new(Nodes::new(address, options)?), timeout: options.timeout })
    }

    /// The same client, whose calls may take so long in all.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout, ..self.clone() }
    }

    /// Whether a server is there now: for whoever does not want to wait for one.
    ///
    /// # Errors
    /// [`Error::Unreachable`].
    pub async fn ready(&self) -> Result<(), Error> {
        self.nodes.home().ready().await
    }

    /// Runs a command, and again if there was no answer or the server asked for it, until its time is up. Its own `show_id`
    /// may be empty.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::TimedOut`], [`Error::TooLarge`].
    pub async fn run(&self, show_id: &str, command: v1::Command) -> Result<Answer, Error> {
        let bytes = command.encoded_len();
        if bytes > COMMAND_BYTES_MAX {
            return Err(Error::TooLarge { bytes, max: COMMAND_BYTES_MAX });
        }
        let begun = Instant::now();
        let deadline = begun + self.timeout;
        let attempt = |node: Arc<Node>| {
            let command = command.clone();
            async move { node.session_of(show_id).call(show_id, command, deadline).await }
        };
        self.until_answered(show_id, begun, attempt).await
    }

    /// Runs many commands for one show, in their order, and all of them again if there was no answer, until their time is up.
    ///
    /// # Errors
    /// [`Error::Refused`] as a whole, [`Error::TimedOut`], [`Error::TooLarge`]. What is refused of a command by itself is in the
    /// answer.
    pub async fn run_batch(&self, show_id: &str, batch: Batch) -> Result<Vec<Became>, Error> {
        let (show_id, columns) = (show_id.to_owned(), Some(batch.into()));
        self.run_columns(v1::SessionBatch { show_id, columns, ..v1::SessionBatch::default() }).await
    }

    /// Runs many commands for several shows. They go to the server that the client was made for: of a show that is elsewhere its
    /// commands are refused, each by itself.
    ///
    /// # Errors
    /// As those of [`Self::run_batch`].
    pub async fn run_mixed_batch(&self, batch: MixedBatch) -> Result<Vec<Became>, Error> {
        self.run_columns(batch.into()).await
    }

    async fn run_columns(&self, batch: v1::SessionBatch) -> Result<Vec<Became>, Error> {
        let (begun, show_id) = (Instant::now(), &batch.show_id);
        let deadline = begun + self.timeout;
        let attempt = |node: Arc<Node>| {
            // What is long in it is shared by the attempts.
            let batch = batch.clone();
            async move { node.session_of(show_id).call_all(batch, deadline).await }
        };
        self.until_answered(show_id, begun, attempt).await
    }

    /// Holds seats, at most 255, for as long as the show has it. As [`Self::hold_seats`], and at a fraction of the cost: it
    /// travels with those of other tasks in columns, and what comes back is what [`Batch`] gives.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::TimedOut`]. Seats that are taken are an answer.
    ///
    /// # Panics
    /// With more seats, or a buyer of more than 255 bytes.
    pub async fn hold(&self, show_id: &str, hold_id: [u8; 16], buyer_id: &str, seats: &[u32]) -> Result<Became, Error> {
        self.run_plainly(show_id, false, |batch| batch.hold(hold_id, buyer_id, seats)).await
    }

    /// Sells a hold as a whole; plain, as [`Self::hold`] is.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::TimedOut`].
    ///
    /// # Panics
    /// With an order, payment or buyer of more than 255 bytes.
    pub async fn confirm(
        &self,
        show_id: &str,
        hold_id: [u8; 16],
        buyer_id: &str,
        order_ref: &str,
        payment_ref: &str,
    ) -> Result<Became, Error> {
        self.run_plainly(show_id, true, |batch| batch.confirm(hold_id, buyer_id, order_ref, payment_ref)).await
    }

    /// Gives a hold back as a whole; plain, as [`Self::hold`] is.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::TimedOut`].
    ///
    /// # Panics
    /// With a buyer of more than 255 bytes.
    pub async fn release(&self, show_id: &str, hold_id: [u8; 16], buyer_id: &str) -> Result<Became, Error> {
        self.run_plainly(show_id, true, |batch| batch.release(hold_id, buyer_id)).await
    }

    async fn run_plainly(&self, show_id: &str, settles: bool, command: impl Fn(&mut Batch)) -> Result<Became, Error> {
        let (begun, command) = (Instant::now(), &command);
        let deadline = begun + self.timeout;
        let attempt = |node: Arc<Node>| async move {
            node.session_of(show_id).call_plainly(show_id, settles, command, deadline).await
        };
        self.until_answered(show_id, begun, attempt).await
    }

    /// From `begun` on, one attempt after the other, each at the server that has the show: until one is answered, or refused for good, or the
    /// time is up.
    pub(crate) async fn until_answered<T, F: Future<Output = Result<T, Box<Refused>>>>(
        &self,
        show_id: &str,
        begun: Instant,
        attempt: impl Fn(Arc<Node>) -> F,
    ) -> Result<T, Error> {
        let deadline = begun + self.timeout;
        let (mut last, mut attempts, mut hops) = (None, 0, 0);
        let timed_out = |last| Err(Error::TimedOut { waited: begun.elapsed(), last });
        loop {
            let refused = match tokio::time::timeout_at(deadline, attempt(self.nodes.of(show_id))).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(refused)) => refused,
                Err(_) => return timed_out(last),
            };
            if hops < HOPS_MAX && refused.moved_to().is_some_and(|address| self.nodes.moved(show_id, address)) {
                tracing::debug!(show_id, %refused, "asked elsewhere");
                (last, hops) = (Some(refused), hops + 1);
                continue;
            }
            if !retry::is_worth_it(&refused) {
                return Err(Error::Refused(refused));
            }
            if retry::asks_at_home(&refused) {
                self.nodes.forget(show_id);
            }
            let pause = retry::pause(attempts, &refused);
            tracing::debug!(show_id, %refused, ?pause, "sent again");
            (last, attempts, hops) = (Some(refused), attempts + 1, 0);
            if Instant::now() + pause >= deadline {
                return timed_out(last);
            }
            tokio::time::sleep(pause).await;
        }
    }
}

/// A method for each command: the request in, its response out.
macro_rules! calls {
    ($($(#[$doc:meta])* $method:ident: $kind:ident($request:ident) -> $response:ident,)*) => {
        impl Inventory {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// [`Error::Refused`], [`Error::TimedOut`], [`Error::TooLarge`].
                pub async fn $method(&self, request: v1::$request) -> Result<v1::$response, Error> {
                    let show_id = request.show_id.clone();
                    let command = v1::Command { command: Some(Kind::$kind(request.into())) };
                    match self.run(&show_id, command).await? {
                        Answer::$kind(response) => Ok(response),
                        _ => Err(Error::Refused(Box::new(another_kind()))),
                    }
                }
            )*
        }
    };
}

/// A server of another release may say what nobody asked.
fn another_kind() -> Refused {
    let message = "the answer is of another kind than the command".to_owned();
    Refused { reason: Reason::Internal, ..Refused::from(tonic::Status::internal(message)) }
}

calls! {
    /// Holds places.
    hold_seats: HoldSeats(HoldSeatsRequest) -> HoldSeatsResponse,
    /// Moves a hold's deadline.
    extend_hold: ExtendHold(ExtendHoldRequest) -> ExtendHoldResponse,
    /// Gives places back.
    release_hold: ReleaseHold(ReleaseHoldRequest) -> ReleaseHoldResponse,
    /// Sells what is held.
    confirm_hold: ConfirmHold(ConfirmHoldRequest) -> ConfirmHoldResponse,
    /// Tells the fate of a hold.
    get_hold: GetHold(GetHoldRequest) -> GetHoldResponse,
    /// Holds the best places that meet a wish.
    hold_best: HoldBest(HoldBestRequest) -> HoldBestResponse,
    /// Keeps a hold while its payment is under way.
    pin_hold: PinHold(PinHoldRequest) -> PinHoldResponse,
    /// Lets it go on.
    unpin_hold: UnpinHold(UnpinHoldRequest) -> UnpinHoldResponse,
    /// Sells at once.
    sell_places: SellPlaces(SellPlacesRequest) -> SellPlacesResponse,
    /// Takes a sale back.
    cancel_booking: CancelBooking(CancelBookingRequest) -> CancelBookingResponse,
    /// Gives a booking to another buyer.
    transfer_booking: TransferBooking(TransferBookingRequest) -> TransferBookingResponse,
    /// Gives a booking other places.
    exchange_seats: ExchangeSeats(ExchangeSeatsRequest) -> ExchangeSeatsResponse,
    /// Waits for places.
    join_waitlist: JoinWaitlist(JoinWaitlistRequest) -> JoinWaitlistResponse,
    /// Waits no more.
    leave_waitlist: LeaveWaitlist(LeaveWaitlistRequest) -> LeaveWaitlistResponse,
}
