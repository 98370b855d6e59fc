//! Messages to guardians by WeChat: which templates to ask for, and which were accepted.

use axum::extract::State;
use proto::identity::v1 as pb;
use proto::identity::v1::message_service_client::MessageServiceClient;
use serde::{Deserialize, Serialize};
use shared::client::Link;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, IdempotencyHeader};
use crate::Edge;
use crate::convert::word;
use crate::problem::Problem;
use crate::read::{IdempotencyKey, Json};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(list_message_templates)).routes(routes!(accept_message_templates))
}

type Client = MessageServiceClient<Link>;

fn client(edge: &Edge, session: &Session) -> Client {
    Client::new(session.link(&edge.links.identity))
}

/// A template of WeChat's subscribe messages.
#[derive(Serialize, ToSchema)]
struct MessageTemplate {
    /// What is told with it: `checked_in`, `checked_out` or `overdue`.
    kind: String,
    /// WeChat's id of the template.
    template_id: String,
    /// How many messages of it may still be sent, as far as is known here, 0 to 20.
    accepted_count: i32,
}

impl From<pb::Template> for MessageTemplate {
    fn from(template: pb::Template) -> Self {
        Self {
            kind: word(template.kind().as_str_name(), "KIND_"),
            template_id: template.template_id,
            accepted_count: template.accepted_count,
        }
    }
}

/// The templates that are configured; none where nothing is sent.
#[derive(Serialize, ToSchema)]
struct MessageTemplates {
    /// The templates, by kind.
    templates: Vec<MessageTemplate>,
}

/// Lists the templates a guardian may be asked to accept.
#[utoipa::path(get, path = "/v1/me/message-templates", tag = "family", security(("session" = [])),
    responses((status = 200, body = MessageTemplates), (status = "default", body = Problem)))]
async fn list_message_templates(State(edge): State<Edge>, session: Session) -> Answer<MessageTemplates> {
    let answer = client(&edge, &session).list_templates(pb::ListTemplatesRequest {}).await?.into_inner();
    Ok(axum::Json(MessageTemplates { templates: answer.templates.into_iter().map(Into::into).collect() }))
}

/// What a guardian has just accepted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcceptedTemplates {
    /// WeChat's ids of the templates accepted, 1 to 5.
    template_ids: Vec<String>,
}

/// Says which templates a guardian has just accepted: each lets one message be sent.
#[utoipa::path(post, path = "/v1/me/message-templates/accept", tag = "family", security(("session" = [])),
    params(IdempotencyHeader), request_body = AcceptedTemplates,
    responses((status = 200, body = MessageTemplates), (status = "default", body = Problem)))]
async fn accept_message_templates(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    Json(body): Json<AcceptedTemplates>,
) -> Answer<MessageTemplates> {
    let request = pb::AcceptTemplatesRequest { request_id: key.text(), template_ids: body.template_ids };
    let answer = client(&edge, &session).accept_templates(request).await?.into_inner();
    Ok(axum::Json(MessageTemplates { templates: answer.templates.into_iter().map(Into::into).collect() }))
}
