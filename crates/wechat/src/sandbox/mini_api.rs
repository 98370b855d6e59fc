//! The mini-program server API. Everything is answered with 200; the error number is in the JSON.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::fault::{Kind, Target};
use super::store::{Message, Row};
use super::{AccessToken, Code, Sandbox, broken_connection, lock, random};
use crate::mini::Field;

/// Minutes a code lives.
const CODE_MINUTES: i64 = 5;
/// How far the clock WeChat counts days by is ahead of UTC, in hours.
const LOCAL_HOURS: i64 = 8;
/// Seconds an access token lives.
const TOKEN_SECONDS: i64 = 7200;
/// Seconds before its end from which a stable token is replaced.
const TOKEN_RENEW_SECONDS: i64 = 300;

/// An error number with its words.
struct Errcode(i64, &'static str);

fn answer(content_type: &'static str, outcome: Result<Value, Errcode>) -> Response {
    let body = outcome.unwrap_or_else(|Errcode(errcode, errmsg)| {
        let rid = random::lower_hex(24).unwrap_or_default();
        json!({ "errcode": errcode, "errmsg": format!("{errmsg}, rid: {rid}") })
    });
    ([(CONTENT_TYPE, content_type)], body.to_string()).into_response()
}

/// Applies the fault plan around `work`.
async fn with_faults(
    sandbox: &Sandbox,
    target: Target,
    work: impl FnOnce() -> Result<Value, Errcode>,
) -> Response {
    if let Some(Kind::Delay { delay_ms }) = sandbox.strike(target, |kind| matches!(kind, Kind::Delay { .. }))
    {
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
    if sandbox.strike(target, |kind| *kind == Kind::Lose).is_some() {
        return broken_connection();
    }
    if let Some(Kind::Error { code, .. }) = sandbox.strike(target, |kind| matches!(kind, Kind::Error { .. }))
    {
        return answer("application/json", Err(Errcode(code.parse().unwrap_or(-1), "on order")));
    }
    let outcome = work();
    if sandbox.strike(target, |kind| *kind == Kind::DropAfterCommit).is_some() {
        return broken_connection();
    }
    // The login call has long been labelled plain text.
    let content_type =
        if target == Target::Login { "text/plain" } else { "application/json; encoding=utf-8" };
    answer(content_type, outcome)
}

#[derive(Deserialize)]
pub(super) struct LoginQuery {
    #[serde(default)]
    appid: String,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    js_code: String,
    #[serde(default)]
    grant_type: String,
}

/// The day as WeChat counts it.
fn local_day(at: DateTime<Utc>) -> NaiveDate {
    (at + TimeDelta::hours(LOCAL_HOURS)).date_naive()
}

/// Checks appid and secret.
fn check_app(sandbox: &Sandbox, appid: &str, secret: &str) -> Result<(), Errcode> {
    match (appid, secret) {
        ("", _) => Err(Errcode(41002, "appid missing")),
        (_, "") => Err(Errcode(41004, "appsecret missing")),
        (appid, _) if appid != sandbox.config.appid => Err(Errcode(40013, "invalid appid")),
        (_, secret) if secret != sandbox.config.secret => Err(Errcode(40125, "invalid appsecret")),
        _ => Ok(()),
    }
}

/// Spends a code of the right kind.
fn spend(sandbox: &Sandbox, code: &str, is_phone: bool) -> Result<Code, Errcode> {
    let invalid = || Errcode(40029, "invalid code");
    let mut codes = lock(&sandbox.codes);
    let fits = codes.get(code).is_some_and(|held| held.phone.is_some() == is_phone);
    let held = if fits { codes.remove(code) } else { None };
    let held = held.ok_or_else(invalid)?;
    let is_alive = sandbox.now() < held.issued_at + TimeDelta::minutes(CODE_MINUTES);
    if is_alive { Ok(held) } else { Err(invalid()) }
}

pub(super) async fn code2session(
    State(sandbox): State<Arc<Sandbox>>,
    Query(query): Query<LoginQuery>,
) -> Response {
    with_faults(&sandbox, Target::Login, || {
        check_app(&sandbox, &query.appid, &query.secret)?;
        if query.js_code.is_empty() {
            return Err(Errcode(41008, "missing code"));
        }
        if query.grant_type != "authorization_code" {
            return Err(Errcode(40002, "invalid grant_type"));
        }
        let code = spend(&sandbox, &query.js_code, false)?;
        let session_key = random::letters(22).map_err(|_| Errcode(-1, "system error"))?;
        Ok(json!({ "openid": code.openid, "session_key": format!("{session_key}==") }))
    })
    .await
}

#[derive(Deserialize, Default)]
struct TokenBody {
    #[serde(default)]
    grant_type: String,
    #[serde(default)]
    appid: String,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    force_refresh: bool,
}

pub(super) async fn stable_token(State(sandbox): State<Arc<Sandbox>>, body: Bytes) -> Response {
    let outcome = || {
        let body: TokenBody =
            serde_json::from_slice(&body).map_err(|_| Errcode(47001, "data format error"))?;
        check_app(&sandbox, &body.appid, &body.secret)?;
        if body.grant_type != "client_credential" {
            return Err(Errcode(40002, "invalid grant_type"));
        }
        let now = sandbox.now();
        let mut tokens = lock(&sandbox.token);
        tokens.fetched_count += 1;
        let held = &mut tokens.held;
        let renew_at = |token: &AccessToken| token.expires_at - TimeDelta::seconds(TOKEN_RENEW_SECONDS);
        if body.force_refresh || held.as_ref().is_none_or(|token| now >= renew_at(token)) {
            let token = random::letters(136).map_err(|_| Errcode(-1, "system error"))?;
            *held = Some(AccessToken { token, expires_at: now + TimeDelta::seconds(TOKEN_SECONDS) });
        }
        let token = held.as_ref().ok_or(Errcode(-1, "system error"))?;
        let expires_in = (token.expires_at - now).num_seconds();
        Ok(json!({ "access_token": token.token, "expires_in": expires_in }))
    };
    answer("application/json; encoding=utf-8", outcome())
}

#[derive(Deserialize)]
pub(super) struct TokenQuery {
    #[serde(default)]
    access_token: String,
}

fn check_token(sandbox: &Sandbox, query: &TokenQuery) -> Result<(), Errcode> {
    if query.access_token.is_empty() {
        return Err(Errcode(41001, "access_token missing"));
    }
    let tokens = lock(&sandbox.token);
    match tokens.held.as_ref() {
        Some(held) if held.token == query.access_token && sandbox.now() < held.expires_at => Ok(()),
        Some(held) if held.token == query.access_token => Err(Errcode(42001, "access_token expired")),
        Some(_) | None => Err(Errcode(40001, "invalid credential, access_token is invalid or not latest")),
    }
}

pub(super) async fn phone_number(
    State(sandbox): State<Arc<Sandbox>>,
    Query(query): Query<TokenQuery>,
    body: Bytes,
) -> Response {
    #[derive(Deserialize)]
    struct Body {
        code: String,
        openid: Option<String>,
    }
    with_faults(&sandbox, Target::Phone, || {
        check_token(&sandbox, &query)?;
        let body: Body = serde_json::from_slice(&body).map_err(|_| Errcode(47001, "data format error"))?;
        let code = spend(&sandbox, &body.code, true)?;
        if body.openid.is_some_and(|openid| openid != code.openid) {
            return Err(Errcode(40029, "invalid code"));
        }
        let phone = code.phone.unwrap_or_default();
        Ok(json!({
            "errcode": 0,
            "errmsg": "ok",
            "phone_info": {
                "phoneNumber": phone,
                "purePhoneNumber": phone,
                "countryCode": "86",
                "watermark": { "timestamp": sandbox.now().timestamp(), "appid": sandbox.config.appid },
            },
        }))
    })
    .await
}

pub(super) async fn send_message(
    State(sandbox): State<Arc<Sandbox>>,
    Query(query): Query<TokenQuery>,
    body: Bytes,
) -> Response {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        touser: String,
        #[serde(default)]
        template_id: String,
        page: Option<String>,
        #[serde(default)]
        data: Map<String, Value>,
    }
    with_faults(&sandbox, Target::Message, || {
        check_token(&sandbox, &query)?;
        let body: Body = serde_json::from_slice(&body).map_err(|_| Errcode(47001, "data format error"))?;
        if body.touser.is_empty() {
            return Err(Errcode(40003, "invalid openid"));
        }
        if body.template_id.is_empty() {
            return Err(Errcode(40037, "invalid template_id"));
        }
        for (key, value) in &body.data {
            let value = value["value"].as_str().unwrap_or_default();
            Field::new(key, value)
                .check()
                .map_err(|_| Errcode(47003, "argument invalid! data value invalid"))?;
        }
        let mut store = lock(&sandbox.store);
        let today = local_day(sandbox.now());
        let sent_today = store.messages.iter().rev().take_while(|sent| local_day(sent.sent_at) == today);
        let limit = *lock(&sandbox.message_day_count);
        if limit.is_some_and(|limit| u64::try_from(sent_today.count()).unwrap_or(u64::MAX) >= limit) {
            return Err(Errcode(45009, "reach max api daily quota limit"));
        }
        if store.acceptances(&body.touser, &body.template_id).1 == 0 {
            return Err(Errcode(43101, "user refuse to accept the msg"));
        }
        let msgid = u64::try_from(store.messages.len()).unwrap_or_default() + 1;
        let message = Message {
            msgid,
            touser: body.touser,
            template_id: body.template_id,
            page: body.page,
            data: Value::Object(body.data),
            sent_at: sandbox.now(),
        };
        store.put(Row::Message(message)).map_err(|_| Errcode(-1, "system error"))?;
        Ok(json!({ "errcode": 0, "errmsg": "ok", "msgid": msgid }))
    })
    .await
}
