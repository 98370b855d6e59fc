//! Holds the rules of style that matter: layers, contracts, documents. Each rule is first shown to bite.

#![expect(clippy::expect_used, reason = "a test that cannot read the source has failed")]

mod contract;
mod layers;
mod regions;
mod requirements;
mod source;

use kehou::requirements::{Requirements, TEXT, named_below, named_in};
use regions::{EXCEPTIONS, Regional};
use source::{File, root, rust_files};

/// Fails with every broken rule at once.
fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn layers_point_inward() {
    let files = rust_files();
    assert!(files.len() > 50, "found only {} source files below {}", files.len(), root().display());

    assert_none(&layers::broken(&files));
}

#[test]
fn a_domain_that_sees_the_database_is_caught() {
    for (line, why) in [
        ("use sea_orm::EntityTrait;", "sea_orm"),
        ("use crate::store::enrollment;", "crate::store"),
        ("use shared::db::Db;", "shared::db"),
        ("fn now() { let _ = tonic::Code::Ok; }", "tonic"),
        ("pub async fn decide() {}", "async"),
    ] {
        let broken = layers::broken(&[File::planted("services/x/src/domain/y.rs", line)]);
        assert!(broken.iter().any(|rule| rule.contains(why)), "{line} was not caught: {broken:?}");
    }
}

#[test]
fn a_store_or_rpc_that_reaches_outward_is_caught() {
    for (path, line) in [
        ("services/x/src/store/y.rs", "use crate::rpc::convert;"),
        ("services/x/src/store/y.rs", "use tonic::Status;"),
        ("services/x/src/rpc/y.rs", "use sea_orm::DbErr;"),
        ("services/x/src/rpc/y.rs", "use crate::job::expire;"),
        ("services/x/src/job/y.rs", "use crate::rpc::error;"),
        ("gateway/src/y.rs", "use sea_orm::DbErr;"),
        ("gateway/src/y.rs", "use billing::domain::invoice;"),
        ("services/x/src/lib.rs", "use wechat_pay_of_another::x; use identity::store;"),
    ] {
        assert_eq!(layers::broken(&[File::planted(path, line)]).len(), 1, "{path}: {line}");
    }
}

#[test]
fn words_in_comments_and_tests_do_not_count() {
    let text = "//! Not sea_orm::EntityTrait.\nfn a() {} // tonic::Status\n#[cfg(test)]\nmod tests { use tonic::Status; }";
    assert_none(&layers::broken(&[File::planted("services/x/src/domain/y.rs", text)]));
}

#[test]
fn crates_depend_inward_only() {
    assert_none(&layers::broken_dependencies(&source::manifests()));
}

#[test]
fn a_service_that_depends_on_another_is_caught() {
    let manifest =
        File::planted("services/billing/Cargo.toml", "[dependencies]\nenrollment.workspace = true\n");
    assert_eq!(layers::broken_dependencies(&[manifest]).len(), 1);
}

#[test]
fn every_module_says_what_it_knows() {
    assert_none(&source::without_first_line_doc(&rust_files()));
}

#[test]
fn a_module_without_a_first_line_is_caught() {
    let files = [File::planted("services/x/src/domain/y.rs", "use std::fmt;\n")];
    assert_eq!(source::without_first_line_doc(&files).len(), 1);
}

#[test]
fn c01_no_region_stands_in_code() {
    let packs = source::packs();
    assert!(packs.len() >= 3, "no packs found");

    assert_none(&regions::known(&rust_files(), &Regional::of(&packs), &EXCEPTIONS));
}

/// A pack as it could be.
fn pack() -> File {
    let text = "pack_id = \"hunan_zhuzhou\"\nname_zh = \"湖南省株洲市\"\n\n[fee.parent_fee_fen_per_term]\nvalue = 60000\n\
                \n[time.end_target]\nvalue = \"17:45\"\n\n[staff.fees_to_staff_bp]\nvalue = 10000\n";
    File::planted("policies/hunan_zhuzhou.toml", text)
}

#[test]
fn a_region_named_in_code_or_a_number_of_its_own_is_caught() {
    let regional = Regional::of(&[pack()]);
    for (line, what) in [
        ("if pack == \"hunan_zhuzhou\" {}", "hunan_zhuzhou"),
        ("fn zhuzhou_fee() {}", "zhuzhou"),
        ("let path = \"demo/Zhuzhou/term.toml\";", "zhuzhou"),
        ("let name = \"株洲市某区\";", "株洲"),
        ("let fee = Fen::new(60_000);", "60000"),
        ("let fee = 60000_i64;", "60000"),
        ("let end = r#\"17:45\"#;", "17:45"),
        ("#[cfg(test)]\nmod tests;\nlet fee = 60_000;", "60000"),
        ("let quote = '\"'; let fee = 60_000; let other = '\"';", "60000"),
    ] {
        let broken = regions::known(&[File::planted("services/x/src/y.rs", line)], &regional, &[]);
        assert!(broken.len() == 1 && broken[0].contains(&format!(" {what}: ")), "{line}: {broken:?}");
    }
}

#[test]
fn what_only_looks_like_a_region_s_own_is_left_alone() {
    let regional = Regional::of(&[pack()]);
    for line in [
        "// 株洲 pays 60_000 by 17:45",
        "/* hunan_zhuzhou */",
        "#[cfg(test)]\nmod tests {\n    const FEE: i64 = 60_000;\n}",
        "let whole = BasisPoints::new(10_000);",
        "let count = 160_000;",
        "let at = \"2026-09-01T17:45:00\";",
        "let ozhuzhous = 'z';",
    ] {
        assert_none(&regions::known(&[File::planted("services/x/src/y.rs", line)], &regional, &[]));
    }
    let test = File::planted("services/x/src/y_tests.rs", "const FEE: i64 = 60_000;");
    assert_none(&regions::known(&[test], &regional, &[]));
}

#[test]
fn an_exception_holds_for_its_file_only_and_is_missed_when_nothing_needs_it() {
    let regional = Regional::of(&[pack()]);
    let file = |path| File::planted(path, "const ROW_COUNT: u32 = 60_000;");
    let except = [("x/src/y.rs", "60000", "rows")];

    assert_none(&regions::known(&[file("services/x/src/y.rs")], &regional, &except));
    assert_eq!(regions::known(&[file("services/x/src/z.rs")], &regional, &except).len(), 2);
}

#[test]
fn what_is_done_is_shown_by_a_test_and_every_id_of_a_test_is_known() {
    let requirements = Requirements::ours().expect("the requirements can be read");
    let named = named_below(&root()).expect("the sources can be read");
    assert!(named.len() > 100, "only {} tests carry an id", named.len());

    assert_none(
        &[requirements::unshown(&requirements, &named), requirements::misnamed(&requirements, &named)]
            .concat(),
    );
}

#[test]
fn a_capability_called_done_without_a_test_is_caught() {
    let requirements = Requirements::ours().expect("the requirements can be read");
    let named = named_below(&root()).expect("the sources can be read");
    let without: Vec<_> = named.into_iter().filter(|one| !one.ids().contains(&"C04".to_owned())).collect();

    let unshown = requirements::unshown(&requirements, &without);

    assert!(unshown.len() == 1 && unshown[0].starts_with("C04 "), "{unshown:?}");
}

#[test]
fn a_test_with_an_id_or_trap_that_is_not_there_is_caught() {
    let requirements = Requirements::ours().expect("the requirements can be read");
    for (text, count) in [
        ("#[test]\nfn c01_c109_stands() {}", 0),
        ("#[tokio::test]\nasync fn trap_72_stands() {}", 0),
        ("on_both!(\n    c56_stands,\n);\nasync fn c56_stands(world: &World) {}", 0),
        ("#[test]\nfn c00_is_none() {}", 1),
        ("#[test]\nfn c110_is_none() {}", 1),
        ("#[test]\nfn c1_is_none() {}", 1),
        ("#[test]\nfn c56_c111_is_half_none() {}", 1),
        ("#[test]\nfn trap_00_is_none() {}", 1),
        ("#[test]\nfn trap_73_is_none() {}", 1),
        ("#[test]\nfn trap_7_is_none() {}", 1),
        ("fn c56_is_never_run() {}", 1),
    ] {
        let named = named_in("x/tests/y.rs", text);
        assert_eq!(named.len(), 1, "{text}");
        let broken = requirements::misnamed(&requirements, &named);
        assert_eq!(broken.len(), count, "{text}: {broken:?}");
    }
    let others =
        named_in("x/tests/y.rs", "#[test]\nfn cards_c56_and_trapdoors() {}\nfn trap_door_opens() {}");
    assert_eq!(others, [], "these carry no id");
}

#[test]
fn requirements_that_miss_repeat_or_invent_something_are_caught() {
    let line = |start: &str| TEXT.lines().find(|line| line.starts_with(start)).expect("the row is there");
    let (fourth, seventh, beijing) = (line("| C04 "), line("| C07 "), line("| `beijing` "));
    let cases = [
        (seventh, String::new(), "C07 is missing"),
        (seventh, format!("{seventh}\n{seventh}"), "C07 is there already"),
        (seventh, seventh.replace("C07", "C110"), "there is no capability C110"),
        (seventh, seventh.replace("| partly |", "| almost |"), "is no state"),
        (seventh, seventh.replace("| partly |", "| done |"), "C07: is done, and something is missing"),
        (fourth, fourth.replace("| done |", "| partly |"), "C04: does not say what is missing"),
        (beijing, format!("{beijing}\n{beijing}"), "beijing is there already"),
        (beijing, String::new(), "there is no region beijing above it"),
        (beijing, beijing.replace("| D1 |", "| D9 |"), "there is no document D9"),
    ];
    for (row, instead, why) in cases {
        let faults = Requirements::parse(&TEXT.replace(row, &instead)).expect_err(why).to_string();
        assert!(faults.contains(why), "{why} was not told: {faults}");
    }
}

#[test]
fn every_region_has_its_pack_and_every_pack_its_row() {
    let requirements = Requirements::ours().expect("the requirements can be read");

    assert_none(&requirements::unmatched(&requirements, &source::packs()));
}

#[test]
fn a_region_without_a_pack_and_a_pack_that_differs_are_caught() {
    let requirements = Requirements::ours().expect("the requirements can be read");
    let packs = source::packs();
    let broken = |packs: Vec<File>| requirements::unmatched(&requirements, &packs);
    let copy =
        |change: &dyn Fn(&File) -> Option<File>| -> Vec<File> { packs.iter().filter_map(change).collect() };
    let same = |pack: &File| File::planted(&pack.path, &pack.text);
    let is_meant = |pack: &File| pack.path == "policies/jiangsu_nanjing.toml";

    assert_eq!(broken(copy(&|pack| (!is_meant(pack)).then(|| same(pack)))).len(), 1);
    let stray = File::planted("policies/nowhere.toml", "name_zh = \"无\"\n");
    assert_eq!(broken(copy(&|pack| Some(same(pack))).into_iter().chain([stray]).collect()).len(), 1);
    for (old, new) in [("name_zh = \"江苏省", "name_zh = \"山东省"), ("parent_pack = \"jiangsu\"", "")]
    {
        let differs = |pack: &File| {
            let text = if is_meant(pack) { pack.text.replace(old, new) } else { pack.text.clone() };
            Some(File::planted(&pack.path, &text))
        };
        assert_eq!(broken(copy(&differs)).len(), 1, "{old}");
    }
}

#[test]
fn contracts_keep_the_rules() {
    let descriptors = contract::descriptors(proto::DESCRIPTORS);
    assert!(descriptors.file.iter().filter(|file| contract::is_ours(file)).count() >= 15);

    assert_none(&contract::broken(&descriptors));
}

#[test]
fn every_broken_contract_rule_is_caught() {
    for (plant, why) in contract::planted() {
        let broken = contract::broken(&plant);
        assert!(broken.iter().any(|rule| rule.contains(why)), "{why} was not caught: {broken:?}");
    }
}
