//! Names who answers for what.

use proto::enrollment::v1::{self as message, AssignDutyRequest, AssignDutyResponse};
use shared::caller::{Caller, NodePath};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Room, School, Section, Staff, Violations};
use shared::{db, random, status};
use tonic::Status;
use uuid::Uuid;

use super::sight::{self, OFFICE};
use super::{DayRpc, convert, parse};
use crate::domain::day::duty::{Duty, Post};
use crate::store;

/// The longest duty, in days.
pub const DAY_COUNT: i64 = 400;

struct Parsed {
    request_id: Uuid,
    school_id: Id<School>,
    post: Post,
    staff_id: Id<Staff>,
    staff_name: String,
    first_day: chrono::NaiveDate,
    last_day: chrono::NaiveDate,
}

/// Names a member of staff.
pub async fn assign_duty(
    rpc: &DayRpc,
    caller: &Caller,
    request: AssignDutyRequest,
) -> Result<AssignDutyResponse, Status> {
    let permit = caller.staff(OFFICE)?;
    let parsed = parse(&request)?;
    let path = sight::school(rpc, &permit, parsed.school_id).await?;
    permit.reach(&path, "school", parsed.school_id)?;
    let by = caller.key();
    let content = AssignDutyRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&by, "AssignDuty", parsed.request_id, &content);
    db::retry(|| assign(rpc, &key, &parsed, &path, &by)).await
}

fn parse(request: &AssignDutyRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let school_id = violations.field("school_id", request.school_id.parse());
    let post = match request.post() {
        message::duty::Post::Unspecified => {
            violations.note("post", "must be leader, section or room");
            None
        }
        message::duty::Post::Leader => {
            violations.check("place_id", request.place_id.is_empty(), "must be empty for a leader");
            Some(Post::Leader)
        }
        message::duty::Post::Section => {
            violations.field("place_id", request.place_id.parse()).map(Post::Section)
        }
        message::duty::Post::Room => violations.field("place_id", request.place_id.parse()).map(Post::Room),
    };
    let staff_id = violations.field("staff_id", request.staff_id.parse());
    let staff_name = violations.text("staff_name", &request.staff_name, 1, 64);
    let first_day = parse::day(&mut violations, "first_day", &request.first_day);
    let last_day = parse::day(&mut violations, "last_day", &request.last_day);
    if let (Some(first), Some(last)) = (first_day, last_day) {
        let is_span = (0..=DAY_COUNT).contains(&last.signed_duration_since(first).num_days());
        violations.check("last_day", is_span, "must be 0 to 400 days after first_day");
    }
    match (request_id, school_id, post, staff_id, staff_name, first_day, last_day) {
        (
            Some(request_id),
            Some(school_id),
            Some(post),
            Some(staff_id),
            Some(staff_name),
            Some(first_day),
            Some(last_day),
        ) if violations.is_empty() => {
            Ok(Parsed { request_id, school_id, post, staff_id, staff_name, first_day, last_day })
        }
        _ => Err(status::invalid(&violations)),
    }
}

async fn assign(
    rpc: &DayRpc,
    key: &RequestKey,
    parsed: &Parsed,
    path: &NodePath,
    by: &str,
) -> Result<AssignDutyResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    match parsed.post {
        Post::Leader => {}
        Post::Section(section_id) => check_section(rpc, section_id, parsed.school_id).await?,
        Post::Room(room_id) => check_room(rpc, room_id, parsed.school_id).await?,
    }
    let now = rpc.clock.now();
    let duty = Duty {
        id: random::id(now),
        district_id: sight::district(path, parsed.school_id)?,
        school_id: parsed.school_id,
        path: path.nodes().to_vec(),
        post: parsed.post,
        staff_id: parsed.staff_id,
        staff_name: parsed.staff_name.clone(),
        first_day: parsed.first_day,
        last_day: parsed.last_day,
    };
    store::day::duty::insert(&tx, &duty, by, now).await?;
    let response = AssignDutyResponse { duty: Some(convert::duty(&duty)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}

async fn check_section(rpc: &DayRpc, section_id: Id<Section>, school_id: Id<School>) -> Result<(), Status> {
    let section = store::section::find(rpc.db.read(), section_id).await?;
    match section {
        Some(section) if section.school_id == school_id => Ok(()),
        Some(_) | None => Err(status::not_found("section", section_id)),
    }
}

async fn check_room(rpc: &DayRpc, room_id: Id<Room>, school_id: Id<School>) -> Result<(), Status> {
    match store::day::room::find(rpc.db.read(), room_id).await? {
        Some(room) if room.school_id == school_id => Ok(()),
        Some(_) | None => Err(status::not_found("room", room_id)),
    }
}
