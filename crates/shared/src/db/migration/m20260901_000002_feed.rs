//! Events told, and cursors of feeds followed, for [`crate::feed`].

use sea_orm_migration::prelude::{ColumnDef, Index, MigrationTrait, Table};

use crate::db::{column, migration};

pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260901_000002_feed")
        .table(
            Table::create()
                .table("event")
                .col(ColumnDef::new("seq").big_integer().not_null().auto_increment().primary_key())
                .col(column::id("id"))
                .col(column::id("district_id"))
                .col(column::id("subject_id"))
                .col(column::text("name"))
                .col(column::bytes("payload"))
                .col(column::moment("created_at"))
                .col(column::text("traceparent"))
                .col(column::optional(column::number("position"))),
        )
        .index(column::unique("event", &["position"]))
        // What still waits for a position: a handful of rows out of millions.
        .sql("create index event_waiting_idx on event (seq) where position is null")
        .table(
            Table::create()
                .table("feed_sequence")
                .col(ColumnDef::new("id").integer().not_null().primary_key())
                .col(column::number("last_position"))
                .check(column::check("feed_sequence", "id", "id = 1")),
        )
        .sql("insert into feed_sequence (id, last_position) values (1, 0)")
        .table(
            Table::create()
                .table("feed_cursor")
                .col(column::text("consumer"))
                .col(column::text("feed"))
                .col(column::number("position"))
                .primary_key(Index::create().name("feed_cursor_pkey").col("consumer").col("feed"))
                .check(column::at_least("feed_cursor", "position", 0)),
        )
        .boxed()
}
