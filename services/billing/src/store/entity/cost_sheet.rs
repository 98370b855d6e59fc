//! Cost sheets. Columns mean what the fields of the domain value mean.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "cost_sheet")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    pub school_id: Uuid,
    #[sea_orm(column_type = "JsonBinary")]
    pub path: Json,
    pub term_id: Uuid,
    pub section_id: Option<Uuid>,
    #[sea_orm(column_type = "JsonBinary")]
    pub items: Json,
    pub pupil_count: i32,
    pub submitted_by: Uuid,
    pub state: String,
    pub decided_by: Option<Uuid>,
    pub rejection_reason: String,
    pub created_at: ChronoDateTimeUtc,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
