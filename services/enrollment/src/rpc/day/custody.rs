//! Lists the pupils who are here and have not been checked out.

use std::collections::HashMap;

use proto::enrollment::v1::{ListOpenPupilsRequest, ListOpenPupilsResponse, OpenPupil};
use shared::caller::{Caller, StaffPermit};
use shared::status;
use shared::value::{District, Id, School, Violations};
use tonic::Status;
use uuid::Uuid;

use super::sight::{self, STAFF};
use super::{DayRpc, convert, parse};
use crate::domain::day::custody::{Custody, State};
use crate::domain::day::duty::{Duty, Post};
use crate::event::timestamp;
use crate::rpc::names;
use crate::store;

/// Lists who has not been checked out.
pub async fn list_open_pupils(
    rpc: &DayRpc,
    caller: &Caller,
    request: &ListOpenPupilsRequest,
) -> Result<ListOpenPupilsResponse, Status> {
    let permit = caller.staff(STAFF)?;
    let mut violations = Violations::default();
    let school_id = violations.field("school_id", request.school_id.parse::<Id<School>>());
    let day = parse::day(&mut violations, "day", &request.day);
    let (Some(school_id), Some(day)) = (school_id, day) else {
        return Err(status::invalid(&violations));
    };
    let path = sight::school(rpc, &permit, school_id).await?;
    let district_id = sight::district(&path, school_id)?;
    let duties = sight::duties(rpc, district_id, school_id, day).await?;
    let held = store::day::custody::list_held(rpc.db.read(), district_id, school_id, day).await?;
    let shown = shown(rpc, &permit, held, &duties, day).await?;
    let leaders = duties.iter().filter(|duty| duty.post == Post::Leader);
    Ok(ListOpenPupilsResponse {
        leaders: leaders.map(convert::duty).collect(),
        pupils: render(rpc, &shown, &duties).await?,
    })
}

/// Whom the caller sees: those they hold, and those they answer for.
async fn shown(
    rpc: &DayRpc,
    permit: &StaffPermit,
    held: Vec<Custody>,
    duties: &[Duty],
    day: chrono::NaiveDate,
) -> Result<Vec<Custody>, Status> {
    let ids = held.iter().map(|custody| custody.pupil_id);
    let pupils = store::pupil::find_all(rpc.db.read(), ids).await?;
    let is_shown = |custody: &Custody| {
        let pupil = pupils.iter().find(|pupil| pupil.id == custody.pupil_id);
        sight::holds(permit, &custody.state, duties, day)
            || pupil.is_some_and(|pupil| sight::answers_for(permit, pupil, duties, day))
    };
    Ok(held.into_iter().filter(is_shown).collect())
}

/// Pupils of one school who are here, with their names and their holders'.
pub async fn render(rpc: &DayRpc, held: &[Custody], duties: &[Duty]) -> Result<Vec<OpenPupil>, Status> {
    let Some(first) = held.first() else {
        return Ok(Vec::new());
    };
    let places = places(rpc, first.district_id, first.school_id).await?;
    let ids: Vec<_> = held.iter().map(|custody| custody.pupil_id.to_string()).collect();
    let named = names::ask(&rpc.identity, &ids).await?;
    let named: HashMap<_, _> = named.into_iter().map(|pupil| (pupil.id.clone(), pupil)).collect();
    let now = rpc.clock.now();
    let render = |custody: &Custody| {
        let State::Held(holder) = custody.state else { return None };
        let id = custody.pupil_id.to_string();
        let pupil = named.get(&id).cloned().unwrap_or_default();
        Some(OpenPupil {
            pupil_id: id,
            pupil_name: pupil.name,
            class_name: pupil.class_name,
            holder: Some(convert::holder(&holder, &places, duties)),
            since_time: Some(timestamp(custody.since)),
            due_time: Some(timestamp(custody.due_at)),
            overdue: custody.due_at <= now,
            alert_time: custody.alerted_at.map(timestamp),
        })
    };
    Ok(held.iter().filter_map(render).collect())
}

/// The titles of a school's sections and the names of its rooms, by id.
pub async fn places(
    rpc: &DayRpc,
    district_id: Id<District>,
    school_id: Id<School>,
) -> Result<HashMap<Uuid, String>, Status> {
    let sections = store::section::list_of_school(rpc.db.read(), district_id, school_id).await?;
    let rooms = store::day::room::list(rpc.db.read(), district_id, school_id).await?;
    let sections = sections.into_iter().map(|section| (section.id.uuid(), section.title));
    Ok(sections.chain(rooms.into_iter().map(|room| (room.id.uuid(), room.name))).collect())
}
