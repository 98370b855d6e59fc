//! Public money, staff pay and spending. Columns mean what the fields of the domain value mean.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "fund_entry")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    pub school_id: Uuid,
    pub term_id: Uuid,
    pub kind: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub content: Json,
    pub grant_key: Option<String>,
    pub amount_fen: i64,
    pub document: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub clauses: Json,
    pub state: String,
    pub proposed_by: Uuid,
    pub decided_by: Option<Uuid>,
    pub reversed_by: Option<Uuid>,
    pub reason: String,
    pub receipt_document: String,
    pub created_at: ChronoDateTimeUtc,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
