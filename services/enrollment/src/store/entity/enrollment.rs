//! Enrollments.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// One row of `enrollment`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "enrollment")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The enrollment.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school.
    pub school_id: Uuid,
    /// The pupil's class.
    pub class_id: Uuid,
    /// The term.
    pub term_id: Uuid,
    /// The section.
    pub section_id: Uuid,
    /// The pupil.
    pub pupil_id: Uuid,
    /// District, town, school, class.
    #[sea_orm(column_type = "JsonBinary")]
    pub pupil_path: Json,
    /// Who applied.
    pub guardian_id: Uuid,
    /// By which request.
    pub request_id: Uuid,
    /// Whether the guardian would stand in line.
    pub join_waitlist: bool,
    /// `free` or `charged`.
    pub fee: String,
    /// Seconds a seat waits for approval.
    pub review_seconds: i32,
    /// Seconds a seat waits for payment.
    pub payment_seconds: i32,
    /// Whether an agreement is signed before the seat counts.
    pub asks_agreement: bool,
    /// Steps of approval, in order.
    #[sea_orm(column_type = "JsonBinary")]
    pub steps: Json,
    /// The state, lower case.
    pub state: String,
    /// The number drawn in line; kept when the line is left.
    pub waitlist_number: Option<i64>,
    /// Whose step is next; there while in review.
    pub next_step_role: Option<String>,
    /// There while awaiting the agreement, in review or held.
    pub hold_expires_at: Option<ChronoDateTimeUtc>,
    /// There while releasing or released.
    pub release_reason: Option<String>,
    /// Words for the family; empty otherwise.
    pub release_note: String,
    /// Released, with money on its way back.
    pub was_settled: bool,
    /// When billing is asked next; there while releasing.
    pub next_close_at: Option<ChronoDateTimeUtc>,
    /// How often billing was asked in vain.
    pub close_attempt_count: i32,
    /// When it was applied for.
    pub created_at: ChronoDateTimeUtc,
    /// When it last changed.
    pub updated_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
