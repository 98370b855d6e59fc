//! The table `term`.

use sea_orm::entity::prelude::*;

/// A term of one school.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "term")]
#[expect(missing_docs, reason = "columns are explained by the migration that makes them")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub town_id: Uuid,
    pub school_id: Uuid,
    pub stage: String,
    pub name: String,
    pub first_day: ChronoDate,
    pub last_day: ChronoDate,
    #[sea_orm(column_type = "JsonBinary")]
    pub off_days: Json,
    pub policy_version: String,
    pub menu_version: i64,
    pub created_at: ChronoDateTimeUtc,
}

/// None: rows of other tables are found by their keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
