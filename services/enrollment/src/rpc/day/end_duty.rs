//! Ends a duty.

use proto::enrollment::v1::{EndDutyRequest, EndDutyResponse};
use shared::caller::{Caller, NodePath, StaffPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Duty as DutyKind, Id, Violations};
use shared::{db, status};
use tonic::Status;

use super::sight::OFFICE;
use super::{DayRpc, convert, error};
use crate::domain::day::custody::{Holder, State};
use crate::domain::day::duty::Post;
use crate::domain::day::{duty, local, room};
use crate::store;

/// Ends a duty.
pub async fn end_duty(
    rpc: &DayRpc,
    caller: &Caller,
    request: EndDutyRequest,
) -> Result<EndDutyResponse, Status> {
    let permit = caller.staff(OFFICE)?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let duty_id = violations.field("duty_id", request.duty_id.parse());
    let (Some(request_id), Some(duty_id)) = (request_id, duty_id) else {
        return Err(status::invalid(&violations));
    };
    let content = EndDutyRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "EndDuty", request_id, &content);
    db::retry(|| end(rpc, &permit, &key, duty_id)).await
}

async fn end(
    rpc: &DayRpc,
    permit: &StaffPermit,
    key: &RequestKey,
    duty_id: Id<DutyKind>,
) -> Result<EndDutyResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let unknown = || status::not_found("duty", duty_id);
    let found = store::day::duty::find(&tx, duty_id).await?.ok_or_else(unknown)?;
    permit.reach(&NodePath::new(found.path.clone()), "duty", duty_id)?;
    let today = local::day(rpc.clock.now());
    let (district_id, school_id) = (found.district_id, found.school_id);
    // All of the post, in one order: two who end the last two duties of a room at once must see each other.
    let duties = store::day::duty::lock_post(&tx, district_id, school_id, found.post, today).await?;
    let found = store::day::duty::lock(&tx, duty_id).await?.ok_or_else(unknown)?;
    let held = store::day::custody::list_held(&tx, district_id, school_id, today).await?;
    let in_it = held.iter().filter(|custody| is_at(&custody.state, found.post)).count();
    room::may_end(&found, &duties, today, in_it).map_err(error::unattended)?;
    let ended = duty::end(&found, today);
    store::day::duty::save_last_day(&tx, &ended).await?;
    let response = EndDutyResponse { duty: Some(convert::duty(&ended)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}

/// Whether a pupil is held at a post.
fn is_at(state: &State, wanted: Post) -> bool {
    match state {
        State::Held(Holder::Staff { post, .. }) => *post == wanted,
        State::Held(Holder::Nobody) | State::Gone(_) => false,
    }
}
