//! Short names for commands and for what became of them.

use usher_engine::{
    command::Command,
    event::Event,
    inventory::{Answer, HoldState, HoldView},
    rejection::{Conflicts, Rejection},
};

pub(super) fn of_command(command: &Command) -> &'static str {
    match command {
        Command::HoldSeats(_) => "hold",
        Command::ExtendHold(_) => "extend",
        Command::ReleaseHold(_) => "release",
        Command::ConfirmHold(_) => "confirm",
        Command::GetHold(_) => "get",
        Command::HoldBest(_) => "hold best",
        Command::PinHold(_) => "pin",
        Command::UnpinHold(_) => "unpin",
        Command::SellPlaces(_) => "sell",
        Command::CancelBooking(_) => "cancel booking",
        Command::TransferBooking(_) => "transfer",
        Command::ExchangeSeats(_) => "exchange",
        Command::JoinWaitlist(_) => "join",
        Command::LeaveWaitlist(_) => "leave",
        Command::JoinGroup(_) => "join group",
        Command::PrepareMember(_) => "prepare member",
        Command::ConfirmMember(_) => "confirm member",
        Command::ReleaseMember(_) => "release member",
        Command::BlockPlaces(_) => "block",
        Command::UnblockPlaces(_) => "unblock",
        Command::RetireSeats(_) => "retire",
        Command::ScheduleRelease(_) => "schedule release",
        Command::SetChannel(_) => "set channel",
        Command::AssignChannel(_) => "assign channel",
        Command::ScheduleSale(_) => "schedule sale",
        Command::OpenSale => "open",
        Command::PauseSale { .. } => "pause",
        Command::CloseSale => "close",
        Command::CancelShow { .. } => "cancel show",
        Command::ArchiveShow => "archive",
        Command::ChangePolicy(_) => "change policy",
        Command::ChangeManifest(_) => "change manifest",
    }
}

pub(super) fn of_answer(answer: &Answer) -> String {
    match answer {
        Answer::Held(hold) if hold.state == HoldState::Held => of_grant(hold),
        Answer::Held(hold) | Answer::Confirmed(hold) | Answer::Found(hold) | Answer::Booking(hold) => of_hold(hold),
        Answer::Extended { .. } => "extended".to_owned(),
        Answer::Released { state, orphans } if orphans.is_empty() => format!("{state:?}"),
        Answer::Released { state, .. } => format!("{state:?}, orphans"),
        Answer::Waiting(entry) if entry.gathered > 0 => "waiting, gathering".to_owned(),
        Answer::Waiting(_) => "waiting".to_owned(),
        Answer::Bulk(report) if report.queued > 0 => "queued".to_owned(),
        Answer::Bulk(report) => {
            let left = report.refused > 0 || !report.refused_ga.is_empty();
            format!("{}{}", if report.changed > 0 { "done" } else { "nothing" }, if left { ", some left" } else { "" })
        }
        Answer::Sale(state) => state.to_string(),
        Answer::ShowCancelled(report) if report.refund_minor > 0 => "counted, to refund".to_owned(),
        Answer::ShowCancelled(_) => "counted".to_owned(),
        Answer::ManifestChanged(report) if report.over_committed.is_empty() => "changed".to_owned(),
        Answer::ManifestChanged(_) => "changed, over committed".to_owned(),
        Answer::Done => "done".to_owned(),
    }
}

fn of_grant(hold: &HoldView) -> String {
    let more = hold.more.clone().unwrap_or_default();
    match more.placement {
        Some(placement) => format!("Held, {:?}", placement.step),
        None if more.orphans.is_empty() => "Held".to_owned(),
        None => "Held, orphans".to_owned(),
    }
}

fn of_hold(hold: &HoldView) -> String {
    let is_due = hold.more.as_ref().is_some_and(|more| more.refund_due);
    format!("{:?}{}", hold.state, if is_due { ", refund due" } else { "" })
}

pub(super) fn of_event(event: &Event) -> String {
    match event {
        Event::OfferMade(made) => format!("offer, {:?}", made.placement.step),
        other => {
            let text = format!("{other:?}");
            text.split([' ', '(']).next().unwrap_or_default().to_owned()
        }
    }
}

pub(super) fn of_rejection(rejection: &Rejection) -> String {
    match rejection {
        Rejection::ShowIdReused { field } => format!("show id reused: {field}"),
        Rejection::IdReused { field } => format!("id reused: {field}"),
        Rejection::HoldUnknown => "hold unknown".to_owned(),
        Rejection::HoldOfAnotherBuyer => "another buyer's".to_owned(),
        Rejection::HoldFenced => "fenced".to_owned(),
        Rejection::HoldReleased => "released".to_owned(),
        Rejection::HoldExpired { .. } => "expired".to_owned(),
        Rejection::HoldConfirmed => "confirmed".to_owned(),
        Rejection::HoldCancelled => "cancelled".to_owned(),
        Rejection::HoldPinned => "pinned".to_owned(),
        Rejection::HoldOfGroup => "of a group".to_owned(),
        Rejection::HoldNotOfGroup => "not of a group".to_owned(),
        Rejection::HoldNotConfirmed => "not confirmed".to_owned(),
        Rejection::HoldWaiting => "it waits".to_owned(),
        Rejection::ShowNotOpen { state, .. } => format!("show is {state}"),
        Rejection::HoldsLive { .. } => "holds live".to_owned(),
        Rejection::HoldNotWaiting => "not waiting".to_owned(),
        Rejection::WaitlistClosed => "waitlist closed".to_owned(),
        Rejection::ChannelUnknown { .. } => "channel unknown".to_owned(),
        Rejection::ManifestInvalid(_) => "invalid".to_owned(),
        Rejection::PlacesNotInHold(conflicts) => format!("not in hold: {}", of_conflicts(conflicts)),
        Rejection::PlacesUnknown(conflicts) => format!("unknown: {}", of_conflicts(conflicts)),
        Rejection::ManifestChanged { places, .. } => format!("changed since: {}", of_conflicts(places)),
        Rejection::ManifestNotReached { .. } => "manifest not reached".to_owned(),
        Rejection::LimitReached { limit, .. } => format!("limit: {limit}"),
        Rejection::CoolingDown { .. } => "cooling down".to_owned(),
        Rejection::WaitsAlready { .. } => "waits already".to_owned(),
        Rejection::PlacesProtected(_) => "protected".to_owned(),
        Rejection::CapacityReached { pool: None, .. } => "capacity of the show".to_owned(),
        Rejection::CapacityReached { pool: Some(_), .. } => "capacity of a pool".to_owned(),
        Rejection::PlacesTaken(conflicts) => format!("taken: {}", of_conflicts(conflicts)),
        Rejection::OrphansLeft(_) => "orphans left".to_owned(),
        Rejection::SoldOut { .. } => "sold out".to_owned(),
        Rejection::NotTogether { .. } => "not together".to_owned(),
    }
}

fn of_conflicts(conflicts: &Conflicts) -> &'static str {
    match (conflicts.seats.is_empty(), conflicts.ga.is_empty()) {
        (false, true) => "seats",
        (true, false) => "units",
        (false, false) => "both",
        (true, true) => "nothing",
    }
}
