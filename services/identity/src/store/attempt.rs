//! Failures that may still count against somebody.

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use serde::{Deserialize, Serialize};
use shared::db::{Error, Tx};
use shared::value::Moment;

use super::entity::attempt::{ActiveModel, Column, Entity};
use crate::domain::attempt::Failure;

#[derive(Serialize, Deserialize)]
struct Kept {
    at: Moment,
    tag: String,
}

/// The failures of `subject`, a blind index; nobody else sees or adds any until the transaction ends.
///
/// # Errors
/// When the database refuses, or the row is inconsistent.
pub async fn lock(tx: &Tx, subject: &[u8], now: Moment) -> Result<Vec<Failure>, Error> {
    let empty = ActiveModel {
        subject: Set(subject.to_vec()),
        failures: Set(serde_json::Value::Array(Vec::new())),
        updated_at: Set(now),
    };
    // There must be a row to lock: two first failures at once would both see none.
    Entity::insert(empty).on_conflict_do_nothing_on([Column::Subject]).exec_without_returning(tx).await?;
    let wrong = |why: &str| Error::inconsistent("attempt", "(hidden)", why);
    let row = Entity::find_by_id(subject.to_vec()).lock_exclusive().one(tx).await?;
    let row = row.ok_or_else(|| wrong("neither new nor there"))?;
    let kept: Vec<Kept> = serde_json::from_value(row.failures).map_err(|_| wrong("failures"))?;
    Ok(kept.into_iter().map(|kept| Failure { at: kept.at, tag: kept.tag }).collect())
}

/// Keeps the failures of `subject`.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, subject: &[u8], failures: &[Failure], now: Moment) -> Result<(), Error> {
    let kept: Vec<_> =
        failures.iter().map(|failure| Kept { at: failure.at, tag: failure.tag.clone() }).collect();
    let failures =
        serde_json::to_value(kept).map_err(|error| Error::inconsistent("attempt", "(hidden)", error))?;
    let row = ActiveModel { subject: Set(subject.to_vec()), failures: Set(failures), updated_at: Set(now) };
    Entity::update(row).exec(tx).await?;
    Ok(())
}

/// Forgets what was last touched before `before`; gives how many.
///
/// # Errors
/// When the database refuses.
pub async fn purge(tx: &Tx, before: Moment) -> Result<u64, Error> {
    let purged = Entity::delete_many().filter(Column::UpdatedAt.lt(before)).exec(tx).await?;
    Ok(purged.rows_affected)
}
