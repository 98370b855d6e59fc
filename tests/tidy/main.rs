//! Holds the rules of style that matter: layers, contracts, documents. Each rule is first shown to bite.

#![expect(clippy::expect_used, reason = "a test that cannot read the source has failed")]

mod contract;
mod layers;
mod source;

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
fn c01_no_region_is_named_in_code() {
    let packs = source::pack_ids();
    assert!(packs.len() >= 3, "no packs found");

    assert_none(&source::naming_a_region(&rust_files(), &packs));
}

#[test]
fn a_region_named_in_code_is_caught() {
    let files = [File::planted("services/x/src/domain/y.rs", "if pack == \"hunan_zhuzhou\" {}")];
    assert_eq!(source::naming_a_region(&files, &["hunan_zhuzhou".to_owned()]).len(), 1);
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
