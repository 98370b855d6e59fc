//! Payments. Columns mean what the fields of the domain value mean.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "payment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    pub invoice_id: Uuid,
    pub attempt: i32,
    pub out_trade_no: String,
    pub payee_mchid: String,
    pub amount_fen: i64,
    pub order_sealed: Vec<u8>,
    pub openid_sealed: Vec<u8>,
    pub expires_at: ChronoDateTimeUtc,
    pub state: String,
    pub transaction_id: Option<String>,
    pub paid_at: Option<ChronoDateTimeUtc>,
    pub closed_at: Option<ChronoDateTimeUtc>,
    pub created_at: ChronoDateTimeUtc,
    pub next_query_at: Option<ChronoDateTimeUtc>,
    pub query_count: i32,
    pub reserved_fen: i64,
    pub refunded_fen: i64,
    pub refund_count: i32,
    pub refund_sent_at: Option<ChronoDateTimeUtc>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
