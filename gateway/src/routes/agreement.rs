//! Agreements and signatures.

use axum::extract::State;
use chrono::{DateTime, Utc};
use proto::enrollment::v1 as pb;
use proto::enrollment::v1::agreement_service_client::AgreementServiceClient;
use serde::{Deserialize, Serialize};
use shared::client::Link;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::enrollment::Enrollment;
use super::{Answer, IdempotencyHeader};
use crate::Edge;
use crate::convert::moment;
use crate::problem::Problem;
use crate::read::{Asked, At, IdempotencyKey, Json};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(publish_agreement, get_agreement))
        .routes(routes!(sign_agreement))
        .routes(routes!(list_signatures))
}

type Client = AgreementServiceClient<Link>;

fn client(edge: &Edge, session: &Session) -> Client {
    Client::new(session.link(&edge.links.enrollment))
}

/// A version to be published.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAgreement {
    /// The title, 1 to 80 characters.
    title: String,
    /// The text, 1 to 24,000 characters.
    body: String,
}

/// One version of the agreement of a term.
#[derive(Serialize, ToSchema)]
struct Agreement {
    /// The version's id.
    id: String,
    /// The term.
    term_id: String,
    /// 1 for the term's first, then one more each; the last is in force.
    version_number: i32,
    /// The title.
    title: String,
    /// The text.
    body: String,
    /// SHA-256 of the title, a line feed and the text: what is signed is named by it.
    digest: String,
    /// When it was published.
    create_time: Option<DateTime<Utc>>,
}

impl From<pb::Agreement> for Agreement {
    fn from(one: pb::Agreement) -> Self {
        Self {
            id: one.id,
            term_id: one.term_id,
            version_number: one.version_number,
            title: one.title,
            body: one.body,
            digest: one.digest,
            create_time: moment(one.create_time),
        }
    }
}

/// Publishes a version of a term's agreement; it is in force from then on.
#[utoipa::path(post, path = "/v1/terms/{term_id}/agreement", tag = "enrollment", security(("session" = [])),
    params(("term_id" = Uuid, Path), IdempotencyHeader), request_body = NewAgreement,
    responses((status = 200, body = Agreement), (status = "default", body = Problem)))]
async fn publish_agreement(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(term_id): At<Uuid>,
    Json(body): Json<NewAgreement>,
) -> Answer<Agreement> {
    let request = pb::PublishAgreementRequest {
        request_id: key.text(),
        term_id: term_id.to_string(),
        title: body.title,
        body: body.body,
    };
    let answer = client(&edge, &session).publish_agreement(request).await?.into_inner();
    Ok(axum::Json(answer.agreement.unwrap_or_default().into()))
}

/// Which version is wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct VersionAsked {
    /// The number of the version; the one in force when absent.
    #[serde(default)]
    version_number: i32,
}

/// A term's agreement.
#[derive(Serialize, ToSchema)]
struct KnownAgreement {
    /// Whether the region has guardians sign before a seat counts.
    required: bool,
    /// The version; absent while none is published.
    agreement: Option<Agreement>,
}

/// Gives a term's agreement, and says whether one has to be signed.
#[utoipa::path(get, path = "/v1/terms/{term_id}/agreement", tag = "enrollment",
    params(("term_id" = Uuid, Path), VersionAsked),
    responses((status = 200, body = KnownAgreement), (status = "default", body = Problem)))]
async fn get_agreement(
    State(edge): State<Edge>,
    At(term_id): At<Uuid>,
    Asked(asked): Asked<VersionAsked>,
) -> Answer<KnownAgreement> {
    let request =
        pb::GetAgreementRequest { term_id: term_id.to_string(), version_number: asked.version_number };
    let answer = Client::new(edge.public.enrollment.clone()).get_agreement(request).await?.into_inner();
    Ok(axum::Json(KnownAgreement { required: answer.required, agreement: answer.agreement.map(Into::into) }))
}

/// What is signed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSignature {
    /// The term.
    term_id: Uuid,
    /// The digest of the version that was read.
    digest: String,
    /// The words of consent, 2 to 200 characters.
    consent_words: String,
}

/// A guardian's signature for one pupil, under one version.
#[derive(Serialize, ToSchema)]
struct Signature {
    /// The signature's id.
    id: String,
    /// The pupil.
    pupil_id: String,
    /// The term.
    term_id: String,
    /// The version signed.
    agreement_id: String,
    /// The number of the version signed.
    version_number: i32,
    /// What the text signed is known by.
    digest: String,
    /// The guardian who signed.
    guardian_id: String,
    /// The words of consent.
    consent_words: String,
    /// When.
    sign_time: Option<DateTime<Utc>>,
}

impl From<pb::Signature> for Signature {
    fn from(one: pb::Signature) -> Self {
        Self {
            id: one.id,
            pupil_id: one.pupil_id,
            term_id: one.term_id,
            agreement_id: one.agreement_id,
            version_number: one.version_number,
            digest: one.digest,
            guardian_id: one.guardian_id,
            consent_words: one.consent_words,
            sign_time: moment(one.sign_time),
        }
    }
}

/// A signature, and what went on with it.
#[derive(Serialize, ToSchema)]
struct Signed {
    /// The signature: the first one, where the version had been signed before.
    signature: Option<Signature>,
    /// The seats that had waited for it, as they are now.
    enrollments: Vec<Enrollment>,
}

/// Signs the agreement in force for a pupil; seats that waited for it go on.
#[utoipa::path(post, path = "/v1/pupils/{pupil_id}/signatures", tag = "enrollment", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), IdempotencyHeader), request_body = NewSignature,
    responses((status = 200, body = Signed), (status = "default", body = Problem)))]
async fn sign_agreement(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(pupil_id): At<Uuid>,
    Json(body): Json<NewSignature>,
) -> Answer<Signed> {
    let request = pb::SignAgreementRequest {
        request_id: key.text(),
        pupil_id: pupil_id.to_string(),
        term_id: body.term_id.to_string(),
        digest: body.digest,
        consent_words: body.consent_words,
    };
    let answer = client(&edge, &session).sign_agreement(request).await?.into_inner();
    Ok(axum::Json(Signed {
        signature: answer.signature.map(Into::into),
        enrollments: answer.enrollments.into_iter().map(Into::into).collect(),
    }))
}

/// Whose signatures are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SignaturesAsked {
    /// Whether to leave out pupils of whom no seat waits for a signature.
    #[serde(default)]
    awaiting_only: bool,
    /// At most this many; 50 when absent, never more than 200.
    #[serde(default)]
    page_size: i32,
    /// The previous page's `next_page_token`; absent for the first page.
    #[serde(default)]
    page_token: String,
}

/// A pupil who has a place, and what was signed.
#[derive(Serialize, ToSchema)]
struct SignatureEntry {
    /// The pupil.
    pupil_id: String,
    /// The pupil's name.
    pupil_name: String,
    /// The class's name.
    class_name: String,
    /// The grade, 1 to 9.
    grade: i32,
    /// Whether a seat of the pupil waits for a signature.
    awaiting: bool,
    /// The last signature in the term, under whichever version; absent when there is none.
    signature: Option<Signature>,
}

/// Who has signed, and who has not.
#[derive(Serialize, ToSchema)]
struct SignaturePage {
    /// The pupils, by id.
    entries: Vec<SignatureEntry>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists who has signed, and who has not.
#[utoipa::path(get, path = "/v1/terms/{term_id}/signatures", tag = "enrollment", security(("session" = [])),
    params(("term_id" = Uuid, Path), SignaturesAsked),
    responses((status = 200, body = SignaturePage), (status = "default", body = Problem)))]
async fn list_signatures(
    State(edge): State<Edge>,
    session: Session,
    At(term_id): At<Uuid>,
    Asked(asked): Asked<SignaturesAsked>,
) -> Answer<SignaturePage> {
    let request = pb::ListSignaturesRequest {
        term_id: term_id.to_string(),
        awaiting_only: asked.awaiting_only,
        page_size: asked.page_size,
        page_token: asked.page_token,
    };
    let answer = client(&edge, &session).list_signatures(request).await?.into_inner();
    let entry = |one: pb::list_signatures_response::Entry| SignatureEntry {
        pupil_id: one.pupil_id,
        pupil_name: one.pupil_name,
        class_name: one.class_name,
        grade: one.grade,
        awaiting: one.awaiting,
        signature: one.signature.map(Into::into),
    };
    Ok(axum::Json(SignaturePage {
        entries: answer.entries.into_iter().map(entry).collect(),
        next_page_token: answer.next_page_token,
    }))
}
