//! Guardians: signing in through WeChat, binding, consent.

use chrono::TimeDelta;
use proto::identity::v1::*;
use shared::caller::Role;
use shared::status;
use tonic::Code;

use super::world::{PUPILS, Tree, World, bind_request, csv_file, new_id, reason};

async fn school_with_pupils(world: &World) -> Tree {
    let tree = world.tree().await;
    world.import_pupils(&tree.school, csv_file(PUPILS)).await.unwrap();
    tree
}

#[tokio::test]
async fn a_code_sent_twice_gives_one_session() {
    for world in World::each().await {
        for _ in 0..3 {
            let wechat_code = world.wechat_code("o-parent").await;
            let request = SignInGuardianRequest { wechat_code };
            let calls = (0..4).map(|_| {
                let (mut client, request) = (world.anonymous(), request.clone());
                async move { client.sign_in_guardian(request).await.unwrap().into_inner() }
            });
            let answers = futures::future::join_all(calls).await;
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
            assert_eq!(answers[0].session_token.len(), 43);

            world.pass(TimeDelta::minutes(5));
            let refused = world.anonymous().sign_in_guardian(request).await.unwrap_err();
            assert_eq!(
                (refused.code(), reason(&refused).as_str()),
                (Code::Unauthenticated, "WECHAT_CODE_INVALID")
            );
        }
        let one = world.sign_in("o-parent").await;
        let other = world.sign_in("o-parent").await;
        assert_eq!(one.guardian_id, other.guardian_id, "the same person");
        assert_ne!(one.session_token, other.session_token, "another session");
        assert_ne!(world.sign_in("o-other").await.guardian_id, one.guardian_id);
    }
}

#[tokio::test]
async fn what_wechat_refuses_is_told_by_its_reason() {
    let world = World::on(shared::db::Kind::Sqlite).await;
    let table = [
        ("40226", Code::PermissionDenied, "WECHAT_USER_BLOCKED"),
        ("45011", Code::ResourceExhausted, "WECHAT_RATE_LIMITED"),
        ("40013", Code::Unavailable, "WECHAT_UNAVAILABLE"),
        ("40029", Code::Unauthenticated, "WECHAT_CODE_INVALID"),
    ];
    for (errcode, code, expected) in table {
        let fault =
            format!(r#"{{"target":"login","kind":"error","status":200,"code":"{errcode}","count":1}}"#);
        let answer = world
            .http
            .post(format!("{}/sandbox/faults", world.sandbox_url))
            .header("content-type", "application/json")
            .body(fault)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        let wechat_code = world.wechat_code("o-parent").await;
        let refused =
            world.anonymous().sign_in_guardian(SignInGuardianRequest { wechat_code }).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (code, expected));
    }
    let refused = world.anonymous().sign_in_guardian(SignInGuardianRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_phone_is_taken_once_and_shown_masked() {
    for world in World::each().await {
        let session = world.sign_in("o-parent").await;
        let mut client = world.with_token(&world.exchange(&session.session_token).await.unwrap());
        let phone_code = world.phone_code("o-parent", "13800138000").await;
        let request = VerifyPhoneRequest { request_id: new_id(), phone_code };

        let first = client.verify_phone(request.clone()).await.unwrap().into_inner();
        let again = client.verify_phone(request.clone()).await.unwrap().into_inner();
        assert_eq!((first.masked_phone.as_str(), &again), ("138****8000", &first));

        let spent = VerifyPhoneRequest { request_id: new_id(), ..request.clone() };
        assert_eq!(reason(&client.verify_phone(spent).await.unwrap_err()), "WECHAT_CODE_INVALID");
        let reused =
            VerifyPhoneRequest { phone_code: world.phone_code("o-parent", "13800138000").await, ..request };
        assert_eq!(reason(&client.verify_phone(reused).await.unwrap_err()), "REQUEST_ID_REUSED");
        let stolen = VerifyPhoneRequest {
            request_id: new_id(),
            phone_code: world.phone_code("o-other", "13900139000").await,
        };
        assert_eq!(reason(&client.verify_phone(stolen).await.unwrap_err()), "WECHAT_CODE_INVALID");
        let fixed = VerifyPhoneRequest {
            request_id: new_id(),
            phone_code: world.phone_code("o-parent", "02112345678").await,
        };
        assert_eq!(reason(&client.verify_phone(fixed).await.unwrap_err()), "PHONE_UNSUPPORTED");
        assert!(world.sign_in("o-parent").await.phone_verified);
    }
}

#[tokio::test]
async fn c100_binding_needs_phone_consent_and_what_belongs_together() {
    for world in World::each().await {
        let tree = school_with_pupils(&world).await;
        let unverified = world.sign_in("o-new").await;
        let mut client = world.with_token(&world.exchange(&unverified.session_token).await.unwrap());
        let refused = client.bind_pupil(bind_request(&tree.school, "JH20260001")).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::FailedPrecondition, "PHONE_NOT_VERIFIED")
        );

        let (_, mut client) = world.guardian_with_phone("o-parent", "13800138000").await;
        for (version, expected) in [("", "CONSENT_REQUIRED"), ("2025-09", "CONSENT_OUTDATED")] {
            let request = BindPupilRequest {
                consent_version: version.to_owned(),
                ..bind_request(&tree.school, "JH20260001")
            };
            let refused = client.bind_pupil(request).await.unwrap_err();
            assert_eq!(reason(&refused), expected);
            assert_eq!(status::facts_of(&refused).get("version").map(String::as_str), Some("2026-09"));
        }
        // Wrong code, wrong school, wrong number: word for word the same.
        let mut refusals = Vec::new();
        for (school, code) in
            [(&tree.school, "JH20269999"), (&tree.other_school, "JH20260001"), (&tree.school, "JH20260003")]
        {
            let refused = client.bind_pupil(bind_request(school, code)).await.unwrap_err();
            refusals.push((refused.code(), refused.message().to_owned(), refused.details().to_vec()));
        }
        assert_eq!(refusals[0].0, Code::NotFound);
        assert!(refusals.iter().all(|refused| *refused == refusals[0]), "{refusals:?}");

        let request = bind_request(&tree.school, " jh20260001 ");
        let bound = client.bind_pupil(request.clone()).await.unwrap().into_inner().pupil.unwrap();
        assert_eq!(
            (bound.name.as_str(), bound.class_name.as_str(), bound.path.len()),
            ("王小明", "二年级1班", 4)
        );
        assert_eq!(client.bind_pupil(request).await.unwrap().into_inner().pupil.unwrap(), bound, "a repeat");
        client.bind_pupil(bind_request(&tree.school, "JH20260001")).await.unwrap();
        assert_eq!(world.told_names().await.iter().filter(|name| *name == "guardian_bound").count(), 1);
        // The second number on file does as well.
        let (_, mut other) = world.guardian_with_phone("o-grandma", "13900139000").await;
        assert!(other.bind_pupil(bind_request(&tree.school, "JH20260002")).await.is_ok());
        let pupils = client.list_my_pupils(ListMyPupilsRequest {}).await.unwrap().into_inner().pupils;
        assert_eq!(pupils.iter().map(|pupil| pupil.name.as_str()).collect::<Vec<_>>(), ["王小明"]);

        let mut principal = world.staff(Role::Principal, &tree.school.path);
        let refused = principal.bind_pupil(bind_request(&tree.school, "JH20260001")).await.unwrap_err();
        assert_eq!(reason(&refused), "GUARDIAN_ONLY");
    }
}

#[tokio::test]
async fn a_pupil_who_left_is_bound_to_nobody_new() {
    for world in World::each().await {
        let tree = school_with_pupils(&world).await;
        let left = "学籍号,姓名,年级,班级,监护人手机,状态\nJH20260001,王小明,2,二年级1班,13800138000,离校\n";
        world.import_pupils(&tree.school, csv_file(left)).await.unwrap();
        let (_, mut client) = world.guardian_with_phone("o-parent", "13800138000").await;

        let refused = client.bind_pupil(bind_request(&tree.school, "JH20260001")).await.unwrap_err();

        assert_eq!(reason(&refused), "PUPIL_NOT_FOUND");
    }
}

#[tokio::test]
async fn five_failures_in_an_hour_lock_and_an_hour_later_open() {
    for world in World::each().await {
        let tree = school_with_pupils(&world).await;
        let (_, mut client) = world.guardian_with_phone("o-parent", "13800138000").await;
        let wrong = || bind_request(&tree.school, "JH20269999");
        let repeated = wrong();

        for _ in 0..4 {
            // The same request sent again is one failure.
            assert_eq!(reason(&client.bind_pupil(repeated.clone()).await.unwrap_err()), "PUPIL_NOT_FOUND");
        }
        for _ in 0..4 {
            assert_eq!(reason(&client.bind_pupil(wrong()).await.unwrap_err()), "PUPIL_NOT_FOUND");
        }
        let refused = client.bind_pupil(bind_request(&tree.school, "JH20260001")).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::ResourceExhausted, "BINDING_ATTEMPTS_EXCEEDED")
        );
        assert_eq!(status::retry_after_of(&refused).unwrap().as_secs(), 3_600);

        world.pass(TimeDelta::hours(1) - TimeDelta::microseconds(1));
        let session = world.sign_in("o-parent").await;
        let mut client = world.with_token(&world.exchange(&session.session_token).await.unwrap());
        let refused = client.bind_pupil(bind_request(&tree.school, "JH20260001")).await.unwrap_err();
        assert_eq!(reason(&refused), "BINDING_ATTEMPTS_EXCEEDED");
        world.pass(TimeDelta::microseconds(1));
        assert!(client.bind_pupil(bind_request(&tree.school, "JH20260001")).await.is_ok());
    }
}

#[tokio::test]
async fn of_many_guesses_at_once_no_more_than_five_are_looked_at() {
    for world in World::each().await {
        let tree = school_with_pupils(&world).await;
        for round in 0..3 {
            let (_, client) = world.guardian_with_phone(&format!("o-{round}"), "13800138000").await;
            let guesses = (0..12).map(|number| {
                let mut client = client.clone();
                let request = bind_request(&tree.school, &format!("GUESS{number}"));
                async move { reason(&client.bind_pupil(request).await.unwrap_err()) }
            });
            let reasons = futures::future::join_all(guesses).await;
            assert_eq!(
                reasons.iter().filter(|reason| *reason == "PUPIL_NOT_FOUND").count(),
                5,
                "{reasons:?}"
            );
        }
    }
}

#[tokio::test]
async fn withdrawn_consent_counts_at_the_next_exchange() {
    for world in World::each().await {
        let tree = school_with_pupils(&world).await;
        let (session, mut client) = world.guardian_with_phone("o-parent", "13800138000").await;
        let pupil = client
            .bind_pupil(bind_request(&tree.school, "JH20260001"))
            .await
            .unwrap()
            .into_inner()
            .pupil
            .unwrap();
        let token = world.exchange(&session.session_token).await.unwrap();
        let mut client = world.with_token(&token);
        assert!(
            client.get_node(GetNodeRequest { id: pupil.path[3].clone() }).await.is_ok(),
            "the token has the class"
        );

        let request = WithdrawConsentRequest { request_id: new_id(), pupil_id: pupil.id.clone() };
        client.withdraw_consent(request.clone()).await.unwrap();
        client.withdraw_consent(request).await.unwrap();
        client
            .withdraw_consent(WithdrawConsentRequest { request_id: new_id(), pupil_id: pupil.id.clone() })
            .await
            .unwrap();

        assert_eq!(world.told_names().await.iter().filter(|name| *name == "consent_withdrawn").count(), 1);
        assert!(client.list_my_pupils(ListMyPupilsRequest {}).await.unwrap().into_inner().pupils.is_empty());
        let mut next = world.with_token(&world.exchange(&session.session_token).await.unwrap());
        let refused = next.get_node(GetNodeRequest { id: pupil.path[3].clone() }).await.unwrap_err();
        assert_eq!(reason(&refused), "NODE_NOT_FOUND");
        let unknown = WithdrawConsentRequest { request_id: new_id(), pupil_id: new_id() };
        assert_eq!(reason(&next.withdraw_consent(unknown).await.unwrap_err()), "PUPIL_NOT_FOUND");

        // Bound again, it is a new consent and a new event.
        next.bind_pupil(bind_request(&tree.school, "JH20260001")).await.unwrap();
        assert_eq!(world.told_names().await.iter().filter(|name| *name == "guardian_bound").count(), 2);
        assert!(identity::check(&world.db).await.unwrap().iter().all(|checked| checked.broken.is_empty()));
    }
}

#[tokio::test]
async fn a_session_lasts_thirty_days_from_its_last_use() {
    for world in World::each().await {
        let session = world.sign_in("o-parent").await;
        world.pass(TimeDelta::days(29));
        assert!(world.exchange(&session.session_token).await.is_ok());
        world.pass(TimeDelta::days(30) - TimeDelta::microseconds(1));
        assert!(world.exchange(&session.session_token).await.is_ok(), "each use moves the end");
        world.pass(TimeDelta::days(30));
        let refused = world.exchange(&session.session_token).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, "SESSION_ENDED"));

        let session = world.sign_in("o-parent").await;
        for _ in 0..2 {
            let request = EndSessionRequest { session_token: session.session_token.clone() };
            world.gateway().end_session(request).await.unwrap();
        }
        assert_eq!(reason(&world.exchange(&session.session_token).await.unwrap_err()), "SESSION_ENDED");
        assert_eq!(reason(&world.exchange("").await.unwrap_err()), "SESSION_ENDED");
        let request = ExchangeSessionRequest { session_token: session.session_token };
        assert_eq!(reason(&world.billing().exchange_session(request).await.unwrap_err()), "SERVICE_ONLY");
    }
}

#[tokio::test]
async fn the_payer_is_told_to_billing_only() {
    for world in World::each().await {
        let session = world.sign_in("o-parent").await;
        let request = GetPayerRequest { guardian_id: session.guardian_id.clone() };

        let payer = world.billing().get_payer(request.clone()).await.unwrap().into_inner();
        assert_eq!(payer.openid, "o-parent");
        assert_eq!(reason(&world.gateway().get_payer(request.clone()).await.unwrap_err()), "SERVICE_ONLY");
        let guardian =
            world.with_token(&world.exchange(&session.session_token).await.unwrap()).get_payer(request).await;
        assert_eq!(reason(&guardian.unwrap_err()), "SERVICE_ONLY");
        let unknown = GetPayerRequest { guardian_id: new_id() };
        assert_eq!(reason(&world.billing().get_payer(unknown).await.unwrap_err()), "GUARDIAN_NOT_FOUND");
    }
}
