//! Signs a member of staff in.
//!
//! A try is counted as a failure before it is looked at, and taken back when it was none: however many come at once, no more than the
//! limit are looked at.

use proto::identity::v1::{SignInStaffRequest, SignInStaffResponse};
use shared::caller::Caller;
use shared::random;
use shared::status;
use shared::value::{self, Id, Violations};
use tonic::Status;

use super::{Given, convert, error};
use crate::domain::attempt::{self, SIGN_IN};
use crate::domain::staff;
use crate::secret::{self, Kept};
use crate::store;
use crate::store::session::{Holder, Session};
use crate::store::staff::Credentials;

/// The most characters of a password that are looked at.
pub(super) const PASSWORD_LENGTH: usize = 128;

/// See the contract.
///
/// # Errors
/// See the contract.
pub async fn sign_in_staff(
    given: &Given,
    _caller: &Caller,
    request: &SignInStaffRequest,
) -> Result<SignInStaffResponse, Status> {
    let mut violations = Violations::default();
    violations.check(
        "login_name",
        (1..=64).contains(&request.login_name.trim().chars().count()),
        "must have 1 to 64 characters",
    );
    violations.check(
        "password",
        (1..=PASSWORD_LENGTH).contains(&request.password.chars().count()),
        "must have 1 to 128 characters",
    );
    violations.check("totp_code", is_code(&request.totp_code), "must be six digits");
    if !violations.is_empty() {
        return Err(status::invalid(&violations));
    }
    let login_name = request.login_name.trim().to_lowercase();
    let subject = count_try(given, &login_name).await?;

    let found = store::staff::find_by_login_name(given.db.read(), &given.vault, &login_name).await?;
    let kept = found.as_ref().map(|(_, credentials)| keep(credentials));
    let checked =
        given.hasher.check(request.password.clone(), kept).await.map_err(|refused| error::fault(&refused))?;
    let Some((member, _)) = found.filter(|_| checked.is_right) else {
        return Err(status::unauthenticated("CREDENTIALS_INVALID"));
    };
    let finish = || finish(given, member.id, &request.totp_code, &subject, checked.better_hash.as_deref());
    shared::db::retry(finish).await
}

/// Counts a try as a failure; gives the subject it is counted against.
pub(super) async fn count_try(given: &Given, login_name: &str) -> Result<Vec<u8>, Status> {
    let subject = given.vault.index("attempt.sign_in", login_name);
    let tx = given.db.begin().await?;
    let failures = store::attempt::lock(&tx, &subject, given.clock.now()).await?;
    let now = given.clock.now();
    let failures = attempt::admit(SIGN_IN, failures, now)
        .map_err(|locked| error::locked("SIGN_IN_LOCKED", locked, now))?;
    store::attempt::save(&tx, &subject, &attempt::fail(failures, "", now), now).await?;
    tx.commit().await?;
    Ok(subject)
}

/// What is kept of a member's password.
pub(super) fn keep(credentials: &Credentials) -> Kept {
    Kept { hash: credentials.password_hash.clone(), is_first: credentials.is_first_password }
}

/// Uses the one-time code up and begins a session; the failures are forgotten.
async fn finish(
    given: &Given,
    id: Id<value::Staff>,
    totp_code: &str,
    subject: &[u8],
    better_hash: Option<&str>,
) -> Result<SignInStaffResponse, Status> {
    let invalid = || status::unauthenticated("CREDENTIALS_INVALID");
    let tx = given.db.begin().await?;
    let (member, credentials) = store::staff::lock(&tx, &given.vault, id).await?.ok_or_else(invalid)?;
    let now = given.clock.now();
    let matching = secret::matching_steps(&credentials.totp_secret, totp_code, now);
    let matching = matching.map_err(|refused| error::fault(&refused))?;
    let step = staff::unused_step(&matching, credentials.totp_last_step).ok_or_else(invalid)?;
    store::staff::save_step(&tx, id, step).await?;
    if let Some(better_hash) = better_hash.filter(|_| credentials.is_first_password) {
        store::staff::save_first_hash(&tx, id, better_hash).await?;
    }
    store::attempt::lock(&tx, subject, now).await?;
    store::attempt::save(&tx, subject, &[], now).await?;
    let token = random::token();
    let session = Session {
        id: random::id(now),
        holder: Holder::Staff(id),
        token_digest: secret::digest_token(&token),
        created_at: now,
        expires_at: now + given.sessions.staff(),
    };
    store::session::insert(&tx, &session).await?;
    tx.commit().await?;
    Ok(SignInStaffResponse {
        session_token: token,
        session_expire_time: Some(convert::timestamp(session.expires_at)),
        staff: Some(convert::member(&member)),
    })
}

fn is_code(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit())
}
