//! Which guardians consent to the service for a pupil.

use sea_orm::entity::prelude::*;

/// One row of `consent`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "consent")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The pupil.
    #[sea_orm(primary_key, auto_increment = false)]
    pub pupil_id: Uuid,
    /// The guardian.
    #[sea_orm(primary_key, auto_increment = false)]
    pub guardian_id: Uuid,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
