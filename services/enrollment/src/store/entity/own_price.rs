//! Prices of sections that have one of their own, as billing told of them.

use sea_orm::entity::prelude::*;

/// One row of `own_price`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "own_price")]
pub struct Model {
    /// The section.
    #[sea_orm(primary_key, auto_increment = false)]
    pub section_id: Uuid,
    /// What it costs a pupil in its term.
    pub price_fen: i64,
    /// The most all such courses of a pupil may cost; none where the region states none.
    pub ceiling_fen: Option<i64>,
    /// The ceiling's policy key; empty without one.
    pub clause_key: String,
    /// What it says, in Chinese.
    pub clause_zh: String,
    /// What it says, in English.
    pub clause_en: String,
    /// Where it stands.
    pub clause_source: String,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
