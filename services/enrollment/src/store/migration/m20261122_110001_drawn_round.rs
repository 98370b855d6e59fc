//! Rounds that are drawn: their modes and states, seats promised to a draw, wishes, acts.
//!
//! SQLite cannot change a constraint: there the table of rounds is made anew.

use sea_orm_migration::prelude::{Index, IndexCreateStatement, MigrationTrait, Table};
use shared::db::{Kind, column, migration};

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    let migration = migration::named("m20261122_110001_drawn_round")
        .sql_on(Kind::Postgres, "alter table round add column state text not null default 'opened'")
        .sql_on(Kind::Postgres, "alter table round add column cancel_reason text not null default ''")
        .sql_on(Kind::Postgres, "alter table round drop constraint round_mode_check")
        .sql_on(
            Kind::Postgres,
            "alter table round \
             add constraint round_mode_check check (mode in ('first_come', 'ranked', 'lottery')), \
             add constraint round_state_check check (state in ('opened', 'closed', 'drawn', 'cancelled')), \
             add constraint round_drawn_check check (state in ('opened', 'cancelled') or mode <> 'first_come'), \
             add constraint round_cancelled_check check ((state = 'cancelled') = (cancel_reason <> ''))",
        )
        .sql_on(Kind::Sqlite, "alter table round rename to round_before")
        .sql_on(Kind::Sqlite, "drop index round_district_id_term_id_open_at_idx")
        .sql_on(
            Kind::Sqlite,
            "create table round ( \
             district_id uuid_text not null, id uuid_text not null, school_id uuid_text not null, \
             term_id uuid_text not null, mode text not null, open_at timestamp_with_timezone_text not null, \
             close_at timestamp_with_timezone_text not null, review_seconds integer not null, \
             payment_seconds integer not null, created_at timestamp_with_timezone_text not null, \
             state text not null default 'opened', cancel_reason text not null default '', \
             constraint round_pkey primary key (district_id, id), \
             constraint round_mode_check check (mode in ('first_come', 'ranked', 'lottery')), \
             constraint round_window_check check (open_at < close_at), \
             constraint round_review_seconds_check check (review_seconds between 60 and 2592000), \
             constraint round_payment_seconds_check check (payment_seconds between 60 and 604800), \
             constraint round_state_check check (state in ('opened', 'closed', 'drawn', 'cancelled')), \
             constraint round_drawn_check check (state in ('opened', 'cancelled') or mode <> 'first_come'), \
             constraint round_cancelled_check check ((state = 'cancelled') = (cancel_reason <> '')))",
        )
        .sql_on(
            Kind::Sqlite,
            "insert into round (district_id, id, school_id, term_id, mode, open_at, close_at, review_seconds, \
             payment_seconds, created_at) select district_id, id, school_id, term_id, mode, open_at, close_at, \
             review_seconds, payment_seconds, created_at from round_before",
        )
        .sql_on(Kind::Sqlite, "drop table round_before")
        .sql_on(
            Kind::Sqlite,
            "create index round_district_id_term_id_open_at_idx on round (district_id, term_id, open_at)",
        )
        .sql("create unique index round_id_key on round (id)")
        // What the job that closes lists looks for.
        .sql("create index round_closing_idx on round (close_at) where state = 'opened' and mode <> 'first_come'")
        .sql(
            "alter table section add column promised_count integer not null default 0 \
             constraint section_promised_check check (promised_count >= 0 \
             and (basic_care or taken_count + promised_count <= capacity_count))",
        );
    acts(wishes(migration)).boxed()
}

fn key(table: &'static str) -> IndexCreateStatement {
    Index::create().name(format!("{table}_pkey")).col("district_id").to_owned()
}

fn wishes(migration: migration::Migration) -> migration::Migration {
    migration
        .table(
            Table::create()
                .table("wish")
                .col(column::id("district_id"))
                .col(column::id("round_id"))
                .col(column::id("pupil_id"))
                .col(column::id("guardian_id"))
                .col(column::json("lists"))
                .col(column::flag("together"))
                .col(column::moment("updated_at"))
                .primary_key(key("wish").col("round_id").col("pupil_id")),
        )
        .table(
            Table::create()
                .table("round_change")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("round_id"))
                .col(column::text("kind"))
                .col(column::text("reason"))
                .col(column::id("staff_id"))
                .col(column::moment("close_at"))
                .col(column::moment("created_at"))
                .primary_key(key("round_change").col("id"))
                .check(column::one_of("round_change", "kind", &["extended", "cancelled", "repeated"]))
                .check(column::check("round_change", "reason", "reason <> ''")),
        )
        .index(column::index("round_change", &["district_id", "round_id", "id"]))
}

fn acts(migration: migration::Migration) -> migration::Migration {
    migration
        .table(
            Table::create()
                .table("draw")
                .col(column::id("district_id"))
                .col(column::id("round_id"))
                .col(column::count("act"))
                .col(column::text("state"))
                .col(column::text("reason"))
                .col(column::json("terms"))
                .col(column::optional(column::bytes("salt")))
                .col(column::optional(column::text("root")))
                .col(column::count("pupil_count"))
                .col(column::optional(column::moment("committed_at")))
                .col(column::json("entered"))
                .col(column::optional(column::text("seed")))
                .col(column::optional(column::text("outcome_digest")))
                .col(column::json("summary"))
                .col(column::optional(column::moment("drawn_at")))
                .col(column::moment("created_at"))
                .primary_key(key("draw").col("round_id").col("act"))
                .check(column::at_least("draw", "act", 1))
                .check(column::one_of("draw", "state", &["opened", "committed", "drawn", "abandoned"]))
                .check(column::check(
                    "draw",
                    "committed",
                    "(state = 'opened') = (root is null) and (root is null) = (salt is null) \
                     and (root is null) = (committed_at is null)",
                ))
                .check(column::check(
                    "draw",
                    "drawn",
                    "(state = 'drawn') = (drawn_at is not null) and (drawn_at is null) = (seed is null) \
                     and (drawn_at is null) = (outcome_digest is null)",
                ))
                .check(column::check("draw", "reason", "(act = 1) = (reason = '')")),
        )
        // What was committed or drawn stays as it was published.
        .sql_on(
            Kind::Sqlite,
            "create trigger draw_stays before update on draw when old.state in ('drawn', 'abandoned') \
             or (old.root is not null and (new.root is not old.root or new.terms is not old.terms \
             or new.salt is not old.salt)) begin select raise(abort, 'a draw is never changed'); end",
        )
        .sql_on(
            Kind::Sqlite,
            "create trigger draw_is_kept before delete on draw begin select raise(abort, 'a draw is never deleted'); end",
        )
        .sql_on(
            Kind::Postgres,
            "create function draw_stays() returns trigger language plpgsql as $$ begin \
             raise exception 'a draw is never changed'; end $$",
        )
        .sql_on(
            Kind::Postgres,
            "create trigger draw_stays before update on draw for each row when (old.state in ('drawn', 'abandoned') \
             or (old.root is not null and (new.root is distinct from old.root or new.terms is distinct from old.terms \
             or new.salt is distinct from old.salt))) execute function draw_stays()",
        )
        .sql_on(
            Kind::Postgres,
            "create trigger draw_is_kept before delete on draw for each row execute function draw_stays()",
        )
        .table(
            Table::create()
                .table("draw_entry")
                .col(column::id("district_id"))
                .col(column::id("round_id"))
                .col(column::count("act"))
                .col(column::id("pupil_id"))
                .col(column::count("leaf"))
                .col(column::json("entry"))
                .col(column::json("proof"))
                .col(column::json("wishes"))
                .col(column::optional(column::json("results")))
                .primary_key(key("draw_entry").col("round_id").col("act").col("pupil_id"))
                .check(column::at_least("draw_entry", "leaf", 1)),
        )
        .index(column::unique("draw_entry", &["district_id", "round_id", "act", "leaf"]))
        .table(
            Table::create()
                .table("draw_file")
                .col(column::id("district_id"))
                .col(column::id("round_id"))
                .col(column::count("act"))
                .col(column::text("lists"))
                .col(column::optional(column::text("bundle")))
                .primary_key(key("draw_file").col("round_id").col("act")),
        )
}
