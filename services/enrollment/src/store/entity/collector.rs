//! Whoever may take a pupil home. What tells who it is, is sealed.

use sea_orm::entity::prelude::*;

/// One row of `collector`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "collector")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The collector.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The pupil.
    pub pupil_id: Uuid,
    /// Who said it.
    pub guardian_id: Uuid,
    /// `standing`, `one_time` or `alone`.
    pub kind: String,
    /// Sealed; none when the pupil goes alone.
    pub name: Option<Vec<u8>>,
    /// Sealed; none when the pupil goes alone.
    pub phone: Option<Vec<u8>>,
    /// Sealed; there for a one-time leave.
    pub code: Option<Vec<u8>>,
    /// How the person stands to the pupil.
    pub relation: Option<String>,
    /// There for a one-time leave.
    pub day: Option<Date>,
    /// How often a wrong code was tried.
    pub wrong_code_count: i32,
    /// `allowed`, `forbidden`, `removed` or `used`.
    pub state: String,
    /// The guardian who forbade it.
    pub forbidden_by: Option<Uuid>,
    /// When it was said.
    pub created_at: ChronoDateTimeUtc,
    /// When it was last decided on.
    pub updated_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
