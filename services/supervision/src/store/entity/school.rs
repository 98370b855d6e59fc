//! The table `school`.

use sea_orm::entity::prelude::*;

/// A school, as identity told of it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "school")]
#[expect(missing_docs, reason = "columns are explained by the migration that makes them")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub town_id: Uuid,
    pub stage: String,
    pub pack_id: String,
    pub supplement_id: Option<String>,
}

/// None: rows of other tables are found by their keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
