//! Differences found in bills. Columns mean what the fields of the domain value mean.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "reconciliation_case")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    pub payee_mchid: String,
    pub day: ChronoDate,
    pub kind: String,
    pub subject: String,
    pub payment_id: Option<Uuid>,
    pub refund_id: Option<Uuid>,
    pub ours_fen: Option<i64>,
    pub theirs_fen: Option<i64>,
    pub state: String,
    pub taken_by: Option<Uuid>,
    pub note: String,
    pub resolved_at: Option<ChronoDateTimeUtc>,
    pub created_at: ChronoDateTimeUtc,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
