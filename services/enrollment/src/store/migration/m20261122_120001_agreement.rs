//! Agreements: their versions, who signed which, and seats that wait for a signature.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::migration::Migration;
use shared::db::{Kind, column, migration};

/// What is kept for ever, and what the database says to whoever tries to change it.
const FOR_EVER: [(&str, &str); 2] =
    [("agreement", "agreements are never changed"), ("signature", "signatures are never changed")];

/// Constraints of `enrollment`: name, condition before, condition now.
const CHECKS: [(&str, &str, &str); 3] = [
    (
        "enrollment_state_check",
        "state in ('waitlisted', 'in_review', 'held', 'releasing', 'confirmed', 'released')",
        "state in ('waitlisted', 'awaiting_agreement', 'in_review', 'held', 'releasing', 'confirmed', 'released')",
    ),
    (
        "enrollment_release_reason_check",
        "release_reason in ('hold_expired', 'review_expired', 'declined', 'withdrawn', 'section_cancelled', 'pupil_left')",
        "release_reason in ('hold_expired', 'agreement_expired', 'review_expired', 'declined', 'withdrawn', 'changed', \
         'section_cancelled', 'pupil_left')",
    ),
    (
        "enrollment_hold_check",
        "(state in ('in_review', 'held')) = (hold_expires_at is not null)",
        "(state in ('awaiting_agreement', 'in_review', 'held')) = (hold_expires_at is not null)",
    ),
];

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    let migration = migration::named("m20261122_120001_agreement")
        .table(
            Table::create()
                .table("agreement")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::id("term_id"))
                // 1 for a term's first, then one more each.
                .col(column::count("version_number"))
                .col(column::text("title"))
                .col(column::text("body"))
                .col(column::text("digest"))
                .col(column::text("publisher"))
                .col(column::moment("created_at"))
                .primary_key(Index::create().name("agreement_pkey").col("district_id").col("id"))
                .check(column::at_least("agreement", "version_number", 1)),
        )
        .index(column::unique("agreement", &["term_id", "version_number"]))
        .table(
            Table::create()
                .table("signature")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::id("term_id"))
                .col(column::id("agreement_id"))
                .col(column::id("pupil_id"))
                .col(column::id("guardian_id"))
                .col(column::text("consent_words"))
                .col(column::moment("created_at"))
                .primary_key(Index::create().name("signature_pkey").col("district_id").col("id")),
        )
        .index(column::unique("signature", &["agreement_id", "pupil_id"]))
        .index(column::index("signature", &["district_id", "term_id", "pupil_id"]))
        .sql("alter table enrollment add column asks_agreement boolean not null default false");
    keep(change_checks(migration)).boxed()
}

/// Lets seats wait for a signature, and be given back for want of one.
fn change_checks(migration: Migration) -> Migration {
    let on_postgres = CHECKS.iter().fold(migration, |migration, (name, _, now)| {
        let sql =
            format!("alter table enrollment drop constraint {name}, add constraint {name} check ({now})");
        migration.sql_on(Kind::Postgres, sql)
    });
    // SQLite changes no constraint. That of a check alters nothing that is stored, so its text may be replaced where it is kept
    // (sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema Changes"), whatever columns the table has by now.
    let mut text = "sql".to_owned();
    for (_, before, now) in CHECKS {
        text = format!("replace({text}, '{}', '{}')", before.replace('\'', "''"), now.replace('\'', "''"));
    }
    on_postgres
        .sql_on(Kind::Sqlite, "pragma writable_schema = on")
        .sql_on(
            Kind::Sqlite,
            format!("update sqlite_schema set sql = {text} where type = 'table' and name = 'enrollment'"),
        )
        // Reads the schema again.
        .sql_on(Kind::Sqlite, "pragma writable_schema = reset")
}

/// Has the database itself refuse to change or delete what was published and signed.
fn keep(migration: Migration) -> Migration {
    FOR_EVER.iter().fold(migration, |migration, (table, why)| {
        let on_sqlite = |name: &str, what: &str| {
            format!("create trigger {table}_{name} before {what} on {table} begin select raise(abort, '{why}'); end")
        };
        migration
            .sql_on(Kind::Sqlite, on_sqlite("stays", "update"))
            .sql_on(Kind::Sqlite, on_sqlite("is_kept", "delete"))
            .sql_on(
                Kind::Postgres,
                format!(
                    "create function {table}_stays() returns trigger language plpgsql \
                     as $$ begin raise exception '{why}'; end $$"
                ),
            )
            .sql_on(
                Kind::Postgres,
                format!(
                    "create trigger {table}_stays before update or delete on {table} \
                     for each row execute function {table}_stays()"
                ),
            )
    })
}
