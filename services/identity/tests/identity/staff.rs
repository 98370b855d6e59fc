//! Staff: bringing them in, signing in, changing the password; the first operator.

use chrono::TimeDelta;
use identity::job::purge;
use proto::identity::v1::*;
use shared::caller::Role;
use shared::clock::Clock as _;
use shared::db::Kind;
use shared::{random, status};
use tonic::Code;

use super::world::{Client, Tree, World, csv_file, faults, new_id, reason, totp};

const STAFF: &str = "账号,姓名,角色,组织代码
jinhua.principal,萧子阳,principal,JH-S1
jinhua.teacher,许若博,class_teacher,JH-S1-201
jinhua.teacher,许若博,instructor,JH-S1
";

fn staff_request(tree: &Tree, csv: &str) -> ImportStaffRequest {
    ImportStaffRequest {
        request_id: new_id(),
        district_id: tree.district.id.clone(),
        file: Some(csv_file(csv)),
    }
}

async fn import(client: &mut Client, tree: &Tree, rows: &str) -> ImportStaffResponse {
    let request = staff_request(tree, &format!("账号,姓名,角色,组织代码\n{rows}\n"));
    client.import_staff(request).await.unwrap().into_inner()
}

async fn sign_in(
    world: &World,
    login_name: &str,
    password: &str,
    code: String,
) -> Result<SignInStaffResponse, tonic::Status> {
    let request = SignInStaffRequest {
        login_name: login_name.to_owned(),
        password: password.to_owned(),
        totp_code: code,
    };
    Ok(world.anonymous().sign_in_staff(request).await?.into_inner())
}

/// A tree and its staff, with the teacher's first credentials.
async fn teacher(world: &World) -> (Tree, FirstCredentials) {
    let tree = world.tree().await;
    let response = world.operator().import_staff(staff_request(&tree, STAFF)).await.unwrap().into_inner();
    (tree, response.credentials[1].clone())
}

#[tokio::test]
async fn first_credentials_are_shown_for_ten_minutes_and_then_never() {
    for world in World::each().await {
        let tree = world.tree().await;
        let request = staff_request(&tree, STAFF);
        let mut operator = world.operator();

        let first = operator.import_staff(request.clone()).await.unwrap().into_inner();
        assert_eq!(first.credentials.len(), 2, "{:?}", first.errors);
        assert_eq!((first.credentials[1].password.len(), first.credentials[1].totp_secret.len()), (16, 32));
        world.pass(TimeDelta::minutes(10) - TimeDelta::microseconds(1));
        assert_eq!(operator.import_staff(request.clone()).await.unwrap().into_inner(), first);
        world.pass(TimeDelta::microseconds(1));
        let late = operator.import_staff(request.clone()).await.unwrap().into_inner();
        assert_eq!(late.credentials.len(), 2);
        assert!(late.credentials.iter().all(|late| late.password.is_empty()
            && late.totp_secret.is_empty()
            && !late.staff_id.is_empty()));
        assert_eq!(purge::once(&world.db, &world.clock).await.unwrap(), 1, "and nothing readable is left");

        let again = operator
            .import_staff(ImportStaffRequest { request_id: new_id(), ..request })
            .await
            .unwrap()
            .into_inner();
        assert!(again.credentials.is_empty() && again.errors.is_empty(), "all accounts are there");
    }
}

#[tokio::test]
async fn roles_are_granted_where_they_belong_by_who_reaches_there() {
    for world in World::each().await {
        let tree = world.tree().await;
        let provider = new_id();
        let mut operator = world.operator();
        let response = import(&mut operator, &tree, "aaa,张三,principal,JH\nbbb,李四,headmaster,JH-S1\nccc,王五,principal,XX\nddd,赵六,provider,JH-S1\nA B,钱七,principal,JH-S1").await;
        assert_eq!(faults(&response.errors), [(3, "角色", "ROLE_UNKNOWN"), (6, "账号", "VALUE_INVALID")]);
        let response = import(
            &mut operator,
            &tree,
            "aaa,张三,principal,JH\nccc,王五,principal,XX\nddd,赵六,provider,JH-S1",
        )
        .await;
        assert_eq!(
            faults(&response.errors),
            [
                (2, "组织代码", "ROLE_MISPLACED"),
                (3, "组织代码", "NODE_UNKNOWN"),
                (4, "组织代码", "ROLE_MISPLACED")
            ]
        );

        let mut officer = world.staff(Role::BureauOfficer, &tree.district.path);
        let mut principal = world.staff(Role::Principal, &tree.school.path);
        let table = [
            ("inspector,JH", true, true, false),
            ("principal,JH-S2", true, true, false),
            ("school_finance,JH-S1", true, true, true),
            ("platform_operator,", true, false, false),
            (&format!("provider,{provider}"), true, false, false),
        ];
        for (number, (grant, by_operator, by_officer, by_principal)) in table.into_iter().enumerate() {
            for (name, client, allowed) in [
                ("o", &mut operator, by_operator),
                ("b", &mut officer, by_officer),
                ("p", &mut principal, by_principal),
            ] {
                let response = import(client, &tree, &format!("new.{name}{number},张三,{grant}")).await;
                let reasons: Vec<_> = response.errors.iter().map(|error| error.reason.as_str()).collect();
                assert_eq!(reasons, if allowed { vec![] } else { vec!["OUT_OF_REACH"] }, "{grant} by {name}");
            }
        }
        let mut teacher = world.staff(Role::ClassTeacher, &tree.classes[0].path);
        let refused = teacher.import_staff(staff_request(&tree, STAFF)).await.unwrap_err();
        assert_eq!(reason(&refused), "ROLE_NOT_ALLOWED");
        let elsewhere = ImportStaffRequest { district_id: new_id(), ..staff_request(&tree, STAFF) };
        assert_eq!(reason(&principal.import_staff(elsewhere).await.unwrap_err()), "DISTRICT_NOT_FOUND");
        // An account is one person's: the same login name under another name is a mistake.
        let response = import(&mut principal, &tree, "new.p2,李四,instructor,JH-S1").await;
        assert_eq!(faults(&response.errors), [(2, "账号", "VALUE_INVALID")]);
    }
}

#[tokio::test]
async fn a_member_signs_in_with_password_and_code_and_may_what_was_granted() {
    for world in World::each().await {
        let (tree, first) = teacher(&world).await;

        let session = sign_in(&world, "Jinhua.Teacher", &first.password, totp(&world, &first.totp_secret))
            .await
            .unwrap();

        let member = session.staff.unwrap();
        assert_eq!((member.name.as_str(), member.grants.len()), ("许若博", 2));
        let mut client = world.with_token(&world.exchange(&session.session_token).await.unwrap());
        let request =
            ListPupilsRequest { node_id: tree.classes[0].id.clone(), ..ListPupilsRequest::default() };
        assert!(client.list_pupils(request).await.is_ok());
        let other =
            ListPupilsRequest { node_id: tree.other_school.id.clone(), ..ListPupilsRequest::default() };
        assert_eq!(reason(&client.list_pupils(other).await.unwrap_err()), "NODE_NOT_FOUND");
        // The first password was hashed cheaply; it still is right once it is hashed dearly.
        world.pass(TimeDelta::seconds(30));
        assert!(
            sign_in(&world, "jinhua.teacher", &first.password, totp(&world, &first.totp_secret))
                .await
                .is_ok()
        );
    }
}

#[tokio::test]
async fn a_code_is_good_one_step_around_and_only_once() {
    for world in World::each().await {
        let (_, first) = teacher(&world).await;
        let code = totp(&world, &first.totp_secret);
        let try_code = async |code: &str| {
            sign_in(&world, "jinhua.teacher", &first.password, code.to_owned())
                .await
                .map_err(|refused| reason(&refused))
        };

        world.pass(TimeDelta::seconds(60));
        assert_eq!(try_code(&code).await.unwrap_err(), "CREDENTIALS_INVALID", "two steps late");
        world.pass(TimeDelta::seconds(-30));
        assert!(try_code(&code).await.is_ok(), "one step late");
        assert_eq!(try_code(&code).await.unwrap_err(), "CREDENTIALS_INVALID", "used before");
        world.pass(TimeDelta::seconds(-30));
        assert_eq!(try_code(&code).await.unwrap_err(), "CREDENTIALS_INVALID", "used before, in its own step");
        world.pass(TimeDelta::seconds(60));
        let early = totp(&world, &first.totp_secret);
        world.pass(TimeDelta::seconds(-30));
        assert!(try_code(&early).await.is_ok(), "one step early");
        // Of many with the same code at once, one.
        world.pass(TimeDelta::minutes(16));
        for _ in 0..3 {
            world.pass(TimeDelta::minutes(1));
            let code = totp(&world, &first.totp_secret);
            let tries = futures::future::join_all((0..4).map(|_| try_code(&code))).await;
            assert_eq!(tries.iter().filter(|tried| tried.is_ok()).count(), 1, "{tries:?}");
        }
    }
}

#[tokio::test]
async fn what_was_wrong_is_not_told() {
    for world in World::each().await {
        let (_, first) = teacher(&world).await;
        let code = totp(&world, &first.totp_secret);
        let wrong_code = if code == "000000" { "000001" } else { "000000" };
        let mut refusals = Vec::new();
        for (name, password, code) in [
            ("nobody.here", first.password.as_str(), code.as_str()),
            ("jinhua.teacher", "wrongpassword123", &code),
            ("jinhua.teacher", &first.password, wrong_code),
        ] {
            let refused = sign_in(&world, name, password, code.to_owned()).await.unwrap_err();
            refusals.push((refused.code(), refused.message().to_owned(), refused.details().to_vec()));
        }
        assert_eq!((refusals[0].0, refusals[0].1.as_str()), (Code::Unauthenticated, "CREDENTIALS_INVALID"));
        assert!(refusals.iter().all(|refused| *refused == refusals[0]));
        for code in ["", "12345", "1234567", "12345a"] {
            let refused =
                sign_in(&world, "jinhua.teacher", &first.password, code.to_owned()).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
        }
    }
}

#[tokio::test]
async fn five_failures_in_fifteen_minutes_lock_a_name_known_or_not() {
    for world in World::each().await {
        let (_, first) = teacher(&world).await;
        for name in ["jinhua.teacher", "nobody.here"] {
            let wrong = async || {
                reason(&sign_in(&world, name, "wrongpassword123", "123456".to_owned()).await.unwrap_err())
            };
            for _ in 0..5 {
                assert_eq!(wrong().await, "CREDENTIALS_INVALID");
            }
            assert_eq!(wrong().await, "SIGN_IN_LOCKED");
        }
        let right = async || {
            sign_in(&world, "jinhua.teacher", &first.password, totp(&world, &first.totp_secret)).await
        };
        let refused = right().await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "SIGN_IN_LOCKED"));
        assert_eq!(status::retry_after_of(&refused).unwrap().as_secs(), 900);
        world.pass(TimeDelta::minutes(15) - TimeDelta::microseconds(1));
        assert_eq!(reason(&right().await.unwrap_err()), "SIGN_IN_LOCKED");
        world.pass(TimeDelta::microseconds(1));
        assert!(right().await.is_ok());
        // Whoever gets in starts from nothing.
        for _ in 0..4 {
            let _ =
                sign_in(&world, "jinhua.teacher", "wrongpassword123", "123456".to_owned()).await.unwrap_err();
        }
        world.pass(TimeDelta::seconds(30));
        assert!(right().await.is_ok());
    }
}

#[tokio::test]
async fn of_many_guesses_at_once_no_more_than_five_are_looked_at() {
    for world in World::each().await {
        for round in 0..2 {
            let guesses = (0..12).map(|_| async {
                let name = format!("nobody{round}");
                reason(&sign_in(&world, &name, "wrongpassword123", "123456".to_owned()).await.unwrap_err())
            });
            let reasons = futures::future::join_all(guesses).await;
            assert_eq!(
                reasons.iter().filter(|reason| *reason == "CREDENTIALS_INVALID").count(),
                5,
                "{reasons:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    for world in World::each().await {
        let (_, first) = teacher(&world).await;
        let other = sign_in(&world, "jinhua.teacher", &first.password, totp(&world, &first.totp_secret))
            .await
            .unwrap();
        world.pass(TimeDelta::seconds(30));
        let own = sign_in(&world, "jinhua.teacher", &first.password, totp(&world, &first.totp_secret))
            .await
            .unwrap();
        let mut client = world.with_token(&world.exchange(&own.session_token).await.unwrap());
        let change = |old: &str, new: &str| ChangePasswordRequest {
            request_id: new_id(),
            old_password: old.to_owned(),
            new_password: new.to_owned(),
            session_token: own.session_token.clone(),
        };

        for new in ["short", &"x".repeat(129), first.password.as_str(), "my-jinhua.teacher-1"] {
            let refused = client.change_password(change(&first.password, new)).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{new}");
        }
        let refused =
            client.change_password(change("wrongpassword123", "correct horse battery")).await.unwrap_err();
        assert_eq!(reason(&refused), "CREDENTIALS_INVALID");
        let request = change(&first.password, "correct horse battery");
        client.change_password(request.clone()).await.unwrap();
        client.change_password(request).await.unwrap();

        assert!(world.exchange(&own.session_token).await.is_ok());
        assert_eq!(reason(&world.exchange(&other.session_token).await.unwrap_err()), "SESSION_ENDED");
        world.pass(TimeDelta::seconds(30));
        let code = || totp(&world, &first.totp_secret);
        assert_eq!(
            reason(&sign_in(&world, "jinhua.teacher", &first.password, code()).await.unwrap_err()),
            "CREDENTIALS_INVALID"
        );
        assert!(sign_in(&world, "jinhua.teacher", "correct horse battery", code()).await.is_ok());
        // Staff sessions last eight hours from their last use.
        world.pass(TimeDelta::hours(8));
        assert_eq!(reason(&world.exchange(&own.session_token).await.unwrap_err()), "SESSION_ENDED");
    }
}

#[tokio::test]
async fn there_is_one_first_operator() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let world = World::on(kind).await;
        let tries = (0..3).map(|_| identity::bootstrap(&world.db, &world.clock, &world.vault));
        let tries = futures::future::join_all(tries).await;
        let made: Vec<_> = tries.into_iter().filter_map(Result::ok).collect();
        assert_eq!(made.len(), 1);
        assert!(identity::bootstrap(&world.db, &world.clock, &world.vault).await.is_err());

        let code = totp(&world, &made[0].totp_secret);
        let session = sign_in(&world, "operator", &made[0].password, code).await.unwrap();
        let mut client = world.with_token(&world.exchange(&session.session_token).await.unwrap());
        let request = ImportNodesRequest {
            request_id: random::uuid(world.clock.now()).to_string(),
            file: Some(csv_file(super::world::NODES)),
        };
        assert!(client.import_nodes(request).await.is_ok());
    }
}
