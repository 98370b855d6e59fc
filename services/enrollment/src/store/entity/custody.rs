//! Where pupils are on a day: the end of each chain.

use sea_orm::entity::prelude::*;

/// One row of `custody`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "custody")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The pupil.
    #[sea_orm(primary_key, auto_increment = false)]
    pub pupil_id: Uuid,
    /// The day.
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: Date,
    /// The school.
    pub school_id: Uuid,
    /// District, town, school, class.
    #[sea_orm(column_type = "JsonBinary")]
    pub pupil_path: Json,
    /// `held` or `gone`.
    pub state: String,
    /// Of whoever holds the pupil: `leader`, `section`, `room`; none when nobody does.
    pub post: Option<String>,
    /// The section or the room.
    pub place_id: Option<Uuid>,
    /// Who holds the pupil.
    pub staff_id: Option<Uuid>,
    /// How the pupil went: `guardian`, `collector`, `alone`, `not_here`; none while here.
    pub way: Option<String>,
    /// The guardian or the collector.
    pub taker_id: Option<Uuid>,
    /// Since when.
    pub since: ChronoDateTimeUtc,
    /// How many links the chain has.
    pub link_count: i32,
    /// When the pupil's service ends.
    pub due_at: ChronoDateTimeUtc,
    /// When the leader was alerted.
    pub alerted_at: Option<ChronoDateTimeUtc>,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
