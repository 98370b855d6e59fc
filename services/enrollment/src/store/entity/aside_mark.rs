//! Marks that wait for a person.

use sea_orm::entity::prelude::*;

/// One row of `aside_mark`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "aside_mark")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// Its own id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school.
    pub school_id: Uuid,
    /// District, town, school.
    #[sea_orm(column_type = "JsonBinary")]
    pub path: Json,
    /// The section; none when no lesson is known.
    pub section_id: Option<Uuid>,
    /// The slot; none when no lesson is known.
    pub slot_id: Option<Uuid>,
    /// The day.
    pub day: Date,
    /// The pupil; none when no pupil is known.
    pub pupil_id: Option<Uuid>,
    /// Why it waits.
    pub reason: String,
    /// The mark, as named where it was made.
    pub mark_id: Uuid,
    /// The rest of the mark as it arrived.
    #[sea_orm(column_type = "JsonBinary")]
    pub mark: Json,
    /// `waiting`, `taken_up` or `dismissed`.
    pub state: String,
    /// Who settled it; empty while it waits.
    pub settler: String,
    /// Why it was settled so; empty while it waits.
    pub note: String,
    /// When it was settled.
    pub settled_at: Option<ChronoDateTimeUtc>,
    /// When it arrived.
    pub created_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
