//! Failures that lock, and answers that are kept for minutes.

use sea_orm_migration::prelude::{MigrationTrait, Table};
use shared::db::{column, migration};

pub(super) fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260910_000006_attempt")
        .table(
            Table::create()
                .table("attempt")
                // A blind index of what failed: a login name, a guardian.
                .col(column::bytes("subject").primary_key().take())
                // The failures that may still count, oldest first, as JSON.
                .col(column::json("failures"))
                .col(column::moment("updated_at")),
        )
        .index(column::index("attempt", &["updated_at"]))
        .table(
            Table::create()
                .table("brief_answer")
                // A blind index of what was asked.
                .col(column::bytes("key_index").primary_key().take())
                // None while the first asker still waits for it.
                .col(column::optional(column::bytes("sealed")))
                .col(column::moment("expires_at")),
        )
        .index(column::index("brief_answer", &["expires_at"]))
        .boxed()
}
