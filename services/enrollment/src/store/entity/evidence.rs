//! Documents that prove a priority, sealed.

use sea_orm::entity::prelude::*;

/// One row of `evidence`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "evidence")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The document.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose place it proves.
    pub pupil_id: Uuid,
    /// Who brought it.
    pub guardian_id: Uuid,
    /// `image/jpeg`, `image/png` or `application/pdf`.
    pub content_type: String,
    /// Sealed.
    pub content: Vec<u8>,
    /// The priority it is used for, if any.
    pub priority_id: Option<Uuid>,
    /// When it was brought.
    pub created_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
