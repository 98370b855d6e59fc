//! Guardians, with their sealed WeChat identity and phone number.

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use shared::db::{Error, Tx};
use shared::value::{self, Id, Moment};

use super::entity::guardian::{ActiveModel, Column, Entity, Model};
use super::vault::Vault;
use crate::domain::guardian::{Guardian, WechatIdentity};
use crate::domain::person::Phone;

const TABLE: &str = "guardian";

/// The guardian with this WeChat identity; made with `id` when there is none.
///
/// # Errors
/// When the database refuses, or the row is inconsistent.
pub async fn find_or_insert(
    tx: &Tx,
    vault: &Vault,
    identity: &WechatIdentity,
    id: Id<value::Guardian>,
    now: Moment,
) -> Result<Guardian, Error> {
    let openid_index = vault.index(&format!("guardian.openid:{}", identity.appid), &identity.openid);
    let row = ActiveModel {
        id: Set(id.uuid()),
        appid: Set(identity.appid.clone()),
        openid_index: Set(openid_index.clone()),
        openid_sealed: Set(vault.seal(TABLE, "openid", id, &identity.openid)?),
        phone_sealed: Set(None),
        phone_verified_at: Set(None),
        created_at: Set(now),
    };
    Entity::insert(row).on_conflict_do_nothing_on([Column::OpenidIndex]).exec_without_returning(tx).await?;
    let row = Entity::find().filter(Column::OpenidIndex.eq(openid_index)).one(tx).await?;
    read(vault, row.ok_or_else(|| Error::inconsistent(TABLE, id, "neither new nor there"))?)
}

/// One guardian.
///
/// # Errors
/// When the database refuses, or the row is inconsistent.
pub async fn find(
    conn: &impl ConnectionTrait,
    vault: &Vault,
    id: Id<value::Guardian>,
) -> Result<Option<Guardian>, Error> {
    Entity::find_by_id(id.uuid()).one(conn).await?.map(|row| read(vault, row)).transpose()
}

/// One guardian, so that nobody else binds, withdraws or fails in their name meanwhile.
///
/// # Errors
/// When the database refuses, or the row is inconsistent.
pub async fn lock(tx: &Tx, vault: &Vault, id: Id<value::Guardian>) -> Result<Option<Guardian>, Error> {
    Entity::find_by_id(id.uuid()).lock_exclusive().one(tx).await?.map(|row| read(vault, row)).transpose()
}

/// Keeps a verified number.
///
/// # Errors
/// When the database refuses.
pub async fn save_phone(
    tx: &Tx,
    vault: &Vault,
    id: Id<value::Guardian>,
    phone: &Phone,
    now: Moment,
) -> Result<(), Error> {
    let row = ActiveModel {
        id: Set(id.uuid()),
        phone_sealed: Set(Some(vault.seal(TABLE, "phone", id, phone.as_str())?)),
        phone_verified_at: Set(Some(now)),
        ..Default::default()
    };
    Entity::update(row).exec(tx).await?;
    Ok(())
}

fn read(vault: &Vault, row: Model) -> Result<Guardian, Error> {
    let phone = match row.phone_sealed.as_deref() {
        None => None,
        Some(sealed) => {
            let text = vault.open(TABLE, "phone", row.id, sealed)?;
            Some(Phone::parse(&text).map_err(|_| Error::inconsistent(TABLE, row.id, "phone"))?)
        }
    };
    let openid = vault.open(TABLE, "openid", row.id, &row.openid_sealed)?;
    Ok(Guardian {
        id: Id::new(row.id),
        identity: WechatIdentity { appid: row.appid, openid },
        phone,
        created_at: row.created_at,
    })
}
