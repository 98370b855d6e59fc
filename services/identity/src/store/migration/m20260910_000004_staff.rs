//! Staff and what they were granted.

use sea_orm_migration::prelude::{MigrationTrait, Table};
use shared::db::{column, migration};

use super::refers;

pub(super) fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260910_000004_staff")
        .table(
            Table::create()
                .table("staff")
                .col(column::key("id"))
                .col(column::text("login_name"))
                .col(column::bytes("name_sealed"))
                // Argon2id in the PHC string format, with its parameters.
                .col(column::text("password_hash"))
                // None while the first password holds.
                .col(column::optional(column::moment("password_changed_at")))
                // The secret of the one-time codes, base32.
                .col(column::bytes("totp_sealed"))
                // The step of the last code used: it and those before it are used up.
                .col(column::number("totp_last_step"))
                .col(column::moment("created_at")),
        )
        .index(column::unique("staff", &["login_name"]))
        .table(
            Table::create()
                .table("staff_grant")
                .col(column::key("id"))
                .col(column::id("staff_id"))
                // None outside the tree: providers and the platform.
                .col(column::optional(column::id("district_id")))
                .col(column::text("role"))
                // The node, the provider, or the nil UUID for the platform.
                .col(column::id("place_id"))
                // The ids from the district down, as JSON.
                .col(column::json("path"))
                .col(column::moment("created_at"))
                .check(column::check(
                    "staff_grant",
                    "district",
                    "(district_id is null) = (role in ('provider', 'platform_operator'))",
                ))
                .foreign_key(&mut refers("staff_grant", "staff_id", "staff")),
        )
        .index(column::unique("staff_grant", &["staff_id", "role", "place_id"]))
        .index(column::index("staff_grant", &["role"]))
        .boxed()
}
