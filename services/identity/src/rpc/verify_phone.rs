//! Takes a guardian's phone number from WeChat.

use proto::identity::v1::{VerifyPhoneRequest, VerifyPhoneResponse};
use shared::caller::Caller;
use shared::status;
use shared::value::Violations;
use tonic::Status;
use wechat::mini;

use super::answer::{self, Asked, Outcome};
use super::{Given, error};
use crate::domain::person::Phone;
use crate::store;

/// The country code of mainland China.
const MAINLAND: &str = "86";

/// See the contract.
///
/// # Errors
/// See the contract.
pub async fn verify_phone(
    given: &Given,
    caller: &Caller,
    request: &VerifyPhoneRequest,
) -> Result<VerifyPhoneResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let request_id = answer::parse_id(&mut violations, &request.request_id);
    let code = violations.text("phone_code", &request.phone_code, 1, 256);
    let (Some(request_id), Some(code)) = (request_id, code) else { return Err(status::invalid(&violations)) };
    let content = VerifyPhoneRequest { request_id: String::new(), ..request.clone() };
    let asked = Asked::new(&given.vault, caller, "VerifyPhone", request_id, &content);

    // WeChat takes the code once: a repeat must find the first answer before it asks.
    if let Some(answer) = asked.answered(&given.db, &given.vault, given.clock.now()).await? {
        return Ok(answer);
    }
    let guardian = store::guardian::find(given.db.read(), &given.vault, permit.id()).await?;
    let guardian = guardian.ok_or_else(|| status::not_found("guardian", permit.id()))?;
    let taken = match given.wechat.phone_number(&code, &guardian.identity.openid).await {
        Ok(taken) => taken,
        Err(refused @ mini::Error::CodeInvalid { .. }) => {
            // Perhaps the same request got there first.
            return asked
                .answered(&given.db, &given.vault, given.clock.now())
                .await?
                .ok_or_else(|| error::wechat(&refused));
        }
        Err(refused) => return Err(error::wechat(&refused)),
    };
    let phone = Some(taken).filter(|taken| taken.country_code.trim_start_matches('+') == MAINLAND);
    let phone = phone.and_then(|taken| Phone::parse(&taken.number).ok());
    let phone = phone.ok_or_else(|| status::refused("PHONE_UNSUPPORTED", &[]))?;

    shared::db::retry(|| save(given, &asked, permit.id(), &phone)).await
}

async fn save(
    given: &Given,
    asked: &Asked,
    guardian_id: shared::value::Id<shared::value::Guardian>,
    phone: &Phone,
) -> Result<VerifyPhoneResponse, Status> {
    let tx = given.db.begin().await?;
    let claim = match asked.claim(&tx, &given.vault, given.clock.now()).await? {
        Outcome::First(claim) => claim,
        Outcome::Again(answer) => return Ok(answer),
    };
    store::guardian::lock(&tx, &given.vault, guardian_id).await?;
    store::guardian::save_phone(&tx, &given.vault, guardian_id, phone, given.clock.now()).await?;
    let response = VerifyPhoneResponse { masked_phone: phone.masked() };
    claim.answer(&tx, &given.vault, &response).await?;
    tx.commit().await?;
    Ok(response)
}
