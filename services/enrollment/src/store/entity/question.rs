//! Questions of single pupils.

use sea_orm::entity::prelude::*;

/// One row of `question`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "question")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The question.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school.
    pub school_id: Uuid,
    /// The class.
    pub class_id: Uuid,
    /// The pupil.
    pub pupil_id: Uuid,
    /// The subject.
    pub subject: String,
    /// What it is about.
    pub topic: String,
    /// Who opened it.
    pub opener: String,
    /// When it was opened.
    pub created_at: ChronoDateTimeUtc,
    /// When it was closed; none while open.
    pub closed_at: Option<ChronoDateTimeUtc>,
    /// Who closed it; empty while open.
    pub closer: String,
    /// How it ended; empty while open.
    pub outcome: String,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
