//! The table `message`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "message")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub event_id: Uuid,
    pub guardian_id: Uuid,
    pub pupil_id: Uuid,
    pub news: String,
    pub happened_at: ChronoDateTimeUtc,
    pub state: String,
    pub attempt_count: i32,
    pub next_at: ChronoDateTimeUtc,
    pub dropped_for: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
