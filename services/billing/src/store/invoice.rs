//! Invoices.

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use shared::db::Tx;
use shared::value::{Enrollment, Fen, Id, Invoice as InvoiceKind, Moment, Page, Pupil, Section, Term};
use uuid::Uuid;

use super::code::ClauseJson;
use super::entity::invoice::{ActiveModel, Column, Entity, Model};
use super::{Error, code};
use crate::domain::invoice::{Invoice, State};
use crate::domain::refusal::Clause;

/// The key of a list that shows the newest first.
pub type NewestKey = (Moment, Uuid);

/// Adds an invoice.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, invoice: &Invoice) -> Result<(), Error> {
    Entity::insert(row(invoice)).exec_without_returning(tx).await?;
    Ok(())
}

/// Saves an invoice that is locked.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, invoice: &Invoice) -> Result<(), Error> {
    Entity::update(row(invoice)).exec(tx).await?;
    Ok(())
}

/// Finds the invoice of an enrollment.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn of_enrollment(db: &impl ConnectionTrait, id: Id<Enrollment>) -> Result<Option<Invoice>, Error> {
    Entity::find().filter(Column::EnrollmentId.eq(id.uuid())).one(db).await?.map(invoice).transpose()
}

/// Finds an invoice.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn find(db: &impl ConnectionTrait, id: Id<InvoiceKind>) -> Result<Option<Invoice>, Error> {
    Entity::find().filter(Column::Id.eq(id.uuid())).one(db).await?.map(invoice).transpose()
}

/// Locks a pupil's invoices of a term; gives them in the order they were issued. The pupil is locked before.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn lock_all(tx: &Tx, pupil_id: Id<Pupil>, term_id: Id<Term>) -> Result<Vec<Invoice>, Error> {
    let rows = Entity::find()
        .filter(Column::PupilId.eq(pupil_id.uuid()))
        .filter(Column::TermId.eq(term_id.uuid()))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(tx)
        .await?;
    let mut invoices = rows.into_iter().map(invoice).collect::<Result<Vec<_>, _>>()?;
    invoices.sort_by_key(|invoice| (invoice.created_at, invoice.id));
    Ok(invoices)
}

/// Finds a pupil's invoices of a term, in the order they were issued, without locking them.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn of_term(
    db: &impl ConnectionTrait,
    pupil_id: Id<Pupil>,
    term_id: Id<Term>,
) -> Result<Vec<Invoice>, Error> {
    let rows = Entity::find()
        .filter(Column::PupilId.eq(pupil_id.uuid()))
        .filter(Column::TermId.eq(term_id.uuid()))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(invoice).collect()
}

/// Lists a pupil's invoices, newest first; one more than asked for when there is a next page.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn list(
    db: &impl ConnectionTrait,
    pupil_id: Id<Pupil>,
    page: &Page<NewestKey>,
) -> Result<Vec<Invoice>, Error> {
    let mut query = Entity::find().filter(Column::PupilId.eq(pupil_id.uuid()));
    if let Some((created_at, id)) = page.after {
        query = query.filter(
            Condition::any()
                .add(Column::CreatedAt.lt(created_at))
                .add(Condition::all().add(Column::CreatedAt.eq(created_at)).add(Column::Id.lt(id))),
        );
    }
    let rows =
        query.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(page.size + 1).all(db).await?;
    rows.into_iter().map(invoice).collect()
}

/// The pupils who have open invoices, and the terms these are of.
///
/// # Errors
/// When the database refuses.
pub async fn terms_of_open(db: &impl ConnectionTrait, pupil_id: Id<Pupil>) -> Result<Vec<Id<Term>>, Error> {
    let rows: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::TermId)
        .distinct()
        .filter(Column::PupilId.eq(pupil_id.uuid()))
        .filter(Column::State.eq("open"))
        .order_by_asc(Column::TermId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(Id::new).collect())
}

/// The pupils with open invoices of a term that have no price yet.
///
/// # Errors
/// When the database refuses.
pub async fn unpriced_pupils(db: &impl ConnectionTrait, term_id: Id<Term>) -> Result<Vec<Id<Pupil>>, Error> {
    let rows: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::PupilId)
        .distinct()
        .filter(Column::TermId.eq(term_id.uuid()))
        .filter(Column::State.eq("open"))
        .filter(Column::PriceFen.is_null())
        .order_by_asc(Column::PupilId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(Id::new).collect())
}

/// Whether a section has an invoice with a price, whatever became of it.
///
/// # Errors
/// When the database refuses.
pub async fn is_billed(db: &impl ConnectionTrait, section_id: Id<Section>) -> Result<bool, Error> {
    let billed = Entity::find()
        .filter(Column::SectionId.eq(section_id.uuid()))
        .filter(Column::PriceFen.is_not_null())
        .one(db)
        .await?;
    Ok(billed.is_some())
}

/// Open invoices, at most `limit`, to which a granted waiver is still to be applied.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn waiver_due(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<Invoice>, Error> {
    let rows = Entity::find()
        .filter(Column::IsWaiverDue.eq(true))
        .order_by_asc(Column::Id)
        .limit(limit)
        .all(db)
        .await?;
    rows.into_iter().map(invoice).collect()
}

fn row(invoice: &Invoice) -> ActiveModel {
    let (state, due_at, ended_at) = match invoice.state {
        State::Open { due_at } => ("open", Some(due_at), None),
        State::Settled { at } => ("settled", None, Some(at)),
        State::Closed { at } => ("closed", None, Some(at)),
    };
    let clauses: Vec<_> = invoice.clauses.iter().map(ClauseJson::from).collect();
    ActiveModel {
        id: Set(invoice.id.uuid()),
        district_id: Set(invoice.district_id.uuid()),
        school_id: Set(invoice.school_id.uuid()),
        enrollment_id: Set(invoice.enrollment_id.uuid()),
        pupil_id: Set(invoice.pupil_id.uuid()),
        term_id: Set(invoice.term_id.uuid()),
        section_id: Set(invoice.section_id.uuid()),
        guardian_id: Set(invoice.guardian_id.uuid()),
        title: Set(invoice.title.clone()),
        created_at: Set(invoice.created_at),
        state: Set(state.to_owned()),
        due_at: Set(due_at),
        ended_at: Set(ended_at),
        price_fen: Set(invoice.price.map(Fen::get)),
        waived_fen: Set(invoice.waived.get()),
        waiver_category: Set(invoice.waiver_category.clone()),
        clauses: Set(code::list(&clauses)),
        paid_fen: Set(invoice.paid.get()),
        refunded_fen: Set(invoice.refunded.get()),
        reversed_fen: Set(invoice.reversed.get()),
        released_at: Set(invoice.released_at),
        charged_until: Set(invoice.charged_until),
        is_refund_undecided: Set(invoice.is_refund_undecided),
        is_waiver_due: Set(invoice.is_waiver_due),
        reprice_count: Set(invoice.reprice_count),
    }
}

fn invoice(row: Model) -> Result<Invoice, Error> {
    let id = row.id;
    let state = match row.state.as_str() {
        "open" => State::Open { due_at: code::given("invoice", id, "due_at", row.due_at)? },
        "settled" => State::Settled { at: code::given("invoice", id, "ended_at", row.ended_at)? },
        "closed" => State::Closed { at: code::given("invoice", id, "ended_at", row.ended_at)? },
        other => return Err(Error::inconsistent("invoice", id, format!("state is {other:?}"))),
    };
    let clauses = code::read_list::<ClauseJson>("invoice", id, "clauses", row.clauses)?;
    Ok(Invoice {
        id: Id::new(id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        enrollment_id: Id::new(row.enrollment_id),
        pupil_id: Id::new(row.pupil_id),
        term_id: Id::new(row.term_id),
        section_id: Id::new(row.section_id),
        guardian_id: Id::new(row.guardian_id),
        title: row.title,
        created_at: row.created_at,
        state,
        price: code::fen(row.price_fen),
        waived: Fen::new(row.waived_fen),
        waiver_category: row.waiver_category,
        clauses: clauses.into_iter().map(Clause::from).collect(),
        paid: Fen::new(row.paid_fen),
        refunded: Fen::new(row.refunded_fen),
        reversed: Fen::new(row.reversed_fen),
        released_at: row.released_at,
        charged_until: row.charged_until,
        is_refund_undecided: row.is_refund_undecided,
        is_waiver_due: row.is_waiver_due,
        reprice_count: row.reprice_count,
    })
}
