//! Pupils as identity told of them.

use sea_orm::entity::prelude::*;

/// One row of `pupil`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "pupil")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The pupil.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school.
    pub school_id: Uuid,
    /// The class.
    pub class_id: Uuid,
    /// District, town, school, class.
    #[sea_orm(column_type = "JsonBinary")]
    pub path: Json,
    /// 1 to 9.
    pub grade: i32,
    /// `enrolled` or `left`.
    pub state: String,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
