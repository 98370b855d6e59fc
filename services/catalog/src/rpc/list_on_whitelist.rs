//! `ListOnWhitelist`.

use std::collections::BTreeSet;

use proto::catalog::v1::{ListOnWhitelistRequest, ListOnWhitelistResponse};
use shared::caller::Caller;
use shared::request::{self, Claimed, RequestKey};
use shared::status::not_found;
use shared::value::{self, Id};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::providers::is_visible;
use super::{Catalog, OFFICES, error};
use crate::domain::provider::{self, Days};
use crate::store;

struct Command {
    request_id: Uuid,
    provider_id: Id<value::Provider>,
    node_id: Uuid,
    days: Days,
}

/// Lists a provider on the whitelist of a town or district.
pub async fn list_on_whitelist(
    catalog: &Catalog,
    caller: &Caller,
    request: ListOnWhitelistRequest,
) -> Result<ListOnWhitelistResponse, Status> {
    let permit = caller.staff(OFFICES)?;
    let command = parse(&request)?;
    let content = ListOnWhitelistRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "ListOnWhitelist", command.request_id, &content);

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
    let present = listings.iter().find(|listing| listing.place == node.place);
    let now = catalog.clock.now();
    let policy = node.ruled_by.current(&catalog.packs.packs()).map_err(|cause| error::silent(&cause))?;
    provider::keeps_list(&policy, node.place)?;
    if let Some(listing) = provider::list(present, node.place, command.days)? {
        store::provider::save_listing(&tx, provider_id, &listing, now).await?;
        listings.retain(|other| other.place != listing.place);
        listings.push(listing);
        listings.sort_by_key(|listing| listing.place);
    }
    let visible = listings.iter().filter(|listing| is_visible(&permit, listing));
    let answer = ListOnWhitelistResponse { provider: Some(convert::provider(&known, visible)) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

fn parse(request: &ListOnWhitelistRequest) -> Result<Command, Status> {
    let mut fields = Fields::default();
    let request_id = fields.uuid("request_id", &request.request_id);
    let provider_id = fields.id("provider_id", &request.provider_id);
    let node_id = fields.uuid("node_id", &request.node_id);
    let first = fields.day("first_day", &request.first_day);
    let last = fields.day("last_day", &request.last_day);
    let days = first.zip(last).map(|(first, last)| Days { first, last });
    fields.0.check(
        "last_day",
        days.is_none_or(|days| days.first <= days.last),
        "must not be before first_day",
    );
    let command = request_id.zip(provider_id).zip(node_id.zip(days));
    fields.finish(command.map(|((request_id, provider_id), (node_id, days))| Command {
        request_id,
        provider_id,
        node_id,
        days,
    }))
}
