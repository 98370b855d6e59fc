//! Courses and the decisions taken on them.

use sea_orm_migration::prelude::{ForeignKey, Index, MigrationTrait, Table};
use shared::db::{column, migration};

/// The migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260901_010004_course")
        .table(
            Table::create()
                .table("course")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("town_id"))
                .col(column::id("school_id"))
                // Null for the school's own.
                .col(column::optional(column::id("provider_id")))
                .col(column::text("title"))
                .col(column::text("description"))
                .col(column::text("content_kind"))
                .col(column::text("category"))
                // Words the screen stopped at, as a JSON list.
                .col(column::json("flagged_words"))
                .col(column::text("state"))
                .col(column::optional(column::text("rejection_reason")))
                .col(column::moment("created_at"))
                .primary_key(Index::create().name("course_pkey").col("district_id").col("id"))
                .foreign_key(
                    ForeignKey::create()
                        .name("course_provider_fkey")
                        .from("course", "provider_id")
                        .to("provider", "id"),
                )
                .check(column::one_of(
                    "course",
                    "content_kind",
                    &[
                        "basic_care",
                        "enrichment",
                        "subject_tutoring",
                        "subject_exam",
                        "new_lesson",
                        "collective_make_up",
                        "exam_drilling",
                    ],
                ))
                .check(column::one_of("course", "state", &["submitted", "reviewed", "approved", "rejected"]))
                .check(column::check("course", "rejection", "(state = 'rejected') = (rejection_reason is not null)"))
                // Only a provider's course is reviewed by the bureau.
                .check(column::check("course", "review", "state <> 'reviewed' or provider_id is not null")),
        )
        .index(column::index("course", &["id"]))
        .index(column::index("course", &["district_id", "school_id", "id"]))
        .index(column::index("course", &["provider_id", "id"]))
        .table(
            Table::create()
                .table("course_decision")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::id("course_id"))
                .col(column::text("step"))
                .col(column::text("verdict"))
                // May be empty for an approval.
                .col(column::text("reason"))
                // The member of staff.
                .col(column::id("decided_by"))
                .col(column::moment("decided_at"))
                .primary_key(Index::create().name("course_decision_pkey").col("district_id").col("id"))
                .foreign_key(
                    ForeignKey::create()
                        .name("course_decision_course_fkey")
                        .from("course_decision", ("district_id", "course_id"))
                        .to("course", ("district_id", "id")),
                )
                .check(column::one_of("course_decision", "step", &["review", "approval"]))
                .check(column::one_of("course_decision", "verdict", &["approved", "rejected"]))
                .check(column::check("course_decision", "reason", "verdict = 'approved' or reason <> ''")),
        )
        // Each step of a course is decided once.
        .index(column::unique("course_decision", &["district_id", "course_id", "step"]))
        .boxed()
}
