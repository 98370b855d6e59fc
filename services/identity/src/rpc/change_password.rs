//! Sets a new password for the calling member of staff.

use proto::identity::v1::{ChangePasswordRequest, ChangePasswordResponse};
use shared::caller::{Caller, Role};
use shared::status;
use shared::value::{self, Id, Violations};
use tonic::Status;

use super::answer::{self, Asked, Outcome};
use super::sign_in_staff::{PASSWORD_LENGTH, count_try, keep};
use super::{Given, error};
use crate::secret;
use crate::store;

/// The fewest characters of a password somebody chooses.
const LEAST: usize = 12;

/// See the contract.
///
/// # Errors
/// See the contract.
pub async fn change_password(
    given: &Given,
    caller: &Caller,
    request: &ChangePasswordRequest,
) -> Result<ChangePasswordResponse, Status> {
    let permit = caller.staff(Role::ALL)?;
    let mut violations = Violations::default();
    let request_id = answer::parse_id(&mut violations, &request.request_id);
    let length = |password: &str| password.chars().count();
    violations.check(
        "old_password",
        (1..=PASSWORD_LENGTH).contains(&length(&request.old_password)),
        "must have 1 to 128 characters",
    );
    violations.check(
        "new_password",
        (LEAST..=PASSWORD_LENGTH).contains(&length(&request.new_password)),
        "must have 12 to 128 characters",
    );
    violations.check(
        "new_password",
        request.new_password != request.old_password,
        "must differ from the old one",
    );
    let Some(request_id) = request_id.filter(|_| violations.is_empty()) else {
        return Err(status::invalid(&violations));
    };
    let content = ChangePasswordRequest { request_id: String::new(), ..request.clone() };
    let asked = Asked::new(&given.vault, caller, "ChangePassword", request_id, &content);

    // A repeat finds the password changed: it must find the first answer before the old one is looked at.
    if let Some(answer) = asked.answered(&given.db, &given.vault, given.clock.now()).await? {
        return Ok(answer);
    }
    let invalid = || status::unauthenticated("CREDENTIALS_INVALID");
    let found = store::staff::find(given.db.read(), &given.vault, permit.id()).await?;
    let (member, credentials) = found.ok_or_else(invalid)?;
    let contains_name = request.new_password.to_lowercase().contains(&member.login_name);
    violations.check("new_password", !contains_name, "must not contain the login name");
    if !violations.is_empty() {
        return Err(status::invalid(&violations));
    }
    let subject = count_try(given, &member.login_name).await?;
    let kept = keep(&credentials);
    let checked = given.hasher.check(request.old_password.clone(), Some(kept)).await;
    if !checked.map_err(|refused| error::fault(&refused))?.is_right {
        return Err(invalid());
    }
    let new_hash =
        given.hasher.hash(request.new_password.clone()).await.map_err(|refused| error::fault(&refused))?;
    let keep_session =
        Some(request.session_token.as_str()).filter(|token| !token.is_empty()).map(secret::digest_token);
    let save = || {
        save(
            given,
            &asked,
            permit.id(),
            &credentials.password_hash,
            &new_hash,
            &subject,
            keep_session.as_deref(),
        )
    };
    shared::db::retry(save).await
}

async fn save(
    given: &Given,
    asked: &Asked,
    id: Id<value::Staff>,
    checked_hash: &str,
    new_hash: &str,
    subject: &[u8],
    keep_session: Option<&[u8]>,
) -> Result<ChangePasswordResponse, Status> {
    let tx = given.db.begin().await?;
    let now = given.clock.now();
    let claim = match asked.claim(&tx, &given.vault, now).await? {
        Outcome::First(claim) => claim,
        Outcome::Again(answer) => return Ok(answer),
    };
    let invalid = || status::unauthenticated("CREDENTIALS_INVALID");
    let (_, credentials) = store::staff::lock(&tx, &given.vault, id).await?.ok_or_else(invalid)?;
    // The password that was found right must still be the one: another change may have come between.
    if credentials.password_hash != checked_hash {
        return Err(invalid());
    }
    store::staff::save_password(&tx, id, new_hash, now).await?;
    store::session::end_others(&tx, id, keep_session).await?;
    store::attempt::lock(&tx, subject, now).await?;
    store::attempt::save(&tx, subject, &[], now).await?;
    let response = ChangePasswordResponse {};
    claim.answer(&tx, &given.vault, &response).await?;
    tx.commit().await?;
    Ok(response)
}
