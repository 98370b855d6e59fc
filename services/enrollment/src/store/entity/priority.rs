//! Pupils' places in priority groups. What was said of a family is sealed.

use sea_orm::entity::prelude::*;

/// One row of `priority`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "priority")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The priority.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school that decides.
    pub school_id: Uuid,
    /// The pupil.
    pub pupil_id: Uuid,
    /// District, town, school, class.
    #[sea_orm(column_type = "JsonBinary")]
    pub path: Json,
    /// The policy's key, or `other`.
    pub group_key: String,
    /// What people call the group.
    pub group_name: String,
    /// Who claimed it; none where it rests on the school's rolls.
    pub guardian_id: Option<Uuid>,
    /// The documents, in the order they were brought.
    #[sea_orm(column_type = "JsonBinary")]
    pub evidence_ids: Json,
    /// Sealed: what of the school's rolls it rests on.
    pub ground: Option<Vec<u8>>,
    /// `submitted`, `approved`, `refused`, `appealed`, `refused_on_appeal` or `ended`.
    pub state: String,
    /// Who decided last.
    pub decider_id: Option<Uuid>,
    /// The first day it holds.
    pub first_day: Option<Date>,
    /// The last day it holds, inclusive.
    pub last_day: Option<Date>,
    /// Sealed: why it was refused or ended.
    pub reason: Option<Vec<u8>>,
    /// Sealed: why the family appealed.
    pub appeal: Option<Vec<u8>>,
    /// When it was claimed or recorded.
    pub created_at: ChronoDateTimeUtc,
    /// When it last changed.
    pub updated_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
