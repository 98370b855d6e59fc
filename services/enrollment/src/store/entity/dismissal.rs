//! What was said of when pupils leave. Rows are added; the last one of a guardian counts, else of the school.

use sea_orm::entity::prelude::*;

/// One row of `dismissal`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "dismissal")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The choice.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The pupil.
    pub pupil_id: Uuid,
    /// 1 to 7.
    pub weekday: i32,
    /// `guardian` or `school`.
    pub source: String,
    /// Minutes after midnight; none for the service's end.
    pub minute: Option<i32>,
    /// The batch, where one was chosen.
    pub batch_id: Option<Uuid>,
    /// Who said it.
    pub created_by: String,
    /// When.
    pub created_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
