//! What identity and the catalog told: pupils and consents, terms, sections with their counters.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{Kind, column, migration};

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260901_100001_told")
        .table(
            Table::create()
                .table("pupil")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::id("class_id"))
                .col(column::json("path"))
                .col(column::count("grade"))
                .col(column::text("state"))
                .primary_key(Index::create().name("pupil_pkey").col("district_id").col("id"))
                .check(column::one_of("pupil", "state", &["enrolled", "left"]))
                .check(column::check("pupil", "grade", "grade between 1 and 9")),
        )
        .index(column::unique("pupil", &["id"]))
        .table(
            Table::create()
                .table("consent")
                .col(column::id("district_id"))
                .col(column::id("pupil_id"))
                .col(column::id("guardian_id"))
                .primary_key(
                    Index::create().name("consent_pkey").col("district_id").col("pupil_id").col("guardian_id"),
                ),
        )
        .table(
            Table::create()
                .table("term")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::json("path"))
                .col(column::date("first_day"))
                .col(column::date("last_day"))
                .col(column::text("policy_version"))
                .primary_key(Index::create().name("term_pkey").col("district_id").col("id"))
                .check(column::check("term", "days", "first_day <= last_day")),
        )
        .index(column::unique("term", &["id"]))
        .table(
            Table::create()
                .table("section")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::json("path"))
                .col(column::id("term_id"))
                .col(column::text("title"))
                .col(column::optional(column::id("provider_id")))
                .col(column::json("grades"))
                .col(column::json("slots"))
                .col(column::count("capacity_count"))
                .col(column::count("taken_count"))
                .col(column::count("waitlisted_count"))
                .col(column::number("last_waitlist_number"))
                .col(column::flag("basic_care"))
                .col(column::text("state"))
                .col(column::text("cancel_reason"))
                .primary_key(Index::create().name("section_pkey").col("district_id").col("id"))
                .check(column::at_least("section", "capacity_count", 1))
                // The last line of defence against giving a seat twice. Basic care is never refused for capacity.
                .check(column::check(
                    "section",
                    "seats",
                    "taken_count >= 0 and (basic_care or taken_count <= capacity_count)",
                ))
                .check(column::at_least("section", "waitlisted_count", 0))
                .check(column::check("section", "line", "waitlisted_count <= last_waitlist_number"))
                .check(column::one_of("section", "state", &["published", "cancelled"])),
        )
        .index(column::unique("section", &["id"]))
        .index(column::index("section", &["district_id", "term_id", "id"]))
        // Counters change all the time: room on the page keeps the old and the new row together.
        .sql_on(Kind::Postgres, "alter table section set (fillfactor = 50)")
        .boxed()
}
