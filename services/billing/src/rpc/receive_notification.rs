//! Takes a WeChat notification as it came: verified on its raw bytes, kept, worked off later.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use proto::billing::v1::{ReceiveNotificationRequest, ReceiveNotificationResponse};
use shared::caller::Caller;
use shared::value::Violations;
use shared::{db, random, status, telemetry};
use tonic::Status;
use wechat::pay::{NotificationError, SignatureHeaders, VerifyError};

use crate::notice::{Notice, context};
use crate::store;
use crate::store::notification::{Kind, Notification};
use crate::till::Till;

/// The most bytes of a notification.
const MAX_BYTES: usize = 64 * 1024;

static RECEIVED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    telemetry::meter("kehou.billing")
        .u64_counter("billing.notifications")
        .with_description("Notifications of WeChat by what was done with them")
        .build()
});

fn count(outcome: &'static str) {
    RECEIVED.add(1, &[KeyValue::new("outcome", outcome)]);
}

pub async fn receive_notification(
    till: &Till,
    caller: &Caller,
    request: ReceiveNotificationRequest,
) -> Result<ReceiveNotificationResponse, Status> {
    caller.service(&["gateway"])?;
    let mut violations = Violations::default();
    violations.check("body", request.body.len() <= MAX_BYTES, "must have at most 64 KiB");
    if !violations.is_empty() {
        return Err(status::invalid(&violations));
    }
    let headers = SignatureHeaders::from_headers(&headers(&request)).map_err(|error| refuse(error.into()))?;
    let genuine = till.merchants.notification(&headers, &request.body).map_err(refuse)?;
    let delivery_id = genuine.id;
    let notice = Notice::from(genuine.notified);
    let is_known = notice.kind() == Kind::Other
        || store::payment::by_number(till.db.read(), notice.out_trade_no()).await?.is_some();
    if !is_known {
        count("unknown_order");
        tracing::warn!("WeChat tells of an order that is not known here");
        return Err(status::unavailable("ORDER_UNKNOWN"));
    }
    db::retry(|| keep(till, &notice, &delivery_id, &request.body)).await?;
    count("kept");
    Ok(ReceiveNotificationResponse {})
}

/// The headers as the verifier reads them. One that cannot be a header is left out: then the signature is missing.
fn headers(request: &ReceiveNotificationRequest) -> HeaderMap {
    let header = |header: &proto::billing::v1::receive_notification_request::Header| {
        let name: HeaderName = header.name.parse().ok()?;
        let value: HeaderValue = header.value.parse().ok()?;
        Some((name, value))
    };
    request.headers.iter().filter_map(header).collect()
}

fn refuse(error: NotificationError) -> Status {
    match error {
        NotificationError::Unverified(VerifyError::Probe) => {
            count("probe");
            status::denied("NOTIFICATION_FORGED")
        }
        NotificationError::Unverified(why) => {
            count("forged");
            tracing::warn!(%why, "a notification is not WeChat's: {why}");
            status::denied("NOTIFICATION_FORGED")
        }
        error @ (NotificationError::Undecryptable | NotificationError::Malformed { .. }) => {
            count("unreadable");
            tracing::error!(alarm = true, %error, "a genuine notification cannot be read: {error}");
            // It comes again, and can be read once the key is put right.
            status::unavailable("NOTIFICATION_UNREADABLE")
        }
    }
}

async fn keep(till: &Till, notice: &Notice, delivery_id: &str, body: &[u8]) -> Result<(), Status> {
    let now = till.clock.now();
    let id = random::uuid(now);
    let sealed =
        till.sealer.seal(&context(id), &notice.to_text()?).map_err(|error| status::internal(&error))?;
    let notification = Notification {
        id,
        dedup_key: notice.dedup_key(delivery_id),
        kind: notice.kind(),
        out_trade_no: notice.out_trade_no().to_owned(),
        body: body.to_vec(),
        content_sealed: sealed,
        received_at: now,
    };
    let tx = till.db.begin().await?;
    store::notification::insert(&tx, notification).await?;
    Ok(tx.commit().await?)
}
