//! Trials.

use sea_orm::entity::prelude::*;

/// One row of `trial`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "trial")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The trial.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school.
    pub school_id: Uuid,
    /// District, town, school.
    #[sea_orm(column_type = "JsonBinary")]
    pub path: Json,
    /// The term.
    pub term_id: Uuid,
    /// The section.
    pub section_id: Uuid,
    /// The day.
    pub day: ChronoDate,
    /// The slot.
    pub slot_id: Uuid,
    /// When the lesson starts.
    pub starts_at: ChronoDateTimeUtc,
    /// When it ends.
    pub ends_at: ChronoDateTimeUtc,
    /// How many places there are.
    pub place_count: i32,
    /// How many are booked.
    pub booked_count: i32,
    /// Who offered it.
    pub created_by: String,
    /// When it was offered.
    pub created_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
