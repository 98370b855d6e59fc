//! What WeChat Pay pushes: verified on raw bytes, then opened, then read.
//!
//! | [`NotificationError`] | answer to WeChat |
//! |---|---|
//! | `Unverified` (probe or not) | 401; a genuine one comes again |
//! | `Undecryptable` | 500 and an alarm; it comes again after the key is put right |
//! | `Malformed` | 400 and an alarm |
//!
//! Accepted means 200 or 204 with an empty body within five seconds, after the notification is stored. The same one may come
//! many times, late, and out of order; `out_trade_no` with `transaction_id` says which payment it is.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::order::Transaction;
use super::refund::{RefundAnswerAmount, refund_state};
use super::{OrderState, Pay, Payment, RefundState, SignatureHeaders, VerifyError};
use crate::crypto::Sealed;

/// A genuine notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// WeChat's id of the notification; deliveries of the same one share it. Not an idempotency key for money.
    pub id: String,
    /// When WeChat made it, which may be long before this delivery.
    pub created_at: DateTime<Utc>,
    /// What it says.
    pub notified: Notified,
}

/// What a notification says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notified {
    /// An order was paid. Compare it with the order ([`Payment::check`]) before crediting.
    Payment(Payment),
    /// A refund came to an end.
    Refund(RefundNotice),
    /// Something this platform does not use. Accept it and move on.
    Other {
        /// WeChat's event type.
        event_type: String,
    },
}

/// The end of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundNotice {
    /// The signing merchant's number.
    pub mchid: String,
    /// The payee's number when the signer is a partner.
    pub sub_mchid: Option<String>,
    /// Our number of the order.
    pub out_trade_no: String,
    /// WeChat's number of the order.
    pub transaction_id: String,
    /// Our number of the refund.
    pub out_refund_no: String,
    /// WeChat's number of the refund.
    pub refund_id: String,
    /// How it ended.
    pub state: RefundState,
    /// Fen given back.
    pub refund_fen: i64,
    /// The order's whole amount in fen.
    pub total_fen: i64,
}

/// Why a notification is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    /// Not WeChat's, or one of WeChat's own tests ([`VerifyError::Probe`], which is not worth an alarm).
    #[error("not genuine: {0}")]
    Unverified(#[from] VerifyError),
    /// Genuine, but none of our APIv3 keys opens it.
    #[error("genuine, but no APIv3 key opens it")]
    Undecryptable,
    /// Genuine, but not what the documentation promises.
    #[error("genuine, but {what} is missing or unreadable")]
    Malformed {
        /// The part that is wrong.
        what: &'static str,
    },
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    create_time: DateTime<Utc>,
    event_type: String,
    resource: Resource,
}

#[derive(Deserialize)]
struct Resource {
    algorithm: String,
    #[serde(flatten)]
    sealed: Sealed,
}

#[derive(Deserialize)]
struct RefundResource {
    #[serde(alias = "sp_mchid")]
    mchid: String,
    sub_mchid: Option<String>,
    out_trade_no: String,
    transaction_id: String,
    out_refund_no: String,
    refund_id: String,
    refund_status: String,
    success_time: Option<DateTime<Utc>>,
    amount: RefundAnswerAmount,
}

impl Pay {
    /// Verifies, opens and reads one notification. `body` is the raw request body, untouched.
    ///
    /// # Errors
    /// [`NotificationError`] says what to answer; nothing of the body was used unless it is genuine.
    #[tracing::instrument(name = "wechat.pay.notification", skip_all)]
    pub fn notification(
        &self,
        headers: &SignatureHeaders,
        body: &[u8],
    ) -> Result<Notification, NotificationError> {
        let malformed = |what| NotificationError::Malformed { what };
        self.merchant.platform().verify(headers, body, (self.now)())?;
        let envelope: Envelope = serde_json::from_slice(body).map_err(|_| malformed("the envelope"))?;
        if envelope.resource.algorithm != "AEAD_AES_256_GCM" {
            return Err(malformed("a known algorithm"));
        }
        let plain = self
            .merchant
            .apiv3()
            .open(&envelope.resource.sealed)
            .map_err(|_| NotificationError::Undecryptable)?;
        let notified = match envelope.event_type.as_str() {
            "TRANSACTION.SUCCESS" => {
                let transaction: Transaction =
                    serde_json::from_slice(&plain).map_err(|_| malformed("the transaction"))?;
                match transaction.into_state().map_err(malformed)? {
                    OrderState::Paid(payment) => Notified::Payment(payment),
                    OrderState::Unpaid
                    | OrderState::Closed
                    | OrderState::RefundAsked(_)
                    | OrderState::Other { .. } => return Err(malformed("trade_state SUCCESS")),
                }
            }
            "REFUND.SUCCESS" | "REFUND.ABNORMAL" | "REFUND.CLOSED" => {
                let refund: RefundResource =
                    serde_json::from_slice(&plain).map_err(|_| malformed("the refund"))?;
                Notified::Refund(RefundNotice {
                    mchid: refund.mchid,
                    sub_mchid: refund.sub_mchid,
                    out_trade_no: refund.out_trade_no,
                    transaction_id: refund.transaction_id,
                    out_refund_no: refund.out_refund_no,
                    refund_id: refund.refund_id,
                    state: refund_state(&refund.refund_status, refund.success_time).map_err(malformed)?,
                    refund_fen: refund.amount.refund,
                    total_fen: refund.amount.total,
                })
            }
            _ => Notified::Other { event_type: envelope.event_type },
        };
        Ok(Notification { id: envelope.id, created_at: envelope.create_time, notified })
    }
}
