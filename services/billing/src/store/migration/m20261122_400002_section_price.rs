//! Prices of sections that have one of their own.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20261122_400002_section_price")
        .table(
            Table::create()
                .table("section_price")
                .col(column::id("id"))
                .col(column::id("district_id"))
                .col(column::id("term_id"))
                .col(column::id("section_id"))
                .col(column::fen("amount_fen"))
                .col(column::text("approval_document"))
                .col(column::optional(column::id("cost_sheet_id")))
                .col(column::text("payee_account"))
                .col(column::id("published_by"))
                .col(column::moment("created_at"))
                .primary_key(Index::create().name("section_price_pkey").col("id").col("district_id"))
                .check(column::at_least("section_price", "amount_fen", 1))
                .check(column::one_of(
                    "section_price",
                    "payee_account",
                    &["school", "treasury", "operator_group", "supervised_platform"],
                )),
        )
        .index(column::unique("section_price", &["section_id", "district_id"]))
        .index(column::index("section_price", &["term_id"]))
        .boxed()
}
