//! Rows and what the database itself refuses.

use enrollment::domain::enrollment::{Change, Enrollment, Release, ReleaseReason, State, Step, Steps};
use enrollment::store;
use sea_orm::ConnectionTrait as _;
use shared::db::{Error, Tx};
use shared::value::{Id, Moment, Section};

use crate::support::{Family, Menu, REVIEWED, World, on_each};

async fn seated(world: &World, menu: Menu) -> (Id<Section>, Family, Enrollment) {
    let (_, section_id) = world.open(REVIEWED, menu).await;
    let family = world.family().await;
    let applied = world.apply(&family, section_id).await;
    let enrollment =
        store::enrollment::find(world.db.read(), applied.id.parse().unwrap()).await.unwrap().unwrap();
    (section_id, family, enrollment)
}

async fn violated(tx: Tx, sql: &str) -> Option<String> {
    let error = tx.execute_unprepared(sql).await.unwrap_err();
    Error::from(error).violated()
}

#[tokio::test]
async fn every_state_reads_back_as_it_was_saved() {
    on_each(|world| async move {
        let (_, _, enrollment) = seated(&world, Menu::default()).await;
        let expires_at: Moment = world.now();
        let release = |reason| Release { reason, note: "说明".to_owned() };
        let approved: Vec<Step> = enrollment
            .steps
            .list()
            .iter()
            .map(|step| Step { approved_at: Some(expires_at), ..step.clone() })
            .collect();
        let states = [
            State::AwaitingAgreement { expires_at },
            State::InReview { expires_at },
            State::Held { expires_at },
            State::Releasing { release: release(ReleaseReason::HoldExpired) },
            State::Releasing { release: release(ReleaseReason::SectionCancelled) },
            State::Confirmed,
            State::Released { release: release(ReleaseReason::Declined), was_settled: false },
            State::Released { release: release(ReleaseReason::PupilLeft), was_settled: true },
            State::Released { release: release(ReleaseReason::AgreementExpired), was_settled: false },
            State::Released { release: release(ReleaseReason::ReviewExpired), was_settled: false },
            State::Released { release: release(ReleaseReason::Withdrawn), was_settled: false },
        ];
        for state in states {
            let steps = match state {
                State::InReview { .. } => enrollment.steps.clone(),
                _ => Steps::new(approved.clone()).unwrap(),
            };
            let tx = world.db.begin().await.unwrap();
            let change = Change { steps: steps.clone(), state: state.clone(), event: None };
            store::enrollment::save(&tx, &enrollment, &change, world.now()).await.unwrap();

            let kept = store::enrollment::lock(&tx, enrollment.id).await.unwrap().unwrap();

            assert_eq!(kept, Enrollment { steps, state, ..enrollment.clone() });
        }
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn the_database_repeats_the_rules() {
    on_each(|world| async move {
        let (section_id, _, enrollment) = seated(&world, Menu { capacity_count: 1, ..Menu::default() }).await;
        let begin = async || world.db.begin().await.unwrap();

        let more = violated(begin().await, "update section set taken_count = taken_count + 1").await;
        // Both hold it: what is taken, and what is taken and promised to a draw.
        let held_by = ["section_seats_check", "section_promised_check"];
        assert!(more.as_deref().is_some_and(|check| held_by.contains(&check)), "{more:?}");
        let less = violated(begin().await, "update section set taken_count = -1").await;
        assert_eq!(less.as_deref(), Some("section_seats_check"));
        let hold = violated(begin().await, "update enrollment set hold_expires_at = null").await;
        assert_eq!(hold.as_deref(), Some("enrollment_hold_check"));
        let line = violated(
            begin().await,
            "update enrollment set state = 'waitlisted', hold_expires_at = null, next_step_role = null",
        );
        assert_eq!(line.await.as_deref(), Some("enrollment_line_check"));
        let state = violated(begin().await, "update enrollment set state = 'gone'").await.unwrap();
        assert!(state.starts_with("enrollment_"), "{state}");

        let tx = begin().await;
        let twin = Enrollment { id: Id::new(shared::random::uuid(world.now())), ..enrollment.clone() };
        let twice = store::enrollment::insert_all(&tx, std::slice::from_ref(&twin))
            .await
            .unwrap_err()
            .violated()
            .unwrap();
        assert!(
            [
                "enrollment_district_id_pupil_id_section_id_key",
                "enrollment_district_id_guardian_id_request_id_key"
            ]
            .contains(&twice.as_str()),
            "{twice}"
        );
        drop(tx);
        let tx = begin().await;
        let other = Enrollment { request_id: shared::random::uuid(world.now()), ..twin };
        let twice =
            store::enrollment::insert_all(&tx, std::slice::from_ref(&other)).await.unwrap_err().violated();
        assert_eq!(twice.as_deref(), Some("enrollment_district_id_pupil_id_section_id_key"));

        drop(tx);
        let tx = begin().await;
        let section = store::section::find(&tx, section_id).await.unwrap().unwrap();
        let seat = store::enrollment::Seat { enrollment: &other, slots: &section.slots };
        let twice = store::enrollment::take_slots(&tx, &[seat]).await.unwrap_err().violated();
        assert_eq!(twice.as_deref(), Some("enrollment_slot_pkey"));
        drop(tx);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_row_that_breaks_a_promise_is_an_error_with_its_table_and_id() {
    on_each(|world| async move {
        let (_, _, enrollment) = seated(&world, Menu::default()).await;
        let tx = world.db.begin().await.unwrap();
        tx.execute_unprepared("update enrollment set steps = '[1]'").await.unwrap();

        let error = store::enrollment::lock(&tx, enrollment.id).await.unwrap_err();

        let Error::Inconsistent { table, id, .. } = error else { panic!("{error}") };
        assert_eq!((table, id), ("enrollment", enrollment.id.to_string()));
        tx.rollback().await.unwrap();
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn the_check_finds_what_is_broken() {
    on_each(|world| async move {
        let (section_id, _, enrollment) = seated(&world, Menu::default()).await;
        let breakages = [
            (
                "update section set taken_count = 2",
                "update section set taken_count = 1",
                section_id.to_string(),
            ),
            (
                "update section set last_waitlist_number = 1",
                "update section set last_waitlist_number = 0",
                section_id.to_string(),
            ),
            (
                "update event set name = 'seat_confirmed'",
                "update event set name = 'review_begun'",
                enrollment.id.to_string(),
            ),
            ("update enrollment set term_id = id", "", enrollment.id.to_string()),
        ];
        for (breakage, repair, id) in breakages {
            let tx = world.db.begin().await.unwrap();
            tx.execute_unprepared(breakage).await.unwrap();
            tx.commit().await.unwrap();

            let checked = enrollment::check(&world.db).await.unwrap();

            assert!(checked.iter().any(|checked| checked.broken.contains(&id)), "{breakage}");
            if !repair.is_empty() {
                let tx = world.db.begin().await.unwrap();
                tx.execute_unprepared(repair).await.unwrap();
                tx.commit().await.unwrap();
            }
        }
    })
    .await;
}
