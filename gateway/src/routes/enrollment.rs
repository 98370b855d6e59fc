//! Rounds, choices, approval, rosters.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use http::HeaderMap;
use proto::enrollment::v1 as pb;
use proto::enrollment::v1::enrollment_service_client::EnrollmentServiceClient;
use serde::{Deserialize, Serialize};
use shared::client::Link;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::round::{DrawSettings, RoundChange, SectionRule, SeedSource};
use super::{Answer, IdempotencyHeader, PageAsked};
use crate::Edge;
use crate::convert::{moment, number, timestamp, word};
use crate::menu;
use crate::problem::{Problem, Refusal};
use crate::read::{Asked, At, IdempotencyKey, Json};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(open_round, list_rounds))
        .routes(routes!(list_seats))
        .routes(routes!(apply))
        .routes(routes!(get_enrollment))
        .routes(routes!(withdraw))
        .routes(routes!(change_seat))
        .routes(routes!(decide_step))
        .routes(routes!(list_pupil_enrollments))
        .routes(routes!(list_reviews))
        .routes(routes!(list_roster))
}

type Client = EnrollmentServiceClient<Link>;

fn client(edge: &Edge, session: &Session) -> Client {
    Client::new(session.link(&edge.links.enrollment))
}

/// A round to be opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRound {
    /// `first_come`, `ranked` or `lottery`.
    mode: String,
    /// From this moment on choices are taken.
    open_time: DateTime<Utc>,
    /// From this moment on none is taken.
    close_time: DateTime<Utc>,
    /// Seconds a seat waits for approval; 604,800 when absent.
    #[serde(default)]
    review_seconds: i32,
    /// Seconds a seat waits for payment; 1,800 when absent.
    #[serde(default)]
    payment_seconds: i32,
    /// The round's id, chosen so that contributions can be sealed for it; one is made when absent.
    #[serde(default)]
    round_id: Option<Uuid>,
    /// `apart` or `together`; drawn rounds only.
    #[serde(default)]
    siblings: Option<String>,
    /// Where the seed comes from; drawn rounds only.
    #[serde(default)]
    sources: Vec<SeedSource>,
    /// How sections are drawn where it is not as the policy has it; drawn rounds only.
    #[serde(default)]
    sections: Vec<SectionRule>,
    /// Seconds for which the first applications are collected and then decided by tier and lot, 60 to 86,400; all go by arrival when
    /// absent. Only for rounds that are not drawn and follow one that is.
    #[serde(default)]
    tie_seconds: i32,
}

/// A round.
#[derive(Serialize, ToSchema)]
pub(super) struct Round {
    /// The round's id.
    id: String,
    /// The term.
    term_id: String,
    /// `first_come`, `ranked` or `lottery`.
    mode: String,
    /// From this moment on choices are taken.
    open_time: Option<DateTime<Utc>>,
    /// From this moment on none is taken.
    close_time: Option<DateTime<Utc>>,
    /// Seconds a seat waits for approval.
    review_seconds: i32,
    /// Seconds a seat waits for payment.
    payment_seconds: i32,
    /// `opened`, `closed`, `drawn` or `cancelled`.
    state: String,
    /// What it is drawn by; absent unless it is drawn.
    draw: Option<DrawSettings>,
    /// Changes since it was opened, the first first.
    changes: Vec<RoundChange>,
    /// Seconds for which the first applications are collected; 0 where all go by arrival.
    tie_seconds: i32,
    /// Until when they are collected; absent where they are not.
    tie_end_time: Option<DateTime<Utc>>,
    /// Whether they are decided.
    ties_decided: bool,
}

impl From<pb::Round> for Round {
    fn from(round: pb::Round) -> Self {
        Self {
            mode: word(round.mode().as_str_name(), "MODE_"),
            state: word(round.state().as_str_name(), "STATE_"),
            draw: round.draw.map(Into::into),
            changes: round.changes.into_iter().map(Into::into).collect(),
            open_time: moment(round.open_time),
            close_time: moment(round.close_time),
            tie_seconds: round.tie_seconds,
            tie_end_time: moment(round.tie_end_time),
            ties_decided: round.ties_decided,
            id: round.id,
            term_id: round.term_id,
            review_seconds: round.review_seconds,
            payment_seconds: round.payment_seconds,
        }
    }
}

/// A round opened.
#[derive(Serialize, ToSchema)]
struct OpenedRound {
    /// The round.
    #[serde(flatten)]
    round: Round,
    /// What nobody has decided about seats offered from the line: `waitlist_offer_minutes`, `waitlist_quiet_from`,
    /// `waitlist_quiet_to`. They then wait as long as any other seat, and may end at night.
    silent_keys: Vec<String>,
}

/// Opens a round for a term.
#[utoipa::path(post, path = "/v1/terms/{term_id}/rounds", tag = "enrollment", security(("session" = [])),
    params(("term_id" = Uuid, Path), IdempotencyHeader), request_body = NewRound,
    responses((status = 200, body = OpenedRound), (status = "default", body = Problem)))]
async fn open_round(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(term_id): At<Uuid>,
    Json(body): Json<NewRound>,
) -> Answer<OpenedRound> {
    let mode =
        number("mode", &body.mode, "MODE_", |name| pb::round::Mode::from_str_name(name).map(Into::into))?;
    let siblings = match &body.siblings {
        None => 0,
        Some(word) => {
            number("siblings", word, "SIBLINGS_", |name| pb::Siblings::from_str_name(name).map(Into::into))?
        }
    };
    let request = pb::OpenRoundRequest {
        request_id: key.text(),
        term_id: term_id.to_string(),
        mode,
        open_time: Some(timestamp(body.open_time)),
        close_time: Some(timestamp(body.close_time)),
        review_seconds: body.review_seconds,
        payment_seconds: body.payment_seconds,
        round_id: body.round_id.map(|id| id.to_string()).unwrap_or_default(),
        siblings,
        sources: body.sources.into_iter().map(SeedSource::into_message).collect(),
        sections: body.sections.into_iter().map(SectionRule::into_message).collect(),
        tie_seconds: body.tie_seconds,
    };
    let answer = client(&edge, &session).open_round(request).await?.into_inner();
    Ok(axum::Json(OpenedRound {
        round: answer.round.unwrap_or_default().into(),
        silent_keys: answer.silent_keys,
    }))
}

/// A term's rounds.
#[derive(Serialize, ToSchema)]
struct Rounds {
    /// Latest first.
    rounds: Vec<Round>,
}

/// Lists a term's rounds.
#[utoipa::path(get, path = "/v1/terms/{term_id}/rounds", tag = "enrollment", params(("term_id" = Uuid, Path)),
    responses((status = 200, body = Rounds), (status = "default", body = Problem)))]
async fn list_rounds(State(edge): State<Edge>, At(term_id): At<Uuid>) -> Answer<Rounds> {
    let request = pb::ListRoundsRequest { term_id: term_id.to_string() };
    let answer = Client::new(edge.public.enrollment.clone()).list_rounds(request).await?.into_inner();
    Ok(axum::Json(Rounds { rounds: answer.rounds.into_iter().map(Into::into).collect() }))
}

/// How full a section is.
#[derive(Serialize, ToSchema)]
struct Seats {
    /// The section.
    section_id: String,
    /// How many seats there are.
    capacity_count: i32,
    /// How many are taken.
    taken_count: i32,
    /// How many wait in line.
    waitlisted_count: i32,
}

impl From<pb::Seats> for Seats {
    fn from(seats: pb::Seats) -> Self {
        Self {
            section_id: seats.section_id,
            capacity_count: seats.capacity_count,
            taken_count: seats.taken_count,
            waitlisted_count: seats.waitlisted_count,
        }
    }
}

/// How full a term's sections are.
#[derive(Serialize, ToSchema)]
struct AllSeats {
    /// Every published section, by id.
    seats: Vec<Seats>,
}

/// Tells how full a term's sections are, at most half a second old.
#[utoipa::path(get, path = "/v1/terms/{term_id}/seats", tag = "enrollment", params(("term_id" = Uuid, Path)),
    responses((status = 200, body = AllSeats), (status = 304), (status = "default", body = Problem)))]
async fn list_seats(
    State(edge): State<Edge>,
    At(term_id): At<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let read = async {
        let request = pb::ListSeatsRequest { term_id: term_id.to_string() };
        let answer = Client::new(edge.public.enrollment.clone()).list_seats(request).await?.into_inner();
        menu::written(&AllSeats { seats: answer.seats.into_iter().map(Into::into).collect() })
    };
    let snapshot = edge.menus.get(format!("seats:{term_id}"), read).await?;
    Ok(snapshot.answer(&headers))
}

/// An application for a seat.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Application {
    /// The pupil.
    pupil_id: Uuid,
    /// The section.
    section_id: Uuid,
    /// Whether to stand in line when the section is full.
    #[serde(default)]
    join_waitlist: bool,
}

/// A step of approval.
#[derive(Serialize, ToSchema)]
struct Step {
    /// The step's key.
    key: String,
    /// Its name, such as `班级初审`.
    name_zh: String,
    /// The role that decides it.
    role: String,
    /// When it was approved; absent while open.
    approve_time: Option<DateTime<Utc>>,
}

/// How a section's line has moved: counts of what happened, never a forecast.
#[derive(Serialize, ToSchema)]
struct Line {
    /// How many stand in line now.
    waiting_count: i32,
    /// How many ever stood in it.
    joined_count: i32,
    /// How many seats were given back.
    freed_count: i32,
    /// How many of these were offered to those in line.
    offered_count: i32,
    /// When the last one was offered; absent when none was.
    last_offer_time: Option<DateTime<Utc>>,
    /// Since when all this is counted.
    since_time: Option<DateTime<Utc>>,
    /// The same course in earlier terms, latest first.
    past: Vec<PastLine>,
}

/// The line of the same course in an earlier term.
#[derive(Serialize, ToSchema)]
struct PastLine {
    /// The term.
    term_id: String,
    /// How many stood in line.
    joined_count: i32,
    /// How many seats were offered to them.
    offered_count: i32,
}

impl From<pb::Line> for Line {
    fn from(line: pb::Line) -> Self {
        let past = |past: pb::line::Past| PastLine {
            term_id: past.term_id,
            joined_count: past.joined_count,
            offered_count: past.offered_count,
        };
        Self {
            waiting_count: line.waiting_count,
            joined_count: line.joined_count,
            freed_count: line.freed_count,
            offered_count: line.offered_count,
            last_offer_time: moment(line.last_offer_time),
            since_time: moment(line.since_time),
            past: line.past.into_iter().map(past).collect(),
        }
    }
}

/// A pupil's place in, or on the way to, a section.
#[derive(Serialize, ToSchema)]
pub(super) struct Enrollment {
    /// The enrollment's id.
    id: String,
    /// The pupil.
    pupil_id: String,
    /// The section.
    section_id: String,
    /// The term.
    term_id: String,
    /// The section's title.
    section_title: String,
    /// `waitlisted`, `awaiting_agreement`, `in_review`, `held`, `releasing`, `confirmed` or `released`.
    state: String,
    /// The steps of approval, in order.
    steps: Vec<Step>,
    /// The place in line, 1 is next; 0 unless waitlisted.
    waitlist_position: i32,
    /// How the line has moved so far; absent unless waitlisted, and where something was just changed.
    line: Option<Line>,
    /// When the hold ends; absent unless awaiting the agreement, in review or held.
    hold_expire_time: Option<DateTime<Utc>>,
    /// Why it was given back; empty otherwise.
    release_reason: String,
    /// The words that came with it.
    release_note: String,
    /// When it was applied for.
    create_time: Option<DateTime<Utc>>,
    /// When the family first asked to give the paid seat back while nobody had said what goes back: the bureau has a ticket since.
    /// Absent otherwise.
    withdrawal_ask_time: Option<DateTime<Utc>>,
}

impl From<pb::Enrollment> for Enrollment {
    fn from(one: pb::Enrollment) -> Self {
        let step = |step: pb::enrollment::Step| Step {
            key: step.key,
            name_zh: step.name_zh,
            role: step.role,
            approve_time: moment(step.approve_time),
        };
        Self {
            state: word(one.state().as_str_name(), "STATE_"),
            release_reason: word(one.release_reason().as_str_name(), "RELEASE_REASON_"),
            id: one.id,
            pupil_id: one.pupil_id,
            section_id: one.section_id,
            term_id: one.term_id,
            section_title: one.section_title,
            steps: one.steps.into_iter().map(step).collect(),
            waitlist_position: one.waitlist_position,
            line: one.line.map(Into::into),
            hold_expire_time: moment(one.hold_expire_time),
            release_note: one.release_note,
            create_time: moment(one.create_time),
            withdrawal_ask_time: moment(one.withdrawal_ask_time),
        }
    }
}

/// What became of an application.
#[derive(Serialize, ToSchema)]
pub(super) struct Applied {
    /// The enrollment.
    enrollment: Enrollment,
    /// How full the section was when it was decided.
    seats: Option<Seats>,
}

impl From<pb::ApplyResponse> for Applied {
    fn from(answer: pb::ApplyResponse) -> Self {
        Self { enrollment: answer.enrollment.unwrap_or_default().into(), seats: answer.seats.map(Into::into) }
    }
}

/// Applies for a seat for a pupil.
#[utoipa::path(post, path = "/v1/enrollments", tag = "enrollment", security(("session" = [])),
    params(IdempotencyHeader), request_body = Application,
    responses((status = 200, body = Applied), (status = "default", body = Problem)))]
async fn apply(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    Json(body): Json<Application>,
) -> Answer<Applied> {
    let request = pb::ApplyRequest {
        request_id: key.text(),
        pupil_id: body.pupil_id.to_string(),
        section_id: body.section_id.to_string(),
        join_waitlist: body.join_waitlist,
    };
    let answer = edge.admissions.apply(session.caller_token, request).await?;
    Ok(axum::Json(answer.into()))
}

/// Gives one enrollment.
#[utoipa::path(get, path = "/v1/enrollments/{enrollment_id}", tag = "enrollment", security(("session" = [])),
    params(("enrollment_id" = Uuid, Path)),
    responses((status = 200, body = Enrollment), (status = "default", body = Problem)))]
async fn get_enrollment(State(edge): State<Edge>, session: Session, At(id): At<Uuid>) -> Answer<Enrollment> {
    let request = pb::GetEnrollmentRequest { id: id.to_string() };
    let answer = client(&edge, &session).get_enrollment(request).await?.into_inner();
    Ok(axum::Json(answer.enrollment.unwrap_or_default().into()))
}

/// Withdraws an application, a hold or a seat.
#[utoipa::path(post, path = "/v1/enrollments/{enrollment_id}/withdraw", tag = "enrollment",
    security(("session" = [])), params(("enrollment_id" = Uuid, Path), IdempotencyHeader),
    responses((status = 200, body = Enrollment), (status = "default", body = Problem)))]
async fn withdraw(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(id): At<Uuid>,
) -> Answer<Enrollment> {
    let request = pb::WithdrawRequest { request_id: key.text(), enrollment_id: id.to_string() };
    let answer = client(&edge, &session).withdraw(request).await?.into_inner();
    Ok(axum::Json(answer.enrollment.unwrap_or_default().into()))
}

/// What is wanted in its stead.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SeatChange {
    /// The section.
    to_section_id: Uuid,
    /// The first day of the new place, later than today; absent changes at once.
    from_day: Option<NaiveDate>,
}

/// A place changed for another.
#[derive(Serialize, ToSchema)]
struct Changed {
    /// The new place.
    enrollment: Enrollment,
    /// The old one: released, or releasing while its invoice is closed; confirmed until `from_day`.
    given_up: Enrollment,
    /// How full the new section was when it was decided.
    seats: Option<Seats>,
    /// The first day of the new place; empty when it was changed at once.
    from_day: String,
}

/// Changes a place for one in another section; the old one is given up only if the new one is given.
#[utoipa::path(post, path = "/v1/enrollments/{enrollment_id}/change", tag = "enrollment",
    security(("session" = [])), params(("enrollment_id" = Uuid, Path), IdempotencyHeader), request_body = SeatChange,
    responses((status = 200, body = Changed), (status = "default", body = Problem)))]
async fn change_seat(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(id): At<Uuid>,
    Json(body): Json<SeatChange>,
) -> Answer<Changed> {
    let request = pb::ChangeSeatRequest {
        request_id: key.text(),
        enrollment_id: id.to_string(),
        to_section_id: body.to_section_id.to_string(),
        from_day: body.from_day.map(|day| day.to_string()).unwrap_or_default(),
    };
    let answer = client(&edge, &session).change_seat(request).await?.into_inner();
    Ok(axum::Json(Changed {
        enrollment: answer.enrollment.unwrap_or_default().into(),
        given_up: answer.given_up.unwrap_or_default().into(),
        seats: answer.seats.map(Into::into),
        from_day: answer.from_day,
    }))
}

/// A decision on a step.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StepDecision {
    /// Whether it is approved; false declines.
    approved: bool,
    /// Why it is declined; required then.
    #[serde(default)]
    reason: String,
}

/// Approves or declines the next open step of an enrollment.
#[utoipa::path(post, path = "/v1/enrollments/{enrollment_id}/steps/{step_key}", tag = "enrollment",
    security(("session" = [])), params(("enrollment_id" = Uuid, Path), ("step_key" = String, Path), IdempotencyHeader),
    request_body = StepDecision, responses((status = 200, body = Enrollment), (status = "default", body = Problem)))]
async fn decide_step(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At((id, step_key)): At<(Uuid, String)>,
    Json(body): Json<StepDecision>,
) -> Answer<Enrollment> {
    let request = pb::DecideStepRequest {
        request_id: key.text(),
        enrollment_id: id.to_string(),
        step_key,
        approved: body.approved,
        reason: body.reason,
    };
    let answer = client(&edge, &session).decide_step(request).await?.into_inner();
    Ok(axum::Json(answer.enrollment.unwrap_or_default().into()))
}

/// A page of enrollments.
#[derive(Serialize, ToSchema)]
struct Enrollments {
    /// The enrollments.
    enrollments: Vec<Enrollment>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists a pupil's enrollments, newest first.
#[utoipa::path(get, path = "/v1/pupils/{pupil_id}/enrollments", tag = "enrollment", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = Enrollments), (status = "default", body = Problem)))]
async fn list_pupil_enrollments(
    State(edge): State<Edge>,
    session: Session,
    At(pupil_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<Enrollments> {
    let request = pb::ListPupilEnrollmentsRequest {
        pupil_id: pupil_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = client(&edge, &session).list_pupil_enrollments(request).await?.into_inner();
    Ok(axum::Json(Enrollments {
        enrollments: answer.enrollments.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// Lists enrollments of a school whose next step is the caller's to decide, oldest first.
#[utoipa::path(get, path = "/v1/schools/{school_id}/reviews", tag = "enrollment", security(("session" = [])),
    params(("school_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = Enrollments), (status = "default", body = Problem)))]
async fn list_reviews(
    State(edge): State<Edge>,
    session: Session,
    At(school_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<Enrollments> {
    let request = pb::ListReviewsRequest {
        school_id: school_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = client(&edge, &session).list_reviews(request).await?.into_inner();
    Ok(axum::Json(Enrollments {
        enrollments: answer.enrollments.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// A pupil of a section.
#[derive(Serialize, ToSchema)]
struct Place {
    /// The pupil's name.
    pupil_name: String,
    /// The class's name.
    class_name: String,
    /// 1 to 9.
    grade: i32,
}

/// Who has a seat in a section.
#[derive(Serialize, ToSchema)]
struct Roster {
    /// The section's title.
    section_title: String,
    /// The pupils, by grade, class and name.
    places: Vec<Place>,
}

/// Lists who has a seat in a section.
#[utoipa::path(get, path = "/v1/sections/{section_id}/roster", tag = "enrollment", security(("session" = [])),
    params(("section_id" = Uuid, Path)),
    responses((status = 200, body = Roster), (status = "default", body = Problem)))]
async fn list_roster(State(edge): State<Edge>, session: Session, At(section_id): At<Uuid>) -> Answer<Roster> {
    let request = pb::ListRosterRequest { section_id: section_id.to_string() };
    let answer = client(&edge, &session).list_roster(request).await?.into_inner();
    let place = |place: pb::list_roster_response::Place| Place {
        pupil_name: place.pupil_name,
        class_name: place.class_name,
        grade: place.grade,
    };
    Ok(axum::Json(Roster {
        section_title: answer.section_title,
        places: answer.places.into_iter().map(place).collect(),
    }))
}
