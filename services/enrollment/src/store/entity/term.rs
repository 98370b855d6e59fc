//! Terms as the catalog told of them.

use sea_orm::entity::prelude::*;

/// One row of `term`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "term")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The term.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school.
    pub school_id: Uuid,
    /// District, town, school.
    #[sea_orm(column_type = "JsonBinary")]
    pub path: Json,
    /// Inclusive.
    pub first_day: Date,
    /// Inclusive.
    pub last_day: Date,
    /// Days without service, ascending.
    #[sea_orm(column_type = "JsonBinary")]
    pub off_days: Json,
    /// The pinned policy.
    pub policy_version: String,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
