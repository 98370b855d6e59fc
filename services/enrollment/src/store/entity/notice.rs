//! Notices to guardians. Rows are added and never changed: the database refuses.

use sea_orm::entity::prelude::*;

/// One row of `notice`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "notice")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The notice.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school.
    pub school_id: Uuid,
    /// District, town, school.
    #[sea_orm(column_type = "JsonBinary")]
    pub path: Json,
    /// The term it was sent in.
    pub term_id: Uuid,
    /// The title.
    pub title: String,
    /// The text.
    pub body: String,
    /// `school`, `grades` or `classes`.
    pub audience: String,
    /// The grades, where it is for grades.
    #[sea_orm(column_type = "JsonBinary")]
    pub grades: Json,
    /// The classes, where it is for classes.
    #[sea_orm(column_type = "JsonBinary")]
    pub class_ids: Json,
    /// What it makes public.
    #[sea_orm(column_type = "JsonBinary")]
    pub disclosure_keys: Json,
    /// The notice it puts right.
    pub corrects_id: Option<Uuid>,
    /// Who sent it.
    pub sender_id: Uuid,
    /// When.
    pub sent_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
