//! Ends a session.

use proto::identity::v1::{EndSessionRequest, EndSessionResponse};
use shared::caller::Caller;
use tonic::Status;

use super::Given;
use super::exchange_session::GATEWAY;
use crate::secret;
use crate::store;

/// See the contract. The token says which: whoever has it may end it, as often as they like.
///
/// # Errors
/// See the contract.
pub async fn end_session(
    given: &Given,
    caller: &Caller,
    request: &EndSessionRequest,
) -> Result<EndSessionResponse, Status> {
    caller.service(GATEWAY)?;
    let tx = given.db.begin().await?;
    store::session::end(&tx, &secret::digest_token(&request.session_token)).await?;
    tx.commit().await?;
    Ok(EndSessionResponse {})
}
