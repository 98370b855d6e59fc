//! Gives agreements, and who has signed; agreements and signatures as messages.

use std::collections::HashMap;

use proto::enrollment::v1::list_signatures_response::Entry;
use proto::enrollment::v1::{
    self as message, GetAgreementRequest, GetAgreementResponse, ListSignaturesRequest, ListSignaturesResponse,
};
use shared::caller::{Caller, NodePath, Role, StaffPermit};
use shared::status;
use shared::value::{Id, Page, PageToken, Term as TermKind, Violations};
use tonic::Status;
use uuid::Uuid;

use super::{EnrollmentRpc, names, ruling};
use crate::domain::agreement::{Agreement, Signature};
use crate::domain::term::Term;
use crate::event::timestamp;
use crate::store;

/// Who sees who has signed.
const ROLES: &[Role] = &[Role::ClassTeacher, Role::MoralEducation, Role::TeachingOffice, Role::Principal];

/// Says whether the policy of a term has guardians sign an agreement.
pub fn is_asked(rpc: &EnrollmentRpc, term: &Term) -> Result<bool, Status> {
    let policy = ruling::policy_in(&rpc.packs, term)?;
    Ok(policy::enroll::agreement_required(&policy).is_some())
}

/// Gives a version of a term's agreement.
pub async fn get_agreement(
    rpc: &EnrollmentRpc,
    request: &GetAgreementRequest,
) -> Result<GetAgreementResponse, Status> {
    let mut violations = Violations::default();
    let term_id = violations.field("term_id", request.term_id.parse::<Id<TermKind>>());
    violations.check("version_number", request.version_number >= 0, "must be 0 or more");
    let term_id = term_id.filter(|_| violations.is_empty()).ok_or_else(|| status::invalid(&violations))?;
    let term = store::term::find(rpc.db.read(), term_id).await?;
    let term = term.ok_or_else(|| status::not_found("term", term_id))?;
    let agreement = match request.version_number {
        0 => store::agreement::in_force(rpc.db.read(), term.id).await?,
        number => {
            let found = store::agreement::find(rpc.db.read(), term.id, number).await?;
            Some(found.ok_or_else(|| status::not_found("agreement", number))?)
        }
    };
    let agreement = agreement.as_ref().map(message);
    Ok(GetAgreementResponse { required: is_asked(rpc, &term)?, agreement })
}

/// Lists who has signed, and who has not.
pub async fn list_signatures(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    request: &ListSignaturesRequest,
) -> Result<ListSignaturesResponse, Status> {
    let permit = caller.staff(ROLES)?;
    let mut violations = Violations::default();
    let term_id = violations.field("term_id", request.term_id.parse::<Id<TermKind>>());
    let page = violations.field("page_token", Page::<Uuid>::parse(request.page_size, &request.page_token));
    let (Some(term_id), Some(page)) = (term_id, page) else {
        return Err(status::invalid(&violations));
    };
    let term = store::term::find(rpc.db.read(), term_id).await?;
    let term = term.ok_or_else(|| status::not_found("term", term_id))?;
    let classes = classes(&permit, &term).ok_or_else(|| status::not_found("term", term_id))?;
    let asked = store::enrollment::list_asking(
        rpc.db.read(),
        term.district_id,
        term.id,
        classes.as_deref(),
        request.awaiting_only,
        &page,
    )
    .await?;
    let pupil_ids = || asked.iter().map(|asked| asked.pupil_id);
    let signatures =
        store::agreement::last_signatures(rpc.db.read(), term.district_id, term.id, pupil_ids()).await?;
    let versions: HashMap<_, _> = store::agreement::list(rpc.db.read(), term.id)
        .await?
        .into_iter()
        .map(|agreement| (agreement.id, agreement))
        .collect();
    let ids: Vec<_> = pupil_ids().map(|id| id.to_string()).collect();
    let pupils = names::ask(&rpc.identity, &ids).await?;
    let entries = asked
        .iter()
        .map(|asked| {
            let id = asked.pupil_id.to_string();
            let pupil = pupils.iter().find(|pupil| pupil.id == id).cloned().unwrap_or_default();
            let signed = signatures.get(&asked.pupil_id).and_then(|signature| {
                Some(self::signature(signature, versions.get(&signature.agreement_id)?))
            });
            Entry {
                pupil_id: id,
                pupil_name: pupil.name,
                class_name: pupil.class_name,
                grade: pupil.grade,
                awaiting: asked.is_awaiting,
                signature: signed,
            }
        })
        .collect();
    let is_full = u64::try_from(asked.len()).is_ok_and(|count| count == page.size);
    let last = asked.last().filter(|_| is_full);
    let next_page_token =
        last.map(|last| PageToken::of(&last.pupil_id.uuid()).into_text()).unwrap_or_default();
    Ok(ListSignaturesResponse { entries, next_page_token })
}

/// The classes whose pupils the caller sees, none for the whole school. None at all: the caller may not know of the term.
fn classes(permit: &StaffPermit, term: &Term) -> Option<Option<Vec<Uuid>>> {
    let path = NodePath::new(term.path.clone());
    let sees_all =
        permit.grants().iter().any(|grant| grant.role != Role::ClassTeacher && grant.reaches(&path));
    if sees_all {
        return Some(None);
    }
    let classes: Vec<_> = permit
        .grants()
        .iter()
        .filter(|grant| grant.role == Role::ClassTeacher && path.reaches(&grant.path))
        .filter_map(|grant| grant.path.class().map(Id::uuid))
        .collect();
    (!classes.is_empty()).then_some(Some(classes))
}

/// A version as messages carry it.
pub fn message(agreement: &Agreement) -> message::Agreement {
    message::Agreement {
        id: agreement.id.to_string(),
        term_id: agreement.term_id.to_string(),
        version_number: agreement.version_number,
        title: agreement.title.clone(),
        body: agreement.body.clone(),
        digest: agreement.digest.clone(),
        create_time: Some(timestamp(agreement.created_at)),
    }
}

/// A signature as messages carry it. `agreement` is the version signed.
pub fn signature(signature: &Signature, agreement: &Agreement) -> message::Signature {
    message::Signature {
        id: signature.id.to_string(),
        pupil_id: signature.pupil_id.to_string(),
        term_id: signature.term_id.to_string(),
        agreement_id: signature.agreement_id.to_string(),
        version_number: agreement.version_number,
        digest: agreement.digest.clone(),
        guardian_id: signature.guardian_id.to_string(),
        consent_words: signature.consent_words.clone(),
        sign_time: Some(timestamp(signature.created_at)),
    }
}
