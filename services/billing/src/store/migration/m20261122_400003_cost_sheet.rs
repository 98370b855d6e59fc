//! Cost sheets of schools and courses.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20261122_400003_cost_sheet")
        .table(
            Table::create()
                .table("cost_sheet")
                .col(column::id("id"))
                .col(column::id("district_id"))
                .col(column::id("school_id"))
                .col(column::json("path"))
                .col(column::id("term_id"))
                .col(column::optional(column::id("section_id")))
                .col(column::json("items"))
                .col(column::count("pupil_count"))
                .col(column::id("submitted_by"))
                .col(column::text("state"))
                .col(column::optional(column::id("decided_by")))
                .col(column::text("rejection_reason"))
                .col(column::moment("created_at"))
                .primary_key(Index::create().name("cost_sheet_pkey").col("id").col("district_id"))
                .check(column::one_of("cost_sheet", "state", &["submitted", "approved", "rejected"]))
                .check(column::at_least("cost_sheet", "pupil_count", 1))
                .check(column::check(
                    "cost_sheet",
                    "decided",
                    "(state = 'submitted') = (decided_by is null) and (decided_by is null or decided_by <> submitted_by)",
                ))
                .check(column::check(
                    "cost_sheet",
                    "rejected",
                    "(state = 'rejected') = (rejection_reason <> '')",
                )),
        )
        // One waits at a time: of the school's service, and of each section.
        .sql(
            "create unique index cost_sheet_pending_key on cost_sheet (term_id, district_id) \
             where state = 'submitted' and section_id is null",
        )
        .sql(
            "create unique index cost_sheet_section_pending_key on cost_sheet (section_id, district_id) \
             where state = 'submitted' and section_id is not null",
        )
        .index(column::index("cost_sheet", &["term_id", "created_at", "id"]))
        .boxed()
}
