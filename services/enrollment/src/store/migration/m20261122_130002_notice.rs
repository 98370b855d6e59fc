//! Notices, and for which pupils they were acknowledged.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

use super::m20261122_130001_priority::append_only;

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    let key =
        |table: &'static str| Index::create().name(format!("{table}_pkey")).col("district_id").to_owned();
    let migration = migration::named("m20261122_130002_notice")
        .table(
            Table::create()
                .table("notice")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::json("path"))
                .col(column::id("term_id"))
                .col(column::text("title"))
                .col(column::text("body"))
                .col(column::text("audience"))
                .col(column::json("grades"))
                .col(column::json("class_ids"))
                .col(column::json("disclosure_keys"))
                .col(column::optional(column::id("corrects_id")))
                .col(column::id("sender_id"))
                .col(column::moment("sent_at"))
                .primary_key(key("notice").col("id"))
                .check(column::one_of("notice", "audience", &["school", "grades", "classes"])),
        )
        .index(column::index("notice", &["district_id", "school_id", "id"]))
        .index(column::index("notice", &["district_id", "corrects_id"]))
        .table(
            Table::create()
                .table("notice_pupil")
                .col(column::id("district_id"))
                .col(column::id("notice_id"))
                .col(column::id("pupil_id"))
                .col(column::optional(column::id("guardian_id")))
                .col(column::optional(column::moment("acknowledged_at")))
                .primary_key(key("notice_pupil").col("notice_id").col("pupil_id"))
                .check(column::check(
                    "notice_pupil",
                    "acknowledged",
                    "(guardian_id is null) = (acknowledged_at is null)",
                )),
        )
        .index(column::index("notice_pupil", &["district_id", "pupil_id", "notice_id"]));
    append_only(migration, "notice").boxed()
}
