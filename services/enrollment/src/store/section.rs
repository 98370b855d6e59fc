//! Sections, and how full they are.

use chrono::NaiveDate;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Statement,
};
use serde::{Deserialize, Serialize};
use shared::db::{Error, Kind, Tx};
use shared::value::{District, Id, School, Section as SectionKind, Term};
use uuid::Uuid;

use super::entity::{section, term};
use super::many::among;
use super::{from_json, to_json};
use crate::domain::section::{Seats, Section, Slot, State};

const TABLE: &str = "section";

/// A slot as its JSON column keeps it.
#[derive(Serialize, Deserialize)]
struct SlotJson {
    id: Uuid,
    weekday: i32,
    start_minute: i32,
    end_minute: i32,
}

/// Locks sections in the order of their ids; those not known are left out.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn lock(tx: &Tx, ids: impl IntoIterator<Item = Id<SectionKind>>) -> Result<Vec<Section>, Error> {
    // The statement that locks gives the newest committed counters: what was read before a wait would be stale.
    let rows = section::Entity::find()
        .filter(among(tx, section::Entity, section::Column::Id, ids.into_iter().map(Id::uuid)))
        .order_by_asc(section::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Finds a section.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find(db: &impl ConnectionTrait, id: Id<SectionKind>) -> Result<Option<Section>, Error> {
    let row = section::Entity::find().filter(section::Column::Id.eq(id.uuid())).one(db).await?;
    row.map(read).transpose()
}

/// Finds sections, in no order; those not known are left out.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn find_all(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = Id<SectionKind>>,
) -> Result<Vec<Section>, Error> {
    let ids: Vec<_> = ids.into_iter().map(Id::uuid).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows =
        section::Entity::find().filter(among(db, section::Entity, section::Column::Id, ids)).all(db).await?;
    rows.into_iter().map(read).collect()
}

/// Lists the published sections of a term, by id.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_published(db: &impl ConnectionTrait, term_id: Id<Term>) -> Result<Vec<Section>, Error> {
    let rows = section::Entity::find()
        .filter(section::Column::TermId.eq(term_id.uuid()))
        .filter(section::Column::State.eq("published"))
        .order_by_asc(section::Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Lists the published sections of every term that has `day` between its first and its last, by id.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_published_on(db: &impl ConnectionTrait, day: NaiveDate) -> Result<Vec<Section>, Error> {
    let terms = Query::select()
        .column(term::Column::Id)
        .from(term::Entity)
        .and_where(term::Column::FirstDay.lte(day))
        .and_where(term::Column::LastDay.gte(day))
        .to_owned();
    let rows = section::Entity::find()
        .filter(section::Column::TermId.in_subquery(terms))
        .filter(section::Column::State.eq("published"))
        .order_by_asc(section::Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Lists all sections of a school, by id; cancelled ones too.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_of_school(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    school_id: Id<School>,
) -> Result<Vec<Section>, Error> {
    let rows = section::Entity::find()
        .filter(section::Column::DistrictId.eq(district_id.uuid()))
        .filter(section::Column::SchoolId.eq(school_id.uuid()))
        .order_by_asc(section::Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Counts the published sections of a term.
///
/// # Errors
/// When the database refuses.
pub async fn count_published(db: &impl ConnectionTrait, term_id: Id<Term>) -> Result<u64, Error> {
    let published = section::Entity::find()
        .filter(section::Column::TermId.eq(term_id.uuid()))
        .filter(section::Column::State.eq("published"));
    Ok(published.count(db).await?)
}

/// Finds sections with a free seat and somebody in line, by id, those after `after`, at most `limit`.
///
/// # Errors
/// When the database refuses.
pub async fn list_promotable(
    db: &impl ConnectionTrait,
    after: Option<Id<SectionKind>>,
    limit: u64,
) -> Result<Vec<Id<SectionKind>>, Error> {
    use sea_orm::ExprTrait as _;
    use sea_orm::sea_query::Expr;
    let mut promotable = section::Entity::find()
        .select_only()
        .column(section::Column::Id)
        .filter(section::Column::State.eq("published"))
        .filter(section::Column::WaitlistedCount.gt(0));
    if let Some(after) = after {
        promotable = promotable.filter(section::Column::Id.gt(after.uuid()));
    }
    let ids: Vec<Uuid> = promotable
        .filter(
            Expr::col(section::Column::TakenCount)
                .add(Expr::col(section::Column::PromisedCount))
                .lt(Expr::col(section::Column::CapacityCount)),
        )
        .order_by_asc(section::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    Ok(ids.into_iter().map(Id::new).collect())
}

/// Keeps a published section; one told again stays as it is.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, section: &Section) -> Result<(), Error> {
    let slots: Vec<_> = section
        .slots
        .iter()
        .map(|slot| SlotJson {
            id: slot.id.uuid(),
            weekday: slot.weekday,
            start_minute: slot.start_minute,
            end_minute: slot.end_minute,
        })
        .collect();
    let (state, cancel_reason) = state_text(&section.state);
    let row = section::ActiveModel {
        district_id: Set(section.district_id.uuid()),
        id: Set(section.id.uuid()),
        school_id: Set(section.school_id.uuid()),
        path: Set(to_json(&section.path, TABLE, section.id)?),
        term_id: Set(section.term_id.uuid()),
        title: Set(section.title.clone()),
        provider_id: Set(section.provider_id.map(Id::uuid)),
        grades: Set(to_json(&section.grades, TABLE, section.id)?),
        slots: Set(to_json(&slots, TABLE, section.id)?),
        capacity_count: Set(section.seats.capacity_count),
        taken_count: Set(section.seats.taken_count),
        waitlisted_count: Set(section.seats.waitlisted_count),
        last_waitlist_number: Set(section.seats.last_waitlist_number),
        promised_count: Set(section.seats.promised_count),
        basic_care: Set(section.seats.basic_care),
        extended_care: Set(section.extended_care),
        left_over: Set(section.left_over),
        state: Set(state.to_owned()),
        cancel_reason: Set(cancel_reason),
    };
    section::Entity::insert(row)
        .on_conflict_do_nothing_on([section::Column::DistrictId, section::Column::Id])
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Keeps where a section stands.
///
/// # Errors
/// When the database refuses.
pub async fn save_state(tx: &Tx, section: &Section) -> Result<(), Error> {
    let (state, cancel_reason) = state_text(&section.state);
    let row = section::ActiveModel {
        district_id: Set(section.district_id.uuid()),
        id: Set(section.id.uuid()),
        state: Set(state.to_owned()),
        cancel_reason: Set(cancel_reason),
        ..Default::default()
    };
    section::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// Keeps that all sections of a term are drawn from now on, also those that came too late for the lists before.
///
/// # Errors
/// When the database refuses.
pub async fn take_into_draw(tx: &Tx, term_id: Id<Term>) -> Result<(), Error> {
    use sea_orm::sea_query::Expr;
    section::Entity::update_many()
        .col_expr(section::Column::LeftOver, Expr::value(false))
        .filter(section::Column::TermId.eq(term_id.uuid()))
        .filter(section::Column::LeftOver.eq(true))
        .exec(tx)
        .await?;
    Ok(())
}

/// A section's counters as the batch statement takes them. Ids without hyphens: both databases read these.
#[derive(Serialize)]
struct SeatsJson {
    id: String,
    taken_count: i32,
    waitlisted_count: i32,
    last_waitlist_number: i64,
    promised_count: i32,
}

/// Keeps the counters of locked sections, all in one statement.
///
/// # Errors
/// When the database refuses: a check holds the counters within the capacity.
pub async fn save_seats(tx: &Tx, sections: impl IntoIterator<Item = &Section>) -> Result<(), Error> {
    let rows: Vec<_> = sections
        .into_iter()
        .map(|section| SeatsJson {
            id: section.id.uuid().simple().to_string(),
            taken_count: section.seats.taken_count,
            waitlisted_count: section.seats.waitlisted_count,
            last_waitlist_number: section.seats.last_waitlist_number,
            promised_count: section.seats.promised_count,
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let sql = match tx.kind() {
        Kind::Postgres => {
            "update section set taken_count = s.taken_count, waitlisted_count = s.waitlisted_count, \
             last_waitlist_number = s.last_waitlist_number, promised_count = s.promised_count \
             from jsonb_to_recordset(cast($1 as text)::jsonb) \
             as s (id uuid, taken_count integer, waitlisted_count integer, last_waitlist_number bigint, \
             promised_count integer) \
             where section.id = s.id"
        }
        Kind::Sqlite => {
            "update section set taken_count = s.value ->> 'taken_count', \
             waitlisted_count = s.value ->> 'waitlisted_count', \
             last_waitlist_number = s.value ->> 'last_waitlist_number', \
             promised_count = s.value ->> 'promised_count' \
             from json_each($1) as s where section.id = unhex(s.value ->> 'id')"
        }
    };
    let json = to_json(&rows, TABLE, "counters")?.to_string();
    let updated = tx
        .execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, [json.into()]))
        .await?
        .rows_affected();
    if usize::try_from(updated).ok() == Some(rows.len()) {
        return Ok(());
    }
    Err(Error::inconsistent(TABLE, "counters", format!("{updated} of {} rows were kept", rows.len())))
}

fn state_text(state: &State) -> (&'static str, String) {
    match state {
        State::Published => ("published", String::new()),
        State::Cancelled { reason } => ("cancelled", reason.clone()),
    }
}

fn read(row: section::Model) -> Result<Section, Error> {
    let slots: Vec<SlotJson> = from_json(row.slots, TABLE, row.id)?;
    Ok(Section {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        path: from_json(row.path, TABLE, row.id)?,
        term_id: Id::new(row.term_id),
        title: row.title,
        provider_id: row.provider_id.map(Id::new),
        grades: from_json(row.grades, TABLE, row.id)?,
        slots: slots
            .into_iter()
            .map(|slot| Slot {
                weekday: slot.weekday,
                start_minute: slot.start_minute,
                end_minute: slot.end_minute,
                id: Id::new(slot.id),
            })
            .collect(),
        seats: Seats {
            capacity_count: row.capacity_count,
            taken_count: row.taken_count,
            waitlisted_count: row.waitlisted_count,
            last_waitlist_number: row.last_waitlist_number,
            promised_count: row.promised_count,
            basic_care: row.basic_care,
        },
        extended_care: row.extended_care,
        left_over: row.left_over,
        state: match row.state.as_str() {
            "published" => State::Published,
            "cancelled" => State::Cancelled { reason: row.cancel_reason },
            _ => return Err(Error::inconsistent(TABLE, row.id, "its state is unknown")),
        },
    })
}
