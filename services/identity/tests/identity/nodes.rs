//! The tree: bringing it in, and reading it.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use policy::Live;
use proto::identity::v1::*;
use shared::caller::Role;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::world::{NODES, World, csv_file, faults, new_id, reason, xlsx_file};

#[tokio::test]
async fn c05_c104_a_tree_is_added_once_and_told_with_what_holds() {
    for world in World::each().await {
        let tree = world.tree().await;

        assert_eq!(tree.classes[0].path.len(), 4);
        assert_eq!(tree.school.stage(), Stage::Primary);
        let told = world.told().await;
        assert_eq!(told.len(), 8);
        for (name, event) in &told {
            assert_eq!(name, "node_added");
            let Some(event::Kind::NodeAdded(NodeAdded { node: Some(node) })) = &event.kind else {
                panic!("{event:?}")
            };
            assert_eq!(
                (node.pack_id.as_str(), node.supplement_id.as_str()),
                ("zhejiang_jinhua", "jinhua_demo"),
                "{}",
                node.code
            );
        }

        let again = world.import_nodes(NODES).await.unwrap();

        assert_eq!(again.nodes.len(), 8);
        assert_eq!(again.nodes[2], tree.school);
        assert_eq!(world.told().await.len(), 8, "nothing new is told");
    }
}

#[tokio::test]
async fn every_bad_cell_is_reported_and_nothing_is_taken() {
    for world in World::each().await {
        let bad = "类型,代码,上级代码,名称,学段,年级,政策包,补充规定
区县,JH,,金华,,,nowhere,
镇街,代码,JH,城东,,,,
镇街,T1,JX,城西,,,,
学校,S1,T2,一小,大学,,,
班级,C1,S9,一班,,12,,
村,V1,JH,某村,,,,
镇街,T2,JH,,,,,unknown
";
        let response = world.import_nodes(bad).await.unwrap();

        assert!(response.nodes.is_empty());
        assert_eq!(
            faults(&response.errors),
            [
                (2, "政策包", "PACK_UNKNOWN"),
                (3, "代码", "VALUE_INVALID"),
                (5, "学段", "VALUE_INVALID"),
                (6, "年级", "VALUE_INVALID"),
                (7, "类型", "VALUE_INVALID"),
                (8, "名称", "VALUE_INVALID"),
                (8, "补充规定", "PACK_UNKNOWN"),
            ]
        );
        let districts = world.anonymous().list_nodes(ListNodesRequest::default()).await.unwrap().into_inner();
        assert!(districts.nodes.is_empty());

        world.tree().await;
        let differing = NODES.replace("金华示范小学", "别的小学");
        let response = world.import_nodes(&differing).await.unwrap();
        assert_eq!(faults(&response.errors), [(4, "代码", "NODE_DIFFERS")]);
    }
}

#[tokio::test]
async fn a_file_that_is_no_table_is_refused_and_a_wrong_header_named() {
    let world = World::on(shared::db::Kind::Sqlite).await;
    let mut client = world.operator();
    let mut import = async |file: Option<ImportFile>| {
        let request = ImportNodesRequest { request_id: new_id(), file };
        client.import_nodes(request).await.map(tonic::Response::into_inner)
    };

    for file in [
        xlsx_file(b"PK\x03\x04 no workbook".to_vec()),
        xlsx_file(Vec::new()),
        csv_file(&"x".repeat(4 << 20 | 1)),
    ] {
        let refused = import(Some(file)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(shared::status::violations_of(&refused).list()[0].field, "file.content");
    }
    for file in [None, Some(ImportFile::default())] {
        assert_eq!(import(file).await.unwrap_err().code(), Code::InvalidArgument);
    }
    let response = import(Some(csv_file("类型,代码,名称,学段,年级,补充规定\n"))).await.unwrap();
    assert_eq!(
        faults(&response.errors),
        [(1, "上级代码", "COLUMN_MISSING"), (1, "政策包", "COLUMN_MISSING")]
    );
    let response = import(Some(csv_file(""))).await.unwrap();
    assert_eq!(response.errors.len(), 8);
    let rows = format!("{}{}", NODES.lines().next().unwrap(), "\n镇街,T,JH,镇,,,,".repeat(20_001));
    let refused = import(Some(csv_file(&rows))).await.unwrap_err();
    assert!(shared::status::violations_of(&refused).list()[0].rule.contains("20000"), "{refused:?}");
}

#[tokio::test]
async fn an_officer_adds_below_the_own_district_only() {
    for world in World::each().await {
        let tree = world.tree().await;
        world
            .import_nodes(
                "类型,代码,上级代码,名称,学段,年级,政策包,补充规定\n区县,ZZ,,株洲,,,zhejiang_jinhua,\n",
            )
            .await
            .unwrap();
        let mut officer = world.staff(Role::BureauOfficer, &tree.district.path);
        let mut import = async |row: &str| {
            let file = format!("类型,代码,上级代码,名称,学段,年级,政策包,补充规定\n{row}\n");
            let request = ImportNodesRequest { request_id: new_id(), file: Some(csv_file(&file)) };
            officer.import_nodes(request).await.map(tonic::Response::into_inner)
        };

        assert_eq!(import("镇街,JH-T2,JH,城西,,,,").await.unwrap().nodes.len(), 1);
        assert_eq!(
            faults(&import("镇街,ZZ-T1,ZZ,城西,,,,").await.unwrap().errors),
            [(2, "上级代码", "PARENT_UNKNOWN")]
        );
        assert_eq!(
            faults(&import("区县,XX,,某区,,,zhejiang_jinhua,").await.unwrap().errors),
            [(2, "代码", "OUT_OF_REACH")]
        );

        let request = ImportNodesRequest { request_id: new_id(), file: Some(csv_file(NODES)) };
        let refused =
            world.staff(Role::Principal, &tree.school.path).import_nodes(request.clone()).await.unwrap_err();
        assert_eq!(reason(&refused), "ROLE_NOT_ALLOWED");
        let refused = world.anonymous().import_nodes(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated);
    }
}

#[tokio::test]
async fn a_repeat_gives_the_first_answer_and_another_content_is_refused() {
    for world in World::each().await {
        let mut operator = world.operator();
        let request = ImportNodesRequest { request_id: new_id(), file: Some(csv_file(NODES)) };

        let first = operator.import_nodes(request.clone()).await.unwrap().into_inner();
        let again = operator.import_nodes(request.clone()).await.unwrap().into_inner();
        assert_eq!(first, again);

        let other =
            ImportNodesRequest { file: Some(csv_file(&NODES.replace("城东", "城西"))), ..request };
        assert_eq!(reason(&operator.import_nodes(other).await.unwrap_err()), "REQUEST_ID_REUSED");
    }
}

#[tokio::test]
async fn the_same_table_from_many_at_once_adds_it_once() {
    for world in World::each().await {
        for round in 0..3 {
            let table = NODES.replace("JH", &format!("R{round}"));
            let imports = (0..6).map(|_| world.import_nodes(&table));
            for response in futures::future::join_all(imports).await {
                let response = response.unwrap();
                assert_eq!(response.nodes.len(), 8, "{:?}", response.errors);
            }
            assert_eq!(world.told().await.len(), 8 * (round + 1));
        }
    }
}

#[tokio::test]
async fn schools_are_public_and_classes_are_not() {
    for world in World::each().await {
        let tree = world.tree().await;
        let get = |id: &str| GetNodeRequest { id: id.to_owned() };
        let below = |id: &str| ListNodesRequest { parent_id: id.to_owned(), ..ListNodesRequest::default() };

        let mut anyone = world.anonymous();
        assert_eq!(
            anyone.get_node(get(&tree.school.id)).await.unwrap().into_inner().node.unwrap(),
            tree.school
        );
        assert_eq!(reason(&anyone.get_node(get(&tree.classes[0].id)).await.unwrap_err()), "NODE_NOT_FOUND");
        assert_eq!(reason(&anyone.get_node(get(&new_id())).await.unwrap_err()), "NODE_NOT_FOUND");
        let schools = anyone.list_nodes(below(&tree.school.path[1])).await.unwrap().into_inner();
        assert_eq!(
            schools.nodes.iter().map(|node| node.code.as_str()).collect::<Vec<_>>(),
            ["JH-S1", "JH-S2"]
        );
        assert_eq!(
            anyone.list_nodes(below(&tree.school.id)).await.unwrap_err().code(),
            Code::Unauthenticated
        );

        let mut principal = world.staff(Role::Principal, &tree.school.path);
        assert!(principal.get_node(get(&tree.classes[0].id)).await.is_ok());
        let first = ListNodesRequest { page_size: 2, ..below(&tree.school.id) };
        let page = principal.list_nodes(first.clone()).await.unwrap().into_inner();
        assert_eq!(page.nodes.len(), 2);
        let rest = ListNodesRequest { page_token: page.next_page_token, ..first };
        let page = principal.list_nodes(rest).await.unwrap().into_inner();
        assert_eq!((page.nodes[0].code.as_str(), page.next_page_token.as_str()), ("JH-S1-301", ""));
        assert_eq!(
            reason(&principal.list_nodes(below(&tree.other_school.id)).await.unwrap_err()),
            "NODE_NOT_FOUND"
        );
    }
}

const HEADER: &str = "类型,代码,上级代码,名称,学段,年级,政策包,补充规定\n";

#[tokio::test]
async fn c02_a_supplement_of_another_pack_than_the_one_that_holds_there_is_refused() {
    for world in World::each().await {
        let tables = [
            // The district's own pack, and the supplement of another.
            ("区县,A,,甲,,,hunan_zhuzhou,jinhua_demo\n", vec![(2, "补充规定", "SUPPLEMENT_MISPLACED")]),
            // A school under the pack of its district, and one under a pack of its own.
            (
                "区县,B,,乙,,,hunan_zhuzhou,zhuzhou_demo\n镇街,B-T,B,镇,,,,\n\
                 学校,B-S1,B-T,一小,小学,,,jinhua_demo\n学校,B-S2,B-T,二小,小学,,zhejiang_jinhua,jinhua_demo\n\
                 学校,B-S3,B-T,三小,小学,,zhejiang_jinhua,zhuzhou_demo\n",
                vec![(4, "补充规定", "SUPPLEMENT_MISPLACED"), (6, "补充规定", "SUPPLEMENT_MISPLACED")],
            ),
            // What is not there at all is not known.
            ("区县,C,,丙,,,hunan_zhuzhou,nowhere\n", vec![(2, "补充规定", "PACK_UNKNOWN")]),
        ];
        for (rows, expected) in tables {
            let response = world.import_nodes(&format!("{HEADER}{rows}")).await.unwrap();
            assert_eq!(faults(&response.errors), expected);
            assert!(response.nodes.is_empty());
        }

        let rows = "区县,D,,丁,,,hunan_zhuzhou,zhuzhou_demo\n镇街,D-T,D,镇,,,,\n学校,D-S,D-T,一小,小学,,zhejiang_jinhua,jinhua_demo\n";
        assert_eq!(world.import_nodes(&format!("{HEADER}{rows}")).await.unwrap().nodes.len(), 3);
        // Below a district that was there before, too.
        let later = "镇街,D-T2,D,镇二,,,,jinhua_demo\n";
        let response = world.import_nodes(&format!("{HEADER}{later}")).await.unwrap();
        assert_eq!(faults(&response.errors), [(2, "补充规定", "SUPPLEMENT_MISPLACED")]);
    }
}

/// A pack that says nothing but its name.
fn pack(folder: &Path, pack_id: &str) {
    let inferred = if pack_id == "common" { "inferred = \"测试\"\n" } else { "" };
    let sources = "[[source_files]]\nfile = \"a.txt\"\ntitle = \"测试文件\"\n";
    let text = format!("pack_id = \"{pack_id}\"\nname_zh = \"某地\"\n{inferred}{sources}");
    fs::write(folder.join(format!("{pack_id}.toml")), text).unwrap();
}

#[tokio::test]
async fn c01_a_new_pack_is_usable_without_a_restart_and_a_broken_folder_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    pack(folder.path(), "common");
    pack(folder.path(), "first");
    let packs = Arc::new(Live::open(folder.path()).unwrap());
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    tokio::spawn(packs.clone().watch(Duration::from_millis(5), stop));
    let world = World::under(shared::db::Kind::Sqlite, packs.clone()).await;
    let district = async |code: &str, pack_id: &str| {
        let response = world.import_nodes(&format!("{HEADER}区县,{code},,甲,,,{pack_id},\n")).await.unwrap();
        response.errors.is_empty()
    };
    let settled = async |is_there: &dyn Fn(&Live) -> bool| {
        for _ in 0..10_000 {
            if is_there(&packs) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the folder is not followed");
    };
    assert!(district("A", "first").await);
    assert!(!district("B", "second").await);

    pack(folder.path(), "second");
    settled(&|packs| packs.policy("second", None).is_some()).await;
    assert!(district("B", "second").await);

    fs::write(folder.path().join("first.toml"), "pack_id: first\n").unwrap();
    pack(folder.path(), "third");
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(packs.policy("third", None).is_none(), "a folder with a mistake in it is not taken up");
    }
    assert!(district("C", "first").await, "the last good set goes on");
    assert!(!district("D", "third").await);

    pack(folder.path(), "first");
    settled(&|packs| packs.policy("third", None).is_some()).await;
    assert!(district("D", "third").await);
}
