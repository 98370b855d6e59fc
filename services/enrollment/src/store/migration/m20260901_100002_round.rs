//! Rounds.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260901_100002_round")
        .table(
            Table::create()
                .table("round")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::id("term_id"))
                .col(column::text("mode"))
                .col(column::moment("open_at"))
                .col(column::moment("close_at"))
                .col(column::count("review_seconds"))
                .col(column::count("payment_seconds"))
                .col(column::moment("created_at"))
                .primary_key(Index::create().name("round_pkey").col("district_id").col("id"))
                .check(column::one_of("round", "mode", &["first_come"]))
                .check(column::check("round", "window", "open_at < close_at"))
                .check(column::check("round", "review_seconds", "review_seconds between 60 and 2592000"))
                .check(column::check("round", "payment_seconds", "payment_seconds between 60 and 604800")),
        )
        .index(column::index("round", &["district_id", "term_id", "open_at"]))
        .boxed()
}
