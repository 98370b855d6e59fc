//! The table `course`.

use sea_orm::entity::prelude::*;

/// A course of one school.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "course")]
#[expect(missing_docs, reason = "columns are explained by the migration that makes them")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub town_id: Uuid,
    pub school_id: Uuid,
    pub provider_id: Option<Uuid>,
    pub title: String,
    pub description: String,
    pub content_kind: String,
    pub category: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub flagged_words: Json,
    pub state: String,
    pub rejection_reason: Option<String>,
    pub created_at: ChronoDateTimeUtc,
}

/// None: rows of other tables are found by their keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
