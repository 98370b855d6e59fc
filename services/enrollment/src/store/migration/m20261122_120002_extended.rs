//! Sections of extended care: nothing is charged for a seat in one.

use sea_orm_migration::prelude::MigrationTrait;
use shared::db::migration;

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20261122_120002_extended")
        .sql("alter table section add column extended_care boolean not null default false")
        .boxed()
}
