//! Tickets, what was done with them, and the numbers people know them by.

use sea_orm_migration::prelude::{ForeignKey, Index, MigrationTrait, Table};
use shared::db::{column, migration};

/// The migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260901_010002_ticket")
        .table(
            Table::create()
                .table("ticket")
                .col(column::id("district_id"))
                .col(column::id("id"))
                // For people: the day it came in and its place on that day.
                .col(column::text("number"))
                .col(column::id("town_id"))
                .col(column::id("school_id"))
                .col(column::text("kind"))
                .col(column::text("subject"))
                // The bureau's section it was routed to; null where the district names none.
                .col(column::optional(column::text("section")))
                // Sealed: people write names and telephone numbers into complaints.
                .col(column::bytes("text_sealed"))
                .col(column::optional(column::bytes("contact_sealed")))
                // Null for a complainant who gave no name.
                .col(column::optional(column::id("guardian_id")))
                .col(column::text("state"))
                .col(column::optional(column::text("handler_role")))
                .col(column::optional(column::id("handler_node_id")))
                .col(column::optional(column::moment("accept_due_at")))
                .col(column::optional(column::moment("reply_due_at")))
                .col(column::flag("was_late"))
                .col(column::optional(column::count("stars")))
                .col(column::count("reopened_count"))
                .col(column::moment("created_at"))
                .primary_key(Index::create().name("ticket_pkey").col("district_id").col("id"))
                .check(column::one_of("ticket", "kind", &["complaint", "suggestion"]))
                .check(column::one_of(
                    "ticket",
                    "subject",
                    &["fees", "safety", "teaching", "provider", "forced_participation", "other"],
                ))
                .check(column::one_of(
                    "ticket",
                    "state",
                    &["submitted", "accepted", "assigned", "returned", "replied", "closed"],
                ))
                .check(column::check(
                    "ticket",
                    "handler",
                    "(state in ('submitted', 'accepted')) = (handler_role is null)",
                ))
                .check(column::check(
                    "ticket",
                    "handler_node",
                    "(handler_role is null) = (handler_node_id is null)",
                ))
                .check(column::check("ticket", "stars", "stars is null or stars between 1 and 5"))
                .check(column::at_least("ticket", "reopened_count", 0)),
        )
        .index(column::unique("ticket", &["number"]))
        .index(column::unique("ticket", &["id"]))
        .index(column::index("ticket", &["district_id", "state", "created_at"]))
        .index(column::index("ticket", &["guardian_id", "created_at"]))
        .index(column::index("ticket", &["handler_node_id", "handler_role"]))
        .table(
            Table::create()
                .table("entry")
                .col(column::id("district_id"))
                .col(column::id("ticket_id"))
                // 1 for the first thing done, then one more each.
                .col(column::count("number"))
                .col(column::text("action"))
                .col(column::text("actor_role"))
                // Who it was, for those who must account for it; never shown.
                .col(column::text("actor_key"))
                .col(column::optional(column::bytes("text_sealed")))
                .col(column::moment("created_at"))
                .primary_key(Index::create().name("entry_pkey").col("district_id").col("ticket_id").col("number"))
                .foreign_key(
                    ForeignKey::create()
                        .name("entry_ticket_fkey")
                        .from("entry", ("district_id", "ticket_id"))
                        .to("ticket", ("district_id", "id")),
                )
                .check(column::one_of(
                    "entry",
                    "action",
                    &["submitted", "accepted", "assigned", "returned", "replied", "rated", "reopened", "closed"],
                )),
        )
        .table(
            Table::create()
                .table("ticket_day")
                .col(column::date("day").primary_key())
                .col(column::number("last_number"))
                .check(column::at_least("ticket_day", "last_number", 1)),
        )
        .boxed()
}
