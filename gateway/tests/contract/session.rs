//! Sessions at the edge: exchanged once, forgotten when what they may reach has changed.

use std::time::Duration;

use gateway::config::Limits;
use proto::identity::v1::{
    BindPupilResponse, EndSessionRequest, EndSessionResponse, ExchangeSessionRequest, ListMyPupilsResponse,
    ListNodesResponse, WithdrawConsentResponse,
};
use serde_json::{Value, json};
use shared::status;

use crate::fake::{Call, Fake, Gateway, ID, exchanged};

fn exchanges(fake: &Fake) -> usize {
    fake.calls("identity", "ExchangeSession").len()
}

#[tokio::test]
async fn a_session_that_many_requests_bring_at_once_is_exchanged_once() {
    for _ in 0..5 {
        let fake = Fake::start();
        fake.on("identity", "ListMyPupils", ListMyPupilsResponse::default());
        fake.on_call("identity", "ExchangeSession", |call: Call| async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let request: ExchangeSessionRequest = call.read();
            Ok(exchanged(&request.session_token, Duration::from_secs(3600)))
        });
        let gateway = Gateway::start(&fake).await;

        let many = (0..40).map(|_| gateway.ask("GET", "/v1/me/pupils").send());
        for answer in futures::future::join_all(many).await {
            assert_eq!(answer.unwrap().status(), 200);
        }

        assert_eq!(exchanges(&fake), 1);
        let exchange = &fake.calls("identity", "ExchangeSession")[0];
        assert!(exchange.header("authorization").starts_with("Bearer ey"), "in the gateway's own name");
        for call in fake.calls("identity", "ListMyPupils") {
            assert_eq!(call.header("authorization"), "Bearer caller of session");
        }
    }
}

#[tokio::test]
async fn a_token_about_to_end_is_not_used_again() {
    let fake = Fake::start();
    fake.on("identity", "ListMyPupils", ListMyPupilsResponse::default());
    fake.on_call("identity", "ExchangeSession", |call: Call| async move {
        let request: ExchangeSessionRequest = call.read();
        Ok(exchanged(&request.session_token, Duration::from_secs(10)))
    });
    let gateway = Gateway::start(&fake).await;

    for count in 1..=3 {
        assert_eq!(gateway.ask("GET", "/v1/me/pupils").send().await.unwrap().status(), 200);
        assert_eq!(exchanges(&fake), count);
    }
}

#[tokio::test]
async fn what_changes_a_callers_reach_makes_the_next_request_ask_again() {
    let fake = Fake::start();
    fake.on("identity", "ListMyPupils", ListMyPupilsResponse::default());
    fake.on("identity", "BindPupil", BindPupilResponse::default());
    fake.on("identity", "WithdrawConsent", WithdrawConsentResponse::default());
    fake.on("identity", "EndSession", EndSessionResponse::default());
    let gateway = Gateway::start(&fake).await;
    let body = json!({ "school_id": ID, "pupil_code": "G1", "consent_version": "1" });
    let mut expected = 0;

    for change in [
        gateway.ask("POST", "/v1/me/pupils").json(&body),
        gateway.ask("DELETE", &format!("/v1/me/pupils/{ID}")),
        gateway.ask("DELETE", "/v1/session"),
    ] {
        gateway.ask("GET", "/v1/me/pupils").send().await.unwrap();
        expected += 1;
        assert_eq!(exchanges(&fake), expected);
        assert!(change.send().await.unwrap().status().is_success());
        assert_eq!(exchanges(&fake), expected);
    }
    let ended: EndSessionRequest = fake.calls("identity", "EndSession")[0].read();
    assert_eq!(ended.session_token, "session");
}

#[tokio::test]
async fn a_token_that_a_service_no_longer_believes_is_exchanged_anew() {
    let fake = Fake::start();
    fake.refuse("identity", "ListMyPupils", status::unauthenticated("TOKEN_EXPIRED"));
    let gateway = Gateway::start(&fake).await;
    assert_eq!(gateway.ask("GET", "/v1/me/pupils").send().await.unwrap().status(), 401);

    fake.on("identity", "ListMyPupils", ListMyPupilsResponse::default());
    assert_eq!(gateway.ask("GET", "/v1/me/pupils").send().await.unwrap().status(), 200);

    assert_eq!(exchanges(&fake), 2);
}

#[tokio::test]
async fn an_ended_session_is_refused_and_that_is_not_remembered() {
    let fake = Fake::start();
    fake.on("identity", "ListMyPupils", ListMyPupilsResponse::default());
    fake.refuse("identity", "ExchangeSession", status::unauthenticated("SESSION_ENDED"));
    let gateway = Gateway::start(&fake).await;

    let answer = gateway.ask("GET", "/v1/me/pupils").send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.json::<Value>().await.unwrap()["reason"], "SESSION_ENDED");

    fake.refuse("identity", "ExchangeSession", status::unavailable("DATABASE_UNAVAILABLE"));
    assert_eq!(gateway.ask("GET", "/v1/me/pupils").send().await.unwrap().status(), 503);

    fake.on("identity", "ExchangeSession", exchanged("session", Duration::from_secs(3600)));
    assert_eq!(gateway.ask("GET", "/v1/me/pupils").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn what_is_no_bearer_token_is_no_session() {
    let fake = Fake::start();
    let gateway = Gateway::start(&fake).await;
    for value in ["session", "Basic c2Vzc2lvbg==", "Bearer", "Bearer "] {
        let asked = gateway.plain("GET", "/v1/me/pupils").header("authorization", value);
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), 401, "{value}");
        assert_eq!(answer.json::<Value>().await.unwrap()["reason"], "SESSION_REQUIRED");
    }
    assert_eq!(exchanges(&fake), 0);
}

#[tokio::test]
async fn a_public_route_is_asked_in_the_callers_name_if_there_is_one() {
    let fake = Fake::start();
    fake.on("identity", "ListNodes", ListNodesResponse::default());
    let gateway = Gateway::start(&fake).await;

    gateway.plain("GET", "/v1/nodes").send().await.unwrap();
    gateway.plain("GET", "/v1/nodes").bearer_auth("s").send().await.unwrap();

    let calls = fake.calls("identity", "ListNodes");
    assert_eq!(calls[0].header("authorization"), "");
    assert_eq!(calls[1].header("authorization"), "Bearer caller of s");
}

#[tokio::test]
async fn an_address_that_tries_out_sessions_is_stopped_and_known_sessions_are_not() {
    let fake = Fake::start();
    fake.on("identity", "ListMyPupils", ListMyPupilsResponse::default());
    fake.on_call("identity", "ExchangeSession", |call: Call| async move {
        let request: ExchangeSessionRequest = call.read();
        match request.session_token.as_str() {
            "known" => Ok(exchanged("known", Duration::from_secs(3600))),
            _ => Err(status::unauthenticated("SESSION_ENDED")),
        }
    });
    let limits = Limits { sign_ins_per_second: 1, sign_in_burst: 5, ..Limits::default() };
    let gateway = Gateway::with(&fake, limits).await;
    let ask = |session: String| {
        let asked = gateway.plain("GET", "/v1/me/pupils").bearer_auth(session);
        async { asked.send().await.unwrap() }
    };
    assert_eq!(ask("known".to_owned()).await.status(), 200);

    let mut codes = Vec::new();
    for number in 0..20 {
        codes.push(ask(format!("guess {number}")).await.status().as_u16());
    }

    assert_eq!(codes[0], 401);
    assert_eq!(codes[19], 429);
    assert!(exchanges(&fake) < 12, "{} exchanges", exchanges(&fake));
    let refused = ask("guess".to_owned()).await;
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(ask("known".to_owned()).await.status(), 200);
}
