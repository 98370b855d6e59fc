//! The links of each chain. Rows are added and never changed: the database refuses.

use sea_orm::entity::prelude::*;

/// One row of `custody_link`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "custody_link")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The link.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The pupil.
    pub pupil_id: Uuid,
    /// The day.
    pub day: Date,
    /// Its place in the chain, from 1.
    pub number: i32,
    /// Where it begins: as the state of a custody; none for the first.
    pub from_state: Option<String>,
    /// Of whoever held the pupil.
    pub from_post: Option<String>,
    /// The section or the room.
    pub from_place_id: Option<Uuid>,
    /// Who held the pupil.
    pub from_staff_id: Option<Uuid>,
    /// How the pupil had gone.
    pub from_way: Option<String>,
    /// With whom.
    pub from_taker_id: Option<Uuid>,
    /// Where it ends.
    pub state: String,
    /// Of whoever holds the pupil.
    pub post: Option<String>,
    /// The section or the room.
    pub place_id: Option<Uuid>,
    /// Who holds the pupil.
    pub staff_id: Option<Uuid>,
    /// How the pupil went.
    pub way: Option<String>,
    /// With whom.
    pub taker_id: Option<Uuid>,
    /// When it happened.
    pub at: ChronoDateTimeUtc,
    /// Who recorded it: `staff:<id>` or `device:<id>`.
    pub recorder: String,
    /// Why the pupil was never here; empty otherwise.
    pub note: String,
    /// When it was recorded.
    pub created_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
