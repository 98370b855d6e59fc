//! A school's pupils: bringing them in, and what others are told.

use std::time::Instant;

use encoding_rs::GB18030;
use proto::identity::v1::*;
use shared::caller::Role;
use shared::db::Kind;
use shared::table::sample::{self, SampleCell};

use super::world::{NODES, PUPILS, World, csv_file, faults, new_id, reason, xlsx_file};

#[tokio::test]
async fn pupils_are_enrolled_once_and_told_without_their_names() {
    for world in World::each().await {
        let tree = world.tree().await;

        let first = world.import_pupils(&tree.school, csv_file(PUPILS)).await.unwrap();
        let second = world.import_pupils(&tree.school, csv_file(PUPILS)).await.unwrap();

        assert_eq!((first.enrolled_count, first.changed_count, first.errors.len()), (3, 0, 0));
        assert_eq!((second.enrolled_count, second.changed_count, second.errors.len()), (0, 0, 0));
        let told: Vec<_> = world.told().await.into_iter().skip(8).collect();
        assert_eq!(told.len(), 3);
        let Some(event::Kind::PupilEnrolled(enrolled)) = &told[0].1.kind else { panic!("{told:?}") };
        assert_eq!(
            (enrolled.path.clone(), enrolled.grade, enrolled.stage()),
            (tree.classes[0].path.clone(), 2, Stage::Primary)
        );
    }
}

#[tokio::test]
async fn a_changed_class_moves_a_new_name_changes_and_a_leaver_leaves() {
    for world in World::each().await {
        let tree = world.tree().await;
        world.import_pupils(&tree.school, csv_file(PUPILS)).await.unwrap();
        let table = "状态,学籍号,姓名,年级,班级,监护人手机
,JH20260001,王小明,2,二年级2班,13800138000
在读,JH20260002,欧阳红,2,JH-S1-202,13800138000;13900139000
离校,JH20260003,李雷,3,三年级1班,13700137000
离校,JH20269999,无此人,3,三年级1班,13700137000
";
        let response = world.import_pupils(&tree.school, csv_file(table)).await.unwrap();

        assert_eq!((response.enrolled_count, response.changed_count), (0, 3), "{:?}", response.errors);
        let names: Vec<_> = world.told_names().await.into_iter().skip(11).collect();
        assert_eq!(names, ["pupil_moved", "pupil_left"]);

        let back = table.replace("离校,JH20260003", "在读,JH20260003");
        let response = world.import_pupils(&tree.school, csv_file(&back)).await.unwrap();
        assert_eq!((response.enrolled_count, response.changed_count), (0, 1));
        assert_eq!(world.told_names().await.last().unwrap(), "pupil_enrolled");
    }
}

#[tokio::test]
async fn the_same_code_in_another_school_is_another_pupil() {
    for world in World::each().await {
        let tree = world.tree().await;
        world.import_pupils(&tree.school, csv_file(PUPILS)).await.unwrap();

        let table = "学籍号,姓名,年级,班级,监护人手机\nJH20260001,张三,2,二年级1班,13600136000\n";
        let response = world.import_pupils(&tree.other_school, csv_file(table)).await.unwrap();

        assert_eq!(response.enrolled_count, 1);
        let request = ListPupilsRequest { node_id: tree.school.id.clone(), ..ListPupilsRequest::default() };
        let pupils = world
            .staff(Role::Principal, &tree.school.path)
            .list_pupils(request)
            .await
            .unwrap()
            .into_inner()
            .pupils;
        assert_eq!(pupils.len(), 3);
        assert!(pupils.iter().any(|pupil| pupil.name == "王小明"));
    }
}

#[tokio::test]
async fn every_bad_cell_is_reported_without_personal_text_and_nothing_is_taken() {
    for world in World::each().await {
        let tree = world.tree().await;
        let bad = "学籍号,姓名,年级,班级,监护人手机
A1,王小明,2,二年级1班,13800138000
JH20260001,,2,二年级1班,13800138000
JH20260002,王小明,十,二年级1班,13800138000
JH20260003,王小明,2,,13800138000
JH20260004,王小明,2,二年级1班,1.38001E+10
JH20260005,王小明,2,二年级1班,
";
        let response = world.import_pupils(&tree.school, csv_file(bad)).await.unwrap();

        assert_eq!(
            faults(&response.errors),
            [
                (2, "学籍号", "VALUE_INVALID"),
                (3, "姓名", "VALUE_INVALID"),
                (4, "年级", "VALUE_INVALID"),
                (5, "班级", "CLASS_UNKNOWN"),
                (6, "监护人手机", "PHONE_INVALID"),
                (7, "监护人手机", "PHONE_INVALID"),
            ]
        );
        assert!(response.errors.iter().all(|error| error.column == "学籍号" || !error.value.contains("138")));
        assert_eq!(world.told().await.len(), 8);

        let bad = "学籍号,姓名,年级,班级,监护人手机
JH20260001,王小明,2,二年级1班,13800138000
JH20260001,王大明,2,二年级1班,13800138000
JH20260002,王小明,2,五年级1班,13800138000
JH20260003,王小明,3,二年级1班,13800138000
";
        let response = world.import_pupils(&tree.school, csv_file(bad)).await.unwrap();
        assert_eq!(
            faults(&response.errors),
            [
                (3, "学籍号", "PUPIL_CODE_DUPLICATE"),
                (4, "班级", "CLASS_UNKNOWN"),
                (5, "年级", "GRADE_DIFFERS")
            ]
        );
    }
}

#[tokio::test]
async fn tables_come_in_gbk_and_as_workbooks_with_numbers_as_numbers() {
    for world in World::each().await {
        let tree = world.tree().await;
        let (gbk, _, _) = GB18030.encode(PUPILS);
        let file = ImportFile { content: gbk.into_owned(), ..csv_file("") };
        let response = world.import_pupils(&tree.school, file).await.unwrap();
        assert_eq!(response.enrolled_count, 3, "{:?}", response.errors);

        let text = SampleCell::text;
        let workbook = sample::xlsx(&[
            ["学 籍 号", "姓名", "年级", "班级", "监护人手机"].map(text).to_vec(),
            vec![
                SampleCell::Number(20_260_001.0),
                text("韩　梅"),
                SampleCell::Number(2.0),
                text("二年级1班"),
                SampleCell::Number(13_800_138_000.0),
            ],
            vec![
                text("20260002.0"),
                text("李雷"),
                text("2.0"),
                text("二年级1班"),
                text("1.3800138000E+10；１３９００１３９０００"),
            ],
        ]);
        let response = world.import_pupils(&tree.school, xlsx_file(workbook)).await.unwrap();
        assert_eq!((response.enrolled_count, response.changed_count), (2, 0), "{:?}", response.errors);
        let csv = "学籍号,姓名,年级,班级,监护人手机\n20260001,韩梅,2,二年级1班,13800138000\n20260002,李雷,2,二年级1班,13800138000;13900139000\n";
        let response = world.import_pupils(&tree.school, csv_file(csv)).await.unwrap();
        assert_eq!((response.enrolled_count, response.changed_count), (0, 0), "the same in another dress");
    }
}

#[tokio::test]
async fn only_the_school_itself_brings_its_pupils() {
    for world in World::each().await {
        let tree = world.tree().await;
        let request = ImportPupilsRequest {
            request_id: new_id(),
            school_id: tree.school.id.clone(),
            file: Some(csv_file(PUPILS)),
        };
        let table = [
            (Role::Principal, &tree.other_school.path, "SCHOOL_NOT_FOUND"),
            (Role::SchoolFinance, &tree.school.path, "ROLE_NOT_ALLOWED"),
            (Role::BureauOfficer, &tree.district.path, "ROLE_NOT_ALLOWED"),
        ];
        for (role, path, expected) in table {
            let refused = world.staff(role, path).import_pupils(request.clone()).await.unwrap_err();
            assert_eq!(reason(&refused), expected, "{role}");
        }
        let missing = ImportPupilsRequest { school_id: new_id(), ..request.clone() };
        let refused =
            world.staff(Role::Principal, &tree.school.path).import_pupils(missing).await.unwrap_err();
        assert_eq!(reason(&refused), "SCHOOL_NOT_FOUND");
        for role in [Role::MoralEducation, Role::TeachingOffice] {
            let request = ImportPupilsRequest { request_id: new_id(), ..request.clone() };
            assert!(world.staff(role, &tree.school.path).import_pupils(request).await.is_ok(), "{role}");
        }
    }
}

#[tokio::test]
async fn twenty_thousand_rows_are_taken_at_once() {
    for world in [World::on(Kind::Sqlite).await, World::on(Kind::Postgres).await] {
        world.import_nodes(NODES).await.unwrap();
        let tree = world.tree().await;
        let mut table = String::from("学籍号,姓名,年级,班级,监护人手机\n");
        for number in 0..20_000 {
            table.push_str(&format!(
                "G3307022026{number:06},学生{number},2,二年级1班,138{number:08};139{number:08}\n"
            ));
        }

        let started = Instant::now();
        let response = world.import_pupils(&tree.school, csv_file(&table)).await.unwrap();
        let first = started.elapsed();
        let started = Instant::now();
        let again = world.import_pupils(&tree.school, csv_file(&table)).await.unwrap();

        println!("20,000 pupils on {}: {first:?}, again {:?}", world.db.kind(), started.elapsed());
        assert_eq!((response.enrolled_count, response.errors.len()), (20_000, 0));
        assert_eq!((again.enrolled_count, again.changed_count), (0, 0));
    }
}

#[tokio::test]
async fn the_tables_of_the_demonstration_districts_are_taken() {
    let world = World::on(Kind::Sqlite).await;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo");
    for (region, school) in [("jinhua", "JH-S1"), ("shahe", "SH-S1"), ("zhuzhou", "ZZ-S1")] {
        let read = |name: &str| std::fs::read(folder.join(region).join(name));
        let nodes = ImportFile { content: read("nodes.csv").unwrap(), ..csv_file("") };
        let request = ImportNodesRequest { request_id: new_id(), file: Some(nodes) };
        let nodes = world.operator().import_nodes(request).await.unwrap().into_inner();
        assert_eq!(nodes.errors, [], "{region}");
        let school = nodes.nodes.iter().find(|node| node.code == school).unwrap();
        let file = match read("pupils.xlsx") {
            Ok(content) => xlsx_file(content),
            Err(_) => ImportFile { content: read("pupils.csv").unwrap(), ..csv_file("") },
        };
        let pupils = world.import_pupils(school, file).await.unwrap();
        assert_eq!(pupils.errors, [], "{region}");
        assert!(pupils.enrolled_count > 0, "{region}");
        let staff = ImportFile { content: read("staff.csv").unwrap(), ..csv_file("") };
        let request = ImportStaffRequest {
            request_id: new_id(),
            district_id: school.path[0].clone(),
            file: Some(staff),
        };
        let staff = world.operator().import_staff(request).await.unwrap().into_inner();
        assert_eq!(staff.errors, [], "{region}");
    }
}
