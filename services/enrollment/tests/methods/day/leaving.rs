//! When pupils leave, and who stays.

use std::path::Path;
use std::sync::Arc;

use policy::Live;
use proto::enrollment::v1::dismissal::Source;
use proto::enrollment::v1::{
    self as message, AddBatchRequest, AskExtendedCareRequest, AssignBatchRequest, CancelExtendedCareRequest,
    ListBatchesRequest, ListDismissalsRequest, ListExtendedCareRequest, ListOpenPupilsRequest,
    SetDismissalRequest,
};
use sea_orm::{ConnectionTrait as _, Statement};
use shared::caller::Role;
use shared::testing::told;

use super::stage::{DAY, Stage, Standing};
use crate::support::{CHARGED, FREE, Menu, World, fact, on_each, on_each_with, reason};

const UNTIL_SIX: Menu = Menu {
    capacity_count: 30,
    weekday: 1,
    start_time: "16:30",
    end_time: "18:00",
    grades: Vec::new(),
    basic_care: true,
    provider_id: String::new(),
    kind: proto::catalog::v1::slot::Kind::Afternoon,
};

fn menu() -> Menu {
    Menu { grades: vec![3], ..UNTIL_SIX }
}

/// Packs that say whether pupils may be forced out.
fn stated() -> Arc<Live> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/packs"));
    Arc::new(Live::open(folder).unwrap())
}

fn dismissal(stage: &Stage, at: usize, time: &str) -> SetDismissalRequest {
    SetDismissalRequest {
        request_id: stage.world.request_id(),
        pupil_id: stage.pupil(at),
        weekday: 1,
        time: time.to_owned(),
        batch_id: String::new(),
    }
}

async fn batch(stage: &Stage, time: &str) -> message::Batch {
    let request = AddBatchRequest {
        request_id: stage.world.request_id(),
        term_id: stage.term_id.to_string(),
        name: "第一批".to_owned(),
        time: time.to_owned(),
    };
    stage.office().add_batch(request).await.unwrap().into_inner().batch.unwrap()
}

fn assign(stage: &Stage, batch: &message::Batch, pupils: &[usize]) -> AssignBatchRequest {
    AssignBatchRequest {
        request_id: stage.world.request_id(),
        batch_id: batch.id.clone(),
        weekday: 1,
        pupil_ids: pupils.iter().map(|at| stage.pupil(*at)).collect(),
    }
}

async fn leaves(stage: &Stage, at: usize) -> (String, Source) {
    let request = ListDismissalsRequest { pupil_id: stage.pupil(at) };
    let all = stage.parent(at).list_dismissals(request).await.unwrap().into_inner().dismissals;
    assert_eq!(all.len(), 1, "the one weekday with service");
    assert_eq!(all[0].end_time_of_day, "18:00");
    (all[0].time.clone(), all[0].source())
}

#[tokio::test]
async fn c44_forced_leave_at_1720_is_refused_and_a_parents_own_is_not() {
    on_each_with(stated(), |world: World| async move {
        let stage = Stage::set(world, "forced_leave_banned", menu(), 2).await;
        let early = batch(&stage, "17:20").await;

        let refused = stage.office().assign_batch(assign(&stage, &early, &[0, 1])).await.unwrap_err();
        assert_eq!(reason(&refused), "FORCED_LEAVE");
        assert_eq!(
            (fact(&refused, "time").as_str(), fact(&refused, "end_time").as_str()),
            ("17:20", "18:00")
        );
        assert!(fact(&refused, "clause_zh").contains("不得强制"), "{refused:?}");
        assert_eq!(leaves(&stage, 0).await, (String::new(), Source::Unspecified), "nothing was kept");

        let own = stage.parent(0).set_dismissal(dismissal(&stage, 0, "17:20")).await.unwrap().into_inner();
        assert_eq!(own.dismissal.unwrap().time, "17:20");
        // Whom a guardian lets go early nobody forces.
        let answer = stage.office().assign_batch(assign(&stage, &early, &[0])).await.unwrap().into_inner();
        assert_eq!(answer.counting_count, 0);
        assert_eq!(leaves(&stage, 0).await, ("17:20".to_owned(), Source::Guardian));
        // At the end of the service nobody is forced out.
        let end = batch(&stage, "18:00").await;
        let answer = stage.office().assign_batch(assign(&stage, &end, &[0, 1])).await.unwrap().into_inner();
        assert_eq!(answer.counting_count, 1);
        assert_eq!(leaves(&stage, 1).await, ("18:00".to_owned(), Source::School));
        assert_eq!(leaves(&stage, 0).await.1, Source::Guardian, "the guardian's word counts before it");
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn where_the_policy_says_nothing_nobody_is_forced_out_and_where_it_allows_it_the_school_may() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, menu(), 1).await;
        let early = batch(&stage, "17:20").await;
        let refused = stage.office().assign_batch(assign(&stage, &early, &[0])).await.unwrap_err();
        assert_eq!(reason(&refused), "POLICY_SILENT");
        assert_eq!(fact(&refused, "key"), "forced_leave_before_end_allowed");
        stage.end().await;
    })
    .await;
    on_each_with(stated(), |world: World| async move {
        let stage = Stage::set(world, "forced_leave_allowed", menu(), 1).await;
        let early = batch(&stage, "17:20").await;
        stage.office().assign_batch(assign(&stage, &early, &[0])).await.unwrap();
        assert_eq!(leaves(&stage, 0).await, ("17:20".to_owned(), Source::School));
        let stay = stage.parent(0).set_dismissal(dismissal(&stage, 0, "")).await.unwrap().into_inner();
        assert_eq!(stay.dismissal.unwrap().source(), Source::Guardian);
        assert_eq!(leaves(&stage, 0).await, (String::new(), Source::Guardian), "and a guardian undoes it");
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_guardian_chooses_any_earlier_time_or_batch_and_asks_for_care_to_stay_longer() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, menu(), 2).await;
        let first = batch(&stage, "17:00").await;

        let late = stage.parent(0).set_dismissal(dismissal(&stage, 0, "18:01")).await.unwrap_err();
        assert_eq!(
            (reason(&late).as_str(), fact(&late, "end_time").as_str()),
            ("AFTER_SERVICE_END", "18:00")
        );
        let tuesday = SetDismissalRequest { weekday: 2, ..dismissal(&stage, 0, "17:00") };
        assert_eq!(reason(&stage.parent(0).set_dismissal(tuesday).await.unwrap_err()), "NO_LESSON");
        let other = stage.parent(1).set_dismissal(dismissal(&stage, 0, "17:00")).await.unwrap_err();
        assert_eq!(reason(&other), "PUPIL_NOT_FOUND");
        let with = SetDismissalRequest { batch_id: first.id.clone(), ..dismissal(&stage, 0, "") };
        stage.parent(0).set_dismissal(with).await.unwrap();
        assert_eq!(leaves(&stage, 0).await, ("17:00".to_owned(), Source::Guardian));

        let ask = ListBatchesRequest { term_id: stage.term_id.to_string() };
        let batches = stage.parent(0).list_batches(ask).await.unwrap().into_inner().batches;
        assert_eq!(batches, [first]);
        let register = stage.register().await;
        let line = register.lines.iter().find(|line| line.pupil_id == stage.pupil(0)).unwrap();
        assert_eq!(line.dismissal, "17:00", "the teacher sees it on the roll");
        let denied = stage.teacher().set_dismissal(dismissal(&stage, 0, "17:00")).await.unwrap_err();
        assert_eq!(reason(&denied), "GUARDIAN_ONLY");
        stage.end().await;
    })
    .await;
}

fn care(stage: &Stage, at: usize, until: &str) -> AskExtendedCareRequest {
    AskExtendedCareRequest {
        request_id: stage.world.request_id(),
        pupil_id: stage.pupil(at),
        day: DAY.to_owned(),
        until: until.to_owned(),
    }
}

async fn count(stage: &Stage, sql: &'static str) -> i64 {
    let db = stage.world.db.read();
    let row =
        db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get("", "number").unwrap()
}

#[tokio::test]
async fn c45_extended_care_creates_no_order() {
    for pack in [FREE, CHARGED] {
        on_each(|world| async move {
            let stage = Stage::set(world, pack, menu(), 1).await;
            let before = told::<message::Event>(&stage.world.db).await.len();
            let seats = count(&stage, "select count(*) as number from enrollment").await;

            let asked =
                stage.parent(0).ask_extended_care(care(&stage, 0, "18:30")).await.unwrap().into_inner();

            assert_eq!(asked.extended_care.unwrap().until, "18:30");
            // Whatever billing knows it knows from the feed, and from calls: there is neither.
            assert_eq!(told::<message::Event>(&stage.world.db).await.len(), before, "nothing is told");
            assert_eq!(count(&stage, "select count(*) as number from enrollment").await, seats);
            assert!(stage.world.fakes.asked_to_close().is_empty());
            let list = ListExtendedCareRequest { school_id: stage.school_id(), day: DAY.to_owned() };
            let cares = stage.office().list_extended_care(list).await.unwrap().into_inner().extended_cares;
            assert_eq!((cares.len(), cares[0].pupil_name.as_str()), (1, "学生01"));
            assert_eq!(stage.register().await.lines[0].extended_until, "18:30");
            stage.end().await;
        })
        .await;
    }
}

#[tokio::test]
async fn extended_care_puts_off_the_end_and_is_replaced_and_taken_back() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, menu(), 2).await;
        stage.at("2026-09-07T16:40:00+08:00");
        stage.call_roll(&[Standing::Present]).await;
        let due = async || {
            let request = ListOpenPupilsRequest { school_id: stage.school_id(), day: DAY.to_owned() };
            let open = stage.office().list_open_pupils(request).await.unwrap().into_inner().pupils;
            let at = open[0].due_time.unwrap().seconds;
            enrollment::domain::day::local::minute(chrono::DateTime::from_timestamp(at, 0).unwrap())
        };
        assert_eq!(due().await, 18 * 60);

        for (until, expected) in [("18:00", "BEFORE_SERVICE_END"), ("16:40", "BEFORE_SERVICE_END")] {
            let refused = stage.parent(0).ask_extended_care(care(&stage, 0, until)).await.unwrap_err();
            assert_eq!(reason(&refused), expected);
        }
        stage.parent(0).ask_extended_care(care(&stage, 0, "18:30")).await.unwrap();
        assert_eq!(due().await, 18 * 60 + 30);
        let later = stage.parent(0).ask_extended_care(care(&stage, 0, "19:00")).await.unwrap().into_inner();
        let later = later.extended_care.unwrap();
        assert_eq!(due().await, 19 * 60, "replaced");
        let cancel = || CancelExtendedCareRequest {
            request_id: stage.world.request_id(),
            extended_care_id: later.id.clone(),
        };
        let other = stage.parent(1).cancel_extended_care(cancel()).await.unwrap_err();
        assert_eq!(reason(&other), "EXTENDED_CARE_NOT_FOUND");
        let first = stage.parent(0).cancel_extended_care(cancel()).await.unwrap().into_inner();
        let again = stage.parent(0).cancel_extended_care(cancel()).await.unwrap().into_inner();
        assert_eq!(first, again);
        assert_eq!(due().await, 18 * 60);
        stage.at("2026-09-07T19:10:00+08:00");
        let past = stage.parent(0).ask_extended_care(care(&stage, 0, "19:05")).await.unwrap_err();
        assert_eq!(reason(&past), "TIME_PAST");
        let tuesday = AskExtendedCareRequest { day: "2026-09-08".to_owned(), ..care(&stage, 0, "19:05") };
        assert_eq!(reason(&stage.parent(0).ask_extended_care(tuesday).await.unwrap_err()), "NO_LESSON");
        let denied = stage.staff(Role::Provider);
        let list = ListExtendedCareRequest { school_id: stage.school_id(), day: DAY.to_owned() };
        assert_eq!(reason(&{ denied }.list_extended_care(list).await.unwrap_err()), "ROLE_NOT_ALLOWED");
        stage.end().await;
    })
    .await;
}
