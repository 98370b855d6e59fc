//! Invoices. Columns mean what the fields of the domain value mean.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "invoice")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    pub school_id: Uuid,
    pub enrollment_id: Uuid,
    pub pupil_id: Uuid,
    pub term_id: Uuid,
    pub section_id: Uuid,
    pub guardian_id: Uuid,
    pub title: String,
    pub created_at: ChronoDateTimeUtc,
    pub state: String,
    pub due_at: Option<ChronoDateTimeUtc>,
    pub ended_at: Option<ChronoDateTimeUtc>,
    pub price_fen: Option<i64>,
    pub waived_fen: i64,
    pub waiver_category: Option<String>,
    #[sea_orm(column_type = "JsonBinary")]
    pub clauses: Json,
    pub paid_fen: i64,
    pub refunded_fen: i64,
    pub reversed_fen: i64,
    pub released_at: Option<ChronoDateTimeUtc>,
    pub charged_until: Option<ChronoDateTimeUtc>,
    pub is_refund_undecided: bool,
    pub is_waiver_due: bool,
    pub reprice_count: i32,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
