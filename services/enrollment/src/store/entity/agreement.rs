//! Agreements, one row a version.

use sea_orm::entity::prelude::*;

/// One row of `agreement`. Never changed.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "agreement")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The version.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school.
    pub school_id: Uuid,
    /// The term.
    pub term_id: Uuid,
    /// 1 for a term's first, then one more each.
    pub version_number: i32,
    /// The title.
    pub title: String,
    /// The text.
    pub body: String,
    /// What title and text are known by.
    pub digest: String,
    /// Who published it.
    pub publisher: String,
    /// When it was published.
    pub created_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
