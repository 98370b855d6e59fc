//! Requests for extended care. There is no price in it.

use sea_orm::entity::prelude::*;

/// One row of `extended_care`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "extended_care")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The request.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school.
    pub school_id: Uuid,
    /// The pupil.
    pub pupil_id: Uuid,
    /// Who asked.
    pub guardian_id: Uuid,
    /// The day.
    pub day: Date,
    /// Minutes after midnight.
    pub until_minute: i32,
    /// When it was asked for.
    pub created_at: ChronoDateTimeUtc,
    /// When it was taken back or replaced.
    pub cancelled_at: Option<ChronoDateTimeUtc>,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
