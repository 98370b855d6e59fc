//! What a school's books say, month by month.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, JoinType, QueryFilter as _, QuerySelect as _,
};
use shared::value::{Fen, Id, Moment, School};

use super::entity::{journal, posting};
use super::{Error, code};
use crate::domain::ledger::Account;
use crate::domain::statement::Moved;

/// What moved on each account of a school from `from` (from the beginning when none) until before `until`.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn moved(
    db: &impl ConnectionTrait,
    school_id: Id<School>,
    from: Option<Moment>,
    until: Moment,
) -> Result<Vec<Moved>, Error> {
    let entry: sea_orm::RelationDef = posting::Entity::belongs_to(journal::Entity)
        .from(posting::Column::JournalId)
        .to(journal::Column::Id)
        .into();
    // PostgreSQL sums bigint as numeric.
    let sum = |column: &str| Expr::cust(format!("cast(sum(posting.{column}) as bigint)"));
    let mut query = posting::Entity::find()
        .select_only()
        .column(posting::Column::Account)
        .column_as(sum("debit_fen"), "debit")
        .column_as(sum("credit_fen"), "credit")
        .join(JoinType::InnerJoin, entry)
        .filter(journal::Column::SchoolId.eq(school_id.uuid()))
        .filter(journal::Column::CreatedAt.lt(until));
    if let Some(from) = from {
        query = query.filter(journal::Column::CreatedAt.gte(from));
    }
    let rows: Vec<(String, i64, i64)> = query.group_by(posting::Column::Account).into_tuple().all(db).await?;
    let moved = |(account, debit, credit): (String, i64, i64)| {
        let account = code::word("posting", school_id, "account", &account, Account::from_code)?;
        Ok(Moved { account, debit: Fen::new(debit), credit: Fen::new(credit) })
    };
    rows.into_iter().map(moved).collect()
}
