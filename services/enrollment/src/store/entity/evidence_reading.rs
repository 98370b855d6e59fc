//! Who read which document. Rows are added and never changed: the database refuses.

use sea_orm::entity::prelude::*;

/// One row of `evidence_reading`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "evidence_reading")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The document.
    pub evidence_id: Uuid,
    /// The caller's key: `staff:<id>` or `guardian:<id>`.
    pub reader: String,
    /// When.
    pub created_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
