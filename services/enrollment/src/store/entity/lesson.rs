//! Lessons that have been laid out.

use sea_orm::entity::prelude::*;

/// One row of `lesson`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "lesson")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The lesson.
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
    /// The day, local.
    pub day: Date,
    /// The slot.
    pub slot_id: Uuid,
    /// Inclusive.
    pub starts_at: ChronoDateTimeUtc,
    /// Exclusive.
    pub ends_at: ChronoDateTimeUtc,
    /// When its register closes.
    pub closes_at: ChronoDateTimeUtc,
    /// When it was closed; none while open.
    pub closed_at: Option<ChronoDateTimeUtc>,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
