//! Binds the calling guardian to a pupil, with consent.

use aws_lc_rs::digest::{SHA256, digest};
use proto::identity::v1::{BindPupilRequest, BindPupilResponse};
use shared::caller::Caller;
use shared::db::Tx;
use shared::random;
use shared::status;
use shared::value::{self, Id, Violations};
use tonic::Status;

use super::answer::{self, Asked, Outcome};
use super::convert::Shown;
use super::{Given, convert, error};
use crate::domain::attempt::{self, BINDING};
use crate::domain::consent;
use crate::domain::person::{Phone, PupilCode};
use crate::domain::pupil::Pupil;
use crate::event::{self, Told};
use crate::store;
use crate::store::consent::{Consent, EndedBy};

/// See the contract.
///
/// # Errors
/// See the contract.
pub async fn bind_pupil(
    given: &Given,
    caller: &Caller,
    request: &BindPupilRequest,
) -> Result<BindPupilResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let request_id = answer::parse_id(&mut violations, &request.request_id);
    let school_id = violations.field("school_id", request.school_id.parse::<Id<value::Node>>());
    let code = PupilCode::parse(&shared::table::narrow(request.pupil_code.trim()));
    let code = violations.field("pupil_code", code);
    let (Some(request_id), Some(school_id), Some(code)) = (request_id, school_id, code) else {
        return Err(status::invalid(&violations));
    };
    let content = BindPupilRequest { request_id: String::new(), ..request.clone() };
    let asked = Asked::new(&given.vault, caller, "BindPupil", request_id, &content);

    if let Some(answer) = asked.answered(&given.db, &given.vault, given.clock.now()).await? {
        return Ok(answer);
    }
    let counted =
        count_try(given, permit.id(), &request.consent_version, &format!("{request_id}:{}", asked.content))
            .await?;

    let tx = given.db.begin().await?;
    let claim = match asked.claim(&tx, &given.vault, given.clock.now()).await? {
        Outcome::First(claim) => claim,
        Outcome::Again(answer) => return Ok(answer),
    };
    store::guardian::lock(&tx, &given.vault, permit.id()).await?;
    let found = store::pupil::find_by_code(&tx, &given.vault, school_id, &code).await?;
    let together = consent::belong_together(&counted.phone, found.as_ref());
    // Which of code, school and number is wrong is not told, and nothing that was asked for is repeated.
    let pupil = found.filter(|_| together).ok_or_else(|| status::not_found("pupil", ""))?;
    let failures = store::attempt::lock(&tx, &counted.subject, given.clock.now()).await?;
    let now = given.clock.now();
    store::attempt::save(&tx, &counted.subject, &attempt::take_back(failures, &counted.tag), now).await?;
    bind(&tx, permit.id(), &pupil, now).await?;
    let nodes = store::node::with_ids(&tx, pupil.path.iter().copied()).await?;
    let response = BindPupilResponse { pupil: Some(super::read::render(&pupil, &nodes, Shown::Whole)?) };
    claim.answer(&tx, &given.vault, &response).await?;
    tx.commit().await?;
    Ok(response)
}

/// A try that counts as a failure until it is taken back.
struct Counted {
    phone: Phone,
    subject: Vec<u8>,
    tag: String,
}

/// Counts a try as a failure before anything is looked up: however many come at once, no more than the limit learn anything. A guardian
/// who has no number or gave no consent tries nothing.
async fn count_try(
    given: &Given,
    guardian_id: Id<value::Guardian>,
    consent_version: &str,
    request: &str,
) -> Result<Counted, Status> {
    let subject = given.vault.index("attempt.binding", &guardian_id.to_string());
    let tag = given
        .vault
        .index("attempt.tag", request)
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    let tx = given.db.begin().await?;
    let guardian = store::guardian::lock(&tx, &given.vault, guardian_id).await?;
    let guardian = guardian.ok_or_else(|| status::not_found("guardian", guardian_id))?;
    let phone = consent::check(guardian.phone, consent_version).map_err(error::refusal)?;
    let failures = store::attempt::lock(&tx, &subject, given.clock.now()).await?;
    let now = given.clock.now();
    let failures = attempt::admit(BINDING, failures, now)
        .map_err(|locked| error::locked("BINDING_ATTEMPTS_EXCEEDED", locked, now))?;
    store::attempt::save(&tx, &subject, &attempt::fail(failures, &tag, now), now).await?;
    tx.commit().await?;
    Ok(Counted { phone, subject, tag })
}

/// Keeps the consent, unless the same is there, and tells of a new binding.
async fn bind(
    tx: &Tx,
    guardian_id: Id<value::Guardian>,
    pupil: &Pupil,
    now: value::Moment,
) -> Result<(), Status> {
    let live = store::consent::find_live(tx, guardian_id, pupil.id).await?;
    if live.as_ref().is_some_and(|consent| consent.version == consent::VERSION) {
        return Ok(());
    }
    let district_id = convert::node_path(&pupil.path).district();
    let district_id = district_id
        .ok_or_else(|| shared::db::Error::inconsistent("pupil", pupil.id, "a pupil stands in a district"))?;
    if let Some(older) = &live {
        store::consent::end(tx, older.id, EndedBy::Renewal, now).await?;
    }
    let consent = Consent {
        id: random::uuid(now),
        district_id,
        guardian_id,
        pupil_id: pupil.id,
        version: consent::VERSION.to_owned(),
        text_digest: digest(&SHA256, consent::TEXT.as_bytes()).as_ref().to_vec(),
        given_at: now,
    };
    store::consent::insert(tx, &consent).await?;
    if live.is_none() {
        event::tell(tx, &[Told::guardian_bound(district_id, guardian_id, pupil.id)], now).await?;
    }
    Ok(())
}
