//! Publishes a version of a term's agreement.

use proto::enrollment::v1::{PublishAgreementRequest, PublishAgreementResponse};
use shared::caller::{Caller, NodePath, Role};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Term as TermKind, Violations};
use shared::{db, random, status};
use tonic::Status;
use uuid::Uuid;

use super::{EnrollmentRpc, agreements, error};
use crate::domain::agreement::{self, Agreement};
use crate::store;

/// Who publishes agreements.
const ROLES: &[Role] = &[Role::TeachingOffice, Role::Principal];

/// The longest title, in characters.
const TITLE_LENGTH: usize = 80;

/// The longest text, in characters.
const BODY_LENGTH: usize = 24_000;

struct Parsed {
    request_id: Uuid,
    term_id: Id<TermKind>,
    title: String,
    body: String,
}

/// Publishes a version.
pub async fn publish_agreement(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    request: PublishAgreementRequest,
) -> Result<PublishAgreementResponse, Status> {
    let permit = caller.staff(ROLES)?;
    let parsed = parse(&request)?;
    let term = store::term::find(rpc.db.read(), parsed.term_id).await?;
    let term = term.ok_or_else(|| status::not_found("term", parsed.term_id))?;
    permit.reach(&NodePath::new(term.path.clone()), "term", term.id)?;
    let is_asked = agreements::is_asked(rpc, &term)?;
    let content = PublishAgreementRequest { request_id: String::new(), ..request };
    let by = caller.key();
    let key = RequestKey::new(&by, "PublishAgreement", parsed.request_id, &content);
    db::retry(|| publish(rpc, &key, &parsed, is_asked, &by)).await
}

fn parse(request: &PublishAgreementRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let term_id = violations.field("term_id", request.term_id.parse());
    let title = violations.text("title", &request.title, 1, TITLE_LENGTH);
    let body = violations.text("body", &request.body, 1, BODY_LENGTH);
    match (request_id, term_id, title, body) {
        (Some(request_id), Some(term_id), Some(title), Some(body)) => {
            Ok(Parsed { request_id, term_id, title, body })
        }
        _ => Err(status::invalid(&violations)),
    }
}

async fn publish(
    rpc: &EnrollmentRpc,
    key: &RequestKey,
    parsed: &Parsed,
    is_asked: bool,
    by: &str,
) -> Result<PublishAgreementResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    // Whoever publishes waits for the others: numbers have no gaps.
    let term = store::term::lock(&tx, parsed.term_id).await?;
    let term = term.ok_or_else(|| status::not_found("term", parsed.term_id))?;
    let last = store::agreement::in_force(&tx, term.id).await?.map(|agreement| agreement.version_number);
    let version_number = agreement::publish(is_asked, last).map_err(|error| error::agreement(&error))?;
    let now = rpc.clock.now();
    let agreement = Agreement {
        id: random::id(now),
        district_id: term.district_id,
        school_id: term.school_id,
        term_id: term.id,
        version_number,
        title: parsed.title.clone(),
        body: parsed.body.clone(),
        digest: store::agreement::digest(&parsed.title, &parsed.body),
        publisher: by.to_owned(),
        created_at: now,
    };
    store::agreement::insert(&tx, &agreement).await?;
    let response = PublishAgreementResponse { agreement: Some(agreements::message(&agreement)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
