//! Cost sheets.

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use serde::{Deserialize, Serialize};
use shared::db::Tx;
use shared::value::{CostSheet as CostSheetKind, Fen, Id, Page, Section, Term};

use super::entity::cost_sheet::{ActiveModel, Column, Entity, Model};
use super::invoice::NewestKey;
use super::{Error, code};
use crate::domain::cost_sheet::{CostSheet, Item, State};

/// The constraints that let one sheet of a kind wait for a decision.
pub const ONE_PENDING: [&str; 2] = ["cost_sheet_pending_key", "cost_sheet_section_pending_key"];

/// An item as its JSON column keeps it.
#[derive(Serialize, Deserialize)]
struct ItemJson {
    name: String,
    amount_fen: i64,
}

/// Adds a sheet.
///
/// # Errors
/// When the database refuses; [`Error::violated`] is one of [`ONE_PENDING`] when another waits, on PostgreSQL.
pub async fn insert(tx: &Tx, sheet: &CostSheet) -> Result<(), Error> {
    Entity::insert(row(sheet)).exec_without_returning(tx).await?;
    Ok(())
}

/// Saves a sheet that is locked.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, sheet: &CostSheet) -> Result<(), Error> {
    Entity::update(row(sheet)).exec(tx).await?;
    Ok(())
}

/// Locks a sheet.
///
/// # Errors
/// When the database refuses, or the row is inconsistent.
pub async fn lock(tx: &Tx, id: Id<CostSheetKind>) -> Result<Option<CostSheet>, Error> {
    Entity::find().filter(Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await?.map(sheet).transpose()
}

/// Finds the sheets of a section of a term, or those of the school's service in it when no section is given; newest first.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn of(
    db: &impl ConnectionTrait,
    term_id: Id<Term>,
    section_id: Option<Id<Section>>,
) -> Result<Vec<CostSheet>, Error> {
    let query = Entity::find().filter(Column::TermId.eq(term_id.uuid()));
    let query = match section_id {
        Some(section_id) => query.filter(Column::SectionId.eq(section_id.uuid())),
        None => query.filter(Column::SectionId.is_null()),
    };
    let rows = query.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).all(db).await?;
    rows.into_iter().map(sheet).collect()
}

/// Lists all sheets of a term, newest first; one more than asked for when there is a next page.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn list(
    db: &impl ConnectionTrait,
    term_id: Id<Term>,
    page: &Page<NewestKey>,
) -> Result<Vec<CostSheet>, Error> {
    let mut query = Entity::find().filter(Column::TermId.eq(term_id.uuid()));
    if let Some((created_at, id)) = page.after {
        query = query.filter(
            Condition::any()
                .add(Column::CreatedAt.lt(created_at))
                .add(Condition::all().add(Column::CreatedAt.eq(created_at)).add(Column::Id.lt(id))),
        );
    }
    let query = query.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(page.size + 1);
    query.all(db).await?.into_iter().map(sheet).collect()
}

fn row(sheet: &CostSheet) -> ActiveModel {
    let (state, decided_by, reason) = match &sheet.state {
        State::Submitted => ("submitted", None, ""),
        State::Approved { by } => ("approved", Some(*by), ""),
        State::Rejected { by, reason } => ("rejected", Some(*by), reason.as_str()),
    };
    let items: Vec<_> = sheet
        .items
        .iter()
        .map(|item| ItemJson { name: item.name.clone(), amount_fen: item.amount.get() })
        .collect();
    ActiveModel {
        id: Set(sheet.id.uuid()),
        district_id: Set(sheet.district_id.uuid()),
        school_id: Set(sheet.school_id.uuid()),
        path: Set(code::path(&sheet.path)),
        term_id: Set(sheet.term_id.uuid()),
        section_id: Set(sheet.section_id.map(Id::uuid)),
        items: Set(code::list(&items)),
        pupil_count: Set(code::count_column(sheet.pupil_count)),
        submitted_by: Set(sheet.submitted_by.uuid()),
        state: Set(state.to_owned()),
        decided_by: Set(decided_by.map(Id::uuid)),
        rejection_reason: Set(reason.to_owned()),
        created_at: Set(sheet.created_at),
    }
}

fn sheet(row: Model) -> Result<CostSheet, Error> {
    let id = row.id;
    let by = |value| code::given("cost_sheet", id, "decided_by", value).map(Id::new);
    let state = match row.state.as_str() {
        "submitted" => State::Submitted,
        "approved" => State::Approved { by: by(row.decided_by)? },
        "rejected" => State::Rejected { by: by(row.decided_by)?, reason: row.rejection_reason },
        other => return Err(Error::inconsistent("cost_sheet", id, format!("state is {other:?}"))),
    };
    let items = code::read_list::<ItemJson>("cost_sheet", id, "items", row.items)?;
    Ok(CostSheet {
        id: Id::new(id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        path: code::read_list("cost_sheet", id, "path", row.path)?,
        term_id: Id::new(row.term_id),
        section_id: row.section_id.map(Id::new),
        items: items
            .into_iter()
            .map(|item| Item { name: item.name, amount: Fen::new(item.amount_fen) })
            .collect(),
        pupil_count: code::count("cost_sheet", id, "pupil_count", row.pupil_count)?,
        submitted_by: Id::new(row.submitted_by),
        state,
        created_at: row.created_at,
    })
}
