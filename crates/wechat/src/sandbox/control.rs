//! `/sandbox`: what WeChat's user interface does in life, as a page and as JSON.
//!
//! What is refused here for its meaning is `{"error": "…"}` with a 4xx status.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::TimeDelta;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bill::BillChange;
use super::books::{Delivery, DeliveryState, Order, OrderState, RefundState};
use super::fault::{Fault, FaultStatus};
use super::notify::{self, Signing};
use super::store::{Acceptance, Row};
use super::{Code, Sandbox, bill, lock, random};
use crate::crypto::{PaySheet, verify_bytes_pem};

/// Routes under `/sandbox`.
pub(super) fn router() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/sandbox", get(page))
        .route("/sandbox/login", post(login))
        .route("/sandbox/phone", post(phone))
        .route("/sandbox/orders", get(orders))
        .route("/sandbox/orders/{out_trade_no}/pay", post(pay))
        .route("/sandbox/late-success/{out_trade_no}", post(late_success))
        .route("/sandbox/request-payment", post(request_payment))
        .route("/sandbox/refunds", get(refunds))
        .route("/sandbox/notifications", get(notifications))
        .route("/sandbox/messages", get(messages))
        .route("/sandbox/subscribe", post(subscribe))
        .route("/sandbox/message-limit", post(message_limit))
        .route("/sandbox/books", get(books))
        .route("/sandbox/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/sandbox/bill-changes", post(change_bill).delete(true_bills))
        .route("/sandbox/token", get(token))
        .route("/sandbox/token/revoke", post(revoke_token))
        .route("/sandbox/forge", post(forge))
}

/// A refusal of the control interface.
struct Refusal(StatusCode, String);

impl Refusal {
    fn not_found() -> Self {
        Self(StatusCode::NOT_FOUND, "no such order".to_owned())
    }

    fn conflict(why: &str) -> Self {
        Self(StatusCode::CONFLICT, why.to_owned())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<crate::crypto::CryptoError> for Refusal {
    fn from(error: crate::crypto::CryptoError) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

async fn page() -> Html<&'static str> {
    Html(include_str!("page.html"))
}

#[derive(Deserialize, Default)]
struct LoginBody {
    openid: Option<String>,
}

/// Makes a login code, as `wx.login` does; a new user when no openid is given.
async fn login(
    State(sandbox): State<Arc<Sandbox>>,
    body: Option<Json<LoginBody>>,
) -> Result<Json<Value>, Refusal> {
    let openid = match body.and_then(|Json(body)| body.openid) {
        Some(openid) => openid,
        None => format!("o{}", random::letters(27)?),
    };
    let code = issue_code(&sandbox, &openid, None)?;
    Ok(Json(json!({ "code": code, "openid": openid })))
}

#[derive(Deserialize)]
struct PhoneBody {
    openid: String,
    phone: String,
}

/// Makes a phone code, as a tap on the phone button does.
async fn phone(
    State(sandbox): State<Arc<Sandbox>>,
    Json(body): Json<PhoneBody>,
) -> Result<Json<Value>, Refusal> {
    let code = issue_code(&sandbox, &body.openid, Some(body.phone))?;
    Ok(Json(json!({ "code": code })))
}

fn issue_code(sandbox: &Sandbox, openid: &str, phone: Option<String>) -> Result<String, Refusal> {
    let code = format!("0{}", random::letters(31)?);
    let issued_at = sandbox.now();
    let mut codes = lock(&sandbox.codes);
    codes.retain(|_, held| issued_at < held.issued_at + TimeDelta::minutes(5));
    codes.insert(code.clone(), Code { openid: openid.to_owned(), phone, issued_at });
    Ok(code)
}

fn order_json(sandbox: &Sandbox, order: &Order, is_refund_asked: bool) -> Value {
    let now = sandbox.now();
    let mut json = json!({
        "out_trade_no": order.out_trade_no,
        "mchid": order.mchid,
        "sub_mchid": order.sub_mchid,
        "description": order.description,
        "openid": order.openid,
        "amount_fen": order.total_fen,
        "trade_state": order.trade_state(is_refund_asked, now),
        "is_payable": order.check_payable(now).is_ok(),
        "create_time": bill::rfc3339(order.created_at),
        "expire_time": bill::rfc3339(order.expires_at),
        "prepay_id": order.prepay_id,
        "notify_url": order.notify_url,
    });
    if let OrderState::Paid { transaction_id, amount_fen, at, .. } = &order.state {
        json["transaction_id"] = json!(transaction_id);
        json["paid_fen"] = json!(amount_fen);
        json["success_time"] = json!(bill::rfc3339(*at));
    }
    json
}

/// Newest first.
async fn orders(State(sandbox): State<Arc<Sandbox>>) -> Json<Value> {
    let store = lock(&sandbox.store);
    let mut orders = store.orders.values().collect::<Vec<_>>();
    orders.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| b.out_trade_no.cmp(&a.out_trade_no)));
    let show = |order: &Order| order_json(&sandbox, order, !store.refunds_of(order).is_empty());
    Json(json!({ "orders": orders.into_iter().map(show).collect::<Vec<_>>() }))
}

#[derive(Deserialize, Default)]
struct PayBody {
    amount_fen: Option<i64>,
    openid: Option<String>,
}

/// Pays, as the payer does. `amount_fen` and `openid` force a payment that does not match its order.
async fn pay(
    State(sandbox): State<Arc<Sandbox>>,
    Path(out_trade_no): Path<String>,
    body: Option<Json<PayBody>>,
) -> Result<Json<Value>, Refusal> {
    settle(&sandbox, &out_trade_no, body.map(|Json(body)| body).unwrap_or_default(), false)
}

/// Pays an order that can no longer be paid: the money was on its way when the order closed.
async fn late_success(
    State(sandbox): State<Arc<Sandbox>>,
    Path(out_trade_no): Path<String>,
) -> Result<Json<Value>, Refusal> {
    settle(&sandbox, &out_trade_no, PayBody::default(), true)
}

fn settle(
    sandbox: &Arc<Sandbox>,
    out_trade_no: &str,
    body: PayBody,
    is_late: bool,
) -> Result<Json<Value>, Refusal> {
    let now = sandbox.now();
    let (json, id) = {
        let mut store = lock(&sandbox.store);
        let order = sandbox.find_order(&store, out_trade_no).ok_or_else(Refusal::not_found)?;
        match (&order.state, is_late) {
            (OrderState::Paid { .. }, _) => return Err(Refusal::conflict("订单已支付")),
            (OrderState::Open | OrderState::Closed { .. }, true) => {}
            (OrderState::Open | OrderState::Closed { .. }, false) => {
                order.check_payable(now).map_err(Refusal::conflict)?;
            }
        }
        let state = OrderState::Paid {
            transaction_id: format!("42000{}", random::digits(23)?),
            amount_fen: body.amount_fen.unwrap_or(order.total_fen),
            openid: body.openid.unwrap_or_else(|| order.openid.clone()),
            at: now,
        };
        let paid = Order { state, ..order.clone() };
        let delivery = notify::payment(sandbox, &paid)?;
        let (json, id) = (order_json(sandbox, &paid, false), delivery.id.clone());
        // The payment is written first: a kill in between loses the notification, which WeChat does not promise either.
        store.put(Row::Order(paid))?;
        store.put(Row::Delivery(delivery))?;
        (json, id)
    };
    notify::deliver_later(sandbox, id);
    Ok(Json(json))
}

/// Pays by a pay sheet, as `wx.requestPayment` does: the merchant's signature on it has to be good.
async fn request_payment(
    State(sandbox): State<Arc<Sandbox>>,
    Json(sheet): Json<PaySheet>,
) -> Result<Json<Value>, Refusal> {
    let fail = |why: &str| Refusal(StatusCode::BAD_REQUEST, format!("requestPayment:fail {why}"));
    let prepay_id = sheet.package.strip_prefix("prepay_id=").ok_or_else(|| fail("package"))?;
    let order = {
        let store = lock(&sandbox.store);
        let order = store.orders.values().find(|order| order.prepay_id == prepay_id);
        order.cloned().ok_or_else(|| fail("prepay_id 无效"))?
    };
    let merchant = sandbox.config.merchants.iter().find(|merchant| merchant.mchid == order.mchid);
    let merchant = merchant.ok_or_else(|| fail("merchant"))?;
    let appid = order.sub_appid.as_deref().unwrap_or(&order.appid);
    let message = format!("{appid}\n{}\n{}\n{}\n", sheet.time_stamp, sheet.nonce_str, sheet.package);
    if sheet.sign_type != "RSA" || sheet.nonce_str.len() > 32 {
        return Err(fail("signType 或 nonceStr"));
    }
    verify_bytes_pem(&merchant.public_key_pem, message.as_bytes(), &sheet.pay_sign)
        .map_err(|_| fail("支付验证签名失败"))?;
    settle(&sandbox, &order.out_trade_no, PayBody::default(), false)
}

async fn refunds(State(sandbox): State<Arc<Sandbox>>) -> Json<Value> {
    let store = lock(&sandbox.store);
    let refunds = store.refunds.values().map(|refund| {
        json!({
            "out_refund_no": refund.out_refund_no,
            "refund_id": refund.refund_id,
            "out_trade_no": refund.out_trade_no,
            "mchid": refund.mchid,
            "sub_mchid": refund.sub_mchid,
            "refund_fen": refund.refund_fen,
            "status": refund.state.word(),
            "create_time": bill::rfc3339(refund.created_at),
        })
    });
    Json(json!({ "refunds": refunds.collect::<Vec<_>>() }))
}

async fn notifications(State(sandbox): State<Arc<Sandbox>>) -> Json<Value> {
    let store = lock(&sandbox.store);
    let notifications = store.deliveries.values().map(|delivery| {
        json!({
            "id": delivery.id,
            "event_type": delivery.event_type,
            "out_trade_no": delivery.plain["out_trade_no"],
            "url": delivery.url,
            "attempts": delivery.attempts,
            "state": delivery.state,
        })
    });
    Json(json!({ "notifications": notifications.collect::<Vec<_>>() }))
}

async fn messages(State(sandbox): State<Arc<Sandbox>>) -> Json<Value> {
    Json(json!({ "messages": lock(&sandbox.store).messages }))
}

#[derive(Deserialize)]
struct SubscribeBody {
    openid: String,
    template_id: String,
}

/// Accepts one message of a template, as a tap on 允许 in `wx.requestSubscribeMessage` does; gives how many the user would still get.
async fn subscribe(
    State(sandbox): State<Arc<Sandbox>>,
    Json(SubscribeBody { openid, template_id }): Json<SubscribeBody>,
) -> Result<Json<Value>, Refusal> {
    let mut store = lock(&sandbox.store);
    let (accepted_count, left_count) = store.acceptances(&openid, &template_id);
    let row = Acceptance { openid, template_id, accepted_count: accepted_count + 1 };
    store.put(Row::Acceptance(row))?;
    Ok(Json(json!({ "left_count": left_count + 1 })))
}

#[derive(Deserialize)]
struct LimitBody {
    /// Messages in a day of Beijing; null: as many as come.
    day_count: Option<u64>,
}

/// Limits the messages of a day, as WeChat limits a mini-program.
async fn message_limit(State(sandbox): State<Arc<Sandbox>>, Json(body): Json<LimitBody>) -> Json<Value> {
    *lock(&sandbox.message_day_count) = body.day_count;
    Json(json!({ "day_count": body.day_count }))
}

#[derive(Serialize, Default)]
struct Totals {
    order_count: u64,
    paid_count: u64,
    paid_fen: i64,
    refund_count: u64,
    /// Refunds that succeeded or are under way.
    refunded_fen: i64,
}

/// Totals by payee: `mchid`, or `sp_mchid/sub_mchid`.
async fn books(State(sandbox): State<Arc<Sandbox>>) -> Json<BTreeMap<String, Totals>> {
    let payee = |mchid: &str, sub_mchid: &Option<String>| match sub_mchid {
        None => mchid.to_owned(),
        Some(sub_mchid) => format!("{mchid}/{sub_mchid}"),
    };
    let store = lock(&sandbox.store);
    let mut totals = BTreeMap::<String, Totals>::new();
    for order in store.orders.values() {
        let entry = totals.entry(payee(&order.mchid, &order.sub_mchid)).or_default();
        entry.order_count += 1;
        if let OrderState::Paid { amount_fen, .. } = &order.state {
            entry.paid_count += 1;
            entry.paid_fen += amount_fen;
        }
    }
    for refund in store.refunds.values() {
        let entry = totals.entry(payee(&refund.mchid, &refund.sub_mchid)).or_default();
        if matches!(refund.state, RefundState::Processing | RefundState::Success { .. }) {
            entry.refund_count += 1;
            entry.refunded_fen += refund.refund_fen;
        }
    }
    Json(totals)
}

async fn faults(State(sandbox): State<Arc<Sandbox>>) -> Json<Vec<FaultStatus>> {
    Json(lock(&sandbox.faults).list().to_vec())
}

async fn add_fault(
    State(sandbox): State<Arc<Sandbox>>,
    Json(fault): Json<Fault>,
) -> Result<Json<Value>, Refusal> {
    if !fault.is_possible() {
        return Err(Refusal(StatusCode::BAD_REQUEST, "this kind cannot strike this target".to_owned()));
    }
    Ok(Json(json!({ "id": lock(&sandbox.faults).add(fault) })))
}

async fn clear_faults(State(sandbox): State<Arc<Sandbox>>) -> StatusCode {
    lock(&sandbox.faults).clear();
    StatusCode::NO_CONTENT
}

/// Plants a difference in the trade bill of a day; it stays until it is cleared.
async fn change_bill(State(sandbox): State<Arc<Sandbox>>, Json(change): Json<BillChange>) -> Json<Value> {
    let mut changes = lock(&sandbox.bill_changes);
    changes.push(change);
    Json(json!({ "change_count": changes.len() }))
}

async fn true_bills(State(sandbox): State<Arc<Sandbox>>) -> StatusCode {
    lock(&sandbox.bill_changes).clear();
    StatusCode::NO_CONTENT
}

/// How often the access token was asked for.
async fn token(State(sandbox): State<Arc<Sandbox>>) -> Json<Value> {
    Json(json!({ "fetched_count": lock(&sandbox.token).fetched_count }))
}

/// Ends the access token at once, as a forced renewal by somebody else does.
async fn revoke_token(State(sandbox): State<Arc<Sandbox>>) -> Json<Value> {
    let was_held = lock(&sandbox.token).held.take().is_some();
    Json(json!({ "revoked": was_held }))
}

#[derive(Deserialize)]
struct ForgeBody {
    /// Whose payment is claimed. The order need not be paid.
    out_trade_no: String,
    /// What is wrong with the notification.
    kind: ForgeKind,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum ForgeKind {
    /// Signed by someone else.
    BadSignature,
    /// WeChat's own test.
    Probe,
    /// A serial nobody knows.
    UnknownSerial,
    /// Signed ten minutes ago.
    Stale,
    /// Changed after signing.
    Tampered,
}

/// Claims a payment that did not happen, once, and tells how the merchant answered (0: not at all).
async fn forge(
    State(sandbox): State<Arc<Sandbox>>,
    Json(body): Json<ForgeBody>,
) -> Result<Json<Value>, Refusal> {
    let order = {
        let store = lock(&sandbox.store);
        sandbox.find_order(&store, &body.out_trade_no).cloned().ok_or_else(Refusal::not_found)?
    };
    let state = OrderState::Paid {
        transaction_id: format!("42000{}", random::digits(23)?),
        amount_fen: order.total_fen,
        openid: order.openid.clone(),
        at: sandbox.now(),
    };
    let delivery = notify::payment(&sandbox, &Order { state, ..order })?;
    let signing = match body.kind {
        ForgeKind::BadSignature => Signing::Stranger,
        ForgeKind::Probe => Signing::Probe,
        ForgeKind::UnknownSerial => Signing::UnknownSerial,
        ForgeKind::Stale => Signing::Stale,
        ForgeKind::Tampered => Signing::Tampered,
    };
    let status =
        notify::attempt(&sandbox, &Delivery { state: DeliveryState::GivenUp, ..delivery }, signing).await;
    Ok(Json(json!({ "status": status })))
}
