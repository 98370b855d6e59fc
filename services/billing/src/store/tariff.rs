//! Fee standards.

use policy::vocabulary::PayeeAccount;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _};
use shared::db::Tx;
use shared::value::{Fen, Id, Moment, Staff, Term};

use super::entity::tariff::{ActiveModel, Column, Entity, Model};
use super::{Error, code};
use crate::domain::tariff::{Basis, Tariff};

/// The constraint that lets a term have one fee standard.
pub const ONE_PER_TERM: &str = "tariff_term_id_district_id_key";

/// Adds a fee standard.
///
/// # Errors
/// When the database refuses; [`Error::violated`] is [`ONE_PER_TERM`] when the term has one.
pub async fn insert(tx: &Tx, tariff: &Tariff, published_by: Id<Staff>, now: Moment) -> Result<(), Error> {
    let row = ActiveModel {
        id: Set(tariff.id.uuid()),
        district_id: Set(tariff.district_id.uuid()),
        term_id: Set(tariff.term_id.uuid()),
        basis: Set(basis_word(tariff.basis).to_owned()),
        amount_fen: Set(tariff.amount.get()),
        approval_document: Set(tariff.approval_document.clone()),
        payee_account: Set(tariff.payee_account.word().to_owned()),
        published_by: Set(published_by.uuid()),
        created_at: Set(now),
    };
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Finds a term's fee standard.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn find(db: &impl ConnectionTrait, term_id: Id<Term>) -> Result<Option<Tariff>, Error> {
    Entity::find().filter(Column::TermId.eq(term_id.uuid())).one(db).await?.map(tariff).transpose()
}

const fn basis_word(basis: Basis) -> &'static str {
    match basis {
        Basis::Term => "term",
        Basis::ClassHour => "class_hour",
        Basis::Month => "month",
        Basis::Day => "day",
    }
}

fn tariff(row: Model) -> Result<Tariff, Error> {
    let basis = |word: &str| Basis::ALL.into_iter().find(|basis| basis_word(*basis) == word);
    Ok(Tariff {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        term_id: Id::new(row.term_id),
        basis: code::word("tariff", row.id, "basis", &row.basis, basis)?,
        amount: Fen::new(row.amount_fen),
        approval_document: row.approval_document,
        payee_account: code::word(
            "tariff",
            row.id,
            "payee_account",
            &row.payee_account,
            PayeeAccount::from_word,
        )?,
    })
}
