//! Refunds. Columns mean what the fields of the domain value mean.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "refund")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    pub invoice_id: Uuid,
    pub payment_id: Uuid,
    pub enrollment_id: Uuid,
    pub pupil_id: Uuid,
    pub out_refund_no: String,
    pub request_json: String,
    pub amount_fen: i64,
    pub reason: String,
    pub state: String,
    pub succeeded_at: Option<ChronoDateTimeUtc>,
    pub created_at: ChronoDateTimeUtc,
    pub next_attempt_at: Option<ChronoDateTimeUtc>,
    pub attempt_count: i32,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
