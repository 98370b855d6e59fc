//! When pupils leave, and who stays after the service's end.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    let key =
        |table: &'static str| Index::create().name(format!("{table}_pkey")).col("district_id").to_owned();
    migration::named("m20260907_100003_dismissal")
        .table(
            Table::create()
                .table("dismissal_batch")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::id("term_id"))
                .col(column::text("name"))
                .col(column::count("minute"))
                .col(column::moment("created_at"))
                .primary_key(key("dismissal_batch").col("id"))
                .check(column::check("dismissal_batch", "minute", "minute between 0 and 1439")),
        )
        .index(column::index("dismissal_batch", &["district_id", "term_id"]))
        .table(
            Table::create()
                .table("dismissal")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("pupil_id"))
                .col(column::count("weekday"))
                .col(column::text("source"))
                .col(column::optional(column::count("minute")))
                .col(column::optional(column::id("batch_id")))
                .col(column::text("created_by"))
                .col(column::moment("created_at"))
                .primary_key(key("dismissal").col("id"))
                .check(column::one_of("dismissal", "source", &["guardian", "school"]))
                .check(column::check("dismissal", "weekday", "weekday between 1 and 7"))
                .check(column::check("dismissal", "minute", "minute is null or minute between 0 and 1439"))
                .check(column::check("dismissal", "batch", "source = 'guardian' or batch_id is not null")),
        )
        .index(column::index("dismissal", &["district_id", "pupil_id", "weekday"]))
        .table(
            Table::create()
                .table("extended_care")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::id("pupil_id"))
                .col(column::id("guardian_id"))
                .col(column::date("day"))
                .col(column::count("until_minute"))
                .col(column::moment("created_at"))
                .col(column::optional(column::moment("cancelled_at")))
                .primary_key(key("extended_care").col("id"))
                .check(column::check("extended_care", "until", "until_minute between 1 and 1439")),
        )
        .index(column::index("extended_care", &["district_id", "school_id", "day"]))
        .sql(
            "create unique index extended_care_district_id_pupil_id_day_key \
             on extended_care (district_id, pupil_id, day) where cancelled_at is null",
        )
        .boxed()
}
