//! Identity devices, whom they mean, and which of their events were taken.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    let key =
        |table: &'static str| Index::create().name(format!("{table}_pkey")).col("district_id").to_owned();
    migration::named("m20260907_100005_device")
        .table(
            Table::create()
                .table("device")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::json("path"))
                .col(column::text("name"))
                .col(column::bytes("key_digest"))
                .col(column::moment("created_at"))
                .col(column::optional(column::moment("revoked_at")))
                .primary_key(key("device").col("id")),
        )
        .index(column::unique("device", &["key_digest"]))
        .index(column::index("device", &["district_id", "school_id"]))
        .table(
            Table::create()
                .table("device_event")
                .col(column::id("district_id"))
                .col(column::id("device_id"))
                .col(column::text("event_id"))
                .col(column::moment("created_at"))
                // Each event of a device is taken once.
                .primary_key(key("device_event").col("device_id").col("event_id")),
        )
        .table(
            Table::create()
                .table("person_link")
                .col(column::id("district_id"))
                .col(column::id("school_id"))
                .col(column::bytes("token_digest"))
                .col(column::id("pupil_id"))
                .col(column::text("created_by"))
                .col(column::moment("created_at"))
                .primary_key(key("person_link").col("school_id").col("token_digest")),
        )
        .boxed()
}
