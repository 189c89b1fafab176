//! The client: a call for each command, and what happens until it is answered.

use std::{
    hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher},
    sync::Arc,
    time::Duration,
};

use prost::{Message as _, bytes::Bytes};
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};
use usher_proto::v1::{
    self, availability_client::AvailabilityClient, command::Command as Kind, outcome::Outcome as Answer,
    shows_client::ShowsClient,
};

use crate::{
    Error, Options, Refused,
    connection::{COMMAND_BYTES_MAX, Connection},
    reason::Reason,
    retry,
};

/// How often a connection that is silent is asked whether it is there, and how long it may take to say so.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
const CONNECT_WAIT_MAX: Duration = Duration::from_secs(5);

/// Usher's inventory, over the network. Cheap to clone; all clones share their connections.
#[derive(Clone, Debug)]
pub struct Inventory {
    connections: Arc<[Connection]>,
    channel: Channel,
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
        let wrong = |error: tonic::transport::Error| Error::Address {
            address: address.to_owned(),
            problem: std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string),
        };
        let endpoint = Endpoint::from_shared(address.to_owned()).map_err(wrong)?;
        let endpoint = endpoint
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_WAIT_MAX)
            .http2_keep_alive_interval(KEEP_ALIVE.0)
            .keep_alive_timeout(KEEP_ALIVE.1);
        let count = options.connections.clamp(1, 64);
        let open = |_| Connection::open(endpoint.connect_lazy(), options.calls_waiting_max.max(1));
        let connections = (0..count).map(open).collect();
        Ok(Self { connections, channel: endpoint.connect_lazy(), timeout: options.timeout })
    }

    /// The same client, whose calls may take so long in all.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout, ..self.clone() }
    }

    /// The calls of organisers, on a connection of their own.
    #[must_use]
    pub fn shows(&self) -> ShowsClient<Channel> {
        ShowsClient::new(self.channel.clone())
    }

    /// Which places are available.
    #[must_use]
    pub fn availability(&self) -> AvailabilityClient<Channel> {
        AvailabilityClient::new(self.channel.clone())
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
        let (mut last, mut attempts) = (None, 0);
        let timed_out = |last| Err(Error::TimedOut { waited: begun.elapsed(), last });
        loop {
            let attempt = self.connection_of(show_id).call(show_id, command.clone());
            let refused = match tokio::time::timeout_at(deadline, attempt).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(refused)) => refused,
                Err(_) => return timed_out(last),
            };
            if !retry::is_worth_it(&refused) {
                return Err(Error::Refused(refused));
            }
            let pause = retry::pause(attempts, &refused);
            tracing::debug!(show_id, %refused, ?pause, "sent again");
            (last, attempts) = (Some(refused), attempts + 1);
            if Instant::now() + pause >= deadline {
                return timed_out(last);
            }
            tokio::time::sleep(pause).await;
        }
    }

    fn connection_of(&self, show_id: &str) -> &Connection {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(show_id);
        let position = hash % self.connections.len() as u64;
        &self.connections[usize::try_from(position).unwrap_or_default()]
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
