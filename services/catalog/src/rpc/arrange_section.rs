//! `ArrangeSection`.

use std::collections::BTreeSet;

use proto::catalog::v1::{ArrangeSectionRequest, ArrangeSectionResponse};
use shared::caller::Caller;
use shared::random;
use shared::request::{self, Claimed, RequestKey};
use shared::status::not_found;
use shared::value::{self, Id};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::{Catalog, SCHOOL_STAFF};
use crate::domain::section::{self, Arrangement, Section, State, Timetable};
use crate::store;
use crate::store::section::Which;

struct Command {
    request_id: Uuid,
    course_id: Id<value::Course>,
    term_id: Id<value::Term>,
    capacity_count: u32,
    grades: BTreeSet<u32>,
    slot_ids: Vec<Id<value::Slot>>,
    room: String,
    instructor_name: String,
}

/// Arranges a section of an approved course.
pub async fn arrange_section(
    catalog: &Catalog,
    caller: &Caller,
    request: ArrangeSectionRequest,
) -> Result<ArrangeSectionResponse, Status> {
    let permit = caller.staff(SCHOOL_STAFF)?;
    let command = parse(&request)?;
    let content = ArrangeSectionRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "ArrangeSection", command.request_id, &content);

    let tx = catalog.db.begin().await?;
    let claim = match request::claim(&tx, &key, catalog.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let (term_id, course_id) = (command.term_id, command.course_id);
    let term = store::term::lock(&tx, term_id).await?.ok_or_else(|| not_found("term", term_id))?;
    permit.reach(&convert::school_path(&term.path), "term", term_id)?;
    // A course of another school is not there for this term.
    let course = store::course::find(&tx, course_id).await?.filter(|course| course.path == term.path);
    let course = course.ok_or_else(|| not_found("course", course_id))?;
    let term_slots = store::slot::of_term(&tx, &term).await?;
    let timetable = Timetable::of(&store::section::of_term(&tx, &term, &term_slots, Which::Live).await?);
    let now = catalog.clock.now();
    let wanted = Arrangement {
        capacity_count: command.capacity_count,
        grades: command.grades,
        slots: section::choose(&command.slot_ids, &term_slots)?,
        room: command.room,
        instructor_name: command.instructor_name,
    };
    let arrangement = section::arrange(&course, &term, wanted, &timetable)?;
    let section = Section { id: random::id(now), term_id, course, arrangement, state: State::Arranged };
    store::section::insert(&tx, std::slice::from_ref(&section), now).await?;
    let answer = ArrangeSectionResponse { section: Some(convert::section(&section)) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

fn parse(request: &ArrangeSectionRequest) -> Result<Command, Status> {
    let mut fields = Fields::default();
    let request_id = fields.uuid("request_id", &request.request_id);
    let course_id = fields.id("course_id", &request.course_id);
    let term_id = fields.id("term_id", &request.term_id);
    let capacity_count = fields.count("capacity_count", request.capacity_count, 1, 500);
    fields.0.check("grades", !request.grades.is_empty(), "must have at least one grade");
    let grades = request.grades.iter().enumerate();
    let grades =
        grades.filter_map(|(index, grade)| fields.count(&format!("grades[{index}]"), *grade, 1, 9)).collect();
    fields.0.check("slot_ids", (1..=10).contains(&request.slot_ids.len()), "must be 1 to 10 slots");
    let slot_ids = request.slot_ids.iter().take(10).enumerate();
    let slot_ids = slot_ids.filter_map(|(index, id)| fields.id(&format!("slot_ids[{index}]"), id)).collect();
    let room = fields.text("room", &request.room, 0, 40);
    let instructor_name = fields.text("instructor_name", &request.instructor_name, 0, 40);
    let command = request_id.zip(course_id.zip(term_id)).zip(capacity_count.zip(room.zip(instructor_name)));
    fields.finish(command.map(
        |((request_id, (course_id, term_id)), (capacity_count, (room, instructor_name)))| Command {
            request_id,
            course_id,
            term_id,
            capacity_count,
            grades,
            slot_ids,
            room,
            instructor_name,
        },
    ))
}
