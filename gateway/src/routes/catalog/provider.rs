//! Providers and the whitelist.

use axum::extract::State;
use chrono::NaiveDate;
use proto::catalog::v1 as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::client;
use crate::Edge;
use crate::convert::word;
use crate::problem::Problem;
use crate::read::{Asked, At, IdempotencyKey, Json};
use crate::routes::{Answer, IdempotencyHeader, PageAsked};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(register_provider, list_providers))
        .routes(routes!(list_on_whitelist))
        .routes(routes!(suspend_provider))
}

/// A provider to be registered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProvider {
    /// Its registered name.
    name: String,
    /// Its unified social credit code, 18 characters.
    credit_code: String,
}

/// A third-party institution.
#[derive(Serialize, ToSchema)]
struct Provider {
    /// The provider's id.
    id: String,
    /// Its registered name.
    name: String,
    /// Its unified social credit code.
    credit_code: String,
    /// Where it is listed, as far as the caller reaches.
    listings: Vec<Listing>,
}

/// A provider's entry on one whitelist.
#[derive(Serialize, ToSchema)]
struct Listing {
    /// The ids from the district down to the node whose list it is.
    path: Vec<String>,
    /// The first day it holds.
    first_day: String,
    /// The last day it holds.
    last_day: String,
    /// `listed` or `suspended`.
    state: String,
    /// Why it was suspended.
    suspension_reason: String,
}

impl From<pb::Provider> for Provider {
    fn from(provider: pb::Provider) -> Self {
        let listing = |listing: pb::Listing| Listing {
            state: word(listing.state().as_str_name(), "STATE_"),
            path: listing.path,
            first_day: listing.first_day,
            last_day: listing.last_day,
            suspension_reason: listing.suspension_reason,
        };
        Self {
            id: provider.id,
            name: provider.name,
            credit_code: provider.credit_code,
            listings: provider.listings.into_iter().map(listing).collect(),
        }
    }
}

/// Registers a provider.
#[utoipa::path(post, path = "/v1/providers", tag = "catalog", security(("session" = [])), params(IdempotencyHeader),
    request_body = NewProvider, responses((status = 200, body = Provider), (status = "default", body = Problem)))]
async fn register_provider(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    Json(body): Json<NewProvider>,
) -> Answer<Provider> {
    let request = pb::RegisterProviderRequest {
        request_id: key.text(),
        name: body.name,
        credit_code: body.credit_code,
    };
    let answer = client(&edge, &session).register_provider(request).await?.into_inner();
    Ok(axum::Json(answer.provider.unwrap_or_default().into()))
}

/// A page of providers.
#[derive(Serialize, ToSchema)]
struct Providers {
    /// The providers, by name.
    providers: Vec<Provider>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists providers with the listings the caller reaches.
#[utoipa::path(get, path = "/v1/providers", tag = "catalog", security(("session" = [])), params(PageAsked),
    responses((status = 200, body = Providers), (status = "default", body = Problem)))]
async fn list_providers(
    State(edge): State<Edge>,
    session: Session,
    Asked(page): Asked<PageAsked>,
) -> Answer<Providers> {
    let request = pb::ListProvidersRequest { page_size: page.page_size, page_token: page.page_token };
    let answer = client(&edge, &session).list_providers(request).await?.into_inner();
    Ok(axum::Json(Providers {
        providers: answer.providers.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// An entry on a whitelist to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewListing {
    /// The town or district whose list it is.
    node_id: Uuid,
    /// The first day it holds.
    first_day: NaiveDate,
    /// The last day it holds.
    last_day: NaiveDate,
}

/// Lists a provider on a whitelist.
#[utoipa::path(post, path = "/v1/providers/{provider_id}/listings", tag = "catalog", security(("session" = [])),
    params(("provider_id" = Uuid, Path), IdempotencyHeader), request_body = NewListing,
    responses((status = 200, body = Provider), (status = "default", body = Problem)))]
async fn list_on_whitelist(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(provider_id): At<Uuid>,
    Json(body): Json<NewListing>,
) -> Answer<Provider> {
    let request = pb::ListOnWhitelistRequest {
        request_id: key.text(),
        provider_id: provider_id.to_string(),
        node_id: body.node_id.to_string(),
        first_day: body.first_day.to_string(),
        last_day: body.last_day.to_string(),
    };
    let answer = client(&edge, &session).list_on_whitelist(request).await?.into_inner();
    Ok(axum::Json(answer.provider.unwrap_or_default().into()))
}

/// A suspension.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Suspension {
    /// The town or district whose list it is.
    node_id: Uuid,
    /// Why.
    reason: String,
}

/// Suspends a provider on one whitelist.
#[utoipa::path(post, path = "/v1/providers/{provider_id}/suspend", tag = "catalog", security(("session" = [])),
    params(("provider_id" = Uuid, Path), IdempotencyHeader), request_body = Suspension,
    responses((status = 200, body = Provider), (status = "default", body = Problem)))]
async fn suspend_provider(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(provider_id): At<Uuid>,
    Json(body): Json<Suspension>,
) -> Answer<Provider> {
    let request = pb::SuspendProviderRequest {
        request_id: key.text(),
        provider_id: provider_id.to_string(),
        node_id: body.node_id.to_string(),
        reason: body.reason,
    };
    let answer = client(&edge, &session).suspend_provider(request).await?.into_inner();
    Ok(axum::Json(answer.provider.unwrap_or_default().into()))
}
