//! What the catalog told of terms.

use policy::vocabulary::Stage;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::Tx;
use shared::value::{Id, School, Term as TermKind};

use super::entity::term::{ActiveModel, Column, Entity, Model};
use super::{Error, code};
use crate::domain::term::Term;

/// Keeps a term. A term does not change; heard again, it stays.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, term: &Term) -> Result<(), Error> {
    let row = ActiveModel {
        id: Set(term.id.uuid()),
        district_id: Set(term.district_id.uuid()),
        school_id: Set(term.school_id().uuid()),
        path: Set(code::path(&term.path)),
        first_day: Set(term.first_day),
        last_day: Set(term.last_day),
        off_days: Set(code::days(&term.off_days)),
        policy_version: Set(term.policy_version.clone()),
        stage: Set(term.stage.word().to_owned()),
    };
    let keep = OnConflict::columns([Column::Id, Column::DistrictId]).do_nothing().to_owned();
    Entity::insert(row).on_conflict(keep).try_insert().exec_without_returning(tx).await?;
    Ok(())
}

/// Finds a term.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn find(db: &impl ConnectionTrait, id: Id<TermKind>) -> Result<Option<Term>, Error> {
    Entity::find().filter(Column::Id.eq(id.uuid())).one(db).await?.map(term).transpose()
}

/// Locks a term: what its money comes to is decided by one at a time.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn lock(tx: &Tx, id: Id<TermKind>) -> Result<Option<Term>, Error> {
    Entity::find().filter(Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await?.map(term).transpose()
}

/// Lists a school's terms, the one that began last first.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn of_school(db: &impl ConnectionTrait, school_id: Id<School>) -> Result<Vec<Term>, Error> {
    let rows = Entity::find()
        .filter(Column::SchoolId.eq(school_id.uuid()))
        .order_by_desc(Column::FirstDay)
        .order_by_desc(Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(term).collect()
}

fn term(row: Model) -> Result<Term, Error> {
    Ok(Term {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        path: code::read_list("term", row.id, "path", row.path)?,
        first_day: row.first_day,
        last_day: row.last_day,
        off_days: code::read_list("term", row.id, "off_days", row.off_days)?,
        policy_version: row.policy_version,
        stage: code::word("term", row.id, "stage", &row.stage, Stage::from_word)?,
    })
}
