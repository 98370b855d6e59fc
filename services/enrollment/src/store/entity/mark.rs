//! What was said of pupils in lessons. Rows are added and never changed: the database refuses.

use sea_orm::entity::prelude::*;

/// One row of `mark`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "mark")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The mark, as named where it was made.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school.
    pub school_id: Uuid,
    /// The section.
    pub section_id: Uuid,
    /// The lesson.
    pub lesson_id: Uuid,
    /// The lesson's day.
    pub day: Date,
    /// The pupil.
    pub pupil_id: Uuid,
    /// `present`, `absent`, `late`, `leave` or `left_early`.
    pub standing: String,
    /// `roll`, `device` or `correction`.
    pub source: String,
    /// The device; none for a correction.
    pub device_id: Option<Uuid>,
    /// The device's own count; none for a correction.
    pub sequence: Option<i64>,
    /// As the device's clock had it.
    pub device_at: Option<ChronoDateTimeUtc>,
    /// With the clock put right.
    pub taken_at: Option<ChronoDateTimeUtc>,
    /// `staff:<id>` or `device:<id>`.
    pub recorder: String,
    /// Why, for a correction; empty otherwise.
    pub reason: String,
    /// When it arrived.
    pub created_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
