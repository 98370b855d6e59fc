//! Enrollments heard of, or closed before they were.
//!
//! The row is made by whichever comes first; the second waits for the first to commit and then sees it. So an enrollment is
//! never both closed beforehand and billed open.

use sea_orm::ActiveValue::Set;
use sea_orm::{EntityTrait as _, TryInsertResult};
use shared::db::Tx;
use shared::value::{Enrollment, Id, Moment};

use super::Error;
use super::entity::enrollment::{ActiveModel, Column, Entity};

/// What was known of an enrollment when it was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// Nothing: this is the first time.
    First,
    /// It was billed.
    Billed,
    /// It was closed before it was heard of.
    ClosedBeforehand,
}

/// Meets an enrollment: notes it if it is new, as closed beforehand or not.
///
/// # Errors
/// When the database refuses.
pub async fn meet(tx: &Tx, id: Id<Enrollment>, closing: bool, now: Moment) -> Result<Met, Error> {
    let row = ActiveModel { id: Set(id.uuid()), is_closed_beforehand: Set(closing), created_at: Set(now) };
    let inserted =
        Entity::insert(row).on_conflict_do_nothing_on([Column::Id]).exec_without_returning(tx).await?;
    if matches!(inserted, TryInsertResult::Inserted(1..)) {
        return Ok(Met::First);
    }
    let row = Entity::find_by_id(id.uuid()).one(tx).await?;
    let row = row.ok_or_else(|| Error::inconsistent("enrollment", id, "neither free nor there"))?;
    Ok(if row.is_closed_beforehand { Met::ClosedBeforehand } else { Met::Billed })
}
