//! Answers that hold secrets and are therefore kept, sealed, for minutes only.

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, TryInsertResult};
use shared::db::{Error, Tx};
use shared::value::Moment;

use super::entity::brief_answer::{ActiveModel, Column, Entity};
use super::vault::Vault;

const TABLE: &str = "brief_answer";

/// How a question stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has asked it, or too long ago.
    Unasked,
    /// Somebody has asked it and still waits.
    Waiting,
    /// It was answered.
    Answered(String),
}

/// How the question with this blind index stands.
///
/// # Errors
/// When the database refuses, or the row is inconsistent.
pub async fn find(
    conn: &impl ConnectionTrait,
    vault: &Vault,
    key_index: &[u8],
    now: Moment,
) -> Result<Standing, Error> {
    let row = Entity::find_by_id(key_index.to_vec()).filter(Column::ExpiresAt.gt(now)).one(conn).await?;
    match row {
        None => Ok(Standing::Unasked),
        Some(row) => match row.sealed {
            None => Ok(Standing::Waiting),
            Some(sealed) => Ok(Standing::Answered(vault.open(TABLE, "answer", hex(key_index), &sealed)?)),
        },
    }
}

/// Asks a question: gives true to the first asker, false to the others.
///
/// # Errors
/// When the database refuses.
pub async fn ask(tx: &Tx, key_index: &[u8], expires_at: Moment, now: Moment) -> Result<bool, Error> {
    let stale =
        Entity::delete_many().filter(Column::KeyIndex.eq(key_index)).filter(Column::ExpiresAt.lte(now));
    stale.exec(tx).await?;
    let row =
        ActiveModel { key_index: Set(key_index.to_vec()), sealed: Set(None), expires_at: Set(expires_at) };
    let inserted =
        Entity::insert(row).on_conflict_do_nothing_on([Column::KeyIndex]).exec_without_returning(tx).await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1..)))
}

/// Keeps the answer until it expires.
///
/// # Errors
/// When the database refuses.
pub async fn answer(tx: &Tx, vault: &Vault, key_index: &[u8], answer: &str) -> Result<(), Error> {
    let sealed = vault.seal(TABLE, "answer", hex(key_index), answer)?;
    let row =
        ActiveModel { key_index: Set(key_index.to_vec()), sealed: Set(Some(sealed)), ..Default::default() };
    Entity::update(row).exec(tx).await?;
    Ok(())
}

/// Takes a question back that was not answered: it may be asked again.
///
/// # Errors
/// When the database refuses.
pub async fn take_back(tx: &Tx, key_index: &[u8]) -> Result<(), Error> {
    let waiting =
        Entity::delete_many().filter(Column::KeyIndex.eq(key_index)).filter(Column::Sealed.is_null());
    waiting.exec(tx).await?;
    Ok(())
}

/// Forgets what has expired; gives how many.
///
/// # Errors
/// When the database refuses.
pub async fn purge(tx: &Tx, now: Moment) -> Result<u64, Error> {
    let purged = Entity::delete_many().filter(Column::ExpiresAt.lte(now)).exec(tx).await?;
    Ok(purged.rows_affected)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
