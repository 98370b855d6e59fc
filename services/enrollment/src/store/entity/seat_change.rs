//! Seats changed for others from a later day on.

use sea_orm::entity::prelude::*;

/// One row of `seat_change`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "seat_change")]
pub struct Model {
    /// The enrollment that begins.
    #[sea_orm(primary_key, auto_increment = false)]
    pub to_enrollment_id: Uuid,
    /// The district.
    pub district_id: Uuid,
    /// The enrollment that ends.
    pub from_enrollment_id: Uuid,
    /// The pupil.
    pub pupil_id: Uuid,
    /// The first day of the new one.
    pub from_day: ChronoDate,
    /// `planned`, `done` or `void`.
    pub state: String,
    /// When it was asked for.
    pub created_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
