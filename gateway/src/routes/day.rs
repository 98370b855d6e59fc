//! The school day: registers, leave, hand-over, dismissal, and who answers for what.

use axum::extract::State;
use chrono::{DateTime, Utc};
use proto::enrollment::v1 as pb;
use proto::enrollment::v1::day_service_client::DayServiceClient;
use serde::{Deserialize, Serialize};
use shared::client::Link;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Answer, IdempotencyHeader, PageAsked};
use crate::Edge;
use crate::convert::{moment, number, timestamp, word};
use crate::problem::{Problem, Refusal};
use crate::read::{Asked, At, IdempotencyKey, Json};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(assign_duty))
        .routes(routes!(end_duty))
        .routes(routes!(list_duties))
        .routes(routes!(list_lessons))
        .routes(routes!(get_roll, record_roll))
        .routes(routes!(correct_mark))
        .routes(routes!(list_marks))
        .routes(routes!(list_aside_marks))
        .routes(routes!(settle_aside_mark))
        .routes(routes!(get_school_month))
        .routes(routes!(get_section_month))
        .routes(routes!(report_leave))
        .routes(routes!(cancel_leave))
        .routes(routes!(hand_over))
        .routes(routes!(check_out))
        .routes(routes!(list_open_pupils))
        .routes(routes!(add_collector, list_collectors))
        .routes(routes!(decide_collector))
        .routes(routes!(set_dismissal))
        .routes(routes!(list_dismissals))
        .routes(routes!(add_batch, list_batches))
        .routes(routes!(assign_batch))
        .routes(routes!(ask_extended_care))
        .routes(routes!(cancel_extended_care))
        .routes(routes!(list_extended_care))
        .routes(routes!(open_room))
        .routes(routes!(list_rooms))
        .routes(routes!(list_pupil_moments))
        .routes(routes!(open_question, list_pupil_questions))
        .routes(routes!(close_question))
        .routes(routes!(list_questions))
        .routes(routes!(record_cover, list_covers))
        .routes(routes!(add_device, list_devices))
        .routes(routes!(revoke_device))
        .routes(routes!(link_person))
        .routes(routes!(record_device_events))
}

type Client = DayServiceClient<Link>;

fn client(edge: &Edge, session: &Session) -> Client {
    Client::new(session.link(&edge.links.enrollment))
}

fn standing(field: &str, text: &str) -> Result<i32, Refusal> {
    number(field, text, "STATE_", |name| pb::mark::State::from_str_name(name).map(Into::into))
}

/// Somebody to be named.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDuty {
    /// `leader`, `section` or `room`.
    post: String,
    /// The section or the room; absent for a leader.
    #[serde(default)]
    place_id: Option<Uuid>,
    /// The member of staff.
    staff_id: Uuid,
    /// Their name, 1 to 64 characters.
    staff_name: String,
    /// The first day, inclusive.
    first_day: String,
    /// The last day, inclusive.
    last_day: String,
}

/// Who of the staff answers for what.
#[derive(Serialize, ToSchema)]
struct Duty {
    /// The duty's id.
    id: String,
    /// The school.
    school_id: String,
    /// `leader`, `section` or `room`.
    post: String,
    /// The section or the room; empty for a leader.
    place_id: String,
    /// The member of staff.
    staff_id: String,
    /// Their name.
    staff_name: String,
    /// The first day, inclusive.
    first_day: String,
    /// The last day, inclusive; before the first when the duty was ended before it began.
    last_day: String,
}

impl From<pb::Duty> for Duty {
    fn from(duty: pb::Duty) -> Self {
        Self {
            post: word(duty.post().as_str_name(), "POST_"),
            id: duty.id,
            school_id: duty.school_id,
            place_id: duty.place_id,
            staff_id: duty.staff_id,
            staff_name: duty.staff_name,
            first_day: duty.first_day,
            last_day: duty.last_day,
        }
    }
}

/// Names who answers for what: the school's leader, a section's teacher, a waiting room's guard.
#[utoipa::path(post, path = "/v1/schools/{school_id}/duties", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), IdempotencyHeader), request_body = NewDuty,
    responses((status = 200, body = Duty), (status = "default", body = Problem)))]
async fn assign_duty(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(school_id): At<Uuid>,
    Json(body): Json<NewDuty>,
) -> Answer<Duty> {
    let post =
        number("post", &body.post, "POST_", |name| pb::duty::Post::from_str_name(name).map(Into::into))?;
    let request = pb::AssignDutyRequest {
        request_id: key.text(),
        school_id: school_id.to_string(),
        post,
        place_id: body.place_id.map(|id| id.to_string()).unwrap_or_default(),
        staff_id: body.staff_id.to_string(),
        staff_name: body.staff_name,
        first_day: body.first_day,
        last_day: body.last_day,
    };
    let answer = client(&edge, &session).assign_duty(request).await?.into_inner();
    Ok(axum::Json(answer.duty.unwrap_or_default().into()))
}

/// Ends a duty.
#[utoipa::path(post, path = "/v1/duties/{duty_id}/end", tag = "day", security(("session" = [])),
    params(("duty_id" = Uuid, Path), IdempotencyHeader),
    responses((status = 200, body = Duty), (status = "default", body = Problem)))]
async fn end_duty(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(duty_id): At<Uuid>,
) -> Answer<Duty> {
    let request = pb::EndDutyRequest { request_id: key.text(), duty_id: duty_id.to_string() };
    let answer = client(&edge, &session).end_duty(request).await?.into_inner();
    Ok(axum::Json(answer.duty.unwrap_or_default().into()))
}

/// Who answers for what on a day.
#[derive(Serialize, ToSchema)]
struct Duties {
    /// Leaders, then sections, then rooms.
    duties: Vec<Duty>,
}

/// Lists who answers for what on a day.
#[utoipa::path(get, path = "/v1/schools/{school_id}/days/{day}/duties", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), ("day" = String, Path)),
    responses((status = 200, body = Duties), (status = "default", body = Problem)))]
async fn list_duties(
    State(edge): State<Edge>,
    session: Session,
    At((school_id, day)): At<(Uuid, String)>,
) -> Answer<Duties> {
    let request = pb::ListDutiesRequest { school_id: school_id.to_string(), day };
    let answer = client(&edge, &session).list_duties(request).await?.into_inner();
    Ok(axum::Json(Duties { duties: answer.duties.into_iter().map(Into::into).collect() }))
}

/// How many pupils stand how.
#[derive(Serialize, ToSchema)]
struct Tally {
    /// Pupils on the register: the sum of all the others.
    expected_count: i32,
    /// Here.
    present_count: i32,
    /// Not here, and nobody said so beforehand.
    absent_count: i32,
    /// Came after the start.
    late_count: i32,
    /// Excused by a guardian beforehand.
    leave_count: i32,
    /// Went before the end.
    left_early_count: i32,
    /// Nobody has marked them.
    unmarked_count: i32,
}

impl From<pb::Tally> for Tally {
    fn from(tally: pb::Tally) -> Self {
        Self {
            expected_count: tally.expected_count,
            present_count: tally.present_count,
            absent_count: tally.absent_count,
            late_count: tally.late_count,
            leave_count: tally.leave_count,
            left_early_count: tally.left_early_count,
            unmarked_count: tally.unmarked_count,
        }
    }
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

/// A pupil excused from lessons beforehand.
#[derive(Serialize, ToSchema)]
struct Leave {
    /// The leave's id.
    id: String,
    /// The pupil.
    pupil_id: String,
    /// The day.
    day: String,
    /// The section; empty for every section of the day.
    section_id: String,
    /// When it was said.
    create_time: Option<DateTime<Utc>>,
    /// When it was taken back; absent while it stands.
    cancel_time: Option<DateTime<Utc>>,
}

impl From<pb::Leave> for Leave {
    fn from(leave: pb::Leave) -> Self {
        Self {
            id: leave.id,
            pupil_id: leave.pupil_id,
            day: leave.day,
            section_id: leave.section_id,
            create_time: moment(leave.create_time),
            cancel_time: moment(leave.cancel_time),
        }
    }
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

/// One day of a month.
#[derive(Serialize, ToSchema)]
struct MonthDay {
    /// The day.
    day: String,
    /// How many lessons there were.
    lesson_count: i32,
    /// How many of their registers have closed.
    closed_count: i32,
    /// The sum over its lessons.
    tally: Tally,
}

/// One pupil of a month.
#[derive(Serialize, ToSchema)]
struct MonthPupil {
    /// The pupil.
    pupil_id: String,
    /// The sum over the pupil's lessons.
    tally: Tally,
}

/// A month, made of its days at the moment of asking.
#[derive(Serialize, ToSchema)]
struct Month {
    /// The days with lessons, ascending.
    days: Vec<MonthDay>,
    /// The sum over the days.
    tally: Tally,
    /// The pupils, by id, where the caller may see them.
    pupils: Vec<MonthPupil>,
}

impl From<pb::GetMonthResponse> for Month {
    fn from(month: pb::GetMonthResponse) -> Self {
        let day = |day: pb::get_month_response::Day| MonthDay {
            day: day.day,
            lesson_count: day.lesson_count,
            closed_count: day.closed_count,
            tally: day.tally.unwrap_or_default().into(),
        };
        let pupil = |pupil: pb::get_month_response::Pupil| MonthPupil {
            pupil_id: pupil.pupil_id,
            tally: pupil.tally.unwrap_or_default().into(),
        };
        Self {
            days: month.days.into_iter().map(day).collect(),
            tally: month.tally.unwrap_or_default().into(),
            pupils: month.pupils.into_iter().map(pupil).collect(),
        }
    }
}

/// Gives the registers of a school's month, by day, and their sum.
#[utoipa::path(get, path = "/v1/schools/{school_id}/months/{month}", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), ("month" = String, Path)),
    responses((status = 200, body = Month), (status = "default", body = Problem)))]
async fn get_school_month(
    State(edge): State<Edge>,
    session: Session,
    At((school_id, month)): At<(Uuid, String)>,
) -> Answer<Month> {
    let request = pb::GetMonthRequest { school_id: school_id.to_string(), section_id: String::new(), month };
    let answer = client(&edge, &session).get_month(request).await?.into_inner();
    Ok(axum::Json(answer.into()))
}

/// Gives the registers of a section's month, by day and pupil, and their sum.
#[utoipa::path(get, path = "/v1/sections/{section_id}/months/{month}", tag = "day", security(("session" = [])),
    params(("section_id" = Uuid, Path), ("month" = String, Path)),
    responses((status = 200, body = Month), (status = "default", body = Problem)))]
async fn get_section_month(
    State(edge): State<Edge>,
    session: Session,
    At((section_id, month)): At<(Uuid, String)>,
) -> Answer<Month> {
    let request = pb::GetMonthRequest { school_id: String::new(), section_id: section_id.to_string(), month };
    let answer = client(&edge, &session).get_month(request).await?.into_inner();
    Ok(axum::Json(answer.into()))
}

/// A leave to be reported.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewLeave {
    /// The day.
    day: String,
    /// The section; absent for every section of the day.
    #[serde(default)]
    section_id: Option<Uuid>,
}

/// Excuses a pupil from the lessons of a day that have not begun.
#[utoipa::path(post, path = "/v1/pupils/{pupil_id}/leaves", tag = "day", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), IdempotencyHeader), request_body = NewLeave,
    responses((status = 200, body = Leave), (status = "default", body = Problem)))]
async fn report_leave(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(pupil_id): At<Uuid>,
    Json(body): Json<NewLeave>,
) -> Answer<Leave> {
    let request = pb::ReportLeaveRequest {
        request_id: key.text(),
        pupil_id: pupil_id.to_string(),
        day: body.day,
        section_id: body.section_id.map(|id| id.to_string()).unwrap_or_default(),
    };
    let answer = client(&edge, &session).report_leave(request).await?.into_inner();
    Ok(axum::Json(answer.leave.unwrap_or_default().into()))
}

/// Takes a leave back, for the lessons that have not begun.
#[utoipa::path(post, path = "/v1/leaves/{leave_id}/cancel", tag = "day", security(("session" = [])),
    params(("leave_id" = Uuid, Path), IdempotencyHeader),
    responses((status = 200, body = Leave), (status = "default", body = Problem)))]
async fn cancel_leave(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(leave_id): At<Uuid>,
) -> Answer<Leave> {
    let request = pb::CancelLeaveRequest { request_id: key.text(), leave_id: leave_id.to_string() };
    let answer = client(&edge, &session).cancel_leave(request).await?.into_inner();
    Ok(axum::Json(answer.leave.unwrap_or_default().into()))
}

/// Who answers for a pupil.
#[derive(Serialize, ToSchema)]
struct Holder {
    /// `leader`, `section` or `room`; empty while nobody has taken the pupil in.
    post: String,
    /// The section or the room; empty for a leader.
    place_id: String,
    /// The section's title or the room's name.
    place_name: String,
    /// The member of staff.
    staff_id: String,
    /// Their name, as they were named for the day.
    staff_name: String,
}

impl From<pb::Holder> for Holder {
    fn from(holder: pb::Holder) -> Self {
        Self {
            post: word(holder.post().as_str_name(), "POST_"),
            place_id: holder.place_id,
            place_name: holder.place_name,
            staff_id: holder.staff_id,
            staff_name: holder.staff_name,
        }
    }
}

/// Pupils to be handed over.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HandOver {
    /// 1 to 100, each once.
    pupil_ids: Vec<Uuid>,
    /// The duty of whoever takes them.
    duty_id: Uuid,
}

/// Hands pupils over to the next responsible adult.
#[utoipa::path(post, path = "/v1/hand-overs", tag = "day", security(("session" = [])),
    params(IdempotencyHeader), request_body = HandOver,
    responses((status = 200, body = Holder), (status = "default", body = Problem)))]
async fn hand_over(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    Json(body): Json<HandOver>,
) -> Answer<Holder> {
    let request = pb::HandOverRequest {
        request_id: key.text(),
        pupil_ids: body.pupil_ids.iter().map(ToString::to_string).collect(),
        duty_id: body.duty_id.to_string(),
    };
    let answer = client(&edge, &session).hand_over(request).await?.into_inner();
    Ok(axum::Json(answer.holder.unwrap_or_default().into()))
}

/// How a pupil leaves.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Leaving {
    /// `guardian`, `collector`, `alone` or `not_here`.
    way: String,
    /// The guardian, when one takes the pupil.
    #[serde(default)]
    guardian_id: Option<Uuid>,
    /// The collector, when one takes the pupil.
    #[serde(default)]
    collector_id: Option<Uuid>,
    /// The code of a one-time leave.
    #[serde(default)]
    code: String,
    /// Why the pupil was never here.
    #[serde(default)]
    reason: String,
}

/// A pupil checked out.
#[derive(Serialize, ToSchema)]
struct CheckedOut {
    /// When.
    check_out_time: Option<DateTime<Utc>>,
}

/// Checks a pupil out: records who takes the pupil, and who handed the pupil over.
#[utoipa::path(post, path = "/v1/pupils/{pupil_id}/check-out", tag = "day", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), IdempotencyHeader), request_body = Leaving,
    responses((status = 200, body = CheckedOut), (status = "default", body = Problem)))]
async fn check_out(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(pupil_id): At<Uuid>,
    Json(body): Json<Leaving>,
) -> Answer<CheckedOut> {
    let way = number("way", &body.way, "CHECK_OUT_WAY_", |name| {
        pb::CheckOutWay::from_str_name(name).map(Into::into)
    })?;
    let text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let request = pb::CheckOutRequest {
        request_id: key.text(),
        pupil_id: pupil_id.to_string(),
        way,
        guardian_id: text(body.guardian_id),
        collector_id: text(body.collector_id),
        code: body.code,
        reason: body.reason,
    };
    let answer = client(&edge, &session).check_out(request).await?.into_inner();
    Ok(axum::Json(CheckedOut { check_out_time: moment(answer.check_out_time) }))
}

/// A pupil who is at the school and has not been checked out.
#[derive(Serialize, ToSchema)]
struct OpenPupil {
    /// The pupil.
    pupil_id: String,
    /// The pupil's name.
    pupil_name: String,
    /// The class's name.
    class_name: String,
    /// Who answers for the pupil.
    holder: Holder,
    /// Since when.
    since_time: Option<DateTime<Utc>>,
    /// When the pupil's service ends.
    due_time: Option<DateTime<Utc>>,
    /// Whether that is over.
    overdue: bool,
    /// When the leader was alerted; absent while nobody was.
    alert_time: Option<DateTime<Utc>>,
}

impl From<pb::OpenPupil> for OpenPupil {
    fn from(pupil: pb::OpenPupil) -> Self {
        Self {
            pupil_id: pupil.pupil_id,
            pupil_name: pupil.pupil_name,
            class_name: pupil.class_name,
            holder: pupil.holder.unwrap_or_default().into(),
            since_time: moment(pupil.since_time),
            due_time: moment(pupil.due_time),
            overdue: pupil.overdue,
            alert_time: moment(pupil.alert_time),
        }
    }
}

/// Who has not been checked out.
#[derive(Serialize, ToSchema)]
struct OpenPupils {
    /// By when their service ends, then by id.
    pupils: Vec<OpenPupil>,
    /// Who was named as the day's leader.
    leaders: Vec<Duty>,
}

/// Lists the pupils who are at a school on a day and have not been checked out.
#[utoipa::path(get, path = "/v1/schools/{school_id}/days/{day}/open-pupils", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), ("day" = String, Path)),
    responses((status = 200, body = OpenPupils), (status = "default", body = Problem)))]
async fn list_open_pupils(
    State(edge): State<Edge>,
    session: Session,
    At((school_id, day)): At<(Uuid, String)>,
) -> Answer<OpenPupils> {
    let request = pb::ListOpenPupilsRequest { school_id: school_id.to_string(), day };
    let answer = client(&edge, &session).list_open_pupils(request).await?.into_inner();
    Ok(axum::Json(OpenPupils {
        pupils: answer.pupils.into_iter().map(Into::into).collect(),
        leaders: answer.leaders.into_iter().map(Into::into).collect(),
    }))
}

/// Somebody who may take a pupil home, to be named.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCollector {
    /// `standing`, `one_time` or `alone`.
    kind: String,
    /// The person's name; absent when the pupil goes alone.
    #[serde(default)]
    name: String,
    /// The person's mobile number; absent when the pupil goes alone.
    #[serde(default)]
    phone: String,
    /// `parent`, `grandparent`, `relative`, `carer` or `other`; absent when the pupil goes alone.
    #[serde(default)]
    relation: Option<String>,
    /// The day of a one-time leave; absent otherwise.
    #[serde(default)]
    day: String,
}

/// Whoever may take a pupil home, or that the pupil may go alone.
#[derive(Serialize, ToSchema)]
struct Collector {
    /// The id.
    id: String,
    /// The pupil.
    pupil_id: String,
    /// `standing`, `one_time` or `alone`.
    kind: String,
    /// The person's name; empty when the pupil goes alone.
    name: String,
    /// The person's number, its middle hidden from all but those who may have to call.
    phone: String,
    /// How the person stands to the pupil.
    relation: String,
    /// The day of a one-time leave; empty otherwise.
    day: String,
    /// The code of a one-time leave, for the guardian who made it; empty otherwise.
    code: String,
    /// `allowed`, `forbidden`, `removed` or `used`.
    state: String,
}

impl From<pb::Collector> for Collector {
    fn from(one: pb::Collector) -> Self {
        Self {
            kind: word(one.kind().as_str_name(), "KIND_"),
            relation: word(one.relation().as_str_name(), "RELATION_"),
            state: word(one.state().as_str_name(), "STATE_"),
            id: one.id,
            pupil_id: one.pupil_id,
            name: one.name,
            phone: one.phone,
            day: one.day,
            code: one.code,
        }
    }
}

/// Who may take a pupil home.
#[derive(Serialize, ToSchema)]
struct Collectors {
    /// Oldest first.
    collectors: Vec<Collector>,
    /// The guardians who may take the pupil home themselves; empty for guardians.
    guardian_ids: Vec<String>,
}

/// Names somebody who may take a pupil home, or lets the pupil go alone.
#[utoipa::path(post, path = "/v1/pupils/{pupil_id}/collectors", tag = "day", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), IdempotencyHeader), request_body = NewCollector,
    responses((status = 200, body = Collector), (status = "default", body = Problem)))]
async fn add_collector(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(pupil_id): At<Uuid>,
    Json(body): Json<NewCollector>,
) -> Answer<Collector> {
    let kind =
        number("kind", &body.kind, "KIND_", |name| pb::collector::Kind::from_str_name(name).map(Into::into))?;
    let relation = match &body.relation {
        None => 0,
        Some(relation) => number("relation", relation, "RELATION_", |name| {
            pb::collector::Relation::from_str_name(name).map(Into::into)
        })?,
    };
    let request = pb::AddCollectorRequest {
        request_id: key.text(),
        pupil_id: pupil_id.to_string(),
        kind,
        name: body.name,
        phone: body.phone,
        relation,
        day: body.day,
    };
    let answer = client(&edge, &session).add_collector(request).await?.into_inner();
    Ok(axum::Json(answer.collector.unwrap_or_default().into()))
}

/// Lists who may take a pupil home, and who may not.
#[utoipa::path(get, path = "/v1/pupils/{pupil_id}/collectors", tag = "day", security(("session" = [])),
    params(("pupil_id" = Uuid, Path)),
    responses((status = 200, body = Collectors), (status = "default", body = Problem)))]
async fn list_collectors(
    State(edge): State<Edge>,
    session: Session,
    At(pupil_id): At<Uuid>,
) -> Answer<Collectors> {
    let request = pb::ListCollectorsRequest { pupil_id: pupil_id.to_string() };
    let answer = client(&edge, &session).list_collectors(request).await?.into_inner();
    Ok(axum::Json(Collectors {
        collectors: answer.collectors.into_iter().map(Into::into).collect(),
        guardian_ids: answer.guardian_ids,
    }))
}

/// A decision on a collector.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CollectorDecision {
    /// `forbid`, `allow` or `remove`.
    decision: String,
}

/// Forbids, allows again or removes a collector.
#[utoipa::path(post, path = "/v1/collectors/{collector_id}/decide", tag = "day", security(("session" = [])),
    params(("collector_id" = Uuid, Path), IdempotencyHeader), request_body = CollectorDecision,
    responses((status = 200, body = Collector), (status = "default", body = Problem)))]
async fn decide_collector(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(collector_id): At<Uuid>,
    Json(body): Json<CollectorDecision>,
) -> Answer<Collector> {
    let decision = number("decision", &body.decision, "DECISION_", |name| {
        pb::decide_collector_request::Decision::from_str_name(name).map(Into::into)
    })?;
    let request = pb::DecideCollectorRequest {
        request_id: key.text(),
        collector_id: collector_id.to_string(),
        decision,
    };
    let answer = client(&edge, &session).decide_collector(request).await?.into_inner();
    Ok(axum::Json(answer.collector.unwrap_or_default().into()))
}

/// When a pupil is to leave.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDismissal {
    /// When, `HH:MM`; absent for the service's end, or with a batch.
    #[serde(default)]
    time: String,
    /// With which batch; absent for a time of one's own.
    #[serde(default)]
    batch_id: Option<Uuid>,
}

/// When a pupil leaves on a weekday.
#[derive(Serialize, ToSchema)]
struct Dismissal {
    /// 1 (Monday) to 7 (Sunday).
    weekday: i32,
    /// When the pupil leaves; empty for the service's end.
    time: String,
    /// When the pupil's service ends on that weekday.
    end_time_of_day: String,
    /// `guardian` or `school`; empty when nobody has chosen.
    source: String,
}

impl From<pb::Dismissal> for Dismissal {
    fn from(one: pb::Dismissal) -> Self {
        Self {
            source: word(one.source().as_str_name(), "SOURCE_"),
            weekday: one.weekday,
            time: one.time,
            end_time_of_day: one.end_time_of_day,
        }
    }
}

/// When a pupil leaves.
#[derive(Serialize, ToSchema)]
struct Dismissals {
    /// Every weekday with service, ascending.
    dismissals: Vec<Dismissal>,
}

/// Says when a pupil leaves on a weekday.
#[utoipa::path(put, path = "/v1/pupils/{pupil_id}/dismissals/{weekday}", tag = "day", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), ("weekday" = i32, Path), IdempotencyHeader), request_body = NewDismissal,
    responses((status = 200, body = Dismissal), (status = "default", body = Problem)))]
async fn set_dismissal(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At((pupil_id, weekday)): At<(Uuid, i32)>,
    Json(body): Json<NewDismissal>,
) -> Answer<Dismissal> {
    let request = pb::SetDismissalRequest {
        request_id: key.text(),
        pupil_id: pupil_id.to_string(),
        weekday,
        time: body.time,
        batch_id: body.batch_id.map(|id| id.to_string()).unwrap_or_default(),
    };
    let answer = client(&edge, &session).set_dismissal(request).await?.into_inner();
    Ok(axum::Json(answer.dismissal.unwrap_or_default().into()))
}

/// Lists when a pupil leaves, by weekday.
#[utoipa::path(get, path = "/v1/pupils/{pupil_id}/dismissals", tag = "day", security(("session" = [])),
    params(("pupil_id" = Uuid, Path)),
    responses((status = 200, body = Dismissals), (status = "default", body = Problem)))]
async fn list_dismissals(
    State(edge): State<Edge>,
    session: Session,
    At(pupil_id): At<Uuid>,
) -> Answer<Dismissals> {
    let request = pb::ListDismissalsRequest { pupil_id: pupil_id.to_string() };
    let answer = client(&edge, &session).list_dismissals(request).await?.into_inner();
    Ok(axum::Json(Dismissals { dismissals: answer.dismissals.into_iter().map(Into::into).collect() }))
}

/// A batch to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBatch {
    /// Its name, 1 to 20 characters.
    name: String,
    /// When it leaves, `HH:MM`.
    time: String,
}

/// A school's batch of dismissal.
#[derive(Serialize, ToSchema)]
struct Batch {
    /// The batch's id.
    id: String,
    /// The term.
    term_id: String,
    /// Its name.
    name: String,
    /// When it leaves.
    time: String,
}

impl From<pb::Batch> for Batch {
    fn from(batch: pb::Batch) -> Self {
        Self { id: batch.id, term_id: batch.term_id, name: batch.name, time: batch.time }
    }
}

/// A term's batches.
#[derive(Serialize, ToSchema)]
struct Batches {
    /// By time, then id.
    batches: Vec<Batch>,
}

/// Makes a batch of dismissal for a term.
#[utoipa::path(post, path = "/v1/terms/{term_id}/batches", tag = "day", security(("session" = [])),
    params(("term_id" = Uuid, Path), IdempotencyHeader), request_body = NewBatch,
    responses((status = 200, body = Batch), (status = "default", body = Problem)))]
async fn add_batch(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(term_id): At<Uuid>,
    Json(body): Json<NewBatch>,
) -> Answer<Batch> {
    let request = pb::AddBatchRequest {
        request_id: key.text(),
        term_id: term_id.to_string(),
        name: body.name,
        time: body.time,
    };
    let answer = client(&edge, &session).add_batch(request).await?.into_inner();
    Ok(axum::Json(answer.batch.unwrap_or_default().into()))
}

/// Lists a term's batches.
#[utoipa::path(get, path = "/v1/terms/{term_id}/batches", tag = "day", security(("session" = [])),
    params(("term_id" = Uuid, Path)), responses((status = 200, body = Batches), (status = "default", body = Problem)))]
async fn list_batches(State(edge): State<Edge>, session: Session, At(term_id): At<Uuid>) -> Answer<Batches> {
    let request = pb::ListBatchesRequest { term_id: term_id.to_string() };
    let answer = client(&edge, &session).list_batches(request).await?.into_inner();
    Ok(axum::Json(Batches { batches: answer.batches.into_iter().map(Into::into).collect() }))
}

/// Pupils to be put into a batch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BatchPupils {
    /// 1 (Monday) to 7 (Sunday).
    weekday: i32,
    /// 1 to 500, each once.
    pupil_ids: Vec<Uuid>,
}

/// Pupils put into a batch.
#[derive(Serialize, ToSchema)]
struct Assigned {
    /// For how many it counts: a guardian has chosen for the others.
    counting_count: i32,
}

/// Puts pupils into a batch on a weekday; nobody is forced out before the service's end.
#[utoipa::path(post, path = "/v1/batches/{batch_id}/assign", tag = "day", security(("session" = [])),
    params(("batch_id" = Uuid, Path), IdempotencyHeader), request_body = BatchPupils,
    responses((status = 200, body = Assigned), (status = "default", body = Problem)))]
async fn assign_batch(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(batch_id): At<Uuid>,
    Json(body): Json<BatchPupils>,
) -> Answer<Assigned> {
    let request = pb::AssignBatchRequest {
        request_id: key.text(),
        batch_id: batch_id.to_string(),
        weekday: body.weekday,
        pupil_ids: body.pupil_ids.iter().map(ToString::to_string).collect(),
    };
    let answer = client(&edge, &session).assign_batch(request).await?.into_inner();
    Ok(axum::Json(Assigned { counting_count: answer.counting_count }))
}

/// A request for extended care.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewExtendedCare {
    /// The day.
    day: String,
    /// Until when, `HH:MM`.
    until: String,
}

/// A pupil stays after the service's end. It costs nothing.
#[derive(Serialize, ToSchema)]
struct ExtendedCare {
    /// The id.
    id: String,
    /// The pupil.
    pupil_id: String,
    /// The pupil's name; empty for guardians.
    pupil_name: String,
    /// The day.
    day: String,
    /// Until when.
    until: String,
    /// When it was asked for.
    create_time: Option<DateTime<Utc>>,
    /// When it was taken back or replaced; absent while it stands.
    cancel_time: Option<DateTime<Utc>>,
}

impl From<pb::ExtendedCare> for ExtendedCare {
    fn from(care: pb::ExtendedCare) -> Self {
        Self {
            id: care.id,
            pupil_id: care.pupil_id,
            pupil_name: care.pupil_name,
            day: care.day,
            until: care.until,
            create_time: moment(care.create_time),
            cancel_time: moment(care.cancel_time),
        }
    }
}

/// Asks for a pupil to stay after the service's end.
#[utoipa::path(post, path = "/v1/pupils/{pupil_id}/extended-care", tag = "day", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), IdempotencyHeader), request_body = NewExtendedCare,
    responses((status = 200, body = ExtendedCare), (status = "default", body = Problem)))]
async fn ask_extended_care(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(pupil_id): At<Uuid>,
    Json(body): Json<NewExtendedCare>,
) -> Answer<ExtendedCare> {
    let request = pb::AskExtendedCareRequest {
        request_id: key.text(),
        pupil_id: pupil_id.to_string(),
        day: body.day,
        until: body.until,
    };
    let answer = client(&edge, &session).ask_extended_care(request).await?.into_inner();
    Ok(axum::Json(answer.extended_care.unwrap_or_default().into()))
}

/// Takes a request for extended care back.
#[utoipa::path(post, path = "/v1/extended-care/{extended_care_id}/cancel", tag = "day", security(("session" = [])),
    params(("extended_care_id" = Uuid, Path), IdempotencyHeader),
    responses((status = 200, body = ExtendedCare), (status = "default", body = Problem)))]
async fn cancel_extended_care(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(extended_care_id): At<Uuid>,
) -> Answer<ExtendedCare> {
    let request = pb::CancelExtendedCareRequest {
        request_id: key.text(),
        extended_care_id: extended_care_id.to_string(),
    };
    let answer = client(&edge, &session).cancel_extended_care(request).await?.into_inner();
    Ok(axum::Json(answer.extended_care.unwrap_or_default().into()))
}

/// Who stays after the service's end.
#[derive(Serialize, ToSchema)]
struct ExtendedCares {
    /// By time, then id.
    extended_cares: Vec<ExtendedCare>,
}

/// Lists who stays after the service's end on a day.
#[utoipa::path(get, path = "/v1/schools/{school_id}/days/{day}/extended-care", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), ("day" = String, Path)),
    responses((status = 200, body = ExtendedCares), (status = "default", body = Problem)))]
async fn list_extended_care(
    State(edge): State<Edge>,
    session: Session,
    At((school_id, day)): At<(Uuid, String)>,
) -> Answer<ExtendedCares> {
    let request = pb::ListExtendedCareRequest { school_id: school_id.to_string(), day };
    let answer = client(&edge, &session).list_extended_care(request).await?.into_inner();
    let extended_cares = answer.extended_cares.into_iter().map(Into::into).collect();
    Ok(axum::Json(ExtendedCares { extended_cares }))
}

/// A waiting room to be opened, with somebody on duty in it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRoom {
    /// Its name, 1 to 40 characters.
    name: String,
    /// Who is on duty in it.
    staff_id: Uuid,
    /// Their name, 1 to 64 characters.
    staff_name: String,
    /// The first day of the duty, inclusive.
    first_day: String,
    /// The last day of the duty, inclusive.
    last_day: String,
}

/// A waiting room.
#[derive(Serialize, ToSchema)]
struct Room {
    /// The room's id.
    id: String,
    /// The school.
    school_id: String,
    /// Its name.
    name: String,
    /// Who is on duty in it on the day asked for.
    duties: Vec<Duty>,
    /// The pupils in it now.
    pupils: Vec<OpenPupil>,
}

impl From<pb::Room> for Room {
    fn from(room: pb::Room) -> Self {
        Self {
            id: room.id,
            school_id: room.school_id,
            name: room.name,
            duties: room.duties.into_iter().map(Into::into).collect(),
            pupils: room.pupils.into_iter().map(Into::into).collect(),
        }
    }
}

/// Opens a waiting room, with somebody on duty in it.
#[utoipa::path(post, path = "/v1/schools/{school_id}/rooms", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), IdempotencyHeader), request_body = NewRoom,
    responses((status = 200, body = Room), (status = "default", body = Problem)))]
async fn open_room(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(school_id): At<Uuid>,
    Json(body): Json<NewRoom>,
) -> Answer<Room> {
    let request = pb::OpenRoomRequest {
        request_id: key.text(),
        school_id: school_id.to_string(),
        name: body.name,
        staff_id: body.staff_id.to_string(),
        staff_name: body.staff_name,
        first_day: body.first_day,
        last_day: body.last_day,
    };
    let answer = client(&edge, &session).open_room(request).await?.into_inner();
    Ok(axum::Json(answer.room.unwrap_or_default().into()))
}

/// A school's waiting rooms.
#[derive(Serialize, ToSchema)]
struct Rooms {
    /// By name, then id.
    rooms: Vec<Room>,
}

/// Lists a school's waiting rooms, with who is on duty on a day and who is in them now.
#[utoipa::path(get, path = "/v1/schools/{school_id}/days/{day}/rooms", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), ("day" = String, Path)),
    responses((status = 200, body = Rooms), (status = "default", body = Problem)))]
async fn list_rooms(
    State(edge): State<Edge>,
    session: Session,
    At((school_id, day)): At<(Uuid, String)>,
) -> Answer<Rooms> {
    let request = pb::ListRoomsRequest { school_id: school_id.to_string(), day };
    let answer = client(&edge, &session).list_rooms(request).await?.into_inner();
    Ok(axum::Json(Rooms { rooms: answer.rooms.into_iter().map(Into::into).collect() }))
}

/// Something that happened to a pupil.
#[derive(Serialize, ToSchema)]
struct PupilMoment {
    /// The id.
    id: String,
    /// `marked`, `checked_in`, `handed_over` or `checked_out`.
    kind: String,
    /// When it happened.
    happen_time: Option<DateTime<Utc>>,
    /// The section's title or the room's name, where there is one.
    place_name: String,
    /// How the pupil stood; empty unless the roll was called.
    state: String,
    /// `guardian`, `collector`, `alone` or `not_here`; empty unless checked out.
    way: String,
}

/// A page of what happened to a pupil.
#[derive(Serialize, ToSchema)]
struct PupilMoments {
    /// Latest first.
    moments: Vec<PupilMoment>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists what happened to a pupil, for the pupil's own family.
#[utoipa::path(get, path = "/v1/pupils/{pupil_id}/moments", tag = "day", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = PupilMoments), (status = "default", body = Problem)))]
async fn list_pupil_moments(
    State(edge): State<Edge>,
    session: Session,
    At(pupil_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<PupilMoments> {
    let request = pb::ListPupilMomentsRequest {
        pupil_id: pupil_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = client(&edge, &session).list_pupil_moments(request).await?.into_inner();
    let one = |one: pb::PupilMoment| PupilMoment {
        kind: word(one.kind().as_str_name(), "KIND_"),
        state: word(one.state().as_str_name(), "STATE_"),
        way: word(one.way().as_str_name(), "CHECK_OUT_WAY_"),
        id: one.id,
        happen_time: moment(one.happen_time),
        place_name: one.place_name,
    };
    Ok(axum::Json(PupilMoments {
        moments: answer.moments.into_iter().map(one).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// One pupil's question, asked and answered alone.
#[derive(Serialize, ToSchema)]
struct Question {
    /// The question's id.
    id: String,
    /// The pupil.
    pupil_id: String,
    /// The subject.
    subject: String,
    /// What it is about.
    topic: String,
    /// When it was opened.
    create_time: Option<DateTime<Utc>>,
    /// Who opened it.
    opener: String,
    /// When it was closed; absent while it is open.
    close_time: Option<DateTime<Utc>>,
    /// Who closed it; empty while it is open.
    closer: String,
    /// How it ended; empty while it is open.
    outcome: String,
    /// Whether it was closed on the day it was opened.
    same_day: bool,
}

impl From<pb::Question> for Question {
    fn from(one: pb::Question) -> Self {
        Self {
            id: one.id,
            pupil_id: one.pupil_id,
            subject: one.subject,
            topic: one.topic,
            create_time: moment(one.create_time),
            opener: one.opener,
            close_time: moment(one.close_time),
            closer: one.closer,
            outcome: one.outcome,
            same_day: one.same_day,
        }
    }
}

/// A question to be opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewQuestion {
    /// The subject, 1 to 20 characters.
    subject: String,
    /// What it is about, 1 to 100 characters.
    topic: String,
}

/// Opens a question of one pupil.
#[utoipa::path(post, path = "/v1/pupils/{pupil_id}/questions", tag = "day", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), IdempotencyHeader), request_body = NewQuestion,
    responses((status = 200, body = Question), (status = "default", body = Problem)))]
async fn open_question(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(pupil_id): At<Uuid>,
    Json(body): Json<NewQuestion>,
) -> Answer<Question> {
    let request = pb::OpenQuestionRequest {
        request_id: key.text(),
        pupil_id: pupil_id.to_string(),
        subject: body.subject,
        topic: body.topic,
    };
    let answer = client(&edge, &session).open_question(request).await?.into_inner();
    Ok(axum::Json(answer.question.unwrap_or_default().into()))
}

/// How a question ended.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QuestionOutcome {
    /// For the family; 1 to 200 characters.
    outcome: String,
}

/// Closes a question, on whatever day.
#[utoipa::path(post, path = "/v1/questions/{question_id}/close", tag = "day", security(("session" = [])),
    params(("question_id" = Uuid, Path), IdempotencyHeader), request_body = QuestionOutcome,
    responses((status = 200, body = Question), (status = "default", body = Problem)))]
async fn close_question(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(question_id): At<Uuid>,
    Json(body): Json<QuestionOutcome>,
) -> Answer<Question> {
    let request = pb::CloseQuestionRequest {
        request_id: key.text(),
        question_id: question_id.to_string(),
        outcome: body.outcome,
    };
    let answer = client(&edge, &session).close_question(request).await?.into_inner();
    Ok(axum::Json(answer.question.unwrap_or_default().into()))
}

/// Which questions are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct QuestionsAsked {
    /// The first day, inclusive.
    first_day: String,
    /// The last day, inclusive.
    last_day: String,
    /// Whether only those still open are wanted.
    #[serde(default)]
    open_only: bool,
    /// At most this many; 50 when absent, never more than 200.
    #[serde(default)]
    page_size: i32,
    /// The previous page's `next_page_token`; absent for the first page.
    #[serde(default)]
    page_token: String,
}

/// How questions stand.
#[derive(Serialize, ToSchema)]
struct QuestionReport {
    /// How many were opened.
    opened_count: i32,
    /// How many of them were closed on their day.
    same_day_count: i32,
    /// How many of them were closed on a later day.
    later_count: i32,
    /// How many of them are open.
    open_count: i32,
}

/// A page of a school's questions, with the report on all of them.
#[derive(Serialize, ToSchema)]
struct Questions {
    /// Newest first.
    questions: Vec<Question>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
    /// How all questions of these days stand.
    report: QuestionReport,
}

/// Lists the questions of a school, and reports how many were closed on their day.
#[utoipa::path(get, path = "/v1/schools/{school_id}/questions", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), QuestionsAsked),
    responses((status = 200, body = Questions), (status = "default", body = Problem)))]
async fn list_questions(
    State(edge): State<Edge>,
    session: Session,
    At(school_id): At<Uuid>,
    Asked(asked): Asked<QuestionsAsked>,
) -> Answer<Questions> {
    let request = pb::ListQuestionsRequest {
        school_id: school_id.to_string(),
        first_day: asked.first_day,
        last_day: asked.last_day,
        open_only: asked.open_only,
        page_size: asked.page_size,
        page_token: asked.page_token,
    };
    let answer = client(&edge, &session).list_questions(request).await?.into_inner();
    let report = answer.report.unwrap_or_default();
    Ok(axum::Json(Questions {
        questions: answer.questions.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
        report: QuestionReport {
            opened_count: report.opened_count,
            same_day_count: report.same_day_count,
            later_count: report.later_count,
            open_count: report.open_count,
        },
    }))
}

/// A page of a pupil's questions.
#[derive(Serialize, ToSchema)]
struct PupilQuestions {
    /// Newest first.
    questions: Vec<Question>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists a pupil's questions, for the pupil's own family.
#[utoipa::path(get, path = "/v1/pupils/{pupil_id}/questions", tag = "day", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = PupilQuestions), (status = "default", body = Problem)))]
async fn list_pupil_questions(
    State(edge): State<Edge>,
    session: Session,
    At(pupil_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<PupilQuestions> {
    let request = pb::ListPupilQuestionsRequest {
        pupil_id: pupil_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = client(&edge, &session).list_pupil_questions(request).await?.into_inner();
    Ok(axum::Json(PupilQuestions {
        questions: answer.questions.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// A period of insurance to be recorded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCover {
    /// `school_liability` or `pupil_accident`.
    kind: String,
    /// The insurer, 1 to 40 characters.
    insurer: String,
    /// The policy's number, 1 to 40 characters.
    policy_number: String,
    /// The first day, inclusive.
    first_day: String,
    /// The last day, inclusive.
    last_day: String,
}

/// A period in which the service is insured.
#[derive(Serialize, ToSchema)]
struct Cover {
    /// The cover's id.
    id: String,
    /// The school.
    school_id: String,
    /// `school_liability` or `pupil_accident`.
    kind: String,
    /// The insurer.
    insurer: String,
    /// The policy's number.
    policy_number: String,
    /// The first day, inclusive.
    first_day: String,
    /// The last day, inclusive.
    last_day: String,
}

impl From<pb::Cover> for Cover {
    fn from(cover: pb::Cover) -> Self {
        Self {
            kind: word(cover.kind().as_str_name(), "KIND_"),
            id: cover.id,
            school_id: cover.school_id,
            insurer: cover.insurer,
            policy_number: cover.policy_number,
            first_day: cover.first_day,
            last_day: cover.last_day,
        }
    }
}

/// Records a period in which the school's service is insured.
#[utoipa::path(post, path = "/v1/schools/{school_id}/covers", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), IdempotencyHeader), request_body = NewCover,
    responses((status = 200, body = Cover), (status = "default", body = Problem)))]
async fn record_cover(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(school_id): At<Uuid>,
    Json(body): Json<NewCover>,
) -> Answer<Cover> {
    let kind =
        number("kind", &body.kind, "KIND_", |name| pb::cover::Kind::from_str_name(name).map(Into::into))?;
    let request = pb::RecordCoverRequest {
        request_id: key.text(),
        school_id: school_id.to_string(),
        kind,
        insurer: body.insurer,
        policy_number: body.policy_number,
        first_day: body.first_day,
        last_day: body.last_day,
    };
    let answer = client(&edge, &session).record_cover(request).await?.into_inner();
    Ok(axum::Json(answer.cover.unwrap_or_default().into()))
}

/// A school's covers.
#[derive(Serialize, ToSchema)]
struct Covers {
    /// Latest first.
    covers: Vec<Cover>,
}

/// Lists the covers of a school.
#[utoipa::path(get, path = "/v1/schools/{school_id}/covers", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path)), responses((status = 200, body = Covers), (status = "default", body = Problem)))]
async fn list_covers(State(edge): State<Edge>, session: Session, At(school_id): At<Uuid>) -> Answer<Covers> {
    let request = pb::ListCoversRequest { school_id: school_id.to_string() };
    let answer = client(&edge, &session).list_covers(request).await?.into_inner();
    Ok(axum::Json(Covers { covers: answer.covers.into_iter().map(Into::into).collect() }))
}

/// A device to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDevice {
    /// Its name, 1 to 40 characters.
    name: String,
}

/// An identity device of a school.
#[derive(Serialize, ToSchema)]
struct Device {
    /// The device's id.
    id: String,
    /// The school.
    school_id: String,
    /// Its name.
    name: String,
    /// When it was added.
    create_time: Option<DateTime<Utc>>,
    /// When its key was revoked; absent while it holds.
    revoke_time: Option<DateTime<Utc>>,
}

impl From<pb::Device> for Device {
    fn from(device: pb::Device) -> Self {
        Self {
            id: device.id,
            school_id: device.school_id,
            name: device.name,
            create_time: moment(device.create_time),
            revoke_time: moment(device.revoke_time),
        }
    }
}

/// A device added.
#[derive(Serialize, ToSchema)]
struct AddedDevice {
    /// The device.
    device: Device,
    /// Its key, shown this once; empty in the answer to a repeat.
    key: String,
}

/// Adds an identity device to a school and makes its key.
#[utoipa::path(post, path = "/v1/schools/{school_id}/devices", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), IdempotencyHeader), request_body = NewDevice,
    responses((status = 200, body = AddedDevice), (status = "default", body = Problem)))]
async fn add_device(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(school_id): At<Uuid>,
    Json(body): Json<NewDevice>,
) -> Answer<AddedDevice> {
    let request =
        pb::AddDeviceRequest { request_id: key.text(), school_id: school_id.to_string(), name: body.name };
    let answer = client(&edge, &session).add_device(request).await?.into_inner();
    Ok(axum::Json(AddedDevice { device: answer.device.unwrap_or_default().into(), key: answer.key }))
}

/// A school's devices.
#[derive(Serialize, ToSchema)]
struct Devices {
    /// Oldest first; revoked ones too.
    devices: Vec<Device>,
}

/// Lists the devices of a school.
#[utoipa::path(get, path = "/v1/schools/{school_id}/devices", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path)), responses((status = 200, body = Devices), (status = "default", body = Problem)))]
async fn list_devices(
    State(edge): State<Edge>,
    session: Session,
    At(school_id): At<Uuid>,
) -> Answer<Devices> {
    let request = pb::ListDevicesRequest { school_id: school_id.to_string() };
    let answer = client(&edge, &session).list_devices(request).await?.into_inner();
    Ok(axum::Json(Devices { devices: answer.devices.into_iter().map(Into::into).collect() }))
}

/// Revokes a device's key.
#[utoipa::path(post, path = "/v1/devices/{device_id}/revoke", tag = "day", security(("session" = [])),
    params(("device_id" = Uuid, Path), IdempotencyHeader),
    responses((status = 200, body = Device), (status = "default", body = Problem)))]
async fn revoke_device(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(device_id): At<Uuid>,
) -> Answer<Device> {
    let request = pb::RevokeDeviceRequest { request_id: key.text(), device_id: device_id.to_string() };
    let answer = client(&edge, &session).revoke_device(request).await?.into_inner();
    Ok(axum::Json(answer.device.unwrap_or_default().into()))
}

/// Whom a token means.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PersonLink {
    /// What the devices call the person, 1 to 128 characters.
    person_token: String,
    /// The pupil; absent to forget the token.
    #[serde(default)]
    pupil_id: Option<Uuid>,
}

/// Whom a token means now.
#[derive(Serialize, ToSchema)]
struct LinkedPerson {
    /// The pupil; empty when the token was forgotten.
    pupil_id: String,
}

/// Says which pupil a school's devices mean by a token.
#[utoipa::path(post, path = "/v1/schools/{school_id}/person-links", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), IdempotencyHeader), request_body = PersonLink,
    responses((status = 200, body = LinkedPerson), (status = "default", body = Problem)))]
async fn link_person(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(school_id): At<Uuid>,
    Json(body): Json<PersonLink>,
) -> Answer<LinkedPerson> {
    let request = pb::LinkPersonRequest {
        request_id: key.text(),
        school_id: school_id.to_string(),
        person_token: body.person_token,
        pupil_id: body.pupil_id.map(|id| id.to_string()).unwrap_or_default(),
    };
    let answer = client(&edge, &session).link_person(request).await?.into_inner();
    Ok(axum::Json(LinkedPerson { pupil_id: answer.pupil_id }))
}

/// One person, seen once by a device.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeviceEvent {
    /// The device's own id of the event, sent again with every repeat.
    id: String,
    /// What the device calls the person.
    person_token: String,
    /// `in` or `out`.
    direction: String,
    /// The device's own count of its events; absent when it does not count them.
    #[serde(default)]
    sequence: i64,
    /// When, as the device's clock had it.
    event_time: DateTime<Utc>,
}

/// What a device saw.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeviceEvents {
    /// The device's key.
    device_key: String,
    /// What the device's clock shows as it sends this.
    send_time: DateTime<Utc>,
    /// 1 to 100.
    events: Vec<DeviceEvent>,
}

/// What became of one event.
#[derive(Serialize, ToSchema)]
struct DeviceOutcome {
    /// The device's own id of the event.
    event_id: String,
    /// `recorded`, `recorded_before` or `set_aside`.
    kind: String,
    /// Why it was set aside; empty otherwise.
    reason: String,
}

/// What became of what a device saw.
#[derive(Serialize, ToSchema)]
struct DeviceOutcomes {
    /// One for each event, in their order.
    outcomes: Vec<DeviceOutcome>,
}

/// Takes what an identity device saw, each event exactly once; for whoever has the device's key.
#[utoipa::path(post, path = "/v1/device-events", tag = "day", request_body = DeviceEvents,
    responses((status = 200, body = DeviceOutcomes), (status = "default", body = Problem)))]
async fn record_device_events(
    State(edge): State<Edge>,
    Json(body): Json<DeviceEvents>,
) -> Answer<DeviceOutcomes> {
    use pb::record_device_events_request::device_event::Direction;
    let event = |(at, event): (usize, DeviceEvent)| {
        let field = format!("events[{at}].direction");
        let direction = number(&field, &event.direction, "DIRECTION_", |name| {
            Direction::from_str_name(name).map(Into::into)
        })?;
        Ok(pb::record_device_events_request::DeviceEvent {
            id: event.id,
            person_token: event.person_token,
            direction,
            sequence: event.sequence,
            event_time: Some(timestamp(event.event_time)),
        })
    };
    let events: Result<Vec<_>, Refusal> = body.events.into_iter().enumerate().map(event).collect();
    let request = pb::RecordDeviceEventsRequest {
        device_key: body.device_key,
        send_time: Some(timestamp(body.send_time)),
        events: events?,
    };
    let answer =
        Client::new(edge.public.enrollment.clone()).record_device_events(request).await?.into_inner();
    let outcome = |one: pb::record_device_events_response::Outcome| DeviceOutcome {
        kind: word(one.kind().as_str_name(), "KIND_"),
        reason: word(one.reason().as_str_name(), "REASON_"),
        event_id: one.event_id,
    };
    Ok(axum::Json(DeviceOutcomes { outcomes: answer.outcomes.into_iter().map(outcome).collect() }))
}
