//! Changes of rounds that were opened, for good.

use sea_orm::entity::prelude::*;

/// One row of `round_change`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "round_change")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The change.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The round.
    pub round_id: Uuid,
    /// `extended`, `cancelled` or `repeated`.
    pub kind: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub staff_id: Uuid,
    /// When the round closes since then.
    pub close_at: ChronoDateTimeUtc,
    /// When.
    pub created_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
