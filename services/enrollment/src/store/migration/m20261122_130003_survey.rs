//! Surveys of what families need, and what they answered.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    let key =
        |table: &'static str| Index::create().name(format!("{table}_pkey")).col("district_id").to_owned();
    migration::named("m20261122_130003_survey")
        .table(
            Table::create()
                .table("survey")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("node_id"))
                .col(column::json("path"))
                .col(column::optional(column::id("term_id")))
                .col(column::text("title"))
                .col(column::text("naming"))
                .col(column::json("questions"))
                .col(column::moment("close_at"))
                .col(column::text("opener"))
                .col(column::moment("created_at"))
                .primary_key(key("survey").col("id"))
                .check(column::one_of("survey", "naming", &["anonymous", "named"])),
        )
        .index(column::index("survey", &["district_id", "node_id", "id"]))
        .table(
            Table::create()
                .table("survey_answer")
                .col(column::id("district_id"))
                .col(column::id("survey_id"))
                .col(column::id("pupil_id"))
                .col(column::id("school_id"))
                .col(column::bytes("answers"))
                .col(column::moment("answered_at"))
                .primary_key(key("survey_answer").col("survey_id").col("pupil_id")),
        )
        .index(column::index("survey_answer", &["district_id", "survey_id", "school_id"]))
        .boxed()
}
