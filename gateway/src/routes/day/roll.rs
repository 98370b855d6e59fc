//! Lessons and their registers: the roll, corrections, marks that wait for a person.

use axum::extract::State;
use chrono::{DateTime, Utc};
use proto::enrollment::v1 as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::client;
use super::leave::Leave;
use super::month::Tally;
use crate::Edge;
use crate::convert::{moment, number, timestamp, word};
use crate::problem::{Problem, Refusal};
use crate::read::{Asked, At, IdempotencyKey, Json};
use crate::routes::{Answer, IdempotencyHeader, PageAsked};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(list_lessons))
        .routes(routes!(get_roll, record_roll))
        .routes(routes!(correct_mark))
        .routes(routes!(list_marks))
        .routes(routes!(list_aside_marks))
        .routes(routes!(settle_aside_mark))
}

fn standing(field: &str, text: &str) -> Result<i32, Refusal> {
    number(field, text, "STATE_", |name| pb::mark::State::from_str_name(name).map(Into::into))
}

/// One meeting of a section on one day.
#[derive(Serialize, ToSchema)]
struct Lesson {
    /// The section.
    section_id: String,
    /// The day.
    day: String,
    /// The slot.
    slot_id: String,
    /// The section's title.
    section_title: String,
    /// When it starts.
    start_time: Option<DateTime<Utc>>,
    /// When it ends.
    end_time: Option<DateTime<Utc>>,
    /// When its register closes.
    close_time: Option<DateTime<Utc>>,
    /// Whether its register is closed.
    closed: bool,
    /// How its pupils stand.
    tally: Tally,
    /// `not_insured`, `nobody_named`.
    warnings: Vec<String>,
}

impl From<pb::Lesson> for Lesson {
    fn from(lesson: pb::Lesson) -> Self {
        Self {
            warnings: lesson.warnings().map(|warning| word(warning.as_str_name(), "WARNING_")).collect(),
            section_id: lesson.section_id,
            day: lesson.day,
            slot_id: lesson.slot_id,
            section_title: lesson.section_title,
            start_time: moment(lesson.start_time),
            end_time: moment(lesson.end_time),
            close_time: moment(lesson.close_time),
            closed: lesson.closed,
            tally: lesson.tally.unwrap_or_default().into(),
        }
    }
}

/// A day's lessons.
#[derive(Serialize, ToSchema)]
struct Lessons {
    /// By start, then title.
    lessons: Vec<Lesson>,
}

/// Lists the lessons of a school on a day, with what their registers say so far.
#[utoipa::path(get, path = "/v1/schools/{school_id}/days/{day}/lessons", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), ("day" = String, Path)),
    responses((status = 200, body = Lessons), (status = "default", body = Problem)))]
async fn list_lessons(
    State(edge): State<Edge>,
    session: Session,
    At((school_id, day)): At<(Uuid, String)>,
) -> Answer<Lessons> {
    let request = pb::ListLessonsRequest { school_id: school_id.to_string(), day };
    let answer = client(&edge, &session).list_lessons(request).await?.into_inner();
    Ok(axum::Json(Lessons { lessons: answer.lessons.into_iter().map(Into::into).collect() }))
}

/// One pupil of a register.
#[derive(Serialize, ToSchema)]
struct Line {
    /// The pupil.
    pupil_id: String,
    /// The pupil's name.
    pupil_name: String,
    /// The class's name.
    class_name: String,
    /// 1 to 9.
    grade: i32,
    /// `present`, `absent`, `late`, `leave`, `left_early`; empty while nobody has marked the pupil.
    state: String,
    /// Whether two devices have said different things, so that a person should look.
    disputed: bool,
    /// When the pupil leaves that day; empty for the service's end.
    dismissal: String,
    /// Until when the pupil stays after the service's end; empty when not.
    extended_until: String,
}

/// A register.
#[derive(Serialize, ToSchema)]
struct Roll {
    /// The lesson, with the sum over the lines.
    lesson: Lesson,
    /// The pupils, by grade, class and name.
    lines: Vec<Line>,
}

/// Gives a lesson's register.
#[utoipa::path(get, path = "/v1/sections/{section_id}/days/{day}/slots/{slot_id}/roll", tag = "day",
    security(("session" = [])), params(("section_id" = Uuid, Path), ("day" = String, Path), ("slot_id" = Uuid, Path)),
    responses((status = 200, body = Roll), (status = "default", body = Problem)))]
async fn get_roll(
    State(edge): State<Edge>,
    session: Session,
    At((section_id, day, slot_id)): At<(Uuid, String, Uuid)>,
) -> Answer<Roll> {
    let request =
        pb::GetRollRequest { section_id: section_id.to_string(), day, slot_id: slot_id.to_string() };
    let answer = client(&edge, &session).get_roll(request).await?.into_inner();
    let line = |line: pb::get_roll_response::Line| Line {
        state: word(line.state().as_str_name(), "STATE_"),
        pupil_id: line.pupil_id,
        pupil_name: line.pupil_name,
        class_name: line.class_name,
        grade: line.grade,
        disputed: line.disputed,
        dismissal: line.dismissal,
        extended_until: line.extended_until,
    };
    Ok(axum::Json(Roll {
        lesson: answer.lesson.unwrap_or_default().into(),
        lines: answer.lines.into_iter().map(line).collect(),
    }))
}

/// A mark as a device made it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMark {
    /// Made by the device with the mark, and sent again with every repeat.
    id: Uuid,
    /// The pupil.
    pupil_id: Uuid,
    /// `present`, `absent`, `late` or `left_early`.
    state: String,
    /// The device's own count of its marks, 1 and up.
    sequence: i64,
    /// When it was made, as the device's clock had it.
    device_time: DateTime<Utc>,
}

/// Marks made on one device.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Marks {
    /// The device, made by the app when it was installed.
    device_id: Uuid,
    /// What the device's clock shows as it sends this.
    send_time: DateTime<Utc>,
    /// 1 to 500, in any order.
    marks: Vec<NewMark>,
}

/// What became of one mark.
#[derive(Serialize, ToSchema)]
struct Outcome {
    /// The mark.
    mark_id: String,
    /// The pupil it is for.
    pupil_id: String,
    /// `kept`, `kept_before` or `set_aside`.
    kind: String,
    /// Why it was set aside: `not_on_register`, `register_closed`, `id_reused`; empty otherwise.
    reason: String,
    /// Whether it is the mark that counts for the pupil now.
    counts: bool,
}

/// What became of marks.
#[derive(Serialize, ToSchema)]
struct Recorded {
    /// One for each mark, in their order.
    outcomes: Vec<Outcome>,
    /// The lesson now.
    lesson: Lesson,
}

/// Takes marks made on one device, with network or without, in any order.
#[utoipa::path(post, path = "/v1/sections/{section_id}/days/{day}/slots/{slot_id}/roll", tag = "day",
    security(("session" = [])), params(("section_id" = Uuid, Path), ("day" = String, Path), ("slot_id" = Uuid, Path),
    IdempotencyHeader), request_body = Marks,
    responses((status = 200, body = Recorded), (status = "default", body = Problem)))]
async fn record_roll(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At((section_id, day, slot_id)): At<(Uuid, String, Uuid)>,
    Json(body): Json<Marks>,
) -> Answer<Recorded> {
    let mark = |(at, mark): (usize, NewMark)| {
        Ok(pb::record_roll_request::NewMark {
            id: mark.id.to_string(),
            pupil_id: mark.pupil_id.to_string(),
            state: standing(&format!("marks[{at}].state"), &mark.state)?,
            sequence: mark.sequence,
            device_time: Some(timestamp(mark.device_time)),
        })
    };
    let marks: Result<Vec<_>, Refusal> = body.marks.into_iter().enumerate().map(mark).collect();
    let request = pb::RecordRollRequest {
        request_id: key.text(),
        section_id: section_id.to_string(),
        day,
        slot_id: slot_id.to_string(),
        device_id: body.device_id.to_string(),
        send_time: Some(timestamp(body.send_time)),
        marks: marks?,
    };
    let answer = client(&edge, &session).record_roll(request).await?.into_inner();
    let outcome = |outcome: pb::record_roll_response::Outcome| Outcome {
        kind: word(outcome.kind().as_str_name(), "KIND_"),
        reason: word(outcome.reason().as_str_name(), "REASON_"),
        mark_id: outcome.mark_id,
        pupil_id: outcome.pupil_id,
        counts: outcome.counts,
    };
    Ok(axum::Json(Recorded {
        outcomes: answer.outcomes.into_iter().map(outcome).collect(),
        lesson: answer.lesson.unwrap_or_default().into(),
    }))
}

/// A correction.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Correction {
    /// The pupil.
    pupil_id: Uuid,
    /// `present`, `absent`, `late`, `leave` or `left_early`.
    state: String,
    /// Why; 1 to 200 characters.
    reason: String,
}

/// What was said of a pupil in a lesson.
#[derive(Serialize, ToSchema)]
struct Mark {
    /// The mark's id.
    id: String,
    /// The pupil.
    pupil_id: String,
    /// `present`, `absent`, `late`, `leave` or `left_early`.
    state: String,
    /// `roll`, `device` or `correction`.
    source: String,
    /// The device; empty for a correction.
    device_id: String,
    /// The device's own count; 0 for a correction.
    sequence: i64,
    /// When it was made, as the device's clock had it.
    device_time: Option<DateTime<Utc>>,
    /// When it was made, with the clock put right.
    take_time: Option<DateTime<Utc>>,
    /// When it arrived.
    create_time: Option<DateTime<Utc>>,
    /// Who made it: `staff:<id>` or `device:<id>`.
    recorder: String,
    /// Why, for a correction; empty otherwise.
    reason: String,
    /// Whether it is the one that counts.
    counts: bool,
}

impl From<pb::Mark> for Mark {
    fn from(mark: pb::Mark) -> Self {
        Self {
            state: word(mark.state().as_str_name(), "STATE_"),
            source: word(mark.source().as_str_name(), "SOURCE_"),
            id: mark.id,
            pupil_id: mark.pupil_id,
            device_id: mark.device_id,
            sequence: mark.sequence,
            device_time: moment(mark.device_time),
            take_time: moment(mark.take_time),
            create_time: moment(mark.create_time),
            recorder: mark.recorder,
            reason: mark.reason,
            counts: mark.counts,
        }
    }
}

/// A register corrected.
#[derive(Serialize, ToSchema)]
struct Corrected {
    /// The correction.
    mark: Mark,
    /// The lesson now.
    lesson: Lesson,
}

/// Corrects a register, also after it has closed, with a reason.
#[utoipa::path(post, path = "/v1/sections/{section_id}/days/{day}/slots/{slot_id}/corrections", tag = "day",
    security(("session" = [])), params(("section_id" = Uuid, Path), ("day" = String, Path), ("slot_id" = Uuid, Path),
    IdempotencyHeader), request_body = Correction,
    responses((status = 200, body = Corrected), (status = "default", body = Problem)))]
async fn correct_mark(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At((section_id, day, slot_id)): At<(Uuid, String, Uuid)>,
    Json(body): Json<Correction>,
) -> Answer<Corrected> {
    let request = pb::CorrectMarkRequest {
        request_id: key.text(),
        section_id: section_id.to_string(),
        day,
        slot_id: slot_id.to_string(),
        pupil_id: body.pupil_id.to_string(),
        state: standing("state", &body.state)?,
        reason: body.reason,
    };
    let answer = client(&edge, &session).correct_mark(request).await?.into_inner();
    Ok(axum::Json(Corrected {
        mark: answer.mark.unwrap_or_default().into(),
        lesson: answer.lesson.unwrap_or_default().into(),
    }))
}

/// Everything that was said of a pupil in a lesson.
#[derive(Serialize, ToSchema)]
struct Said {
    /// What counts first, then what it superseded.
    marks: Vec<Mark>,
    /// The leaves that are about the lesson, oldest first.
    leaves: Vec<Leave>,
}

/// Lists everything that was said of one pupil in one lesson.
#[utoipa::path(get, path = "/v1/sections/{section_id}/days/{day}/slots/{slot_id}/pupils/{pupil_id}/marks", tag = "day",
    security(("session" = [])), params(("section_id" = Uuid, Path), ("day" = String, Path), ("slot_id" = Uuid, Path),
    ("pupil_id" = Uuid, Path)), responses((status = 200, body = Said), (status = "default", body = Problem)))]
async fn list_marks(
    State(edge): State<Edge>,
    session: Session,
    At((section_id, day, slot_id, pupil_id)): At<(Uuid, String, Uuid, Uuid)>,
) -> Answer<Said> {
    let request = pb::ListMarksRequest {
        section_id: section_id.to_string(),
        day,
        slot_id: slot_id.to_string(),
        pupil_id: pupil_id.to_string(),
    };
    let answer = client(&edge, &session).list_marks(request).await?.into_inner();
    Ok(axum::Json(Said {
        marks: answer.marks.into_iter().map(Into::into).collect(),
        leaves: answer.leaves.into_iter().map(Into::into).collect(),
    }))
}

/// A mark that waits for a person.
#[derive(Serialize, ToSchema)]
struct AsideMark {
    /// Its own id.
    id: String,
    /// `not_on_register`, `register_closed`, `id_reused`, `person_unknown`, `no_lesson`, `went_without_adult`.
    reason: String,
    /// `waiting`, `taken_up` or `dismissed`.
    state: String,
    /// The section; empty when no lesson is known.
    section_id: String,
    /// The day.
    day: String,
    /// The slot; empty when no lesson is known.
    slot_id: String,
    /// The pupil; empty when no pupil is known.
    pupil_id: String,
    /// The mark as it arrived.
    mark: Mark,
    /// Who settled it; empty while it waits.
    settler: String,
    /// Why it was settled so; empty while it waits.
    note: String,
    /// When it arrived.
    create_time: Option<DateTime<Utc>>,
}

impl From<pb::AsideMark> for AsideMark {
    fn from(one: pb::AsideMark) -> Self {
        Self {
            reason: word(one.reason().as_str_name(), "REASON_"),
            state: word(one.state().as_str_name(), "STATE_"),
            id: one.id,
            section_id: one.section_id,
            day: one.day,
            slot_id: one.slot_id,
            pupil_id: one.pupil_id,
            mark: one.mark.unwrap_or_default().into(),
            settler: one.settler,
            note: one.note,
            create_time: moment(one.create_time),
        }
    }
}

/// A page of marks that wait.
#[derive(Serialize, ToSchema)]
struct AsideMarks {
    /// Oldest first.
    marks: Vec<AsideMark>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists the marks of a school that wait for a person.
#[utoipa::path(get, path = "/v1/schools/{school_id}/aside-marks", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = AsideMarks), (status = "default", body = Problem)))]
async fn list_aside_marks(
    State(edge): State<Edge>,
    session: Session,
    At(school_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<AsideMarks> {
    let request = pb::ListAsideMarksRequest {
        school_id: school_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = client(&edge, &session).list_aside_marks(request).await?.into_inner();
    Ok(axum::Json(AsideMarks {
        marks: answer.marks.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// How a mark that waits is settled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Settlement {
    /// Whether it is written into a register; false dismisses it.
    taken_up: bool,
    /// For whom: the pupil it names when absent.
    #[serde(default)]
    pupil_id: Option<Uuid>,
    /// Into which section's register: the mark's own when absent.
    #[serde(default)]
    section_id: Option<Uuid>,
    /// Into the register of which slot: the mark's own when absent.
    #[serde(default)]
    slot_id: Option<Uuid>,
    /// Why; 1 to 200 characters.
    reason: String,
}

/// Settles a mark that waits for a person.
#[utoipa::path(post, path = "/v1/aside-marks/{aside_mark_id}/settle", tag = "day", security(("session" = [])),
    params(("aside_mark_id" = Uuid, Path), IdempotencyHeader), request_body = Settlement,
    responses((status = 200, body = AsideMark), (status = "default", body = Problem)))]
async fn settle_aside_mark(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(aside_mark_id): At<Uuid>,
    Json(body): Json<Settlement>,
) -> Answer<AsideMark> {
    let text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let request = pb::SettleAsideMarkRequest {
        request_id: key.text(),
        aside_mark_id: aside_mark_id.to_string(),
        taken_up: body.taken_up,
        pupil_id: text(body.pupil_id),
        section_id: text(body.section_id),
        slot_id: text(body.slot_id),
        reason: body.reason,
    };
    let answer = client(&edge, &session).settle_aside_mark(request).await?.into_inner();
    Ok(axum::Json(answer.mark.unwrap_or_default().into()))
}
