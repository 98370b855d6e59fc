//! The migrations of this service, oldest first, after the shared ones.

mod m20260910_000001_node;
mod m20260910_000002_pupil;
mod m20260910_000003_guardian;
mod m20260910_000004_staff;
mod m20260910_000005_session;
mod m20260910_000006_attempt;
mod m20260910_000007_audit;
mod m20261122_131001_message;

use sea_orm_migration::prelude::{ForeignKey, ForeignKeyCreateStatement, MigrationTrait, MigratorTrait};
use shared::db::migration;

/// Brings a database to the schema this program knows.
#[derive(Clone, Copy, Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = migration::shared();
        migrations.extend([
            m20260910_000001_node::migration(),
            m20260910_000002_pupil::migration(),
            m20260910_000003_guardian::migration(),
            m20260910_000004_staff::migration(),
            m20260910_000005_session::migration(),
            m20260910_000006_attempt::migration(),
            m20260910_000007_audit::migration(),
            m20261122_131001_message::migration(),
        ]);
        migrations
    }
}

/// The foreign key `<table>_<column>_fkey` to another table's `id`.
fn refers(table: &'static str, column: &'static str, to: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().name(format!("{table}_{column}_fkey")).from(table, column).to(to, "id").take()
}
