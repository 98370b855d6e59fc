//! `SuspendProvider`.

use std::collections::BTreeSet;

use proto::catalog::v1::{SuspendProviderRequest, SuspendProviderResponse};
use shared::caller::Caller;
use shared::request::{self, Claimed, RequestKey};
use shared::status::not_found;
use shared::value::{self, Id};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::providers::is_visible;
use super::{Catalog, OFFICES, event};
use crate::domain::provider::{self, Suspended};
use crate::store;

struct Command {
    request_id: Uuid,
    provider_id: Id<value::Provider>,
    node_id: Uuid,
    reason: String,
}

/// Suspends a provider on one list.
pub async fn suspend_provider(
    catalog: &Catalog,
    caller: &Caller,
    request: SuspendProviderRequest,
) -> Result<SuspendProviderResponse, Status> {
    let permit = caller.staff(OFFICES)?;
    let command = parse(&request)?;
    let content = SuspendProviderRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "SuspendProvider", command.request_id, &content);

    let tx = catalog.db.begin().await?;
    let claim = match request::claim(&tx, &key, catalog.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let (provider_id, node_id) = (command.provider_id, command.node_id);
    let node = store::node::find_list(&tx, node_id).await?.ok_or_else(|| not_found("node", node_id))?;
    permit.reach(&convert::list_path(node.place), "node", node_id)?;
    let known =
        store::provider::lock(&tx, provider_id).await?.ok_or_else(|| not_found("provider", provider_id))?;
    let mut listings = store::provider::listings(&tx, &BTreeSet::from([provider_id]))
        .await?
        .remove(&provider_id)
        .unwrap_or_default();
    let listing = listings.iter_mut().find(|listing| listing.place == node.place);
    let listing = listing.ok_or_else(|| not_found("listing", node_id))?;
    let now = catalog.clock.now();
    let (next, suspended) = provider::suspend(listing, &command.reason, convert::local_day(now));
    if let Some(Suspended) = suspended {
        store::provider::save_listing(&tx, provider_id, &next, now).await?;
        event::provider_suspended(&tx, provider_id, node.place, now).await?;
    }
    *listing = next;
    let visible = listings.iter().filter(|listing| is_visible(&permit, listing));
    let answer = SuspendProviderResponse { provider: Some(convert::provider(&known, visible)) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

fn parse(request: &SuspendProviderRequest) -> Result<Command, Status> {
    let mut fields = Fields::default();
    let request_id = fields.uuid("request_id", &request.request_id);
    let provider_id = fields.id("provider_id", &request.provider_id);
    let node_id = fields.uuid("node_id", &request.node_id);
    let reason = fields.text("reason", &request.reason, 1, 400);
    let command = request_id.zip(provider_id).zip(node_id.zip(reason));
    fields.finish(command.map(|((request_id, provider_id), (node_id, reason))| Command {
        request_id,
        provider_id,
        node_id,
        reason,
    }))
}
