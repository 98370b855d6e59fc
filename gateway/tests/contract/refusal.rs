//! Refusals of services, as problem documents.

use std::time::Duration;

use proto::catalog::v1::{GetMenuResponse, ListSlotsResponse};
use serde_json::{Value, json};
use shared::status;
use shared::value::Violations;
use tonic::Status;

use crate::fake::{Fake, Gateway, ID, Raw};

fn invalid() -> Status {
    let mut violations = Violations::default();
    violations.note("slots[2].start_time", "must be HH:MM");
    violations.note("term_id", "must be a UUID");
    status::invalid(&violations)
}

#[tokio::test]
async fn each_kind_of_refusal_has_its_code_its_reason_and_its_time_to_wait() {
    let internal = status::internal(&std::fmt::Error);
    let full = status::refused("SECTION_FULL", &[("capacity_count", "30".to_owned())]);
    let cases = [
        (invalid(), 400, "INVALID_FIELDS", None),
        (status::too_large(5), 400, "MESSAGE_TOO_LARGE", None),
        (full, 400, "SECTION_FULL", None),
        (status::unauthenticated("TOKEN_EXPIRED"), 401, "TOKEN_EXPIRED", None),
        (status::denied("ROLE_NOT_ALLOWED"), 403, "ROLE_NOT_ALLOWED", None),
        (status::not_found("term", ID), 404, "TERM_NOT_FOUND", None),
        (status::reused(), 409, "REQUEST_ID_REUSED", None),
        (status::aborted("DATABASE_CONFLICT"), 409, "DATABASE_CONFLICT", None),
        (
            status::exhausted("WECHAT_RATE_LIMITED", Duration::from_millis(6_200)),
            429,
            "WECHAT_RATE_LIMITED",
            Some("7"),
        ),
        (Status::resource_exhausted("somebody's"), 429, "TOO_MANY_REQUESTS", Some("1")),
        (internal, 500, "INTERNAL", None),
        (Status::unknown("somebody's"), 500, "INTERNAL", None),
        (Status::unimplemented("somebody's"), 501, "INTERNAL", None),
        (status::unavailable("DATABASE_UNAVAILABLE"), 503, "DATABASE_UNAVAILABLE", Some("1")),
        (Status::unavailable("somebody's"), 503, "SERVICE_UNAVAILABLE", Some("1")),
        (status::late(), 504, "DEADLINE_EXCEEDED", None),
    ];
    let fake = Fake::start();
    let gateway = Gateway::start(&fake).await;

    for (refusal, code, reason, wait) in cases {
        let said = format!("{refusal:?}");
        fake.refuse("identity", "ListMyPupils", refusal);
        let answer = gateway.ask("GET", "/v1/me/pupils").send().await.unwrap();

        assert_eq!(answer.status().as_u16(), code, "{said}");
        let headers = answer.headers().clone();
        assert_eq!(headers["content-type"], "application/problem+json", "{said}");
        assert_eq!(headers.get("retry-after").map(|wait| wait.to_str().unwrap()), wait, "{said}");
        let text = answer.text().await.unwrap();
        assert!(!text.contains("somebody's"), "{text}");
        let problem: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(problem["status"], code, "{said}");
        assert_eq!(problem["reason"], reason, "{said}");
        assert_eq!(problem["type"], "about:blank");
        assert_eq!(problem["request_id"], headers["x-request-id"].to_str().unwrap());
        assert_eq!(problem["trace_id"], headers["x-trace-id"].to_str().unwrap());
    }
}

#[tokio::test]
async fn c41_a_refused_basket_names_each_part_its_reason_and_its_sentence() {
    let fake = Fake::start();
    let gateway = Gateway::start(&fake).await;
    let full = status::refused("SECTION_FULL", &[("capacity_count", "30".to_owned())]);
    let parts = [
        ("s1".to_owned(), full),
        ("s2".to_owned(), status::refused("PARTS_CLASH", &[("section_title", "合唱".to_owned())])),
    ];
    let refusal = status::refused_parts("BASKET_REFUSED", &[("failed_count", "2".to_owned())], &parts);
    fake.refuse("enrollment", "ApplyBasket", refusal);

    let request = gateway.ask("POST", "/v1/enrollments/basket");
    let body = json!({ "pupil_id": ID, "section_ids": [ID] });
    let answer = request.header("idempotency-key", ID).json(&body).send().await.unwrap();

    assert_eq!(answer.status(), 400);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(
        (&problem["reason"], &problem["facts"]),
        (&json!("BASKET_REFUSED"), &json!({ "failed_count": "2" }))
    );
    assert!(problem["title"].as_str().unwrap().contains("2 门"), "{problem}");
    let parts = problem["parts"].as_array().unwrap();
    assert_eq!((&parts[0]["section_id"], &parts[0]["reason"]), (&json!("s1"), &json!("SECTION_FULL")));
    assert_eq!(parts[0]["facts"], json!({ "capacity_count": "30" }));
    assert_eq!(parts[1]["title"], "与一同选择的课程“合唱”时间冲突。");
}

#[tokio::test]
async fn a_refusal_carries_every_field_every_fact_and_a_sentence() {
    let fake = Fake::start();
    let gateway = Gateway::start(&fake).await;

    fake.refuse("catalog", "ListSlots", invalid());
    let path = format!("/v1/terms/{ID}/slots");
    let problem: Value = gateway.plain("GET", &path).send().await.unwrap().json().await.unwrap();
    assert_eq!(
        problem["errors"],
        json!([
            { "field": "slots[2].start_time", "rule": "must be HH:MM" },
            { "field": "term_id", "rule": "must be a UUID" },
        ])
    );
    assert!(problem.get("facts").is_none());

    let facts = [("pack_id", "shenzhen".to_owned()), ("clause_zh", "不得收费".to_owned())];
    fake.refuse("catalog", "ListSlots", status::refused("FREE_OF_CHARGE", &facts));
    let answer = gateway.plain("GET", &path).send().await.unwrap();
    assert_eq!(answer.headers()["content-language"], "zh-CN");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["facts"], json!({ "clause_zh": "不得收费", "pack_id": "shenzhen" }));
    assert_eq!(problem["title"], "本地课后服务免费，不得向家长收费：不得收费。");
    assert!(problem.get("errors").is_none());

    let asked = gateway.plain("GET", &path).header("accept-language", "en-GB, zh;q=0.5");
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.headers()["content-language"], "en");
    assert_eq!(answer.headers()["vary"], "accept-language");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["title"], "The service is free here; parents must not be charged.");
}

#[tokio::test]
async fn a_service_that_is_down_is_503_and_found_again_when_it_is_up() {
    let mut fake = Fake::start();
    fake.on("catalog", "ListSlots", ListSlotsResponse::default());
    let gateway = Gateway::start(&fake).await;
    let path = format!("/v1/terms/{ID}/slots");
    assert_eq!(gateway.plain("GET", &path).send().await.unwrap().status(), 200);

    fake.kill();
    let answer = gateway.plain("GET", &path).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "1");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["reason"], "SERVICE_UNAVAILABLE");

    fake.restart();
    assert_eq!(gateway.plain("GET", &path).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_service_that_dies_in_the_middle_of_a_call_is_503() {
    let mut fake = Fake::start();
    let (sender, mut reached) = tokio::sync::mpsc::unbounded_channel();
    fake.on_call("catalog", "ListSlots", move |_| {
        sender.send(()).unwrap();
        std::future::pending::<Result<Raw, Status>>()
    });
    let gateway = Gateway::start(&fake).await;
    let path = format!("/v1/terms/{ID}/slots");

    let asked = tokio::spawn(gateway.plain("GET", &path).send());
    reached.recv().await.unwrap();
    fake.kill();
    let answer = asked.await.unwrap().unwrap();

    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "1");
}

#[tokio::test]
async fn a_failed_reading_of_a_menu_is_not_remembered() {
    let fake = Fake::start();
    let gateway = Gateway::start(&fake).await;
    let path = format!("/v1/terms/{ID}/menu");

    fake.refuse("catalog", "GetMenu", status::not_found("term", ID));
    assert_eq!(gateway.plain("GET", &path).send().await.unwrap().status(), 404);
    fake.on("catalog", "GetMenu", GetMenuResponse::default());
    assert_eq!(gateway.plain("GET", &path).send().await.unwrap().status(), 200);
}
