//! Lists priorities: a family its own, a school those it decides.

use std::collections::HashMap;

use proto::enrollment::v1::list_priorities_response::Line;
use proto::enrollment::v1::{
    self as message, ListPrioritiesRequest, ListPrioritiesResponse, ListPupilPrioritiesRequest,
    ListPupilPrioritiesResponse,
};
use shared::caller::Caller;
use shared::status;
use shared::value::{Id, Page, PageToken, Pupil, School, Violations};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Reader};
use super::{DECIDERS, PriorityRpc, error};
use crate::domain::day::local;
use crate::domain::priority::Priority;
use crate::rpc::names;
use crate::store;

/// Lists a pupil's priorities.
pub async fn list_pupil_priorities(
    rpc: &PriorityRpc,
    caller: &Caller,
    request: &ListPupilPrioritiesRequest,
) -> Result<ListPupilPrioritiesResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse::<Id<Pupil>>());
    let page = violations.field("page_token", Page::<Uuid>::parse(request.page_size, &request.page_token));
    let (Some(pupil_id), Some(page)) = (pupil_id, page) else {
        return Err(status::invalid(&violations));
    };
    let path = &permit.pupil(pupil_id)?.path;
    let district_id = path.district().ok_or_else(|| status::not_found("pupil", pupil_id))?;
    let db = rpc.db.read();
    let found = store::priority::list_of_pupil(db, &rpc.vault, district_id, pupil_id, &page).await?;
    let (reader, today) = (Reader::Guardian(permit.id()), local::day(rpc.clock.now()));
    Ok(ListPupilPrioritiesResponse {
        next_page_token: next_page_token(&found, &page),
        priorities: found.iter().map(|one| convert::priority(one, reader, today)).collect(),
    })
}

/// Lists a school's priorities.
pub async fn list_priorities(
    rpc: &PriorityRpc,
    caller: &Caller,
    request: &ListPrioritiesRequest,
) -> Result<ListPrioritiesResponse, Status> {
    let permit = caller.staff(DECIDERS)?;
    let mut violations = Violations::default();
    let school_id = violations.field("school_id", request.school_id.parse::<Id<School>>());
    let page = violations.field("page_token", Page::<Uuid>::parse(request.page_size, &request.page_token));
    let (Some(school_id), Some(page)) = (school_id, page) else {
        return Err(status::invalid(&violations));
    };
    let grant = permit.grants().iter().find(|grant| grant.path.school() == Some(school_id));
    let district_id = grant.and_then(|grant| grant.path.district());
    let district_id = district_id.ok_or_else(|| status::not_found("school", school_id))?;
    let pending = request.pending_only;
    let db = rpc.db.read();
    let found =
        store::priority::list_of_school(db, &rpc.vault, district_id, school_id, pending, &page).await?;
    let pupil_ids: Vec<_> = found.iter().map(|one| one.pupil_id.to_string()).collect();
    let pupils = names::ask(&rpc.identity, &pupil_ids).await?;
    let pupils: HashMap<_, _> = pupils.into_iter().map(|pupil| (pupil.id.clone(), pupil)).collect();
    let today = local::day(rpc.clock.now());
    let line = |one: &Priority| {
        let pupil = pupils.get(&one.pupil_id.to_string()).cloned().unwrap_or_default();
        Line {
            priority: Some(convert::priority(one, Reader::Decider, today)),
            pupil_name: pupil.name,
            class_name: pupil.class_name,
        }
    };
    Ok(ListPrioritiesResponse {
        next_page_token: next_page_token(&found, &page),
        lines: found.iter().map(line).collect(),
    })
}

/// What a repeat is answered: the priority that `kept` names, as it stands now.
pub async fn again(
    rpc: &PriorityRpc,
    kept: Option<message::Priority>,
    reader: Reader,
) -> Result<message::Priority, Status> {
    let id = kept.unwrap_or_default().id;
    let unknown = || status::not_found("priority", &id);
    let known = id.parse().map_err(|_| unknown())?;
    let one = store::priority::find(rpc.db.read(), &rpc.vault, known).await?;
    let one = one.ok_or_else(|| error::unknown(known))?;
    Ok(convert::priority(&one, reader, local::day(rpc.clock.now())))
}

/// Empty when the page was not filled: nothing can come after it.
fn next_page_token(found: &[Priority], page: &Page<Uuid>) -> String {
    let is_full = u64::try_from(found.len()).is_ok_and(|count| count == page.size);
    let last = found.last().filter(|_| is_full);
    last.map(|last| PageToken::of(&last.id.uuid()).into_text()).unwrap_or_default()
}
