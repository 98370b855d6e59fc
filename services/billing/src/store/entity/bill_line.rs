//! Lines of WeChat's bills, without the payer. Columns mean what the fields of the domain value mean.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "bill_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub bill_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub line_number: i32,
    pub payee_mchid: String,
    pub booked_at: ChronoDateTimeUtc,
    pub business_no: String,
    pub transaction_id: String,
    pub out_trade_no: String,
    pub out_refund_no: String,
    pub state: String,
    pub refund_state: String,
    pub amount_fen: i64,
    pub fee_millifen: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
