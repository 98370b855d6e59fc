//! Institutions and the whitelists they stand on.

use sea_orm_migration::prelude::{ForeignKey, Index, MigrationTrait, Table};
use shared::db::{column, migration};

/// The migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260901_010003_provider")
        // An institution is the same in every district: only its listings belong to one.
        .table(
            Table::create()
                .table("provider")
                .col(column::key("id"))
                .col(column::text("name"))
                .col(column::text("credit_code"))
                .col(column::moment("created_at")),
        )
        .index(column::unique("provider", &["credit_code"]))
        .index(column::index("provider", &["name", "id"]))
        .table(
            Table::create()
                .table("listing")
                .col(column::id("district_id"))
                // Whose list it is: the district itself, or one of its towns.
                .col(column::id("node_id"))
                .col(column::id("provider_id"))
                .col(column::date("first_day"))
                .col(column::date("last_day"))
                .col(column::text("state"))
                .col(column::optional(column::text("suspension_reason")))
                .col(column::optional(column::date("suspended_on")))
                .col(column::moment("updated_at"))
                .primary_key(
                    Index::create().name("listing_pkey").col("district_id").col("node_id").col("provider_id"),
                )
                .foreign_key(
                    ForeignKey::create()
                        .name("listing_provider_fkey")
                        .from("listing", "provider_id")
                        .to("provider", "id"),
                )
                .check(column::check("listing", "days", "first_day <= last_day"))
                .check(column::one_of("listing", "state", &["listed", "suspended"]))
                .check(column::check("listing", "reason", "(state = 'suspended') = (suspension_reason is not null)"))
                .check(column::check("listing", "suspended_on", "(state = 'suspended') = (suspended_on is not null)")),
        )
        .index(column::index("listing", &["provider_id"]))
        .boxed()
}
