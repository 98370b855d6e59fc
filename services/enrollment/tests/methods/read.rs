//! The methods that only read: what is shown, and to whom.

use proto::enrollment::v1::{
    GetEnrollmentRequest, ListPupilEnrollmentsRequest, ListReviewsRequest, ListRosterRequest,
    ListSeatsRequest,
};
use shared::caller::Role;
use shared::random;
use tonic::Code;

use crate::support::{CHARGED, FREE, Menu, REVIEWED, on_each, reason};

#[tokio::test]
async fn an_enrollment_is_shown_to_its_guardian_its_school_and_services_and_to_nobody_else() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, Menu::default()).await;
        let families = world.families(2).await;
        let held = world.apply(&families[0], section_id).await;
        let ask = || GetEnrollmentRequest { id: held.id.clone() };

        let own = world.guardian(&families[0]).get_enrollment(ask()).await.unwrap().into_inner();
        assert_eq!(own.enrollment.unwrap(), held);
        for role in [Role::ClassTeacher, Role::Principal, Role::SchoolFinance] {
            let seen =
                world.staff(role).get_enrollment(ask()).await.unwrap().into_inner().enrollment.unwrap();
            assert_eq!(seen.pupil_path.len(), 4);
        }
        assert_eq!(world.get(&held.id).await.pupil_path.len(), 4);

        let other = world.guardian(&families[1]).get_enrollment(ask()).await.unwrap_err();
        assert_eq!(reason(&other), "ENROLLMENT_NOT_FOUND");
        let elsewhere = vec![random::uuid(world.now())];
        let other =
            world.staff_at(Role::BureauOfficer, elsewhere.clone()).get_enrollment(ask()).await.unwrap_err();
        assert_eq!(reason(&other), "ENROLLMENT_NOT_FOUND");
        let provider = world.staff_at(Role::Provider, elsewhere).get_enrollment(ask()).await.unwrap_err();
        assert_eq!(reason(&provider), "ROLE_NOT_ALLOWED");
        assert_eq!(world.anyone().get_enrollment(ask()).await.unwrap_err().code(), Code::Unauthenticated);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_pupils_enrollments_come_newest_first_page_by_page() {
    on_each(|world| async move {
        let term_id = world.term(FREE).await;
        let family = world.family().await;
        let mut ids = Vec::new();
        for weekday in 1..=5 {
            world.section(term_id, Menu { weekday, ..Menu::default() }).await;
        }
        world.open_round(term_id).await;
        let request = ListSeatsRequest { term_id: term_id.to_string() };
        for seats in world.anyone().list_seats(request).await.unwrap().into_inner().seats {
            world.clock.advance(chrono::TimeDelta::milliseconds(1));
            ids.push(world.apply(&family, seats.section_id.parse().unwrap()).await.id);
        }
        ids.reverse();

        let mut seen = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListPupilEnrollmentsRequest {
                pupil_id: family.pupil_id.to_string(),
                page_size: 2,
                page_token,
            };
            let page = world.guardian(&family).list_pupil_enrollments(request).await.unwrap().into_inner();
            seen.extend(page.enrollments.into_iter().map(|enrollment| enrollment.id));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }

        assert_eq!(seen, ids);
        let request =
            ListPupilEnrollmentsRequest { pupil_id: family.pupil_id.to_string(), ..Default::default() };
        let other = world.guardian(&world.family().await).list_pupil_enrollments(request).await.unwrap_err();
        assert_eq!(reason(&other), "PUPIL_NOT_FOUND");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn reviews_are_listed_at_the_desk_whose_step_is_next() {
    on_each(|world| async move {
        let (_, section_id) = world.open(REVIEWED, Menu::default()).await;
        let applied = world.apply(&world.family().await, section_id).await;
        let ask = || ListReviewsRequest { school_id: world.school.id().to_string(), ..Default::default() };
        let ids = async |role| {
            let page = world.staff(role).list_reviews(ask()).await.unwrap().into_inner();
            page.enrollments.into_iter().map(|enrollment| enrollment.id).collect::<Vec<_>>()
        };

        assert_eq!(ids(Role::ClassTeacher).await, std::slice::from_ref(&applied.id));
        assert!(ids(Role::Principal).await.is_empty());
        let other_class = [world.school.path.as_slice(), &[random::uuid(world.now())]].concat();
        let other =
            world.staff_at(Role::ClassTeacher, other_class).list_reviews(ask()).await.unwrap().into_inner();
        assert!(other.enrollments.is_empty());
        let approve = proto::enrollment::v1::DecideStepRequest {
            request_id: world.request_id(),
            enrollment_id: applied.id.clone(),
            step_key: "class_pre_review".to_owned(),
            approved: true,
            reason: String::new(),
        };
        world.staff(Role::ClassTeacher).decide_step(approve).await.unwrap();
        assert!(ids(Role::ClassTeacher).await.is_empty());
        assert_eq!(ids(Role::Principal).await, [applied.id]);

        let elsewhere = (0..3).map(|_| random::uuid(world.now())).collect();
        let refused = world.staff_at(Role::Principal, elsewhere).list_reviews(ask()).await.unwrap_err();
        assert_eq!(reason(&refused), "SCHOOL_NOT_FOUND");
        let refused = world.staff(Role::SchoolFinance).list_reviews(ask()).await.unwrap_err();
        assert_eq!(reason(&refused), "ROLE_NOT_ALLOWED");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c101_c105_a_roster_tells_no_held_seat_from_a_confirmed_one_and_each_teacher_their_own_class() {
    on_each(|world| async move {
        let provider_id = random::uuid(world.now());
        let menu = Menu { capacity_count: 2, provider_id: provider_id.to_string(), ..Menu::default() };
        let (_, section_id) = world.open(CHARGED, menu).await;
        let families = world.families(3).await;
        for (family, name) in families.iter().zip(["王小明", "李华", "张伟"]) {
            world.fakes.name(family.pupil_id, name, "三年级1班", 3);
            world.apply(family, section_id).await;
        }
        let ask = || ListRosterRequest { section_id: section_id.to_string() };

        let before = world.staff(Role::Principal).list_roster(ask()).await.unwrap().into_inner();
        let paid = world.guardian(&families[0]);
        let own =
            ListPupilEnrollmentsRequest { pupil_id: families[0].pupil_id.to_string(), ..Default::default() };
        let own = { paid }.list_pupil_enrollments(own).await.unwrap().into_inner().enrollments.remove(0);
        world.hear_settled(&own.id, false).await.unwrap();

        let names: Vec<_> = before.places.iter().map(|place| place.pupil_name.as_str()).collect();
        assert_eq!(names, ["李华", "王小明"], "by name; nobody from the line");
        assert_eq!(before.section_title, "围棋");
        for role in [
            Role::Principal,
            Role::Instructor,
            Role::ClassTeacher,
            Role::MoralEducation,
            Role::TeachingOffice,
        ] {
            assert_eq!(world.staff(role).list_roster(ask()).await.unwrap().into_inner(), before, "{role}");
        }
        let own =
            world.staff_at(Role::Provider, vec![provider_id]).list_roster(ask()).await.unwrap().into_inner();
        assert_eq!(own, before);

        let foreign =
            world.staff_at(Role::Provider, vec![random::uuid(world.now())]).list_roster(ask()).await;
        assert_eq!(reason(&foreign.unwrap_err()), "SECTION_NOT_FOUND");
        let other_class = [world.school.path.as_slice(), &[random::uuid(world.now())]].concat();
        let other =
            world.staff_at(Role::ClassTeacher, other_class).list_roster(ask()).await.unwrap().into_inner();
        assert!(other.places.is_empty());
        let refused = world.guardian(&families[0]).list_roster(ask()).await.unwrap_err();
        assert_eq!(reason(&refused), "ROLE_NOT_ALLOWED");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn seats_are_public_and_leave_out_cancelled_sections() {
    on_each(|world| async move {
        let (term_id, open) = world.open(CHARGED, Menu::default()).await;
        let cancelled = world.section(term_id, Menu { weekday: 2, ..Menu::default() }).await;
        world.cancel(cancelled).await;
        world.apply(&world.family().await, open).await;

        let request = ListSeatsRequest { term_id: term_id.to_string() };
        let seats = world.anyone().list_seats(request).await.unwrap().into_inner().seats;

        let seats: Vec<_> = seats.iter().map(|seats| (seats.section_id.clone(), seats.taken_count)).collect();
        assert_eq!(seats, [(open.to_string(), 1)]);
        world.end().await;
    })
    .await;
}
