//! Prices of sections that have one of their own, and what limits their sum.

use sea_orm_migration::prelude::{MigrationTrait, Table};
use shared::db::{column, migration};

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20261122_400002_own_price")
        .table(
            Table::create()
                .table("own_price")
                .col(column::key("section_id"))
                .col(column::fen("price_fen"))
                .col(column::optional(column::fen("ceiling_fen")))
                .col(column::text("clause_key"))
                .col(column::text("clause_zh"))
                .col(column::text("clause_en"))
                .col(column::text("clause_source"))
                .check(column::at_least("own_price", "price_fen", 1))
                .check(column::check("own_price", "ceiling", "(ceiling_fen is null) = (clause_key = '')")),
        )
        .boxed()
}
