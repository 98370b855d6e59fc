//! The ledger: entries and their lines. Rows are added, never changed.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

use super::m20260905_082000_waiver::append_only;

pub fn migration() -> Box<dyn MigrationTrait> {
    let migration = migration::named("m20260905_083000_ledger")
        .table(
            Table::create()
                .table("journal")
                .col(column::id("id"))
                .col(column::id("district_id"))
                .col(column::id("school_id"))
                .col(column::id("source_id"))
                .col(column::text("kind"))
                .col(column::count("number"))
                .col(column::moment("created_at"))
                .primary_key(Index::create().name("journal_pkey").col("id").col("district_id")),
        )
        .index(column::unique("journal", &["source_id", "kind", "number", "district_id"]))
        .table(
            Table::create()
                .table("posting")
                .col(column::id("journal_id"))
                .col(column::count("line_number"))
                .col(column::id("district_id"))
                .col(column::id("school_id"))
                .col(column::text("account"))
                .col(column::fen("debit_fen"))
                .col(column::fen("credit_fen"))
                .primary_key(
                    Index::create()
                        .name("posting_pkey")
                        .col("journal_id")
                        .col("line_number")
                        .col("district_id"),
                )
                .check(column::one_of(
                    "posting",
                    "account",
                    &["receivable", "fees", "waiver_subsidy", "wechat_clearing", "refund_payable", "surplus"],
                ))
                .check(column::check(
                    "posting",
                    "side",
                    "debit_fen >= 0 and credit_fen >= 0 and (debit_fen = 0) <> (credit_fen = 0)",
                )),
        )
        .index(column::index("posting", &["district_id", "school_id", "account"]));
    append_only(append_only(migration, "journal"), "posting").boxed()
}
