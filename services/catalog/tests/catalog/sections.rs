//! `ArrangeSection`, `CancelSection`, `GetSection`.

use proto::catalog::v1::section::State;
use proto::catalog::v1::slot::Kind::Afternoon;
use proto::catalog::v1::*;
use shared::caller::{Caller, Role};
use tonic::Code;

use crate::world::*;

fn week() -> Vec<NewSlot> {
    vec![
        slot(1, Afternoon, "16:00", "17:00"),
        slot(1, Afternoon, "16:30", "17:30"),
        slot(1, Afternoon, "17:00", "18:00"),
        slot(2, Afternoon, "16:00", "17:00"),
    ]
}

#[tokio::test]
async fn a_section_is_arranged_once_with_its_slots_in_the_order_of_the_week() {
    for world in worlds("hunan_zhuzhou", "zhuzhou_demo").await {
        let term = world.term().await;
        let slots = world.slots(&term, &week()).await;
        let course = world.course("剪纸", ContentKind::BasicCare, "艺术").await;
        let request = ArrangeSectionRequest {
            grades: vec![3, 1, 3],
            room: " 101教室 ".to_owned(),
            instructor_name: "看护组".to_owned(),
            ..arrange(&course, &term, &[&slots[3], &slots[0]])
        };

        let first = world.principal().arrange_section(request.clone()).await.unwrap().into_inner();
        let again = world.principal().arrange_section(request).await.unwrap().into_inner();

        let section = first.section.clone().unwrap();
        assert_eq!(again, first);
        assert_eq!(section.state(), State::Arranged);
        assert_eq!(section.slots, [slots[0].clone(), slots[3].clone()]);
        assert_eq!((section.grades.as_slice(), section.room.as_str()), ([1, 3].as_slice(), "101教室"));
        assert!(section.basic_care);
        assert_eq!(world.menu(&term).await.sections, []);
        assert_eq!(world.told().await, ["term_opened"]);
        world.end().await;
    }
}

#[tokio::test]
async fn c18_c21_a_section_needs_an_approved_course_of_its_school_and_slots_of_its_term() {
    for world in worlds("hunan_zhuzhou", "zhuzhou_demo").await {
        let term = world.term().await;
        let next = world.term_of(SCHOOL, TOWN, "2027-02-20", "2027-07-01").await;
        let slots = world.slots(&term, &week()).await;
        let next_slots = world.slots(&next, &week()).await;
        let course = world.course("剪纸", ContentKind::Enrichment, "艺术").await;
        let waiting = create_course("合唱", ContentKind::Enrichment);
        let waiting = world.principal().create_course(waiting).await.unwrap().into_inner().course.unwrap();
        let other = world.term_of(OTHER_SCHOOL, OTHER_TOWN, "2026-09-01", "2027-01-15").await;
        let mut elsewhere = world.staff(Role::Principal, &[DISTRICT, OTHER_TOWN, OTHER_SCHOOL]);
        let mut principal = world.principal();

        let unapproved = principal.arrange_section(arrange(&waiting, &term, &[&slots[0]])).await;
        assert_eq!(rule(unapproved), "COURSE_NOT_APPROVED");
        let foreign = principal.arrange_section(arrange(&course, &term, &[&next_slots[0]])).await;
        assert_eq!(rule(foreign), "SLOT_OF_OTHER_TERM");
        let overlapping = principal.arrange_section(arrange(&course, &term, &[&slots[0], &slots[1]])).await;
        assert_eq!(rule(overlapping), "SLOTS_OVERLAP");
        let twice = principal.arrange_section(arrange(&course, &term, &[&slots[0], &slots[0]])).await;
        assert_eq!(rule(twice), "SLOTS_OVERLAP");
        let older = ArrangeSectionRequest { grades: vec![6, 7], ..arrange(&course, &term, &[&slots[0]]) };
        let refused = principal.arrange_section(older).await.unwrap_err();
        assert_eq!(fact(&refused, "grade"), "7");
        assert_eq!(rule::<()>(Err(refused)), "GRADE_OF_OTHER_STAGE");
        let other_slots = add_slots(&other, &week(), "");
        let other_slots = elsewhere.add_slots(other_slots).await.unwrap().into_inner().slots;
        let others_course =
            refusal(elsewhere.arrange_section(arrange(&course, &other, &[&other_slots[0]])).await);
        assert_eq!(others_course, (Code::NotFound, "COURSE_NOT_FOUND".to_owned()));
        world.end().await;
    }
}

#[tokio::test]
async fn c31_neither_room_nor_instructor_is_booked_twice_at_one_time() {
    for world in worlds("hunan_zhuzhou", "zhuzhou_demo").await {
        let term = world.term().await;
        let slots = world.slots(&term, &week()).await;
        let course = world.course("剪纸", ContentKind::Enrichment, "艺术").await;
        let with = |room: &str, instructor: &str, slot: &Slot| ArrangeSectionRequest {
            room: room.to_owned(),
            instructor_name: instructor.to_owned(),
            ..arrange(&course, &term, &[slot])
        };
        let mut principal = world.principal();
        let first = principal.arrange_section(with("101", "王老师", &slots[0])).await.unwrap();
        let first = first.into_inner().section.unwrap();

        let table = [
            (with("101", "李老师", &slots[0]), Some("ROOM_TAKEN")),
            (with("101", "李老师", &slots[1]), Some("ROOM_TAKEN")),
            (with("102", "王老师", &slots[1]), Some("INSTRUCTOR_TAKEN")),
            (with("101", "王老师", &slots[2]), None),
            (with("101", "王老师", &slots[3]), None),
            (with("", "", &slots[0]), None),
            (with("", "", &slots[0]), None),
        ];
        for (request, expected) in table {
            let arranged = principal.arrange_section(request.clone()).await;
            let reason = arranged.err().map(|status| {
                assert_eq!(fact(&status, "section_id"), first.id);
                rule::<()>(Err(status))
            });
            assert_eq!(reason.as_deref(), expected, "{request:?}");
        }
        // What is cancelled gives its room back.
        principal.cancel_section(cancel(&first, "停课")).await.unwrap();
        principal.arrange_section(with("101", "王老师", &slots[0])).await.unwrap();
        world.end().await;
    }
}

#[tokio::test]
async fn c31_a_room_wanted_by_many_at_once_goes_to_one() {
    for world in worlds("hunan_zhuzhou", "zhuzhou_demo").await {
        let term = world.term().await;
        let slots = world.slots(&term, &week()).await;
        let course = world.course("剪纸", ContentKind::Enrichment, "艺术").await;
        for round in 0..5 {
            let tasks: Vec<_> = (0..8)
                .map(|index| {
                    let mut principal = world.principal();
                    let request = ArrangeSectionRequest {
                        room: format!("教室{round}"),
                        ..arrange(&course, &term, &[&slots[index % 2]])
                    };
                    tokio::spawn(async move { principal.arrange_section(request).await })
                })
                .collect();
            let mut arranged = 0;
            for task in tasks {
                match task.await.unwrap() {
                    Ok(_) => arranged += 1,
                    Err(status) => assert_eq!(rule::<()>(Err(status)), "ROOM_TAKEN"),
                }
            }
            assert_eq!(arranged, 1);
        }
        world.end().await;
    }
}

#[tokio::test]
async fn c18_a_cancelled_section_leaves_the_menu_and_is_told_once() {
    for world in worlds("hunan_zhuzhou", "zhuzhou_demo").await {
        let term = world.term().await;
        let slots = world.slots(&term, &week()).await;
        let course = world.course("剪纸", ContentKind::Enrichment, "艺术").await;
        let shown = world.section(&course, &term, &[&slots[0]]).await;
        world.publish_all(&term).await.unwrap();
        let hidden = world.section(&course, &term, &[&slots[3]]).await;
        let mut principal = world.principal();

        let tasks: Vec<_> = (0..6)
            .map(|index| {
                let mut principal = world.principal();
                let request = cancel(&shown, &format!("理由{index}"));
                tokio::spawn(async move { principal.cancel_section(request).await })
            })
            .collect();
        for task in tasks {
            let cancelled = task.await.unwrap().unwrap().into_inner().section.unwrap();
            assert_eq!(cancelled.state(), State::Cancelled);
        }
        principal.cancel_section(cancel(&hidden, "未成班")).await.unwrap();

        let menu = world.menu(&term).await;
        assert_eq!((menu.sections.len(), menu.version), (0, 2));
        // Nobody heard of the hidden one, so nobody hears of its end.
        assert_eq!(world.told().await, ["term_opened", "section_published", "section_cancelled"]);
        let named = publish(&term, &[&shown]);
        assert_eq!(rule(principal.publish_sections(named).await), "SECTION_CANCELLED");
        assert_eq!(world.publish_all(&term).await.unwrap(), 0);
        world.end().await;
    }
}

#[tokio::test]
async fn a_section_is_read_by_services_and_by_staff_who_reach_its_school() {
    for world in worlds("hunan_zhuzhou", "zhuzhou_demo").await {
        let term = world.term().await;
        let slots = world.slots(&term, &week()).await;
        let course = world.course("剪纸", ContentKind::Enrichment, "艺术").await;
        let section = world.section(&course, &term, &[&slots[0], &slots[3]]).await;
        let get = || GetSectionRequest { id: section.id.clone() };

        let read = world.principal().get_section(get()).await.unwrap().into_inner().section.unwrap();
        assert_eq!(read, section);
        let mut class_teacher = world.staff(Role::ClassTeacher, &[DISTRICT, TOWN, SCHOOL]);
        class_teacher.get_section(get()).await.unwrap();
        let mut elsewhere = world.staff(Role::Principal, &[DISTRICT, OTHER_TOWN, OTHER_SCHOOL]);
        let missing = (Code::NotFound, "SECTION_NOT_FOUND".to_owned());
        assert_eq!(refusal(elsewhere.get_section(get()).await), missing);
        assert_eq!(
            refusal(world.principal().get_section(GetSectionRequest { id: course.id }).await),
            missing
        );
        let anonymous = world.client(&Caller::Anonymous).get_section(get()).await;
        assert_eq!(refusal(anonymous), (Code::Unauthenticated, "TOKEN_MISSING".to_owned()));
        world.end().await;
    }
}

#[tokio::test]
async fn every_broken_field_of_a_section_is_named() {
    for world in worlds("hunan_zhuzhou", "zhuzhou_demo").await {
        let broken = ArrangeSectionRequest {
            request_id: String::new(),
            course_id: String::new(),
            term_id: String::new(),
            capacity_count: 501,
            grades: vec![0, 10],
            slot_ids: vec!["x".to_owned()],
            room: "长".repeat(41),
            instructor_name: "长".repeat(41),
        };
        let fields = broken_fields(world.principal().arrange_section(broken).await);
        assert_eq!(
            fields,
            [
                "request_id",
                "course_id",
                "term_id",
                "capacity_count",
                "grades[0]",
                "grades[1]",
                "slot_ids[0]",
                "room",
                "instructor_name"
            ]
        );
        let section = Section { id: DISTRICT.to_string(), ..Section::default() };
        assert_eq!(broken_fields(world.principal().cancel_section(cancel(&section, " ")).await), ["reason"]);
        world.end().await;
    }
}
