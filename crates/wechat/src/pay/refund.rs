//! The refund: ask for it, ask after it.

use chrono::{DateTime, Utc};
use http::Method;
use serde::{Deserialize, Serialize};

use super::error::Effect;
use super::{Error, Invalid, Merchant, Mode, Pay, check_notify_url, is_order_no, plain_text};
use crate::http::encode;

/// A refund to be asked for. Like an order it becomes JSON once; the text is stored and sent as it is every time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    /// Our number of the paid order.
    pub out_trade_no: String,
    /// Our number of this refund: 1 to 64 of `0-9 A-Z a-z _ - | * @`. Kept until WeChat says there is none or it is closed.
    pub out_refund_no: String,
    /// What the payer reads. Cut to 80 characters; what WeChat cannot hold is dropped.
    pub reason: Option<String>,
    /// Where WeChat pushes the outcome; absent means the address set in the console. At most 256 bytes.
    pub notify_url: Option<String>,
    /// Fen to give back, 1 or more.
    pub refund_fen: i64,
    /// The order's whole amount in fen.
    pub total_fen: i64,
}

/// Whether `text` can be a refund number at WeChat: 1 to 64 of `0-9 A-Z a-z _ - | * @`.
#[must_use]
pub fn is_refund_no(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'|' | b'*' | b'@'))
}

#[derive(Serialize)]
struct RefundBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
    out_trade_no: &'a str,
    out_refund_no: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notify_url: Option<&'a str>,
    amount: RefundBodyAmount,
}

#[derive(Serialize)]
struct RefundBodyAmount {
    refund: i64,
    total: i64,
    currency: &'static str,
}

impl RefundRequest {
    /// The request as JSON text for `merchant`. Store exactly this text and send exactly this text.
    ///
    /// # Errors
    /// [`Invalid`] names the first field WeChat would refuse.
    pub fn to_json(&self, merchant: &Merchant) -> Result<String, Invalid> {
        let refuse = |field, why| Err(Invalid { field, why });
        if !is_order_no(&self.out_trade_no) {
            return refuse("out_trade_no", "is not 6 to 32 letters, digits or _-|*");
        }
        if !is_refund_no(&self.out_refund_no) {
            return refuse("out_refund_no", "is not 1 to 64 letters, digits or _-|*@");
        }
        if self.refund_fen < 1 || self.refund_fen > self.total_fen {
            return refuse("amount.refund", "is not between 1 fen and the order's amount");
        }
        if let Some(url) = &self.notify_url {
            check_notify_url(url, 256)?;
        }
        let sub_mchid = match merchant.mode() {
            Mode::Direct { .. } => None,
            Mode::Partner { sub_mchid, .. } => Some(sub_mchid.as_str()),
        };
        let reason = self.reason.as_deref().map(|reason| plain_text(reason, 80));
        let body = RefundBody {
            sub_mchid,
            out_trade_no: &self.out_trade_no,
            out_refund_no: &self.out_refund_no,
            reason: reason.filter(|reason| !reason.trim().is_empty()),
            notify_url: self.notify_url.as_deref(),
            amount: RefundBodyAmount { refund: self.refund_fen, total: self.total_fen, currency: "CNY" },
        };
        serde_json::to_string(&body)
            .map_err(|_| Invalid { field: "refund", why: "cannot be written as JSON" })
    }
}

/// How far a refund has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundState {
    /// Accepted, money under way (`PROCESSING`).
    Processing,
    /// The payer has the money (`SUCCESS`).
    Succeeded {
        /// When it arrived.
        at: DateTime<Utc>,
    },
    /// Given up by WeChat, nothing was paid back; a new number may be used now (`CLOSED`).
    Closed,
    /// Stuck, usually a frozen card; a person has to choose another way (`ABNORMAL`).
    Abnormal,
}

/// A refund as WeChat reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// WeChat's number of the refund.
    pub refund_id: String,
    /// Our number of the refund.
    pub out_refund_no: String,
    /// WeChat's number of the order.
    pub transaction_id: String,
    /// Our number of the order.
    pub out_trade_no: String,
    /// How far it has come.
    pub state: RefundState,
    /// Fen given back.
    pub refund_fen: i64,
    /// The order's whole amount in fen.
    pub total_fen: i64,
}

/// Wire values common to a refund's answer and its notification.
pub(super) fn refund_state(
    status: &str,
    success_time: Option<DateTime<Utc>>,
) -> Result<RefundState, &'static str> {
    match status {
        "PROCESSING" => Ok(RefundState::Processing),
        "SUCCESS" => Ok(RefundState::Succeeded { at: success_time.ok_or("success_time")? }),
        "CLOSED" => Ok(RefundState::Closed),
        "ABNORMAL" => Ok(RefundState::Abnormal),
        _ => Err("a known refund status"),
    }
}

#[derive(Deserialize)]
struct RefundAnswer {
    refund_id: String,
    out_refund_no: String,
    transaction_id: String,
    out_trade_no: String,
    status: String,
    success_time: Option<DateTime<Utc>>,
    amount: RefundAnswerAmount,
}

#[derive(Deserialize)]
pub(super) struct RefundAnswerAmount {
    pub(super) total: i64,
    pub(super) refund: i64,
}

impl RefundAnswer {
    fn into_refund(self) -> Result<Refund, Error> {
        let state = refund_state(&self.status, self.success_time)
            .map_err(|missing| Error::Unknown { why: format!("the answer lacks {missing}") })?;
        Ok(Refund {
            refund_id: self.refund_id,
            out_refund_no: self.out_refund_no,
            transaction_id: self.transaction_id,
            out_trade_no: self.out_trade_no,
            state,
            refund_fen: self.amount.refund,
            total_fen: self.amount.total,
        })
    }
}

impl Pay {
    /// Asks for a refund, or again for the same one. `json` is the stored text of [`RefundRequest::to_json`].
    ///
    /// Success means accepted, not done: the outcome comes by notification and by [`Pay::query_refund`].
    ///
    /// # Errors
    /// [`Error`]. `Final` with `NOT_ENOUGH` may be repeated unchanged once the merchant's balance is filled.
    #[tracing::instrument(name = "wechat.pay.refund", skip_all)]
    pub async fn refund(&self, json: &[u8]) -> Result<Refund, Error> {
        let path = "/v3/refund/domestic/refunds";
        self.call_json::<RefundAnswer>(Method::POST, path, json, Effect::Refund).await?.into_refund()
    }

    /// Asks what became of a refund, by our number.
    ///
    /// # Errors
    /// [`Error`]. [`Error::is_not_exist`] when the asking call never took effect: send the identical request again.
    #[tracing::instrument(name = "wechat.pay.query_refund", skip_all, fields(out_refund_no = out_refund_no))]
    pub async fn query_refund(&self, out_refund_no: &str) -> Result<Refund, Error> {
        let query = match self.merchant.mode() {
            Mode::Direct { .. } => String::new(),
            Mode::Partner { sub_mchid, .. } => format!("?sub_mchid={}", encode(sub_mchid)),
        };
        let path = format!("/v3/refund/domestic/refunds/{}{query}", encode(out_refund_no));
        let refund = self.call_json::<RefundAnswer>(Method::GET, &path, b"", Effect::Ordinary).await?;
        if refund.out_refund_no != out_refund_no {
            return Err(Error::Unknown { why: "the answer is about another refund".to_owned() });
        }
        refund.into_refund()
    }
}
