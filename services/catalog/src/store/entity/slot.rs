//! The table `slot`.

use sea_orm::entity::prelude::*;

/// A weekly period of a term.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "slot")]
#[expect(missing_docs, reason = "columns are explained by the migration that makes them")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub term_id: Uuid,
    pub weekday: i32,
    pub kind: String,
    pub starts_at: ChronoTime,
    pub ends_at: ChronoTime,
    pub class_hour_count: i32,
    #[sea_orm(column_type = "JsonBinary")]
    pub flags: Json,
    pub justification: Option<String>,
    pub created_at: ChronoDateTimeUtc,
}

/// None: rows of other tables are found by their keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
