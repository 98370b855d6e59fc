//! The migrations of supervision's database, in order.

mod m20260901_010001_school;
mod m20260901_010002_ticket;

use sea_orm_migration::{MigrationTrait, MigratorTrait};
use shared::db::migration;

/// Makes and changes the tables of supervision.
#[derive(Clone, Copy, Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = migration::shared();
        migrations.extend([m20260901_010001_school::migration(), m20260901_010002_ticket::migration()]);
        migrations
    }
}
