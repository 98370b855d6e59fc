//! The routes, one file an area. A handler reads the request, calls one method, renders the answer.

mod agreement;
mod basket;
mod billing;
mod catalog;
mod day;
mod enrollment;
mod fund;
mod identity;
mod ledger;
mod message;
mod notice;
mod price;
mod priority;
mod round;
mod supervision;
mod survey;
mod trial;
mod wechat;
mod wish;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi as Description, RefOr};
use utoipa::{IntoParams, OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};
use uuid::Uuid;

use crate::problem::{MEDIA_TYPE, Refusal};
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
        (name = "day", description = "Registers, leave, hand-over, dismissal"),
        (name = "billing", description = "Fees, payments, refunds, waivers"),
        (name = "supervision", description = "Complaints and suggestions; the rules a school is under"),
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

/// The largest answer of a service that is taken: a table's courses and sections, or a document with its envelope.
const ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// How long a service may take over a whole table.
const LONG_DEADLINE: Duration = Duration::from_secs(30);

/// How long billing may take when it has to ask WeChat; more than the ordinary deadline.
const WECHAT_DEADLINE: Duration = Duration::from_secs(10);

/// Gives a family's document back, to be saved: whatever was uploaded must not run in an officer's browser.
fn evidence(content: impl IntoResponse, content_type: &str) -> Response {
    let mut response = content.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    if let Ok(value) = HeaderValue::try_from(content_type) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    response
}

fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::with_openapi(Frame::openapi())
        .merge(identity::routes())
        .merge(catalog::routes())
        .merge(enrollment::routes())
        .merge(agreement::routes())
        .merge(trial::routes())
        .merge(basket::routes())
        .merge(day::routes())
        .merge(priority::routes())
        .merge(wish::routes())
        .merge(round::routes())
        .merge(notice::routes())
        .merge(survey::routes())
        .merge(message::routes())
        .merge(billing::routes())
        .merge(ledger::routes())
        .merge(price::routes())
        .merge(fund::routes())
        .merge(supervision::routes())
}

/// The whole description.
pub(crate) fn described() -> Description {
    complete(routes().split_for_parts().1)
}

/// Says what holds for all routes: how to be known, and that refusals are problem documents.
fn complete(mut description: Description) -> Description {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The session token that signing in gave."))
        .build();
    let components = description.components.get_or_insert_default();
    components.add_security_scheme("session", SecurityScheme::Http(bearer));
    for item in description.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            for (code, response) in &mut operation.responses.responses {
                let RefOr::T(response) = response else { continue };
                if code == "default" {
                    response.description = "Refused; the document says why.".to_owned();
                    let documents = std::mem::take(&mut response.content);
                    response.content =
                        documents.into_values().map(|document| (MEDIA_TYPE.to_owned(), document)).collect();
                } else if response.description.is_empty() {
                    response.description = match code.as_str() {
                        "204" => "Done.",
                        "304" => "What the caller has is still so.",
                        _ => "Done; this is the outcome.",
                    }
                    .to_owned();
                }
            }
        }
    }
    description
}

/// Every route behind the door.
pub(crate) fn all(edge: Edge) -> Router {
    let (router, description) = routes().split_for_parts();
    let page = SwaggerUi::new(door::PAGE_PATH)
        .url("/openapi.json", complete(description))
        // Without it the page shows the description to a validator on the network.
        .config(Config::new(["/openapi.json"]).validator_url("none"));
    let small = SizeAbove::new(1024).and(NotForContentType::GRPC).and(NotForContentType::IMAGES);
    router
        .merge(page)
        .layer(CompressionLayer::new().gzip(true).compress_when(small))
        .merge(wechat::routes())
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        // Each reader of a body has a limit of its own.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(edge.clone(), door::pass))
        .with_state(edge)
}

async fn nothing_here() -> Response {
    Refusal::new(StatusCode::NOT_FOUND, "NOT_FOUND").into_response()
}

async fn wrong_method() -> Response {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED").into_response()
}
