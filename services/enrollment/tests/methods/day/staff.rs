//! Who answers for what, and who sees which lessons.

use proto::enrollment::v1::duty::Post;
use proto::enrollment::v1::lesson::Warning;
use proto::enrollment::v1::{AssignDutyRequest, EndDutyRequest, ListDutiesRequest};
use shared::caller::Role;
use shared::random;
use shared::status::violations_of;

use super::stage::{DAY, Stage, staff, staff_at};
use crate::support::{FREE, Menu, on_each, reason};

#[tokio::test]
async fn an_instructor_sees_the_sections_they_are_named_for_and_the_office_all() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 1).await;
        let other = stage
            .world
            .section(stage.term_id, Menu { start_time: "17:00", end_time: "18:00", ..Menu::default() });
        other.await;

        let own = stage.lessons(&mut stage.teacher()).await.unwrap();
        let all = stage.lessons(&mut stage.office()).await.unwrap();
        let class = stage.lessons(&mut stage.staff(Role::ClassTeacher)).await.unwrap();
        let unnamed = stage.lessons(&mut stage.staff(Role::Instructor)).await.unwrap();

        assert_eq!((own.len(), all.len(), class.len(), unnamed.len()), (1, 2, 2, 0));
        assert_eq!(own[0].section_id, stage.section_id.to_string());
        assert!(!own[0].warnings.contains(&Warning::NobodyNamed.into()));
        assert!(all[1].warnings.contains(&Warning::NobodyNamed.into()));
        assert!(all[0].start_time.unwrap().seconds < all[1].start_time.unwrap().seconds);
        let elsewhere = (0..3).map(|_| random::uuid(stage.now())).collect();
        let stranger = staff_at(&stage.world, Role::Principal, elsewhere);
        let refused = stage.lessons(&mut stage.world.day(&stranger)).await.unwrap_err();
        assert_eq!(reason(&refused), "SCHOOL_NOT_FOUND");
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_duty_that_was_ended_lets_nobody_in_any_more() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 1).await;
        let substitute = staff(&stage.world, Role::Instructor);
        let duty = stage.name(Post::Section, stage.section_id.to_string(), &substitute).await;
        stage.world.day(&substitute).get_roll(stage.roll()).await.unwrap();
        let end = || EndDutyRequest { request_id: stage.world.request_id(), duty_id: duty.id.clone() };

        let ended = stage.office().end_duty(end()).await.unwrap().into_inner().duty.unwrap();
        let again = stage.office().end_duty(end()).await.unwrap().into_inner().duty.unwrap();

        assert_eq!(ended.last_day, "2026-09-06");
        assert_eq!(ended, again);
        let refused = stage.world.day(&substitute).get_roll(stage.roll()).await.unwrap_err();
        assert_eq!(reason(&refused), "SECTION_NOT_FOUND");
        let ask = ListDutiesRequest { school_id: stage.school_id(), day: DAY.to_owned() };
        let duties = stage.teacher().list_duties(ask).await.unwrap().into_inner().duties;
        assert_eq!(duties.len(), 1, "the instructor's alone");
        let refused = stage.teacher().end_duty(end()).await.unwrap_err();
        assert_eq!(reason(&refused), "ROLE_NOT_ALLOWED");
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_naming_says_everything_that_is_wrong_with_it() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 1).await;
        let request = AssignDutyRequest {
            request_id: stage.world.request_id(),
            school_id: stage.school_id(),
            post: Post::Leader.into(),
            place_id: "hall".to_owned(),
            staff_id: "li".to_owned(),
            staff_name: " ".to_owned(),
            first_day: DAY.to_owned(),
            last_day: "2026-09-06".to_owned(),
        };
        let refused = stage.office().assign_duty(request.clone()).await.unwrap_err();
        let fields: Vec<_> = violations_of(&refused).list().iter().map(|one| one.field.clone()).collect();
        assert_eq!(fields, ["place_id", "staff_id", "staff_name", "last_day"]);

        let elsewhere = AssignDutyRequest {
            post: Post::Section.into(),
            place_id: random::uuid(stage.now()).to_string(),
            staff_id: random::uuid(stage.now()).to_string(),
            staff_name: "王老师".to_owned(),
            last_day: DAY.to_owned(),
            ..request
        };
        let refused = stage.office().assign_duty(elsewhere).await.unwrap_err();
        assert_eq!(reason(&refused), "SECTION_NOT_FOUND");
        stage.end().await;
    })
    .await;
}
