//! The reasons of refusals, by their names on the wire.

use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why a server said no. There may be more of them tomorrow.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* $variant,)*
            /// None was given: the refusal is not Usher's own, but gRPC's or a proxy's.
            None,
            /// One that this release does not know.
            Unknown(Box<str>),
        }

        impl Reason {
            /// All that this release knows.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name on the wire: UPPER_SNAKE.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::None => "",
                    Self::Unknown(name) => name,
                }
            }
        }

        impl From<&str> for Reason {
            fn from(name: &str) -> Self {
                match name {
                    $($name => Self::$variant,)*
                    "" => Self::None,
                    unknown => Self::Unknown(unknown.into()),
                }
            }
        }
    };
}

reasons! {
    /// The caller is bound to some shows, and this is about more.
    CallerBound = "CALLER_BOUND",
    /// The show's capacity, or a pool's, is reached.
    CapacityReached = "CAPACITY_REACHED",
    /// No channel has this key.
    ChannelUnknown = "CHANNEL_UNKNOWN",
    /// The buyer let holds expire, and has to wait.
    CoolingDown = "COOLING_DOWN",
    /// The caller has as many connections as he may have.
    ConnectionsReached = "CONNECTIONS_REACHED",
    /// The token is no longer good.
    CredentialsExpired = "CREDENTIALS_EXPIRED",
    /// Nobody is known by this key or token.
    CredentialsInvalid = "CREDENTIALS_INVALID",
    /// The server wants to know who calls.
    CredentialsMissing = "CREDENTIALS_MISSING",
    /// The key was revoked or changed while a stream was open.
    CredentialsRevoked = "CREDENTIALS_REVOKED",
    /// The call took longer than it may.
    DeadlineExceeded = "DEADLINE_EXCEEDED",
    /// The time for the command was over before it was decided: nothing happened.
    DeadlinePassed = "DEADLINE_PASSED",
    /// The disk is nearly full: only reads are answered.
    DiskFull = "DISK_FULL",
    /// The disk does not take writes: only reads are answered.
    DiskUnwritable = "DISK_UNWRITABLE",
    /// The booking was taken back, or the hold ended with its show.
    HoldCancelled = "HOLD_CANCELLED",
    /// Somebody has places in it still.
    HoldsLive = "HOLDS_LIVE",
    /// It is sold.
    HoldConfirmed = "HOLD_CONFIRMED",
    /// Its deadline is over.
    HoldExpired = "HOLD_EXPIRED",
    /// It was released before it was held.
    HoldFenced = "HOLD_FENCED",
    /// It is no booking.
    HoldNotConfirmed = "HOLD_NOT_CONFIRMED",
    /// It is not one of a group.
    HoldNotOfGroup = "HOLD_NOT_OF_GROUP",
    /// It is no entry of the waitlist.
    HoldNotWaiting = "HOLD_NOT_WAITING",
    /// It is somebody else's.
    HoldOfAnotherBuyer = "HOLD_OF_ANOTHER_BUYER",
    /// It is one of a group, which is confirmed and released as a whole.
    HoldOfGroup = "HOLD_OF_GROUP",
    /// Its payment is under way.
    HoldPinned = "HOLD_PINNED",
    /// It was given back.
    HoldReleased = "HOLD_RELEASED",
    /// There is no such hold.
    HoldUnknown = "HOLD_UNKNOWN",
    /// It is an entry of the waitlist.
    HoldWaiting = "HOLD_WAITING",
    /// The id is that of another request.
    IdReused = "ID_REUSED",
    /// The shard has more to do than it takes.
    InboxFull = "INBOX_FULL",
    /// A bug of the server's.
    Internal = "INTERNAL",
    /// The request is malformed; the metadata names the fields.
    InvalidRequest = "INVALID_REQUEST",
    /// A limit of the show.
    LimitReached = "LIMIT_REACHED",
    /// The show's manifest is another one than the caller saw.
    ManifestChanged = "MANIFEST_CHANGED",
    /// The manifest cannot be.
    ManifestInvalid = "MANIFEST_INVALID",
    /// The message is larger than its method takes.
    MessageTooLarge = "MESSAGE_TOO_LARGE",
    /// There is no such method, or not on this port.
    MethodUnknown = "METHOD_UNKNOWN",
    /// There is room, but not side by side.
    NotTogether = "NOT_TOGETHER",
    /// It would leave single seats.
    OrphansLeft = "ORPHANS_LEFT",
    /// It may have happened or not.
    OutcomeUnknown = "OUTCOME_UNKNOWN",
    /// Too many wait for too long already.
    Overloaded = "OVERLOADED",
    /// The hold does not have these places.
    PlacesNotInHold = "PLACES_NOT_IN_HOLD",
    /// Places that are kept for whoever needs them, or sold or held where they must not be.
    PlacesProtected = "PLACES_PROTECTED",
    /// Places are gone.
    PlacesTaken = "PLACES_TAKEN",
    /// The show does not have these places.
    PlacesUnknown = "PLACES_UNKNOWN",
    /// The caller, the buyer or the show asks for more in a second than it may: the metadata's `limit`.
    RateLimited = "RATE_LIMITED",
    /// The caller has no scope for it.
    ScopeMissing = "SCOPE_MISSING",
    /// The shard is damaged, or the process ends.
    ShardNotServing = "SHARD_NOT_SERVING",
    /// The shard rebuilds its state.
    ShardRecovering = "SHARD_RECOVERING",
    /// The caller may not touch the show.
    ShowForbidden = "SHOW_FORBIDDEN",
    /// The show's id is that of another show.
    ShowIdReused = "SHOW_ID_REUSED",
    /// The show is at another server: the metadata's `address`. The client asks there.
    ShowMoved = "SHOW_MOVED",
    /// The show is not on sale.
    ShowNotOpen = "SHOW_NOT_OPEN",
    /// There is no such show.
    ShowUnknown = "SHOW_UNKNOWN",
    /// The snapshot could not be taken.
    SnapshotFailed = "SNAPSHOT_FAILED",
    /// There is not enough left.
    SoldOut = "SOLD_OUT",
    /// The show is not at this version yet.
    VersionNotReached = "VERSION_NOT_REACHED",
    /// The waitlist takes nobody any more.
    WaitlistClosed = "WAITLIST_CLOSED",
    /// The buyer has an entry or an offer already.
    WaitsAlready = "WAITS_ALREADY",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        assert!(Reason::ALL.iter().all(|reason| Reason::from(reason.as_str()) == *reason));
        assert_eq!(Reason::from("TOMORROW").to_string(), "TOMORROW");
    }
}
