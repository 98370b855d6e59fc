//! `ImportCourses`.

use proto::catalog::v1::slot::Kind::{Afternoon, Noon};
use proto::catalog::v1::*;
use proto::identity::v1::ImportFile;
use proto::identity::v1::import_file::Format;
use shared::table::sample::{SampleCell, xlsx};
use tonic::Code;

use crate::world::*;

const HEADER: &str = "课程名称,类别,内容性质,课程简介,年级,容量,时段,教室,教师,机构";

fn request(term: &Term, format: Format, content: Vec<u8>) -> ImportCoursesRequest {
    ImportCoursesRequest {
        request_id: request_id(),
        term_id: term.id.clone(),
        file: Some(ImportFile { format: format.into(), content }),
    }
}

fn csv(term: &Term, rows: &[&str]) -> ImportCoursesRequest {
    request(term, Format::Csv, format!("{HEADER}\n{}\n", rows.join("\n")).into_bytes())
}

/// Row, column, reason, value of every error.
fn errors(answer: &ImportCoursesResponse) -> Vec<(i32, &str, &str, &str)> {
    assert!(answer.errors.is_empty() || (answer.courses.is_empty() && answer.sections.is_empty()));
    answer
        .errors
        .iter()
        .map(|error| (error.row, error.column.as_str(), error.reason.as_str(), error.value.as_str()))
        .collect()
}

async fn world_with_term(world: &World) -> Term {
    let term = world.term().await;
    let slots = [
        slot(1, Afternoon, "16:00", "17:00"),
        slot(1, Noon, "12:30", "13:30"),
        slot(2, Afternoon, "17:00", "18:00"),
        slot(2, Afternoon, "16:00", "17:00"),
    ];
    world.slots(&term, &slots).await;
    term
}

#[tokio::test]
async fn c18_a_course_named_twice_is_one_course_with_two_sections() {
    for world in worlds("zhejiang_jinhua", "jinhua_demo").await {
        let term = world_with_term(&world).await;
        let request = csv(
            &term,
            &[
                "作业辅导,看护,基本托管,完成作业,1-6,90,周一 下午,101,看护组1,",
                "剪纸,艺术,素质拓展,窗花,\"1,2\",30,周一 下午; 周二 下午2,活动室,王老师,",
                "作业辅导,看护,基本托管,完成作业,1-6,90,周二 下午1,101,看护组2,",
            ],
        );

        let first = world.principal().import_courses(request.clone()).await.unwrap().into_inner();
        let again = world.principal().import_courses(request).await.unwrap().into_inner();

        assert_eq!(errors(&first), []);
        assert_eq!(again, first);
        let titles: Vec<_> = first.courses.iter().map(|course| course.title.as_str()).collect();
        assert_eq!(titles, ["作业辅导", "剪纸"]);
        assert!(first.courses.iter().all(|course| course.state() == course::State::Submitted));
        let [care, clubs, care_again] = first.sections.as_slice() else { panic!("{first:?}") };
        assert_eq!((&care.course_id, &care_again.course_id), (&first.courses[0].id, &first.courses[0].id));
        assert_eq!((clubs.grades.as_slice(), clubs.capacity_count), ([1, 2].as_slice(), 30));
        let starts: Vec<_> =
            clubs.slots.iter().map(|slot| (slot.weekday, slot.start_time.as_str())).collect();
        assert_eq!(starts, [(1, "16:00"), (2, "17:00")]);

        // Nothing of it is on the menu before the principal has approved it.
        let refused = world.publish_all(&term).await;
        assert_eq!(rule(refused), "COURSE_NOT_APPROVED");
        for course in &first.courses {
            world.principal().approve_course(approve(course, "")).await.unwrap();
        }
        assert_eq!(world.publish_all(&term).await.unwrap(), 3);
        world.end().await;
    }
}

#[tokio::test]
async fn a_workbook_is_read_as_people_type_it() {
    for world in worlds("zhejiang_jinhua", "jinhua_demo").await {
        let term = world_with_term(&world).await;
        let text = SampleCell::text;
        let header: Vec<_> = HEADER.split(',').map(text).collect();
        let row = vec![
            text("剪纸"),
            text("艺术"),
            text("素质拓展"),
            SampleCell::Empty,
            text("１－３"),
            SampleCell::Number(30.0),
            text("周一　下午；"),
            text("活动室"),
            text("王老师"),
        ];
        let answer = world
            .principal()
            .import_courses(request(&term, Format::Xlsx, xlsx(&[header, row])))
            .await
            .unwrap()
            .into_inner();

        assert_eq!(errors(&answer), []);
        let [section] = answer.sections.as_slice() else { panic!("{answer:?}") };
        assert_eq!((section.grades.as_slice(), section.capacity_count), ([1, 2, 3].as_slice(), 30));
        world.end().await;
    }
}

#[tokio::test]
async fn every_wrong_cell_is_named_and_nothing_is_taken() {
    for world in worlds("zhejiang_jinhua", "jinhua_demo").await {
        let term = world_with_term(&world).await;
        let taken = world.course("合唱", ContentKind::Enrichment, "艺术").await;
        let slots = world.anyone().list_slots(ListSlotsRequest { term_id: term.id.clone() }).await.unwrap();
        let noon = &slots.into_inner().slots[0];
        let booked = ArrangeSectionRequest {
            room: "礼堂".to_owned(),
            instructor_name: "赵老师".to_owned(),
            ..arrange(&taken, &term, &[noon])
        };
        world.principal().arrange_section(booked).await.unwrap();
        let rows = csv(
            &term,
            &[
                "剪纸,艺术,素质拓展,窗花,1-3,30,周一 下午,活动室,王老师,",
                "剪,,画画,窗花,7,501,周六 下午,活动室,王老师,12345",
                "剪纸,艺术,素质拓展,窗花,1-3,30,周一 下午,活动室,王老师,",
                "合唱,艺术,素质拓展,歌,1-3,30,周一 午间,礼堂,,",
                "书法,艺术,素质拓展,字,1-3,30,周一 下午,书画室,王老师,",
                "书法,艺术,素质拓展,字,1-3,30,周一 午间,,赵老师,",
                "口算,学科,刷题备考,题,1-3,30,周二 下午1,102,,",
                "街舞,体育,素质拓展,舞,1-3,30,周二 下午,103,,",
                "编程,科技,素质拓展,程,1-3,30,周二 下午1,104,,000000000000000009",
            ],
        );

        let answer = world.principal().import_courses(rows).await.unwrap().into_inner();

        assert_eq!(
            errors(&answer),
            [
                (3, "课程名称", "VALUE_INVALID", "剪"),
                (3, "类别", "VALUE_INVALID", ""),
                (3, "内容性质", "VALUE_INVALID", "画画"),
                (3, "年级", "VALUE_INVALID", "7"),
                (3, "容量", "VALUE_INVALID", "501"),
                (3, "时段", "SLOT_UNKNOWN", "周六 下午"),
                (3, "机构", "VALUE_INVALID", "12345"),
                (4, "", "ROW_DUPLICATE", ""),
                (5, "教室", "ROOM_TAKEN", "礼堂"),
                (6, "教师", "INSTRUCTOR_TAKEN", ""),
                (7, "教师", "INSTRUCTOR_TAKEN", ""),
                (8, "内容性质", "CONTENT_BANNED", "刷题备考"),
                (9, "时段", "SLOT_UNKNOWN", "周二 下午"),
                (10, "机构", "PROVIDER_NOT_LISTED", "000000000000000009"),
            ]
        );
        let list = ListCoursesRequest { school_id: SCHOOL.to_string(), ..ListCoursesRequest::default() };
        assert_eq!(world.principal().list_courses(list).await.unwrap().into_inner().courses.len(), 1);
        world.end().await;
    }
}

#[tokio::test]
async fn a_table_as_mended_may_be_sent_with_the_same_request_id() {
    for world in worlds("zhejiang_jinhua", "jinhua_demo").await {
        let term = world_with_term(&world).await;
        let wrong = csv(&term, &["剪纸,艺术,素质拓展,窗花,1-3,0,周一 下午,,,"]);
        let mended = ImportCoursesRequest {
            request_id: wrong.request_id.clone(),
            ..csv(&term, &["剪纸,艺术,素质拓展,窗花,1-3,30,周一 下午,,,"])
        };

        let refused = world.principal().import_courses(wrong).await.unwrap().into_inner();
        let taken = world.principal().import_courses(mended).await.unwrap().into_inner();

        assert_eq!(errors(&refused), [(2, "容量", "VALUE_INVALID", "0")]);
        assert_eq!(taken.sections.len(), 1);
        world.end().await;
    }
}

#[tokio::test]
async fn a_course_the_school_has_already_is_taken_as_it_stands() {
    for world in worlds("zhejiang_jinhua", "jinhua_demo").await {
        let term = world_with_term(&world).await;
        let present = world.course("剪纸", ContentKind::Enrichment, "艺术").await;
        let row = "剪纸,艺术,素质拓展,动手、体验与展示,1-3,30,周一 下午,,,";

        let taken = world.principal().import_courses(csv(&term, &[row])).await.unwrap().into_inner();

        assert_eq!(taken.courses, [present]);
        assert_eq!(world.publish_all(&term).await.unwrap(), 1);
        world.end().await;
    }
}

#[tokio::test]
async fn the_same_table_brought_many_times_at_once_makes_its_course_once() {
    for world in worlds("zhejiang_jinhua", "jinhua_demo").await {
        let term = world_with_term(&world).await;
        let next = world.term_of(SCHOOL, TOWN, "2027-02-20", "2027-07-01").await;
        world.slots(&next, &[slot(1, Afternoon, "16:00", "17:00")]).await;
        for round in 0..4 {
            let row = format!("剪纸{round},艺术,素质拓展,窗花,1-3,30,周一 下午,教室{round},,");
            let tasks: Vec<_> = [&term, &next, &term, &next]
                .map(|term| {
                    let mut principal = world.principal();
                    let request = csv(term, &[&row]);
                    tokio::spawn(async move { principal.import_courses(request).await })
                })
                .into();
            let mut courses = Vec::new();
            for task in tasks {
                let answer = task.await.unwrap().unwrap().into_inner();
                match errors(&answer).as_slice() {
                    [] => courses.push(answer.courses[0].id.clone()),
                    [(2, "教室", "ROOM_TAKEN", _)] => {}
                    other => panic!("{other:?}"),
                }
            }
            // One import for each term, one course for both.
            assert_eq!(courses.len(), 2);
            assert_eq!(courses[0], courses[1]);
        }
        world.end().await;
    }
}

#[tokio::test]
async fn c21_a_providers_rows_are_judged_as_its_submissions_are() {
    for world in worlds("town_lists", "").await {
        let term = world_with_term(&world).await;
        world.listed_provider("1", TOWN).await;
        world.listed_provider("2", OTHER_TOWN).await;
        let three = world.listed_provider("3", TOWN).await;
        world.officer().suspend_provider(suspend(&three, TOWN)).await.unwrap();
        let row = |title: &str, kind: &str, code: &str| {
            format!("{title},科技,{kind},程,1-3,30,周一 下午,,,{}", credit_code(code))
        };
        let rows = [
            row("编程", "素质拓展", "1"),
            row("编程", "素质拓展", "2"),
            row("编程", "素质拓展", "3"),
            row("数学", "学科类应试课程", "1"),
            row("初三数学冲刺", "素质拓展", "1"),
            row("学科辅导", "学科辅导", "1"),
        ];
        let all: Vec<&str> = rows.iter().map(String::as_str).collect();

        let answer = world.principal().import_courses(csv(&term, &all)).await.unwrap().into_inner();
        assert_eq!(
            errors(&answer),
            [
                (3, "机构", "PROVIDER_LISTED_ELSEWHERE", credit_code("2").as_str()),
                (4, "机构", "PROVIDER_SUSPENDED", credit_code("3").as_str()),
                (5, "内容性质", "THIRD_PARTY_SUBJECT_EXAM", "学科类应试课程"),
                (6, "课程名称", "THIRD_PARTY_SUBJECT_EXAM", "初三数学冲刺"),
                (7, "内容性质", "VALUE_INVALID", "学科辅导"),
            ]
        );
        let taken = world.principal().import_courses(csv(&term, &all[..1])).await.unwrap().into_inner();
        // It waits for the office like any other of the provider's.
        assert_eq!(
            rule(world.principal().approve_course(approve(&taken.courses[0], "")).await),
            "COURSE_NOT_REVIEWED"
        );
        world.end().await;
    }
}

#[tokio::test]
async fn a_file_that_is_no_table_of_courses_is_refused() {
    for world in worlds("zhejiang_jinhua", "jinhua_demo").await {
        let term = world_with_term(&world).await;
        let mut principal = world.principal();

        let partial =
            request(&term, Format::Csv, "课程名称,类别,课程名称2\n剪纸,艺术,x\n".as_bytes().to_vec());
        let missing = principal.import_courses(partial).await.unwrap().into_inner();
        let columns: Vec<_> = missing.errors.iter().map(|error| error.column.as_str()).collect();
        assert_eq!(columns, ["内容性质", "课程简介", "年级", "容量", "时段", "教室", "教师", "机构"]);
        assert!(missing.errors.iter().all(|error| error.reason == "COLUMN_MISSING" && error.row == 1));

        let garbage = request(&term, Format::Xlsx, b"PK, but not really".to_vec());
        assert_eq!(broken_fields(principal.import_courses(garbage).await), ["file.content"]);
        let formless = ImportCoursesRequest { file: None, ..csv(&term, &[]) };
        assert_eq!(broken_fields(principal.import_courses(formless).await), ["file"]);
        let other = world.term_of(OTHER_SCHOOL, OTHER_TOWN, "2026-09-01", "2027-01-15").await;
        let foreign = refusal(principal.import_courses(csv(&other, &[])).await);
        assert_eq!(foreign, (Code::NotFound, "TERM_NOT_FOUND".to_owned()));
        world.end().await;
    }
}
