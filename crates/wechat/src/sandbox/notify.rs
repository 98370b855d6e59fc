//! Notifications: encrypted for the merchant, signed anew for each attempt, repeated until accepted or given up.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::books::{Delivery, DeliveryState, Order, Refund, RefundState};
use super::fault::{Kind, Target};
use super::pay_api::transaction;
use super::store::Row;
use super::{Sandbox, bill, lock, random};
use crate::crypto::{CryptoError, MerchantKey, PROBE_PREFIX, SCHEME, nonce};

/// Seconds WeChat waits before each repeat. After the last it gives up.
///
/// Source: WeChat Pay APIv3, payment notification page.
const WAITS_SECONDS: [u64; 15] =
    [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600];

/// Longest a notification waits for another one under the reorder fault.
const REORDER_WAIT: Duration = Duration::from_secs(5);

/// How a refund ends.
#[derive(Clone, Copy)]
pub(super) enum Ending {
    Success,
    Closed,
    Abnormal,
}

/// How one attempt is signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Signing {
    /// As WeChat does.
    Genuine,
    /// With WeChat's other key.
    OtherKey,
    /// With a key that is not WeChat's, under WeChat's serial.
    Stranger,
    /// With a probe.
    Probe,
    /// Genuine, but under a serial nobody knows.
    UnknownSerial,
    /// Genuine ten minutes ago.
    Stale,
    /// Genuine, but the body was changed afterwards.
    Tampered,
}

/// The headers with which WeChat vouches for `body`; `serial` is what they name.
pub(super) fn signature_headers(
    key: &MerchantKey,
    serial: &str,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<HeaderMap, CryptoError> {
    let (timestamp, nonce) = (now.timestamp().to_string(), nonce()?);
    let mut message = format!("{timestamp}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    let signature = key.sign(&message)?;
    headers([timestamp.as_str(), nonce.as_str(), signature.as_str(), serial, SCHEME])
}

fn headers(values: [&str; 5]) -> Result<HeaderMap, CryptoError> {
    const NAMES: [&str; 5] = [
        "wechatpay-timestamp",
        "wechatpay-nonce",
        "wechatpay-signature",
        "wechatpay-serial",
        "wechatpay-signature-type",
    ];
    let pair = |(name, value)| {
        HeaderValue::from_str(value)
            .map(|value| (HeaderName::from_static(name), value))
            .map_err(|_| CryptoError)
    };
    NAMES.into_iter().zip(values).map(pair).collect()
}

/// Makes the notification of a payment.
pub(super) fn payment(sandbox: &Sandbox, order: &Order) -> Result<Delivery, CryptoError> {
    let now = sandbox.now();
    Ok(Delivery {
        id: delivery_id()?,
        mchid: order.mchid.clone(),
        url: order.notify_url.clone(),
        event_type: "TRANSACTION.SUCCESS".to_owned(),
        original_type: "transaction".to_owned(),
        summary: "支付成功".to_owned(),
        plain: transaction(order, false, now),
        created_at: now,
        attempts: Vec::new(),
        state: DeliveryState::Pending,
    })
}

/// Makes the notification of a refund's end; nothing when it is not over or nobody wants to know.
fn refund(sandbox: &Sandbox, refund: &Refund) -> Result<Option<Delivery>, CryptoError> {
    let (event_type, summary) = match refund.state {
        RefundState::Processing => return Ok(None),
        RefundState::Success { .. } => ("REFUND.SUCCESS", "退款成功"),
        RefundState::Closed => ("REFUND.CLOSED", "退款关闭"),
        RefundState::Abnormal => ("REFUND.ABNORMAL", "退款异常"),
    };
    let Some(url) = refund.notify_url.clone() else {
        return Ok(None);
    };
    let mut plain = match &refund.sub_mchid {
        None => json!({ "mchid": refund.mchid }),
        Some(sub_mchid) => json!({ "sp_mchid": refund.mchid, "sub_mchid": sub_mchid }),
    };
    let rest = json!({
        "out_trade_no": refund.out_trade_no,
        "transaction_id": refund.transaction_id,
        "out_refund_no": refund.out_refund_no,
        "refund_id": refund.refund_id,
        "refund_status": refund.state.word(),
        "user_received_account": "支付用户零钱",
        "amount": {
            "total": refund.total_fen,
            "refund": refund.refund_fen,
            "payer_total": refund.total_fen,
            "payer_refund": refund.refund_fen,
        },
    });
    if let (Value::Object(plain), Value::Object(rest)) = (&mut plain, rest) {
        plain.extend(rest);
    }
    if let RefundState::Success { at } = refund.state {
        plain["success_time"] = json!(bill::rfc3339(at));
    }
    Ok(Some(Delivery {
        id: delivery_id()?,
        mchid: refund.mchid.clone(),
        url,
        event_type: event_type.to_owned(),
        original_type: "refund".to_owned(),
        summary: summary.to_owned(),
        plain,
        created_at: sandbox.now(),
        attempts: Vec::new(),
        state: DeliveryState::Pending,
    }))
}

/// Text in the shape of a UUID, 36 characters.
fn delivery_id() -> Result<String, CryptoError> {
    let hex = random::lower_hex(32)?;
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or_default());
    Ok(parts.join("-"))
}

/// Ends the refund after the configured time, and tells the merchant.
pub(super) fn finish_refund_later(sandbox: &Arc<Sandbox>, key: (String, String), ending: Ending) {
    let sandbox = Arc::clone(sandbox);
    let tasks = sandbox.tasks.clone();
    tasks.spawn(async move {
        let wait = Duration::from_millis(sandbox.config.refund_delay_ms);
        if sandbox.cancel.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            return;
        }
        if let Err(error) = finish_refund(&sandbox, &key, ending) {
            tracing::error!(%error, "a sandbox refund could not be finished");
        }
    });
}

fn finish_refund(sandbox: &Arc<Sandbox>, key: &(String, String), ending: Ending) -> std::io::Result<()> {
    let state = match ending {
        Ending::Success => RefundState::Success { at: sandbox.now() },
        Ending::Closed => RefundState::Closed,
        Ending::Abnormal => RefundState::Abnormal,
    };
    let delivery = {
        let mut store = lock(&sandbox.store);
        let held = store.refunds.get(key).filter(|refund| refund.state == RefundState::Processing);
        let Some(held) = held else { return Ok(()) };
        let ended = Refund { state, ..held.clone() };
        let delivery = refund(sandbox, &ended).map_err(std::io::Error::other)?;
        // The notification is written first: a kill in between repeats the end, which is harmless, and loses nothing.
        if let Some(delivery) = &delivery {
            store.put(Row::Delivery(delivery.clone()))?;
        }
        store.put(Row::Refund(ended))?;
        delivery
    };
    if let Some(delivery) = delivery {
        deliver_later(sandbox, delivery.id);
    }
    Ok(())
}

/// Delivers the notification `id` in the background.
pub(super) fn deliver_later(sandbox: &Arc<Sandbox>, id: String) {
    let sandbox = Arc::clone(sandbox);
    let tasks = sandbox.tasks.clone();
    tasks.spawn(async move {
        let cancel = sandbox.cancel.clone();
        cancel.run_until_cancelled(deliver(sandbox, id)).await;
    });
}

async fn deliver(sandbox: Arc<Sandbox>, id: String) {
    loop {
        let Some(delivery) = lock(&sandbox.store).deliveries.get(&id).cloned() else {
            return;
        };
        if delivery.state != DeliveryState::Pending {
            return;
        }
        let status = attempt_with_faults(&sandbox, &delivery).await;
        let is_accepted = matches!(status, 200 | 204);
        let wait_seconds = WAITS_SECONDS.get(delivery.attempts.len()).copied();
        let state = match (is_accepted, wait_seconds) {
            (true, _) => DeliveryState::Delivered,
            (false, Some(_)) => DeliveryState::Pending,
            (false, None) => DeliveryState::GivenUp,
        };
        let mut attempts = delivery.attempts.clone();
        attempts.push(status);
        if let Err(error) = lock(&sandbox.store).put(Row::Delivery(Delivery { attempts, state, ..delivery }))
        {
            tracing::error!(%error, "the sandbox journal cannot be written");
        }
        if is_accepted {
            sandbox.delivered.send_modify(|count| *count += 1);
        }
        let (DeliveryState::Pending, Some(wait_seconds)) = (state, wait_seconds) else {
            return;
        };
        let divisor = u64::from(sandbox.config.notify_wait_divisor.max(1));
        tokio::time::sleep(Duration::from_millis(wait_seconds * 1000 / divisor)).await;
    }
}

/// One attempt, with whatever the fault plan has in store for it. Gives the HTTP status, 0 when none came back.
async fn attempt_with_faults(sandbox: &Sandbox, delivery: &Delivery) -> u16 {
    let strike = |fits: fn(&Kind) -> bool| sandbox.strike(Target::Notify, fits);
    if let Some(Kind::Delay { delay_ms }) = strike(|kind| matches!(kind, Kind::Delay { .. })) {
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
    if strike(|kind| *kind == Kind::Lose).is_some() {
        return 0;
    }
    if strike(|kind| *kind == Kind::Reorder).is_some() {
        let mut delivered = sandbox.delivered.subscribe();
        // Past the longest wait it goes out anyway.
        let _ = tokio::time::timeout(REORDER_WAIT, delivered.changed()).await;
    }
    if strike(|kind| *kind == Kind::Forge).is_some() {
        refused_or_alarm(attempt(sandbox, delivery, Signing::Stranger).await)
    } else if strike(|kind| *kind == Kind::Probe).is_some() {
        refused_or_alarm(attempt(sandbox, delivery, Signing::Probe).await)
    } else if strike(|kind| *kind == Kind::OtherKey).is_some() {
        attempt(sandbox, delivery, Signing::OtherKey).await
    } else if strike(|kind| *kind == Kind::Duplicate).is_some() {
        let twins = futures::future::join(
            attempt(sandbox, delivery, Signing::Genuine),
            attempt(sandbox, delivery, Signing::Genuine),
        );
        let (first, second) = twins.await;
        if matches!(first, 200 | 204) { first } else { second }
    } else {
        attempt(sandbox, delivery, Signing::Genuine).await
    }
}

/// A forgery that was accepted does not count as delivered; it is shown as 299.
fn refused_or_alarm(status: u16) -> u16 {
    if matches!(status, 200 | 204) {
        tracing::warn!("a notification with a bad signature was accepted");
        299
    } else {
        status
    }
}

/// Sends the notification once. Gives the HTTP status, 0 when none came back.
pub(super) async fn attempt(sandbox: &Sandbox, delivery: &Delivery, signing: Signing) -> u16 {
    let Ok((headers, body)) = compose(sandbox, delivery, signing) else {
        return 0;
    };
    match sandbox.client.post(&delivery.url).headers(headers).body(body).send().await {
        Ok(response) => response.status().as_u16(),
        Err(error) => {
            tracing::debug!(error = %error.without_url(), "a sandbox notification was not answered");
            0
        }
    }
}

fn compose(
    sandbox: &Sandbox,
    delivery: &Delivery,
    signing: Signing,
) -> Result<(HeaderMap, Bytes), CryptoError> {
    let account = sandbox.account(&delivery.mchid).ok_or(CryptoError)?;
    let sealed = account.apiv3.seal(delivery.plain.to_string().as_bytes(), &delivery.original_type)?;
    let body = json!({
        "id": delivery.id,
        "create_time": bill::rfc3339(delivery.created_at),
        "resource_type": "encrypt-resource",
        "event_type": delivery.event_type,
        "summary": delivery.summary,
        "resource": {
            "original_type": delivery.original_type,
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": sealed.ciphertext,
            "associated_data": sealed.associated_data,
            "nonce": sealed.nonce,
        },
    })
    .to_string();
    let key = sandbox.platform.first().ok_or(CryptoError)?;
    let (serial, now) = (key.serial_no(), sandbox.now());
    let signature = match signing {
        Signing::Genuine | Signing::Tampered => signature_headers(key, serial, body.as_bytes(), now),
        Signing::OtherKey => {
            let other = sandbox.platform.get(1).unwrap_or(key);
            signature_headers(other, other.serial_no(), body.as_bytes(), now)
        }
        Signing::Stranger => signature_headers(&sandbox.stranger, serial, body.as_bytes(), now),
        Signing::UnknownSerial => {
            signature_headers(key, &format!("PUB_KEY_ID_0{}", random::digits(27)?), body.as_bytes(), now)
        }
        Signing::Stale => {
            signature_headers(key, serial, body.as_bytes(), now - chrono::TimeDelta::minutes(10))
        }
        Signing::Probe => {
            let probe = format!("{PROBE_PREFIX}{}", random::letters(64)?);
            headers([&now.timestamp().to_string(), &nonce()?, &probe, serial, SCHEME])
        }
    };
    let mut headers = signature?;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let request_id = format!("08{}-0", random::upper_hex(32)?);
    headers.insert("request-id", HeaderValue::from_str(&request_id).map_err(|_| CryptoError)?);
    let body = if signing == Signing::Tampered {
        body.replacen("encrypt-resource", "encrypt_resource", 1)
    } else {
        body
    };
    Ok((headers, Bytes::from(body)))
}
