//! Questions of single pupils, and periods of insurance.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    let key =
        |table: &'static str| Index::create().name(format!("{table}_pkey")).col("district_id").to_owned();
    migration::named("m20260907_100004_question")
        .table(
            Table::create()
                .table("question")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::id("class_id"))
                .col(column::id("pupil_id"))
                .col(column::text("subject"))
                .col(column::text("topic"))
                .col(column::text("opener"))
                .col(column::moment("created_at"))
                .col(column::optional(column::moment("closed_at")))
                .col(column::text("closer"))
                .col(column::text("outcome"))
                .primary_key(key("question").col("id"))
                .check(column::check("question", "closed", "(closed_at is null) = (closer = '')")),
        )
        .index(column::index("question", &["district_id", "school_id", "created_at"]))
        .index(column::index("question", &["district_id", "pupil_id", "id"]))
        .table(
            Table::create()
                .table("cover")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::text("kind"))
                .col(column::text("insurer"))
                .col(column::text("policy_number"))
                .col(column::date("first_day"))
                .col(column::date("last_day"))
                .col(column::text("created_by"))
                .col(column::moment("created_at"))
                .primary_key(key("cover").col("id"))
                .check(column::one_of("cover", "kind", &["school_liability", "pupil_accident"]))
                .check(column::check("cover", "days", "first_day <= last_day")),
        )
        .index(column::index("cover", &["district_id", "school_id"]))
        .boxed()
}
