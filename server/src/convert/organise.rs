//! What organisers ask for: blocks, channels, releases at a time.

use usher_engine::{
    command::{AssignChannel, BlockPlaces, Command, ScheduleRelease, SetChannel, UnblockPlaces},
    inventory::manifest::Manifest,
};
use usher_proto::v1;

use super::{
    Violations,
    selection::{Units, mark, selection},
};
use crate::status::Refusal;

/// Reads a BlockPlaces.
///
/// # Errors
/// A refusal that names every field that is wrong, or the places that the show does not have.
pub fn block_places(wire: &v1::BlockPlacesRequest, manifest: &Manifest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let mark = mark("mark", wire.mark.as_ref(), &mut violations);
    let selection = selection(wire.selection.as_ref(), Units::Blocked(&wire.ga), manifest, &mut violations)?;
    let read = || Some(BlockPlaces { selection: selection?, mark: mark? });
    violations.done(read()).map(|block| Command::BlockPlaces(Box::new(block)))
}

/// Reads an UnblockPlaces.
///
/// # Errors
/// As [`block_places`].
pub fn unblock_places(wire: &v1::UnblockPlacesRequest, manifest: &Manifest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let mark = mark("mark", wire.mark.as_ref(), &mut violations);
    let selection = selection(wire.selection.as_ref(), Units::Blocked(&wire.ga), manifest, &mut violations)?;
    let read = || Some(UnblockPlaces { selection: selection?, mark: mark?, dry_run: wire.dry_run });
    violations.done(read()).map(|unblock| Command::UnblockPlaces(Box::new(unblock)))
}

/// Reads a RetireSeats.
///
/// # Errors
/// As [`block_places`].
pub fn retire_seats(wire: &v1::RetireSeatsRequest, manifest: &Manifest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let selection = selection(wire.selection.as_ref(), Units::Refused, manifest, &mut violations)?;
    violations.done(selection).map(|seats| Command::RetireSeats(Box::new(seats)))
}

/// Reads a ScheduleRelease.
///
/// # Errors
/// As [`block_places`].
pub fn schedule_release(wire: &v1::ScheduleReleaseRequest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let mark = mark("mark", wire.mark.as_ref(), &mut violations);
    let at = violations.later("at_ms", wire.at_ms);
    let read = || Some(ScheduleRelease { mark: mark?, at: at? });
    violations.done(read()).map(Command::ScheduleRelease)
}

/// Reads a SetChannel.
///
/// # Errors
/// As [`block_places`].
pub fn set_channel(wire: &v1::SetChannelRequest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let key = violations.name("key", &wire.key);
    let public_at = violations.later("public_at_ms", wire.public_at_ms);
    let read = || Some(SetChannel { key: key?, public_at: public_at? });
    violations.done(read()).map(Command::SetChannel)
}

/// Reads an AssignChannel.
///
/// # Errors
/// As [`block_places`].
pub fn assign_channel(wire: &v1::AssignChannelRequest, manifest: &Manifest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let key = if wire.key.is_empty() { Some(None) } else { violations.name("key", &wire.key).map(Some) };
    let selection = selection(wire.selection.as_ref(), Units::Refused, manifest, &mut violations)?;
    let read = || Some(AssignChannel { selection: selection?, key: key? });
    violations.done(read()).map(|assign| Command::AssignChannel(Box::new(assign)))
}
