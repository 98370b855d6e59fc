//! Priority groups: claims, what proves them, decisions, appeals.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use proto::enrollment::v1 as pb;
use proto::enrollment::v1::priority_service_client::PriorityServiceClient;
use serde::{Deserialize, Serialize};
use shared::client::Link;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{ANSWER_BYTES, Answer, IdempotencyHeader, PageAsked, UploadForm, evidence};
use crate::Edge;
use crate::convert::{moment, word};
use crate::problem::{Problem, Refusal};
use crate::read::{Asked, At, IdempotencyKey, Json, Upload};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(upload_priority_evidence))
        .routes(routes!(get_priority_evidence))
        .routes(routes!(claim_priority, list_pupil_priorities))
        .routes(routes!(record_priority))
        .routes(routes!(decide_priority))
        .routes(routes!(appeal_priority))
        .routes(routes!(end_priority))
        .routes(routes!(list_priorities))
}

type Client = PriorityServiceClient<Link>;

fn client(edge: &Edge, session: &Session) -> Client {
    Client::new(session.link(&edge.links.enrollment)).max_decoding_message_size(ANSWER_BYTES)
}

/// A pupil's place in a priority group. It orders scarce seats and waives nothing.
#[derive(Serialize, ToSchema)]
struct Priority {
    /// The priority's id.
    id: String,
    /// The pupil.
    pupil_id: String,
    /// The group in the policy's words, such as `left_behind`; `other` for one the school named.
    group_key: String,
    /// What people call the group, in Chinese.
    group_name_zh: String,
    /// `submitted`, `approved`, `refused`, `appealed`, `refused_on_appeal` or `ended`.
    state: String,
    /// `claim`: a guardian's; `school`: from the school's rolls.
    origin: String,
    /// The documents.
    evidence_ids: Vec<String>,
    /// The first day it holds; empty until approved.
    valid_from: String,
    /// The last day it holds, inclusive; empty until approved.
    valid_to: String,
    /// Why it was refused or ended, or what of the school's rolls it rests on.
    reason: String,
    /// Why the family appealed.
    appeal_reason: String,
    /// Who of the staff decided last; empty for guardians.
    decider_staff_id: String,
    /// When it was claimed or recorded.
    create_time: Option<DateTime<Utc>>,
}

impl From<pb::Priority> for Priority {
    fn from(priority: pb::Priority) -> Self {
        Self {
            state: word(priority.state().as_str_name(), "STATE_"),
            origin: word(priority.origin().as_str_name(), "ORIGIN_"),
            create_time: moment(priority.create_time),
            id: priority.id,
            pupil_id: priority.pupil_id,
            group_key: priority.group_key,
            group_name_zh: priority.group_name_zh,
            evidence_ids: priority.evidence_ids,
            valid_from: priority.valid_from,
            valid_to: priority.valid_to,
            reason: priority.reason,
            appeal_reason: priority.appeal_reason,
            decider_staff_id: priority.decider_staff_id,
        }
    }
}

/// A document kept.
#[derive(Serialize, ToSchema)]
struct PriorityEvidence {
    /// The document's id.
    evidence_id: String,
}

/// Keeps a document that proves a priority: JPEG, PNG or PDF, at most 5 MiB.
#[utoipa::path(post, path = "/v1/pupils/{pupil_id}/priority-evidence", tag = "enrollment",
    security(("session" = [])), params(("pupil_id" = Uuid, Path), IdempotencyHeader),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 200, body = PriorityEvidence), (status = "default", body = Problem)))]
async fn upload_priority_evidence(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(pupil_id): At<Uuid>,
    upload: Upload,
) -> Answer<PriorityEvidence> {
    let request = pb::UploadEvidenceRequest {
        request_id: key.text(),
        pupil_id: pupil_id.to_string(),
        content: upload.content.into(),
    };
    let answer = client(&edge, &session).upload_evidence(request).await?.into_inner();
    Ok(axum::Json(PriorityEvidence { evidence_id: answer.evidence_id }))
}

/// Gives a document back, to be saved and not to be shown in a page.
#[utoipa::path(get, path = "/v1/priority-evidence/{evidence_id}", tag = "enrollment", security(("session" = [])),
    params(("evidence_id" = Uuid, Path)),
    responses((status = 200, content_type = "application/octet-stream"), (status = "default", body = Problem)))]
async fn get_priority_evidence(
    State(edge): State<Edge>,
    session: Session,
    At(id): At<Uuid>,
) -> Result<Response, Refusal> {
    let request = pb::GetEvidenceRequest { evidence_id: id.to_string() };
    let answer = client(&edge, &session).get_evidence(request).await?.into_inner();
    Ok(evidence(answer.content, &answer.content_type))
}

/// A claim.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewClaim {
    /// The group in the policy's words, such as `left_behind`.
    group_key: String,
    /// The documents, 1 to 10.
    evidence_ids: Vec<Uuid>,
}

/// Claims a priority group for a pupil, with documents. A claim made while an earlier one holds renews it.
#[utoipa::path(post, path = "/v1/pupils/{pupil_id}/priorities", tag = "enrollment", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), IdempotencyHeader), request_body = NewClaim,
    responses((status = 200, body = Priority), (status = "default", body = Problem)))]
async fn claim_priority(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(pupil_id): At<Uuid>,
    Json(body): Json<NewClaim>,
) -> Answer<Priority> {
    let request = pb::ClaimPriorityRequest {
        request_id: key.text(),
        pupil_id: pupil_id.to_string(),
        group_key: body.group_key,
        evidence_ids: body.evidence_ids.iter().map(Uuid::to_string).collect(),
    };
    let answer = client(&edge, &session).claim_priority(request).await?.into_inner();
    Ok(axum::Json(answer.priority.unwrap_or_default().into()))
}

/// A group from the school's rolls.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPriorityRecord {
    /// The group in the policy's words, or `other` for one the list does not name.
    group_key: String,
    /// What people call the group, 1 to 40 characters; only for `other`.
    #[serde(default)]
    other_name: String,
    /// What it rests on, 1 to 400 characters.
    reason: String,
    /// The first day it holds.
    valid_from: String,
    /// The last day it holds, inclusive.
    valid_to: String,
}

/// Records a pupil's priority group from the school's own rolls.
#[utoipa::path(post, path = "/v1/pupils/{pupil_id}/priorities/record", tag = "enrollment",
    security(("session" = [])), params(("pupil_id" = Uuid, Path), IdempotencyHeader),
    request_body = NewPriorityRecord,
    responses((status = 200, body = Priority), (status = "default", body = Problem)))]
async fn record_priority(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(pupil_id): At<Uuid>,
    Json(body): Json<NewPriorityRecord>,
) -> Answer<Priority> {
    let request = pb::RecordPriorityRequest {
        request_id: key.text(),
        pupil_id: pupil_id.to_string(),
        group_key: body.group_key,
        other_name: body.other_name,
        reason: body.reason,
        valid_from: body.valid_from,
        valid_to: body.valid_to,
    };
    let answer = client(&edge, &session).record_priority(request).await?.into_inner();
    Ok(axum::Json(answer.priority.unwrap_or_default().into()))
}

/// A decision on a claim or an appeal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PriorityDecision {
    /// Whether it is approved; false refuses.
    approved: bool,
    /// The first day it holds; only when approved.
    #[serde(default)]
    valid_from: String,
    /// The last day it holds, inclusive; only when approved.
    #[serde(default)]
    valid_to: String,
    /// Why it is refused; only then.
    #[serde(default)]
    reason: String,
}

/// Decides a claim, or an appeal by another person than the one who refused.
#[utoipa::path(post, path = "/v1/priorities/{priority_id}/decide", tag = "enrollment", security(("session" = [])),
    params(("priority_id" = Uuid, Path), IdempotencyHeader), request_body = PriorityDecision,
    responses((status = 200, body = Priority), (status = "default", body = Problem)))]
async fn decide_priority(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(priority_id): At<Uuid>,
    Json(body): Json<PriorityDecision>,
) -> Answer<Priority> {
    let request = pb::DecidePriorityRequest {
        request_id: key.text(),
        priority_id: priority_id.to_string(),
        approved: body.approved,
        valid_from: body.valid_from,
        valid_to: body.valid_to,
        reason: body.reason,
    };
    let answer = client(&edge, &session).decide_priority(request).await?.into_inner();
    Ok(axum::Json(answer.priority.unwrap_or_default().into()))
}

/// An appeal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PriorityAppeal {
    /// Why, 1 to 400 characters.
    reason: String,
    /// More documents, at most 10.
    #[serde(default)]
    evidence_ids: Vec<Uuid>,
}

/// Appeals against a refusal, once.
#[utoipa::path(post, path = "/v1/priorities/{priority_id}/appeal", tag = "enrollment", security(("session" = [])),
    params(("priority_id" = Uuid, Path), IdempotencyHeader), request_body = PriorityAppeal,
    responses((status = 200, body = Priority), (status = "default", body = Problem)))]
async fn appeal_priority(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(priority_id): At<Uuid>,
    Json(body): Json<PriorityAppeal>,
) -> Answer<Priority> {
    let request = pb::AppealPriorityRequest {
        request_id: key.text(),
        priority_id: priority_id.to_string(),
        reason: body.reason,
        evidence_ids: body.evidence_ids.iter().map(Uuid::to_string).collect(),
    };
    let answer = client(&edge, &session).appeal_priority(request).await?.into_inner();
    Ok(axum::Json(answer.priority.unwrap_or_default().into()))
}

/// Why a priority ends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PriorityEnd {
    /// Why, 1 to 400 characters.
    reason: String,
}

/// Ends a priority at once.
#[utoipa::path(post, path = "/v1/priorities/{priority_id}/end", tag = "enrollment", security(("session" = [])),
    params(("priority_id" = Uuid, Path), IdempotencyHeader), request_body = PriorityEnd,
    responses((status = 200, body = Priority), (status = "default", body = Problem)))]
async fn end_priority(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(priority_id): At<Uuid>,
    Json(body): Json<PriorityEnd>,
) -> Answer<Priority> {
    let request = pb::EndPriorityRequest {
        request_id: key.text(),
        priority_id: priority_id.to_string(),
        reason: body.reason,
    };
    let answer = client(&edge, &session).end_priority(request).await?.into_inner();
    Ok(axum::Json(answer.priority.unwrap_or_default().into()))
}

/// A page of a pupil's priorities.
#[derive(Serialize, ToSchema)]
struct PupilPriorities {
    /// The priorities, newest first.
    priorities: Vec<Priority>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists a pupil's priorities, for the pupil's own family.
#[utoipa::path(get, path = "/v1/pupils/{pupil_id}/priorities", tag = "enrollment", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = PupilPriorities), (status = "default", body = Problem)))]
async fn list_pupil_priorities(
    State(edge): State<Edge>,
    session: Session,
    At(pupil_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<PupilPriorities> {
    let request = pb::ListPupilPrioritiesRequest {
        pupil_id: pupil_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = client(&edge, &session).list_pupil_priorities(request).await?.into_inner();
    Ok(axum::Json(PupilPriorities {
        priorities: answer.priorities.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// Which priorities are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PrioritiesAsked {
    /// Only those that wait for a decision.
    #[serde(default)]
    pending_only: bool,
    /// At most this many; 50 when absent, never more than 200.
    #[serde(default)]
    page_size: i32,
    /// The previous page's `next_page_token`.
    #[serde(default)]
    page_token: String,
}

/// A priority, and whose it is.
#[derive(Serialize, ToSchema)]
struct PriorityLine {
    /// The priority.
    priority: Priority,
    /// The pupil's name.
    pupil_name: String,
    /// The pupil's class.
    class_name: String,
}

/// A page of a school's priorities.
#[derive(Serialize, ToSchema)]
struct Priorities {
    /// The lines, newest first.
    lines: Vec<PriorityLine>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists a school's priorities, for those who decide them.
#[utoipa::path(get, path = "/v1/schools/{school_id}/priorities", tag = "enrollment", security(("session" = [])),
    params(("school_id" = Uuid, Path), PrioritiesAsked),
    responses((status = 200, body = Priorities), (status = "default", body = Problem)))]
async fn list_priorities(
    State(edge): State<Edge>,
    session: Session,
    At(school_id): At<Uuid>,
    Asked(asked): Asked<PrioritiesAsked>,
) -> Answer<Priorities> {
    let request = pb::ListPrioritiesRequest {
        school_id: school_id.to_string(),
        pending_only: asked.pending_only,
        page_size: asked.page_size,
        page_token: asked.page_token,
    };
    let answer = client(&edge, &session).list_priorities(request).await?.into_inner();
    let line = |line: pb::list_priorities_response::Line| PriorityLine {
        priority: line.priority.unwrap_or_default().into(),
        pupil_name: line.pupil_name,
        class_name: line.class_name,
    };
    Ok(axum::Json(Priorities {
        lines: answer.lines.into_iter().map(line).collect(),
        next_page_token: answer.next_page_token,
    }))
}
