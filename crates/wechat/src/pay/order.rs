//! The order: create it, show its pay sheet, ask after it, close it.

use std::fmt;

use chrono::{DateTime, Utc};
use http::Method;
use serde::{Deserialize, Serialize};

use super::error::Effect;
use super::{Error, Invalid, Merchant, Mode, Pay, PaySheet, beijing, check_notify_url, plain_text};
use crate::http::encode;

/// An order to be created. Turn it into JSON once, store the text, and send that text every time.
#[derive(Clone)]
pub struct OrderRequest {
    /// What parents read on their bill. Cut to 127 characters; what WeChat cannot hold is dropped.
    pub description: String,
    /// Our number: 6 to 32 of `0-9 A-Z a-z _ - | *`, unique for the signing merchant for ever.
    pub out_trade_no: String,
    /// Last moment to pay, whole seconds. WeChat raises it to one minute from now and cuts it to 90 days.
    pub time_expire: DateTime<Utc>,
    /// Comes back with the payment, at most 128 characters. No personal data.
    pub attach: Option<String>,
    /// Where WeChat pushes the payment: absolute https URL without query, at most 255 bytes.
    pub notify_url: String,
    /// Price in fen, 1 or more.
    pub amount_fen: i64,
    /// Who pays, in the mini-program that will show the sheet. Only this user can pay the order.
    pub openid: String,
}

/// Whether `text` can be an order number at WeChat: 6 to 32 of `0-9 A-Z a-z _ - | *`.
#[must_use]
pub fn is_order_no(text: &str) -> bool {
    (6..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'|' | b'*'))
}

#[derive(Serialize)]
struct OrderBody<'a> {
    #[serde(flatten)]
    payee: Payee<'a>,
    description: String,
    out_trade_no: &'a str,
    time_expire: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    attach: Option<String>,
    notify_url: &'a str,
    amount: Amount,
    payer: Payer<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Payee<'a> {
    Direct {
        appid: &'a str,
        mchid: &'a str,
    },
    Partner {
        sp_appid: &'a str,
        sp_mchid: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        sub_appid: Option<&'a str>,
        sub_mchid: &'a str,
    },
}

#[derive(Serialize)]
struct Amount {
    total: i64,
    currency: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Payer<'a> {
    Openid(&'a str),
    SpOpenid(&'a str),
    SubOpenid(&'a str),
}

impl OrderRequest {
    /// The request as JSON text for `merchant`. Store exactly this text and send exactly this text.
    ///
    /// # Errors
    /// [`Invalid`] names the first field WeChat would refuse.
    pub fn to_json(&self, merchant: &Merchant) -> Result<String, Invalid> {
        let refuse = |field, why| Err(Invalid { field, why });
        if !is_order_no(&self.out_trade_no) {
            return refuse("out_trade_no", "is not 6 to 32 letters, digits or _-|*");
        }
        if self.amount_fen < 1 {
            return refuse("amount.total", "is below 1 fen");
        }
        if self.openid.is_empty() || self.openid.len() > 128 {
            return refuse("payer.openid", "is not 1 to 128 characters");
        }
        let description = plain_text(&self.description, 127);
        if description.trim().is_empty() {
            return refuse("description", "is empty");
        }
        if self.attach.as_ref().is_some_and(|attach| attach.chars().count() > 128) {
            return refuse("attach", "is longer than 128 characters");
        }
        check_notify_url(&self.notify_url, 255)?;
        let openid = self.openid.as_str();
        let (payee, payer) = match merchant.mode() {
            Mode::Direct { mchid } => {
                (Payee::Direct { appid: merchant.appid(), mchid }, Payer::Openid(openid))
            }
            Mode::Partner { sp_mchid, sub_mchid, sub_appid } => (
                Payee::Partner {
                    sp_appid: merchant.appid(),
                    sp_mchid,
                    sub_appid: sub_appid.as_deref(),
                    sub_mchid,
                },
                if sub_appid.is_some() { Payer::SubOpenid(openid) } else { Payer::SpOpenid(openid) },
            ),
        };
        let body = OrderBody {
            payee,
            description,
            out_trade_no: &self.out_trade_no,
            time_expire: beijing(self.time_expire),
            attach: self.attach.as_deref().map(|attach| plain_text(attach, 128)),
            notify_url: &self.notify_url,
            amount: Amount { total: self.amount_fen, currency: "CNY" },
            payer,
        };
        serde_json::to_string(&body).map_err(|_| Invalid { field: "order", why: "cannot be written as JSON" })
    }
}

impl fmt::Debug for OrderRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderRequest").field("out_trade_no", &self.out_trade_no).finish_non_exhaustive()
    }
}

/// WeChat holds the order and waits for the payer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Prepaid {
    /// Handle for the pay sheet, good for two hours. The same order sent again gives a fresh one.
    pub prepay_id: String,
}

/// What WeChat says of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderState {
    /// Not paid yet; a failed attempt leaves it here (`NOTPAY`).
    Unpaid,
    /// Paid (`SUCCESS`).
    Paid(Payment),
    /// Paid, and at least one refund was asked for; says nothing about how the refund went (`REFUND`).
    RefundAsked(Payment),
    /// Closed unpaid. It can never be paid any more (`CLOSED`).
    Closed,
    /// A state that belongs to other ways of paying (`REVOKED`, `USERPAYING`, `PAYERROR`) or is new.
    Other {
        /// WeChat's word.
        trade_state: String,
    },
}

/// A payment that happened, as WeChat reports it in a query or a notification.
#[derive(Clone, PartialEq, Eq)]
pub struct Payment {
    /// The mini-program bound to the signing merchant.
    pub appid: String,
    /// The signing merchant's number.
    pub mchid: String,
    /// The payee's number when the signer is a partner.
    pub sub_mchid: Option<String>,
    /// Our number.
    pub out_trade_no: String,
    /// WeChat's number.
    pub transaction_id: String,
    /// The order's amount in fen: what is credited.
    pub amount_fen: i64,
    /// What the payer paid in fen; less than `amount_fen` when a coupon of WeChat's made up the rest.
    pub payer_total_fen: Option<i64>,
    /// Three letters; anything but `CNY` is not ours.
    pub currency: String,
    /// Who paid, in the mini-program that showed the sheet.
    pub openid: String,
    /// When it was paid.
    pub success_at: DateTime<Utc>,
    /// Code of the paying bank or wallet.
    pub bank_type: String,
    /// What the order carried along, empty when nothing.
    pub attach: String,
}

impl fmt::Debug for Payment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payment")
            .field("out_trade_no", &self.out_trade_no)
            .field("transaction_id", &self.transaction_id)
            .field("amount_fen", &self.amount_fen)
            .finish_non_exhaustive()
    }
}

/// What our own order says a payment must look like.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The merchant the order was made for.
    pub merchant: &'a Merchant,
    /// Our number.
    pub out_trade_no: &'a str,
    /// Price in fen.
    pub amount_fen: i64,
    /// Who ordered.
    pub openid: &'a str,
}

/// How a genuine payment differs from the order it claims to pay. Such money is never credited automatically.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Another order number.
    #[error("the order number differs")]
    OutTradeNo,
    /// Another mini-program, merchant or sub-merchant.
    #[error("the merchant differs")]
    Merchant,
    /// Another amount.
    #[error("paid {paid_fen} fen instead of {expected_fen}")]
    Amount {
        /// What WeChat says was ordered and paid.
        paid_fen: i64,
        /// What we ordered.
        expected_fen: i64,
    },
    /// A currency other than CNY.
    #[error("the currency is not CNY")]
    Currency,
    /// Another payer.
    #[error("the payer differs")]
    Payer,
}

impl Payment {
    /// Compares the payment with our own order.
    ///
    /// # Errors
    /// [`Mismatch`] names the first difference.
    pub fn check(&self, expected: Expected<'_>) -> Result<(), Mismatch> {
        let sub_mchid = match expected.merchant.mode() {
            Mode::Direct { .. } => None,
            Mode::Partner { sub_mchid, .. } => Some(sub_mchid),
        };
        if self.out_trade_no != expected.out_trade_no {
            Err(Mismatch::OutTradeNo)
        } else if self.appid != expected.merchant.appid()
            || self.mchid != expected.merchant.signer_mchid()
            || self.sub_mchid.as_ref() != sub_mchid
        {
            Err(Mismatch::Merchant)
        } else if self.amount_fen != expected.amount_fen {
            Err(Mismatch::Amount { paid_fen: self.amount_fen, expected_fen: expected.amount_fen })
        } else if self.currency != "CNY" {
            Err(Mismatch::Currency)
        } else if self.openid != expected.openid {
            Err(Mismatch::Payer)
        } else {
            Ok(())
        }
    }
}

/// A transaction as it stands on the wire, in a query's answer and inside a notification.
#[derive(Deserialize)]
pub(super) struct Transaction {
    #[serde(alias = "sp_appid")]
    appid: Option<String>,
    #[serde(alias = "sp_mchid")]
    mchid: Option<String>,
    sub_mchid: Option<String>,
    pub(super) out_trade_no: String,
    transaction_id: Option<String>,
    trade_state: String,
    #[serde(default)]
    bank_type: String,
    #[serde(default)]
    attach: String,
    success_time: Option<DateTime<Utc>>,
    payer: Option<TransactionPayer>,
    amount: Option<TransactionAmount>,
}

#[derive(Deserialize)]
struct TransactionPayer {
    openid: Option<String>,
    sp_openid: Option<String>,
    sub_openid: Option<String>,
}

#[derive(Deserialize)]
struct TransactionAmount {
    total: i64,
    payer_total: Option<i64>,
    currency: Option<String>,
}

impl Transaction {
    /// Turns wire into meaning; `Err` names the field a paid transaction lacks.
    pub(super) fn into_state(self) -> Result<OrderState, &'static str> {
        match self.trade_state.as_str() {
            "NOTPAY" => Ok(OrderState::Unpaid),
            "CLOSED" => Ok(OrderState::Closed),
            "SUCCESS" => Ok(OrderState::Paid(self.into_payment()?)),
            "REFUND" => Ok(OrderState::RefundAsked(self.into_payment()?)),
            _ => Ok(OrderState::Other { trade_state: self.trade_state }),
        }
    }

    fn into_payment(self) -> Result<Payment, &'static str> {
        let payer = self.payer.ok_or("payer")?;
        let amount = self.amount.ok_or("amount")?;
        Ok(Payment {
            appid: self.appid.ok_or("appid")?,
            mchid: self.mchid.ok_or("mchid")?,
            sub_mchid: self.sub_mchid,
            out_trade_no: self.out_trade_no,
            transaction_id: self.transaction_id.ok_or("transaction_id")?,
            amount_fen: amount.total,
            payer_total_fen: amount.payer_total,
            currency: amount.currency.unwrap_or_else(|| "CNY".to_owned()),
            openid: payer.sub_openid.or(payer.sp_openid).or(payer.openid).ok_or("payer.openid")?,
            success_at: self.success_time.ok_or("success_time")?,
            bank_type: self.bank_type,
            attach: self.attach,
        })
    }
}

impl Pay {
    /// Creates the order, or asks again for the same one. `json` is the stored text of [`OrderRequest::to_json`].
    ///
    /// # Errors
    /// [`Error`]. A `Final` with `INVALID_REQUEST` means the number was used with other content, is closed or paid: query.
    #[tracing::instrument(name = "wechat.pay.order", skip_all)]
    pub async fn order(&self, json: &[u8]) -> Result<Prepaid, Error> {
        let path = format!("{}/jsapi", self.transactions());
        self.call_json(Method::POST, &path, json, Effect::Ordinary).await
    }

    /// Signs the sheet with which the mini-program pays.
    ///
    /// # Errors
    /// [`Error::NotSent`] when signing fails.
    pub fn sheet(&self, prepay_id: &str) -> Result<PaySheet, Error> {
        let sheet = self.merchant.key().pay_sheet(self.merchant.paying_appid(), prepay_id, (self.now)());
        sheet.map_err(|error| Error::NotSent { why: error.to_string() })
    }

    /// Asks what became of an order, by our number.
    ///
    /// # Errors
    /// [`Error`]. [`Error::is_not_exist`] when the creating call never took effect.
    #[tracing::instrument(name = "wechat.pay.query", skip_all, fields(out_trade_no = out_trade_no))]
    pub async fn query(&self, out_trade_no: &str) -> Result<OrderState, Error> {
        let path =
            format!("{}/out-trade-no/{}?{}", self.transactions(), encode(out_trade_no), self.payee_query());
        let transaction: Transaction = self.call_json(Method::GET, &path, b"", Effect::Ordinary).await?;
        if transaction.out_trade_no != out_trade_no {
            return Err(Error::Unknown { why: "the answer is about another order".to_owned() });
        }
        transaction.into_state().map_err(|field| Error::Unknown { why: format!("the answer lacks {field}") })
    }

    /// Closes an unpaid order, so that it can never be paid. Closing a closed one is fine.
    ///
    /// Only success here, or a query that says closed, frees what the order held.
    ///
    /// # Errors
    /// [`Error`]. A paid order is refused under several codes: whatever the error, query.
    #[tracing::instrument(name = "wechat.pay.close", skip_all, fields(out_trade_no = out_trade_no))]
    pub async fn close(&self, out_trade_no: &str) -> Result<(), Error> {
        let path = format!("{}/out-trade-no/{}/close", self.transactions(), encode(out_trade_no));
        let body = match self.merchant.mode() {
            Mode::Direct { mchid } => serde_json::json!({ "mchid": mchid }),
            Mode::Partner { sp_mchid, sub_mchid, .. } => {
                serde_json::json!({ "sp_mchid": sp_mchid, "sub_mchid": sub_mchid })
            }
        };
        self.call(Method::POST, &path, body.to_string().as_bytes(), Effect::Ordinary).await?;
        Ok(())
    }

    fn transactions(&self) -> &'static str {
        match self.merchant.mode() {
            Mode::Direct { .. } => "/v3/pay/transactions",
            Mode::Partner { .. } => "/v3/pay/partner/transactions",
        }
    }

    fn payee_query(&self) -> String {
        match self.merchant.mode() {
            Mode::Direct { mchid } => format!("mchid={}", encode(mchid)),
            Mode::Partner { sp_mchid, sub_mchid, .. } => {
                format!("sp_mchid={}&sub_mchid={}", encode(sp_mchid), encode(sub_mchid))
            }
        }
    }
}
