//! Single pupils' questions.

use axum::extract::State;
use chrono::{DateTime, Utc};
use proto::enrollment::v1 as pb;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::client;
use crate::Edge;
use crate::convert::moment;
use crate::problem::Problem;
use crate::read::{Asked, At, IdempotencyKey, Json};
use crate::routes::{Answer, IdempotencyHeader, PageAsked};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(open_question, list_pupil_questions))
        .routes(routes!(close_question))
        .routes(routes!(list_questions))
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
