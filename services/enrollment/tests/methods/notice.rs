//! Notices: to whom they go, who has read them, and what never changes.

use proto::enrollment::v1::get_reach_response::Target;
use proto::enrollment::v1::notice_service_client::NoticeServiceClient;
use proto::enrollment::v1::{
    AcknowledgeNoticeRequest, GetReachRequest, GetReachResponse, ListNoticesRequest, ListPupilNoticesRequest,
    ListUnreachedRequest, Notice, SendNoticeRequest,
};
use sea_orm::ConnectionTrait as _;
use shared::caller::{Caller, Role};
use shared::client::Link;
use shared::status::violations_of;
use tonic::{Code, Status};

use crate::day::stage::{staff, staff_at};
use crate::support::{FREE, Family, World, fact, guardian, on_each, reason, texts};

/// A region that wants every parent told.
const ALL_TOLD: &str = "shanghai_jingan";
/// A region that owes a letter.
const LETTER: &str = "hebei_shahe";
/// A region that says what must be public.
const DISCLOSES: &str = "zhejiang_jinhua";

fn client(world: &World, caller: &Caller) -> NoticeServiceClient<Link> {
    NoticeServiceClient::new(world.link(caller))
}

fn letter(world: &World) -> SendNoticeRequest {
    SendNoticeRequest {
        request_id: world.request_id(),
        school_id: world.school.id().to_string(),
        title: "致家长的一封信".to_owned(),
        body: "各位家长：\n课后服务自愿参加。".to_owned(),
        ..Default::default()
    }
}

async fn send(world: &World, request: SendNoticeRequest) -> Notice {
    let office = staff(world, Role::TeachingOffice);
    client(world, &office).send_notice(request).await.unwrap().into_inner().notice.unwrap()
}

async fn try_acknowledge(world: &World, family: &Family, notice: &Notice) -> Result<(), Status> {
    let request = AcknowledgeNoticeRequest {
        request_id: world.request_id(),
        notice_id: notice.id.clone(),
        pupil_id: family.pupil_id.to_string(),
    };
    client(world, &guardian(family)).acknowledge_notice(request).await.map(|_| ())
}

async fn reach(world: &World, notice: &Notice) -> GetReachResponse {
    let request = GetReachRequest { notice_id: notice.id.clone() };
    let principal = staff(world, Role::Principal);
    client(world, &principal).get_reach(request).await.unwrap().into_inner()
}

fn list(world: &World) -> ListNoticesRequest {
    ListNoticesRequest { school_id: world.school.id().to_string(), ..Default::default() }
}

#[tokio::test]
async fn c37_c103_499_of_500_acknowledged_miss_the_target_and_the_last_one_meets_it() {
    on_each(|world| async move {
        world.term(ALL_TOLD).await;
        let families = world.families(500).await;
        let last = families.last().unwrap();
        world.fakes.name(last.pupil_id, "李小明", "三年级1班", 3);
        let notice = send(&world, letter(&world)).await;
        for family in &families[..499] {
            try_acknowledge(&world, family, &notice).await.unwrap();
        }

        let short = reach(&world, &notice).await;
        assert_eq!((short.acknowledged_count, short.expected_count), (499, 500));
        assert_eq!((short.target(), short.target_bp), (Target::Missed, 10_000));
        let unreached = ListUnreachedRequest { notice_id: notice.id.clone() };
        let office = staff(&world, Role::TeachingOffice);
        let missing = client(&world, &office).list_unreached(unreached).await.unwrap().into_inner().pupils;
        assert_eq!(missing.len(), 1);
        assert_eq!((missing[0].name.as_str(), missing[0].class_name.as_str()), ("李小明", "三年级1班"));

        try_acknowledge(&world, last, &notice).await.unwrap();
        let whole = reach(&world, &notice).await;
        assert_eq!((whole.acknowledged_count, whole.target()), (500, Target::Met));
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c37_a_pupil_counts_once_whoever_acknowledges_and_however_often() {
    on_each(|world| async move {
        world.term(ALL_TOLD).await;
        let families = world.families(2).await;
        let father = Family { guardian_id: shared::random::id(world.now()), ..families[0].clone() };
        let notice = send(&world, letter(&world)).await;
        let mother = guardian(&families[0]);
        let request = AcknowledgeNoticeRequest {
            request_id: world.request_id(),
            notice_id: notice.id.clone(),
            pupil_id: families[0].pupil_id.to_string(),
        };

        let first = client(&world, &mother).acknowledge_notice(request.clone()).await.unwrap().into_inner();
        world.clock.advance(chrono::TimeDelta::hours(1));
        let again = client(&world, &mother).acknowledge_notice(request.clone()).await.unwrap().into_inner();
        let second = AcknowledgeNoticeRequest { request_id: world.request_id(), ..request };
        let second =
            client(&world, &guardian(&father)).acknowledge_notice(second).await.unwrap().into_inner();

        assert_eq!(first, again);
        assert_eq!(first, second, "the first time stands");
        assert_eq!(reach(&world, &notice).await.acknowledged_count, 1);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c37_a_class_teacher_writes_to_the_own_class_and_sees_its_names_alone() {
    on_each(|world| async move {
        world.term(FREE).await;
        let own = world.families(2).await;
        for family in &own {
            world.fakes.name(family.pupil_id, "本班学生", "三年级1班", 3);
        }
        let other_class = shared::random::uuid(world.now());
        let other_path = [world.school.path.clone(), vec![other_class]].concat();
        let elsewhere = proto::identity::v1::PupilEnrolled {
            pupil_id: world.request_id(),
            path: texts(&other_path),
            stage: proto::identity::v1::Stage::Primary.into(),
            grade: 4,
        };
        world.hear_identity(proto::identity::v1::event::Kind::PupilEnrolled(elsewhere)).await;
        let teacher = staff(&world, Role::ClassTeacher);
        let to_class =
            |class: uuid::Uuid| SendNoticeRequest { class_ids: vec![class.to_string()], ..letter(&world) };

        let sent = client(&world, &teacher).send_notice(to_class(world.school.class_id)).await.unwrap();
        assert_eq!(sent.into_inner().expected_count, 2);
        for beyond in
            [letter(&world), to_class(other_class), SendNoticeRequest { grades: vec![3], ..letter(&world) }]
        {
            let refused = client(&world, &teacher).send_notice(beyond).await.unwrap_err();
            assert_eq!(
                (refused.code(), reason(&refused).as_str()),
                (Code::PermissionDenied, "ROLE_NOT_ALLOWED")
            );
        }

        let all = send(&world, letter(&world)).await;
        assert_eq!(reach(&world, &all).await.expected_count, 3);
        assert_eq!(reach(&world, &all).await.classes.len(), 2);
        let unreached = ListUnreachedRequest { notice_id: all.id.clone() };
        let seen = client(&world, &teacher).list_unreached(unreached).await.unwrap().into_inner().pupils;
        assert_eq!(seen.len(), 2);
        assert!(seen.iter().all(|pupil| pupil.name == "本班学生"));
        let fourth = send(&world, SendNoticeRequest { grades: vec![4], ..letter(&world) }).await;
        assert_eq!(reach(&world, &fourth).await.expected_count, 1);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_sent_stays_and_a_correction_refers_to_it() {
    on_each(|world| async move {
        world.term(FREE).await;
        let family = world.family().await;
        let wrong = send(&world, letter(&world)).await;
        let right = SendNoticeRequest { corrects_id: wrong.id.clone(), ..letter(&world) };
        world.clock.advance(chrono::TimeDelta::seconds(1));

        let right = send(&world, right).await;

        let request = ListPupilNoticesRequest { pupil_id: family.pupil_id.to_string(), ..Default::default() };
        let lines = client(&world, &guardian(&family)).list_pupil_notices(request).await.unwrap();
        let notices: Vec<_> = lines.into_inner().lines.into_iter().map(|line| line.notice.unwrap()).collect();
        let shown: Vec<_> = notices
            .iter()
            .map(|one| (one.id.as_str(), one.corrects_id.as_str(), one.corrected_by_id.as_str()))
            .collect();
        assert_eq!(
            shown,
            [(right.id.as_str(), wrong.id.as_str(), ""), (wrong.id.as_str(), "", right.id.as_str())]
        );
        assert!(notices.iter().all(|notice| notice.sender_staff_id.is_empty()));
        let tx = world.db.begin().await.unwrap();
        let changed = tx.execute_unprepared("update notice set body = ''").await;
        assert!(changed.unwrap_err().to_string().contains("append-only"));
        drop(tx);
        let unknown = SendNoticeRequest { corrects_id: world.request_id(), ..letter(&world) };
        let office = staff(&world, Role::TeachingOffice);
        let refused = client(&world, &office).send_notice(unknown).await.unwrap_err();
        assert_eq!(reason(&refused), "NOTICE_NOT_FOUND");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c37_a_letter_is_owed_until_the_whole_school_of_the_term_is_told() {
    on_each(|world| async move {
        world.term(LETTER).await;
        world.families(1).await;
        let office = staff(&world, Role::TeachingOffice);
        let before = client(&world, &office).list_notices(list(&world)).await.unwrap().into_inner();
        send(&world, SendNoticeRequest { grades: vec![3], ..letter(&world) }).await;
        let part = client(&world, &office).list_notices(list(&world)).await.unwrap().into_inner();
        send(&world, letter(&world)).await;
        let town = staff_at(&world, Role::TownOffice, world.school.path[..2].to_vec());
        let after = client(&world, &town).list_notices(list(&world)).await.unwrap().into_inner();

        assert!(before.owed_zh.contains("致家长的一封信"), "{}", before.owed_zh);
        assert!(!part.owed_zh.is_empty(), "one grade is not the school");
        assert_eq!((after.owed_zh.as_str(), after.notices.len()), ("", 2));
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_disclosure_lacking_what_the_policy_asks_is_refused_with_what_is_missing() {
    on_each(|world| async move {
        world.term(DISCLOSES).await;
        world.families(1).await;
        let office = staff(&world, Role::TeachingOffice);
        let keys = ["items", "objects", "times", "content"].map(str::to_owned).to_vec();
        let short = SendNoticeRequest { disclosure_keys: keys.clone(), ..letter(&world) };

        let refused = client(&world, &office).send_notice(short).await.unwrap_err();

        assert_eq!(
            (reason(&refused).as_str(), fact(&refused, "missing").as_str()),
            ("DISCLOSURE_INCOMPLETE", "fee_standard")
        );
        let whole = [keys, vec!["fee_standard".to_owned()]].concat();
        let sent = send(&world, SendNoticeRequest { disclosure_keys: whole, ..letter(&world) }).await;
        assert_eq!(sent.disclosure_keys.len(), 5);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn another_family_another_school_and_an_empty_audience_get_nothing() {
    on_each(|world| async move {
        world.term(FREE).await;
        let family = world.family().await;
        let notice = send(&world, letter(&world)).await;
        let late = world.family().await;

        let stranger = AcknowledgeNoticeRequest {
            request_id: world.request_id(),
            notice_id: notice.id.clone(),
            pupil_id: family.pupil_id.to_string(),
        };
        let stranger = client(&world, &guardian(&late)).acknowledge_notice(stranger).await.unwrap_err();
        assert_eq!(reason(&stranger), "PUPIL_NOT_FOUND");
        let unaddressed = try_acknowledge(&world, &late, &notice).await.unwrap_err();
        assert_eq!(reason(&unaddressed), "NOTICE_NOT_FOUND", "came after it was sent");
        let mut path = world.school.path.clone();
        path[2] = world.school.class_id;
        let elsewhere = staff_at(&world, Role::Principal, path);
        let request = GetReachRequest { notice_id: notice.id.clone() };
        let refused = client(&world, &elsewhere).get_reach(request).await.unwrap_err();
        assert_eq!(reason(&refused), "NOTICE_NOT_FOUND");
        let refused = client(&world, &elsewhere).send_notice(letter(&world)).await.unwrap_err();
        assert_eq!(reason(&refused), "SCHOOL_NOT_FOUND");

        let office = staff(&world, Role::TeachingOffice);
        let nobody = SendNoticeRequest { grades: vec![9], ..letter(&world) };
        let refused = client(&world, &office).send_notice(nobody).await.unwrap_err();
        assert_eq!(reason(&refused), "AUDIENCE_EMPTY");
        let broken = SendNoticeRequest {
            title: String::new(),
            body: "字".repeat(4_001),
            grades: vec![0],
            class_ids: vec![world.school.class_id.to_string()],
            ..letter(&world)
        };
        let refused = client(&world, &office).send_notice(broken).await.unwrap_err();
        let fields: Vec<_> = violations_of(&refused).list().iter().map(|one| one.field.clone()).collect();
        assert_eq!(fields, ["title", "body", "grades", "class_ids"]);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_pupil_who_left_is_no_longer_expected() {
    on_each(|world| async move {
        world.term(ALL_TOLD).await;
        let families = world.families(2).await;
        let notice = send(&world, letter(&world)).await;
        try_acknowledge(&world, &families[0], &notice).await.unwrap();
        let left = proto::identity::v1::PupilLeft { pupil_id: families[1].pupil_id.to_string() };

        world.hear_identity(proto::identity::v1::event::Kind::PupilLeft(left)).await;

        let reach = reach(&world, &notice).await;
        assert_eq!((reach.acknowledged_count, reach.expected_count, reach.target()), (1, 1, Target::Met));
        world.end().await;
    })
    .await;
}
