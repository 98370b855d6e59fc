//! Signing in, families, organisations and staff.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::{DateTime, Utc};
use http::StatusCode;
use proto::identity::v1 as pb;
use proto::identity::v1::identity_service_client::IdentityServiceClient;
use serde::{Deserialize, Serialize};
use shared::client::Link;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{ANSWER_BYTES, Answer, Done, IdempotencyHeader, LONG_DEADLINE, PageAsked, UploadForm};
use crate::Edge;
use crate::convert::{moment, word};
use crate::problem::Problem;
use crate::read::{Asked, At, IdempotencyKey, Json, Upload};
use crate::sentence::{self, Language};
use crate::session::{MaybeSession, Session};

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(sign_in_guardian))
        .routes(routes!(sign_in_staff))
        .routes(routes!(sign_out))
        .routes(routes!(verify_phone))
        .routes(routes!(change_password))
        .routes(routes!(consent_terms))
        .routes(routes!(my_pupils, bind_pupil))
        .routes(routes!(withdraw_consent))
        .routes(routes!(list_nodes))
        .routes(routes!(get_node))
        .routes(routes!(list_pupils))
        .routes(routes!(import_nodes))
        .routes(routes!(import_pupils))
        .routes(routes!(import_staff))
}

type Client = IdentityServiceClient<Link>;

fn client(edge: &Edge, session: &Session) -> Client {
    Client::new(session.link(&edge.links.identity)).max_decoding_message_size(ANSWER_BYTES)
}

/// For whole tables.
fn slow_client(edge: &Edge, session: &Session) -> Client {
    let link = session.link(&edge.links.identity).with_deadline(LONG_DEADLINE);
    Client::new(link).max_decoding_message_size(ANSWER_BYTES)
}

/// A WeChat login code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GuardianSignIn {
    /// What `wx.login` gave.
    wechat_code: String,
}

/// A session of a guardian.
#[derive(Serialize, ToSchema)]
struct GuardianSession {
    /// Send it as `Authorization: Bearer …`.
    session_token: String,
    /// When it ends if it is not used.
    session_expire_time: Option<DateTime<Utc>>,
    /// The guardian.
    guardian_id: String,
    /// Whether a phone number is verified.
    phone_verified: bool,
}

/// Signs a guardian in with a WeChat login code.
#[utoipa::path(post, path = "/v1/sessions/guardian", tag = "session", request_body = GuardianSignIn,
    responses((status = 200, body = GuardianSession), (status = "default", body = Problem)))]
async fn sign_in_guardian(
    State(edge): State<Edge>,
    Json(body): Json<GuardianSignIn>,
) -> Answer<GuardianSession> {
    let request = pb::SignInGuardianRequest { wechat_code: body.wechat_code };
    let answer = Client::new(edge.public.identity.clone()).sign_in_guardian(request).await?.into_inner();
    Ok(axum::Json(GuardianSession {
        session_token: answer.session_token,
        session_expire_time: moment(answer.session_expire_time),
        guardian_id: answer.guardian_id,
        phone_verified: answer.phone_verified,
    }))
}

/// What staff sign in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StaffSignIn {
    /// The account's name.
    login_name: String,
    /// The password.
    password: String,
    /// The six digits of the one-time code.
    totp_code: String,
}

/// A session of a member of staff.
#[derive(Serialize, ToSchema)]
struct StaffSession {
    /// Send it as `Authorization: Bearer …`.
    session_token: String,
    /// When it ends if it is not used.
    session_expire_time: Option<DateTime<Utc>>,
    /// Who signed in.
    staff: Option<StaffMember>,
}

/// A member of staff.
#[derive(Serialize, ToSchema)]
struct StaffMember {
    /// The member's id.
    id: String,
    /// The account's name.
    login_name: String,
    /// The person's name.
    name: String,
    /// What the member may do, and where.
    grants: Vec<Grant>,
}

/// A role at a node.
#[derive(Serialize, ToSchema)]
struct Grant {
    /// The role, such as `class_teacher`.
    role: String,
    /// The ids from the district down to the node.
    path: Vec<String>,
}

/// Signs a member of staff in.
#[utoipa::path(post, path = "/v1/sessions/staff", tag = "session", request_body = StaffSignIn,
    responses((status = 200, body = StaffSession), (status = "default", body = Problem)))]
async fn sign_in_staff(State(edge): State<Edge>, Json(body): Json<StaffSignIn>) -> Answer<StaffSession> {
    let request = pb::SignInStaffRequest {
        login_name: body.login_name,
        password: body.password,
        totp_code: body.totp_code,
    };
    let answer = Client::new(edge.public.identity.clone()).sign_in_staff(request).await?.into_inner();
    let grant = |grant: pb::Grant| Grant { role: grant.role, path: grant.path };
    Ok(axum::Json(StaffSession {
        session_token: answer.session_token,
        session_expire_time: moment(answer.session_expire_time),
        staff: answer.staff.map(|staff| StaffMember {
            id: staff.id,
            login_name: staff.login_name,
            name: staff.name,
            grants: staff.grants.into_iter().map(grant).collect(),
        }),
    }))
}

/// Ends the session this is sent with.
#[utoipa::path(delete, path = "/v1/session", tag = "session", security(("session" = [])),
    responses((status = 204), (status = "default", body = Problem)))]
async fn sign_out(State(edge): State<Edge>, session: Session) -> Done {
    let request = pb::EndSessionRequest { session_token: session.token.to_string() };
    Client::new(edge.links.identity.clone()).end_session(request).await?;
    edge.sessions.forget(&session.token).await;
    Ok(StatusCode::NO_CONTENT)
}

/// A phone code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PhoneCode {
    /// What the phone number button gave.
    phone_code: String,
}

/// A phone number as far as it is shown.
#[derive(Serialize, ToSchema)]
struct MaskedPhone {
    /// Such as `138****8000`.
    masked_phone: String,
}

/// Takes the guardian's phone number from WeChat.
#[utoipa::path(post, path = "/v1/me/phone", tag = "family", security(("session" = [])), params(IdempotencyHeader),
    request_body = PhoneCode, responses((status = 200, body = MaskedPhone), (status = "default", body = Problem)))]
async fn verify_phone(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    Json(body): Json<PhoneCode>,
) -> Answer<MaskedPhone> {
    let request = pb::VerifyPhoneRequest { request_id: key.text(), phone_code: body.phone_code };
    let answer = client(&edge, &session).verify_phone(request).await?.into_inner();
    Ok(axum::Json(MaskedPhone { masked_phone: answer.masked_phone }))
}

/// A change of password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// The password until now.
    old_password: String,
    /// The password from now on, 12 to 128 characters.
    new_password: String,
}

/// Sets a new password and ends the member's other sessions.
#[utoipa::path(post, path = "/v1/me/password", tag = "session", security(("session" = [])), params(IdempotencyHeader),
    request_body = PasswordChange, responses((status = 204), (status = "default", body = Problem)))]
async fn change_password(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    Json(body): Json<PasswordChange>,
) -> Done {
    let request = pb::ChangePasswordRequest {
        request_id: key.text(),
        old_password: body.old_password,
        new_password: body.new_password,
        session_token: session.token.to_string(),
    };
    client(&edge, &session).change_password(request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The terms of consent.
#[derive(Serialize, ToSchema)]
struct ConsentTerms {
    /// The version to name when binding a pupil.
    version: String,
    /// The text.
    text: String,
}

/// Gives the terms a guardian agrees to before binding a pupil.
#[utoipa::path(get, path = "/v1/consent-terms", tag = "family",
    responses((status = 200, body = ConsentTerms), (status = "default", body = Problem)))]
async fn consent_terms(State(edge): State<Edge>) -> Answer<ConsentTerms> {
    let mut client = Client::new(edge.public.identity.clone());
    let answer = client.get_consent_terms(pb::GetConsentTermsRequest {}).await?.into_inner();
    Ok(axum::Json(ConsentTerms { version: answer.version, text: answer.text }))
}

/// A pupil.
#[derive(Serialize, ToSchema)]
struct Pupil {
    /// The pupil's id.
    id: String,
    /// The ids district, town, school, class.
    path: Vec<String>,
    /// The school's name.
    school_name: String,
    /// The class's name.
    class_name: String,
    /// `primary` or `junior`.
    stage: String,
    /// 1 to 9.
    grade: i32,
    /// The name, as far as the caller may see it.
    name: String,
    /// `enrolled` or `left`.
    state: String,
}

impl From<pb::Pupil> for Pupil {
    fn from(pupil: pb::Pupil) -> Self {
        Self {
            stage: word(pupil.stage().as_str_name(), "STAGE_"),
            state: word(pupil.state().as_str_name(), "STATE_"),
            id: pupil.id,
            path: pupil.path,
            school_name: pupil.school_name,
            class_name: pupil.class_name,
            grade: pupil.grade,
            name: pupil.name,
        }
    }
}

/// Pupils.
#[derive(Serialize, ToSchema)]
struct Pupils {
    /// The pupils.
    pupils: Vec<Pupil>,
}

/// Lists the guardian's own pupils.
#[utoipa::path(get, path = "/v1/me/pupils", tag = "family", security(("session" = [])),
    responses((status = 200, body = Pupils), (status = "default", body = Problem)))]
async fn my_pupils(State(edge): State<Edge>, session: Session) -> Answer<Pupils> {
    let answer = client(&edge, &session).list_my_pupils(pb::ListMyPupilsRequest {}).await?.into_inner();
    Ok(axum::Json(Pupils { pupils: answer.pupils.into_iter().map(Into::into).collect() }))
}

/// What binds a guardian to a pupil.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Binding {
    /// The school.
    school_id: Uuid,
    /// The school-issued pupil code.
    pupil_code: String,
    /// The version of the terms the guardian agreed to; absent when no consent was given.
    #[serde(default)]
    consent_version: String,
}

/// Binds the guardian to a pupil, with consent.
#[utoipa::path(post, path = "/v1/me/pupils", tag = "family", security(("session" = [])), params(IdempotencyHeader),
    request_body = Binding, responses((status = 200, body = Pupil), (status = "default", body = Problem)))]
async fn bind_pupil(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    Json(body): Json<Binding>,
) -> Answer<Pupil> {
    let request = pb::BindPupilRequest {
        request_id: key.text(),
        school_id: body.school_id.to_string(),
        pupil_code: body.pupil_code,
        consent_version: body.consent_version,
    };
    let answer = client(&edge, &session).bind_pupil(request).await?.into_inner();
    // The next call must know of the pupil.
    edge.sessions.forget(&session.token).await;
    Ok(axum::Json(answer.pupil.unwrap_or_default().into()))
}

/// Withdraws consent and unbinds the guardian from a pupil.
#[utoipa::path(delete, path = "/v1/me/pupils/{pupil_id}", tag = "family", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), IdempotencyHeader),
    responses((status = 204), (status = "default", body = Problem)))]
async fn withdraw_consent(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(pupil_id): At<Uuid>,
) -> Done {
    let request = pb::WithdrawConsentRequest { request_id: key.text(), pupil_id: pupil_id.to_string() };
    client(&edge, &session).withdraw_consent(request).await?;
    edge.sessions.forget(&session.token).await;
    Ok(StatusCode::NO_CONTENT)
}

/// A district, town, school or class.
#[derive(Serialize, ToSchema)]
struct Node {
    /// The node's id.
    id: String,
    /// `district`, `town`, `school` or `class`.
    kind: String,
    /// The ids from the district down to this node.
    path: Vec<String>,
    /// Its code within the district.
    code: String,
    /// Its name.
    name: String,
    /// `primary` or `junior` for schools, else empty.
    stage: String,
    /// 1 to 9 for classes, else 0.
    grade: i32,
    /// The region policy pack that rules here, as far as it is set here.
    pack_id: String,
    /// The district's supplement to it, as far as it is set here.
    supplement_id: String,
}

impl From<pb::Node> for Node {
    fn from(node: pb::Node) -> Self {
        Self {
            kind: word(node.kind().as_str_name(), "KIND_"),
            stage: word(node.stage().as_str_name(), "STAGE_"),
            id: node.id,
            path: node.path,
            code: node.code,
            name: node.name,
            grade: node.grade,
            pack_id: node.pack_id,
            supplement_id: node.supplement_id,
        }
    }
}

/// Which nodes are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NodesAsked {
    /// The node above; absent for districts.
    parent_id: Option<Uuid>,
    /// At most this many; 50 when absent, never more than 200.
    #[serde(default)]
    page_size: i32,
    /// The previous page's `next_page_token`.
    #[serde(default)]
    page_token: String,
}

/// A page of nodes.
#[derive(Serialize, ToSchema)]
struct Nodes {
    /// The nodes, by code.
    nodes: Vec<Node>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists the nodes right below one; districts when none is named.
#[utoipa::path(get, path = "/v1/nodes", tag = "organisation", security((), ("session" = [])), params(NodesAsked),
    responses((status = 200, body = Nodes), (status = "default", body = Problem)))]
async fn list_nodes(
    State(edge): State<Edge>,
    session: MaybeSession,
    Asked(asked): Asked<NodesAsked>,
) -> Answer<Nodes> {
    let request = pb::ListNodesRequest {
        parent_id: asked.parent_id.map(|id| id.to_string()).unwrap_or_default(),
        page_size: asked.page_size,
        page_token: asked.page_token,
    };
    let link = session.link(&edge, |links| &links.identity);
    let answer = Client::new(link).list_nodes(request).await?.into_inner();
    Ok(axum::Json(Nodes {
        nodes: answer.nodes.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// Gives one node.
#[utoipa::path(get, path = "/v1/nodes/{node_id}", tag = "organisation", security((), ("session" = [])), params(("node_id" = Uuid, Path)),
    responses((status = 200, body = Node), (status = "default", body = Problem)))]
async fn get_node(State(edge): State<Edge>, session: MaybeSession, At(node_id): At<Uuid>) -> Answer<Node> {
    let link = session.link(&edge, |links| &links.identity);
    let answer =
        Client::new(link).get_node(pb::GetNodeRequest { id: node_id.to_string() }).await?.into_inner();
    Ok(axum::Json(answer.node.unwrap_or_default().into()))
}

/// A page of pupils.
#[derive(Serialize, ToSchema)]
struct PupilPage {
    /// The pupils.
    pupils: Vec<Pupil>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists the pupils of a school or class.
#[utoipa::path(get, path = "/v1/nodes/{node_id}/pupils", tag = "organisation", security(("session" = [])),
    params(("node_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = PupilPage), (status = "default", body = Problem)))]
async fn list_pupils(
    State(edge): State<Edge>,
    session: Session,
    At(node_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<PupilPage> {
    let request = pb::ListPupilsRequest {
        node_id: node_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = client(&edge, &session).list_pupils(request).await?.into_inner();
    Ok(axum::Json(PupilPage {
        pupils: answer.pupils.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// A cell that kept a file from being taken.
#[derive(Serialize, ToSchema)]
pub(super) struct RowError {
    /// The row as it stands in the file; the header is 1.
    row: i32,
    /// The column's header; empty when the whole row or file is meant.
    column: String,
    /// What is wrong, such as `PUPIL_CODE_DUPLICATE`.
    reason: String,
    /// A sentence for people, Chinese unless English is asked for.
    title: String,
    /// The offending text; empty for names and phone numbers.
    value: String,
}

/// A table's errors, with their sentences.
pub(super) fn row_errors(errors: Vec<pb::RowError>, language: Language) -> Vec<RowError> {
    let error = |error: pb::RowError| RowError {
        row: error.row,
        column: error.column,
        title: sentence::of(&error.reason, language, &BTreeMap::new()),
        reason: error.reason,
        value: error.value,
    };
    errors.into_iter().map(error).collect()
}

/// What became of a table of nodes.
#[derive(Serialize, ToSchema)]
struct NodesImported {
    /// The nodes of the table, in row order; empty when there are errors.
    nodes: Vec<Node>,
    /// Every cell that was wrong. If any, nothing was taken.
    errors: Vec<RowError>,
}

/// Brings a table of districts, towns, schools and classes (.xlsx or .csv), all rows or none.
#[utoipa::path(post, path = "/v1/nodes/import", tag = "organisation", security(("session" = [])),
    params(IdempotencyHeader), request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 200, body = NodesImported), (status = "default", body = Problem)))]
async fn import_nodes(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    language: Language,
    upload: Upload,
) -> Answer<NodesImported> {
    let request = pb::ImportNodesRequest { request_id: key.text(), file: Some(upload.table()?) };
    let answer = slow_client(&edge, &session).import_nodes(request).await?.into_inner();
    Ok(axum::Json(NodesImported {
        nodes: answer.nodes.into_iter().map(Into::into).collect(),
        errors: row_errors(answer.errors, language),
    }))
}

/// What became of a table of pupils.
#[derive(Serialize, ToSchema)]
struct PupilsImported {
    /// Pupils new to the school.
    enrolled_count: i32,
    /// Pupils whose entry changed.
    changed_count: i32,
    /// Every cell that was wrong. If any, nothing was taken.
    errors: Vec<RowError>,
}

/// Brings a table of a school's pupils (.xlsx or .csv), all rows or none.
#[utoipa::path(post, path = "/v1/schools/{school_id}/pupils/import", tag = "organisation",
    security(("session" = [])), params(("school_id" = Uuid, Path), IdempotencyHeader),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 200, body = PupilsImported), (status = "default", body = Problem)))]
async fn import_pupils(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(school_id): At<Uuid>,
    language: Language,
    upload: Upload,
) -> Answer<PupilsImported> {
    let request = pb::ImportPupilsRequest {
        request_id: key.text(),
        school_id: school_id.to_string(),
        file: Some(upload.table()?),
    };
    let answer = slow_client(&edge, &session).import_pupils(request).await?.into_inner();
    Ok(axum::Json(PupilsImported {
        enrolled_count: answer.enrolled_count,
        changed_count: answer.changed_count,
        errors: row_errors(answer.errors, language),
    }))
}

/// Where a table of staff belongs.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StaffAsked {
    /// The district whose codes the table uses; absent only for a platform operator's table of providers.
    district_id: Option<Uuid>,
}

/// What became of a table of staff.
#[derive(Serialize, ToSchema)]
struct StaffImported {
    /// First credentials of new accounts, shown once.
    credentials: Vec<FirstCredentials>,
    /// Every cell that was wrong. If any, nothing was taken.
    errors: Vec<RowError>,
}

/// What a new member of staff signs in with for the first time.
#[derive(Serialize, ToSchema)]
struct FirstCredentials {
    /// The member's id.
    staff_id: String,
    /// The account's name.
    login_name: String,
    /// The first password.
    password: String,
    /// The secret of the one-time code, base32.
    totp_secret: String,
}

/// Brings a table of staff (.xlsx or .csv), all rows or none.
#[utoipa::path(post, path = "/v1/staff/import", tag = "organisation", security(("session" = [])),
    params(StaffAsked, IdempotencyHeader),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 200, body = StaffImported), (status = "default", body = Problem)))]
async fn import_staff(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    Asked(asked): Asked<StaffAsked>,
    language: Language,
    upload: Upload,
) -> Answer<StaffImported> {
    let request = pb::ImportStaffRequest {
        request_id: key.text(),
        district_id: asked.district_id.map(|id| id.to_string()).unwrap_or_default(),
        file: Some(upload.table()?),
    };
    let answer = slow_client(&edge, &session).import_staff(request).await?.into_inner();
    let first = |one: pb::FirstCredentials| FirstCredentials {
        staff_id: one.staff_id,
        login_name: one.login_name,
        password: one.password,
        totp_secret: one.totp_secret,
    };
    Ok(axum::Json(StaffImported {
        credentials: answer.credentials.into_iter().map(first).collect(),
        errors: row_errors(answer.errors, language),
    }))
}
