//! Who brought a priority into which state, and when. Rows are added and never changed: the database refuses.

use sea_orm::entity::prelude::*;

/// One row of `priority_change`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "priority_change")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The priority.
    pub priority_id: Uuid,
    /// Which change of the priority it is, from 1.
    pub number: i32,
    /// The caller's key: `staff:<id>` or `guardian:<id>`.
    pub actor: String,
    /// The state it came into.
    pub state: String,
    /// When.
    pub created_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
