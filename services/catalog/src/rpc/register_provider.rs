//! `RegisterProvider`.

use proto::catalog::v1::{RegisterProviderRequest, RegisterProviderResponse};
use shared::caller::Caller;
use shared::random;
use shared::request::{self, Claimed, RequestKey};
use shared::status::refused;
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::{Catalog, OFFICES};
use crate::domain::provider::{CreditCode, Provider};
use crate::store;

struct Command {
    request_id: Uuid,
    name: String,
    credit_code: CreditCode,
}

/// Registers a provider.
pub async fn register_provider(
    catalog: &Catalog,
    caller: &Caller,
    request: RegisterProviderRequest,
) -> Result<RegisterProviderResponse, Status> {
    caller.staff(OFFICES)?;
    let command = parse(&request)?;
    let content = RegisterProviderRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "RegisterProvider", command.request_id, &content);

    let tx = catalog.db.begin().await?;
    let claim = match request::claim(&tx, &key, catalog.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let now = catalog.clock.now();
    let provider = Provider { id: random::id(now), name: command.name, credit_code: command.credit_code };
    if let Some(known) = store::provider::insert(&tx, &provider, now).await? {
        return Err(refused("PROVIDER_EXISTS", &[("provider_id", known.id.to_string())]));
    }
    let answer = RegisterProviderResponse { provider: Some(convert::provider(&provider, [])) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

fn parse(request: &RegisterProviderRequest) -> Result<Command, Status> {
    let mut fields = Fields::default();
    let request_id = fields.uuid("request_id", &request.request_id);
    let name = fields.text("name", &request.name, 2, 64);
    let credit_code = fields.rule("credit_code", CreditCode::parse(&request.credit_code));
    let command = request_id.zip(name).zip(credit_code);
    fields.finish(command.map(|((request_id, name), credit_code)| Command { request_id, name, credit_code }))
}
