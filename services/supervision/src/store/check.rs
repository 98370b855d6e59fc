//! What must hold over all rows, whatever happened: looked at in a live or a stopped database.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sea_orm::{
    AccessMode, ConnectionTrait as _, DatabaseTransaction, DbErr, EntityTrait as _, IsolationLevel,
    QueryOrder as _, Statement, TransactionOptions, TransactionTrait as _,
};
use shared::db::{Db, Kind};
use uuid::Uuid;

use super::entity::{entry, ticket, ticket_day};
use super::ticket as tickets;
use crate::domain::ticket::{Action, State};

pub use shared::check::Checked;

/// A ticket, as far as invariants ask for it.
struct Seen {
    id: Uuid,
    number: String,
    /// None when the row breaks a promise of its own.
    state: Option<State>,
    /// The entries' numbers and actions, in order; no action when the row breaks a promise.
    done: Vec<(i32, Option<Action>)>,
    /// Names of the events told about it.
    told: Vec<String>,
}

impl Seen {
    fn has_told_each(&self, action: Action, name: &str) -> bool {
        let done = self.done.iter().filter(|(_, done)| *done == Some(action)).count();
        done == self.told.iter().filter(|told| *told == name).count()
    }
}

/// Looks at every invariant of supervision.
///
/// # Errors
/// When the database cannot be read.
pub async fn check(db: &Db) -> Result<Vec<Checked>, DbErr> {
    let still = standstill(db).await?;
    let tickets = seen(&still).await?;
    let days = ticket_day::Entity::find().all(&still).await?;
    let days: BTreeMap<NaiveDate, i64> = days.into_iter().map(|day| (day.day, day.last_number)).collect();
    let over_tickets = |invariant, holds: &dyn Fn(&Seen) -> bool| Checked {
        invariant,
        looked_at: tickets.len() as u64,
        broken: tickets.iter().filter(|seen| !holds(seen)).map(|seen| seen.id.to_string()).collect(),
    };
    Ok(vec![
        over_tickets("rows_keep_their_promises", &|seen| {
            seen.state.is_some() && seen.done.iter().all(|(_, action)| action.is_some())
        }),
        over_tickets("entries_of_a_ticket_have_no_gap", &|seen| {
            seen.done.iter().zip(1..).all(|((number, _), place)| *number == place)
        }),
        over_tickets("a_ticket_begins_by_being_submitted", &|seen| {
            seen.done.first().is_some_and(|(_, action)| *action == Some(Action::Submitted))
        }),
        over_tickets(
            "a_ticket_is_where_its_last_entry_left_it",
            &|seen| match (seen.state, seen.done.last()) {
                (Some(state), Some((_, Some(action)))) => action.leaves(&state),
                _ => false,
            },
        ),
        over_tickets("a_number_was_given_out_on_its_day", &|seen| was_given_out(&days, &seen.number)),
        over_tickets("every_answer_was_told_once", &|seen| {
            seen.has_told_each(Action::Replied, "ticket_replied")
        }),
        over_tickets("every_end_was_told_once", &|seen| seen.has_told_each(Action::Closed, "ticket_closed")),
        feed(&still).await?,
    ])
}

/// All rows as they were at one moment, while others go on writing. A transaction of SQLite sees no later one anyway.
async fn standstill(db: &Db) -> Result<DatabaseTransaction, DbErr> {
    let options = match db.kind() {
        Kind::Postgres => TransactionOptions {
            isolation_level: Some(IsolationLevel::RepeatableRead),
            access_mode: Some(AccessMode::ReadOnly),
            ..TransactionOptions::default()
        },
        Kind::Sqlite => TransactionOptions::default(),
    };
    db.read().begin_with_options(options).await
}

/// Every ticket with what was done and told. Entries and events of no ticket cannot be: a foreign key and a transaction see to it.
async fn seen(db: &DatabaseTransaction) -> Result<Vec<Seen>, DbErr> {
    let mut done: BTreeMap<Uuid, Vec<(i32, Option<Action>)>> = BTreeMap::new();
    for row in entry::Entity::find().order_by_asc(entry::Column::Number).all(db).await? {
        let (ticket_id, number) = (row.ticket_id, row.number);
        let action = tickets::read_entry(row).ok().map(|entry| entry.action);
        done.entry(ticket_id).or_default().push((number, action));
    }
    let mut told: BTreeMap<Uuid, Vec<String>> = BTreeMap::new();
    for row in db.query_all_raw(statement(db, "select subject_id, name from event")).await? {
        told.entry(row.try_get_by("subject_id")?).or_default().push(row.try_get_by("name")?);
    }
    let rows = ticket::Entity::find().order_by_asc(ticket::Column::Id).all(db).await?;
    let seen = rows.into_iter().map(|row| {
        let (id, number) = (row.id, row.number.clone());
        Seen {
            id,
            number,
            state: tickets::read(row).ok().map(|(_, ticket)| ticket.state),
            done: done.remove(&id).unwrap_or_default(),
            told: told.remove(&id).unwrap_or_default(),
        }
    });
    Ok(seen.collect())
}

/// Whether a number such as `20260901-000123` is at most the last one of its day.
fn was_given_out(days: &BTreeMap<NaiveDate, i64>, number: &str) -> bool {
    let Some((day, place)) = number.split_once('-') else { return false };
    let (Ok(day), Ok(place)) = (NaiveDate::parse_from_str(day, "%Y%m%d"), place.parse::<i64>()) else {
        return false;
    };
    days.get(&day).is_some_and(|last| (1..=*last).contains(&place))
}

/// Positions are 1 to the last given out, each once.
async fn feed(db: &DatabaseTransaction) -> Result<Checked, DbErr> {
    let numbered =
        count(db, "select count(distinct position) as n from event where position is not null").await?;
    let highest = count(db, "select coalesce(max(position), 0) as n from event").await?;
    let last = count(db, "select last_position as n from feed_sequence").await?;
    let is_whole = numbered == highest && highest == last;
    let broken = format!("{numbered} events have positions up to {highest}; {last} were given out");
    let broken = if is_whole { Vec::new() } else { vec![broken] };
    Ok(Checked { invariant: "feed_positions_have_no_gap", looked_at: numbered, broken })
}

async fn count(db: &DatabaseTransaction, sql: &'static str) -> Result<u64, DbErr> {
    let row = db.query_one_raw(statement(db, sql)).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound(sql.to_owned()))?;
    let count: i64 = row.try_get_by("n")?;
    u64::try_from(count).map_err(|error| DbErr::Type(error.to_string()))
}

fn statement(db: &DatabaseTransaction, sql: &'static str) -> Statement {
    Statement::from_string(db.get_database_backend(), sql)
}
