//! Pupils excused from lessons beforehand.

use sea_orm::entity::prelude::*;

/// One row of `leave`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "leave")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The leave.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school.
    pub school_id: Uuid,
    /// The pupil.
    pub pupil_id: Uuid,
    /// The day.
    pub day: Date,
    /// The section; none for every one of the day.
    pub section_id: Option<Uuid>,
    /// Who said it.
    pub guardian_id: Uuid,
    /// When it was said.
    pub created_at: ChronoDateTimeUtc,
    /// When it was taken back.
    pub cancelled_at: Option<ChronoDateTimeUtc>,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
