//! What terms' policies say about offers from the line.

use sea_orm::entity::prelude::*;

/// One row of `offer_rule`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "offer_rule")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The term.
    #[sea_orm(primary_key, auto_increment = false)]
    pub term_id: Uuid,
    /// Seconds for each stage still open; none where nobody says it.
    pub offer_seconds: Option<i32>,
    /// When the night begins: minutes after midnight; none where nobody says it.
    pub quiet_from_minute: Option<i32>,
    /// When it ends; there exactly with its begin.
    pub quiet_to_minute: Option<i32>,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
