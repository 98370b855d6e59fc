//! Identity devices, and the digests of their keys.

use sea_orm::entity::prelude::*;

/// One row of `device`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "device")]
pub struct Model {
    /// The district.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    /// The device.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The school.
    pub school_id: Uuid,
    /// District, town, school.
    #[sea_orm(column_type = "JsonBinary")]
    pub path: Json,
    /// Its name.
    pub name: String,
    /// SHA-256 of the key.
    pub key_digest: Vec<u8>,
    /// When it was added.
    pub created_at: ChronoDateTimeUtc,
    /// When its key was revoked.
    pub revoked_at: Option<ChronoDateTimeUtc>,
}

/// None: each list is asked for by its own query.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
