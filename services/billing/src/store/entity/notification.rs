//! Notifications as they came. Columns mean what the fields of the domain value mean.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "notification")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub dedup_key: String,
    pub kind: String,
    pub out_trade_no: String,
    pub body: Vec<u8>,
    pub content_sealed: Vec<u8>,
    pub received_at: ChronoDateTimeUtc,
    pub outcome: Option<String>,
    pub worked_at: Option<ChronoDateTimeUtc>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
