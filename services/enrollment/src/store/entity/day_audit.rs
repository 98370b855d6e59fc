//! Who was shown which pupil's collectors with their numbers in full. Rows are added and never changed: the database refuses.

use sea_orm::entity::prelude::*;

/// One row of `day_audit`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "day_audit")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// `staff:<id>`.
    pub actor: String,
    /// `show_phones`.
    pub action: String,
    /// The pupil.
    pub pupil_id: Uuid,
    /// How many numbers.
    pub subject_count: i32,
    /// When.
    pub happened_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
