//! What a term's policy says about offers from the line, and how lines have moved.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20261122_150001_offer")
        .table(
            Table::create()
                .table("offer_rule")
                .col(column::id("district_id"))
                .col(column::id("term_id"))
                .col(column::optional(column::count("offer_seconds")))
                .col(column::optional(column::count("quiet_from_minute")))
                .col(column::optional(column::count("quiet_to_minute")))
                .primary_key(Index::create().name("offer_rule_pkey").col("district_id").col("term_id"))
                .check(column::check("offer_rule", "offer", "offer_seconds between 60 and 604800"))
                .check(column::check(
                    "offer_rule",
                    "night",
                    "(quiet_from_minute is null) = (quiet_to_minute is null)",
                ))
                .check(column::check("offer_rule", "quiet_from", "quiet_from_minute between 0 and 1439"))
                .check(column::check("offer_rule", "quiet_to", "quiet_to_minute between 0 and 1439")),
        )
        .table(
            Table::create()
                .table("line")
                .col(column::id("district_id"))
                .col(column::id("section_id"))
                .col(column::count("freed_count"))
                .col(column::count("offered_count"))
                .col(column::optional(column::moment("last_offered_at")))
                .primary_key(Index::create().name("line_pkey").col("district_id").col("section_id"))
                .check(column::at_least("line", "freed_count", 0))
                .check(column::at_least("line", "offered_count", 0))
                .check(column::check("line", "last", "(offered_count > 0) = (last_offered_at is not null)")),
        )
        // Sections of one course over the terms are known by their title.
        .index(column::index("section", &["district_id", "school_id", "title"]))
        .boxed()
}
