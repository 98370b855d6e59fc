//! Says which pupil a school's devices mean by a token.

use proto::enrollment::v1::{LinkPersonRequest, LinkPersonResponse};
use shared::caller::{Caller, NodePath};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Pupil, School, Violations};
use shared::{db, status};
use tonic::Status;

use super::sight::{self, OFFICE};
use super::{DayRpc, parse};
use crate::store;

struct Parsed {
    school_id: Id<School>,
    token: String,
    pupil_id: Option<Id<Pupil>>,
}

/// Says whom a token means.
pub async fn link_person(
    rpc: &DayRpc,
    caller: &Caller,
    request: LinkPersonRequest,
) -> Result<LinkPersonResponse, Status> {
    let permit = caller.staff(OFFICE)?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let school_id = violations.field("school_id", request.school_id.parse::<Id<School>>());
    let token = violations.text("person_token", &request.person_token, 1, 128);
    let pupil_id = parse::optional_id(&mut violations, "pupil_id", &request.pupil_id);
    let (Some(request_id), Some(school_id), Some(token), Some(pupil_id)) =
        (request_id, school_id, token, pupil_id)
    else {
        return Err(status::invalid(&violations));
    };
    let path = sight::school(rpc, &permit, school_id).await?;
    permit.reach(&path, "school", school_id)?;
    let by = caller.key();
    let content = LinkPersonRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&by, "LinkPerson", request_id, &content);
    let parsed = Parsed { school_id, token, pupil_id };
    db::retry(|| link(rpc, &key, &parsed, &path, &by)).await
}

async fn link(
    rpc: &DayRpc,
    key: &RequestKey,
    parsed: &Parsed,
    path: &NodePath,
    by: &str,
) -> Result<LinkPersonResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let school_id = parsed.school_id;
    let district_id = sight::district(path, school_id)?;
    let now = rpc.clock.now();
    match parsed.pupil_id {
        None => store::day::device::forget_person(&tx, district_id, school_id, &parsed.token).await?,
        Some(id) => {
            let pupil = store::pupil::find(&tx, id).await?.filter(|pupil| pupil.is_of(school_id));
            pupil.ok_or_else(|| status::not_found("pupil", id))?;
            store::day::device::save_person(&tx, district_id, school_id, &parsed.token, id, by, now).await?;
        }
    }
    let pupil_id = parsed.pupil_id.map(|id| id.to_string()).unwrap_or_default();
    let response = LinkPersonResponse { pupil_id };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
