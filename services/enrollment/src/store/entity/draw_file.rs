//! The heavy documents of a draw.

use sea_orm::entity::prelude::*;

/// One row of `draw_file`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "draw_file")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The round.
    #[sea_orm(primary_key, auto_increment = false)]
    pub round_id: Uuid,
    /// The number of the act, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub act: i32,
    /// The entries, by pseudonym: JSON.
    pub lists: String,
    /// The bundle: JSON; from the draw on.
    pub bundle: Option<String>,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
