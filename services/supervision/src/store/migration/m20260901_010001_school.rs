//! Schools, as identity told of them.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

/// The migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260901_010001_school")
        .table(
            Table::create()
                .table("school")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("town_id"))
                .col(column::text("stage"))
                .col(column::text("pack_id"))
                .col(column::optional(column::text("supplement_id")))
                .primary_key(Index::create().name("school_pkey").col("district_id").col("id"))
                .check(column::one_of("school", "stage", &["primary", "junior"])),
        )
        .index(column::unique("school", &["id"]))
        .boxed()
}
