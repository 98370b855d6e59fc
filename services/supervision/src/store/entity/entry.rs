//! The table `entry`.

use sea_orm::entity::prelude::*;

/// One thing that was done with a ticket.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "entry")]
#[expect(missing_docs, reason = "columns are explained by the migration that makes them")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub ticket_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    pub action: String,
    pub actor_role: String,
    pub actor_key: String,
    pub text_sealed: Option<Vec<u8>>,
    pub created_at: ChronoDateTimeUtc,
}

/// None: rows of other tables are found by their keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
