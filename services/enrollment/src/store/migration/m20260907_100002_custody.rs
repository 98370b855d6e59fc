//! Who answers for pupils, who may take them home, and waiting rooms.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{Kind, column, migration};

/// A state of a chain as both tables keep it: `when` is `held` or `gone`, and each has what is true in it.
fn state_check(prefix: &str) -> String {
    let [state, post, staff, place, way, taker] =
        ["state", "post", "staff_id", "place_id", "way", "taker_id"].map(|name| format!("{prefix}{name}"));
    format!(
        "({post} is null) = ({staff} is null) and ({state} = 'held' or {post} is null) \
         and ({post} is not null or {place} is null) and ({state} = 'gone') = ({way} is not null) \
         and ({way} is not null or {taker} is null)"
    )
}

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    let key =
        |table: &'static str| Index::create().name(format!("{table}_pkey")).col("district_id").to_owned();
    migration::named("m20260907_100002_custody")
        .table(
            Table::create()
                .table("custody")
                .col(column::id("district_id"))
                .col(column::id("pupil_id"))
                .col(column::date("day"))
                .col(column::id("school_id"))
                .col(column::json("pupil_path"))
                .col(column::text("state"))
                .col(column::optional(column::text("post")))
                .col(column::optional(column::id("place_id")))
                .col(column::optional(column::id("staff_id")))
                .col(column::optional(column::text("way")))
                .col(column::optional(column::id("taker_id")))
                .col(column::moment("since"))
                .col(column::count("link_count"))
                .col(column::moment("due_at"))
                .col(column::optional(column::moment("alerted_at")))
                .primary_key(key("custody").col("pupil_id").col("day"))
                .check(column::one_of("custody", "state", &["held", "gone"]))
                .check(column::check("custody", "whole", &state_check("")))
                .check(column::at_least("custody", "link_count", 1)),
        )
        .sql("create index custody_held_idx on custody (district_id, school_id, day) where state = 'held'")
        .sql("create index custody_due_idx on custody (due_at) where state = 'held' and alerted_at is null")
        .table(
            Table::create()
                .table("custody_link")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("pupil_id"))
                .col(column::date("day"))
                .col(column::count("number"))
                .col(column::optional(column::text("from_state")))
                .col(column::optional(column::text("from_post")))
                .col(column::optional(column::id("from_place_id")))
                .col(column::optional(column::id("from_staff_id")))
                .col(column::optional(column::text("from_way")))
                .col(column::optional(column::id("from_taker_id")))
                .col(column::text("state"))
                .col(column::optional(column::text("post")))
                .col(column::optional(column::id("place_id")))
                .col(column::optional(column::id("staff_id")))
                .col(column::optional(column::text("way")))
                .col(column::optional(column::id("taker_id")))
                .col(column::moment("at"))
                .col(column::text("recorder"))
                .col(column::text("note"))
                .col(column::moment("created_at"))
                .primary_key(key("custody_link").col("id"))
                .check(column::one_of("custody_link", "state", &["held", "gone"]))
                .check(column::check("custody_link", "whole", &state_check("")))
                .check(column::check("custody_link", "first", "(number = 1) = (from_state is null)")),
        )
        // One chain: no two links follow the same one.
        .index(column::unique("custody_link", &["district_id", "pupil_id", "day", "number"]))
        .index(column::index("custody_link", &["district_id", "pupil_id", "created_at"]))
        .sql_on(
            Kind::Sqlite,
            "create trigger custody_link_stays before update on custody_link begin select raise(abort, 'links are never changed'); end",
        )
        .sql_on(
            Kind::Sqlite,
            "create trigger custody_link_is_kept before delete on custody_link begin select raise(abort, 'links are never deleted'); end",
        )
        .sql_on(
            Kind::Postgres,
            "create function custody_link_stays() returns trigger language plpgsql as $$ begin raise exception 'links are never changed'; end $$",
        )
        .sql_on(
            Kind::Postgres,
            "create trigger custody_link_stays before update or delete on custody_link for each row execute function custody_link_stays()",
        )
        .table(
            Table::create()
                .table("collector")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("pupil_id"))
                .col(column::id("guardian_id"))
                .col(column::text("kind"))
                .col(column::optional(column::bytes("name")))
                .col(column::optional(column::bytes("phone")))
                .col(column::optional(column::bytes("code")))
                .col(column::optional(column::text("relation")))
                .col(column::optional(column::date("day")))
                .col(column::count("wrong_code_count"))
                .col(column::text("state"))
                .col(column::optional(column::id("forbidden_by")))
                .col(column::moment("created_at"))
                .col(column::moment("updated_at"))
                .primary_key(key("collector").col("id"))
                .check(column::one_of("collector", "kind", &["standing", "one_time", "alone"]))
                .check(column::one_of("collector", "state", &["allowed", "forbidden", "removed", "used"]))
                .check(column::check("collector", "person", "(kind = 'alone') = (name is null) and (name is null) = (phone is null) and (name is null) = (relation is null)"))
                .check(column::check("collector", "once", "(kind = 'one_time') = (code is not null) and (code is null) = (day is null)"))
                .check(column::check("collector", "forbidden", "(state = 'forbidden') = (forbidden_by is not null)")),
        )
        .index(column::index("collector", &["district_id", "pupil_id", "id"]))
        .table(
            Table::create()
                .table("room")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::text("name"))
                .col(column::moment("created_at"))
                .primary_key(key("room").col("id")),
        )
        .index(column::index("room", &["district_id", "school_id"]))
        .table(
            Table::create()
                .table("day_audit")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::text("actor"))
                .col(column::text("action"))
                .col(column::id("pupil_id"))
                .col(column::count("subject_count"))
                .col(column::moment("happened_at"))
                .primary_key(key("day_audit").col("id"))
                .check(column::one_of("day_audit", "action", &["show_phones"])),
        )
        .sql_on(
            Kind::Sqlite,
            "create trigger day_audit_stays before update on day_audit begin select raise(abort, 'audit rows are never changed'); end",
        )
        .sql_on(
            Kind::Sqlite,
            "create trigger day_audit_is_kept before delete on day_audit begin select raise(abort, 'audit rows are never deleted'); end",
        )
        .sql_on(
            Kind::Postgres,
            "create function day_audit_stays() returns trigger language plpgsql as $$ begin raise exception 'audit rows are never changed'; end $$",
        )
        .sql_on(
            Kind::Postgres,
            "create trigger day_audit_stays before update or delete on day_audit for each row execute function day_audit_stays()",
        )
        .boxed()
}
