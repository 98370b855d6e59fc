//! What the other services tell, and what it does to seats.

use proto::enrollment::v1::enrollment::{ReleaseReason, State};
use proto::enrollment::v1::event::Kind;
use proto::identity::v1 as identity;
use proto::identity::v1::event::Kind as Identity;
use tonic::Code;

use crate::fakes::Close;
use crate::support::{CHARGED, Family, Menu, REVIEWED, World, on_each, texts};

#[tokio::test]
async fn a_cancelled_section_gives_back_everything_in_it_with_the_words_for_the_families() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, Menu { capacity_count: 2, ..Menu::default() }).await;
        let families = world.families(3).await;
        let paid = world.apply(&families[0], section_id).await;
        let held = world.apply(&families[1], section_id).await;
        let waiting = world.apply(&families[2], section_id).await;
        world.hear_settled(&paid.id, false).await.unwrap();

        world.cancel(section_id).await;

        for enrollment in [&paid, &held, &waiting] {
            let released = world.until(&enrollment.id, State::Released).await;
            assert_eq!(released.release_reason(), ReleaseReason::SectionCancelled);
            assert_eq!(released.release_note, "教师请假");
        }
        assert_eq!(world.told(&waiting.id).await, ["waitlisted", "seat_released"]);
        for (enrollment, confirmed) in [(&paid, true), (&held, false), (&waiting, false)] {
            let Kind::SeatReleased(told) = world.last_told(&enrollment.id).await else { panic!() };
            assert_eq!(told.was_confirmed, confirmed);
        }
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn money_that_arrives_for_a_cancelled_section_goes_back_as_from_a_confirmed_seat() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, Menu::default()).await;
        let held = world.apply(&world.family().await, section_id).await;
        world.fakes.close_with(Close::Settled);

        world.cancel(section_id).await;

        world.until(&held.id, State::Released).await;
        world.hear_settled(&held.id, false).await.unwrap();
        assert_eq!(world.told(&held.id).await, ["seat_held", "seat_released"]);
        let Kind::SeatReleased(told) = world.last_told(&held.id).await else { panic!() };
        assert!(told.was_confirmed);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_pupil_who_left_gives_every_place_to_the_next() {
    on_each(|world| async move {
        let (term_id, monday) = world.open(REVIEWED, Menu { capacity_count: 1, ..Menu::default() }).await;
        let tuesday = world.section(term_id, Menu { capacity_count: 1, weekday: 2, ..Menu::default() }).await;
        let families = world.families(2).await;
        let mut theirs = Vec::new();
        let mut next = Vec::new();
        for section_id in [monday, tuesday] {
            theirs.push(world.apply(&families[0], section_id).await);
            next.push(world.apply(&families[1], section_id).await);
        }

        let left = identity::PupilLeft { pupil_id: families[0].pupil_id.to_string() };
        world.hear_identity(Identity::PupilLeft(left)).await;

        for (theirs, next) in theirs.iter().zip(&next) {
            let released = world.get(&theirs.id).await;
            assert_eq!(
                (released.state(), released.release_reason()),
                (State::Released, ReleaseReason::PupilLeft)
            );
            assert_eq!(world.get(&next.id).await.state(), State::InReview);
        }
        world.try_apply(&families[0], monday, true).await.unwrap_err();
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_pupil_who_changes_class_keeps_the_seat_and_gets_the_new_class_teacher() {
    on_each(|world| async move {
        let (_, section_id) = world.open(REVIEWED, Menu::default()).await;
        let family = world.family().await;
        let applied = world.apply(&family, section_id).await;
        let class_id = shared::random::uuid(world.now());
        let path = [world.school.path.as_slice(), &[class_id]].concat();

        let moved = identity::PupilMoved {
            pupil_id: family.pupil_id.to_string(),
            path: texts(&path),
            stage: identity::Stage::Primary.into(),
            grade: 4,
        };
        world.hear_identity(Identity::PupilMoved(moved)).await;

        let kept = world.get(&applied.id).await;
        assert_eq!((kept.state(), kept.pupil_path), (State::InReview, texts(&path)));
        world.end().await;
    })
    .await;
}

async fn withdraw_consent(world: &World, family: &Family, guardian_id: &str) {
    let withdrawn = identity::ConsentWithdrawn {
        guardian_id: guardian_id.to_owned(),
        pupil_id: family.pupil_id.to_string(),
    };
    world.hear_identity(Identity::ConsentWithdrawn(withdrawn)).await;
}

#[tokio::test]
async fn the_seat_is_kept_until_the_last_guardian_withdraws_consent() {
    on_each(|world| async move {
        let (_, section_id) = world.open(REVIEWED, Menu::default()).await;
        let family = world.family().await;
        let guardians = [family.guardian_id.to_string(), world.request_id()];
        for guardian_id in &guardians {
            let bound = identity::GuardianBound {
                guardian_id: guardian_id.clone(),
                pupil_id: family.pupil_id.to_string(),
            };
            world.hear_identity(Identity::GuardianBound(bound)).await;
        }
        let applied = world.apply(&family, section_id).await;

        withdraw_consent(&world, &family, &guardians[0]).await;
        assert_eq!(world.get(&applied.id).await.state(), State::InReview);
        withdraw_consent(&world, &family, &guardians[1]).await;

        let released = world.get(&applied.id).await;
        assert_eq!(
            (released.state(), released.release_reason()),
            (State::Released, ReleaseReason::PupilLeft)
        );
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_settlement_that_cannot_be_is_refused_for_good() {
    on_each(|world| async move {
        let (_, section_id) = world.open(REVIEWED, Menu::default()).await;
        let applied = world.apply(&world.family().await, section_id).await;

        assert_eq!(world.hear_settled(&applied.id, false).await.unwrap_err().code(), Code::Internal);
        let unknown = world.request_id();
        assert_eq!(world.hear_settled(&unknown, false).await.unwrap_err().code(), Code::InvalidArgument);
        world.end().await;
    })
    .await;
}
