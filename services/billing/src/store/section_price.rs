//! Prices of sections that have one of their own.

use std::collections::HashMap;

use policy::vocabulary::PayeeAccount;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _};
use shared::db::Tx;
use shared::value::{Fen, Id, Moment, Section, Staff, Term};

use super::entity::section_price::{ActiveModel, Column, Entity, Model};
use super::{Error, code};
use crate::domain::section_price::SectionPrice;

/// The constraint that lets a section have one price.
pub const ONE_PER_SECTION: &str = "section_price_section_id_district_id_key";

/// Adds a price.
///
/// # Errors
/// When the database refuses; [`Error::violated`] is [`ONE_PER_SECTION`] when the section has one.
pub async fn insert(
    tx: &Tx,
    price: &SectionPrice,
    published_by: Id<Staff>,
    now: Moment,
) -> Result<(), Error> {
    let row = ActiveModel {
        id: Set(price.id.uuid()),
        district_id: Set(price.district_id.uuid()),
        term_id: Set(price.term_id.uuid()),
        section_id: Set(price.section_id.uuid()),
        amount_fen: Set(price.amount.get()),
        approval_document: Set(price.approval_document.clone()),
        cost_sheet_id: Set(price.cost_sheet_id.map(Id::uuid)),
        payee_account: Set(price.payee_account.word().to_owned()),
        published_by: Set(published_by.uuid()),
        created_at: Set(now),
    };
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Finds the prices of a term's sections.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn of_term(
    db: &impl ConnectionTrait,
    term_id: Id<Term>,
) -> Result<HashMap<Id<Section>, SectionPrice>, Error> {
    let rows = Entity::find().filter(Column::TermId.eq(term_id.uuid())).all(db).await?;
    rows.into_iter().map(|row| price(row).map(|price| (price.section_id, price))).collect()
}

fn price(row: Model) -> Result<SectionPrice, Error> {
    let account = &row.payee_account;
    Ok(SectionPrice {
        payee_account: code::word(
            "section_price",
            row.id,
            "payee_account",
            account,
            PayeeAccount::from_word,
        )?,
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        term_id: Id::new(row.term_id),
        section_id: Id::new(row.section_id),
        amount: Fen::new(row.amount_fen),
        approval_document: row.approval_document,
        cost_sheet_id: row.cost_sheet_id.map(Id::new),
    })
}
