//! The answers to request ids, for [`crate::request`].

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};

use crate::db::{column, migration};

pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260901_000001_request")
        .table(
            Table::create()
                .table("request")
                .col(column::text("caller"))
                .col(column::text("method"))
                .col(column::id("request_id"))
                .col(column::bytes("fingerprint"))
                .col(column::optional(column::bytes("answer")))
                .col(column::moment("created_at"))
                .primary_key(
                    Index::create().name("request_pkey").col("caller").col("method").col("request_id"),
                ),
        )
        .index(column::index("request", &["created_at"]))
        .boxed()
}
