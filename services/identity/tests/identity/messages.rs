//! Messages to guardians by WeChat: to whom, what, once, and what becomes of those that cannot be sent.

use std::time::Duration;

use chrono::TimeDelta;
use proto::enrollment::v1 as enrollment;
use proto::enrollment::v1::event::Kind;
use proto::identity::v1::message_service_client::MessageServiceClient;
use proto::identity::v1::{AcceptTemplatesRequest, BindPupilRequest, Template, WithdrawConsentRequest};
use sea_orm::{ConnectionTrait as _, Statement};
use shared::clock::Clock as _;
use shared::feed::Told;
use shared::random;
use shared::value::Id;
use tonic::Code;

use super::world::{Client, PUPILS, Tree, World, bind_request, csv_file, new_id};

/// A guardian who is bound to a pupil.
struct Parent {
    openid: &'static str,
    session_token: String,
    client: Client,
    pupil_id: String,
}

/// The two guardians of one pupil, and the guardian of another; all have accepted to hear of one who left.
async fn families(world: &World) -> (Tree, [Parent; 3]) {
    let tree = world.tree().await;
    world.import_pupils(&tree.school, csv_file(PUPILS)).await.unwrap();
    let parent = async |openid: &'static str, phone: &str, code: &str| {
        let (session, mut client) = world.guardian_with_phone(openid, phone).await;
        let request: BindPupilRequest = bind_request(&tree.school, code);
        let pupil = client.bind_pupil(request).await.unwrap().into_inner().pupil.unwrap();
        let session_token = session.session_token;
        accept(world, openid, &session_token, "tmpl-left").await;
        Parent { openid, session_token, client, pupil_id: pupil.id }
    };
    let mother = parent("o-mother", "13800138000", "JH20260002").await;
    let father = parent("o-father", "13900139000", "JH20260002").await;
    let stranger = parent("o-stranger", "13700137000", "JH20260003").await;
    (tree, [mother, father, stranger])
}

/// A tap on 允许: WeChat counts one acceptance, and the mini-program says so here.
async fn accept(world: &World, openid: &str, session_token: &str, template_id: &str) -> Vec<Template> {
    post(world, "subscribe", format!(r#"{{"openid":"{openid}","template_id":"{template_id}"}}"#)).await;
    say_accepted(world, session_token, template_id).await
}

async fn say_accepted(world: &World, session_token: &str, template_id: &str) -> Vec<Template> {
    let request = AcceptTemplatesRequest { request_id: new_id(), template_ids: vec![template_id.to_owned()] };
    let mut client = MessageServiceClient::new(world.link_of(session_token).await);
    client.accept_templates(request).await.unwrap().into_inner().templates
}

fn told(world: &World, pupil_id: &str) -> Told {
    Told {
        id: random::uuid(world.clock.now()),
        position: 1,
        district_id: Id::new(random::uuid(world.clock.now())),
        subject_id: pupil_id.parse().unwrap(),
        name: "pupil_checked_out".to_owned(),
        happened_at: world.clock.now(),
    }
}

fn left(world: &World, pupil_id: &str) -> enrollment::Event {
    let now = world.clock.now();
    let kind = enrollment::PupilCheckedOut {
        day: "2026-09-01".to_owned(),
        check_out_time: Some(prost_types::Timestamp { seconds: now.timestamp(), nanos: 0 }),
        way: enrollment::CheckOutWay::Collector.into(),
    };
    enrollment::Event {
        pupil_id: pupil_id.to_owned(),
        kind: Some(Kind::PupilCheckedOut(kind)),
        ..Default::default()
    }
}

async fn sent(world: &World) -> Vec<serde_json::Value> {
    let url = format!("{}/sandbox/messages", world.sandbox_url);
    let found: serde_json::Value = world.http.get(url).send().await.unwrap().json().await.unwrap();
    found["messages"].as_array().unwrap().clone()
}

/// Each message's state, and why it was dropped; sorted.
async fn states(world: &World) -> Vec<(String, String)> {
    let db = world.db.read();
    let sql = "select state, dropped_for from message order by state, dropped_for";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    rows.iter()
        .map(|row| (row.try_get("", "state").unwrap(), row.try_get("", "dropped_for").unwrap()))
        .collect()
}

/// Waits until nothing waits to be sent.
async fn settled(world: &World) -> Vec<(String, String)> {
    for _ in 0..5_000 {
        let states = states(world).await;
        if states.iter().all(|(state, _)| state != "pending") {
            return states;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("still pending: {:?}", states(world).await);
}

async fn fault(world: &World, errcode: &str, count: u32) {
    let fault =
        format!(r#"{{"target":"message","kind":"error","status":200,"code":"{errcode}","count":{count}}}"#);
    post(world, "faults", fault).await;
}

/// Tells the sandbox something.
async fn post(world: &World, path: &str, body: String) {
    let url = format!("{}/sandbox/{path}", world.sandbox_url);
    let request = world.http.post(url).header("content-type", "application/json").body(body);
    assert!(request.send().await.unwrap().status().is_success());
}

fn state(state: &str, why: &str) -> (String, String) {
    (state.to_owned(), why.to_owned())
}

#[tokio::test]
async fn c48_a_check_out_reaches_the_child_s_own_guardians_once_each_though_it_is_heard_twice() {
    for world in World::each().await {
        let (_, [mother, father, _]) = families(&world).await;
        let told = told(&world, &mother.pupil_id);
        let event = left(&world, &mother.pupil_id);

        world.hear(&told, event.clone()).await;
        world.hear(&told, event).await;

        assert_eq!(settled(&world).await, [state("sent", ""), state("sent", "")]);
        let messages = sent(&world).await;
        let mut to: Vec<_> = messages.iter().map(|message| message["touser"].as_str().unwrap()).collect();
        to.sort_unstable();
        assert_eq!(to, [father.openid, mother.openid]);
        for message in &messages {
            assert_eq!(message["template_id"], "tmpl-left");
            assert_eq!(message["data"]["thing1"]["value"], "欧同学", "no full name");
            assert_eq!(message["data"]["time2"]["value"], "2026年9月1日 08:00");
            assert_eq!(message["data"]["thing3"]["value"], "已由您授权的人接走");
            assert!(!message.to_string().contains("小红"));
        }
        let templates = accept(&world, mother.openid, &mother.session_token, "tmpl-left").await;
        let counts: Vec<_> =
            templates.iter().map(|one| (one.template_id.as_str(), one.accepted_count)).collect();
        assert_eq!(counts, [("tmpl-arrived", 0), ("tmpl-left", 1)], "one was used up, one is new");
    }
}

#[tokio::test]
async fn c48_nothing_goes_to_whoever_did_not_accept_withdrew_or_hears_too_late() {
    for world in World::each().await {
        let (_, [mut mother, father, stranger]) = families(&world).await;
        let request = WithdrawConsentRequest { request_id: new_id(), pupil_id: mother.pupil_id.clone() };
        mother.client.withdraw_consent(request).await.unwrap();
        let arrived = enrollment::Event {
            pupil_id: father.pupil_id.clone(),
            kind: Some(Kind::PupilCheckedIn(enrollment::PupilCheckedIn::default())),
            ..Default::default()
        };
        let overdue = enrollment::Event {
            pupil_id: father.pupil_id.clone(),
            kind: Some(Kind::PupilOverdue(enrollment::PupilOverdue::default())),
            ..Default::default()
        };
        world.hear(&told(&world, &father.pupil_id), arrived).await;
        world.hear(&told(&world, &father.pupil_id), overdue).await;
        let late = told(&world, &stranger.pupil_id);
        let event = left(&world, &stranger.pupil_id);
        world.pass(TimeDelta::minutes(31));
        world.hear(&late, event).await;
        assert_eq!(states(&world).await, [], "not accepted, not configured, too late");

        world.hear(&told(&world, &father.pupil_id), left(&world, &father.pupil_id)).await;

        assert_eq!(settled(&world).await, [state("sent", "")]);
        assert_eq!(sent(&world).await[0]["touser"], father.openid);
    }
}

#[tokio::test]
async fn what_wechat_refuses_for_good_is_dropped_with_a_record_and_the_rest_is_tried_again() {
    for world in World::each().await {
        let (_, [_, _, parent]) = families(&world).await;
        let hear = async || {
            world.hear(&told(&world, &parent.pupil_id), left(&world, &parent.pupil_id)).await;
        };

        fault(&world, "43101", 1).await;
        hear().await;
        assert_eq!(settled(&world).await, [state("dropped", "not_subscribed")]);
        hear().await;
        assert_eq!(states(&world).await.len(), 1, "no acceptance is left");

        accept(&world, parent.openid, &parent.session_token, "tmpl-left").await;
        fault(&world, "-1", 1).await;
        hear().await;
        for _ in 0..600 {
            if states(&world).await.iter().all(|(state, _)| state != "pending") {
                break;
            }
            world.pass(TimeDelta::seconds(5));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(settled(&world).await, [state("dropped", "not_subscribed"), state("sent", "")]);

        accept(&world, parent.openid, &parent.session_token, "tmpl-left").await;
        fault(&world, "47003", 1).await;
        hear().await;
        let dropped = [state("dropped", "not_subscribed"), state("dropped", "refused"), state("sent", "")];
        assert_eq!(settled(&world).await, dropped);
    }
}

#[tokio::test]
async fn accepting_is_repeatable_and_counts_what_is_configured_alone() {
    for world in World::each().await {
        let session = world.sign_in("o-parent").await;
        let mut client = MessageServiceClient::new(world.link_of(&session.session_token).await);
        let request = AcceptTemplatesRequest {
            request_id: new_id(),
            template_ids: vec!["tmpl-left".to_owned(), "tmpl-of-another".to_owned()],
        };

        let first = client.accept_templates(request.clone()).await.unwrap().into_inner();
        let again = client.accept_templates(request.clone()).await.unwrap().into_inner();

        assert_eq!(first, again);
        let counts: Vec<_> =
            first.templates.iter().map(|one| (one.template_id.as_str(), one.accepted_count)).collect();
        assert_eq!(counts, [("tmpl-arrived", 0), ("tmpl-left", 1)]);
        let other = AcceptTemplatesRequest { template_ids: vec!["tmpl-arrived".to_owned()], ..request };
        assert_eq!(client.accept_templates(other).await.unwrap_err().code(), Code::AlreadyExists);
        for _ in 0..25 {
            say_accepted(&world, &session.session_token, "tmpl-left").await;
        }
        let templates = say_accepted(&world, &session.session_token, "tmpl-left").await;
        assert_eq!(templates[1].accepted_count, 20);
    }
}

#[tokio::test]
async fn whoever_never_accepted_at_wechat_is_dropped_though_the_mini_program_said_so() {
    for world in World::each().await {
        let (_, [_, _, parent]) = families(&world).await;
        say_accepted(&world, &parent.session_token, "tmpl-left").await;
        for _ in 0..2 {
            world.hear(&told(&world, &parent.pupil_id), left(&world, &parent.pupil_id)).await;
            settled(&world).await;
        }

        // One acceptance was true: the second message finds none at WeChat, and the count here is put right.
        assert_eq!(settled(&world).await, [state("dropped", "not_subscribed"), state("sent", "")]);
        world.hear(&told(&world, &parent.pupil_id), left(&world, &parent.pupil_id)).await;
        assert_eq!(states(&world).await.len(), 2);
        assert_eq!(sent(&world).await.len(), 1);
    }
}

#[tokio::test]
async fn the_day_s_limit_pauses_messages_and_then_each_goes_once() {
    for world in World::each().await {
        let (_, [mother, father, _]) = families(&world).await;
        post(&world, "message-limit", r#"{"day_count":1}"#.to_owned()).await;
        world.hear(&told(&world, &mother.pupil_id), left(&world, &mother.pupil_id)).await;
        let tried = "select count(*) as number from message where state = 'pending' and attempt_count > 0 \
                     and next_at > (select max(happened_at) from message)";
        for _ in 0..1_000 {
            let db = world.db.read();
            let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), tried)).await;
            let paused: i64 = row.unwrap().unwrap().try_get("", "number").unwrap();
            if paused == 1 && sent(&world).await.len() == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(sent(&world).await.len(), 1, "WeChat takes no more today");
        assert_eq!(states(&world).await, [state("pending", ""), state("sent", "")]);

        post(&world, "message-limit", r#"{"day_count":null}"#.to_owned()).await;
        for _ in 0..100 {
            if states(&world).await.iter().all(|(state, _)| state != "pending") {
                break;
            }
            world.pass(TimeDelta::seconds(5));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }

        assert_eq!(settled(&world).await, [state("sent", ""), state("sent", "")]);
        let mut to: Vec<_> =
            sent(&world).await.iter().map(|message| message["touser"].as_str().unwrap().to_owned()).collect();
        to.sort_unstable();
        assert_eq!(to, [father.openid, mother.openid], "nothing lost, nothing twice");
    }
}
