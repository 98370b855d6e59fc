//! Withdraws consent and unbinds the calling guardian from a pupil.

use proto::identity::v1::{WithdrawConsentRequest, WithdrawConsentResponse};
use shared::caller::Caller;
use shared::status;
use shared::value::{self, Id, Violations};
use tonic::Status;

use super::Given;
use super::answer::{self, Asked, Outcome};
use crate::event::{self, Told};
use crate::store;
use crate::store::consent::EndedBy;

/// See the contract. A pupil to whom the guardian was never bound is NOT_FOUND `PUPIL_NOT_FOUND`.
///
/// # Errors
/// See the contract.
pub async fn withdraw_consent(
    given: &Given,
    caller: &Caller,
    request: &WithdrawConsentRequest,
) -> Result<WithdrawConsentResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let request_id = answer::parse_id(&mut violations, &request.request_id);
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse::<Id<value::Pupil>>());
    let (Some(request_id), Some(pupil_id)) = (request_id, pupil_id) else {
        return Err(status::invalid(&violations));
    };
    let content = WithdrawConsentRequest { request_id: String::new(), ..request.clone() };
    let asked = Asked::new(&given.vault, caller, "WithdrawConsent", request_id, &content);

    let tx = given.db.begin().await?;
    let claim = match asked.claim(&tx, &given.vault, given.clock.now()).await? {
        Outcome::First(claim) => claim,
        Outcome::Again(answer) => return Ok(answer),
    };
    store::guardian::lock(&tx, &given.vault, permit.id()).await?;
    let now = given.clock.now();
    // The token is older than a withdrawal may be: the database says who is bound.
    match store::consent::find_live(&tx, permit.id(), pupil_id).await? {
        Some(consent) => {
            store::consent::end(&tx, consent.id, EndedBy::Withdrawal, now).await?;
            let told = Told::consent_withdrawn(consent.district_id, permit.id(), pupil_id);
            event::tell(&tx, &[told], now).await?;
        }
        None if store::consent::was_ever(&tx, permit.id(), pupil_id).await? => {}
        None => return Err(status::not_found("pupil", pupil_id)),
    }
    let response = WithdrawConsentResponse {};
    claim.answer(&tx, &given.vault, &response).await?;
    tx.commit().await?;
    Ok(response)
}
