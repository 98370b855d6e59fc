//! Places booked in trials.

use sea_orm::entity::prelude::*;

/// One row of `booking`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "booking")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The booking.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The trial.
    pub trial_id: Uuid,
    /// The pupil.
    pub pupil_id: Uuid,
    /// Who booked it.
    pub guardian_id: Uuid,
    /// The state, lower case.
    pub state: String,
    /// When it was booked.
    pub created_at: ChronoDateTimeUtc,
    /// When it was given back; none while booked.
    pub ended_at: Option<ChronoDateTimeUtc>,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
