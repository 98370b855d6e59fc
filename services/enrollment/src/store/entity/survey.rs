//! Surveys of what families need.

use sea_orm::entity::prelude::*;

/// One row of `survey`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "survey")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The survey.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school, town or district it asks.
    pub node_id: Uuid,
    /// The ids down to that node.
    #[sea_orm(column_type = "JsonBinary")]
    pub path: Json,
    /// The school's term it is for.
    pub term_id: Option<Uuid>,
    /// The title.
    pub title: String,
    /// `anonymous` or `named`.
    pub naming: String,
    /// The questions.
    #[sea_orm(column_type = "JsonBinary")]
    pub questions: Json,
    /// When it takes no more answers.
    pub close_at: ChronoDateTimeUtc,
    /// `staff:<id>`.
    pub opener: String,
    /// When it was opened.
    pub created_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
