//! Seats changed for others from a later day on.

use sea_orm_migration::prelude::{MigrationTrait, Table};
use shared::db::{column, migration};

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20261122_400001_seat_change")
        .table(
            Table::create()
                .table("seat_change")
                .col(column::key("to_enrollment_id"))
                .col(column::id("district_id"))
                .col(column::id("from_enrollment_id"))
                .col(column::id("pupil_id"))
                .col(column::date("from_day"))
                .col(column::text("state"))
                .col(column::moment("created_at"))
                .check(column::one_of("seat_change", "state", &["planned", "done", "void"])),
        )
        // A seat ends for one other seat.
        .sql("create unique index seat_change_planned_key on seat_change (from_enrollment_id) where state = 'planned'")
        .index(column::index("seat_change", &["from_enrollment_id"]))
        .boxed()
}
