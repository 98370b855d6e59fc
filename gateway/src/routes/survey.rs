//! Surveys of what families need: opening, answering, results.

use axum::extract::State;
use chrono::{DateTime, Utc};
use http::StatusCode;
use proto::enrollment::v1 as pb;
use proto::enrollment::v1::survey_service_client::SurveyServiceClient;
use serde::{Deserialize, Serialize};
use shared::client::Link;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Answer, Done, IdempotencyHeader, PageAsked};
use crate::Edge;
use crate::convert::{moment, number, timestamp, word};
use crate::problem::{Problem, Refusal};
use crate::read::{Asked, At, IdempotencyKey, Json};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(open_survey, list_surveys))
        .routes(routes!(close_survey))
        .routes(routes!(list_pupil_surveys))
        .routes(routes!(answer_survey))
        .routes(routes!(get_survey_results))
        .routes(routes!(list_survey_answers))
}

type Client = SurveyServiceClient<Link>;

fn client(edge: &Edge, session: &Session) -> Client {
    Client::new(session.link(&edge.links.enrollment))
}

/// A question of a survey. None must be answered.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SurveyQuestion {
    /// What is asked, 1 to 100 characters.
    title: String,
    /// `single`, `multiple`, `number`, `text` or `wishes` (course titles, the dearest first).
    kind: String,
    /// 2 to 50 options of 1 to 40 characters; for single, multiple and wishes.
    #[serde(default)]
    options: Vec<String>,
    /// The least number; for numbers.
    #[serde(default)]
    least: i32,
    /// The greatest number, at most 1,000,000; for numbers.
    #[serde(default)]
    most: i32,
}

impl From<pb::SurveyQuestion> for SurveyQuestion {
    fn from(question: pb::SurveyQuestion) -> Self {
        Self {
            kind: word(question.kind().as_str_name(), "KIND_"),
            title: question.title,
            options: question.options,
            least: question.least,
            most: question.most,
        }
    }
}

impl SurveyQuestion {
    fn asked(self, at: usize) -> Result<pb::SurveyQuestion, Refusal> {
        let kind = number(&format!("questions[{at}].kind"), &self.kind, "KIND_", |name| {
            pb::survey_question::Kind::from_str_name(name).map(Into::into)
        })?;
        Ok(pb::SurveyQuestion {
            title: self.title,
            kind,
            options: self.options,
            least: self.least,
            most: self.most,
        })
    }
}

/// A survey of what families need.
#[derive(Serialize, ToSchema)]
struct Survey {
    /// The survey's id.
    id: String,
    /// The school, town or district it asks.
    node_id: String,
    /// The school's term it is for; empty for a town's or a district's.
    term_id: String,
    /// The title.
    title: String,
    /// `anonymous`: nobody learns who said what; `named`: the school does.
    naming: String,
    /// The questions, in order.
    questions: Vec<SurveyQuestion>,
    /// `open` or `closed`.
    state: String,
    /// When it takes no more answers.
    close_time: Option<DateTime<Utc>>,
    /// When it was opened.
    create_time: Option<DateTime<Utc>>,
}

impl From<pb::Survey> for Survey {
    fn from(survey: pb::Survey) -> Self {
        Self {
            naming: word(survey.naming().as_str_name(), "NAMING_"),
            state: word(survey.state().as_str_name(), "STATE_"),
            close_time: moment(survey.close_time),
            create_time: moment(survey.create_time),
            id: survey.id,
            node_id: survey.node_id,
            term_id: survey.term_id,
            title: survey.title,
            questions: survey.questions.into_iter().map(Into::into).collect(),
        }
    }
}

/// A survey to be opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSurvey {
    /// The school's term it is for; absent for a town's or a district's.
    #[serde(default)]
    term_id: Option<Uuid>,
    /// The title, 1 to 60 characters.
    title: String,
    /// `anonymous` or `named`.
    naming: String,
    /// The questions, 1 to 40, in order.
    questions: Vec<SurveyQuestion>,
    /// When it takes no more answers.
    close_time: DateTime<Utc>,
}

/// Opens a survey of a school, a town or a district.
#[utoipa::path(post, path = "/v1/nodes/{node_id}/surveys", tag = "enrollment", security(("session" = [])),
    params(("node_id" = Uuid, Path), IdempotencyHeader), request_body = NewSurvey,
    responses((status = 200, body = Survey), (status = "default", body = Problem)))]
async fn open_survey(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(node_id): At<Uuid>,
    Json(body): Json<NewSurvey>,
) -> Answer<Survey> {
    let naming = number("naming", &body.naming, "NAMING_", |name| {
        pb::survey::Naming::from_str_name(name).map(Into::into)
    })?;
    let questions = body.questions.into_iter().enumerate();
    let request = pb::OpenSurveyRequest {
        request_id: key.text(),
        node_id: node_id.to_string(),
        term_id: body.term_id.map(|id| id.to_string()).unwrap_or_default(),
        title: body.title,
        naming,
        questions: questions.map(|(at, question)| question.asked(at)).collect::<Result<_, _>>()?,
        close_time: Some(timestamp(body.close_time)),
    };
    let answer = client(&edge, &session).open_survey(request).await?.into_inner();
    Ok(axum::Json(answer.survey.unwrap_or_default().into()))
}

/// Closes a survey before its time.
#[utoipa::path(post, path = "/v1/surveys/{survey_id}/close", tag = "enrollment", security(("session" = [])),
    params(("survey_id" = Uuid, Path), IdempotencyHeader),
    responses((status = 200, body = Survey), (status = "default", body = Problem)))]
async fn close_survey(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(survey_id): At<Uuid>,
) -> Answer<Survey> {
    let request = pb::CloseSurveyRequest { request_id: key.text(), survey_id: survey_id.to_string() };
    let answer = client(&edge, &session).close_survey(request).await?.into_inner();
    Ok(axum::Json(answer.survey.unwrap_or_default().into()))
}

/// What a family answers to one question.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SurveyAnswer {
    /// Which question, counted from 0.
    question: i32,
    /// Which options, counted from 0; for wishes in order, the dearest first.
    #[serde(default)]
    options: Vec<i32>,
    /// The number; for numbers.
    #[serde(default)]
    number: Option<i32>,
    /// The text, at most 200 characters; for texts.
    #[serde(default)]
    text: String,
}

impl From<pb::SurveyAnswer> for SurveyAnswer {
    fn from(answer: pb::SurveyAnswer) -> Self {
        Self { question: answer.question, options: answer.options, number: answer.number, text: answer.text }
    }
}

/// What a family answers.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SurveyAnswers {
    /// Each question at most once; they replace what was answered before.
    answers: Vec<SurveyAnswer>,
}

/// Answers a survey for a pupil, or replaces the answer.
#[utoipa::path(put, path = "/v1/pupils/{pupil_id}/surveys/{survey_id}", tag = "enrollment",
    security(("session" = [])),
    params(("pupil_id" = Uuid, Path), ("survey_id" = Uuid, Path), IdempotencyHeader),
    request_body = SurveyAnswers, responses((status = 204), (status = "default", body = Problem)))]
async fn answer_survey(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At((pupil_id, survey_id)): At<(Uuid, Uuid)>,
    Json(body): Json<SurveyAnswers>,
) -> Done {
    let answer = |answer: SurveyAnswer| pb::SurveyAnswer {
        question: answer.question,
        options: answer.options,
        number: answer.number,
        text: answer.text,
    };
    let request = pb::AnswerSurveyRequest {
        request_id: key.text(),
        survey_id: survey_id.to_string(),
        pupil_id: pupil_id.to_string(),
        answers: body.answers.into_iter().map(answer).collect(),
    };
    client(&edge, &session).answer_survey(request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A survey, and what was answered for the pupil.
#[derive(Serialize, ToSchema)]
struct PupilSurvey {
    /// The survey.
    survey: Survey,
    /// When it was last answered; absent while it was not.
    answer_time: Option<DateTime<Utc>>,
    /// What was answered.
    answers: Vec<SurveyAnswer>,
}

/// A page of the surveys that ask a pupil's family.
#[derive(Serialize, ToSchema)]
struct PupilSurveys {
    /// The lines, newest first.
    lines: Vec<PupilSurvey>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists the surveys that ask a pupil's family.
#[utoipa::path(get, path = "/v1/pupils/{pupil_id}/surveys", tag = "enrollment", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = PupilSurveys), (status = "default", body = Problem)))]
async fn list_pupil_surveys(
    State(edge): State<Edge>,
    session: Session,
    At(pupil_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<PupilSurveys> {
    let request = pb::ListPupilSurveysRequest {
        pupil_id: pupil_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = client(&edge, &session).list_pupil_surveys(request).await?.into_inner();
    let line = |line: pb::list_pupil_surveys_response::Line| PupilSurvey {
        survey: line.survey.unwrap_or_default().into(),
        answer_time: moment(line.answer_time),
        answers: line.answers.into_iter().map(Into::into).collect(),
    };
    Ok(axum::Json(PupilSurveys {
        lines: answer.lines.into_iter().map(line).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// A page of a node's surveys.
#[derive(Serialize, ToSchema)]
struct Surveys {
    /// The surveys, newest first.
    surveys: Vec<Survey>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
    /// The clause by which a school's families are still to be asked; empty when nothing is owed.
    owed_zh: String,
    /// The same in English.
    owed_en: String,
    /// The first day of the phase that rests on the survey; empty when there is none.
    owed_before_day: String,
}

/// Lists the surveys that ask a school, a town or a district, and whether one is owed.
#[utoipa::path(get, path = "/v1/nodes/{node_id}/surveys", tag = "enrollment", security(("session" = [])),
    params(("node_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = Surveys), (status = "default", body = Problem)))]
async fn list_surveys(
    State(edge): State<Edge>,
    session: Session,
    At(node_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<Surveys> {
    let request = pb::ListSurveysRequest {
        node_id: node_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = client(&edge, &session).list_surveys(request).await?.into_inner();
    Ok(axum::Json(Surveys {
        surveys: answer.surveys.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
        owed_zh: answer.owed_zh,
        owed_en: answer.owed_en,
        owed_before_day: answer.owed_before_day,
    }))
}

/// How often an option was chosen. What is absent is withheld, or was not asked.
#[derive(Serialize, ToSchema)]
struct OptionResult {
    /// How often it was chosen, in any place.
    chosen_count: Option<i32>,
    /// How often it was wished first; for wishes.
    first_count: Option<i32>,
}

/// What all families answered to one question. What is absent is withheld, or was not asked.
#[derive(Serialize, ToSchema)]
struct SurveyResult {
    /// How many answered the question.
    answered_count: Option<i32>,
    /// Each option, in the question's order.
    options: Vec<OptionResult>,
    /// The sum of the numbers.
    sum: Option<i64>,
    /// The least number; for the school alone.
    least: Option<i32>,
    /// The greatest number; for the school alone.
    greatest: Option<i32>,
    /// The texts, sorted; for the school alone.
    texts: Vec<String>,
}

impl From<pb::SurveyResult> for SurveyResult {
    fn from(result: pb::SurveyResult) -> Self {
        let option = |option: pb::survey_result::Option| OptionResult {
            chosen_count: option.chosen_count,
            first_count: option.first_count,
        };
        Self {
            answered_count: result.answered_count,
            options: result.options.into_iter().map(option).collect(),
            sum: result.sum,
            least: result.least,
            greatest: result.greatest,
            texts: result.texts,
        }
    }
}

/// How many answered at one school.
#[derive(Serialize, ToSchema)]
struct SchoolAnswered {
    /// The school.
    school_id: String,
    /// How many families answered; absent when withheld.
    answered_count: Option<i32>,
}

/// What a survey's answers add up to.
#[derive(Serialize, ToSchema)]
struct SurveyResults {
    /// The survey.
    survey: Survey,
    /// Pupils asked, as far as the caller reaches.
    asked_count: i32,
    /// Pupils for whom it was answered; absent when withheld.
    answered_count: Option<i32>,
    /// Each question, in order.
    results: Vec<SurveyResult>,
    /// Each school with an answer; for town and bureau.
    schools: Vec<SchoolAnswered>,
}

/// Adds up what a survey was answered. Above the school no count below 3 is shown.
#[utoipa::path(get, path = "/v1/surveys/{survey_id}/results", tag = "enrollment", security(("session" = [])),
    params(("survey_id" = Uuid, Path)),
    responses((status = 200, body = SurveyResults), (status = "default", body = Problem)))]
async fn get_survey_results(
    State(edge): State<Edge>,
    session: Session,
    At(survey_id): At<Uuid>,
) -> Answer<SurveyResults> {
    let request = pb::GetSurveyResultsRequest { survey_id: survey_id.to_string() };
    let answer = client(&edge, &session).get_survey_results(request).await?.into_inner();
    let school = |school: pb::get_survey_results_response::School| SchoolAnswered {
        school_id: school.school_id,
        answered_count: school.answered_count,
    };
    Ok(axum::Json(SurveyResults {
        survey: answer.survey.unwrap_or_default().into(),
        asked_count: answer.asked_count,
        answered_count: answer.answered_count,
        results: answer.results.into_iter().map(Into::into).collect(),
        schools: answer.schools.into_iter().map(school).collect(),
    }))
}

/// What one family answered.
#[derive(Serialize, ToSchema)]
struct SurveyLine {
    /// The pupil.
    pupil_id: String,
    /// The name.
    pupil_name: String,
    /// The class's name.
    class_name: String,
    /// What was answered.
    answers: Vec<SurveyAnswer>,
}

/// Each family's answers.
#[derive(Serialize, ToSchema)]
struct SurveyLines {
    /// The lines, by class and name.
    lines: Vec<SurveyLine>,
}

/// Lists each answer with the pupil's name, where the survey says so beforehand.
#[utoipa::path(get, path = "/v1/surveys/{survey_id}/answers", tag = "enrollment", security(("session" = [])),
    params(("survey_id" = Uuid, Path)),
    responses((status = 200, body = SurveyLines), (status = "default", body = Problem)))]
async fn list_survey_answers(
    State(edge): State<Edge>,
    session: Session,
    At(survey_id): At<Uuid>,
) -> Answer<SurveyLines> {
    let request = pb::ListSurveyAnswersRequest { survey_id: survey_id.to_string() };
    let answer = client(&edge, &session).list_survey_answers(request).await?.into_inner();
    let line = |line: pb::list_survey_answers_response::Line| SurveyLine {
        pupil_id: line.pupil_id,
        pupil_name: line.pupil_name,
        class_name: line.class_name,
        answers: line.answers.into_iter().map(Into::into).collect(),
    };
    Ok(axum::Json(SurveyLines { lines: answer.lines.into_iter().map(line).collect() }))
}
