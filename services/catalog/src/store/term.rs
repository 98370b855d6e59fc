//! Terms, and the changes of their menus.

use chrono::NaiveDate;
use policy::vocabulary::Stage;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{self, Id, Moment, Page, School};
use uuid::Uuid;

use super::entity::{menu_change, term};
use super::{from_json, to_i32, to_json};
use crate::domain::node::SchoolPath;
use crate::domain::term::{Calendar, Term};

/// The place of a term in the list of its school, latest first: its first day, then its id.
pub type Key = (NaiveDate, Uuid);

/// Writes a new term.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, term: &Term, now: Moment) -> Result<(), Error> {
    let row = term::ActiveModel {
        district_id: Set(term.path.district_id.uuid()),
        id: Set(term.id.uuid()),
        town_id: Set(term.path.town_id.uuid()),
        school_id: Set(term.path.school_id.uuid()),
        stage: Set(term.stage.word().to_owned()),
        name: Set(term.name.clone()),
        first_day: Set(term.calendar.first_day()),
        last_day: Set(term.calendar.last_day()),
        off_days: Set(to_json("term", term.id, &term.calendar.off_days())?),
        policy_version: Set(term.policy_version.clone()),
        menu_version: Set(term.menu_version),
        created_at: Set(now),
    };
    term::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Finds a term.
///
/// # Errors
/// When the database refuses or the row is broken.
pub async fn find(db: &impl ConnectionTrait, id: Id<value::Term>) -> Result<Option<Term>, Error> {
    let row = term::Entity::find().filter(term::Column::Id.eq(id.uuid())).one(db).await?;
    row.map(read).transpose()
}

/// Finds a term and locks it: whatever changes its slots, its timetable or its menu waits.
///
/// # Errors
/// When the database refuses or the row is broken.
pub async fn lock(tx: &Tx, id: Id<value::Term>) -> Result<Option<Term>, Error> {
    let row = term::Entity::find().filter(term::Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await?;
    row.map(read).transpose()
}

/// All terms of a school, in no order.
///
/// # Errors
/// When the database refuses or a row is broken.
pub async fn of_school(db: &impl ConnectionTrait, path: &SchoolPath) -> Result<Vec<Term>, Error> {
    let rows = term::Entity::find()
        .filter(term::Column::DistrictId.eq(path.district_id.uuid()))
        .filter(term::Column::SchoolId.eq(path.school_id.uuid()))
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// A page of a school's terms, latest first; at most one more than the page's size, which says that there is a next one.
///
/// # Errors
/// When the database refuses or a row is broken.
pub async fn list(
    db: &impl ConnectionTrait,
    school_id: Id<School>,
    path: &SchoolPath,
    page: &Page<Key>,
) -> Result<Vec<Term>, Error> {
    let mut select = term::Entity::find()
        .filter(term::Column::DistrictId.eq(path.district_id.uuid()))
        .filter(term::Column::SchoolId.eq(school_id.uuid()));
    if let Some((first_day, id)) = page.after {
        let same_day =
            Condition::all().add(term::Column::FirstDay.eq(first_day)).add(term::Column::Id.lt(id));
        select = select.filter(Condition::any().add(term::Column::FirstDay.lt(first_day)).add(same_day));
    }
    let rows = select
        .order_by_desc(term::Column::FirstDay)
        .order_by_desc(term::Column::Id)
        .limit(page.size + 1)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// How a menu changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MenuChange {
    /// Sections came onto it.
    Published,
    /// A section left it.
    Cancelled,
}

/// Counts a change of a locked term's menu.
///
/// # Errors
/// When the database refuses.
pub async fn change_menu(
    tx: &Tx,
    term: &Term,
    change: MenuChange,
    section_count: usize,
    now: Moment,
) -> Result<(), Error> {
    let version = term.menu_version + 1;
    let kind = match change {
        MenuChange::Published => "published",
        MenuChange::Cancelled => "cancelled",
    };
    let section_count =
        u32::try_from(section_count).map_err(|error| Error::inconsistent("term", term.id, error))?;
    let row = menu_change::ActiveModel {
        district_id: Set(term.path.district_id.uuid()),
        term_id: Set(term.id.uuid()),
        version: Set(version),
        kind: Set(kind.to_owned()),
        section_count: Set(to_i32("menu_change", term.id, section_count)?),
        created_at: Set(now),
    };
    row.insert(tx).await?;
    term::Entity::update_many()
        .col_expr(term::Column::MenuVersion, Expr::value(version))
        .filter(term::Column::DistrictId.eq(term.path.district_id.uuid()))
        .filter(term::Column::Id.eq(term.id.uuid()))
        .exec(tx)
        .await?;
    Ok(())
}

fn read(row: term::Model) -> Result<Term, Error> {
    let id = row.id;
    let off_days = from_json("term", id, row.off_days)?;
    let calendar = Calendar::new(row.first_day, row.last_day, off_days)
        .map_err(|fault| Error::inconsistent("term", id, fault))?;
    Ok(Term {
        id: Id::new(id),
        path: SchoolPath {
            district_id: Id::new(row.district_id),
            town_id: Id::new(row.town_id),
            school_id: Id::new(row.school_id),
        },
        stage: Stage::from_word(&row.stage)
            .ok_or_else(|| Error::inconsistent("term", id, "no such stage"))?,
        name: row.name,
        calendar,
        policy_version: row.policy_version,
        menu_version: row.menu_version,
    })
}
