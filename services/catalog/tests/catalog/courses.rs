//! `CreateCourse`, `SubmitCourse`, `ReviewCourse`, `ApproveCourse`, `ListCourses`.

use proto::catalog::v1::course::State;
use proto::catalog::v1::*;
use shared::caller::Role;
use tonic::Code;

use crate::world::*;

#[tokio::test]
async fn a_schools_own_course_waits_for_its_principal_only() {
    for world in worlds("town_lists", "").await {
        let mut principal = world.principal();
        let request = create_course("剪纸", ContentKind::Enrichment);

        let first = principal.create_course(request.clone()).await.unwrap().into_inner();
        let again = principal.create_course(request).await.unwrap().into_inner();
        let course = first.course.clone().unwrap();

        assert_eq!(again, first);
        assert_eq!((course.state(), course.provider_id.as_str()), (State::Submitted, ""));
        assert_eq!(
            rule(world.town_office().review_course(review(&course, "")).await),
            "COURSE_NOT_SUBMITTED"
        );
        let approved =
            principal.approve_course(approve(&course, "")).await.unwrap().into_inner().course.unwrap();
        assert_eq!(approved.state(), State::Approved);
        let repeated =
            principal.approve_course(approve(&course, "")).await.unwrap().into_inner().course.unwrap();
        assert_eq!(repeated, approved);
        world.end().await;
    }
}

#[tokio::test]
async fn c21_a_providers_course_passes_the_office_and_then_the_principal() {
    for world in worlds("town_lists", "").await {
        let provider = world.listed_provider("1", TOWN).await;
        let course = world.submitted_course(&provider, "编程入门").await;
        assert_eq!(course.provider_id, provider.id);

        assert_eq!(rule(world.principal().approve_course(approve(&course, "")).await), "COURSE_NOT_REVIEWED");
        let reviewed = world.town_office().review_course(review(&course, "")).await.unwrap().into_inner();
        assert_eq!(reviewed.course.unwrap().state(), State::Reviewed);
        let approved = world.principal().approve_course(approve(&course, "")).await.unwrap().into_inner();
        assert_eq!(approved.course.unwrap().state(), State::Approved);
        world.end().await;
    }
}

#[tokio::test]
async fn c21_a_provider_on_no_list_may_not_submit() {
    for world in worlds("town_lists", "").await {
        let provider = world.registered_provider("1").await;
        let submitted =
            world.provider(&provider.id).submit_course(submit_course(&provider, SCHOOL, "编程入门")).await;
        assert_eq!(refusal(submitted), (Code::PermissionDenied, "PROVIDER_NOT_LISTED".to_owned()));
        world.end().await;
    }
}

#[tokio::test]
async fn a_provider_acts_for_itself_only() {
    for world in worlds("town_lists", "").await {
        let provider = world.listed_provider("1", TOWN).await;
        let other = world.listed_provider("2", TOWN).await;
        let submitted =
            world.provider(&other.id).submit_course(submit_course(&provider, SCHOOL, "编程入门")).await;
        assert_eq!(refusal(submitted), (Code::NotFound, "PROVIDER_NOT_FOUND".to_owned()));
        world.end().await;
    }
}

#[tokio::test]
async fn c20_a_list_of_another_town_does_not_count() {
    for world in worlds("town_lists", "").await {
        let provider = world.listed_provider("1", OTHER_TOWN).await;
        let mut caller = world.provider(&provider.id);

        let submitted = caller.submit_course(submit_course(&provider, SCHOOL, "编程入门")).await;
        assert_eq!(refusal(submitted), (Code::PermissionDenied, "PROVIDER_LISTED_ELSEWHERE".to_owned()));
        caller.submit_course(submit_course(&provider, OTHER_SCHOOL, "编程入门")).await.unwrap();
        world.end().await;
    }
}

#[tokio::test]
async fn c20_a_listing_counts_from_its_first_day_to_its_last() {
    for world in worlds("town_lists", "").await {
        let provider = world.listed_provider("1", TOWN).await;
        let table = [
            ("2025-12-31T23:59:59+08:00", Some("PROVIDER_NOT_LISTED")),
            ("2026-01-01T00:00:00+08:00", None),
            ("2026-12-31T23:59:59+08:00", None),
            ("2027-01-01T00:00:00+08:00", Some("PROVIDER_NOT_LISTED")),
        ];
        for (now, expected) in table {
            world.clock.set(shared::testing::moment(now));
            let mut caller = world.provider(&provider.id);
            let submitted = caller.submit_course(submit_course(&provider, SCHOOL, "编程入门")).await;
            assert_eq!(
                submitted.err().map(|status| refusal::<()>(Err(status)).1).as_deref(),
                expected,
                "{now}"
            );
        }
        world.end().await;
    }
}

#[tokio::test]
async fn c20_the_list_is_asked_again_when_the_school_decides() {
    for world in worlds("town_lists", "").await {
        let provider = world.listed_provider("1", TOWN).await;
        let course = world.submitted_course(&provider, "编程入门").await;
        world.town_office().review_course(review(&course, "")).await.unwrap();
        world.officer().suspend_provider(suspend(&provider, TOWN)).await.unwrap();

        let refused = world.principal().approve_course(approve(&course, "")).await.unwrap_err();
        assert_eq!(fact(&refused, "key"), "whitelist_scope");
        assert_eq!(rule::<()>(Err(refused)), "PROVIDER_SUSPENDED");
        let rejection =
            ApproveCourseRequest { decision: Decision::Reject.into(), ..approve(&course, "暂停合作") };
        let rejected =
            world.principal().approve_course(rejection).await.unwrap().into_inner().course.unwrap();
        assert_eq!((rejected.state(), rejected.rejection_reason.as_str()), (State::Rejected, "暂停合作"));
        world.end().await;
    }
}

#[tokio::test]
async fn c22_a_third_partys_exam_course_is_refused_and_its_science_course_is_not() {
    for world in worlds("district_lists", "").await {
        let provider = world.listed_provider("1", DISTRICT).await;
        let mut caller = world.provider(&provider.id);
        let declared = SubmitCourseRequest {
            content_kind: ContentKind::SubjectExam.into(),
            ..submit_course(&provider, SCHOOL, "数学提高")
        };
        let disguised = submit_course(&provider, SCHOOL, "初三数学冲刺");
        let tutoring = SubmitCourseRequest {
            content_kind: ContentKind::SubjectTutoring.into(),
            ..submit_course(&provider, SCHOOL, "学科辅导")
        };

        for request in [declared, disguised] {
            let refused = caller.submit_course(request).await.unwrap_err();
            assert_eq!(fact(&refused, "key"), "third_party_banned_course_classes");
            assert!(fact(&refused, "clause_en").contains("学科类应试课程除外"), "{refused:?}");
            assert_eq!(rule::<()>(Err(refused)), "THIRD_PARTY_SUBJECT_EXAM");
        }
        assert_eq!(broken_fields(caller.submit_course(tutoring).await), ["content_kind"]);
        caller.submit_course(submit_course(&provider, SCHOOL, "科学实验")).await.unwrap();
        // A school's own tutoring is no third party's.
        let own = create_course("学科辅导", ContentKind::SubjectTutoring);
        world.principal().create_course(own).await.unwrap();
        world.end().await;
    }
}

#[tokio::test]
async fn c23_banned_content_is_refused_and_words_that_hint_at_it_wait_for_a_reason() {
    for world in worlds("zhejiang_jinhua", "jinhua_demo").await {
        let mut principal = world.principal();
        for kind in [ContentKind::NewLesson, ContentKind::CollectiveMakeUp, ContentKind::ExamDrilling] {
            let refused = principal.create_course(create_course("期末刷题班", kind)).await.unwrap_err();
            assert_eq!(fact(&refused, "key"), "banned_content_kinds");
            assert_eq!(rule::<()>(Err(refused)), "CONTENT_BANNED", "{kind:?}");
        }

        let hinting = create_course("期末刷题班", ContentKind::Enrichment);
        let course = principal.create_course(hinting).await.unwrap().into_inner().course.unwrap();
        assert_eq!(course.flagged_words, ["刷题", "期末"]);
        let refused = principal.approve_course(approve(&course, " ")).await.unwrap_err();
        assert_eq!(fact(&refused, "flagged_words"), "刷题 期末");
        assert_eq!(rule::<()>(Err(refused)), "REASON_REQUIRED");
        principal.approve_course(approve(&course, "期末才艺展示")).await.unwrap();

        // Individual help is no make-up class.
        let help = create_course("个别答疑", ContentKind::BasicCare);
        let course = principal.create_course(help).await.unwrap().into_inner().course.unwrap();
        assert!(course.flagged_words.is_empty());
        world.end().await;
    }
}

#[tokio::test]
async fn a_region_without_third_parties_or_tutoring_refuses_both() {
    for world in worlds("own_only", "").await {
        let provider = world.listed_provider("1", TOWN).await;
        let submitted =
            world.provider(&provider.id).submit_course(submit_course(&provider, SCHOOL, "编程入门")).await;
        assert_eq!(rule(submitted), "THIRD_PARTY_EXCLUDED");
        let tutoring = create_course("学科辅导", ContentKind::SubjectTutoring);
        assert_eq!(rule(world.principal().create_course(tutoring).await), "CONTENT_BANNED");
        world.end().await;
    }
}

#[tokio::test]
async fn a_rejection_needs_a_reason_and_is_final() {
    for world in worlds("town_lists", "").await {
        let provider = world.listed_provider("1", TOWN).await;
        let course = world.submitted_course(&provider, "编程入门").await;
        let reject =
            |reason| ReviewCourseRequest { decision: Decision::Reject.into(), ..review(&course, reason) };

        assert_eq!(rule(world.town_office().review_course(reject("")).await), "REASON_REQUIRED");
        let rejected = world.town_office().review_course(reject("内容空泛")).await.unwrap().into_inner();
        assert_eq!(rejected.course.unwrap().rejection_reason, "内容空泛");
        assert_eq!(
            rule(world.town_office().review_course(review(&course, "")).await),
            "COURSE_NOT_SUBMITTED"
        );
        assert_eq!(rule(world.principal().approve_course(approve(&course, "")).await), "COURSE_NOT_REVIEWED");
        let repeated = world.town_office().review_course(reject("另一理由")).await.unwrap().into_inner();
        assert_eq!(repeated.course.unwrap().rejection_reason, "内容空泛");
        world.end().await;
    }
}

#[tokio::test]
async fn many_reviewing_at_once_decide_once() {
    for world in worlds("town_lists", "").await {
        let provider = world.listed_provider("1", TOWN).await;
        for round in 0..5 {
            let course = world.submitted_course(&provider, &format!("编程入门{round}")).await;
            let tasks: Vec<_> = (0..8)
                .map(|index| {
                    let mut office = world.town_office();
                    let decision = if index % 2 == 0 { Decision::Approve } else { Decision::Reject };
                    let request =
                        ReviewCourseRequest { decision: decision.into(), ..review(&course, "理由") };
                    tokio::spawn(async move { office.review_course(request).await })
                })
                .collect();
            let mut states = Vec::new();
            for task in tasks {
                match task.await.unwrap() {
                    Ok(answer) => states.push(answer.into_inner().course.unwrap().state()),
                    Err(status) => assert_eq!(rule::<()>(Err(status)), "COURSE_NOT_SUBMITTED"),
                }
            }
            // The first decided; those of the same mind changed nothing, the others were refused.
            assert_eq!(states.len(), 4);
            assert!(states.windows(2).all(|pair| pair[0] == pair[1]), "{states:?}");
        }
        world.end().await;
    }
}

#[tokio::test]
async fn staff_list_a_schools_courses_and_a_provider_its_own() {
    for world in worlds("town_lists", "").await {
        let own = world.course("剪纸", ContentKind::Enrichment, "艺术").await;
        let provider = world.listed_provider("1", TOWN).await;
        let other = world.listed_provider("2", TOWN).await;
        let theirs = world.submitted_course(&provider, "编程入门").await;
        let others = world.submitted_course(&other, "机器人").await;
        let list = |school: &str, state: State, page_size| ListCoursesRequest {
            school_id: school.to_owned(),
            state: state.into(),
            page_size,
            page_token: String::new(),
        };
        let titles = |answer: Result<tonic::Response<ListCoursesResponse>, _>| -> Vec<String> {
            answer.unwrap().into_inner().courses.into_iter().map(|course| course.title).collect()
        };
        let school = SCHOOL.to_string();

        let mut all = [own, theirs, others].map(|course| (course.id, course.title));
        all.sort();
        let newest_first: Vec<_> = all.into_iter().rev().map(|(_, title)| title).collect();
        assert_eq!(
            titles(world.principal().list_courses(list(&school, State::Unspecified, 0)).await),
            newest_first
        );
        assert_eq!(titles(world.officer().list_courses(list(&school, State::Approved, 0)).await), ["剪纸"]);
        let mut caller = world.provider(&provider.id);
        assert_eq!(titles(caller.list_courses(list(&school, State::Unspecified, 0)).await), ["编程入门"]);
        assert_eq!(titles(caller.list_courses(list("", State::Unspecified, 0)).await), ["编程入门"]);
        assert_eq!(
            broken_fields(world.principal().list_courses(list("", State::Unspecified, 0)).await),
            ["school_id"]
        );
        let mut elsewhere = world.staff(Role::Principal, &[DISTRICT, OTHER_TOWN, OTHER_SCHOOL]);
        let refused = refusal(elsewhere.list_courses(list(&school, State::Unspecified, 0)).await);
        assert_eq!(refused, (Code::NotFound, "SCHOOL_NOT_FOUND".to_owned()));

        let first =
            world.principal().list_courses(list(&school, State::Unspecified, 2)).await.unwrap().into_inner();
        let next =
            ListCoursesRequest { page_token: first.next_page_token, ..list(&school, State::Unspecified, 2) };
        assert_eq!(titles(world.principal().list_courses(next).await), newest_first[2..]);
        world.end().await;
    }
}

#[tokio::test]
async fn every_broken_field_of_a_course_is_named() {
    for world in worlds("town_lists", "").await {
        let broken = CreateCourseRequest {
            request_id: String::new(),
            school_id: "x".to_owned(),
            title: "剪".to_owned(),
            description: "长".repeat(2_001),
            content_kind: 0,
            category: String::new(),
        };
        let fields = broken_fields(world.principal().create_course(broken).await);
        assert_eq!(fields, ["request_id", "school_id", "title", "description", "category", "content_kind"]);
        let course = world.course("剪纸", ContentKind::Enrichment, "艺术").await;
        let undecided =
            ApproveCourseRequest { decision: 0, reason: "长".repeat(401), ..approve(&course, "") };
        assert_eq!(broken_fields(world.principal().approve_course(undecided).await), ["reason", "decision"]);
        world.end().await;
    }
}
