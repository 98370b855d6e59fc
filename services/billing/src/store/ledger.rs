//! The ledger. Entries are added; nothing here changes one, and the database refuses it.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use shared::db::Tx;
use shared::random;
use shared::value::{District, Fen, Id, Moment, School};
use uuid::Uuid;

use super::Error;
use super::entity::{journal, posting};
use crate::domain::ledger::{Account, Entry};

/// What an entry records, once for each source and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An invoice was issued.
    Issued,
    /// An invoice was priced anew, or waived later.
    Repriced,
    /// An invoice was closed unpaid.
    Closed,
    /// A closed invoice was paid after all.
    Reopened,
    /// An order was paid.
    Paid,
    /// An order was paid that nothing was owed for.
    Surplus,
    /// That money is to go back.
    SurplusReturned,
    /// A seat was given back.
    Released,
    /// A refund arrived.
    Refunded,
    /// A grant, spending or pay was approved.
    Approved,
    /// A grant arrived.
    Received,
    /// What was approved was taken back.
    Reversed,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Repriced => "repriced",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::Paid => "paid",
            Self::Surplus => "surplus",
            Self::SurplusReturned => "surplus_returned",
            Self::Released => "released",
            Self::Refunded => "refunded",
            Self::Approved => "approved",
            Self::Received => "received",
            Self::Reversed => "reversed",
        }
    }
}

/// Where and when an entry stands.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The district.
    pub district_id: Id<District>,
    /// The school whose ledger it is.
    pub school_id: Id<School>,
    /// When.
    pub at: Moment,
}

/// Adds an entry. One without lines is not added: nothing moved.
///
/// # Errors
/// When the database refuses: the same source, kind and number a second time is a mistake of ours.
pub async fn insert(
    tx: &Tx,
    place: Place,
    source_id: Uuid,
    kind: Kind,
    number: i32,
    entry: &Entry,
) -> Result<(), Error> {
    if entry.lines().is_empty() {
        return Ok(());
    }
    let journal_id = random::uuid(place.at);
    let row = journal::ActiveModel {
        id: Set(journal_id),
        district_id: Set(place.district_id.uuid()),
        school_id: Set(place.school_id.uuid()),
        source_id: Set(source_id),
        kind: Set(kind.as_str().to_owned()),
        number: Set(number),
        created_at: Set(place.at),
    };
    journal::Entity::insert(row).exec_without_returning(tx).await?;
    let rows = (1_i32..).zip(entry.lines()).map(|(line_number, line)| posting::ActiveModel {
        journal_id: Set(journal_id),
        line_number: Set(line_number),
        district_id: Set(place.district_id.uuid()),
        school_id: Set(place.school_id.uuid()),
        account: Set(line.account.code().to_owned()),
        debit_fen: Set(line.amount.max(Fen::ZERO).get()),
        credit_fen: Set((-line.amount).max(Fen::ZERO).get()),
    });
    posting::Entity::insert_many(rows).exec_without_returning(tx).await?;
    Ok(())
}

/// What was debited and credited on one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The account.
    pub account: Account,
    /// Everything debited.
    pub debit: Fen,
    /// Everything credited.
    pub credit: Fen,
}

/// The balances of every account of a district, or of one school in it, by code.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn balances(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    school_id: Option<Id<School>>,
) -> Result<Vec<Balance>, Error> {
    // PostgreSQL sums bigint as numeric.
    let sum = |column: &str| Expr::cust(format!("cast(sum({column}) as bigint)"));
    let mut query = posting::Entity::find()
        .select_only()
        .column(posting::Column::Account)
        .column_as(sum("debit_fen"), "debit")
        .column_as(sum("credit_fen"), "credit")
        .filter(posting::Column::DistrictId.eq(district_id.uuid()));
    if let Some(school_id) = school_id {
        query = query.filter(posting::Column::SchoolId.eq(school_id.uuid()));
    }
    let rows: Vec<(String, i64, i64)> = query.group_by(posting::Column::Account).into_tuple().all(db).await?;
    let balance = |account: Account| {
        let row = rows.iter().find(|(code, ..)| code == account.code());
        let (debit, credit) = row.map_or((0, 0), |(_, debit, credit)| (*debit, *credit));
        Balance { account, debit: Fen::new(debit), credit: Fen::new(credit) }
    };
    Ok(Account::ALL.into_iter().map(balance).collect())
}
