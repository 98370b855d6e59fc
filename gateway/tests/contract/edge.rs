//! What every request passes.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::time::{Duration, Instant};

use gateway::config::Limits;
use proto::billing::v1::ReceiveNotificationResponse;
use proto::catalog::v1::{GetMenuResponse, ListSlotsResponse, Section, Slot};
use proto::enrollment::v1::{ListSeatsResponse, Seats};
use proto::identity::v1::{ListMyPupilsResponse, SignInGuardianResponse};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::fake::{Fake, Gateway, ID};

fn slots() -> String {
    format!("/v1/terms/{ID}/slots")
}

fn unzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
    out
}

#[tokio::test]
async fn what_is_not_here_and_what_is_not_done_here_are_problem_documents() {
    let fake = Fake::start();
    let gateway = Gateway::start(&fake).await;
    for (method, path, code, reason) in [
        ("GET", "/", 404, "NOT_FOUND"),
        ("GET", "/v1/nothing", 404, "NOT_FOUND"),
        ("POST", "/v1/nothing", 404, "NOT_FOUND"),
        ("GET", "/docs/nothing.js", 404, "NOT_FOUND"),
        ("PUT", "/v1/enrollments", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "/v1/wechat/notify", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/openapi.json", 405, "METHOD_NOT_ALLOWED"),
        ("BREW", "/v1/enrollments", 405, "METHOD_NOT_ALLOWED"),
    ] {
        let answer = gateway.plain(method, path).send().await.unwrap();

        assert_eq!(answer.status().as_u16(), code, "{method} {path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
        assert_eq!(answer.headers().contains_key("allow"), code == 405, "{method} {path}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["reason"], reason, "{method} {path}");
    }
}

#[tokio::test]
async fn every_answer_says_that_there_is_nothing_to_frame_sniff_or_run() {
    let fake = Fake::start();
    fake.on("catalog", "ListSlots", ListSlotsResponse::default());
    fake.on("catalog", "GetMenu", GetMenuResponse::default());
    let gateway = Gateway::start(&fake).await;
    let menu = format!("/v1/terms/{ID}/menu");
    for path in [
        slots().as_str(),
        &menu,
        "/v1/nothing",
        "/v1/me/pupils",
        "/docs",
        "/docs/",
        "/docs/swagger-ui-bundle.js",
        "/openapi.json",
    ] {
        let answer = gateway.plain("GET", path).send().await.unwrap();
        let headers = answer.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        assert!(headers["strict-transport-security"].to_str().unwrap().starts_with("max-age="));
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert_eq!(policy.contains("script-src 'self'"), path.starts_with("/docs"), "{path}");
        assert!(!policy.contains("script-src 'self' 'unsafe-inline'"));
        assert!(headers.contains_key("cache-control"), "{path}");
        assert!(headers.contains_key("x-request-id"), "{path}");
        assert!(headers.contains_key("x-trace-id"), "{path}");
    }
}

#[tokio::test]
async fn the_reference_page_needs_no_network_and_no_inline_script() {
    let fake = Fake::start();
    let gateway = Gateway::start(&fake).await;
    let text = async |path: &str| {
        let answer = gateway.plain("GET", path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
    };

    let page = text("/docs/").await;
    let mut files = BTreeSet::new();
    for part in page.split(['"', '\'']) {
        assert!(!part.contains("://"), "the page names {part}");
        if part.starts_with("./") || part.ends_with(".css") || part.ends_with(".js") {
            files.insert(part.trim_start_matches("./").to_owned());
        }
    }
    assert!(files.contains("swagger-ui-bundle.js") && files.contains("swagger-ui.css"), "{files:?}");
    for script in page.split("<script").skip(1) {
        let (tag, rest) = script.split_once('>').unwrap();
        assert!(tag.contains("src="), "an inline script: {script}");
        assert!(rest.split("</script>").next().unwrap().trim().is_empty());
    }
    for file in &files {
        let answer = gateway.plain("GET", &format!("/docs/{file}")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{file}");
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        if file.ends_with(".js") {
            assert!(kind.contains("javascript"), "{file}: {kind}");
        }
    }
    let setup = text("/docs/swagger-initializer.js").await;
    assert!(setup.contains("/openapi.json"), "{setup}");
    assert!(setup.contains("\"validatorUrl\": \"none\""), "{setup}");
    assert!(!setup.contains("://"), "{setup}");
    let style = text("/docs/swagger-ui.css").await;
    assert!(!style.contains("@import") && !style.contains("url(http") && !style.contains("url(//"));

    let served: Value = serde_json::from_str(&text("/openapi.json").await).unwrap();
    assert_eq!(served, serde_json::to_value(gateway::openapi()).unwrap());
}

#[tokio::test]
async fn json_is_compressed_once_for_those_who_can_read_it() {
    let fake = Fake::start();
    let slot = Slot { id: ID.to_owned(), ..Slot::default() };
    let many = ListSlotsResponse { slots: vec![slot; 100] };
    fake.on("catalog", "ListSlots", many);
    let section = Section { id: ID.to_owned(), ..Section::default() };
    let menu = GetMenuResponse { sections: vec![section; 100], ..GetMenuResponse::default() };
    fake.on("catalog", "GetMenu", menu);
    let gateway = Gateway::start(&fake).await;

    for (path, list) in [(slots(), "slots"), (format!("/v1/terms/{ID}/menu"), "sections")] {
        let plain = gateway.plain("GET", &path).send().await.unwrap();
        assert!(!plain.headers().contains_key("content-encoding"), "{path}");
        let plain = plain.bytes().await.unwrap();

        let asked = gateway.plain("GET", &path).header("accept-encoding", "gzip, br");
        let packed = asked.send().await.unwrap();
        let encodings: Vec<_> = packed.headers().get_all("content-encoding").iter().collect();
        assert_eq!(encodings, ["gzip"], "{path}");
        assert_eq!(packed.headers()["vary"], "accept-encoding", "{path}");
        assert_eq!(packed.headers()["content-type"], "application/json", "{path}");
        let packed = packed.bytes().await.unwrap();
        assert!(packed.len() < plain.len() / 5, "{path}");
        assert_eq!(unzip(&packed), plain, "{path}");
        let document: Value = serde_json::from_slice(&plain).unwrap();
        assert_eq!(document[list].as_array().unwrap().len(), 100);
    }
}

#[tokio::test]
async fn a_menu_is_read_once_for_many_and_sent_once_to_each() {
    let fake = Fake::start();
    fake.on("catalog", "GetMenu", GetMenuResponse { version: 1, ..Default::default() });
    let seats = Seats { capacity_count: 30, ..Seats::default() };
    fake.on("enrollment", "ListSeats", ListSeatsResponse { seats: vec![seats] });
    let limits = Limits { request_burst: 1000, ..Limits::default() };
    let gateway = Gateway::with(&fake, limits).await;
    for (path, service, method) in [
        (format!("/v1/terms/{ID}/menu"), "catalog", "GetMenu"),
        (format!("/v1/terms/{ID}/seats"), "enrollment", "ListSeats"),
    ] {
        let began_at = Instant::now();
        let many = (0..50).map(|_| gateway.plain("GET", &path).send());
        for answer in futures::future::join_all(many).await {
            assert_eq!(answer.unwrap().status(), 200);
        }
        // Once for each half-second that began meanwhile, never fifty times.
        let half_seconds = began_at.elapsed().as_millis() / 500 + 1;
        assert!(u128::try_from(fake.calls(service, method).len()).unwrap() <= half_seconds, "{path}");

        let first = gateway.plain("GET", &path).send().await.unwrap();
        let etag = first.headers()["etag"].clone();
        assert_eq!(first.headers()["cache-control"], "public, no-cache");
        let again = gateway.plain("GET", &path).header("if-none-match", etag.clone());
        let again = again.send().await.unwrap();
        assert_eq!(again.status(), 304);
        assert_eq!(again.headers()["etag"], etag);
        assert!(again.bytes().await.unwrap().is_empty());
        let other = gateway.plain("GET", &path).header("if-none-match", "\"other\"");
        assert_eq!(other.send().await.unwrap().status(), 200);
    }

    let path = format!("/v1/terms/{ID}/menu");
    let before = gateway.plain("GET", &path).send().await.unwrap().headers()["etag"].clone();
    fake.on("catalog", "GetMenu", GetMenuResponse { version: 2, ..Default::default() });
    tokio::time::sleep(Duration::from_millis(600)).await;
    let asked = gateway.plain("GET", &path).header("if-none-match", before);
    let after = asked.send().await.unwrap();
    assert_eq!(after.status(), 200);
    assert_eq!(after.json::<Value>().await.unwrap()["version"], 2);
}

#[tokio::test]
async fn a_trace_begun_outside_goes_on_to_the_service() {
    let fake = Fake::start();
    fake.on("catalog", "ListSlots", ListSlotsResponse::default());
    let gateway = Gateway::start(&fake).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";

    let asked = gateway.plain("GET", &slots());
    let asked = asked.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.headers()["x-trace-id"], trace);
    let handed_on = fake.calls("catalog", "ListSlots")[0].header("traceparent").to_owned();
    assert!(handed_on.contains(trace), "{handed_on}");

    let fresh = gateway.plain("GET", &slots()).header("traceparent", "nonsense");
    let fresh = fresh.send().await.unwrap().headers()["x-trace-id"].clone();
    assert!(fresh != trace && fresh.len() == 32);
}

#[tokio::test]
async fn a_request_keeps_the_id_it_came_with_if_that_is_one() {
    let fake = Fake::start();
    let gateway = Gateway::start(&fake).await;
    for (given, is_kept) in [(ID, true), ("<script>", false), ("", false)] {
        let asked = gateway.plain("GET", "/v1/nothing").header("x-request-id", given);
        let answer = asked.send().await.unwrap();
        let kept = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        assert_eq!(kept == given, is_kept, "{given}");
        assert_eq!(kept.len(), 36);
        assert_eq!(answer.json::<Value>().await.unwrap()["request_id"], kept);
    }
}

/// Asks until it is refused; gives the refusal, how often it was not, and in how many seconds that began: each gives one more.
async fn until_refused<F: Future<Output = reqwest::Result<reqwest::Response>>>(
    mut ask: impl FnMut() -> F,
) -> (reqwest::Response, u64, u64) {
    let began_at = Instant::now();
    for admitted in 0..100 {
        let answer = ask().await.unwrap();
        if answer.status() != 200 {
            return (answer, admitted, began_at.elapsed().as_secs() + 1);
        }
    }
    panic!("it may ask a hundred times");
}

#[tokio::test]
async fn a_session_that_asks_too_often_waits_and_no_other_does() {
    let fake = Fake::start();
    fake.on("identity", "ListMyPupils", ListMyPupilsResponse::default());
    let limits = Limits { requests_per_second: 1, request_burst: 5, ..Limits::default() };
    let gateway = Gateway::with(&fake, limits).await;
    let ask = |session: &str| {
        let asked = gateway.plain("GET", "/v1/me/pupils").bearer_auth(session);
        asked.send()
    };

    let (refused, admitted, seconds) = until_refused(|| ask("one")).await;

    assert_eq!(refused.status(), 429);
    assert!((5..=5 + seconds).contains(&admitted), "{admitted} in {seconds} s");
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    assert_eq!(refused.json::<Value>().await.unwrap()["reason"], "TOO_MANY_REQUESTS");
    assert_eq!(ask("another").await.unwrap().status(), 200);
    tokio::time::sleep(Duration::from_secs(wait)).await;
    assert_eq!(ask("one").await.unwrap().status(), 200);
}

#[tokio::test]
async fn sign_ins_are_counted_by_address() {
    let fake = Fake::start();
    fake.on("identity", "SignInGuardian", SignInGuardianResponse::default());
    let limits = Limits { sign_ins_per_second: 1, sign_in_burst: 3, ..Limits::default() };
    let gateway = Gateway::with(&fake, limits).await;
    let mut number = 0;
    let (refused, admitted, seconds) = until_refused(|| {
        number += 1;
        let asked = gateway.plain("POST", "/v1/sessions/guardian").bearer_auth(number);
        asked.json(&json!({ "wechat_code": number.to_string() })).send()
    })
    .await;

    assert_eq!(refused.status(), 429);
    assert!((3..=3 + seconds).contains(&admitted), "{admitted} in {seconds} s");
}

#[tokio::test]
async fn notifications_of_wechat_are_not_counted() {
    let fake = Fake::start();
    fake.on("billing", "ReceiveNotification", ReceiveNotificationResponse {});
    let limits = Limits { requests_per_second: 1, request_burst: 1, ..Limits::default() };
    let gateway = Gateway::with(&fake, limits).await;
    for _ in 0..20 {
        let answer = gateway.plain("POST", "/v1/wechat/notify").body("{}").send().await.unwrap();
        assert_eq!(answer.status(), 204);
    }
}

#[tokio::test]
async fn more_than_can_be_worked_on_at_once_is_turned_away_with_a_time_to_wait() {
    let fake = Fake::start();
    let gate: &'static Semaphore = Box::leak(Box::new(Semaphore::new(0)));
    let (sender, mut reached) = tokio::sync::mpsc::unbounded_channel();
    fake.on_call("catalog", "ListSlots", move |_| {
        sender.send(()).unwrap();
        async { gate.acquire().await.map(|_| ListSlotsResponse::default()).map_err(|_| unreachable!()) }
    });
    let limits = Limits { in_flight: 2, ..Limits::default() };
    let gateway = Gateway::with(&fake, limits).await;

    let first = tokio::spawn(gateway.plain("GET", &slots()).send());
    let second = tokio::spawn(gateway.plain("GET", &slots()).send());
    reached.recv().await.unwrap();
    reached.recv().await.unwrap();
    let third = gateway.plain("GET", &slots()).send().await.unwrap();

    assert_eq!(third.status(), 503);
    assert_eq!(third.headers()["retry-after"], "1");
    assert_eq!(third.json::<Value>().await.unwrap()["reason"], "OVERLOADED");
    gate.add_permits(10);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert_eq!(second.await.unwrap().unwrap().status(), 200);
    assert_eq!(gateway.plain("GET", &slots()).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up() {
    let fake = Fake::start();
    fake.on_call("catalog", "ListSlots", |_| std::future::pending::<Result<ListSlotsResponse, _>>());
    let limits = Limits { timeout_seconds: 1, ..Limits::default() };
    let gateway = Gateway::with(&fake, limits).await;

    let answer = gateway.plain("GET", &slots()).send().await.unwrap();

    assert_eq!(answer.status(), 504);
    assert_eq!(answer.json::<Value>().await.unwrap()["reason"], "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn a_request_under_way_ends_before_the_gateway_does() {
    let fake = Fake::start();
    let (sender, mut reached) = tokio::sync::mpsc::unbounded_channel();
    fake.on_call("catalog", "ListSlots", move |_| {
        sender.send(()).unwrap();
        async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            Ok(ListSlotsResponse::default())
        }
    });
    let mut gateway = Gateway::start(&fake).await;

    let asked = tokio::spawn(gateway.plain("GET", &slots()).send());
    reached.recv().await.unwrap();
    gateway.stop.cancel();

    assert_eq!(asked.await.unwrap().unwrap().status(), 200);
    let ended = tokio::time::timeout(Duration::from_secs(60), &mut gateway.ended).await;
    ended.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn the_gateway_does_not_wait_for_ever_for_a_request_that_does_not_end() {
    let fake = Fake::start();
    let (sender, mut reached) = tokio::sync::mpsc::unbounded_channel();
    fake.on_call("catalog", "ListSlots", move |_| {
        sender.send(()).unwrap();
        std::future::pending::<Result<ListSlotsResponse, _>>()
    });
    let limits = Limits { drain_seconds: 1, ..Limits::default() };
    let mut gateway = Gateway::with(&fake, limits).await;

    let asked = tokio::spawn(gateway.plain("GET", &slots()).send());
    reached.recv().await.unwrap();
    gateway.stop.cancel();

    // Not by the time a request may take, nor by the drain that is usual.
    let ended = tokio::time::timeout(Duration::from_secs(12), &mut gateway.ended).await;
    ended.unwrap().unwrap().unwrap();
    asked.abort();
}
