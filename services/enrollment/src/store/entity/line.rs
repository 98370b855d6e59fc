//! How sections' lines have moved.

use sea_orm::entity::prelude::*;

/// One row of `line`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "line")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The section.
    #[sea_orm(primary_key, auto_increment = false)]
    pub section_id: Uuid,
    /// Seats given back so far.
    pub freed_count: i32,
    /// Seats offered to those in line so far.
    pub offered_count: i32,
    /// When the last one was offered.
    pub last_offered_at: Option<ChronoDateTimeUtc>,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
