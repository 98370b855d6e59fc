//! Seats a draw leaves over: ties of the rounds that give them, and sections that came too late for the lists.

use sea_orm_migration::prelude::MigrationTrait;
use shared::db::{Kind, migration};

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20261122_200001_left_over")
        .sql("alter table section add column left_over boolean not null default false")
        .sql(
            "alter table round add column tie_seconds integer \
             constraint round_tie_seconds_check check (tie_seconds is null \
             or (tie_seconds between 60 and 86400 and mode = 'first_come'))",
        )
        .sql_on(
            Kind::Postgres,
            "alter table round add column tie_until timestamptz \
             constraint round_ties_check check ((tie_seconds is null) = (tie_until is null))",
        )
        .sql_on(
            Kind::Sqlite,
            "alter table round add column tie_until timestamp_with_timezone_text \
             constraint round_ties_check check ((tie_seconds is null) = (tie_until is null))",
        )
        .sql("alter table round add column ties_decided boolean not null default false")
        // What the job that decides ties looks for.
        .sql("create index round_ties_idx on round (tie_until) where tie_until is not null and not ties_decided")
        .boxed()
}
