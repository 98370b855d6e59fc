//! Terms.

use chrono::NaiveDate;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{District, Id, School, Term as TermKind};
use uuid::Uuid;

use super::entity::term;
use super::many::among;
use super::{from_json, to_json};
use crate::domain::term::Term;

const TABLE: &str = "term";

/// Locks a term: whoever opens a round in it waits for the others.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn lock(tx: &Tx, id: Id<TermKind>) -> Result<Option<Term>, Error> {
    let row = term::Entity::find().filter(term::Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await?;
    row.map(read).transpose()
}

/// Finds a term.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find(db: &impl ConnectionTrait, id: Id<TermKind>) -> Result<Option<Term>, Error> {
    let row = term::Entity::find().filter(term::Column::Id.eq(id.uuid())).one(db).await?;
    row.map(read).transpose()
}

/// Finds terms, in no order.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn find_all(db: &impl ConnectionTrait, ids: &[Id<TermKind>]) -> Result<Vec<Term>, Error> {
    let ids = ids.iter().map(|id| id.uuid());
    let rows = term::Entity::find().filter(among(db, term::Entity, term::Column::Id, ids)).all(db).await?;
    rows.into_iter().map(read).collect()
}

/// Gives the ids district, town, school of a school that has a term.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn path_of_school(
    db: &impl ConnectionTrait,
    school_id: Id<School>,
) -> Result<Option<Vec<Uuid>>, Error> {
    let row = term::Entity::find().filter(term::Column::SchoolId.eq(school_id.uuid())).one(db).await?;
    row.map(|row| from_json(row.path, TABLE, row.id)).transpose()
}

/// Lists the terms of a school that have `day` between their first and their last, by id.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_on(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    school_id: Id<School>,
    day: NaiveDate,
) -> Result<Vec<Term>, Error> {
    let rows = term::Entity::find()
        .filter(term::Column::DistrictId.eq(district_id.uuid()))
        .filter(term::Column::SchoolId.eq(school_id.uuid()))
        .filter(term::Column::FirstDay.lte(day))
        .filter(term::Column::LastDay.gte(day))
        .order_by_asc(term::Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Finds the term by whose policy a school is ruled on `day`: the one that runs, else the one that begins last.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find_ruling(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    school_id: Id<School>,
    day: NaiveDate,
) -> Result<Option<Term>, Error> {
    if let Some(running) = list_on(db, district_id, school_id, day).await?.pop() {
        return Ok(Some(running));
    }
    let row = term::Entity::find()
        .filter(term::Column::DistrictId.eq(district_id.uuid()))
        .filter(term::Column::SchoolId.eq(school_id.uuid()))
        .order_by_desc(term::Column::FirstDay)
        .one(db)
        .await?;
    row.map(read).transpose()
}

/// Keeps a term as told; a term told again stays as it is.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, term: &Term) -> Result<(), Error> {
    let row = term::ActiveModel {
        district_id: Set(term.district_id.uuid()),
        id: Set(term.id.uuid()),
        school_id: Set(term.school_id.uuid()),
        path: Set(to_json(&term.path, TABLE, term.id)?),
        first_day: Set(term.first_day),
        last_day: Set(term.last_day),
        off_days: Set(to_json(&term.off_days, TABLE, term.id)?),
        policy_version: Set(term.policy_version.clone()),
    };
    term::Entity::insert(row)
        .on_conflict_do_nothing_on([term::Column::DistrictId, term::Column::Id])
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

fn read(row: term::Model) -> Result<Term, Error> {
    Ok(Term {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        path: from_json(row.path, TABLE, row.id)?,
        first_day: row.first_day,
        last_day: row.last_day,
        off_days: from_json(row.off_days, TABLE, row.id)?,
        policy_version: row.policy_version,
    })
}
