//! Acts of draws: what is public of them, and the sealed salt.

use sea_orm::entity::prelude::*;

/// One row of `draw`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "draw")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The round.
    #[sea_orm(primary_key, auto_increment = false)]
    pub round_id: Uuid,
    /// The number of the act, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub act: i32,
    /// `opened`, `committed`, `drawn` or `abandoned`.
    pub state: String,
    /// Why there is this act; empty for the first.
    pub reason: String,
    /// The terms, as `draw::Terms`; committed ones when the lists are closed.
    #[sea_orm(column_type = "JsonBinary")]
    pub terms: Json,
    /// The round salt, sealed; from the commitment on.
    pub salt: Option<Vec<u8>>,
    /// The root; from the commitment on.
    pub root: Option<String>,
    /// Pupils on the lists.
    pub pupil_count: i32,
    /// When the lists were committed.
    pub committed_at: Option<ChronoDateTimeUtc>,
    /// The values of the sources, every time they were entered.
    #[sea_orm(column_type = "JsonBinary")]
    pub entered: Json,
    /// The seed; from the draw on.
    pub seed: Option<String>,
    /// The digest; from the draw on.
    pub outcome_digest: Option<String>,
    /// What each section came to; empty before the draw.
    #[sea_orm(column_type = "JsonBinary")]
    pub summary: Json,
    /// When it was drawn.
    pub drawn_at: Option<ChronoDateTimeUtc>,
    /// When the act began.
    pub created_at: ChronoDateTimeUtc,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
