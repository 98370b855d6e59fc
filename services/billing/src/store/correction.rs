//! Corrections of the ledger.

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use shared::db::Tx;
use shared::value::{Correction as CorrectionKind, District, Fen, Id, Journal, Page, School};

use super::entity::correction::{ActiveModel, Column, Entity as Corrections, Model};
use super::entity::{journal, posting};
use super::invoice::NewestKey;
use super::{Error, code};
use crate::domain::correction::{Content, Correction, State};
use crate::domain::ledger::{Account, Line};

/// The key that an entry is reversed once.
pub const ONE_REVERSAL: &str = "correction_journal_id_district_id_key";

/// The key that a case is resolved by one correction.
pub const ONE_PER_CASE: &str = "correction_case_id_district_id_key";

/// Adds a correction.
///
/// # Errors
/// When the database refuses: an entry is reversed once, a case is resolved by one correction.
pub async fn insert(tx: &Tx, correction: &Correction) -> Result<(), Error> {
    Corrections::insert(row(correction)).exec_without_returning(tx).await?;
    Ok(())
}

/// Saves a correction that is locked.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, correction: &Correction) -> Result<(), Error> {
    Corrections::update(row(correction)).exec(tx).await?;
    Ok(())
}

/// Locks a correction.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn lock(tx: &Tx, id: Id<CorrectionKind>) -> Result<Option<Correction>, Error> {
    let query = Corrections::find().filter(Column::Id.eq(id.uuid())).lock_exclusive();
    query.one(tx).await?.map(correction).transpose()
}

/// Lists a district's corrections, newest first; one more than asked for when there is a next page.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn list(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    page: &Page<NewestKey>,
) -> Result<Vec<Correction>, Error> {
    let mut query = Corrections::find().filter(Column::DistrictId.eq(district_id.uuid()));
    if let Some((created_at, id)) = page.after {
        query = query.filter(
            Condition::any()
                .add(Column::CreatedAt.lt(created_at))
                .add(Condition::all().add(Column::CreatedAt.eq(created_at)).add(Column::Id.lt(id))),
        );
    }
    let query = query.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(page.size + 1);
    query.all(db).await?.into_iter().map(correction).collect()
}

/// An entry that may be reversed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// Whether it is a correction itself.
    pub is_correction: bool,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// Finds an entry; none when there is no such entry.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn entry(db: &impl ConnectionTrait, id: Id<Journal>) -> Result<Option<Entry>, Error> {
    let found = journal::Entity::find().filter(journal::Column::Id.eq(id.uuid())).one(db).await?;
    let Some(found) = found else { return Ok(None) };
    let rows = posting::Entity::find()
        .filter(posting::Column::JournalId.eq(id.uuid()))
        .order_by_asc(posting::Column::LineNumber)
        .all(db)
        .await?;
    let line = |row: posting::Model| {
        let account = code::word("posting", id, "account", &row.account, Account::from_code)?;
        Ok(Line { account, amount: Fen::new(row.debit_fen - row.credit_fen) })
    };
    Ok(Some(Entry {
        district_id: Id::new(found.district_id),
        school_id: Id::new(found.school_id),
        is_correction: found.kind == "corrected",
        lines: rows.into_iter().map(line).collect::<Result<_, Error>>()?,
    }))
}

fn row(one: &Correction) -> ActiveModel {
    let (journal_id, debit, credit, amount) = match one.content {
        Content::Reversal { journal_id } => (Some(journal_id.uuid()), "", "", Fen::ZERO),
        Content::Transfer { debit, credit, amount } => (None, debit.code(), credit.code(), amount),
    };
    let (state, decided) = match one.state {
        State::Proposed => ("proposed", None),
        State::Booked { by, at } => ("booked", Some((by, at))),
        State::Rejected { by, at } => ("rejected", Some((by, at))),
    };
    ActiveModel {
        id: Set(one.id.uuid()),
        district_id: Set(one.district_id.uuid()),
        school_id: Set(one.school_id.uuid()),
        journal_id: Set(journal_id),
        debit_account: Set(debit.to_owned()),
        credit_account: Set(credit.to_owned()),
        amount_fen: Set(amount.get()),
        reason: Set(one.reason.clone()),
        case_id: Set(one.case_id.map(Id::uuid)),
        proposed_by: Set(one.proposed_by.uuid()),
        state: Set(state.to_owned()),
        decided_by: Set(decided.map(|(by, _)| by.uuid())),
        decided_at: Set(decided.map(|(_, at)| at)),
        created_at: Set(one.created_at),
    }
}

fn correction(row: Model) -> Result<Correction, Error> {
    let id = row.id;
    let account = |column, word: &str| code::word("correction", id, column, word, Account::from_code);
    let content = match row.journal_id {
        Some(journal_id) => Content::Reversal { journal_id: Id::new(journal_id) },
        None => Content::Transfer {
            debit: account("debit_account", &row.debit_account)?,
            credit: account("credit_account", &row.credit_account)?,
            amount: Fen::new(row.amount_fen),
        },
    };
    let decided = || {
        let by = code::given("correction", id, "decided_by", row.decided_by)?;
        let at = code::given("correction", id, "decided_at", row.decided_at)?;
        Ok::<_, Error>((Id::new(by), at))
    };
    let state = match row.state.as_str() {
        "proposed" => State::Proposed,
        "booked" => {
            let (by, at) = decided()?;
            State::Booked { by, at }
        }
        "rejected" => {
            let (by, at) = decided()?;
            State::Rejected { by, at }
        }
        other => return Err(Error::inconsistent("correction", id, format!("state is {other:?}"))),
    };
    Ok(Correction {
        id: Id::new(id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        content,
        reason: row.reason,
        case_id: row.case_id.map(Id::new),
        proposed_by: Id::new(row.proposed_by),
        state,
        created_at: row.created_at,
    })
}
