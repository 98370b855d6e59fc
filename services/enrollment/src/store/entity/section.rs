//! Sections as the catalog told of them, and how full they are.

use sea_orm::entity::prelude::*;

/// One row of `section`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "section")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The section.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school.
    pub school_id: Uuid,
    /// District, town, school.
    #[sea_orm(column_type = "JsonBinary")]
    pub path: Json,
    /// The term.
    pub term_id: Uuid,
    /// The course's title.
    pub title: String,
    /// The provider; none for the school's own.
    pub provider_id: Option<Uuid>,
    /// Ascending.
    #[sea_orm(column_type = "JsonBinary")]
    pub grades: Json,
    /// Weekly slots.
    #[sea_orm(column_type = "JsonBinary")]
    pub slots: Json,
    /// Seats.
    pub capacity_count: i32,
    /// Seats taken.
    pub taken_count: i32,
    /// In line.
    pub waitlisted_count: i32,
    /// Last number given in line.
    pub last_waitlist_number: i64,
    /// Seats promised to a draw.
    pub promised_count: i32,
    /// Never refused for capacity.
    pub basic_care: bool,
    /// Whether it is extended care at every hour it meets.
    pub extended_care: bool,
    /// Whether it came too late for the lists of its term's draw.
    pub left_over: bool,
    /// `published` or `cancelled`.
    pub state: String,
    /// Why it was cancelled; empty otherwise.
    pub cancel_reason: String,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
