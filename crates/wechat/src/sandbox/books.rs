//! WeChat's books: orders, refunds, notifications on their way. Rules here, no network.
//!
//! | order, from ↓ command → | order again, same | order again, other | pay | close | refund |
//! |---|---|---|---|---|---|
//! | Open, in time | new prepay id | refused | Paid | Closed | refused |
//! | Open, expired | refused | refused | refused | Closed | refused |
//! | Paid | refused | refused | refused | refused | accepted within the limits |
//! | Closed | refused | refused | refused (a late success is forced) | no change | refused |
//!
//! An open order closes by itself after 7 days.
//!
//! Source: WeChat Pay APIv3, JSAPI order, close, refund pages.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Days after which WeChat closes an unpaid order, and the default life of an order.
pub(super) const ORDER_DAYS: i64 = 7;
/// Days after the payment in which it can be refunded.
const REFUND_DAYS: i64 = 365;
/// Refunds one order can have.
const REFUND_COUNT: usize = 50;
/// Hours a prepay id lives.
const PREPAY_HOURS: i64 = 2;

/// One order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) out_trade_no: String,
    /// The signing merchant.
    pub(super) mchid: String,
    pub(super) sub_mchid: Option<String>,
    pub(super) appid: String,
    pub(super) sub_appid: Option<String>,
    /// Name of the payer's field on the wire: `openid`, `sp_openid` or `sub_openid`.
    pub(super) payer_field: String,
    pub(super) openid: String,
    pub(super) description: String,
    pub(super) attach: Option<String>,
    pub(super) notify_url: String,
    pub(super) total_fen: i64,
    /// The request as it came, to tell a repeat from another order.
    pub(super) request: Value,
    pub(super) created_at: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) prepay_id: String,
    pub(super) prepaid_at: DateTime<Utc>,
    pub(super) state: OrderState,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub(super) enum OrderState {
    Open,
    Paid { transaction_id: String, amount_fen: i64, openid: String, at: DateTime<Utc> },
    Closed { at: DateTime<Utc> },
}

/// One refund.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Refund {
    pub(super) out_refund_no: String,
    pub(super) refund_id: String,
    pub(super) mchid: String,
    pub(super) sub_mchid: Option<String>,
    pub(super) out_trade_no: String,
    pub(super) transaction_id: String,
    pub(super) refund_fen: i64,
    pub(super) total_fen: i64,
    pub(super) notify_url: Option<String>,
    pub(super) request: Value,
    pub(super) created_at: DateTime<Utc>,
    pub(super) state: RefundState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub(super) enum RefundState {
    Processing,
    Success { at: DateTime<Utc> },
    Closed,
    Abnormal,
}

impl RefundState {
    /// WeChat's word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Processing => "PROCESSING",
            Self::Success { .. } => "SUCCESS",
            Self::Closed => "CLOSED",
            Self::Abnormal => "ABNORMAL",
        }
    }
}

/// One notification with its attempts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Delivery {
    pub(super) id: String,
    pub(super) mchid: String,
    pub(super) url: String,
    pub(super) event_type: String,
    pub(super) original_type: String,
    pub(super) summary: String,
    pub(super) plain: Value,
    pub(super) created_at: DateTime<Utc>,
    /// HTTP status of each attempt, 0 when none came back.
    pub(super) attempts: Vec<u16>,
    pub(super) state: DeliveryState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DeliveryState {
    Pending,
    Delivered,
    GivenUp,
}

/// Why WeChat refuses.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// Internal error number, the tail of `Request-ID`.
    pub(super) number: u64,
    pub(super) detail: Option<Value>,
}

impl Refused {
    pub(super) fn new(status: u16, code: &'static str, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), number: 268_435_456, detail: None }
    }

    pub(super) fn with_number(self, number: u64) -> Self {
        Self { number, ..self }
    }

    pub(super) fn parameter(field: &str, issue: &str) -> Self {
        let detail = serde_json::json!({ "field": field, "issue": issue, "location": "body" });
        Self { detail: Some(detail), ..Self::new(400, "PARAM_ERROR", "参数错误") }
    }

    pub(super) fn paid() -> Self {
        Self::new(400, "ORDERPAID", "该订单已支付").with_number(268_498_689)
    }
}

impl Order {
    /// WeChat's word for the state, refunds considered.
    pub(super) fn trade_state(&self, is_refund_asked: bool, now: DateTime<Utc>) -> &'static str {
        match &self.state {
            OrderState::Paid { .. } if is_refund_asked => "REFUND",
            OrderState::Paid { .. } => "SUCCESS",
            OrderState::Closed { .. } => "CLOSED",
            OrderState::Open if now >= self.created_at + TimeDelta::days(ORDER_DAYS) => "CLOSED",
            OrderState::Open => "NOTPAY",
        }
    }

    /// Takes the same request again; `fresh` is this order as it would be made now.
    pub(super) fn reenter(&self, fresh: &Self, now: DateTime<Utc>) -> Result<Self, Refused> {
        match self.trade_state(false, now) {
            "NOTPAY" => {}
            "CLOSED" => {
                return Err(Refused::new(400, "ORDER_CLOSED", "该订单已关闭，请更换商户订单号后重新下单"));
            }
            _ => return Err(Refused::paid()),
        }
        if self.request != fresh.request {
            let refused = Refused::new(400, "INVALID_REQUEST", "请求重入时，参数与首次请求时不一致");
            return Err(refused.with_number(268_498_688));
        }
        if now >= self.expires_at {
            return Err(Refused::new(400, "ORDER_CLOSED", "该订单已过期，请更换商户订单号后重新下单"));
        }
        Ok(Self { prepay_id: fresh.prepay_id.clone(), prepaid_at: now, ..self.clone() })
    }

    /// Whether the payer can pay now; `Err` is the reason in words.
    pub(super) fn check_payable(&self, now: DateTime<Utc>) -> Result<(), &'static str> {
        match self.trade_state(false, now) {
            "NOTPAY" if now >= self.expires_at => Err("订单已过支付截止时间"),
            "NOTPAY" if now >= self.prepaid_at + TimeDelta::hours(PREPAY_HOURS) => {
                Err("prepay_id 已过期，需重新下单获取")
            }
            "NOTPAY" => Ok(()),
            "CLOSED" => Err("订单已关闭"),
            _ => Err("订单已支付"),
        }
    }

    /// Closes; closing twice changes nothing.
    pub(super) fn close(&self, now: DateTime<Utc>) -> Result<Self, Refused> {
        match &self.state {
            OrderState::Open => Ok(Self { state: OrderState::Closed { at: now }, ..self.clone() }),
            OrderState::Closed { .. } => Ok(self.clone()),
            OrderState::Paid { .. } => Err(Refused::paid()),
        }
    }
}

/// Decides whether a refund of `refund_fen` may begin. `refunds` are this order's earlier ones.
pub(super) fn check_refund(
    order: &Order,
    refunds: &[&Refund],
    refund_fen: i64,
    total_fen: i64,
    interval_seconds: u32,
    now: DateTime<Utc>,
) -> Result<String, Refused> {
    let invalid = |message| Err(Refused::new(400, "INVALID_REQUEST", message));
    let OrderState::Paid { transaction_id, amount_fen, at, .. } = &order.state else {
        return invalid("订单未支付，不支持退款");
    };
    if total_fen != *amount_fen {
        return invalid("订单金额或退款金额与之前请求不一致，请核实后再试");
    }
    if now > *at + TimeDelta::days(REFUND_DAYS) {
        return invalid("订单已超过可退款的最大期限");
    }
    let live = || refunds.iter().filter(|refund| refund.state != RefundState::Closed);
    if live().count() >= REFUND_COUNT {
        return invalid("退款次数超过 50 次上限");
    }
    let refunded_fen = live().map(|refund| refund.refund_fen).sum::<i64>();
    if refund_fen > amount_fen - refunded_fen {
        return invalid("申请退款金额超过订单可退金额");
    }
    let interval = TimeDelta::seconds(i64::from(interval_seconds));
    if live().any(|refund| now < refund.created_at + interval) {
        return Err(Refused::new(429, "FREQUENCY_LIMITED", "同一订单多次退款需间隔 1 分钟"));
    }
    Ok(transaction_id.clone())
}
