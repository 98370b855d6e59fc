//! What was answered for a pupil, sealed.

use sea_orm::entity::prelude::*;

/// One row of `survey_answer`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "survey_answer")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The survey.
    #[sea_orm(primary_key, auto_increment = false)]
    pub survey_id: Uuid,
    /// The pupil.
    #[sea_orm(primary_key, auto_increment = false)]
    pub pupil_id: Uuid,
    /// The pupil's school when it was answered.
    pub school_id: Uuid,
    /// Sealed.
    pub answers: Vec<u8>,
    /// When it was last answered.
    pub answered_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
