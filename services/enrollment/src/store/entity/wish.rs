//! Wishes of pupils in drawn rounds.

use sea_orm::entity::prelude::*;

/// One row of `wish`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "wish")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The round.
    #[sea_orm(primary_key, auto_increment = false)]
    pub round_id: Uuid,
    /// The pupil.
    #[sea_orm(primary_key, auto_increment = false)]
    pub pupil_id: Uuid,
    /// The guardian who handed them in.
    pub guardian_id: Uuid,
    /// One list for each draw slot.
    #[sea_orm(column_type = "JsonBinary")]
    pub lists: Json,
    /// Draws with siblings.
    pub together: bool,
    /// When they were handed in.
    pub updated_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
