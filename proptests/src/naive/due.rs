//! What time brings about in the naive model.

use usher_engine::{
    ids::{ChannelIndex, HoldId},
    inventory::{
        Due, HoldState,
        sale::{ShowState, Stage},
    },
    time::Timestamp,
};

use super::{
    blocks, lifecycle,
    records::{Hold, Lapses},
    show::Show,
    waitlist,
};

/// What is due, in order.
pub(super) fn due(show: &Show, now: Timestamp) -> Vec<Due> {
    let mut due = Vec::new();
    for (position, channel) in (0u8..).zip(&show.channels) {
        if !channel.is_open && channel.public_at.is_some_and(|at| at <= now) {
            due.push(Due::OpenChannel(ChannelIndex(position)));
        }
    }
    for (position, mark) in (0u8..).zip(&show.marks) {
        if show.releases.get(mark).is_some_and(|at| *at <= now) {
            due.push(Due::Release(position));
        }
    }
    if show.returns_due_at.is_some_and(|at| at <= now) {
        due.push(Due::Return);
    }
    let gathering = show.entries.iter().filter_map(|entry| Some((entry.gathers_until?, entry.id)));
    let mut gatherings: Vec<_> = gathering.filter(|(until, _)| *until <= show.clock(now)).collect();
    gatherings.sort_unstable();
    due.extend(gatherings.into_iter().map(|(_, id)| Due::EndGathering(id)));
    if !show.look.is_empty() && show.state_at(now) == ShowState::OnSale {
        due.push(Due::Serve);
    }
    if let Stage::Paused { clocks_stand_since: Some(_) } = show.sale.stage
        && show.sale.closes_at.is_some_and(|at| at <= now)
    {
        due.push(Due::Close);
    }
    let live = show.holds.iter().filter(|(id, hold)| hold.state == HoldState::Held && !show.is_prepared(**id));
    let returns_at = |hold: &Hold| Timestamp(hold.expires_at.0 + hold.returns_later_ms);
    let swept = live.map(|(&id, hold)| (if hold.has_lapsed { returns_at(hold) } else { hold.expires_at }, id));
    let mut swept: Vec<_> = swept.filter(|(at, _)| *at <= show.clock(now)).collect();
    swept.sort_unstable();
    due.extend(swept.into_iter().map(|(_, id)| {
        let is_back = returns_at(&show.holds[&id]) <= show.clock(now);
        if is_back { Due::Expire(id) } else { Due::Lapse(id) }
    }));
    due
}

pub(super) fn fall_due(show: &mut Show, due: Due, now: Timestamp) {
    match due {
        Due::OpenChannel(channel) => {
            show.channels[usize::from(channel.0)].is_open = true;
            show.look_everywhere();
        }
        Due::Release(mark) => {
            let mark = show.marks[usize::from(mark)].clone();
            blocks::release_due(show, &mark, now);
        }
        Due::Return => blocks::return_due(show, now),
        Due::EndGathering(id) => waitlist::end_gathering(show, id),
        // What follows is asked for after everything that is due.
        Due::Serve => {}
        Due::Close => lifecycle::end_sale(show, now),
        Due::Lapse(id) => {
            count_lapse(show, id);
            show.hold_mut(id).has_lapsed = true;
        }
        Due::Expire(id) => {
            show.end(id, HoldState::Expired, now);
            if !show.holds[&id].has_lapsed {
                count_lapse(show, id);
            }
        }
    }
}

/// A buyer let a hold expire.
fn count_lapse(show: &mut Show, id: HoldId) {
    let policy = show.policy;
    if policy.lapses_max == 0 && policy.return_spread_ms == 0 {
        return;
    }
    let hold = &show.holds[&id];
    let lapses = show.lapses.entry(hold.buyer.clone()).or_default();
    lapses.count += 1;
    if policy.lapses_max > 0 && lapses.count >= policy.lapses_max {
        *lapses = Lapses { count: 0, cools_until: Timestamp(hold.expires_at.0 + policy.cool_down_ms) };
    }
}
