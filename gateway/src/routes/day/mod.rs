//! The school day, one file a topic.

mod collector;
mod cover;
mod custody;
mod device;
mod dismissal;
mod duty;
mod leave;
mod month;
mod question;
mod roll;

use proto::enrollment::v1::day_service_client::DayServiceClient;
use shared::client::Link;
use utoipa_axum::router::OpenApiRouter;

use crate::Edge;
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .merge(duty::routes())
        .merge(roll::routes())
        .merge(month::routes())
        .merge(leave::routes())
        .merge(custody::routes())
        .merge(collector::routes())
        .merge(dismissal::routes())
        .merge(question::routes())
        .merge(cover::routes())
        .merge(device::routes())
}

type Client = DayServiceClient<Link>;

fn client(edge: &Edge, session: &Session) -> Client {
    Client::new(session.link(&edge.links.enrollment))
}
