//! The routes, one file an area. A handler reads the request, calls one method, renders the answer.

mod billing;
mod catalog;
mod enrollment;
mod identity;
mod supervision;
mod wechat;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use utoipa::openapi::OpenApi as Description;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{IntoParams, OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;
use uuid::Uuid;

use crate::problem::Refusal;
use crate::{Edge, door};

/// What a handler answers.
pub(crate) type Answer<T> = Result<axum::Json<T>, Refusal>;

/// What a write without a document answers: 204.
pub(crate) type Done = Result<StatusCode, Refusal>;

/// The frame of the description; routes and schemas come from the handlers.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Kehou",
        description = "课后服务平台接口：选课、缴费、减免、投诉。 All money is whole fen. Times are UTC, RFC 3339. Refusals are \
                       problem documents (RFC 9457) with a `reason` for programs and a `title` for people. Writes take \
                       `Idempotency-Key`: sent again with the same content it gives the first answer."
    ),
    tags(
        (name = "session", description = "Signing in and out"),
        (name = "family", description = "Guardians and their pupils"),
        (name = "organisation", description = "Districts, schools, classes, staff"),
        (name = "catalog", description = "Terms, slots, courses, sections, menus, providers"),
        (name = "enrollment", description = "Rounds, choices, approval, rosters"),
        (name = "billing", description = "Fees, payments, refunds, waivers"),
        (name = "supervision", description = "Complaints and suggestions"),
    )
)]
struct Frame;

/// The header a write carries.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by `IdempotencyKey`; this one only describes it")]
pub(crate) struct IdempotencyHeader {
    /// A UUID made before the first try and sent again with every repeat.
    #[param(rename = "Idempotency-Key")]
    idempotency_key: Uuid,
}

/// Which part of a list is wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageAsked {
    /// At most this many; 50 when absent, never more than 200.
    #[serde(default)]
    pub(crate) page_size: i32,
    /// The previous page's `next_page_token`; absent for the first page.
    #[serde(default)]
    pub(crate) page_token: String,
}

/// An uploaded file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "read by `Upload`; this one only describes it")]
pub(crate) struct UploadForm {
    /// The file.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::with_openapi(Frame::openapi())
        .merge(identity::routes())
        .merge(catalog::routes())
        .merge(enrollment::routes())
        .merge(billing::routes())
        .merge(supervision::routes())
}

/// The description with its security scheme.
pub(crate) fn described() -> Description {
    let (_, mut description) = routes().split_for_parts();
    secure(&mut description);
    description
}

fn secure(description: &mut Description) {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The session token that signing in gave."))
        .build();
    let components = description.components.get_or_insert_default();
    components.add_security_scheme("session", SecurityScheme::Http(bearer));
}

/// Every route behind the door, and the description.
pub(crate) fn all(edge: Edge) -> (Router, Description) {
    let (router, mut description) = routes().split_for_parts();
    secure(&mut description);
    let small = SizeAbove::new(1024)
        .and(NotForContentType::GRPC)
        .and(NotForContentType::IMAGES);
    let router = router
        .layer(CompressionLayer::new().gzip(true).compress_when(small))
        .merge(wechat::routes())
        .merge(SwaggerUi::new("/docs").url("/openapi.json", description.clone()))
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(edge.clone(), door::pass))
        .with_state(edge);
    (router, description)
}

async fn nothing_here() -> Response {
    Refusal::new(StatusCode::NOT_FOUND, "NOT_FOUND").into_response()
}

async fn wrong_method() -> Response {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED").into_response()
}
