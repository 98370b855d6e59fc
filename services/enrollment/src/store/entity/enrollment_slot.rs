//! Which weekly slots a pupil's seats take.

use sea_orm::entity::prelude::*;

/// One row of `enrollment_slot`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "enrollment_slot")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The pupil.
    #[sea_orm(primary_key, auto_increment = false)]
    pub pupil_id: Uuid,
    /// The term.
    #[sea_orm(primary_key, auto_increment = false)]
    pub term_id: Uuid,
    /// The slot.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slot_id: Uuid,
    /// The seat.
    pub enrollment_id: Uuid,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
