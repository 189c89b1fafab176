//! When a show of the naive model is sold, and how it ends.

use usher_engine::{
    command::ScheduleSale,
    inventory::{
        Answer, CancelReport, HoldState,
        sale::{ShowState, Stage},
    },
    rejection::Rejection,
    shard::Outcome,
    time::Timestamp,
};

use super::show::Show;

const OPENABLE: [ShowState; 4] = [ShowState::Draft, ShowState::Scheduled, ShowState::OnSale, ShowState::Paused];
/// The states in which an organiser may change a show.
pub(super) const CHANGEABLE: [ShowState; 5] =
    [ShowState::Draft, ShowState::Scheduled, ShowState::OnSale, ShowState::Paused, ShowState::Closed];

pub(super) fn schedule(show: &mut Show, command: &ScheduleSale, now: Timestamp) -> Outcome {
    show.must_be(&OPENABLE, now)?;
    if (show.sale.opens_at, show.sale.closes_at) != (command.opens_at, command.closes_at) {
        until_now_all_were_served(show, now);
    }
    if show.sale.stage == Stage::Draft {
        show.sale.stage = Stage::Planned;
    }
    (show.sale.opens_at, show.sale.closes_at) = (command.opens_at, command.closes_at);
    Ok(Answer::Sale(show.state_at(now)))
}

pub(super) fn open(show: &mut Show, now: Timestamp) -> Outcome {
    show.must_be(&OPENABLE, now)?;
    start_clocks(show, now);
    show.sale.stage = Stage::Planned;
    show.sale.opens_at = show.sale.opens_at.min(now);
    Ok(Answer::Sale(show.state_at(now)))
}

pub(super) fn pause(show: &mut Show, stop_clocks: bool, now: Timestamp) -> Outcome {
    show.must_be(&[ShowState::OnSale, ShowState::Paused], now)?;
    until_now_all_were_served(show, now);
    let stood_since = match show.sale.stage {
        Stage::Paused { clocks_stand_since } => clocks_stand_since,
        _ => None,
    };
    if !stop_clocks {
        start_clocks(show, now);
    }
    let clocks_stand_since = if stop_clocks { stood_since.or(Some(now)) } else { None };
    show.sale.stage = Stage::Paused { clocks_stand_since };
    Ok(Answer::Sale(ShowState::Paused))
}

pub(super) fn close(show: &mut Show, now: Timestamp) -> Outcome {
    show.must_be(&[ShowState::Scheduled, ShowState::OnSale, ShowState::Paused, ShowState::Closed], now)?;
    if show.state_at(now) != ShowState::Closed {
        end_sale(show, now);
    }
    Ok(Answer::Sale(ShowState::Closed))
}

pub(super) fn end_sale(show: &mut Show, now: Timestamp) {
    start_clocks(show, now);
    show.sale.stage = Stage::Closed;
}

/// What comes back from now on stays to be looked at.
fn until_now_all_were_served(show: &mut Show, now: Timestamp) {
    if show.state_at(now) == ShowState::OnSale {
        show.looked();
    }
}

/// Deadlines that were still to come when the clocks were stopped move by as long as they stood.
fn start_clocks(show: &mut Show, now: Timestamp) {
    let Stage::Paused { clocks_stand_since: Some(since) } = show.sale.stage else { return };
    let stood = now.0 - since.0;
    let life_ms_max = show.policy.hold_life_ms_max;
    for hold in show.holds.values_mut() {
        let is_prepared = hold.group.as_ref().is_some_and(|group| group.prepared.is_some());
        if hold.state != HoldState::Held || (hold.expires_at <= since && !is_prepared) {
            continue;
        }
        let life_ends = hold.life_ends.unwrap_or(Timestamp(hold.granted_at.0 + life_ms_max));
        hold.life_ends = Some(Timestamp(life_ends.0 + stood));
        hold.expires_at.0 += stood;
        hold.pinned_from = hold.pinned_from.map(|from| Timestamp(from.0 + stood));
    }
    for until in show.entries.iter_mut().filter_map(|entry| entry.gathers_until.as_mut()) {
        if *until > since {
            until.0 += stood;
        }
    }
}

pub(super) fn cancel(show: &mut Show, dry_run: bool, now: Timestamp) -> Outcome {
    if show.sale.stage == Stage::Archived {
        return show.must_be(&[], now).map(|()| Answer::Done);
    }
    let report = report(show);
    if !dry_run && show.sale.stage != Stage::Cancelled {
        clear_waitlist(show);
        let live = show.holds.iter().filter(|(_, hold)| hold.state == HoldState::Held).map(|(id, _)| *id);
        let live = live.filter(|id| !show.is_prepared(*id));
        for id in live.collect::<Vec<_>>() {
            show.end(id, HoldState::Cancelled, now);
        }
        show.sale.stage = Stage::Cancelled;
    }
    Ok(Answer::ShowCancelled(report))
}

fn report(show: &Show) -> CancelReport {
    let mut report = CancelReport { waiting: show.waiting(), ..CancelReport::default() };
    for (&id, hold) in &show.holds {
        let places = show.places_of(id);
        if hold.state == HoldState::Held {
            report.holds += 1;
            report.held_places += places.count();
        } else if hold.state == HoldState::Confirmed {
            report.bookings += 1;
            report.sold_places += places.count();
            report.refund_minor += show.price(&hold.prices, &places);
        }
    }
    report
}

pub(super) fn archive(show: &mut Show, now: Timestamp) -> Outcome {
    show.must_be(&[ShowState::Closed, ShowState::Cancelled, ShowState::Archived], now)?;
    if show.live_holds() > 0 {
        return Err(Rejection::HoldsLive { holds: show.live_holds() });
    }
    clear_waitlist(show);
    show.sale.stage = Stage::Archived;
    Ok(Answer::Sale(ShowState::Archived))
}

/// Nobody waits any more; what was gathered goes back.
fn clear_waitlist(show: &mut Show) {
    for entry in std::mem::take(&mut show.entries) {
        let gathered = show.places_of(entry.id);
        show.put_back(entry.id, &gathered);
    }
    show.looked();
}
