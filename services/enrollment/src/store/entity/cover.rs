//! Periods of insurance.

use sea_orm::entity::prelude::*;

/// One row of `cover`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "cover")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The cover.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school.
    pub school_id: Uuid,
    /// `school_liability` or `pupil_accident`.
    pub kind: String,
    /// The insurer.
    pub insurer: String,
    /// The policy's number.
    pub policy_number: String,
    /// Inclusive.
    pub first_day: Date,
    /// Inclusive.
    pub last_day: Date,
    /// Who recorded it.
    pub created_by: String,
    /// When.
    pub created_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
