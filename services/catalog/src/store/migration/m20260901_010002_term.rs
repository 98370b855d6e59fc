//! Terms, their slots, and the changes of their menus.

use sea_orm_migration::prelude::{ColumnDef, ForeignKey, Index, MigrationTrait, Table};
use shared::db::{column, migration};

/// The migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260901_010002_term")
        .table(
            Table::create()
                .table("term")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("town_id"))
                .col(column::id("school_id"))
                .col(column::text("stage"))
                .col(column::text("name"))
                .col(column::date("first_day"))
                .col(column::date("last_day"))
                // Days without service, as a JSON list of `YYYY-MM-DD`, ascending.
                .col(column::json("off_days"))
                .col(column::text("policy_version"))
                // How many rows `menu_change` has for it.
                .col(column::number("menu_version"))
                .col(column::moment("created_at"))
                .primary_key(Index::create().name("term_pkey").col("district_id").col("id"))
                .check(column::one_of("term", "stage", &["primary", "junior"]))
                .check(column::check("term", "days", "first_day <= last_day"))
                .check(column::at_least("term", "menu_version", 0)),
        )
        .index(column::index("term", &["id"]))
        .index(column::index("term", &["district_id", "school_id", "first_day"]))
        .table(
            Table::create()
                .table("slot")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("term_id"))
                // 1 (Monday) to 7 (Sunday).
                .col(column::count("weekday"))
                .col(column::text("kind"))
                .col(ColumnDef::new("starts_at").time().not_null())
                .col(ColumnDef::new("ends_at").time().not_null())
                .col(column::count("class_hour_count"))
                // Departures from the policy that were accepted, as a JSON list of their names.
                .col(column::json("flags"))
                // The reason given for them.
                .col(column::optional(column::text("justification")))
                .col(column::moment("created_at"))
                .primary_key(Index::create().name("slot_pkey").col("district_id").col("id"))
                .foreign_key(
                    ForeignKey::create()
                        .name("slot_term_fkey")
                        .from("slot", ("district_id", "term_id"))
                        .to("term", ("district_id", "id")),
                )
                .check(column::check("slot", "weekday", "weekday between 1 and 7"))
                .check(column::one_of(
                    "slot",
                    "kind",
                    &["early_arrival", "noon", "afternoon", "extended", "evening_study"],
                ))
                .check(column::check("slot", "times", "starts_at < ends_at"))
                .check(column::check("slot", "class_hour_count", "class_hour_count between 1 and 8")),
        )
        .index(column::unique("slot", &["district_id", "term_id", "weekday", "kind", "starts_at", "ends_at"]))
        .table(
            Table::create()
                .table("menu_change")
                .col(column::id("district_id"))
                .col(column::id("term_id"))
                // From 1 up, without gaps.
                .col(column::number("version"))
                .col(column::text("kind"))
                // How many sections came or went.
                .col(column::count("section_count"))
                .col(column::moment("created_at"))
                .primary_key(
                    Index::create().name("menu_change_pkey").col("district_id").col("term_id").col("version"),
                )
                .foreign_key(
                    ForeignKey::create()
                        .name("menu_change_term_fkey")
                        .from("menu_change", ("district_id", "term_id"))
                        .to("term", ("district_id", "id")),
                )
                .check(column::one_of("menu_change", "kind", &["published", "cancelled"]))
                .check(column::at_least("menu_change", "version", 1))
                .check(column::at_least("menu_change", "section_count", 1)),
        )
        .boxed()
}
