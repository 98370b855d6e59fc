//! The rules a school is under, and how silence is told.

use proto::supervision::v1::explain_policy_request::Question;
use proto::supervision::v1::{ExplainPolicyRequest, ExplainPolicyResponse};
use serde_json::{Value, json};
use shared::status;

use crate::fake::{Fake, Gateway, ID};

fn path(query: &str) -> String {
    format!("/v1/schools/{ID}/policy{query}")
}

#[tokio::test]
async fn everything_is_asked_for_unless_a_question_or_a_key_is() {
    let fake = Fake::start();
    fake.on("supervision", "ExplainPolicy", ExplainPolicyResponse::default());
    let gateway = Gateway::start(&fake).await;
    let cases = [
        ("", Question::Unspecified, "", ""),
        ("?question=end_time", Question::EndTime, "", ""),
        ("?question=waivers&policy_version=a@1%2Bb@2", Question::Waivers, "", "a@1+b@2"),
        ("?key=refund_rule", Question::Unspecified, "refund_rule", ""),
    ];

    for (query, question, key, policy_version) in cases {
        fake.take_calls();
        let answer = gateway.plain("GET", &path(query)).send().await.unwrap();

        assert_eq!(answer.status(), 200, "{query}");
        let calls = fake.take_calls();
        let asked: ExplainPolicyRequest = calls[0].read();
        assert_eq!(calls[0].header("authorization"), "", "in nobody's name");
        assert_eq!(asked.question(), question, "{query}");
        assert_eq!((asked.key.as_str(), asked.policy_version.as_str()), (key, policy_version), "{query}");
    }
}

#[tokio::test]
async fn an_explanation_a_caller_has_is_not_sent_again_until_it_changes() {
    let fake = Fake::start();
    let of_version = |policy_version: &str| ExplainPolicyResponse {
        policy_version: policy_version.to_owned(),
        ..ExplainPolicyResponse::default()
    };
    fake.on("supervision", "ExplainPolicy", of_version("a@1"));
    let gateway = Gateway::start(&fake).await;
    let first = gateway.plain("GET", &path("?question=fee")).send().await.unwrap();
    assert_eq!(first.headers()["cache-control"], "public, no-cache");
    let etag = first.headers()["etag"].to_str().unwrap().to_owned();

    let ask = || gateway.plain("GET", &path("?question=fee")).header("if-none-match", &etag).send();
    assert_eq!(ask().await.unwrap().status(), 304);
    // Another question is another document.
    let other =
        gateway.plain("GET", &path("?question=silent")).header("if-none-match", "x").send().await.unwrap();
    assert_eq!(other.status(), 200);
    fake.on("supervision", "ExplainPolicy", of_version("a@2"));
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    let changed = ask().await.unwrap();
    assert_eq!(changed.status(), 200);
    assert_ne!(changed.headers()["etag"], etag.as_str());
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_by_field_and_rule() {
    let fake = Fake::start();
    let gateway = Gateway::start(&fake).await;
    let cases = [
        ("?question=price", "question"),
        ("?question=FEE", "question"),
        ("?question=unspecified", "question"),
        ("?questions=fee", "questions"),
    ];
    for (query, field) in cases {
        let answer = gateway.plain("GET", &path(query)).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{query}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["errors"][0]["field"], field, "{query}");
    }
    let answer = gateway.plain("GET", "/v1/schools/x/policy").send().await.unwrap();
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["errors"][0]["field"], "school_id");
    assert!(fake.take_calls().is_empty());

    let gone = [
        (status::not_found("school", ID), 404, "SCHOOL_NOT_FOUND", "没有找到这所学校。"),
        (status::not_found("policy_version", "a@1"), 404, "POLICY_VERSION_NOT_FOUND", "没有保存这一版政策。"),
    ];
    for (refusal, code, reason, title) in gone {
        fake.refuse("supervision", "ExplainPolicy", refusal);
        let answer = gateway.plain("GET", &path("")).send().await.unwrap();
        assert_eq!(answer.status(), code);
        let problem: Value = answer.json().await.unwrap();
        assert_eq!((&problem["reason"], &problem["title"]), (&json!(reason), &json!(title)));
    }
}

#[tokio::test]
async fn c01_silence_is_told_by_the_name_people_know_the_key_by() {
    let fake = Fake::start();
    let facts = [
        ("pack_id", "somewhere".to_owned()),
        ("key", "refund_rule".to_owned()),
        ("key_zh", "退费规则".to_owned()),
        ("key_en", "refund rule".to_owned()),
    ];
    fake.refuse("catalog", "ListSlots", status::refused("POLICY_SILENT", &facts));
    let gateway = Gateway::start(&fake).await;

    let answer = gateway.plain("GET", &format!("/v1/terms/{ID}/slots")).send().await.unwrap();
    let problem: Value = answer.json().await.unwrap();

    assert_eq!(problem["title"], "政策文件没有规定“退费规则”这一项，需要区县教育局作出书面决定后才能办理。");
    assert_eq!(problem["facts"]["key"], "refund_rule");
}
