//! WeChat's notifications, on their raw bytes.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::StatusCode;
use proto::billing::v1::ReceiveNotificationRequest;
use proto::billing::v1::billing_service_client::BillingServiceClient;
use proto::billing::v1::receive_notification_request::Header;
use serde_json::json;
use shared::status;
use tonic::Code;

use crate::{Edge, door, read};

/// The most bytes of a notification.
const BODY_BYTES: usize = 64 * 1024;

/// Not part of the described API: only WeChat comes here.
pub(super) fn routes() -> Router<Edge> {
    Router::new().route(door::NOTIFY_PATH, post(notify))
}

/// Hands a notification to billing as it came and answers as WeChat expects: 204, or a failure with a JSON word for it.
async fn notify(State(edge): State<Edge>, request: Request) -> Response {
    let signed = request.headers().iter().filter(|(name, _)| name.as_str().starts_with("wechatpay-"));
    let headers = signed
        .filter_map(|(name, value)| {
            Some(Header { name: name.as_str().to_owned(), value: value.to_str().ok()?.to_owned() })
        })
        .collect();
    let body = match read::body(request, BODY_BYTES).await {
        Ok(body) => body,
        Err(_) => return failure(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE"),
    };
    let message = ReceiveNotificationRequest { headers, body: body.into() };
    match BillingServiceClient::new(edge.links.billing.clone()).receive_notification(message).await {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => {
            let reason = status::reason_of(&refusal).unwrap_or_else(|| "INTERNAL".to_owned());
            let code = match status::code_of(&refusal) {
                Code::PermissionDenied | Code::InvalidArgument => StatusCode::UNAUTHORIZED,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            };
            failure(code, &reason)
        }
    }
}

fn failure(code: StatusCode, message: &str) -> Response {
    (code, axum::Json(json!({ "code": "FAIL", "message": message }))).into_response()
}
