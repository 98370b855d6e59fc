//! Fee standards. Columns mean what the fields of the domain value mean.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "tariff")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    pub term_id: Uuid,
    pub basis: String,
    pub amount_fen: i64,
    #[sea_orm(column_type = "JsonBinary")]
    pub end_slots: Json,
    pub approval_document: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub sharing: Json,
    pub cost_sheet_id: Option<Uuid>,
    pub payee_account: String,
    pub published_by: Uuid,
    pub created_at: ChronoDateTimeUtc,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
