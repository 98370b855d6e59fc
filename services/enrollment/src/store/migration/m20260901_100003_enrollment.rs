//! Enrollments, and the slots their seats take.
//!
//! No foreign keys: they double the database's work for an admission. What an enrollment names is read under lock when it is made,
//! and nothing it names is ever deleted.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

/// This migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    let check = |about: &str, condition: &str| column::check("enrollment", about, condition);
    migration::named("m20260901_100003_enrollment")
        .table(
            Table::create()
                .table("enrollment")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("school_id"))
                .col(column::id("class_id"))
                .col(column::id("term_id"))
                .col(column::id("section_id"))
                .col(column::id("pupil_id"))
                .col(column::json("pupil_path"))
                .col(column::id("guardian_id"))
                .col(column::id("request_id"))
                .col(column::flag("join_waitlist"))
                .col(column::text("fee"))
                .col(column::count("review_seconds"))
                .col(column::count("payment_seconds"))
                .col(column::json("steps"))
                .col(column::text("state"))
                .col(column::optional(column::number("waitlist_number")))
                .col(column::optional(column::text("next_step_role")))
                .col(column::optional(column::moment("hold_expires_at")))
                .col(column::optional(column::text("release_reason")))
                .col(column::text("release_note"))
                .col(column::flag("was_settled"))
                .col(column::optional(column::moment("next_close_at")))
                .col(column::count("close_attempt_count"))
                .col(column::moment("created_at"))
                .col(column::moment("updated_at"))
                .primary_key(Index::create().name("enrollment_pkey").col("district_id").col("id"))
                .check(column::one_of(
                    "enrollment",
                    "state",
                    &["waitlisted", "in_review", "held", "releasing", "confirmed", "released"],
                ))
                .check(column::one_of("enrollment", "fee", &["free", "charged"]))
                .check(column::one_of(
                    "enrollment",
                    "release_reason",
                    &[
                        "hold_expired",
                        "review_expired",
                        "declined",
                        "withdrawn",
                        "section_cancelled",
                        "pupil_left",
                    ],
                ))
                .check(check("line", "state <> 'waitlisted' or waitlist_number is not null"))
                .check(check("review", "(state = 'in_review') = (next_step_role is not null)"))
                .check(check("hold", "(state in ('in_review', 'held')) = (hold_expires_at is not null)"))
                .check(check("release", "(state in ('releasing', 'released')) = (release_reason is not null)"))
                .check(check("closing", "(state = 'releasing') = (next_close_at is not null)"))
                .check(check("settled", "state = 'released' or not was_settled")),
        )
        .index(column::unique("enrollment", &["id"]))
        // Named as both databases report it: one live enrollment of a pupil in a section.
        .sql(
            "create unique index enrollment_district_id_pupil_id_section_id_key \
             on enrollment (district_id, pupil_id, section_id) where state <> 'released'",
        )
        .index(column::unique("enrollment", &["district_id", "guardian_id", "request_id"]))
        // The line in its order; the roster too.
        .index(column::unique("enrollment", &["district_id", "section_id", "waitlist_number"]))
        .index(column::index("enrollment", &["district_id", "pupil_id", "id"]))
        .sql(
            "create index enrollment_review_idx on enrollment (district_id, school_id, next_step_role, id) \
             where state = 'in_review'",
        )
        .sql("create index enrollment_due_idx on enrollment (hold_expires_at) where hold_expires_at is not null")
        .sql("create index enrollment_closing_idx on enrollment (next_close_at) where next_close_at is not null")
        .table(
            Table::create()
                .table("enrollment_slot")
                .col(column::id("district_id"))
                .col(column::id("pupil_id"))
                .col(column::id("term_id"))
                .col(column::id("slot_id"))
                .col(column::id("enrollment_id"))
                // Nobody sits in two places at one time.
                .primary_key(
                    Index::create()
                        .name("enrollment_slot_pkey")
                        .col("district_id")
                        .col("pupil_id")
                        .col("term_id")
                        .col("slot_id"),
                ),
        )
        .boxed()
}
