//! Opens a waiting room, with somebody on duty in it: there is none without.

use proto::enrollment::v1::{self as message, OpenRoomRequest, OpenRoomResponse};
use shared::caller::{Caller, NodePath};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, School, Staff, Violations};
use shared::{db, random, status};
use tonic::Status;
use uuid::Uuid;

use super::assign_duty::DAY_COUNT;
use super::sight::{self, OFFICE};
use super::{DayRpc, convert, parse};
use crate::domain::day::duty::{Duty, Post};
use crate::domain::day::room::Room;
use crate::store;

struct Parsed {
    request_id: Uuid,
    school_id: Id<School>,
    name: String,
    staff_id: Id<Staff>,
    staff_name: String,
    first_day: chrono::NaiveDate,
    last_day: chrono::NaiveDate,
}

/// Opens a waiting room.
pub async fn open_room(
    rpc: &DayRpc,
    caller: &Caller,
    request: OpenRoomRequest,
) -> Result<OpenRoomResponse, Status> {
    let permit = caller.staff(OFFICE)?;
    let parsed = parse(&request)?;
    let path = sight::school(rpc, &permit, parsed.school_id).await?;
    permit.reach(&path, "school", parsed.school_id)?;
    let by = caller.key();
    let content = OpenRoomRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&by, "OpenRoom", parsed.request_id, &content);
    db::retry(|| open(rpc, &key, &parsed, &path, &by)).await
}

fn parse(request: &OpenRoomRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let school_id = violations.field("school_id", request.school_id.parse());
    let name = violations.text("name", &request.name, 1, 40);
    let staff_id = violations.field("staff_id", request.staff_id.parse());
    let staff_name = violations.text("staff_name", &request.staff_name, 1, 64);
    let first_day = parse::day(&mut violations, "first_day", &request.first_day);
    let last_day = parse::day(&mut violations, "last_day", &request.last_day);
    if let (Some(first), Some(last)) = (first_day, last_day) {
        let is_span = (0..=DAY_COUNT).contains(&last.signed_duration_since(first).num_days());
        violations.check("last_day", is_span, "must be 0 to 400 days after first_day");
    }
    match (request_id, school_id, name, staff_id, staff_name, first_day, last_day) {
        (
            Some(request_id),
            Some(school_id),
            Some(name),
            Some(staff_id),
            Some(staff_name),
            Some(first_day),
            Some(last_day),
        ) if violations.is_empty() => {
            Ok(Parsed { request_id, school_id, name, staff_id, staff_name, first_day, last_day })
        }
        _ => Err(status::invalid(&violations)),
    }
}

async fn open(
    rpc: &DayRpc,
    key: &RequestKey,
    parsed: &Parsed,
    path: &NodePath,
    by: &str,
) -> Result<OpenRoomResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let now = rpc.clock.now();
    let district_id = sight::district(path, parsed.school_id)?;
    let room =
        Room { id: random::id(now), district_id, school_id: parsed.school_id, name: parsed.name.clone() };
    let duty = Duty {
        id: random::id(now),
        district_id,
        school_id: parsed.school_id,
        path: path.nodes().to_vec(),
        post: Post::Room(room.id),
        staff_id: parsed.staff_id,
        staff_name: parsed.staff_name.clone(),
        first_day: parsed.first_day,
        last_day: parsed.last_day,
    };
    store::day::room::insert(&tx, &room, now).await?;
    store::day::duty::insert(&tx, &duty, by, now).await?;
    let shown = message::Room {
        id: room.id.to_string(),
        school_id: room.school_id.to_string(),
        name: room.name,
        duties: vec![convert::duty(&duty)],
        pupils: Vec::new(),
    };
    let response = OpenRoomResponse { room: Some(shown) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
