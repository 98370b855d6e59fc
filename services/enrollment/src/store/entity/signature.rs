//! Signatures.

use sea_orm::entity::prelude::*;

/// One row of `signature`. Never changed.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "signature")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The signature.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school.
    pub school_id: Uuid,
    /// The term.
    pub term_id: Uuid,
    /// The version signed.
    pub agreement_id: Uuid,
    /// For whom.
    pub pupil_id: Uuid,
    /// By whom.
    pub guardian_id: Uuid,
    /// The words of consent.
    pub consent_words: String,
    /// When.
    pub created_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
