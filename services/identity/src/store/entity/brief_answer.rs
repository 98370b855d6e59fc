//! The table `brief_answer`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "brief_answer")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_index: Vec<u8>,
    pub sealed: Option<Vec<u8>>,
    pub expires_at: ChronoDateTimeUtc,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
