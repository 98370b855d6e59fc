//! Whom a notice addresses, and who has acknowledged it for them.

use sea_orm::entity::prelude::*;

/// One row of `notice_pupil`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "notice_pupil")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The notice.
    #[sea_orm(primary_key, auto_increment = false)]
    pub notice_id: Uuid,
    /// The pupil.
    #[sea_orm(primary_key, auto_increment = false)]
    pub pupil_id: Uuid,
    /// Who acknowledged first.
    pub guardian_id: Option<Uuid>,
    /// When.
    pub acknowledged_at: Option<ChronoDateTimeUtc>,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
