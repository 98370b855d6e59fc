//! Waivers. Columns mean what the fields of the domain value mean.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "waiver")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    pub town_id: Uuid,
    pub school_id: Uuid,
    pub class_id: Uuid,
    pub pupil_id: Uuid,
    pub category: String,
    pub state: String,
    pub endorsed_by: Option<Uuid>,
    pub decided_by: Option<Uuid>,
    pub last_day: Option<ChronoDate>,
    pub rejection_reason: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub evidence_ids: Json,
    pub created_at: ChronoDateTimeUtc,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
