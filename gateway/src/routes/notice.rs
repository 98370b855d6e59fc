//! Notices to guardians: sending, acknowledging, reach.

use axum::extract::State;
use chrono::{DateTime, Utc};
use proto::enrollment::v1 as pb;
use proto::enrollment::v1::notice_service_client::NoticeServiceClient;
use serde::{Deserialize, Serialize};
use shared::client::Link;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Answer, IdempotencyHeader, PageAsked};
use crate::Edge;
use crate::convert::{moment, word};
use crate::problem::Problem;
use crate::read::{Asked, At, IdempotencyKey, Json};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(send_notice, list_notices))
        .routes(routes!(list_pupil_notices))
        .routes(routes!(acknowledge_notice))
        .routes(routes!(get_notice_reach))
        .routes(routes!(list_notice_unreached))
}

type Client = NoticeServiceClient<Link>;

fn client(edge: &Edge, session: &Session) -> Client {
    Client::new(session.link(&edge.links.enrollment))
}

/// A notice to the guardians of a school's pupils. Never changed once sent.
#[derive(Serialize, ToSchema)]
struct Notice {
    /// The notice's id.
    id: String,
    /// The school.
    school_id: String,
    /// The school's term it was sent in.
    term_id: String,
    /// The title.
    title: String,
    /// The text; line breaks are kept.
    body: String,
    /// For these grades; empty with `class_ids` empty: for the whole school.
    grades: Vec<i32>,
    /// For these classes.
    class_ids: Vec<String>,
    /// What it makes public, by the policy's keys.
    disclosure_keys: Vec<String>,
    /// The notice it puts right; empty otherwise.
    corrects_id: String,
    /// The last notice that puts this one right; empty while there is none.
    corrected_by_id: String,
    /// Who sent it; empty for guardians.
    sender_staff_id: String,
    /// When it was sent.
    send_time: Option<DateTime<Utc>>,
}

impl From<pb::Notice> for Notice {
    fn from(notice: pb::Notice) -> Self {
        Self {
            send_time: moment(notice.send_time),
            id: notice.id,
            school_id: notice.school_id,
            term_id: notice.term_id,
            title: notice.title,
            body: notice.body,
            grades: notice.grades,
            class_ids: notice.class_ids,
            disclosure_keys: notice.disclosure_keys,
            corrects_id: notice.corrects_id,
            corrected_by_id: notice.corrected_by_id,
            sender_staff_id: notice.sender_staff_id,
        }
    }
}

/// A notice to be sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewNotice {
    /// The title, 1 to 60 characters.
    title: String,
    /// The text, 1 to 4,000 characters.
    body: String,
    /// For these grades, 1 to 9; not together with `class_ids`.
    #[serde(default)]
    grades: Vec<i32>,
    /// For these classes; absent with `grades` absent: for the whole school.
    #[serde(default)]
    class_ids: Vec<Uuid>,
    /// What it makes public, by the policy's keys; absent when it is no disclosure.
    #[serde(default)]
    disclosure_keys: Vec<String>,
    /// The notice it puts right.
    #[serde(default)]
    corrects_id: Option<Uuid>,
}

/// A notice sent.
#[derive(Serialize, ToSchema)]
struct NoticeSent {
    /// The notice.
    notice: Notice,
    /// How many pupils it addresses.
    expected_count: i32,
}

/// Sends a notice to the guardians of a school, of grades or of classes.
#[utoipa::path(post, path = "/v1/schools/{school_id}/notices", tag = "enrollment", security(("session" = [])),
    params(("school_id" = Uuid, Path), IdempotencyHeader), request_body = NewNotice,
    responses((status = 200, body = NoticeSent), (status = "default", body = Problem)))]
async fn send_notice(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(school_id): At<Uuid>,
    Json(body): Json<NewNotice>,
) -> Answer<NoticeSent> {
    let request = pb::SendNoticeRequest {
        request_id: key.text(),
        school_id: school_id.to_string(),
        title: body.title,
        body: body.body,
        grades: body.grades,
        class_ids: body.class_ids.iter().map(Uuid::to_string).collect(),
        disclosure_keys: body.disclosure_keys,
        corrects_id: body.corrects_id.map(|id| id.to_string()).unwrap_or_default(),
    };
    let answer = client(&edge, &session).send_notice(request).await?.into_inner();
    Ok(axum::Json(NoticeSent {
        notice: answer.notice.unwrap_or_default().into(),
        expected_count: answer.expected_count,
    }))
}

/// A page of a school's notices.
#[derive(Serialize, ToSchema)]
struct Notices {
    /// The notices, newest first.
    notices: Vec<Notice>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
    /// The clause by which the whole school is still to be told in writing; empty when nothing is owed.
    owed_zh: String,
    /// The same in English.
    owed_en: String,
}

/// Lists a school's notices, and whether one is owed.
#[utoipa::path(get, path = "/v1/schools/{school_id}/notices", tag = "enrollment", security(("session" = [])),
    params(("school_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = Notices), (status = "default", body = Problem)))]
async fn list_notices(
    State(edge): State<Edge>,
    session: Session,
    At(school_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<Notices> {
    let request = pb::ListNoticesRequest {
        school_id: school_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = client(&edge, &session).list_notices(request).await?.into_inner();
    Ok(axum::Json(Notices {
        notices: answer.notices.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
        owed_zh: answer.owed_zh,
        owed_en: answer.owed_en,
    }))
}

/// A notice, and whether it was acknowledged for the pupil.
#[derive(Serialize, ToSchema)]
struct PupilNotice {
    /// The notice.
    notice: Notice,
    /// When it was first acknowledged; absent while nobody has.
    acknowledge_time: Option<DateTime<Utc>>,
}

/// A page of a pupil's notices.
#[derive(Serialize, ToSchema)]
struct PupilNotices {
    /// The lines, newest first.
    lines: Vec<PupilNotice>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists the notices to a pupil's family.
#[utoipa::path(get, path = "/v1/pupils/{pupil_id}/notices", tag = "enrollment", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = PupilNotices), (status = "default", body = Problem)))]
async fn list_pupil_notices(
    State(edge): State<Edge>,
    session: Session,
    At(pupil_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<PupilNotices> {
    let request = pb::ListPupilNoticesRequest {
        pupil_id: pupil_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = client(&edge, &session).list_pupil_notices(request).await?.into_inner();
    let line = |line: pb::list_pupil_notices_response::Line| PupilNotice {
        notice: line.notice.unwrap_or_default().into(),
        acknowledge_time: moment(line.acknowledge_time),
    };
    Ok(axum::Json(PupilNotices {
        lines: answer.lines.into_iter().map(line).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// When a notice was acknowledged.
#[derive(Serialize, ToSchema)]
struct NoticeAcknowledged {
    /// When it was first acknowledged for the pupil.
    acknowledge_time: Option<DateTime<Utc>>,
}

/// Says that a notice was read, once for each pupil.
#[utoipa::path(post, path = "/v1/pupils/{pupil_id}/notices/{notice_id}/acknowledge", tag = "enrollment",
    security(("session" = [])),
    params(("pupil_id" = Uuid, Path), ("notice_id" = Uuid, Path), IdempotencyHeader),
    responses((status = 200, body = NoticeAcknowledged), (status = "default", body = Problem)))]
async fn acknowledge_notice(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At((pupil_id, notice_id)): At<(Uuid, Uuid)>,
) -> Answer<NoticeAcknowledged> {
    let request = pb::AcknowledgeNoticeRequest {
        request_id: key.text(),
        notice_id: notice_id.to_string(),
        pupil_id: pupil_id.to_string(),
    };
    let answer = client(&edge, &session).acknowledge_notice(request).await?.into_inner();
    Ok(axum::Json(NoticeAcknowledged { acknowledge_time: moment(answer.acknowledge_time) }))
}

/// How many of a class a notice has reached.
#[derive(Serialize, ToSchema)]
struct ClassReach {
    /// The class.
    class_id: String,
    /// Pupils addressed who are still of the school.
    expected_count: i32,
    /// Those of them for whom a guardian has acknowledged.
    acknowledged_count: i32,
}

/// How many a notice has reached.
#[derive(Serialize, ToSchema)]
struct NoticeReach {
    /// Pupils addressed who are still of the school.
    expected_count: i32,
    /// Those of them for whom a guardian has acknowledged.
    acknowledged_count: i32,
    /// The classes, by id.
    classes: Vec<ClassReach>,
    /// Whether the policy's target of parents told is reached: `none` (there is no target), `met` or `missed`.
    target: String,
    /// The share the target asks for, in basis points; 0 where there is none.
    target_bp: i32,
}

/// Says how many a notice has reached, class by class.
#[utoipa::path(get, path = "/v1/notices/{notice_id}/reach", tag = "enrollment", security(("session" = [])),
    params(("notice_id" = Uuid, Path)),
    responses((status = 200, body = NoticeReach), (status = "default", body = Problem)))]
async fn get_notice_reach(
    State(edge): State<Edge>,
    session: Session,
    At(notice_id): At<Uuid>,
) -> Answer<NoticeReach> {
    let request = pb::GetReachRequest { notice_id: notice_id.to_string() };
    let answer = client(&edge, &session).get_reach(request).await?.into_inner();
    let target = word(answer.target().as_str_name(), "TARGET_");
    let class = |class: pb::get_reach_response::Class| ClassReach {
        class_id: class.class_id,
        expected_count: class.expected_count,
        acknowledged_count: class.acknowledged_count,
    };
    Ok(axum::Json(NoticeReach {
        expected_count: answer.expected_count,
        acknowledged_count: answer.acknowledged_count,
        classes: answer.classes.into_iter().map(class).collect(),
        target,
        target_bp: answer.target_bp,
    }))
}

/// A pupil whose family has not acknowledged.
#[derive(Serialize, ToSchema)]
struct UnreachedPupil {
    /// The pupil.
    pupil_id: String,
    /// The name.
    name: String,
    /// The class's name.
    class_name: String,
    /// The grade, 1 to 9.
    grade: i32,
}

/// Whom a notice has not reached.
#[derive(Serialize, ToSchema)]
struct NoticeUnreached {
    /// The pupils, by grade, class and name.
    pupils: Vec<UnreachedPupil>,
}

/// Lists the pupils for whom nobody has acknowledged a notice.
#[utoipa::path(get, path = "/v1/notices/{notice_id}/unreached", tag = "enrollment", security(("session" = [])),
    params(("notice_id" = Uuid, Path)),
    responses((status = 200, body = NoticeUnreached), (status = "default", body = Problem)))]
async fn list_notice_unreached(
    State(edge): State<Edge>,
    session: Session,
    At(notice_id): At<Uuid>,
) -> Answer<NoticeUnreached> {
    let request = pb::ListUnreachedRequest { notice_id: notice_id.to_string() };
    let answer = client(&edge, &session).list_unreached(request).await?.into_inner();
    let pupil = |pupil: pb::list_unreached_response::Pupil| UnreachedPupil {
        pupil_id: pupil.pupil_id,
        name: pupil.name,
        class_name: pupil.class_name,
        grade: pupil.grade,
    };
    Ok(axum::Json(NoticeUnreached { pupils: answer.pupils.into_iter().map(pupil).collect() }))
}
