//! GetHold: the fate of a hold id, in order with every command before it.

use super::{Answer, show::Show};
use crate::{ids::HoldId, rejection::Rejection, time::Timestamp};

pub(super) fn decide(show: &Show, hold_id: HoldId, now: Timestamp) -> Result<Answer, Rejection> {
    let Some(hold) = show.holds.find(hold_id) else {
        return show.wait_view(hold_id).map(Answer::Waiting).ok_or(Rejection::HoldUnknown);
    };
    Ok(Answer::Found(show.view_now(hold, now)))
}
