//! The table `staff`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "staff")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub login_name: String,
    pub name_sealed: Vec<u8>,
    pub password_hash: String,
    pub password_changed_at: Option<ChronoDateTimeUtc>,
    pub totp_sealed: Vec<u8>,
    pub totp_last_step: i64,
    pub created_at: ChronoDateTimeUtc,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
