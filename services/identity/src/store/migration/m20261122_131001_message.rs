//! Messages to guardians, and which templates they accepted.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

use super::refers;

pub(super) fn migration() -> Box<dyn MigrationTrait> {
    let news =
        ["checked_in", "left_with_guardian", "left_with_collector", "left_alone", "not_here", "overdue"];
    migration::named("m20261122_131001_message")
        .table(
            Table::create()
                .table("acceptance")
                .col(column::id("guardian_id"))
                .col(column::text("template_id"))
                // How many messages may still be sent, as far as is known: WeChat decides.
                .col(column::count("accepted_count"))
                .col(column::moment("updated_at"))
                .primary_key(Index::create().name("acceptance_pkey").col("guardian_id").col("template_id"))
                .foreign_key(&mut refers("acceptance", "guardian_id", "guardian"))
                .check(column::check("acceptance", "accepted_count", "accepted_count between 0 and 20")),
        )
        .table(
            Table::create()
                .table("message")
                .col(column::key("id"))
                .col(column::id("event_id"))
                .col(column::id("guardian_id"))
                .col(column::id("pupil_id"))
                .col(column::text("news"))
                .col(column::moment("happened_at"))
                .col(column::text("state"))
                .col(column::count("attempt_count"))
                // When it is tried next, or was decided.
                .col(column::moment("next_at"))
                // Why it was dropped; empty otherwise.
                .col(column::text("dropped_for"))
                .foreign_key(&mut refers("message", "guardian_id", "guardian"))
                .check(column::one_of("message", "news", &news))
                .check(column::one_of("message", "state", &["pending", "sent", "dropped"]))
                .check(column::check("message", "dropped_for", "(state = 'dropped') = (dropped_for <> '')")),
        )
        // Each guardian hears of an event once, however often it is heard here.
        .index(column::unique("message", &["event_id", "guardian_id"]))
        .sql("create index message_due_idx on message (next_at) where state = 'pending'")
        .boxed()
}
