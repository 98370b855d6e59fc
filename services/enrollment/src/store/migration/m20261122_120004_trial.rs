//! Trials, and places booked in them.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20261122_120004_trial")
        .table(
            Table::create()
                .table("trial")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::json("path"))
                .col(column::id("term_id"))
                .col(column::id("section_id"))
                .col(column::date("day"))
                .col(column::id("slot_id"))
                .col(column::moment("starts_at"))
                .col(column::moment("ends_at"))
                .col(column::count("place_count"))
                .col(column::count("booked_count"))
                .col(column::text("created_by"))
                .col(column::moment("created_at"))
                .primary_key(Index::create().name("trial_pkey").col("district_id").col("id"))
                .check(column::check("trial", "times", "starts_at < ends_at"))
                .check(column::check("trial", "places", "booked_count between 0 and place_count")),
        )
        .index(column::unique("trial", &["section_id", "day", "slot_id"]))
        .index(column::index("trial", &["district_id", "term_id", "day"]))
        .table(
            Table::create()
                .table("booking")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("trial_id"))
                .col(column::id("pupil_id"))
                .col(column::id("guardian_id"))
                .col(column::text("state"))
                .col(column::moment("created_at"))
                .col(column::optional(column::moment("ended_at")))
                .primary_key(Index::create().name("booking_pkey").col("district_id").col("id"))
                .check(column::one_of("booking", "state", &["booked", "cancelled", "declined"]))
                .check(column::check("booking", "ended", "(state = 'booked') = (ended_at is null)")),
        )
        .sql(
            "create unique index booking_trial_id_pupil_id_key on booking (trial_id, pupil_id) \
             where state = 'booked'",
        )
        .index(column::index("booking", &["district_id", "pupil_id", "id"]))
        .boxed()
}
