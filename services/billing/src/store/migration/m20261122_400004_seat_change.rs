//! Seats changed for others from a later day on, as enrollment told of them.

use sea_orm_migration::prelude::{MigrationTrait, Table};
use shared::db::{column, migration};

pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20261122_400004_seat_change")
        .table(
            Table::create()
                .table("seat_change")
                .col(column::key("to_enrollment_id"))
                .col(column::id("district_id"))
                .col(column::id("from_enrollment_id"))
                .col(column::id("pupil_id"))
                .col(column::date("from_day"))
                .col(column::moment("created_at")),
        )
        .index(column::index("seat_change", &["pupil_id"]))
        .boxed()
}
