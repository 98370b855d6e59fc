//! Signs the agreement in force for a pupil; what waited for it goes on.

use std::collections::BTreeSet;

use proto::enrollment::v1::{SignAgreementRequest, SignAgreementResponse};
use shared::caller::{Caller, GuardianPermit};
use shared::db::Tx;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Moment, Pupil as PupilKind, Term as TermKind, Violations};
use shared::{db, random, status};
use tonic::Status;
use uuid::Uuid;

use super::{EnrollmentRpc, agreements, convert, error};
use crate::domain::agreement::{self, Agreement, Signature};
use crate::domain::enrollment::{self, Enrollment, State};
use crate::domain::section::Section;
use crate::domain::term::Term;
use crate::{change, store};

/// The shortest words of consent, such as `同意`, and the longest, in characters.
const WORDS_LENGTH: (usize, usize) = (2, 200);

struct Parsed {
    request_id: Uuid,
    pupil_id: Id<PupilKind>,
    term_id: Id<TermKind>,
    digest: String,
    consent_words: String,
}

/// Signs.
pub async fn sign_agreement(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    request: SignAgreementRequest,
) -> Result<SignAgreementResponse, Status> {
    let permit = caller.guardian()?;
    let parsed = parse(&request)?;
    let district_id = permit.pupil(parsed.pupil_id)?.path.district();
    let term = store::term::find(rpc.db.read(), parsed.term_id).await?;
    let term = term
        .filter(|term| district_id == Some(term.district_id))
        .ok_or_else(|| status::not_found("term", parsed.term_id))?;
    let content = SignAgreementRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "SignAgreement", parsed.request_id, &content);
    db::retry(|| sign(rpc, &permit, &key, &parsed, &term)).await
}

fn parse(request: &SignAgreementRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let term_id = violations.field("term_id", request.term_id.parse());
    let digest = violations.text("digest", &request.digest, 64, 64);
    let (shortest, longest) = WORDS_LENGTH;
    let consent_words = violations.text("consent_words", &request.consent_words, shortest, longest);
    match (request_id, pupil_id, term_id, digest, consent_words) {
        (Some(request_id), Some(pupil_id), Some(term_id), Some(digest), Some(consent_words)) => {
            Ok(Parsed { request_id, pupil_id, term_id, digest, consent_words })
        }
        _ => Err(status::invalid(&violations)),
    }
}

async fn sign(
    rpc: &EnrollmentRpc,
    permit: &GuardianPermit,
    key: &RequestKey,
    parsed: &Parsed,
    term: &Term,
) -> Result<SignAgreementResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let (mut sections, waiting) = lock(&tx, term, parsed.pupil_id).await?;
    let now = rpc.clock.now();
    let in_force = store::agreement::in_force(&tx, term.id).await?;
    let in_force =
        agreement::sign(in_force.as_ref(), &parsed.digest).map_err(|error| error::agreement(&error))?;
    let signature = keep(&tx, permit, parsed, in_force, now).await?;
    let changes = waiting.into_iter().map(|enrollment| {
        let change = enrollment::sign(&enrollment, now);
        (enrollment, change)
    });
    let changed = change::make(&tx, &mut sections, changes.collect(), now).await?;
    let title = |enrollment: &Enrollment| {
        let section = sections.iter().find(|section| section.id == enrollment.section_id);
        section.map(|section| section.title.as_str()).unwrap_or_default()
    };
    let enrollments = changed
        .iter()
        .map(|enrollment| convert::enrollment(enrollment, title(enrollment), 0, convert::Reader::Guardian))
        .collect();
    let signature = Some(agreements::signature(&signature, in_force));
    let response = SignAgreementResponse { signature, enrollments };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}

/// Locks the sections in which a seat of the pupil waits for the signature, then the pupil: from then on nobody gives the pupil a
/// seat who does not see it.
async fn lock(
    tx: &Tx,
    term: &Term,
    pupil_id: Id<PupilKind>,
) -> Result<(Vec<Section>, Vec<Enrollment>), Status> {
    let waiting = waiting(tx, term, pupil_id).await?;
    let section_ids: BTreeSet<_> = waiting.iter().map(|enrollment| enrollment.section_id).collect();
    let sections = store::section::lock(tx, section_ids).await?;
    let pupil = store::pupil::lock(tx, &[pupil_id]).await?.pop();
    let pupil = pupil.ok_or_else(|| status::not_found("pupil", pupil_id))?;
    if !pupil.is_of(term.school_id) {
        return Err(status::refused("NOT_OF_THIS_SCHOOL", &[]));
    }
    let waiting = self::waiting(tx, term, pupil_id).await?;
    let is_locked =
        |enrollment: &Enrollment| sections.iter().any(|section| section.id == enrollment.section_id);
    if !waiting.iter().all(is_locked) {
        return Err(status::aborted("ENROLLMENT_CHANGED"));
    }
    Ok((sections, waiting))
}

async fn waiting(tx: &Tx, term: &Term, pupil_id: Id<PupilKind>) -> Result<Vec<Enrollment>, Status> {
    let live = store::enrollment::find_for(tx, &[term.district_id].into(), &[pupil_id], &[]).await?;
    let waits = |enrollment: &Enrollment| {
        enrollment.term_id == term.id && matches!(enrollment.state, State::AwaitingAgreement { .. })
    };
    let mut waiting: Vec<_> = live.into_iter().filter(waits).collect();
    waiting.sort_by_key(|enrollment| enrollment.id);
    Ok(waiting)
}

/// Keeps the signature; gives the first one, where the version had been signed for the pupil before.
async fn keep(
    tx: &Tx,
    permit: &GuardianPermit,
    parsed: &Parsed,
    in_force: &Agreement,
    now: Moment,
) -> Result<Signature, Status> {
    if let Some(signature) = store::agreement::find_signature(tx, in_force.id, parsed.pupil_id).await? {
        return Ok(signature);
    }
    let signature = Signature {
        id: random::id(now),
        district_id: in_force.district_id,
        school_id: in_force.school_id,
        term_id: in_force.term_id,
        agreement_id: in_force.id,
        pupil_id: parsed.pupil_id,
        guardian_id: permit.id(),
        consent_words: parsed.consent_words.clone(),
        created_at: now,
    };
    store::agreement::insert_signature(tx, &signature).await?;
    Ok(signature)
}
