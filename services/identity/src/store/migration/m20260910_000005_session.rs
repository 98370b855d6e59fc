//! Sign-ins that have not ended.

use sea_orm_migration::prelude::{MigrationTrait, Table};
use shared::db::{column, migration};

use super::refers;

pub(super) fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260910_000005_session")
        .table(
            Table::create()
                .table("session")
                .col(column::key("id"))
                // SHA-256 of the token: whoever has the table has no token.
                .col(column::bytes("token_digest"))
                .col(column::optional(column::id("guardian_id")))
                .col(column::optional(column::id("staff_id")))
                .col(column::moment("created_at"))
                .col(column::moment("expires_at"))
                .check(column::check("session", "holder", "(guardian_id is null) <> (staff_id is null)"))
                .foreign_key(&mut refers("session", "guardian_id", "guardian"))
                .foreign_key(&mut refers("session", "staff_id", "staff")),
        )
        .index(column::unique("session", &["token_digest"]))
        .index(column::index("session", &["staff_id"]))
        .index(column::index("session", &["guardian_id"]))
        .index(column::index("session", &["expires_at"]))
        .boxed()
}
