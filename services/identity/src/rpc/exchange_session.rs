//! Turns a session token into a short-lived caller token: says who calls, and what they may reach now.

use proto::identity::v1::{ExchangeSessionRequest, ExchangeSessionResponse};
use shared::caller::{Caller, GuardedPupil, Guardian, StaffMember};
use shared::status;
use shared::value::{self, Id};
use tonic::Status;

use super::{Given, convert};
use crate::domain::session;
use crate::secret;
use crate::store;
use crate::store::session::Holder;

/// Who may call.
pub(super) const GATEWAY: &[&str] = &["gateway"];

/// See the contract.
///
/// # Errors
/// See the contract.
pub async fn exchange_session(
    given: &Given,
    caller: &Caller,
    request: &ExchangeSessionRequest,
) -> Result<ExchangeSessionResponse, Status> {
    caller.service(GATEWAY)?;
    let ended = || status::unauthenticated("SESSION_ENDED");
    let digest = secret::digest_token(&request.session_token);
    let found = store::session::find(given.db.read(), &digest).await?.ok_or_else(ended)?;
    let now = given.clock.now();
    if session::has_ended(found.expires_at, now) {
        return Err(ended());
    }
    let (person, lifetime) = match found.holder {
        Holder::Guardian(id) => (guardian(given, id).await?, given.sessions.guardian()),
        Holder::Staff(id) => (staff(given, id).await?, given.sessions.staff()),
    };
    if let Some(expires_at) = session::extend(found.expires_at, lifetime, now) {
        let tx = given.db.begin().await?;
        store::session::extend(&tx, found.id, expires_at).await?;
        tx.commit().await?;
    }
    let lifetime = given.sessions.caller_token();
    let caller_token = given.signer.token(&person, lifetime).map_err(|refused| status::internal(&refused))?;
    Ok(ExchangeSessionResponse { caller_token, expire_time: Some(convert::timestamp(now + lifetime)) })
}

/// A guardian, with the pupils they are bound to now.
async fn guardian(given: &Given, id: Id<value::Guardian>) -> Result<Caller, Status> {
    let ids = store::consent::pupils_of(given.db.read(), id).await?;
    let pupils = store::pupil::with_ids(given.db.read(), &given.vault, &ids).await?;
    let pupils = ids.iter().filter_map(|id| pupils.get(id));
    let pupils =
        pupils.map(|pupil| GuardedPupil { pupil_id: pupil.id, path: convert::node_path(&pupil.path) });
    Ok(Caller::Guardian(Guardian { id, pupils: pupils.collect() }))
}

/// A member of staff, with what they were granted by now.
async fn staff(given: &Given, id: Id<value::Staff>) -> Result<Caller, Status> {
    let grants = store::staff::grants(given.db.read(), id).await?;
    let grants = grants.iter().map(convert::granted).collect::<Result<_, _>>()?;
    Ok(Caller::Staff(StaffMember { id, grants }))
}
