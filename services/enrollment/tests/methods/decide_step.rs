//! DecideStep.

use chrono::TimeDelta;
use proto::enrollment::v1::enrollment::{ReleaseReason, State};
use proto::enrollment::v1::{DecideStepRequest, Enrollment};
use shared::caller::Role;
use tonic::{Code, Status};

use crate::support::{Menu, REVIEWED, World, fact, on_each, reason};

fn request(
    world: &World,
    enrollment: &Enrollment,
    step_key: &str,
    reason: Option<&str>,
) -> DecideStepRequest {
    DecideStepRequest {
        request_id: world.request_id(),
        enrollment_id: enrollment.id.clone(),
        step_key: step_key.to_owned(),
        approved: reason.is_none(),
        reason: reason.unwrap_or_default().to_owned(),
    }
}

async fn decide(world: &World, role: Role, request: DecideStepRequest) -> Result<Enrollment, Status> {
    let response = world.staff(role).decide_step(request).await?;
    Ok(response.into_inner().enrollment.unwrap())
}

#[tokio::test]
async fn c36_the_steps_of_the_policy_are_taken_in_order_and_end_in_a_held_seat() {
    on_each(|world| async move {
        let (_, section_id) = world.open(REVIEWED, Menu::default()).await;
        let applied = world.apply(&world.family().await, section_id).await;

        let early = decide(&world, Role::Principal, request(&world, &applied, "school_approve", None))
            .await
            .unwrap_err();
        assert_eq!(reason(&early), "STEP_OUT_OF_ORDER");
        assert_eq!(fact(&early, "next_step"), "class_pre_review");
        assert_eq!(fact(&early, "next_step_en"), "class pre review");
        assert!(!fact(&early, "next_step_zh").is_ascii(), "the region's own words");
        let unknown =
            decide(&world, Role::Principal, request(&world, &applied, "none", None)).await.unwrap_err();
        assert_eq!(reason(&unknown), "STEP_UNKNOWN");

        let first = decide(&world, Role::ClassTeacher, request(&world, &applied, "class_pre_review", None))
            .await
            .unwrap();
        assert_eq!(first.state(), State::InReview);
        assert_eq!(first.pupil_path.len(), 4, "for staff");
        decide(&world, Role::Principal, request(&world, &applied, "school_approve", None)).await.unwrap();
        let last = decide(&world, Role::TeachingOffice, request(&world, &applied, "unified_arrange", None))
            .await
            .unwrap();
        assert_eq!(last.state(), State::Held);
        let again = decide(&world, Role::TeachingOffice, request(&world, &applied, "unified_arrange", None))
            .await
            .unwrap();
        assert_eq!(again, last);
        assert_eq!(world.told(&applied.id).await, ["review_begun", "seat_held"]);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_declined_step_gives_the_seat_to_the_next_in_line() {
    on_each(|world| async move {
        let (_, section_id) = world.open(REVIEWED, Menu { capacity_count: 1, ..Menu::default() }).await;
        let families = world.families(2).await;
        let applied = world.apply(&families[0], section_id).await;
        let waiting = world.apply(&families[1], section_id).await;

        let silent =
            DecideStepRequest { approved: false, ..request(&world, &applied, "class_pre_review", None) };
        let refused = decide(&world, Role::ClassTeacher, silent).await.unwrap_err();
        assert_eq!(reason(&refused), "REASON_REQUIRED");
        let decline = request(&world, &applied, "class_pre_review", Some("名额调整"));
        let declined = decide(&world, Role::ClassTeacher, decline).await.unwrap();

        assert_eq!((declined.state(), declined.release_reason()), (State::Released, ReleaseReason::Declined));
        assert_eq!(declined.release_note, "名额调整");
        let next = world.get(&waiting.id).await;
        assert_eq!((next.state(), next.waitlist_position), (State::InReview, 0));
        assert_eq!(world.told(&waiting.id).await, ["waitlisted", "review_begun"]);
        let approve = request(&world, &applied, "class_pre_review", None);
        let refused = decide(&world, Role::ClassTeacher, approve).await.unwrap_err();
        assert_eq!(reason(&refused), "ENROLLMENT_NOT_IN_REVIEW");
        assert_eq!(fact(&refused, "state"), "RELEASED");
        assert!(world.fakes.asked_to_close().is_empty(), "nothing waits for payment in review");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn deciding_at_once_and_again_changes_and_tells_once() {
    on_each(|world| async move {
        let (_, section_id) = world.open(REVIEWED, Menu::default()).await;
        for family in world.families(3).await {
            let applied = world.apply(&family, section_id).await;
            decide(&world, Role::ClassTeacher, request(&world, &applied, "class_pre_review", None))
                .await
                .unwrap();
            decide(&world, Role::Principal, request(&world, &applied, "school_approve", None)).await.unwrap();

            let last = (0..8).map(|_| {
                let request = request(&world, &applied, "unified_arrange", None);
                decide(&world, Role::TeachingOffice, request)
            });
            let outcomes = futures::future::join_all(last).await;

            assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap().state() == State::Held));
            assert_eq!(world.told(&applied.id).await, ["review_begun", "seat_held"]);
        }
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_another_content_is_refused() {
    on_each(|world| async move {
        let (_, section_id) = world.open(REVIEWED, Menu::default()).await;
        let applied = world.apply(&world.family().await, section_id).await;
        let mut teacher = world.staff(Role::ClassTeacher);
        let approve = request(&world, &applied, "class_pre_review", None);

        let first = teacher.decide_step(approve.clone()).await.unwrap().into_inner();
        decide(&world, Role::Principal, request(&world, &applied, "school_approve", None)).await.unwrap();

        assert_eq!(teacher.decide_step(approve.clone()).await.unwrap().into_inner(), first);
        let other = DecideStepRequest { step_key: "school_approve".to_owned(), ..approve };
        assert_eq!(reason(&teacher.decide_step(other).await.unwrap_err()), "REQUEST_ID_REUSED");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c36_only_the_steps_role_that_reaches_the_pupil_decides() {
    on_each(|world| async move {
        let (_, section_id) = world.open(REVIEWED, Menu::default()).await;
        let family = world.family().await;
        let applied = world.apply(&family, section_id).await;
        let ask = || request(&world, &applied, "class_pre_review", None);

        let refused = decide(&world, Role::Principal, ask()).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "ROLE_NOT_ALLOWED"));
        let other_class = [world.school.path.as_slice(), &[shared::random::uuid(world.now())]].concat();
        let refused = world.staff_at(Role::ClassTeacher, other_class).decide_step(ask()).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "ENROLLMENT_NOT_FOUND"));
        let refused = world.guardian(&family).decide_step(ask()).await.unwrap_err();
        assert_eq!(reason(&refused), "ROLE_NOT_ALLOWED");
        world.clock.advance(TimeDelta::days(7));
        let refused = decide(&world, Role::ClassTeacher, ask()).await.unwrap_err();
        assert_eq!(reason(&refused), "ENROLLMENT_NOT_IN_REVIEW");
        world.end().await;
    })
    .await;
}
