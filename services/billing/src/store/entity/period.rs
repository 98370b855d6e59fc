//! Months that are closed, or wanted closed. Columns mean what the fields of the domain value mean.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "period")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub month: String,
    pub ends_at: ChronoDateTimeUtc,
    pub state: String,
    pub proposed_by: Uuid,
    pub closed_by: Option<Uuid>,
    pub closed_at: Option<ChronoDateTimeUtc>,
    pub journal_count: i64,
    pub debit_fen: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
