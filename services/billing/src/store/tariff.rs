//! Fee standards.

use chrono::NaiveTime;
use policy::vocabulary::PayeeAccount;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _};
use serde::{Deserialize, Serialize};
use shared::db::Tx;
use shared::value::{Fen, Id, Moment, Staff, Term};

use super::entity::tariff::{ActiveModel, Column, Entity, Model};
use super::{Error, code};
use crate::domain::tariff::{Basis, EndSlot, SharingPlan, Tariff};

/// The constraint that lets a term have one fee standard.
pub const ONE_PER_TERM: &str = "tariff_term_id_district_id_key";

/// An end slot as its JSON column keeps it.
#[derive(Serialize, Deserialize)]
struct EndSlotJson {
    ends: NaiveTime,
    amount_fen: i64,
}

/// A sharing plan as its JSON column keeps it: a list of none or one.
#[derive(Serialize, Deserialize)]
struct SharingJson {
    government_fen: i64,
    school_fen: i64,
    parents_fen: i64,
}

/// Adds a fee standard.
///
/// # Errors
/// When the database refuses; [`Error::violated`] is [`ONE_PER_TERM`] when the term has one.
pub async fn insert(tx: &Tx, tariff: &Tariff, published_by: Id<Staff>, now: Moment) -> Result<(), Error> {
    let end_slots: Vec<_> = tariff
        .end_slots
        .iter()
        .map(|slot| EndSlotJson { ends: slot.ends, amount_fen: slot.amount.get() })
        .collect();
    let sharing: Vec<_> = tariff.sharing.iter().map(SharingJson::from).collect();
    let row = ActiveModel {
        id: Set(tariff.id.uuid()),
        district_id: Set(tariff.district_id.uuid()),
        term_id: Set(tariff.term_id.uuid()),
        basis: Set(basis_word(tariff.basis).to_owned()),
        amount_fen: Set(tariff.amount.get()),
        end_slots: Set(code::list(&end_slots)),
        approval_document: Set(tariff.approval_document.clone()),
        sharing: Set(code::list(&sharing)),
        cost_sheet_id: Set(tariff.cost_sheet_id.map(Id::uuid)),
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
        Basis::SlotMonth => "slot_month",
    }
}

impl From<&SharingPlan> for SharingJson {
    fn from(plan: &SharingPlan) -> Self {
        Self {
            government_fen: plan.government.get(),
            school_fen: plan.school.get(),
            parents_fen: plan.parents.get(),
        }
    }
}

impl From<SharingJson> for SharingPlan {
    fn from(json: SharingJson) -> Self {
        Self {
            government: Fen::new(json.government_fen),
            school: Fen::new(json.school_fen),
            parents: Fen::new(json.parents_fen),
        }
    }
}

fn tariff(row: Model) -> Result<Tariff, Error> {
    let basis = |word: &str| Basis::ALL.into_iter().find(|basis| basis_word(*basis) == word);
    let end_slots = code::read_list::<EndSlotJson>("tariff", row.id, "end_slots", row.end_slots)?;
    let sharing = code::read_list::<SharingJson>("tariff", row.id, "sharing", row.sharing)?;
    Ok(Tariff {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        term_id: Id::new(row.term_id),
        basis: code::word("tariff", row.id, "basis", &row.basis, basis)?,
        amount: Fen::new(row.amount_fen),
        end_slots: end_slots
            .into_iter()
            .map(|slot| EndSlot { ends: slot.ends, amount: Fen::new(slot.amount_fen) })
            .collect(),
        approval_document: row.approval_document,
        sharing: sharing.into_iter().next().map(SharingPlan::from),
        cost_sheet_id: row.cost_sheet_id.map(Id::new),
        payee_account: code::word(
            "tariff",
            row.id,
            "payee_account",
            &row.payee_account,
            PayeeAccount::from_word,
        )?,
    })
}
