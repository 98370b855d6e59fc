//! The migrations of the catalog's database, in order.

mod m20260901_010001_node;
mod m20260901_010002_term;
mod m20260901_010003_provider;
mod m20260901_010004_course;
mod m20260901_010005_section;

use sea_orm_migration::{MigrationTrait, MigratorTrait};
use shared::db::migration;

/// Makes and changes the tables of the catalog.
#[derive(Clone, Copy, Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = migration::shared();
        migrations.extend([
            m20260901_010001_node::migration(),
            m20260901_010002_term::migration(),
            m20260901_010003_provider::migration(),
            m20260901_010004_course::migration(),
            m20260901_010005_section::migration(),
        ]);
        migrations
    }
}
