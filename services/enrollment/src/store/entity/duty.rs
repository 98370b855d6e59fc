//! Who of the staff answers for what.

use sea_orm::entity::prelude::*;

/// One row of `duty`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "duty")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The duty.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school.
    pub school_id: Uuid,
    /// District, town, school.
    #[sea_orm(column_type = "JsonBinary")]
    pub path: Json,
    /// `leader`, `section` or `room`.
    pub post: String,
    /// The section or the room; none for a leader.
    pub place_id: Option<Uuid>,
    /// Who.
    pub staff_id: Uuid,
    /// Their name.
    pub staff_name: String,
    /// Inclusive.
    pub first_day: Date,
    /// Inclusive; before the first when it was ended before it began.
    pub last_day: Date,
    /// When they were named.
    pub created_at: ChronoDateTimeUtc,
    /// Who named them, `staff:<id>`.
    pub created_by: String,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
