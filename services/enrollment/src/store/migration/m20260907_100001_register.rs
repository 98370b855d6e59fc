//! Lessons and their registers: marks, marks that wait, leaves, duties.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{Kind, column, migration};

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    let key =
        |table: &'static str| Index::create().name(format!("{table}_pkey")).col("district_id").to_owned();
    migration::named("m20260907_100001_register")
        // Terms told before have no days off here: a lesson on such a day is nobody's duty, and nobody marks it.
        .sql_on(Kind::Postgres, "alter table term add column off_days jsonb not null default '[]'")
        .sql_on(Kind::Sqlite, "alter table term add column off_days jsonb_text not null default '[]'")
        .table(
            Table::create()
                .table("lesson")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::json("path"))
                .col(column::id("term_id"))
                .col(column::id("section_id"))
                .col(column::date("day"))
                .col(column::id("slot_id"))
                .col(column::moment("starts_at"))
                .col(column::moment("ends_at"))
                .col(column::moment("closes_at"))
                .col(column::optional(column::moment("closed_at")))
                .primary_key(key("lesson").col("id"))
                .check(column::check("lesson", "times", "starts_at < ends_at and ends_at <= closes_at"))
                .check(column::check("lesson", "closed", "closed_at is null or closes_at <= closed_at")),
        )
        .index(column::unique("lesson", &["district_id", "section_id", "day", "slot_id"]))
        .index(column::index("lesson", &["district_id", "school_id", "day"]))
        .sql("create index lesson_open_idx on lesson (closes_at) where closed_at is null")
        .table(
            Table::create()
                .table("lesson_pupil")
                .col(column::id("district_id"))
                .col(column::id("lesson_id"))
                .col(column::id("pupil_id"))
                .primary_key(key("lesson_pupil").col("lesson_id").col("pupil_id")),
        )
        .table(
            Table::create()
                .table("mark")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::id("section_id"))
                .col(column::id("lesson_id"))
                .col(column::date("day"))
                .col(column::id("pupil_id"))
                .col(column::text("standing"))
                .col(column::text("source"))
                .col(column::optional(column::id("device_id")))
                .col(column::optional(column::number("sequence")))
                .col(column::optional(column::moment("device_at")))
                .col(column::optional(column::moment("taken_at")))
                .col(column::text("recorder"))
                .col(column::text("reason"))
                .col(column::moment("created_at"))
                .primary_key(key("mark").col("id"))
                .check(column::one_of(
                    "mark",
                    "standing",
                    &["present", "absent", "late", "leave", "left_early"],
                ))
                .check(column::one_of("mark", "source", &["roll", "device", "correction"]))
                .check(column::check(
                    "mark",
                    "stamp",
                    "(source = 'correction') = (device_id is null) and (device_id is null) = (sequence is null) \
                     and (device_id is null) = (device_at is null) and (device_id is null) = (taken_at is null)",
                ))
                .check(column::check("mark", "leave", "standing <> 'leave' or source = 'correction'"))
                .check(column::check("mark", "reason", "(source = 'correction') = (reason <> '')")),
        )
        .index(column::index("mark", &["district_id", "lesson_id", "pupil_id"]))
        .index(column::index("mark", &["district_id", "school_id", "day"]))
        .index(column::index("mark", &["district_id", "pupil_id", "created_at"]))
        .sql_on(
            Kind::Sqlite,
            "create trigger mark_stays before update on mark begin select raise(abort, 'marks are never changed'); end",
        )
        .sql_on(
            Kind::Sqlite,
            "create trigger mark_is_kept before delete on mark begin select raise(abort, 'marks are never deleted'); end",
        )
        .sql_on(
            Kind::Postgres,
            "create function mark_stays() returns trigger language plpgsql as $$ begin raise exception 'marks are never changed'; end $$",
        )
        .sql_on(
            Kind::Postgres,
            "create trigger mark_stays before update or delete on mark for each row execute function mark_stays()",
        )
        .table(
            Table::create()
                .table("aside_mark")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::json("path"))
                .col(column::optional(column::id("section_id")))
                .col(column::optional(column::id("slot_id")))
                .col(column::date("day"))
                .col(column::optional(column::id("pupil_id")))
                .col(column::text("reason"))
                .col(column::id("mark_id"))
                .col(column::json("mark"))
                .col(column::text("state"))
                .col(column::text("settler"))
                .col(column::text("note"))
                .col(column::optional(column::moment("settled_at")))
                .col(column::moment("created_at"))
                .primary_key(key("aside_mark").col("id"))
                .check(column::one_of(
                    "aside_mark",
                    "reason",
                    &[
                        "not_on_register",
                        "register_closed",
                        "id_reused",
                        "person_unknown",
                        "no_lesson",
                        "went_without_adult",
                    ],
                ))
                .check(column::one_of("aside_mark", "state", &["waiting", "taken_up", "dismissed"]))
                .check(column::check("aside_mark", "settled", "(state = 'waiting') = (settled_at is null)"))
                .check(column::check("aside_mark", "lesson", "(section_id is null) = (slot_id is null)")),
        )
        .index(column::index("aside_mark", &["district_id", "mark_id"]))
        .sql(
            "create index aside_mark_waiting_idx on aside_mark (district_id, school_id, id) where state = 'waiting'",
        )
        .table(
            Table::create()
                .table("leave")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::id("pupil_id"))
                .col(column::date("day"))
                .col(column::optional(column::id("section_id")))
                .col(column::id("guardian_id"))
                .col(column::moment("created_at"))
                .col(column::optional(column::moment("cancelled_at")))
                .primary_key(key("leave").col("id"))
                .check(column::check("leave", "cancelled", "cancelled_at is null or created_at <= cancelled_at")),
        )
        .index(column::index("leave", &["district_id", "school_id", "day"]))
        .index(column::index("leave", &["district_id", "pupil_id", "day"]))
        .table(
            Table::create()
                .table("duty")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::json("path"))
                .col(column::text("post"))
                .col(column::optional(column::id("place_id")))
                .col(column::id("staff_id"))
                .col(column::text("staff_name"))
                .col(column::date("first_day"))
                .col(column::date("last_day"))
                .col(column::moment("created_at"))
                .col(column::text("created_by"))
                .primary_key(key("duty").col("id"))
                .check(column::one_of("duty", "post", &["leader", "section", "room"]))
                .check(column::check("duty", "place", "(post = 'leader') = (place_id is null)")),
        )
        .index(column::unique("duty", &["id"]))
        .index(column::index("duty", &["district_id", "school_id", "last_day"]))
        .boxed()
}
