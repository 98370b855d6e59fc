//! The service's schema, one file a change.

mod m20260901_100001_told;
mod m20260901_100002_round;
mod m20260901_100003_enrollment;

use sea_orm_migration::prelude::{MigrationTrait, MigratorTrait};
use shared::db::migration;

/// Every migration of this service, the shared ones first.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = migration::shared();
        migrations.extend([
            m20260901_100001_told::migration(),
            m20260901_100002_round::migration(),
            m20260901_100003_enrollment::migration(),
        ]);
        migrations
    }
}
