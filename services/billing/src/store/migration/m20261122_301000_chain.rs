//! The ledger's chain: what is not sealed yet, what is, and the head of each district.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

use super::m20260905_082000_waiver::append_only;

pub fn migration() -> Box<dyn MigrationTrait> {
    let migration = migration::named("m20261122_301000_chain")
        // What every entry adds and the sealing takes away, so that finding the tail never reads the ledger.
        .table(
            Table::create()
                .table("journal_unsealed")
                .col(column::id("journal_id"))
                .col(column::id("district_id"))
                .primary_key(
                    Index::create().name("journal_unsealed_pkey").col("journal_id").col("district_id"),
                ),
        )
        .table(
            Table::create()
                .table("journal_seal")
                .col(column::id("district_id"))
                .col(column::number("position"))
                .col(column::id("journal_id"))
                .col(column::bytes("hash"))
                .primary_key(Index::create().name("journal_seal_pkey").col("district_id").col("position"))
                .check(column::at_least("journal_seal", "position", 1)),
        )
        .index(column::unique("journal_seal", &["journal_id", "district_id"]))
        .table(
            Table::create()
                .table("ledger_head")
                .col(column::key("district_id"))
                .col(column::number("position"))
                .col(column::bytes("hash"))
                .check(column::at_least("ledger_head", "position", 0)),
        )
        .index(column::index("journal", &["school_id", "created_at"]))
        .index(column::index("journal", &["district_id", "created_at"]))
        .sql("insert into journal_unsealed (journal_id, district_id) select id, district_id from journal");
    append_only(migration, "journal_seal").boxed()
}
