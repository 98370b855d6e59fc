//! Terms, slots, courses, sections, menus, providers.

mod course;
mod provider;
mod section;
mod term;

use proto::catalog::v1::catalog_service_client::CatalogServiceClient;
use shared::client::Link;
use utoipa_axum::router::OpenApiRouter;

use super::{ANSWER_BYTES, LONG_DEADLINE};
use crate::Edge;
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .merge(term::routes())
        .merge(course::routes())
        .merge(section::routes())
        .merge(provider::routes())
}

type Client = CatalogServiceClient<Link>;

fn client(edge: &Edge, session: &Session) -> Client {
    Client::new(session.link(&edge.links.catalog)).max_decoding_message_size(ANSWER_BYTES)
}

/// For whole tables.
fn slow_client(edge: &Edge, session: &Session) -> Client {
    let link = session.link(&edge.links.catalog).with_deadline(LONG_DEADLINE);
    Client::new(link).max_decoding_message_size(ANSWER_BYTES)
}
