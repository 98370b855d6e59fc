//! Entries of pupils on closed lists, and what became of them.

use sea_orm::entity::prelude::*;

/// One row of `draw_entry`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "draw_entry")]
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
    /// The pupil.
    #[sea_orm(primary_key, auto_increment = false)]
    pub pupil_id: Uuid,
    /// The position of its leaf, from 1.
    pub leaf: i32,
    /// As committed, `draw::Pupil`.
    #[sea_orm(column_type = "JsonBinary")]
    pub entry: Json,
    /// That it is among the committed, `draw::Proof`.
    #[sea_orm(column_type = "JsonBinary")]
    pub proof: Json,
    /// The wishes as they were handed in, with what the closing made of each.
    #[sea_orm(column_type = "JsonBinary")]
    pub wishes: Json,
    /// What became of each wish; from the draw on.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub results: Option<Json>,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
