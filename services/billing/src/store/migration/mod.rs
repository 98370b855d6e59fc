//! Tables, in the order they came to be.

mod m20260905_080000_read_model;
mod m20260905_081000_invoice;
mod m20260905_082000_waiver;
mod m20260905_083000_ledger;
mod m20261122_090000_tariff_basis;
mod m20261122_300000_bill;
mod m20261122_301000_chain;
mod m20261122_302000_period;
mod m20261122_400001_tariff_slot;
mod m20261122_400002_section_price;
mod m20261122_400003_cost_sheet;
mod m20261122_400004_seat_change;
mod m20261122_500000_fund;
mod m20261122_500001_posting_account;

use sea_orm_migration::prelude::{MigrationTrait, MigratorTrait};

/// Every migration of this service, the shared ones first.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = shared::db::migration::shared();
        migrations.extend([
            m20260905_080000_read_model::migration(),
            m20260905_081000_invoice::migration(),
            m20260905_082000_waiver::migration(),
            m20260905_083000_ledger::migration(),
            m20261122_090000_tariff_basis::migration(),
            m20261122_300000_bill::migration(),
            m20261122_301000_chain::migration(),
            m20261122_302000_period::migration(),
            m20261122_400001_tariff_slot::migration(),
            m20261122_400002_section_price::migration(),
            m20261122_400003_cost_sheet::migration(),
            m20261122_400004_seat_change::migration(),
            m20261122_500000_fund::migration(),
            m20261122_500001_posting_account::migration(),
        ]);
        migrations
    }
}
