//! Lists a school's waiting rooms, with who is on duty and who is in them now.

use proto::enrollment::v1::{ListRoomsRequest, ListRoomsResponse, Room as RoomMessage};
use shared::caller::Caller;
use shared::status;
use shared::value::{Id, School, Violations};
use tonic::Status;

use super::sight::{self, OFFICE, STAFF};
use super::{DayRpc, convert, custody, parse};
use crate::domain::day::custody::{Custody, Holder, State};
use crate::domain::day::duty::Post;
use crate::domain::day::local;
use crate::store;

/// Lists waiting rooms.
pub async fn list_rooms(
    rpc: &DayRpc,
    caller: &Caller,
    request: &ListRoomsRequest,
) -> Result<ListRoomsResponse, Status> {
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
    let is_office = OFFICE.iter().any(|role| permit.holds(*role, &path));
    if !is_office && !duties.iter().any(|duty| duty.staff_id == permit.id()) {
        return Err(status::not_found("school", school_id));
    }
    let today = local::day(rpc.clock.now());
    let held = store::day::custody::list_held(rpc.db.read(), district_id, school_id, today).await?;
    let mut rooms = Vec::new();
    for room in store::day::room::list(rpc.db.read(), district_id, school_id).await? {
        let post = Post::Room(room.id);
        let is_in_it = |custody: &&Custody| matches!(custody.state, State::Held(Holder::Staff { post: at, .. }) if at == post);
        let in_it: Vec<_> = held.iter().filter(is_in_it).cloned().collect();
        rooms.push(RoomMessage {
            id: room.id.to_string(),
            school_id: room.school_id.to_string(),
            name: room.name,
            duties: duties.iter().filter(|duty| duty.post == post).map(convert::duty).collect(),
            pupils: custody::render(rpc, &in_it, &duties).await?,
        });
    }
    Ok(ListRoomsResponse { rooms })
}
