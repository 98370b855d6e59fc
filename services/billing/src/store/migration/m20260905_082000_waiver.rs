//! Waivers, the documents that prove them, and who read those.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{Kind, column, migration};

pub fn migration() -> Box<dyn MigrationTrait> {
    let migration = migration::named("m20260905_082000_waiver")
        .table(
            Table::create()
                .table("waiver")
                .col(column::id("id"))
                .col(column::id("district_id"))
                .col(column::id("town_id"))
                .col(column::id("school_id"))
                .col(column::id("class_id"))
                .col(column::id("pupil_id"))
                .col(column::text("category"))
                .col(column::text("state"))
                .col(column::optional(column::id("endorsed_by")))
                .col(column::optional(column::id("decided_by")))
                .col(column::optional(column::date("last_day")))
                .col(column::text("rejection_reason"))
                .col(column::json("evidence_ids"))
                .col(column::moment("created_at"))
                .primary_key(Index::create().name("waiver_pkey").col("id").col("district_id"))
                .check(column::one_of("waiver", "state", &["submitted", "endorsed", "granted", "rejected"]))
                .check(column::check(
                    "waiver",
                    "two_people",
                    "endorsed_by is null or decided_by is null or endorsed_by <> decided_by",
                ))
                .check(column::check(
                    "waiver",
                    "granted",
                    "(state = 'granted') = (last_day is not null) \
                     and (state <> 'granted' or (endorsed_by is not null and decided_by is not null))",
                ))
                .check(column::check(
                    "waiver",
                    "rejected",
                    "(state = 'rejected') = (rejection_reason <> '')",
                )),
        )
        .sql(
            "create unique index waiver_pending_key on waiver (pupil_id, district_id) \
             where state in ('submitted', 'endorsed')",
        )
        .index(column::index("waiver", &["pupil_id", "created_at", "id"]))
        .index(column::index("waiver", &["district_id", "created_at", "id"]))
        .table(
            Table::create()
                .table("evidence")
                .col(column::id("id"))
                .col(column::id("district_id"))
                .col(column::id("pupil_id"))
                .col(column::id("guardian_id"))
                .col(column::text("content_type"))
                .col(column::bytes("content_sealed"))
                .col(column::optional(column::id("waiver_id")))
                .col(column::moment("created_at"))
                .primary_key(Index::create().name("evidence_pkey").col("id").col("district_id")),
        )
        .index(column::index("evidence", &["pupil_id", "waiver_id"]))
        .table(
            Table::create()
                .table("evidence_reading")
                .col(column::key("id"))
                .col(column::id("district_id"))
                .col(column::id("evidence_id"))
                .col(column::text("reader"))
                .col(column::moment("created_at")),
        )
        .index(column::index("evidence_reading", &["evidence_id"]));
    append_only(migration, "evidence_reading").boxed()
}

/// Lets rows of a table be added and read, and nothing else.
pub fn append_only(migration: migration::Migration, table: &str) -> migration::Migration {
    let raise = format!("{table} is append-only");
    let mut migration = migration.sql_on(
        Kind::Postgres,
        format!(
            "create function {table}_append_only() returns trigger language plpgsql as \
             $$ begin raise exception '{raise}'; end $$"
        ),
    );
    migration = migration.sql_on(
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
