//! The table `pupil`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "pupil")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub district_id: Uuid,
    pub town_id: Uuid,
    pub school_id: Uuid,
    pub class_id: Uuid,
    pub code_index: Vec<u8>,
    pub code_sealed: Vec<u8>,
    pub name_sealed: Vec<u8>,
    pub phones_sealed: Vec<u8>,
    pub state: String,
    pub created_at: ChronoDateTimeUtc,
    pub updated_at: ChronoDateTimeUtc,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
