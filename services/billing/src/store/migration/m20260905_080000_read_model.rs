//! What other services told: nodes, pupils, terms, sections.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260905_080000_read_model")
        .table(
            Table::create()
                .table("node")
                .col(column::id("id"))
                .col(column::id("district_id"))
                .col(column::json("path"))
                .col(column::text("pack_id"))
                .col(column::text("supplement_id"))
                .primary_key(Index::create().name("node_pkey").col("id").col("district_id")),
        )
        .table(
            Table::create()
                .table("pupil")
                .col(column::id("id"))
                .col(column::id("district_id"))
                .col(column::json("path"))
                .primary_key(Index::create().name("pupil_pkey").col("id").col("district_id")),
        )
        .table(
            Table::create()
                .table("term")
                .col(column::id("id"))
                .col(column::id("district_id"))
                .col(column::id("school_id"))
                .col(column::json("path"))
                .col(column::date("first_day"))
                .col(column::date("last_day"))
                .col(column::json("off_days"))
                .col(column::text("policy_version"))
                .col(column::text("stage"))
                .primary_key(Index::create().name("term_pkey").col("id").col("district_id"))
                .check(column::one_of("term", "stage", &["primary", "junior"]))
                .check(column::check("term", "days", "first_day <= last_day")),
        )
        .index(column::index("term", &["school_id", "first_day"]))
        .table(
            Table::create()
                .table("section")
                .col(column::id("id"))
                .col(column::id("district_id"))
                .col(column::id("term_id"))
                .col(column::text("title"))
                .col(column::json("lessons"))
                .primary_key(Index::create().name("section_pkey").col("id").col("district_id")),
        )
        .boxed()
}
