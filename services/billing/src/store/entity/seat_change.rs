//! Seats changed for others. Columns mean what the fields of the domain value mean.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "seat_change")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub to_enrollment_id: Uuid,
    pub district_id: Uuid,
    pub from_enrollment_id: Uuid,
    pub pupil_id: Uuid,
    pub from_day: ChronoDate,
    pub created_at: ChronoDateTimeUtc,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
