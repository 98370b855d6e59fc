//! Excuses a pupil from the lessons of a day that have not begun.

use proto::enrollment::v1::{ReportLeaveRequest, ReportLeaveResponse};
use shared::caller::{Caller, GuardianPermit};
use shared::db::Tx;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Pupil as PupilKind, Section, Violations};
use shared::{db, random, status};
use tonic::Status;
use uuid::Uuid;

use super::{DayRpc, convert, error, parse};
use crate::domain::day::leave::{self, Leave};
use crate::domain::day::lesson::{self, Lesson};
use crate::domain::day::local;
use crate::domain::pupil::Pupil;
use crate::store;

struct Parsed {
    request_id: Uuid,
    pupil_id: Id<PupilKind>,
    day: chrono::NaiveDate,
    section_id: Option<Id<Section>>,
}

/// Excuses a pupil.
pub async fn report_leave(
    rpc: &DayRpc,
    caller: &Caller,
    request: ReportLeaveRequest,
) -> Result<ReportLeaveResponse, Status> {
    let permit = caller.guardian()?;
    let parsed = parse(&request)?;
    permit.pupil(parsed.pupil_id)?;
    let content = ReportLeaveRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "ReportLeave", parsed.request_id, &content);
    db::retry(|| report(rpc, &permit, &key, &parsed)).await
}

fn parse(request: &ReportLeaveRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let day = parse::day(&mut violations, "day", &request.day);
    let section_id = parse::optional_id(&mut violations, "section_id", &request.section_id);
    match (request_id, pupil_id, day, section_id) {
        (Some(request_id), Some(pupil_id), Some(day), Some(section_id)) => {
            Ok(Parsed { request_id, pupil_id, day, section_id })
        }
        _ => Err(status::invalid(&violations)),
    }
}

async fn report(
    rpc: &DayRpc,
    permit: &GuardianPermit,
    key: &RequestKey,
    parsed: &Parsed,
) -> Result<ReportLeaveResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let pupil = store::pupil::lock(&tx, &[parsed.pupil_id]).await?.pop();
    let pupil = pupil.ok_or_else(|| status::not_found("pupil", parsed.pupil_id))?;
    let lessons = lessons_of(rpc, &tx, &pupil, parsed.day).await?;
    if let Some(section_id) = parsed.section_id
        && !lessons.iter().any(|lesson| lesson.key.section_id == section_id)
        && store::section::find(&tx, section_id).await?.is_none()
    {
        return Err(status::not_found("section", section_id));
    }
    let now = rpc.clock.now();
    let leave = Leave {
        id: random::id(now),
        district_id: pupil.district_id,
        school_id: pupil.school_id,
        pupil_id: pupil.id,
        day: parsed.day,
        section_id: parsed.section_id,
        guardian_id: permit.id(),
        created_at: now,
        cancelled_at: None,
    };
    leave::report(&leave, &lessons).map_err(|error| error::leave(&error))?;
    let standing = store::day::leave::list_of_pupil(&tx, pupil.district_id, pupil.id, parsed.day).await?;
    let standing =
        standing.into_iter().find(|one| one.cancelled_at.is_none() && one.section_id == leave.section_id);
    let leave = match standing {
        Some(standing) => standing,
        None => {
            store::day::leave::insert(&tx, &leave).await?;
            leave
        }
    };
    let response = ReportLeaveResponse { leave: Some(convert::leave(&leave)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}

/// The lessons a pupil has on a day: of every section with a seat, as they were laid out or will be.
pub async fn lessons_of(
    rpc: &DayRpc,
    tx: &Tx,
    pupil: &Pupil,
    day: chrono::NaiveDate,
) -> Result<Vec<Lesson>, Status> {
    let live = store::enrollment::find_for(tx, &[pupil.district_id].into(), &[pupil.id], &[]).await?;
    let live = store::seat_change::had_on(tx, live, day).await?;
    let ids: Vec<_> =
        live.iter().filter(|live| live.state.is_counted()).map(|live| live.section_id).collect();
    let mut lessons = Vec::new();
    for section in store::section::find_all(tx, ids).await? {
        let Some(term) = store::term::find(tx, section.term_id).await? else { continue };
        for slot in section.slots.iter().filter(|slot| slot.weekday == local::weekday(day)) {
            let id = random::id(rpc.clock.now());
            lessons.extend(lesson::plan(id, &section, &term, day, slot.id, rpc.close_minute));
        }
    }
    lessons.sort_by_key(|lesson| (lesson.starts_at, lesson.key));
    Ok(lessons)
}
