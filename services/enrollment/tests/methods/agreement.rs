//! Agreements: nothing counts and nothing is charged before the guardian has signed.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use policy::Live;
use proto::enrollment::v1::agreement_service_client::AgreementServiceClient;
use proto::enrollment::v1::enrollment::{ReleaseReason, State};
use proto::enrollment::v1::{
    Agreement, Enrollment, GetAgreementRequest, GetRollRequest, ListRosterRequest, ListSignaturesRequest,
    ListSignaturesResponse, OpenRoundRequest, PublishAgreementRequest, SignAgreementRequest,
    SignAgreementResponse, WithdrawRequest, round,
};
use sea_orm::ConnectionTrait as _;
use shared::caller::Role;
use shared::client::Link;
use shared::value::{Id, Section, Term};
use tonic::{Code, Status};

use crate::support::{FREE, Family, Menu, World, fact, guardian, on_each, on_each_with, reason, time};

/// Free, with an agreement, without steps.
const HEBEI: &str = "hebei";

/// Free, with an agreement it inherits, with steps.
const SHAHE: &str = "hebei_shahe";

const BODY: &str = "一、自愿参加。二、可以随时退出。";

type Client = AgreementServiceClient<Link>;

fn staff(world: &World, role: Role) -> Client {
    Client::new(world.link(&world.member(role)))
}

fn family_of(world: &World, family: &Family) -> Client {
    Client::new(world.link(&guardian(family)))
}

async fn publish(world: &World, term_id: Id<Term>, body: &str) -> Agreement {
    let request = PublishAgreementRequest {
        request_id: world.request_id(),
        term_id: term_id.to_string(),
        title: "自愿服务协议书".to_owned(),
        body: body.to_owned(),
    };
    let published = staff(world, Role::Principal).publish_agreement(request).await.unwrap();
    published.into_inner().agreement.unwrap()
}

fn signing(world: &World, family: &Family, agreement: &Agreement) -> SignAgreementRequest {
    SignAgreementRequest {
        request_id: world.request_id(),
        pupil_id: family.pupil_id.to_string(),
        term_id: agreement.term_id.clone(),
        digest: agreement.digest.clone(),
        consent_words: "本人已阅读并自愿签订。".to_owned(),
    }
}

async fn sign(
    world: &World,
    family: &Family,
    agreement: &Agreement,
) -> Result<SignAgreementResponse, Status> {
    let request = signing(world, family, agreement);
    Ok(family_of(world, family).sign_agreement(request).await?.into_inner())
}

/// A term of `pack` with an agreement and one section in an open round.
async fn open(world: &World, pack: &str, menu: Menu) -> (Id<Term>, Id<Section>, Agreement) {
    let term_id = world.term(pack).await;
    let section_id = world.section(term_id, menu).await;
    let agreement = publish(world, term_id, BODY).await;
    world.open_round(term_id).await;
    (term_id, section_id, agreement)
}

async fn roster_count(world: &World, section_id: Id<Section>) -> usize {
    let request = ListRosterRequest { section_id: section_id.to_string() };
    let roster = world.staff(Role::Principal).list_roster(request).await.unwrap();
    roster.into_inner().places.len()
}

async fn signatures(
    world: &World,
    role: Role,
    term_id: Id<Term>,
    awaiting_only: bool,
) -> ListSignaturesResponse {
    let request = ListSignaturesRequest {
        term_id: term_id.to_string(),
        awaiting_only,
        page_size: 0,
        page_token: String::new(),
    };
    staff(world, role).list_signatures(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn c35_in_hebei_an_unsigned_application_counts_nowhere_and_signed_it_goes_on() {
    on_each(|world| async move {
        let (term_id, section_id, agreement) = open(&world, HEBEI, Menu::default()).await;
        let families = world.families(2).await;
        for (family, name) in families.iter().zip(["张小明", "李小红"]) {
            world.fakes.name(family.pupil_id, name, "三年级1班", 3);
        }

        let unsigned = world.apply(&families[0], section_id).await;

        assert_eq!(unsigned.state(), State::AwaitingAgreement);
        assert_eq!(unsigned.hold_expire_time, Some(time(world.now() + chrono::TimeDelta::days(7))));
        assert_eq!(roster_count(&world, section_id).await, 0);
        assert_eq!(world.told(&unsigned.id).await, ["agreement_awaited"]);
        let waiting = signatures(&world, Role::ClassTeacher, term_id, true).await.entries;
        assert_eq!((waiting.len(), waiting[0].pupil_name.as_str()), (1, "张小明"));
        assert!(waiting[0].awaiting && waiting[0].signature.is_none());

        world.clock.advance(chrono::TimeDelta::minutes(1));
        let signed = sign(&world, &families[0], &agreement).await.unwrap();

        let [went_on] = signed.enrollments.as_slice() else { panic!("{signed:?}") };
        assert_eq!((went_on.id.as_str(), went_on.state()), (unsigned.id.as_str(), State::Confirmed));
        assert_eq!(roster_count(&world, section_id).await, 1);
        assert_eq!(world.told(&unsigned.id).await, ["agreement_awaited", "seat_confirmed"]);
        assert!(signatures(&world, Role::Principal, term_id, true).await.entries.is_empty());
        let all = signatures(&world, Role::Principal, term_id, false).await.entries;
        let signature = all[0].signature.clone().unwrap();
        assert_eq!(signature.guardian_id, families[0].guardian_id.to_string());
        assert_eq!(signature.consent_words, "本人已阅读并自愿签订。");
        assert_eq!(signature.sign_time, Some(time(world.now())));
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c35_c65_where_parents_pay_billing_hears_of_no_seat_before_the_signature() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/packs"));
    let packs = Arc::new(Live::open(folder).unwrap());
    on_each_with(packs, |world| async move {
        let (_, section_id, agreement) = open(&world, "agreement_charged", Menu::default()).await;
        let family = world.family().await;
        let unsigned = world.apply(&family, section_id).await;
        assert_eq!(world.told(&unsigned.id).await, ["agreement_awaited"]);

        let signed = sign(&world, &family, &agreement).await.unwrap();

        assert_eq!(signed.enrollments[0].state(), State::Held);
        assert_eq!(world.told(&unsigned.id).await, ["agreement_awaited", "seat_held"]);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c35_c36_one_signature_covers_all_seats_of_the_pupil_in_the_term_and_the_version_signed_stays_named()
{
    on_each(|world| async move {
        let term_id = world.term(SHAHE).await;
        let mut sections = Vec::new();
        for weekday in 1..=3 {
            sections.push(world.section(term_id, Menu { weekday, ..Menu::default() }).await);
        }
        let old = publish(&world, term_id, BODY).await;
        world.open_round(term_id).await;
        let family = world.family().await;
        let one = world.apply(&family, sections[0]).await;
        let two = world.apply(&family, sections[1]).await;

        let signed = sign(&world, &family, &old).await.unwrap();

        let states: Vec<_> = signed.enrollments.iter().map(Enrollment::state).collect();
        assert_eq!(states, [State::InReview, State::InReview]);
        let ids: BTreeSet<_> = signed.enrollments.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, [one.id.as_str(), two.id.as_str()].into());

        // A new version asks for a new signature of what comes after it, and leaves what was signed as it was.
        let new = publish(&world, term_id, "一、自愿参加。").await;
        assert_eq!((old.version_number, new.version_number), (1, 2));
        let three = world.apply(&family, sections[2]).await;
        assert_eq!(three.state(), State::AwaitingAgreement);
        assert_eq!(world.get(&one.id).await.state(), State::InReview);
        let stale = sign(&world, &family, &old).await.unwrap_err();
        assert_eq!(
            (reason(&stale).as_str(), fact(&stale, "version_number").as_str()),
            ("AGREEMENT_CHANGED", "2")
        );
        let kept = signatures(&world, Role::MoralEducation, term_id, false).await.entries;
        assert_eq!(kept[0].signature.as_ref().unwrap().version_number, 1);
        let text = GetAgreementRequest { term_id: term_id.to_string(), version_number: 1 };
        let text = Client::new(world.anyone_link()).get_agreement(text).await.unwrap().into_inner();
        assert_eq!((text.required, text.agreement), (true, Some(old)));

        let signed = sign(&world, &family, &new).await.unwrap();
        assert_eq!(signed.enrollments.len(), 1);
        assert_eq!(world.get(&three.id).await.state(), State::InReview);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c35_signing_is_repeatable_and_first_come_first_kept() {
    on_each(|world| async move {
        let (_, section_id, agreement) = open(&world, HEBEI, Menu::default()).await;
        let family = world.family().await;
        for round in 0..3 {
            let unsigned = world.apply(&family, section_id).await;
            let request = signing(&world, &family, &agreement);
            let mut client = family_of(&world, &family);

            let twice = client.sign_agreement(request.clone()).await.unwrap().into_inner();
            assert_eq!(client.sign_agreement(request.clone()).await.unwrap().into_inner(), twice);
            let other = SignAgreementRequest { consent_words: "同意".to_owned(), ..request };
            let reused = client.sign_agreement(other.clone()).await.unwrap_err();
            assert_eq!(reason(&reused), "REQUEST_ID_REUSED");

            let others = (0..6).map(|_| {
                let request = SignAgreementRequest { request_id: world.request_id(), ..other.clone() };
                let mut client = family_of(&world, &family);
                async move { client.sign_agreement(request).await }
            });
            for again in futures::future::join_all(others).await {
                // The words that count are the first.
                assert_eq!(again.unwrap().into_inner().signature, twice.signature);
            }
            // From the second round on the signature is there before the application.
            let expected: &[&str] =
                if round == 0 { &["agreement_awaited", "seat_confirmed"] } else { &["seat_confirmed"] };
            assert_eq!(world.told(&unsigned.id).await, expected);
            let request =
                WithdrawRequest { request_id: world.request_id(), enrollment_id: unsigned.id.clone() };
            world.guardian(&family).withdraw(request).await.unwrap();
        }
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c35_a_seat_nobody_signs_for_goes_to_the_next_in_line_who_has_signed_or_must() {
    on_each(|world| async move {
        let (term_id, section_id, agreement) =
            open(&world, HEBEI, Menu { capacity_count: 1, ..Menu::default() }).await;
        let families = world.families(3).await;
        let unsigned = world.apply(&families[0], section_id).await;
        let next = world.apply(&families[1], section_id).await;
        let last = world.apply(&families[2], section_id).await;
        sign(&world, &families[1], &agreement).await.unwrap();
        assert_eq!(world.get(&next.id).await.state(), State::Waitlisted);

        world.clock.advance(chrono::TimeDelta::days(7));

        let over = world.until(&unsigned.id, State::Released).await;
        assert_eq!(over.release_reason(), ReleaseReason::AgreementExpired);
        assert_eq!(world.told(&unsigned.id).await, ["agreement_awaited", "seat_released"]);
        assert_eq!(world.get(&next.id).await.state(), State::Confirmed);
        let request = WithdrawRequest { request_id: world.request_id(), enrollment_id: next.id.clone() };
        world.guardian(&families[1]).withdraw(request).await.unwrap();
        assert_eq!(world.get(&last.id).await.state(), State::AwaitingAgreement);
        assert_eq!(world.told(&last.id).await, ["waitlisted", "agreement_awaited"]);
        let waiting = signatures(&world, Role::TeachingOffice, term_id, true).await.entries;
        assert_eq!(waiting[0].pupil_id, families[2].pupil_id.to_string());
        world.end().await;
    })
    .await;
}

/// Signing and giving a seat meet head on: whoever comes first, no seat waits for a signature that is there.
#[tokio::test]
async fn c35_no_seat_waits_for_a_signature_that_was_given_at_the_same_moment() {
    on_each(|world| async move {
        for _ in 0..6 {
            let (_, section_id, agreement) =
                open(&world, HEBEI, Menu { capacity_count: 1, ..Menu::default() }).await;
            let families = world.families(2).await;
            sign(&world, &families[0], &agreement).await.unwrap();
            let seated = world.apply(&families[0], section_id).await;
            let waiting = world.apply(&families[1], section_id).await;
            let request =
                WithdrawRequest { request_id: world.request_id(), enrollment_id: seated.id.clone() };
            let mut guardian = world.guardian(&families[0]);

            let (withdrawn, signed) = tokio::join!(guardian.withdraw(request), async {
                loop {
                    match sign(&world, &families[1], &agreement).await {
                        Err(refused) if refused.code() == Code::Aborted => {}
                        done => break done,
                    }
                }
            });

            withdrawn.unwrap();
            signed.unwrap();
            assert_eq!(world.get(&waiting.id).await.state(), State::Confirmed);
        }
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c35_a_round_opens_only_where_there_is_something_to_sign_and_a_region_that_asks_nobody_gets_none() {
    on_each(|world| async move {
        let term_id = world.term(HEBEI).await;
        world.section(term_id, Menu::default()).await;
        let request = OpenRoundRequest {
            request_id: world.request_id(),
            term_id: term_id.to_string(),
            mode: round::Mode::FirstCome.into(),
            open_time: Some(time(world.now())),
            close_time: Some(time(world.now() + chrono::TimeDelta::days(1))),
            review_seconds: 0,
            payment_seconds: 0,
            ..OpenRoundRequest::default()
        };
        let mut principal = world.staff(Role::Principal);
        let refused = principal.open_round(request.clone()).await.unwrap_err();
        assert_eq!(reason(&refused), "AGREEMENT_NOT_PUBLISHED");
        let family = world.family().await;
        let unread =
            Agreement { term_id: term_id.to_string(), digest: "0".repeat(64), ..Agreement::default() };
        assert_eq!(reason(&sign(&world, &family, &unread).await.unwrap_err()), "AGREEMENT_NOT_PUBLISHED");

        publish(&world, term_id, BODY).await;
        principal.open_round(request).await.unwrap();

        let free = world.term(FREE).await;
        let ask = GetAgreementRequest { term_id: free.to_string(), version_number: 0 };
        let answer = Client::new(world.anyone_link()).get_agreement(ask).await.unwrap().into_inner();
        assert_eq!((answer.required, answer.agreement), (false, None));
        let request = PublishAgreementRequest {
            request_id: world.request_id(),
            term_id: free.to_string(),
            title: "协议".to_owned(),
            body: BODY.to_owned(),
        };
        let refused = staff(&world, Role::Principal).publish_agreement(request).await.unwrap_err();
        assert_eq!(reason(&refused), "AGREEMENT_NOT_REQUIRED");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn versions_published_at_once_are_numbered_one_after_another_and_none_can_be_changed() {
    on_each(|world| async move {
        let term_id = world.term(HEBEI).await;
        let bodies: Vec<_> = (0..6).map(|number| format!("第{number}稿")).collect();

        let published =
            futures::future::join_all(bodies.iter().map(|body| publish(&world, term_id, body))).await;

        let mut numbers: Vec<_> = published.iter().map(|one| one.version_number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
        let family = world.family().await;
        let last = published.iter().max_by_key(|one| one.version_number).unwrap();
        sign(&world, &family, last).await.unwrap();
        for sql in [
            "update agreement set body = 'x'",
            "delete from agreement",
            "update signature set consent_words = 'x'",
            "delete from signature",
        ] {
            let tx = world.db.begin().await.unwrap();
            let refused = tx.execute_unprepared(sql).await.unwrap_err().to_string();
            assert!(refused.contains("are never changed"), "{sql}: {refused}");
        }
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_none_of_the_caller_s_business_is_not_found_and_every_bad_field_is_named() {
    on_each(|world| async move {
        let (term_id, section_id, agreement) = open(&world, HEBEI, Menu::default()).await;
        let families = world.families(2).await;
        world.apply(&families[0], section_id).await;

        let request = signing(&world, &families[0], &agreement);
        let stranger = family_of(&world, &families[1]).sign_agreement(request.clone()).await.unwrap_err();
        assert_eq!(reason(&stranger), "PUPIL_NOT_FOUND");
        let elsewhere = World::start(world.db.kind()).await;
        let theirs = elsewhere.family().await;
        let request = SignAgreementRequest { pupil_id: theirs.pupil_id.to_string(), ..request };
        let other = family_of(&world, &theirs).sign_agreement(request).await.unwrap_err();
        assert_eq!(reason(&other), "TERM_NOT_FOUND");
        elsewhere.end().await;

        let empty = family_of(&world, &families[0])
            .sign_agreement(SignAgreementRequest::default())
            .await
            .unwrap_err();
        let fields: Vec<_> =
            shared::status::violations_of(&empty).list().iter().map(|one| one.field.clone()).collect();
        assert_eq!(fields, ["request_id", "pupil_id", "term_id", "digest", "consent_words"]);
        let long = PublishAgreementRequest {
            request_id: world.request_id(),
            term_id: term_id.to_string(),
            title: "题".repeat(81),
            body: "文".repeat(24_001),
        };
        let long = staff(&world, Role::Principal).publish_agreement(long).await.unwrap_err();
        assert_eq!(shared::status::violations_of(&long).list().len(), 2);
        let unknown = GetAgreementRequest { term_id: term_id.to_string(), version_number: 9 };
        let unknown = Client::new(world.anyone_link()).get_agreement(unknown).await.unwrap_err();
        assert_eq!(reason(&unknown), "AGREEMENT_NOT_FOUND");
        let ask = ListSignaturesRequest { term_id: term_id.to_string(), ..ListSignaturesRequest::default() };
        let provider = staff(&world, Role::Provider).list_signatures(ask).await.unwrap_err();
        assert_eq!(reason(&provider), "ROLE_NOT_ALLOWED");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c35_c46_an_unsigned_pupil_is_on_no_register() {
    on_each(|world| async move {
        let (_, section_id, agreement) = open(&world, HEBEI, Menu::default()).await;
        let families = world.families(2).await;
        sign(&world, &families[0], &agreement).await.unwrap();
        for family in &families {
            world.apply(family, section_id).await;
            world.fakes.name(family.pupil_id, "学生", "三年级1班", 3);
        }
        world.clock.set(shared::testing::moment("2026-09-07T16:10:00+08:00"));
        let section = enrollment::store::section::find(world.db.read(), section_id).await.unwrap().unwrap();
        let request = GetRollRequest {
            section_id: section_id.to_string(),
            day: "2026-09-07".to_owned(),
            slot_id: section.slots[0].id.to_string(),
        };

        let roll = world.day(&world.member(Role::Principal)).get_roll(request).await.unwrap().into_inner();

        let pupils: Vec<_> = roll.lines.iter().map(|line| line.pupil_id.clone()).collect();
        assert_eq!(pupils, [families[0].pupil_id.to_string()]);
        world.end().await;
    })
    .await;
}
