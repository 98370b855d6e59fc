//! Withdrawals that wait until somebody says what goes back.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20261122_120003_withdrawal")
        .table(
            Table::create()
                .table("withdrawal")
                .col(column::id("district_id"))
                .col(column::id("enrollment_id"))
                .col(column::id("guardian_id"))
                .col(column::text("silent_key"))
                .col(column::moment("created_at"))
                .primary_key(Index::create().name("withdrawal_pkey").col("district_id").col("enrollment_id")),
        )
        .boxed()
}
