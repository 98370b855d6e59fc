//! Documents that prove a hardship. Columns mean what the fields of the domain value mean.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "evidence")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    pub pupil_id: Uuid,
    pub guardian_id: Uuid,
    pub content_type: String,
    pub content_sealed: Vec<u8>,
    pub waiver_id: Option<Uuid>,
    pub created_at: ChronoDateTimeUtc,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
