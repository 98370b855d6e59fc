//! Closed months of the books.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, JoinType, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use shared::db::Tx;
use shared::value::{District, Fen, Id, Moment};

use super::entity::period::{ActiveModel, Column, Entity, Model};
use super::entity::{journal, journal_unsealed, posting};
use super::{Error, code};
use crate::domain::period::{Month, State, dated};

/// A month that is closed, or wanted closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The district.
    pub district_id: Id<District>,
    /// The month.
    pub month: Month,
    /// How far it is closed.
    pub state: State,
    /// Entries dated up to its end when it was closed.
    pub journal_count: i64,
    /// What they debit together.
    pub debit: Fen,
}

/// When an entry of a district that happens at `at` is dated.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn dated_in(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    at: Moment,
) -> Result<Moment, Error> {
    Ok(dated(at, last_closed(db, district_id).await?))
}

/// The last month a district has closed.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn last_closed(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
) -> Result<Option<Month>, Error> {
    let row = Entity::find()
        .filter(Column::DistrictId.eq(district_id.uuid()))
        .filter(Column::State.eq("closed"))
        .order_by_desc(Column::Month)
        .one(db)
        .await?;
    row.map(|row| month(&row)).transpose()
}

/// Finds a month that is closed, or wanted closed.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn find(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    month: Month,
) -> Result<Option<Period>, Error> {
    let query = Entity::find()
        .filter(Column::DistrictId.eq(district_id.uuid()))
        .filter(Column::Month.eq(month.to_string()));
    query.one(db).await?.map(|row| period(&row)).transpose()
}

/// Lists a district's months that are closed or wanted closed, newest first.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn list(db: &impl ConnectionTrait, district_id: Id<District>) -> Result<Vec<Period>, Error> {
    let query = Entity::find().filter(Column::DistrictId.eq(district_id.uuid())).order_by_desc(Column::Month);
    query.all(db).await?.iter().map(period).collect()
}

/// Keeps a month, in place of what was known of it.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, period: &Period) -> Result<(), Error> {
    let (state, proposed_by, closed) = match period.state {
        State::Proposed { by } => ("proposed", by, None),
        State::Closed { proposed_by, by, at } => ("closed", proposed_by, Some((by, at))),
    };
    let row = ActiveModel {
        district_id: Set(period.district_id.uuid()),
        month: Set(period.month.to_string()),
        ends_at: Set(period.month.ends_at()),
        state: Set(state.to_owned()),
        proposed_by: Set(proposed_by.uuid()),
        closed_by: Set(closed.map(|(by, _)| by.uuid())),
        closed_at: Set(closed.map(|(_, at)| at)),
        journal_count: Set(period.journal_count),
        debit_fen: Set(period.debit.get()),
    };
    let replace = OnConflict::columns([Column::DistrictId, Column::Month])
        .update_columns([
            Column::State,
            Column::ClosedBy,
            Column::ClosedAt,
            Column::JournalCount,
            Column::DebitFen,
        ])
        .to_owned();
    Entity::insert(row).on_conflict(replace).exec_without_returning(tx).await?;
    Ok(())
}

/// How many entries of a district are dated before a moment, and what they debit together.
///
/// # Errors
/// When the database refuses.
pub async fn totals(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    before: Moment,
) -> Result<(i64, Fen), Error> {
    let lines: sea_orm::RelationDef = journal::Entity::belongs_to(posting::Entity)
        .from(journal::Column::Id)
        .to(posting::Column::JournalId)
        .into();
    let row: Option<(i64, i64)> = journal::Entity::find()
        .select_only()
        .column_as(Expr::cust("count(distinct journal.id)"), "journals")
        // PostgreSQL sums bigint as numeric.
        .column_as(Expr::cust("cast(coalesce(sum(posting.debit_fen), 0) as bigint)"), "debit")
        .join(JoinType::InnerJoin, lines)
        .filter(journal::Column::DistrictId.eq(district_id.uuid()))
        .filter(journal::Column::CreatedAt.lt(before))
        .into_tuple()
        .one(db)
        .await?;
    Ok(row.map_or((0, Fen::ZERO), |(count, debit)| (count, Fen::new(debit))))
}

/// Whether an entry of a district dated before a moment is not in the chain yet.
///
/// # Errors
/// When the database refuses.
pub async fn has_unsealed(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    before: Moment,
) -> Result<bool, Error> {
    let entry: sea_orm::RelationDef = journal::Entity::belongs_to(journal_unsealed::Entity)
        .from(journal::Column::Id)
        .to(journal_unsealed::Column::JournalId)
        .into();
    let found = journal::Entity::find()
        .join(JoinType::InnerJoin, entry)
        .filter(journal::Column::DistrictId.eq(district_id.uuid()))
        .filter(journal::Column::CreatedAt.lt(before))
        .one(db)
        .await?;
    Ok(found.is_some())
}

fn month(row: &Model) -> Result<Month, Error> {
    code::word("period", row.district_id, "month", &row.month, |text| text.parse().ok())
}

fn period(row: &Model) -> Result<Period, Error> {
    let id = row.district_id;
    let proposed_by = Id::new(row.proposed_by);
    let state = match row.state.as_str() {
        "proposed" => State::Proposed { by: proposed_by },
        "closed" => State::Closed {
            proposed_by,
            by: Id::new(code::given("period", id, "closed_by", row.closed_by)?),
            at: code::given("period", id, "closed_at", row.closed_at)?,
        },
        other => return Err(Error::inconsistent("period", id, format!("state is {other:?}"))),
    };
    Ok(Period {
        district_id: Id::new(id),
        month: month(row)?,
        state,
        journal_count: row.journal_count,
        debit: Fen::new(row.debit_fen),
    })
}
