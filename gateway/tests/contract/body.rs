//! Reading requests: bodies, files, paths and queries, and what is said of those that cannot be read.

use std::time::{Duration, Instant};

use proto::billing::v1::{
    GetEvidenceResponse, ReceiveNotificationRequest, ReceiveNotificationResponse, UploadEvidenceRequest,
    UploadEvidenceResponse,
};
use proto::catalog::v1::{AddSlotsResponse, GetMenuResponse, Section};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use shared::status;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::fake::{Fake, Gateway, ID, KEY};

fn slots() -> String {
    format!("/v1/terms/{ID}/slots")
}

#[tokio::test]
async fn what_is_wrong_in_a_body_is_named_by_its_path() {
    let fake = Fake::start();
    let gateway = Gateway::start(&fake).await;
    let slot = |field: &str, value: Value| {
        let mut slot = json!({
            "weekday": 1, "kind": "noon", "start_time": "12:00", "end_time": "13:00", "class_hour_count": 1
        });
        slot[field] = value;
        json!({ "slots": [slot] }).to_string()
    };
    let mut without = json!({ "slots": [{ "weekday": 1 }] });
    without["justification"] = json!("");
    for (body, field) in [
        (slot("weekday", json!("monday")), "slots[0].weekday"),
        (slot("weekday", json!(1.5)), "slots[0].weekday"),
        (slot("weekday", json!(5_000_000_000_i64)), "slots[0].weekday"),
        (slot("colour", json!("red")), "slots[0].colour"),
        (slot("kind", json!("NOON")), "slots[0].kind"),
        (slot("kind", json!("unspecified")), "slots[0].kind"),
        (slot("kind", json!("midnight")), "slots[0].kind"),
        (slot("start_time", Value::Null), "slots[0].start_time"),
        (without.to_string(), "slots[0].kind"),
        (json!({ "slots": {} }).to_string(), "slots"),
        (json!({ "slots": [], "term_id": ID }).to_string(), "term_id"),
        (json!({}).to_string(), "slots"),
        (r#"{ "slots": [], "slots": [] }"#.to_owned(), "slots"),
        (r#"{ "slots": [] } {}"#.to_owned(), "body"),
        (json!([[], ""]).to_string(), "body"),
        ("slots".to_owned(), "body"),
        (String::new(), "body"),
    ] {
        let asked = gateway.ask("POST", &slots()).header("content-type", "application/json");
        let answer = asked.body(body.clone()).send().await.unwrap();

        assert_eq!(answer.status(), 400, "{body}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["reason"], "INVALID_FIELDS", "{body}");
        assert_eq!(problem["errors"][0]["field"], field, "{body}: {problem}");
        let rule = problem["errors"][0]["rule"].as_str().unwrap();
        assert!(!rule.is_empty() && !rule.contains("struct") && !rule.contains("line"), "{rule}");
    }
    assert!(fake.take_calls().is_empty());
}

#[tokio::test]
async fn a_body_that_is_cut_short_is_named_as_a_whole_or_where_it_ends() {
    let fake = Fake::start();
    let gateway = Gateway::start(&fake).await;

    let asked = gateway.ask("POST", &slots()).header("content-type", "application/json");
    let answer = asked.body(r#"{ "slots": ["#).send().await.unwrap();

    assert_eq!(answer.status(), 400);
    let problem: Value = answer.json().await.unwrap();
    assert_ne!(problem["errors"][0]["field"], "");
}

#[tokio::test]
async fn only_json_is_read_as_json() {
    let fake = Fake::start();
    fake.on("catalog", "AddSlots", AddSlotsResponse::default());
    let gateway = Gateway::start(&fake).await;
    let body = r#"{ "slots": [] }"#;

    for (kind, code) in [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
    ] {
        let asked = gateway.ask("POST", &slots()).header("content-type", kind);
        let answer = asked.body(body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), code, "{kind}");
    }
    let answer = gateway.ask("POST", &slots()).body(body).send().await.unwrap();
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["reason"], "JSON_REQUIRED");
}

#[tokio::test]
async fn a_malformed_id_or_query_is_named_by_its_parameter() {
    let fake = Fake::start();
    let gateway = Gateway::start(&fake).await;
    for (path, field) in [
        ("/v1/terms/x/slots".to_owned(), "term_id"),
        ("/v1/enrollments/%E8%AF%BE".to_owned(), "enrollment_id"),
        ("/v1/enrollments/%FF".to_owned(), "enrollment_id"),
        ("/v1/nodes?parent_id=x".to_owned(), "parent_id"),
        ("/v1/nodes?parent_id=".to_owned(), "parent_id"),
        ("/v1/nodes?page_size=many".to_owned(), "page_size"),
        ("/v1/nodes?page_size=99999999999".to_owned(), "page_size"),
        ("/v1/nodes?colour=red".to_owned(), "colour"),
        ("/v1/nodes?page_size=1&page_size=2".to_owned(), "page_size"),
        ("/v1/tickets?late_only=maybe".to_owned(), "late_only"),
        ("/v1/tickets?state=REPLIED".to_owned(), "state"),
    ] {
        let answer = gateway.ask("GET", &path).send().await.unwrap();

        assert_eq!(answer.status(), 400, "{path}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["errors"][0]["field"], field, "{path}: {problem}");
    }
    let path = "/v1/enrollments/x/steps/class_pre_review";
    let asked = gateway.ask("POST", path).json(&json!({ "approved": true }));
    let problem: Value = asked.send().await.unwrap().json().await.unwrap();
    assert_eq!(problem["errors"][0]["field"], "enrollment_id");
    assert!(fake.take_calls().is_empty());
}

/// Sends a request's head, then its body piece by piece, whatever comes back meanwhile, and gives the answer.
async fn pour(gateway: &Gateway, head: &str, chunked: bool) -> String {
    const PIECE: usize = 64 * 1024;
    let (mut reader, mut writer) = TcpStream::connect(gateway.address).await.unwrap().into_split();
    writer.write_all(head.as_bytes()).await.unwrap();
    let sending = tokio::spawn(async move {
        let size = format!("{PIECE:x}\r\n");
        for _ in 0..(10 << 20) / PIECE {
            let piece = vec![b' '; PIECE];
            let written = async {
                if chunked {
                    writer.write_all(size.as_bytes()).await?;
                }
                writer.write_all(&piece).await?;
                if chunked {
                    writer.write_all(b"\r\n").await?;
                }
                Ok::<_, std::io::Error>(())
            };
            if written.await.is_err() {
                break;
            }
        }
        // The connection stays open for the answer.
        std::future::pending::<()>().await;
    });
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&answer).contains('}') {
        let count = reader.read(&mut buffer).await.unwrap();
        assert!(count > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..count]);
    }
    sending.abort();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_refused_at_once_and_the_answer_arrives() {
    let fake = Fake::start();
    let gateway = Gateway::start(&fake).await;
    let evidence = format!("/v1/pupils/{ID}/evidence");
    for (path, kind) in [
        (slots(), "application/json"),
        (evidence, "multipart/form-data; boundary=b"),
        ("/v1/wechat/notify".to_owned(), "application/json"),
    ] {
        for chunked in [false, true] {
            let length = if chunked { "Transfer-Encoding: chunked" } else { "Content-Length: 10485760" };
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer session\r\nIdempotency-Key: {KEY}\r\n\
                 Content-Type: {kind}\r\n{length}\r\n\r\n"
            );
            let began_at = Instant::now();
            let answer = pour(&gateway, &head, chunked).await;

            assert!(answer.starts_with("HTTP/1.1 413"), "{path} {length}: {answer}");
            assert!(answer.contains("BODY_TOO_LARGE"), "{path} {length}: {answer}");
            // Not by the time a request may take.
            assert!(began_at.elapsed() < Duration::from_secs(12), "{path} {length}");
        }
    }
    assert!(fake.take_calls().is_empty());
}

#[tokio::test]
async fn a_length_that_is_too_large_is_refused_before_anything_of_it_has_come() {
    let fake = Fake::start();
    let gateway = Gateway::start(&fake).await;
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer session\r\nIdempotency-Key: {KEY}\r\n\
         Content-Type: application/json\r\nContent-Length: 99999999999999999999\r\n\r\n",
        slots()
    );
    for head in [head.replace("99999999999999999999", "10485760"), head] {
        let mut connection = TcpStream::connect(gateway.address).await.unwrap();
        connection.write_all(head.as_bytes()).await.unwrap();

        let mut answer = [0; 12];
        connection.read_exact(&mut answer).await.unwrap();

        let answer = String::from_utf8_lossy(&answer);
        // What is no length at all is refused by the transport.
        assert!(["HTTP/1.1 413", "HTTP/1.1 400"].contains(&&*answer), "{answer}");
    }
}

#[tokio::test]
async fn a_caller_who_is_still_sending_when_refused_is_not_cut_off_before_reading_why() {
    let fake = Fake::start();
    let gateway = Gateway::start(&fake).await;
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 10485760\r\n\r\n",
        slots()
    );
    // It goes on sending, whatever comes back.
    let answer = pour(&gateway, &head, false).await;

    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("SESSION_REQUIRED"), "{answer}");
}

#[tokio::test]
async fn a_refusal_before_the_body_has_come_arrives_too() {
    let fake = Fake::start();
    let gateway = Gateway::start(&fake).await;
    for _ in 0..20 {
        let asked = gateway.plain("POST", &format!("/v1/pupils/{ID}/evidence"));
        let part = Part::bytes(vec![b'x'; 5 << 20]).file_name("a.jpg");

        let answer = asked.multipart(Form::new().part("file", part)).send().await.unwrap();

        assert_eq!(answer.status(), 401);
    }
}

#[tokio::test]
async fn a_document_of_five_megabytes_goes_in_and_comes_out() {
    let fake = Fake::start();
    let document: Vec<u8> = (0..5 << 20).map(|n: u32| n.to_le_bytes()[1]).collect();
    let uploaded = UploadEvidenceResponse { evidence_id: ID.to_owned() };
    fake.on("billing", "UploadEvidence", uploaded);
    let kept = GetEvidenceResponse { content_type: "image/png".to_owned(), content: document.clone() };
    fake.on("billing", "GetEvidence", kept);
    let gateway = Gateway::start(&fake).await;

    let part = Part::bytes(document.clone()).file_name("证明.png");
    let asked = gateway.ask("POST", &format!("/v1/pupils/{ID}/evidence"));
    let answer = asked.multipart(Form::new().part("file", part)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let calls = fake.calls("billing", "UploadEvidence");
    assert!(calls[0].read::<UploadEvidenceRequest>().content == document);

    let answer = gateway.ask("GET", &format!("/v1/evidence/{ID}")).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/png");
    assert_eq!(answer.headers()["content-disposition"], "attachment");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert!(answer.bytes().await.unwrap() == document);
}

#[tokio::test]
async fn a_menu_larger_than_a_message_usually_is_comes_whole() {
    let fake = Fake::start();
    let section = Section { description: "课".repeat(2000), ..Section::default() };
    let menu = GetMenuResponse { sections: vec![section; 1000], ..GetMenuResponse::default() };
    fake.on("catalog", "GetMenu", menu);
    let gateway = Gateway::start(&fake).await;

    let answer = gateway.plain("GET", &format!("/v1/terms/{ID}/menu")).send().await.unwrap();

    let menu: Value = answer.json().await.unwrap();
    assert_eq!(menu["sections"].as_array().unwrap().len(), 1000);
}

#[tokio::test]
async fn an_upload_that_is_none_is_refused_by_what_is_wrong() {
    let fake = Fake::start();
    let gateway = Gateway::start(&fake).await;
    let ask = || gateway.ask("POST", "/v1/nodes/import");
    let part = |name: &'static str| Part::bytes(b"a,b".to_vec()).file_name(name);
    let cases = [
        (ask().multipart(Form::new().part("file", part("a.pdf"))), 400, "INVALID_FIELDS", "file"),
        (ask().multipart(Form::new().part("table", part("a.csv"))), 400, "INVALID_FIELDS", "table"),
        (ask().multipart(Form::new()), 400, "INVALID_FIELDS", "file"),
        (ask().header("content-type", "multipart/form-data").body("x"), 400, "INVALID_FIELDS", "body"),
        (
            ask().header("content-type", "multipart/form-data; boundary=b").body("--b\r\nnonsense"),
            400,
            "INVALID_FIELDS",
            "file",
        ),
        (ask().json(&json!({})), 415, "MULTIPART_REQUIRED", ""),
    ];
    for (asked, code, reason, field) in cases {
        let answer = asked.send().await.unwrap();

        let status = answer.status();
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(status.as_u16(), code, "{problem}");
        assert_eq!(problem["reason"], reason, "{problem}");
        let named = problem["errors"][0]["field"].as_str().unwrap_or_default();
        assert_eq!(named, field, "{problem}");
    }
    assert!(fake.take_calls().is_empty());
}

#[tokio::test]
async fn a_row_that_was_wrong_has_a_sentence_in_the_callers_language() {
    let fake = Fake::start();
    let error = proto::identity::v1::RowError {
        row: 3,
        column: "监护人手机".to_owned(),
        reason: "PHONE_INVALID".to_owned(),
        value: String::new(),
    };
    let answer = proto::identity::v1::ImportPupilsResponse { errors: vec![error], ..Default::default() };
    fake.on("identity", "ImportPupils", answer);
    let gateway = Gateway::start(&fake).await;

    for (language, title) in [("zh", "手机号不正确。"), ("en", "The phone number is not right.")] {
        let part = Part::bytes(b"a,b".to_vec()).file_name("pupils.csv");
        let asked = gateway.ask("POST", &format!("/v1/schools/{ID}/pupils/import"));
        let asked = asked.header("accept-language", language);
        let answer = asked.multipart(Form::new().part("file", part)).send().await.unwrap();

        let imported: Value = answer.json().await.unwrap();
        assert_eq!(imported["errors"][0]["title"], title);
        assert_eq!(imported["errors"][0]["reason"], "PHONE_INVALID");
    }
}

#[tokio::test]
async fn a_notification_of_wechat_reaches_billing_to_the_byte() {
    let fake = Fake::start();
    fake.on("billing", "ReceiveNotification", ReceiveNotificationResponse {});
    let gateway = Gateway::start(&fake).await;
    let body = "{ \"id\" :  \"EV-1\" }\n";
    let notify = || {
        gateway
            .plain("POST", "/v1/wechat/notify")
            .header("Wechatpay-Signature", "signature==")
            .header("Wechatpay-Serial", "5F")
            .header("Cookie", "not to be handed on")
            .header("content-type", "application/json")
            .body(body)
    };

    let answer = notify().send().await.unwrap();

    assert_eq!(answer.status(), 204);
    let calls = fake.take_calls();
    let received: ReceiveNotificationRequest = calls[0].read();
    assert_eq!(received.body, body.as_bytes());
    let mut headers: Vec<_> =
        received.headers.iter().map(|header| (header.name.as_str(), header.value.as_str())).collect();
    headers.sort_unstable();
    assert_eq!(headers, [("wechatpay-serial", "5F"), ("wechatpay-signature", "signature==")]);
    assert!(calls[0].header("authorization").starts_with("Bearer "));

    for (refusal, code) in [
        (status::denied("NOTIFICATION_FORGED"), 401),
        (status::unavailable("ORDER_UNKNOWN"), 503),
        (status::internal(&std::fmt::Error), 503),
    ] {
        fake.refuse("billing", "ReceiveNotification", refusal);
        let answer = notify().send().await.unwrap();
        assert_eq!(answer.status().as_u16(), code);
        let said: Value = answer.json().await.unwrap();
        assert_eq!(said["code"], "FAIL");
    }
}
