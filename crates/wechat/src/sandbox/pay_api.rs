//! APIv3 over HTTP: the request's signature is checked before anything else, the answer is signed after everything else.
//!
//! Answers of 2xx are signed with the key the request names in `Wechatpay-Serial`; errors and bill files are not signed.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, TimeDelta, Utc};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::books::{self, ORDER_DAYS, Order, OrderState, Refund, RefundState, Refused};
use super::fault::{Kind, Target};
use super::notify::{self, Ending};
use super::store::{Row, Store};
use super::{Account, Sandbox, bill, broken_connection, lock, random};
use crate::crypto::{MerchantKey, SCHEME, SignatureHeaders, VerifyError};
use crate::pay::{is_order_no, is_refund_no};

/// Longest request body taken, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// What a method answers.
enum Reply {
    /// 200 with JSON, signed.
    Json(Value),
    /// 204, signed.
    Empty,
    /// 200 with a bill, not signed.
    File(Vec<u8>),
}

/// A request whose signature was good.
struct Request<'a> {
    account: &'a Account,
    method: Method,
    /// Decoded segments after `/v3`.
    segments: Vec<String>,
    query: Vec<(String, String)>,
    host: String,
    body: Bytes,
}

impl Request<'_> {
    fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Reads the body; an unknown field is refused like at WeChat.
    fn json<T: DeserializeOwned>(&self) -> Result<(T, Value), Refused> {
        let value: Value = serde_json::from_slice(&self.body)
            .map_err(|_| Refused::new(400, "PARAM_ERROR", "无法将输入源“/body/”映射到数据结构"))?;
        check_text(&value, "")?;
        let typed = T::deserialize(&value).map_err(|error| {
            let words = error.to_string();
            let refused = Refused::parameter("/", &words);
            if words.starts_with("unknown field") { refused.with_number(270_924_358) } else { refused }
        })?;
        Ok((typed, value))
    }
}

/// Refuses null and characters of more than three bytes, anywhere.
fn check_text(value: &Value, path: &str) -> Result<(), Refused> {
    match value {
        Value::Null => Err(Refused::parameter(path, "null is not allowed")),
        Value::String(text) if text.chars().any(|character| u32::from(character) > 0xFFFF) => {
            Err(Refused::parameter(path, "only UTF-8 characters of 1 to 3 bytes are allowed"))
        }
        Value::Array(items) => items.iter().try_for_each(|item| check_text(item, path)),
        Value::Object(fields) => {
            fields.iter().try_for_each(|(name, field)| check_text(field, &format!("{path}/{name}")))
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// Answers every `/v3` path.
pub(super) async fn handle(
    State(sandbox): State<Arc<Sandbox>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return refuse(&Refused::new(400, "PARAM_ERROR", "请求体过大"));
    };
    let request = match accept(&sandbox, method, &uri, &headers, body) {
        Ok(request) => request,
        Err(refused) => return refuse(&refused),
    };
    let key = match answer_key(&sandbox, &headers) {
        Ok(key) => key,
        Err(refused) => return refuse(&refused),
    };
    let target = target_of(&request);
    if let Some(target) = target {
        if let Some(Kind::Delay { delay_ms }) =
            sandbox.strike(target, |kind| matches!(kind, Kind::Delay { .. }))
        {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        }
        if sandbox.strike(target, |kind| *kind == Kind::Lose).is_some() {
            return broken_connection();
        }
        if let Some(Kind::Error { status, code }) =
            sandbox.strike(target, |kind| matches!(kind, Kind::Error { .. }))
        {
            return refuse_with(status, &code, "按故障计划返回", 268_435_456, None);
        }
    }
    let reply = match dispatch(&sandbox, &request) {
        Ok(reply) => reply,
        Err(refused) => return refuse(&refused),
    };
    let struck =
        |kind: Kind| target.is_some_and(|target| sandbox.strike(target, |held| *held == kind).is_some());
    if struck(Kind::DropAfterCommit) {
        return broken_connection();
    }
    let is_forged = struck(Kind::Forge);
    answer(&sandbox, reply, key, is_forged)
}

/// Checks `Authorization`, by attribute name because their order is free.
fn accept<'a>(
    sandbox: &'a Sandbox,
    method: Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Request<'a>, Refused> {
    let target = uri.path_and_query().map_or_else(|| uri.path(), |target| target.as_str());
    let sign_error = |issue: &str| {
        let mut refused = Refused::new(401, "SIGN_ERROR", "签名错误，请检查后再试");
        refused.detail = Some(json!({
            "field": "signature",
            "issue": issue,
            "location": "authorization",
            "sign_information": {
                "method": method.as_str(),
                "url": target,
                "sign_message_length": body.len(),
            },
        }));
        refused
    };
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let attributes =
        header.strip_prefix(SCHEME).ok_or_else(|| sign_error("no authorization of a known scheme"))?;
    let attribute = |name: &str| {
        attributes
            .split(',')
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.trim_matches('"'))
            .ok_or_else(|| sign_error(&format!("{name} is missing")))
    };
    let (mchid, serial) = (attribute("mchid")?, attribute("serial_no")?);
    let (timestamp, nonce, signature) =
        (attribute("timestamp")?, attribute("nonce_str")?, attribute("signature")?);
    if nonce.is_empty() || nonce.len() > 32 {
        return Err(sign_error("nonce_str is not 1 to 32 characters"));
    }
    let account = sandbox.account(mchid).ok_or_else(|| sign_error("the merchant is unknown"))?;
    if serial != account.serial_no {
        return Err(sign_error("商户证书序列号有误"));
    }
    if headers.get(http::header::USER_AGENT).is_none() {
        return Err(Refused::new(400, "PARAM_ERROR", "缺少 User-Agent"));
    }
    let signed = SignatureHeaders {
        timestamp: timestamp.to_owned(),
        nonce: nonce.to_owned(),
        signature: signature.to_owned(),
        serial: serial.to_owned(),
    };
    account.keys.verify_request(&signed, method.as_str(), target, &body, sandbox.now()).map_err(|error| {
        let VerifyError::Skew { seconds } = error else {
            return sign_error("the signature does not match");
        };
        sign_error(&format!("the timestamp is {seconds} seconds away"))
    })?;
    let segments = uri.path().split('/').skip(2).map(decode).collect();
    let url = reqwest::Url::parse(&format!("http://sandbox{target}"));
    let query = url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default();
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    Ok(Request { account, method, segments, query, host, body })
}

/// The key the merchant wants the answer signed with.
fn answer_key<'a>(sandbox: &'a Sandbox, headers: &HeaderMap) -> Result<&'a MerchantKey, Refused> {
    let wanted = headers.get("Wechatpay-Serial").and_then(|value| value.to_str().ok());
    let key = match wanted {
        Some(serial) => sandbox.platform.iter().find(|key| key.serial_no() == serial),
        // Who names no key is an old client and gets a certificate's, when there is one.
        None => {
            let is_certificate = |key: &&MerchantKey| !key.serial_no().starts_with("PUB_KEY_ID_");
            sandbox.platform.iter().find(is_certificate).or_else(|| sandbox.platform.first())
        }
    };
    key.ok_or_else(|| Refused::new(400, "PARAM_ERROR", "Wechatpay-Serial 不是有效的平台证书序列号或公钥ID"))
}

fn target_of(request: &Request<'_>) -> Option<Target> {
    let last = request.segments.last().map(String::as_str);
    match (request.segments.first().map(String::as_str), &request.method, last) {
        (Some("pay"), &Method::POST, Some("jsapi")) => Some(Target::Order),
        (Some("pay"), &Method::POST, Some("close")) => Some(Target::Close),
        (Some("pay" | "refund"), &Method::GET, _) => Some(Target::Query),
        (Some("refund"), &Method::POST, _) => Some(Target::Refund),
        (Some("bill"), &Method::GET, _) => Some(Target::Bill),
        _ => None,
    }
}

fn dispatch(sandbox: &Arc<Sandbox>, request: &Request<'_>) -> Result<Reply, Refused> {
    let segments = request.segments.iter().map(String::as_str).collect::<Vec<_>>();
    let is_partner = !request.account.sub_mchids.is_empty();
    let rest = match (is_partner, segments.as_slice()) {
        (false, ["pay", "transactions", rest @ ..])
        | (true, ["pay", "partner", "transactions", rest @ ..]) => {
            return transactions(sandbox, request, rest);
        }
        (_, ["pay", ..]) => return Err(Refused::new(403, "NO_AUTH", "商户类型与接口不匹配")),
        (_, rest) => rest,
    };
    match (&request.method, rest) {
        (&Method::POST, ["refund", "domestic", "refunds"]) => refund(sandbox, request),
        (&Method::GET, ["refund", "domestic", "refunds", number]) => query_refund(sandbox, request, number),
        (&Method::GET, ["bill", "tradebill"]) => trade_bill(sandbox, request),
        (&Method::GET, ["bill", "fundflowbill"]) => fund_bill(sandbox, request),
        (&Method::GET, ["billdownload", "file"]) => download(sandbox, request),
        (&Method::GET, ["certificates"]) => Err(Refused::new(
            404,
            "RESOURCE_NOT_EXISTS",
            "无可用的平台证书，请在商户平台申请使用微信支付公钥",
        )),
        _ => Err(Refused::new(404, "RESOURCE_NOT_EXISTS", "接口不存在")),
    }
}

fn transactions(sandbox: &Arc<Sandbox>, request: &Request<'_>, rest: &[&str]) -> Result<Reply, Refused> {
    match (&request.method, rest) {
        (&Method::POST, ["jsapi"]) => create_order(sandbox, request),
        (&Method::GET, ["out-trade-no", number]) => query_order(sandbox, request, OrderName::Number(number)),
        (&Method::GET, ["id", id]) => query_order(sandbox, request, OrderName::Transaction(id)),
        (&Method::POST, ["out-trade-no", number, "close"]) => close_order(sandbox, request, number),
        _ => Err(Refused::new(404, "RESOURCE_NOT_EXISTS", "接口不存在")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderBody {
    appid: Option<String>,
    mchid: Option<String>,
    sp_appid: Option<String>,
    sp_mchid: Option<String>,
    sub_appid: Option<String>,
    sub_mchid: Option<String>,
    description: String,
    out_trade_no: String,
    time_expire: Option<DateTime<Utc>>,
    attach: Option<String>,
    notify_url: String,
    #[serde(rename = "goods_tag")]
    _goods_tag: Option<String>,
    #[serde(rename = "support_fapiao")]
    _support_fapiao: Option<bool>,
    #[serde(rename = "limit_pay")]
    _limit_pay: Option<Vec<String>>,
    amount: AmountBody,
    payer: PayerBody,
    detail: Option<DetailBody>,
    #[serde(rename = "scene_info")]
    _scene_info: Option<Value>,
    #[serde(rename = "settle_info")]
    _settle_info: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AmountBody {
    total: i64,
    currency: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PayerBody {
    openid: Option<String>,
    sp_openid: Option<String>,
    sub_openid: Option<String>,
    #[serde(rename = "identity")]
    _identity: Option<Value>,
}

#[derive(Deserialize)]
struct DetailBody {
    goods_detail: Option<Vec<Value>>,
}

fn within(text: &str, limit: usize, field: &str) -> Result<(), Refused> {
    let len = text.chars().count();
    if (1..=limit).contains(&len) {
        Ok(())
    } else {
        Err(Refused::parameter(field, &format!("length must be 1 to {limit}")))
    }
}

fn check_notify_url(sandbox: &Sandbox, url: &str, limit: usize) -> Result<(), Refused> {
    let refuse = |issue| Err(Refused::parameter("/notify_url", issue));
    within(url, limit, "/notify_url")?;
    match reqwest::Url::parse(url) {
        Ok(url) if url.query().is_some() => refuse("must not carry a query"),
        Ok(url) if url.scheme() == "https" => Ok(()),
        Ok(url) if url.scheme() == "http" && sandbox.config.allow_http_notify => Ok(()),
        Ok(_) | Err(_) => refuse("must be an https URL"),
    }
}

/// Decides which merchant a body is for: `claimed` is what it says of the signer.
fn check_merchants(
    request: &Request<'_>,
    claimed: Option<&str>,
    sub_mchid: Option<&str>,
) -> Result<Option<String>, Refused> {
    let account = request.account;
    if claimed.is_some_and(|claimed| claimed != account.mchid) {
        return Err(Refused::parameter("/mchid", "请求的商户号与签名商户号不一致"));
    }
    match (account.sub_mchids.is_empty(), sub_mchid) {
        (true, None) => Ok(None),
        (true, Some(_)) => {
            Err(Refused::parameter("/sub_mchid", "unknown field of a direct merchant")
                .with_number(270_924_358))
        }
        (false, None) => Err(Refused::parameter("/sub_mchid", "is missing")),
        (false, Some(sub_mchid)) if account.sub_mchids.iter().any(|own| own == sub_mchid) => {
            Ok(Some(sub_mchid.to_owned()))
        }
        (false, Some(_)) => Err(Refused::new(403, "NO_AUTH", "特约商户未授权服务商")),
    }
}

fn create_order(sandbox: &Arc<Sandbox>, request: &Request<'_>) -> Result<Reply, Refused> {
    let (body, raw): (OrderBody, Value) = request.json()?;
    let is_partner = !request.account.sub_mchids.is_empty();
    let (appid, mchid) = if is_partner {
        if body.appid.is_some() || body.mchid.is_some() || body.payer.openid.is_some() {
            return Err(Refused::parameter("/appid", "unknown field of a partner").with_number(270_924_358));
        }
        (body.sp_appid, body.sp_mchid)
    } else {
        if body.sp_appid.is_some() || body.sp_mchid.is_some() || body.sub_appid.is_some() {
            let refused = Refused::parameter("/sp_appid", "unknown field of a direct merchant");
            return Err(refused.with_number(270_924_358));
        }
        (body.appid, body.mchid)
    };
    let mchid = mchid.ok_or_else(|| Refused::parameter("/mchid", "is missing"))?;
    let sub_mchid = check_merchants(request, Some(&mchid), body.sub_mchid.as_deref())?;
    let appid = appid.ok_or_else(|| Refused::parameter("/appid", "is missing"))?;
    if appid != sandbox.config.appid {
        return Err(Refused::new(400, "APPID_MCHID_NOT_MATCH", "appid和mchid不匹配"));
    }
    if !is_order_no(&body.out_trade_no) {
        return Err(Refused::parameter("/out_trade_no", "must be 6 to 32 letters, digits or _-|*"));
    }
    within(&body.description, 127, "/description")?;
    if let Some(attach) = &body.attach {
        within(attach, 128, "/attach")?;
    }
    check_notify_url(sandbox, &body.notify_url, 255)?;
    if body.amount.total < 1 {
        return Err(Refused::parameter("/amount/total", "must be at least 1"));
    }
    if body.amount.currency.as_deref().is_some_and(|currency| currency != "CNY") {
        return Err(Refused::parameter("/amount/currency", "must be CNY"));
    }
    if body.detail.is_some_and(|detail| detail.goods_detail.is_some_and(|goods| goods.is_empty())) {
        return Err(Refused::parameter("/detail/goods_detail", "must not be empty"));
    }
    let payers = [
        ("openid", body.payer.openid),
        ("sp_openid", body.payer.sp_openid),
        ("sub_openid", body.payer.sub_openid),
    ];
    let mut given = payers.into_iter().filter_map(|(field, openid)| openid.map(|openid| (field, openid)));
    let (payer_field, openid) =
        given.next().ok_or_else(|| Refused::parameter("/payer/openid", "is missing"))?;
    if (payer_field == "openid") == is_partner || (payer_field == "sub_openid" && body.sub_appid.is_none()) {
        return Err(Refused::parameter("/payer", "openid与appid不匹配"));
    }
    within(&openid, 128, "/payer/openid")?;
    let now = sandbox.now();
    let asked = body.time_expire.unwrap_or(now + TimeDelta::days(ORDER_DAYS));
    let expires_at = asked.clamp(now + TimeDelta::minutes(1), now + TimeDelta::days(90));
    let prepay_id = format!("wx{}{}", bill::local(now).format("%Y%m%d%H%M%S"), random::lower_hex(20)?);
    let fresh = Order {
        out_trade_no: body.out_trade_no,
        mchid,
        sub_mchid,
        appid,
        sub_appid: body.sub_appid,
        payer_field: payer_field.to_owned(),
        openid,
        description: body.description,
        attach: body.attach,
        notify_url: body.notify_url,
        total_fen: body.amount.total,
        request: raw,
        created_at: now,
        expires_at,
        prepay_id,
        prepaid_at: now,
        state: OrderState::Open,
    };
    let mut store = lock(&sandbox.store);
    let held = store.orders.get(&(fresh.mchid.clone(), fresh.out_trade_no.clone()));
    let order = match held {
        Some(held) => held.reenter(&fresh, now)?,
        None => fresh,
    };
    let reply = Reply::Json(json!({ "prepay_id": order.prepay_id }));
    store.put(Row::Order(order))?;
    Ok(reply)
}

fn not_exist() -> Refused {
    Refused::new(404, "ORDER_NOT_EXIST", "订单不存在")
}

/// How a request names an order.
#[derive(Clone, Copy)]
enum OrderName<'a> {
    Number(&'a str),
    Transaction(&'a str),
}

/// The signer's order of that name, for the sub-merchant the query or body names.
fn own_order<'s>(
    store: &'s Store,
    account: &Account,
    sub_mchid: Option<&str>,
    name: OrderName<'_>,
) -> Option<&'s Order> {
    let order = match name {
        OrderName::Number(number) => store.order(&account.mchid, number),
        OrderName::Transaction(id) => store.orders.values().find(|order| {
            let is_it =
                matches!(&order.state, OrderState::Paid { transaction_id, .. } if transaction_id == id);
            is_it && order.mchid == account.mchid
        }),
    };
    order.filter(|order| order.sub_mchid.as_deref() == sub_mchid)
}

fn query_order(sandbox: &Sandbox, request: &Request<'_>, name: OrderName<'_>) -> Result<Reply, Refused> {
    let is_partner = !request.account.sub_mchids.is_empty();
    let claimed = request.query(if is_partner { "sp_mchid" } else { "mchid" });
    let claimed = claimed.ok_or_else(|| Refused::parameter("/mchid", "is missing"))?;
    let sub_mchid = check_merchants(request, Some(claimed), request.query("sub_mchid"))?;
    let store = lock(&sandbox.store);
    let order = own_order(&store, request.account, sub_mchid.as_deref(), name).ok_or_else(not_exist)?;
    let is_refund_asked = !store.refunds_of(order).is_empty();
    Ok(Reply::Json(transaction(order, is_refund_asked, sandbox.now())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CloseBody {
    mchid: Option<String>,
    sp_mchid: Option<String>,
    sub_mchid: Option<String>,
}

fn close_order(sandbox: &Sandbox, request: &Request<'_>, number: &str) -> Result<Reply, Refused> {
    let (body, _): (CloseBody, _) = request.json()?;
    let claimed = body.mchid.or(body.sp_mchid).ok_or_else(|| Refused::parameter("/mchid", "is missing"))?;
    let sub_mchid = check_merchants(request, Some(&claimed), body.sub_mchid.as_deref())?;
    let mut store = lock(&sandbox.store);
    let order = own_order(&store, request.account, sub_mchid.as_deref(), OrderName::Number(number));
    let order = order.ok_or_else(not_exist)?.close(sandbox.now())?;
    store.put(Row::Order(order))?;
    Ok(Reply::Empty)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundBody {
    sub_mchid: Option<String>,
    transaction_id: Option<String>,
    out_trade_no: Option<String>,
    out_refund_no: String,
    reason: Option<String>,
    notify_url: Option<String>,
    #[serde(rename = "funds_account")]
    _funds_account: Option<String>,
    amount: RefundAmountBody,
    #[serde(rename = "goods_detail")]
    _goods_detail: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundAmountBody {
    refund: i64,
    total: i64,
    currency: String,
    #[serde(rename = "from")]
    _from: Option<Value>,
}

fn refund(sandbox: &Arc<Sandbox>, request: &Request<'_>) -> Result<Reply, Refused> {
    let (body, raw): (RefundBody, Value) = request.json()?;
    let sub_mchid = check_merchants(request, None, body.sub_mchid.as_deref())?;
    if !is_refund_no(&body.out_refund_no) {
        return Err(Refused::parameter("/out_refund_no", "must be 1 to 64 letters, digits or _-|*@"));
    }
    if let Some(reason) = &body.reason {
        within(reason, 80, "/reason")?;
    }
    if let Some(url) = &body.notify_url {
        check_notify_url(sandbox, url, 256)?;
    }
    if body.amount.refund < 1 || body.amount.total < 1 || body.amount.currency != "CNY" {
        return Err(Refused::parameter("/amount", "must be at least 1 fen of CNY"));
    }
    let now = sandbox.now();
    let mchid = request.account.mchid.clone();
    let mut store = lock(&sandbox.store);
    if let Some(held) = store.refunds.get(&(mchid.clone(), body.out_refund_no.clone())) {
        if held.request != raw {
            return Err(Refused::new(400, "INVALID_REQUEST", "请求参数与原退款单不一致"));
        }
        return Ok(Reply::Json(refund_json(held)));
    }
    let name = match (&body.out_trade_no, &body.transaction_id) {
        (Some(number), None) => OrderName::Number(number),
        (None, Some(id)) => OrderName::Transaction(id),
        (Some(_), Some(_)) | (None, None) => {
            return Err(Refused::parameter(
                "/out_trade_no",
                "exactly one of transaction_id and out_trade_no",
            ));
        }
    };
    let order = own_order(&store, request.account, sub_mchid.as_deref(), name);
    let order = order.ok_or_else(|| Refused::new(404, "RESOURCE_NOT_EXISTS", "订单不存在"))?;
    let refunds = store.refunds_of(order);
    let interval_seconds = sandbox.config.refund_interval_seconds;
    let (refund_fen, total_fen) = (body.amount.refund, body.amount.total);
    let transaction_id = books::check_refund(order, &refunds, refund_fen, total_fen, interval_seconds, now)?;
    let refund = Refund {
        out_refund_no: body.out_refund_no,
        refund_id: format!("5030{}", random::digits(25)?),
        mchid,
        sub_mchid,
        out_trade_no: order.out_trade_no.clone(),
        transaction_id,
        refund_fen,
        total_fen,
        notify_url: body.notify_url,
        request: raw,
        created_at: now,
        state: RefundState::Processing,
    };
    let reply = Reply::Json(refund_json(&refund));
    let key = (refund.mchid.clone(), refund.out_refund_no.clone());
    store.put(Row::Refund(refund))?;
    drop(store);
    let ending =
        match sandbox.strike(Target::Refund, |kind| matches!(kind, Kind::Abnormal | Kind::RefundClosed)) {
            Some(Kind::Abnormal) => Ending::Abnormal,
            Some(Kind::RefundClosed) => Ending::Closed,
            Some(_) | None => Ending::Success,
        };
    notify::finish_refund_later(sandbox, key, ending);
    Ok(reply)
}

fn query_refund(sandbox: &Sandbox, request: &Request<'_>, number: &str) -> Result<Reply, Refused> {
    let sub_mchid = check_merchants(request, None, request.query("sub_mchid"))?;
    let store = lock(&sandbox.store);
    let refund = store.refunds.get(&(request.account.mchid.clone(), number.to_owned()));
    let refund = refund.filter(|refund| refund.sub_mchid == sub_mchid);
    let refund = refund.ok_or_else(|| Refused::new(404, "RESOURCE_NOT_EXISTS", "退款单不存在"))?;
    Ok(Reply::Json(refund_json(refund)))
}

fn trade_bill(sandbox: &Sandbox, request: &Request<'_>) -> Result<Reply, Refused> {
    if !matches!(request.query("bill_type"), None | Some("ALL")) {
        return Err(Refused::new(400, "INVALID_REQUEST", "沙箱只提供 ALL 账单"));
    }
    let date = bill_date(sandbox, request)?;
    let changes = lock(&sandbox.bill_changes).clone();
    let sub_mchid = request.query("sub_mchid");
    let mchid = &request.account.mchid;
    let text = bill::trade_bill(&lock(&sandbox.store), mchid, sub_mchid, date, &changes);
    announce(sandbox, request, text)
}

fn fund_bill(sandbox: &Sandbox, request: &Request<'_>) -> Result<Reply, Refused> {
    if !matches!(request.query("account_type"), None | Some("BASIC")) {
        return Err(Refused::new(400, "INVALID_REQUEST", "沙箱只提供 BASIC 账单"));
    }
    let date = bill_date(sandbox, request)?;
    let text = bill::fund_bill(&lock(&sandbox.store), &request.account.mchid, date);
    announce(sandbox, request, text)
}

/// The day asked for, when its bills exist.
fn bill_date(sandbox: &Sandbox, request: &Request<'_>) -> Result<chrono::NaiveDate, Refused> {
    let invalid = |message| Refused::new(400, "INVALID_REQUEST", message);
    let date = request
        .query("bill_date")
        .and_then(|date| date.parse().ok())
        .ok_or_else(|| invalid("账单日期格式不正确"))?;
    let now = sandbox.now();
    let today = bill::local(now).date();
    if date >= today || date < today - TimeDelta::days(90) {
        return Err(invalid("账单日期不在可下载范围内"));
    }
    let is_yesterday = date == today - TimeDelta::days(1);
    let hour = chrono::Timelike::hour(&bill::local(now));
    if is_yesterday && hour < sandbox.config.bill_ready_hour {
        return Err(Refused::new(400, "STATEMENT_CREATING", "账单正在生成，请稍后再试"));
    }
    Ok(date)
}

/// Puts a bill where it can be fetched and announces it.
fn announce(sandbox: &Sandbox, request: &Request<'_>, text: Option<String>) -> Result<Reply, Refused> {
    let is_gzip = match request.query("tar_type") {
        None => false,
        Some("GZIP") => true,
        Some(_) => return Err(Refused::new(400, "INVALID_REQUEST", "不支持的压缩方式")),
    };
    let text = text.ok_or_else(|| Refused::new(400, "NO_STATEMENT_EXIST", "当日无交易"))?;
    let hash = crate::crypto::bill_sha1(text.as_bytes());
    let mut bytes = text.into_bytes();
    match sandbox.strike(Target::Bill, |kind| matches!(kind, Kind::Alter | Kind::Truncate)) {
        Some(Kind::Alter) => {
            if let Some(digit) = bytes.iter_mut().rev().find(|byte| byte.is_ascii_digit()) {
                *digit = if *digit == b'9' { b'0' } else { *digit + 1 };
            }
        }
        Some(_) => bytes.truncate(bytes.len() / 2),
        None => {}
    }
    let bytes = if is_gzip { bill::gzip(&bytes)? } else { bytes };
    let token = random::letters(40)?;
    let now = sandbox.now();
    let file = super::BillFile { mchid: request.account.mchid.clone(), bytes, issued_at: now };
    lock(&sandbox.bills).insert(token.clone(), file);
    Ok(Reply::Json(json!({
        "hash_type": "SHA1",
        "hash_value": hash,
        "download_url": format!("http://{}/v3/billdownload/file?token={token}", request.host),
    })))
}

fn download(sandbox: &Sandbox, request: &Request<'_>) -> Result<Reply, Refused> {
    let now = sandbox.now();
    let bills = lock(&sandbox.bills);
    let file = request.query("token").and_then(|token| bills.get(token));
    let is_open = |file: &&super::BillFile| {
        file.mchid == request.account.mchid && now < file.issued_at + TimeDelta::minutes(5)
    };
    let file =
        file.filter(is_open).ok_or_else(|| Refused::new(400, "INVALID_REQUEST", "下载链接无效或已过期"))?;
    Ok(Reply::File(file.bytes.clone()))
}

/// A transaction as queries and notifications show it.
pub(super) fn transaction(order: &Order, is_refund_asked: bool, now: DateTime<Utc>) -> Value {
    let state = order.trade_state(is_refund_asked, now);
    let mut json = match &order.sub_mchid {
        None => json!({ "appid": order.appid, "mchid": order.mchid }),
        Some(sub_mchid) => {
            json!({ "sp_appid": order.appid, "sp_mchid": order.mchid, "sub_mchid": sub_mchid })
        }
    };
    if let Some(sub_appid) = &order.sub_appid {
        json["sub_appid"] = json!(sub_appid);
    }
    json["out_trade_no"] = json!(order.out_trade_no);
    json["trade_state"] = json!(state);
    json["trade_state_desc"] = json!(match state {
        "SUCCESS" => "支付成功",
        "REFUND" => "转入退款",
        "CLOSED" => "订单已关闭",
        _ => "订单未支付",
    });
    json["amount"] = json!({ "total": order.total_fen, "currency": "CNY" });
    if let OrderState::Paid { transaction_id, amount_fen, openid, at } = &order.state {
        json["transaction_id"] = json!(transaction_id);
        json["trade_type"] = json!("JSAPI");
        json["bank_type"] = json!("OTHERS");
        json["attach"] = json!(order.attach.as_deref().unwrap_or_default());
        json["success_time"] = json!(bill::rfc3339(*at));
        json["payer"] = json!({ (order.payer_field.as_str()): openid });
        json["amount"] = json!({
            "total": amount_fen, "payer_total": amount_fen, "currency": "CNY", "payer_currency": "CNY",
        });
        json["promotion_detail"] = json!([]);
    }
    json
}

/// A refund as its answer and its query show it.
fn refund_json(refund: &Refund) -> Value {
    let mut json = json!({
        "refund_id": refund.refund_id,
        "out_refund_no": refund.out_refund_no,
        "transaction_id": refund.transaction_id,
        "out_trade_no": refund.out_trade_no,
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": bill::rfc3339(refund.created_at),
        "status": refund.state.word(),
        "funds_account": "AVAILABLE",
        "amount": {
            "total": refund.total_fen,
            "refund": refund.refund_fen,
            "payer_total": refund.total_fen,
            "payer_refund": refund.refund_fen,
            "settlement_total": refund.total_fen,
            "settlement_refund": refund.refund_fen,
            "discount_refund": 0,
            "currency": "CNY",
        },
        "promotion_detail": [],
    });
    if let RefundState::Success { at } = refund.state {
        json["success_time"] = json!(bill::rfc3339(at));
    }
    json
}

fn refuse(refused: &Refused) -> Response {
    refuse_with(refused.status, refused.code, &refused.message, refused.number, refused.detail.as_ref())
}

fn refuse_with(status: u16, code: &str, message: &str, number: u64, detail: Option<&Value>) -> Response {
    let mut body = json!({ "code": code, "message": message });
    if let Some(detail) = detail {
        body["detail"] = detail.clone();
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, body.to_string()).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    with_request_id(response, number)
}

fn with_request_id(mut response: Response, number: u64) -> Response {
    let id =
        random::upper_hex(32).ok().and_then(|id| HeaderValue::from_str(&format!("08{id}-{number}")).ok());
    if let Some(id) = id {
        response.headers_mut().insert("Request-ID", id);
    }
    response
}

/// Signs and sends the reply.
fn answer(sandbox: &Sandbox, reply: Reply, key: &MerchantKey, is_forged: bool) -> Response {
    let (status, body) = match reply {
        Reply::Json(json) => (StatusCode::OK, json.to_string().into_bytes()),
        Reply::Empty => (StatusCode::NO_CONTENT, Vec::new()),
        Reply::File(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
            return with_request_id(response, 0);
        }
    };
    let signer = if is_forged { &sandbox.stranger } else { key };
    let Ok(signature) = notify::signature_headers(signer, key.serial_no(), &body, sandbox.now()) else {
        return refuse(&Refused::new(500, "SYSTEM_ERROR", "系统异常，请稍后重试"));
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().extend(signature);
    if status == StatusCode::OK {
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, json);
    }
    with_request_id(response, 0)
}

impl From<std::io::Error> for Refused {
    fn from(error: std::io::Error) -> Self {
        tracing::error!(%error, "the sandbox journal cannot be written");
        Self::new(500, "SYSTEM_ERROR", "系统异常，请稍后重试")
    }
}

impl From<crate::crypto::CryptoError> for Refused {
    fn from(_: crate::crypto::CryptoError) -> Self {
        Self::new(500, "SYSTEM_ERROR", "系统异常，请稍后重试")
    }
}

/// Undoes percent-encoding; a broken escape stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let pair = tail.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = pair.filter(|_| *first == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
