//! Who is let in when not everybody can be: the order of mercy.

use std::time::Duration;

use crate::command::Command;

/// Whom a request serves. The first are put off last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Somebody who has something: he pays for it, keeps it or gives it back. And whoever stops a sale, which is what an
    /// organiser does about too many buyers.
    Settle,
    /// Somebody who wants something.
    Claim,
    /// Somebody who only looks.
    Read,
    /// Organisers.
    Organise,
}

impl Priority {
    /// All of them, the first that is put off last.
    pub const ALL: [Self; 4] = [Self::Settle, Self::Claim, Self::Read, Self::Organise];

    /// How long those may have waited who are in the queue already, where new claims are let in until `claim_max`.
    #[must_use]
    pub fn wait_max(self, claim_max: Duration) -> Duration {
        match self {
            Self::Settle => claim_max * 4,
            Self::Claim => claim_max,
            Self::Read => claim_max / 2,
            Self::Organise => claim_max / 4,
        }
    }

    /// How much of an inbox of so many commands it may fill: an eighth is kept for those who settle.
    #[must_use]
    pub fn inbox_max(self, commands_max: usize) -> usize {
        if self == Self::Settle { commands_max } else { commands_max - commands_max / 8 }
    }
}

impl Command {
    /// Whom it serves.
    #[must_use]
    pub fn priority(&self) -> Priority {
        match self {
            Self::ExtendHold(_)
            | Self::ReleaseHold(_)
            | Self::ConfirmHold(_)
            | Self::PinHold(_)
            | Self::UnpinHold(_)
            | Self::CancelBooking(_)
            | Self::LeaveWaitlist(_)
            | Self::PrepareMember(_)
            | Self::ConfirmMember(_)
            | Self::ReleaseMember(_)
            | Self::PauseSale { .. }
            | Self::CloseSale
            | Self::CancelShow { dry_run: false } => Priority::Settle,
            Self::HoldSeats(_)
            | Self::HoldBest(_)
            | Self::SellPlaces(_)
            | Self::TransferBooking(_)
            | Self::ExchangeSeats(_)
            | Self::JoinWaitlist(_)
            | Self::JoinGroup(_) => Priority::Claim,
            Self::GetHold(_) | Self::CancelShow { dry_run: true } => Priority::Read,
            Self::BlockPlaces(_)
            | Self::UnblockPlaces(_)
            | Self::RetireSeats(_)
            | Self::ScheduleRelease(_)
            | Self::SetChannel(_)
            | Self::AssignChannel(_)
            | Self::ScheduleSale(_)
            | Self::OpenSale
            | Self::ArchiveShow
            | Self::ChangePolicy(_)
            | Self::ChangeManifest(_) => Priority::Organise,
        }
    }
}
