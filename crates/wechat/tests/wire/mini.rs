//! Login, phone number, subscribe message, and the access token behind them.

use chrono::TimeDelta;
use secrecy::SecretString;
use serde_json::json;
use wechat::mini::{Error, Field, MiniProgram, MiniProgramState, SubscribeMessage};

use crate::support::{OPENID, Wire};

async fn login_code(wire: &Wire) -> String {
    wire.control("login", json!({ "openid": OPENID })).await["code"].as_str().unwrap().to_owned()
}

async fn phone_code(wire: &Wire) -> String {
    let body = json!({ "openid": OPENID, "phone": "13800138000" });
    wire.control("phone", body).await["code"].as_str().unwrap().to_owned()
}

fn message() -> SubscribeMessage {
    SubscribeMessage {
        openid: OPENID.to_owned(),
        template_id: "seat-confirmed".to_owned(),
        page: Some("pages/enrollment?id=1".to_owned()),
        fields: vec![Field::new("thing1", "书法课"), Field::new("time2", "2026年11月23日 16:30")],
        state: MiniProgramState::Formal,
    }
}

/// The user accepts so many messages of the template.
async fn subscribe(wire: &Wire, count: usize) {
    for _ in 0..count {
        wire.control("subscribe", json!({ "openid": OPENID, "template_id": "seat-confirmed" })).await;
    }
}

#[tokio::test]
async fn a_login_code_gives_the_openid_once() {
    let wire = Wire::start().await;
    let code = login_code(&wire).await;

    assert_eq!(wire.mini.code2session(&code).await.unwrap().openid, OPENID);
    assert_eq!(wire.mini.code2session(&code).await, Err(Error::CodeInvalid { errcode: 40029 }));
    assert_eq!(wire.mini.code2session("made-up").await, Err(Error::CodeInvalid { errcode: 40029 }));
}

#[tokio::test]
async fn a_code_lives_five_minutes() {
    let wire = Wire::start().await;
    let (in_time, too_late) = (login_code(&wire).await, login_code(&wire).await);

    wire.advance(TimeDelta::minutes(5) - TimeDelta::seconds(1));
    assert!(wire.mini.code2session(&in_time).await.is_ok());
    wire.advance(TimeDelta::seconds(1));
    assert_eq!(wire.mini.code2session(&too_late).await, Err(Error::CodeInvalid { errcode: 40029 }));
}

#[tokio::test]
async fn a_phone_code_gives_the_number_to_its_own_user_only() {
    let wire = Wire::start().await;

    let phone = wire.mini.phone_number(&phone_code(&wire).await, OPENID).await.unwrap();
    let stolen = wire.mini.phone_number(&phone_code(&wire).await, "oSomeoneElse").await;

    assert_eq!((phone.number.as_str(), phone.country_code.as_str()), ("13800138000", "86"));
    assert_eq!(stolen, Err(Error::CodeInvalid { errcode: 40029 }));
    let login = wire.mini.phone_number(&login_code(&wire).await, OPENID).await;
    assert_eq!(login, Err(Error::CodeInvalid { errcode: 40029 }), "a login code is not a phone code");
}

#[tokio::test]
async fn every_login_refusal_says_what_to_do() {
    let wire = Wire::start().await;
    for (errcode, expected) in [
        ("45011", Error::RateLimited { errcode: 45011 }),
        ("40226", Error::Blocked),
        ("40163", Error::CodeInvalid { errcode: 40163 }),
    ] {
        let fault = json!({ "target": "login", "kind": "error", "status": 200, "code": errcode, "count": 1 });
        wire.control("faults", fault).await;
        assert_eq!(wire.mini.code2session("any").await, Err(expected));
    }
}

#[tokio::test]
async fn busy_is_asked_once_more_and_then_reported() {
    let wire = Wire::start().await;
    let code = login_code(&wire).await;
    let busy = |count: u32| json!({ "target": "login", "kind": "error", "status": 200, "code": "-1", "count": count });

    wire.control("faults", busy(1)).await;
    assert!(wire.mini.code2session(&code).await.is_ok());
    wire.control("faults", busy(2)).await;
    assert!(matches!(wire.mini.code2session(&code).await, Err(Error::Busy { .. })));
}

#[tokio::test]
async fn a_wrong_secret_is_a_matter_of_configuration() {
    let wire = Wire::start().await;
    let mut settings = wire.config.mini_settings(&wire.base_url);
    settings.secret = SecretString::from("wrong".to_owned());
    let mini = MiniProgram::new(settings, std::sync::Arc::clone(&wire.now)).unwrap();

    let login = mini.code2session("any").await.unwrap_err();
    let token = mini.send_message(&message()).await.unwrap_err();

    assert!(matches!(login, Error::Configuration { errcode: 40125, .. }), "{login:?}");
    assert!(matches!(token, Error::Configuration { errcode: 40125, .. }), "{token:?}");
}

#[tokio::test]
async fn a_message_is_recorded_and_a_bad_value_never_leaves() {
    let wire = Wire::start().await;
    let mut bad = message();
    bad.fields.push(Field::new("phrase3", "不是五个字以内"));
    subscribe(&wire, 1).await;

    assert!(wire.mini.send_message(&message()).await.is_ok());
    assert!(matches!(wire.mini.send_message(&bad).await, Err(Error::MessageInvalid(_))));

    let messages = wire.look("messages").await;
    assert_eq!(messages["messages"].as_array().unwrap().len(), 1);
    assert_eq!(messages["messages"][0]["data"]["thing1"]["value"], "书法课");
}

#[tokio::test]
async fn one_acceptance_pays_for_one_message_of_its_template() {
    let wire = Wire::start().await;
    assert_eq!(wire.mini.send_message(&message()).await, Err(Error::NotSubscribed));
    subscribe(&wire, 2).await;
    let other = SubscribeMessage { template_id: "seat-offered".to_owned(), ..message() };

    assert_eq!(wire.mini.send_message(&other).await, Err(Error::NotSubscribed));
    for _ in 0..2 {
        wire.mini.send_message(&message()).await.unwrap();
    }
    assert_eq!(wire.mini.send_message(&message()).await, Err(Error::NotSubscribed));
    assert_eq!(wire.look("messages").await["messages"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_day_s_messages_are_limited_until_the_day_in_beijing_ends() {
    let wire = Wire::start().await;
    subscribe(&wire, 3).await;
    wire.control("message-limit", json!({ "day_count": 1 })).await;

    wire.mini.send_message(&message()).await.unwrap();
    let limited = Err(Error::RateLimited { errcode: 45009 });
    assert_eq!(wire.mini.send_message(&message()).await, limited);
    wire.advance(TimeDelta::days(1));
    wire.mini.send_message(&message()).await.unwrap();
    assert_eq!(wire.mini.send_message(&message()).await, limited);
    wire.control("message-limit", json!({ "day_count": null })).await;
    assert!(wire.mini.send_message(&message()).await.is_ok(), "a refusal uses up no acceptance");
}

#[tokio::test]
async fn many_callers_fetch_one_token_and_a_refused_one_is_replaced_once() {
    let wire = Wire::start().await;
    subscribe(&wire, 21).await;
    let sends = (0..20).map(|_| {
        let mini = wire.mini.clone();
        async move { mini.send_message(&message()).await }
    });
    for sent in futures::future::join_all(sends).await {
        sent.unwrap();
    }
    assert_eq!(wire.look("token").await["fetched_count"], 1);

    // Somebody forces a new token; ours dies at once.
    wire.control("token/revoke", json!({})).await;
    assert!(wire.mini.send_message(&message()).await.is_ok());
    assert_eq!(wire.look("token").await["fetched_count"], 2);

    // Refused for good: two tries, no loop.
    let fault = json!({ "target": "message", "kind": "error", "status": 200, "code": "40001", "count": 10 });
    wire.control("faults", fault).await;
    assert_eq!(wire.mini.send_message(&message()).await, Err(Error::TokenRefused { errcode: 40001 }));
    assert_eq!(wire.fired().await, [2]);
}

#[tokio::test]
async fn a_token_near_its_end_is_renewed_before_use() {
    let wire = Wire::start().await;
    subscribe(&wire, 3).await;
    wire.mini.send_message(&message()).await.unwrap();

    wire.advance(TimeDelta::minutes(109));
    wire.mini.send_message(&message()).await.unwrap();
    assert_eq!(wire.look("token").await["fetched_count"], 1);
    wire.advance(TimeDelta::minutes(1));
    wire.mini.send_message(&message()).await.unwrap();
    assert_eq!(wire.look("token").await["fetched_count"], 2);
}
