//! Whom a school's devices mean by a token.

use sea_orm::entity::prelude::*;

/// One row of `person_link`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "person_link")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The school.
    #[sea_orm(primary_key, auto_increment = false)]
    pub school_id: Uuid,
    /// SHA-256 of school and token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_digest: Vec<u8>,
    /// The pupil.
    pub pupil_id: Uuid,
    /// Who said it.
    pub created_by: String,
    /// When.
    pub created_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
