//! Tickets, their numbers, and what was done with them.

use chrono::NaiveDate;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{District, Guardian, Id, Moment, Page, Ticket as TicketKind};
use uuid::Uuid;

use super::entity::{entry, ticket, ticket_day};
use crate::domain::school::SchoolPath;
use crate::domain::ticket::{
    Action, Complainant, Handler, HandlerRole, Kind, Limits, State, Subject, Ticket,
};

/// The place of a ticket in a list, newest first: when it came, then its id.
pub type Key = (Moment, Uuid);

/// What a ticket is besides the part the rules see. Text is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The ticket's id.
    pub id: Id<TicketKind>,
    /// Its number for people.
    pub number: String,
    /// What it is.
    pub kind: Kind,
    /// What it is about.
    pub subject: Subject,
    /// The bureau's section it was routed to.
    pub section: Option<String>,
    /// What the complainant wrote, sealed.
    pub text_sealed: Vec<u8>,
    /// How to reach them, sealed.
    pub contact_sealed: Option<Vec<u8>>,
    /// When it came.
    pub created_at: Moment,
}

/// One thing that was done. Text is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place among what was done with the ticket, from 1 up.
    pub number: i32,
    /// What was done.
    pub action: Action,
    /// The role of who did it, or `complainant`.
    pub actor_role: String,
    /// Who it was; never shown.
    pub actor_key: String,
    /// The words that came with it, sealed.
    pub text_sealed: Option<Vec<u8>>,
    /// When.
    pub created_at: Moment,
}

/// Which tickets a caller may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A guardian's own.
    Guardian(Id<Guardian>),
    /// Those below one of the places, or with one of the handlers.
    Staff {
        /// Paths of one to three nodes; others see nothing.
        below: Vec<Vec<Uuid>>,
        /// Those the caller answers for.
        handlers: Vec<Handler>,
    },
}

/// Which of them are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Only in this state.
    pub state: Option<&'static str>,
    /// Only routed to this section.
    pub section: Option<String>,
    /// Only late at this moment.
    pub late_at: Option<Moment>,
}

/// Gives the next number of a day: `20260901-000123`. The day's row is locked until the end of `tx`.
///
/// # Errors
/// When the database refuses.
pub async fn next_number(tx: &Tx, day: NaiveDate) -> Result<String, Error> {
    let first = ticket_day::ActiveModel { day: Set(day), last_number: Set(1) };
    let mut count_up = OnConflict::column(ticket_day::Column::Day);
    let last = sea_orm::sea_query::Expr::col((ticket_day::Entity, ticket_day::Column::LastNumber));
    count_up.value(ticket_day::Column::LastNumber, sea_orm::ExprTrait::add(last, 1));
    ticket_day::Entity::insert(first).on_conflict(count_up).exec_without_returning(tx).await?;
    let row = ticket_day::Entity::find_by_id(day).one(tx).await?;
    let row = row.ok_or_else(|| Error::inconsistent("ticket_day", day, "written and not there"))?;
    Ok(format!("{}-{:06}", day.format("%Y%m%d"), row.last_number))
}

/// Writes a new ticket.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, sheet: &Sheet, ticket: &Ticket) -> Result<(), Error> {
    let guardian_id = match ticket.complainant {
        Complainant::Guardian(id) => Some(id.uuid()),
        Complainant::Anonymous => None,
    };
    let row = ticket::ActiveModel {
        district_id: Set(ticket.school.district_id.uuid()),
        id: Set(sheet.id.uuid()),
        number: Set(sheet.number.clone()),
        town_id: Set(ticket.school.town_id.uuid()),
        school_id: Set(ticket.school.school_id.uuid()),
        kind: Set(kind_word(sheet.kind).to_owned()),
        subject: Set(subject_word(sheet.subject).to_owned()),
        section: Set(sheet.section.clone()),
        text_sealed: Set(sheet.text_sealed.clone()),
        contact_sealed: Set(sheet.contact_sealed.clone()),
        guardian_id: Set(guardian_id),
        created_at: Set(sheet.created_at),
        ..changing(ticket)
    };
    ticket::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Saves what rules changed of a locked ticket.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, id: Id<TicketKind>, next: &Ticket) -> Result<(), Error> {
    let row = ticket::ActiveModel {
        district_id: Set(next.school.district_id.uuid()),
        id: Set(id.uuid()),
        ..changing(next)
    };
    ticket::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// The columns that change over a ticket's life.
fn changing(ticket: &Ticket) -> ticket::ActiveModel {
    let handler = ticket.handler();
    ticket::ActiveModel {
        state: Set(ticket.state.word().to_owned()),
        handler_role: Set(handler.map(|handler| handler.role.word().to_owned())),
        handler_node_id: Set(handler.map(|handler| handler.node_id.uuid())),
        accept_due_at: Set(ticket.limits.accept_due_at),
        reply_due_at: Set(ticket.limits.reply_due_at),
        was_late: Set(ticket.limits.was_late),
        stars: Set(ticket.stars),
        reopened_count: Set(ticket.reopened_count),
        ..Default::default()
    }
}

/// Finds a ticket and locks it.
///
/// # Errors
/// When the database refuses or the row is broken.
pub async fn lock(tx: &Tx, id: Id<TicketKind>) -> Result<Option<(Sheet, Ticket)>, Error> {
    let select = ticket::Entity::find().filter(ticket::Column::Id.eq(id.uuid()));
    select.lock_exclusive().one(tx).await?.map(read).transpose()
}

/// Finds a ticket by its number and locks it.
///
/// # Errors
/// When the database refuses or the row is broken.
pub async fn lock_number(tx: &Tx, number: &str) -> Result<Option<(Sheet, Ticket)>, Error> {
    let select = ticket::Entity::find().filter(ticket::Column::Number.eq(number));
    select.lock_exclusive().one(tx).await?.map(read).transpose()
}

/// Finds a ticket.
///
/// # Errors
/// When the database refuses or the row is broken.
pub async fn find(db: &impl ConnectionTrait, id: Id<TicketKind>) -> Result<Option<(Sheet, Ticket)>, Error> {
    ticket::Entity::find().filter(ticket::Column::Id.eq(id.uuid())).one(db).await?.map(read).transpose()
}

/// Finds a ticket by its number.
///
/// # Errors
/// When the database refuses or the row is broken.
pub async fn find_number(db: &impl ConnectionTrait, number: &str) -> Result<Option<(Sheet, Ticket)>, Error> {
    ticket::Entity::find().filter(ticket::Column::Number.eq(number)).one(db).await?.map(read).transpose()
}

/// How many tickets a guardian submitted since a moment.
///
/// # Errors
/// When the database refuses.
pub async fn count_since(tx: &Tx, guardian_id: Id<Guardian>, since: Moment) -> Result<u64, Error> {
    let select = ticket::Entity::find()
        .filter(ticket::Column::GuardianId.eq(guardian_id.uuid()))
        .filter(ticket::Column::CreatedAt.gte(since));
    Ok(select.count(tx).await?)
}

/// A page of tickets, newest first; at most one more than the page's size, which says that there is a next one.
///
/// # Errors
/// When the database refuses or a row is broken.
pub async fn list(
    db: &impl ConnectionTrait,
    scope: &Scope,
    asked: &Asked,
    page: &Page<Key>,
) -> Result<Vec<(Sheet, Ticket)>, Error> {
    let mut select = ticket::Entity::find().filter(within(scope));
    if let Some(state) = asked.state {
        select = select.filter(ticket::Column::State.eq(state));
    }
    if let Some(section) = &asked.section {
        select = select.filter(ticket::Column::Section.eq(section));
    }
    if let Some(now) = asked.late_at {
        select = select.filter(late(now));
    }
    if let Some((at, id)) = &page.after {
        let same = Condition::all().add(ticket::Column::CreatedAt.eq(*at)).add(ticket::Column::Id.lt(*id));
        select = select.filter(Condition::any().add(ticket::Column::CreatedAt.lt(*at)).add(same));
    }
    let rows = select
        .order_by_desc(ticket::Column::CreatedAt)
        .order_by_desc(ticket::Column::Id)
        .limit(page.size + 1)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// The one place that says whose tickets a query sees.
fn within(scope: &Scope) -> Condition {
    match scope {
        Scope::Guardian(id) => Condition::all().add(ticket::Column::GuardianId.eq(id.uuid())),
        Scope::Staff { below, handlers } => {
            let places = below.iter().map(|path| match path.as_slice() {
                [district] => Condition::all().add(ticket::Column::DistrictId.eq(*district)),
                [district, town] => Condition::all()
                    .add(ticket::Column::DistrictId.eq(*district))
                    .add(ticket::Column::TownId.eq(*town)),
                [district, _, school] => Condition::all()
                    .add(ticket::Column::DistrictId.eq(*district))
                    .add(ticket::Column::SchoolId.eq(*school)),
                // Below a school there are no tickets, and nobody who asks stands above all districts.
                [] | [_, _, _, _, ..] => Condition::all().add(ticket::Column::Id.is_null()),
            });
            let handled = handlers.iter().map(|handler| {
                Condition::all()
                    .add(ticket::Column::HandlerRole.eq(handler.role.word()))
                    .add(ticket::Column::HandlerNodeId.eq(handler.node_id.uuid()))
            });
            // `any` of nothing is nothing: who reaches no place sees no ticket.
            places.chain(handled).fold(Condition::any().add(ticket::Column::Id.is_null()), Condition::add)
        }
    }
}

/// What `Ticket::is_late` says, for rows.
fn late(now: Moment) -> Condition {
    let unaccepted =
        Condition::all().add(ticket::Column::State.eq("submitted")).add(ticket::Column::AcceptDueAt.lte(now));
    let unanswered = Condition::all()
        .add(ticket::Column::State.is_in(["accepted", "assigned", "returned"]))
        .add(ticket::Column::ReplyDueAt.lte(now));
    Condition::any().add(ticket::Column::WasLate.eq(true)).add(unaccepted).add(unanswered)
}

/// The number of the next thing done to a locked ticket.
///
/// # Errors
/// When the database refuses.
pub async fn next_entry_number(tx: &Tx, id: Id<TicketKind>) -> Result<i32, Error> {
    let count = entry::Entity::find().filter(entry::Column::TicketId.eq(id.uuid())).count(tx).await?;
    i32::try_from(count + 1).map_err(|error| Error::inconsistent("entry", id, error))
}

/// Adds one thing that was done to a locked ticket.
///
/// # Errors
/// When the database refuses.
pub async fn add_entry(
    tx: &Tx,
    district_id: Id<District>,
    ticket_id: Id<TicketKind>,
    done: &Entry,
) -> Result<(), Error> {
    let row = entry::ActiveModel {
        district_id: Set(district_id.uuid()),
        ticket_id: Set(ticket_id.uuid()),
        number: Set(done.number),
        action: Set(done.action.word().to_owned()),
        actor_role: Set(done.actor_role.clone()),
        actor_key: Set(done.actor_key.clone()),
        text_sealed: Set(done.text_sealed.clone()),
        created_at: Set(done.created_at),
    };
    entry::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Everything that was done with a ticket, in order.
///
/// # Errors
/// When the database refuses or a row is broken.
pub async fn entries(db: &impl ConnectionTrait, id: Id<TicketKind>) -> Result<Vec<Entry>, Error> {
    let select = entry::Entity::find().filter(entry::Column::TicketId.eq(id.uuid()));
    let rows = select.order_by_asc(entry::Column::Number).all(db).await?;
    rows.into_iter().map(read_entry).collect()
}

/// Reads a row; the same for the check over all rows.
pub(super) fn read_entry(row: entry::Model) -> Result<Entry, Error> {
    let action = Action::from_word(&row.action);
    let action = action.ok_or_else(|| Error::inconsistent("entry", row.ticket_id, "an unknown action"))?;
    Ok(Entry {
        number: row.number,
        action,
        actor_role: row.actor_role,
        actor_key: row.actor_key,
        text_sealed: row.text_sealed,
        created_at: row.created_at,
    })
}

/// Reads a row; the same for the check over all rows.
pub(super) fn read(row: ticket::Model) -> Result<(Sheet, Ticket), Error> {
    let broken = |why: &str| Error::inconsistent("ticket", row.id, why);
    let handler = match (row.handler_role.as_deref(), row.handler_node_id) {
        (Some(word), Some(node_id)) => {
            let role = HandlerRole::from_word(word).ok_or_else(|| broken("an unknown handler"))?;
            Some(Handler { role, node_id: Id::new(node_id) })
        }
        (None, None) => None,
        _ => return Err(broken("half a handler")),
    };
    let state = match (row.state.as_str(), handler) {
        ("submitted", None) => State::Submitted,
        ("accepted", None) => State::Accepted,
        ("assigned", Some(handler)) => State::Assigned { handler },
        ("returned", Some(handler)) => State::Returned { handler },
        ("replied", Some(handler)) => State::Replied { handler },
        ("closed", Some(handler)) => State::Closed { handler },
        _ => return Err(broken("state and handler do not go together")),
    };
    let kind = match row.kind.as_str() {
        "complaint" => Kind::Complaint,
        "suggestion" => Kind::Suggestion,
        _ => return Err(broken("an unknown kind")),
    };
    let subject = SUBJECTS.into_iter().find(|subject| subject_word(*subject) == row.subject);
    let subject = subject.ok_or_else(|| broken("an unknown subject"))?;
    let ticket = Ticket {
        school: SchoolPath {
            district_id: Id::new(row.district_id),
            town_id: Id::new(row.town_id),
            school_id: Id::new(row.school_id),
        },
        complainant: row.guardian_id.map_or(Complainant::Anonymous, |id| Complainant::Guardian(Id::new(id))),
        state,
        limits: Limits {
            accept_due_at: row.accept_due_at,
            reply_due_at: row.reply_due_at,
            was_late: row.was_late,
        },
        stars: row.stars,
        reopened_count: row.reopened_count,
    };
    let sheet = Sheet {
        id: Id::new(row.id),
        number: row.number,
        kind,
        subject,
        section: row.section,
        text_sealed: row.text_sealed,
        contact_sealed: row.contact_sealed,
        created_at: row.created_at,
    };
    Ok((sheet, ticket))
}

const SUBJECTS: [Subject; 6] = [
    Subject::Fees,
    Subject::Safety,
    Subject::Teaching,
    Subject::Provider,
    Subject::ForcedParticipation,
    Subject::Other,
];

const fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Complaint => "complaint",
        Kind::Suggestion => "suggestion",
    }
}

const fn subject_word(subject: Subject) -> &'static str {
    match subject {
        Subject::Fees => "fees",
        Subject::Safety => "safety",
        Subject::Teaching => "teaching",
        Subject::Provider => "provider",
        Subject::ForcedParticipation => "forced_participation",
        Subject::Other => "other",
    }
}
