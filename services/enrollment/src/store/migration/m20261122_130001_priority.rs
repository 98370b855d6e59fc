//! Priorities, the documents that prove them, who read those, and who decided what.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{Kind, column, migration};

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    let key =
        |table: &'static str| Index::create().name(format!("{table}_pkey")).col("district_id").to_owned();
    let states = ["submitted", "approved", "refused", "appealed", "refused_on_appeal", "ended"];
    let migration = migration::named("m20261122_130001_priority")
        .table(
            Table::create()
                .table("priority")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::id("pupil_id"))
                .col(column::json("path"))
                .col(column::text("group_key"))
                .col(column::text("group_name"))
                .col(column::optional(column::id("guardian_id")))
                .col(column::json("evidence_ids"))
                .col(column::optional(column::bytes("ground")))
                .col(column::text("state"))
                .col(column::optional(column::id("decider_id")))
                .col(column::optional(column::date("first_day")))
                .col(column::optional(column::date("last_day")))
                .col(column::optional(column::bytes("reason")))
                .col(column::optional(column::bytes("appeal")))
                .col(column::moment("created_at"))
                .col(column::moment("updated_at"))
                .primary_key(key("priority").col("id"))
                .check(column::one_of("priority", "state", &states))
                .check(column::check("priority", "origin", "(guardian_id is null) = (ground is not null)"))
                .check(column::check("priority", "decided", "(state = 'submitted') = (decider_id is null)"))
                .check(column::check(
                    "priority",
                    "period",
                    "(state in ('approved', 'ended')) = (first_day is not null) \
                     and (first_day is null) = (last_day is null) and (first_day is null or first_day <= last_day)",
                ))
                .check(column::check(
                    "priority",
                    "reason",
                    "(state in ('refused', 'appealed', 'refused_on_appeal', 'ended')) = (reason is not null)",
                ))
                .check(column::check(
                    "priority",
                    "appeal",
                    "(state in ('appealed', 'refused_on_appeal')) = (appeal is not null)",
                )),
        )
        // One claim of a group waits at a time.
        .sql(
            "create unique index priority_pending_key on priority (district_id, pupil_id, group_key) \
             where state in ('submitted', 'appealed')",
        )
        .index(column::index("priority", &["district_id", "pupil_id", "id"]))
        .index(column::index("priority", &["district_id", "school_id", "id"]))
        .table(
            Table::create()
                .table("priority_change")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("priority_id"))
                .col(column::count("number"))
                .col(column::text("actor"))
                .col(column::text("state"))
                .col(column::moment("created_at"))
                .primary_key(key("priority_change").col("id"))
                .check(column::one_of("priority_change", "state", &states)),
        )
        .index(column::unique("priority_change", &["district_id", "priority_id", "number"]))
        .table(
            Table::create()
                .table("evidence")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("pupil_id"))
                .col(column::id("guardian_id"))
                .col(column::text("content_type"))
                .col(column::bytes("content"))
                .col(column::optional(column::id("priority_id")))
                .col(column::moment("created_at"))
                .primary_key(key("evidence").col("id")),
        )
        .index(column::index("evidence", &["district_id", "pupil_id", "priority_id"]))
        .table(
            Table::create()
                .table("evidence_reading")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("evidence_id"))
                .col(column::text("reader"))
                .col(column::moment("created_at"))
                .primary_key(key("evidence_reading").col("id")),
        )
        .index(column::index("evidence_reading", &["district_id", "evidence_id"]));
    ["priority_change", "evidence_reading"].into_iter().fold(migration, append_only).boxed()
}

/// Lets rows of a table be added and read, and nothing else.
pub fn append_only(migration: migration::Migration, table: &str) -> migration::Migration {
    let raise = format!("{table} is append-only");
    let mut migration = migration
        .sql_on(
            Kind::Postgres,
            format!(
                "create function {table}_append_only() returns trigger language plpgsql as \
                 $$ begin raise exception '{raise}'; end $$"
            ),
        )
        .sql_on(
            Kind::Postgres,
            format!(
                "create trigger {table}_append_only before update or delete or truncate on {table} \
                 for each statement execute function {table}_append_only()"
            ),
        );
    for change in ["update", "delete"] {
        migration = migration.sql_on(
            Kind::Sqlite,
            format!(
                "create trigger {table}_no_{change} before {change} on {table} \
                 begin select raise(abort, '{raise}'); end"
            ),
        );
    }
    migration
}
