//! The stream that carries applications.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use gateway::config::Limits;
use prost::Message as _;
use proto::enrollment::v1::apply_stream_response::Outcome;
use proto::enrollment::v1::{ApplyResponse, ApplyStreamRequest, ApplyStreamResponse, Enrollment, Refusal};
use serde_json::{Value, json};
use shared::status;
use tonic::{Status, Streaming};

use crate::fake::{Fake, Gateway, ID};

/// An application whose answer names the request it is for.
fn application(gateway: &Gateway, key: u128) -> reqwest::RequestBuilder {
    application_of(gateway, "session", key)
}

/// The same, by someone in particular.
fn application_of(gateway: &Gateway, session: &str, key: u128) -> reqwest::RequestBuilder {
    let key = uuid::Uuid::from_u128(key).to_string();
    gateway
        .plain("POST", "/v1/enrollments")
        .bearer_auth(session)
        .header("idempotency-key", key)
        .json(&json!({ "pupil_id": ID, "section_id": ID }))
}

fn read(message: Result<Vec<u8>, Status>) -> Result<ApplyStreamRequest, Status> {
    ApplyStreamRequest::decode(message?.as_slice()).map_err(|error| Status::internal(error.to_string()))
}

/// Takes an application: the enrollment's id is the request's.
fn taken(request: ApplyStreamRequest) -> Vec<u8> {
    let enrollment =
        Enrollment { id: request.request.unwrap_or_default().request_id, ..Enrollment::default() };
    let response = ApplyResponse { enrollment: Some(enrollment), ..ApplyResponse::default() };
    answered(request.tag, Outcome::Response(response))
}

fn answered(tag: u64, outcome: Outcome) -> Vec<u8> {
    let outcome = Some(outcome);
    ApplyStreamResponse { tag, outcome }.encode_to_vec()
}

fn take_all(requests: Streaming<Vec<u8>>) -> BoxStream<'static, Result<Vec<u8>, Status>> {
    requests.map(|request| read(request).map(taken)).boxed()
}

/// A gateway for which no limit is in the way but the one under test.
fn wide() -> Limits {
    Limits { requests_per_second: 100_000, request_burst: 100_000, ..Limits::default() }
}

#[tokio::test]
async fn answers_in_any_order_reach_whoever_asked() {
    let fake = Fake::start();
    let opened = Arc::new(AtomicUsize::new(0));
    let count = opened.clone();
    fake.on_stream("enrollment", "ApplyStream", move |requests| {
        count.fetch_add(1, Ordering::SeqCst);
        // Ten at a time, the last first.
        let groups = requests.map(read).ready_chunks(10);
        let answers = groups.flat_map(|group| futures::stream::iter(group.into_iter().rev()));
        answers.map(|request| request.map(taken)).boxed()
    });
    let gateway = Gateway::with(&fake, wide()).await;

    let gateway = &gateway;
    let many = (1..=200).map(|key| async move {
        let answer = application(gateway, key).send().await.unwrap();
        let applied: Value = answer.json().await.unwrap();
        let id = uuid::Uuid::from_u128(key).to_string();
        assert_eq!(applied["enrollment"]["id"], id);
    });
    futures::future::join_all(many).await;

    assert_eq!(opened.load(Ordering::SeqCst), 1, "one stream carries them all");
}

#[tokio::test]
async fn a_refusal_on_the_stream_is_the_callers_own() {
    let fake = Fake::start();
    fake.on_stream("enrollment", "ApplyStream", |requests| {
        let answer = |request: ApplyStreamRequest| {
            let even = request.tag.is_multiple_of(2);
            if !even {
                return taken(request);
            }
            let facts = [
                ("capacity_count", "30".to_owned()),
                ("taken_count", "30".to_owned()),
                ("waitlisted_count", "7".to_owned()),
            ];
            let refusal = status::refused("SECTION_FULL", &facts);
            let refusal = Refusal {
                code: refusal.code().into(),
                status: refusal.details().to_vec(),
                message: refusal.message().to_owned(),
            };
            answered(request.tag, Outcome::Refusal(refusal))
        };
        requests.map(move |request| read(request).map(answer)).boxed()
    });
    let gateway = Gateway::start(&fake).await;

    assert_eq!(application(&gateway, 1).send().await.unwrap().status(), 200);
    let refused = application(&gateway, 2).send().await.unwrap();

    assert_eq!(refused.status(), 400);
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["reason"], "SECTION_FULL");
    assert_eq!(problem["facts"]["waitlisted_count"], "7");
    assert_eq!(problem["title"], "名额已满：共 30 个名额，已占 30 个，7 人在候补。");
    assert_eq!(application(&gateway, 3).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_refusal_that_calls_itself_a_success_is_none() {
    let fake = Fake::start();
    fake.on_stream("enrollment", "ApplyStream", |requests| {
        let answer =
            |request: ApplyStreamRequest| answered(request.tag, Outcome::Refusal(Refusal::default()));
        requests.map(move |request| read(request).map(answer)).boxed()
    });
    let gateway = Gateway::start(&fake).await;

    assert_eq!(application(&gateway, 1).send().await.unwrap().status(), 500);
}

#[tokio::test]
async fn when_enrollment_restarts_those_under_way_send_again_and_the_next_succeed() {
    let mut fake = Fake::start();
    let (sender, mut reached) = tokio::sync::mpsc::unbounded_channel();
    fake.on_stream("enrollment", "ApplyStream", move |requests| {
        let sender = sender.clone();
        // Read, and never answered.
        let silent = requests.filter_map(move |_| {
            sender.send(()).unwrap();
            std::future::ready(None)
        });
        silent.boxed()
    });
    let gateway = Gateway::with(&fake, wide()).await;

    for round in 0..3 {
        let under_way: Vec<_> =
            (1..=20).map(|key| tokio::spawn(application(&gateway, round * 100 + key).send())).collect();
        for _ in 0..20 {
            reached.recv().await.unwrap();
        }
        fake.kill();
        for asked in under_way {
            let answer = asked.await.unwrap().unwrap();
            assert_eq!(answer.status(), 503);
            assert_eq!(answer.headers()["retry-after"], "1");
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(problem["reason"], "SERVICE_UNAVAILABLE");
        }
        // While it is away nobody waits for long.
        let away = tokio::time::timeout(Duration::from_secs(9), application(&gateway, 7).send());
        assert_eq!(away.await.unwrap().unwrap().status(), 503);
        fake.restart();
    }

    fake.on_stream("enrollment", "ApplyStream", take_all);
    // The stream opened before the last restart is gone; the first that comes opens the next.
    let mut answer = application(&gateway, 1).send().await.unwrap();
    for _ in 0..1_000 {
        if answer.status() == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        answer = application(&gateway, 1).send().await.unwrap();
    }
    assert_eq!(answer.status(), 200);
    for key in 2..20 {
        assert_eq!(application(&gateway, key).send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_stream_that_ends_in_good_order_is_opened_anew() {
    let fake = Fake::start();
    fake.on_stream("enrollment", "ApplyStream", |requests| take_all(requests).take(1).boxed());
    let gateway = Gateway::start(&fake).await;

    for key in 1..=5 {
        // The end of the stream is a message of its own: who comes before it has come is told to come again.
        let mut answer = application(&gateway, key).send().await.unwrap();
        while answer.status() == 503 && answer.headers().contains_key("retry-after") {
            tokio::time::sleep(Duration::from_millis(50)).await;
            answer = application(&gateway, key).send().await.unwrap();
        }
        assert_eq!(answer.status(), 200);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_waits_too_long_a_line_is_turned_away_with_a_time_to_wait() {
    let fake = Fake::start();
    // It takes the connection, and never opens the stream.
    fake.ignore("enrollment", "ApplyStream");
    let limits = Limits { waiting_applications: 5, ..wide() };
    let gateway = Gateway::with(&fake, limits).await;
    // It is on its way before the others come.
    let mut asked = vec![tokio::spawn(application(&gateway, 1).send())];
    while fake.calls("enrollment", "ApplyStream").is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    asked.extend((2..=20).map(|key| tokio::spawn(application(&gateway, key).send())));

    let mut codes = Vec::new();
    for asked in asked {
        let answer = asked.await.unwrap().unwrap();
        if answer.status() == 429 {
            assert_eq!(answer.headers()["retry-after"], "1");
        }
        let code = answer.status().as_u16();
        codes.push((code, answer.json::<Value>().await.unwrap()["reason"].clone()));
    }

    let of = |code: u16, reason: &str| codes.iter().filter(|one| **one == (code, json!(reason))).count();
    assert_eq!(of(429, "QUEUE_FULL"), 14, "{codes:?}");
    // The stream did not open in time: one under way, five in line.
    assert_eq!(of(503, "SERVICE_UNAVAILABLE"), 6, "{codes:?}");
}

#[tokio::test]
async fn a_peer_that_reads_on_only_when_its_answers_are_taken_does_not_stand_still() {
    let fake = Fake::start();
    // One at a time: when what may be under way unread on a stream is used up, it takes the next only once the gateway has
    // taken an answer, whatever the gateway still has to send.
    fake.on_stream("enrollment", "ApplyStream", |requests| {
        let answer = |request: ApplyStreamRequest| {
            let enrollment = Enrollment {
                id: request.request.unwrap_or_default().request_id,
                release_note: "长".repeat(20_000),
                ..Enrollment::default()
            };
            let response = ApplyResponse { enrollment: Some(enrollment), ..ApplyResponse::default() };
            answered(request.tag, Outcome::Response(response))
        };
        requests.map(move |request| read(request).map(answer)).boxed()
    });
    let gateway = Gateway::with(&fake, wide()).await;
    // Large tokens fill what may be under way the other way.
    let session = "s".repeat(8000);

    let many = (1..=500_u128).map(|key| {
        let asked = application_of(&gateway, &session, key).send();
        async move { asked.await.unwrap().status() }
    });
    let all = tokio::time::timeout(Duration::from_secs(120), futures::future::join_all(many)).await;

    for status in all.unwrap() {
        assert_eq!(status, 200);
    }
}

#[tokio::test]
async fn an_application_under_way_when_the_gateway_stops_is_answered() {
    let fake = Fake::start();
    let (sender, mut reached) = tokio::sync::mpsc::unbounded_channel();
    fake.on_stream("enrollment", "ApplyStream", move |requests| {
        let sender = sender.clone();
        let slow = requests.then(move |request| {
            sender.send(()).unwrap();
            async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                read(request).map(taken)
            }
        });
        slow.boxed()
    });
    let gateway = Gateway::start(&fake).await;

    let asked = tokio::spawn(application(&gateway, 1).send());
    reached.recv().await.unwrap();
    gateway.stop.cancel();

    assert_eq!(asked.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_callers_token_goes_with_the_application() {
    let fake = Fake::start();
    fake.on_stream("enrollment", "ApplyStream", |requests| {
        let answer = |request: ApplyStreamRequest| {
            let enrollment = Enrollment { release_note: request.caller_token, ..Enrollment::default() };
            let response = ApplyResponse { enrollment: Some(enrollment), ..ApplyResponse::default() };
            answered(request.tag, Outcome::Response(response))
        };
        requests.map(move |request| read(request).map(answer)).boxed()
    });
    let gateway = Gateway::start(&fake).await;

    for session in ["one", "another"] {
        let asked = application_of(&gateway, session, 1);
        let applied: Value = asked.send().await.unwrap().json().await.unwrap();
        let token = &applied["enrollment"]["release_note"];
        assert_eq!(*token, format!("caller of {session}"));
    }
}
