//! Sections and the slots they take place in.

use sea_orm_migration::prelude::{ForeignKey, Index, MigrationTrait, Table};
use shared::db::{column, migration};

/// The migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260901_010005_section")
        .table(
            Table::create()
                .table("section")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("term_id"))
                .col(column::id("course_id"))
                .col(column::count("capacity_count"))
                // As a JSON list of numbers, ascending.
                .col(column::json("grades"))
                // Empty when not fixed.
                .col(column::text("room"))
                .col(column::text("instructor_name"))
                .col(column::text("state"))
                .col(column::optional(column::text("cancellation_reason")))
                .col(column::moment("created_at"))
                .col(column::optional(column::moment("published_at")))
                .col(column::optional(column::moment("cancelled_at")))
                .primary_key(Index::create().name("section_pkey").col("district_id").col("id"))
                .foreign_key(
                    ForeignKey::create()
                        .name("section_term_fkey")
                        .from("section", ("district_id", "term_id"))
                        .to("term", ("district_id", "id")),
                )
                .foreign_key(
                    ForeignKey::create()
                        .name("section_course_fkey")
                        .from("section", ("district_id", "course_id"))
                        .to("course", ("district_id", "id")),
                )
                .check(column::check("section", "capacity_count", "capacity_count between 1 and 500"))
                .check(column::one_of("section", "state", &["arranged", "published", "cancelled"]))
                .check(column::check(
                    "section",
                    "cancellation",
                    "(state = 'cancelled') = (cancellation_reason is not null)",
                ))
                .check(column::check("section", "cancelled_at", "(state = 'cancelled') = (cancelled_at is not null)"))
                // A cancelled section may have been published before.
                .check(column::check("section", "published_at", "state <> 'published' or published_at is not null"))
                .check(column::check("section", "arranged", "state <> 'arranged' or published_at is null")),
        )
        .index(column::index("section", &["id"]))
        .index(column::index("section", &["district_id", "term_id"]))
        .index(column::index("section", &["district_id", "course_id"]))
        .table(
            Table::create()
                .table("section_slot")
                .col(column::id("district_id"))
                .col(column::id("section_id"))
                .col(column::id("slot_id"))
                .primary_key(
                    Index::create().name("section_slot_pkey").col("district_id").col("section_id").col("slot_id"),
                )
                .foreign_key(
                    ForeignKey::create()
                        .name("section_slot_section_fkey")
                        .from("section_slot", ("district_id", "section_id"))
                        .to("section", ("district_id", "id")),
                )
                .foreign_key(
                    ForeignKey::create()
                        .name("section_slot_slot_fkey")
                        .from("section_slot", ("district_id", "slot_id"))
                        .to("slot", ("district_id", "id")),
                ),
        )
        .boxed()
}
