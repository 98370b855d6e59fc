//! What the catalog told of a term. Columns mean what the fields of the domain value mean.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "term")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    pub school_id: Uuid,
    #[sea_orm(column_type = "JsonBinary")]
    pub path: Json,
    pub first_day: ChronoDate,
    pub last_day: ChronoDate,
    #[sea_orm(column_type = "JsonBinary")]
    pub off_days: Json,
    pub policy_version: String,
    pub stage: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
