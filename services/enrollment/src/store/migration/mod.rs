//! The service's schema, one file a change.

mod m20260901_100001_told;
mod m20260901_100002_round;
mod m20260901_100003_enrollment;
mod m20260907_100001_register;
mod m20260907_100002_custody;
mod m20260907_100003_dismissal;
mod m20260907_100004_question;
mod m20260907_100005_device;
mod m20261122_110001_drawn_round;
mod m20261122_120001_agreement;
mod m20261122_120002_extended;
mod m20261122_120003_withdrawal;
mod m20261122_120004_trial;
mod m20261122_130001_priority;
mod m20261122_130002_notice;
mod m20261122_130003_survey;
mod m20261122_150001_offer;
mod m20261122_200001_left_over;
mod m20261122_400001_seat_change;
mod m20261122_400002_own_price;

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
            m20260907_100001_register::migration(),
            m20260907_100002_custody::migration(),
            m20260907_100003_dismissal::migration(),
            m20260907_100004_question::migration(),
            m20260907_100005_device::migration(),
            m20261122_110001_drawn_round::migration(),
            m20261122_120001_agreement::migration(),
            m20261122_120002_extended::migration(),
            m20261122_120003_withdrawal::migration(),
            m20261122_120004_trial::migration(),
            m20261122_130001_priority::migration(),
            m20261122_130002_notice::migration(),
            m20261122_130003_survey::migration(),
            m20261122_150001_offer::migration(),
            m20261122_200001_left_over::migration(),
            m20261122_400001_seat_change::migration(),
            m20261122_400002_own_price::migration(),
        ]);
        migrations
    }
}
