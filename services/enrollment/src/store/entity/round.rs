//! Rounds.

use sea_orm::entity::prelude::*;

/// One row of `round`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "round")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The round.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school.
    pub school_id: Uuid,
    /// The term.
    pub term_id: Uuid,
    /// `first_come`, `ranked` or `lottery`.
    pub mode: String,
    /// Inclusive.
    pub open_at: ChronoDateTimeUtc,
    /// Exclusive.
    pub close_at: ChronoDateTimeUtc,
    /// Seconds a seat waits for approval.
    pub review_seconds: i32,
    /// Seconds a seat waits for payment.
    pub payment_seconds: i32,
    /// When it was opened.
    pub created_at: ChronoDateTimeUtc,
    /// `opened`, `closed`, `drawn` or `cancelled`.
    pub state: String,
    /// Why it was called off; empty otherwise.
    pub cancel_reason: String,
    /// For how many seconds the first applications are collected; none where they are not.
    pub tie_seconds: Option<i32>,
    /// Until when, exclusive.
    pub tie_until: Option<ChronoDateTimeUtc>,
    /// Whether they are decided.
    pub ties_decided: bool,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
