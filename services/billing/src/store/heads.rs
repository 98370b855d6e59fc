//! Who is enrolled at a school, who takes part in a term, and what was paid there.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QuerySelect as _,
};
use shared::db::Tx;
use shared::value::{District, Enrollment, Fen, Id, Pupil, School, Term};

use super::Error;
use super::entity::{enrolled, fund_entry, invoice, participation};
use crate::domain::fund::disclosure::Fees;
use crate::domain::fund::grant::{Facts, Heads};

/// Notes where a pupil is enrolled, in place of what was known.
///
/// # Errors
/// When the database refuses.
pub async fn enrol(
    tx: &Tx,
    pupil_id: Id<Pupil>,
    district_id: Id<District>,
    school_id: Id<School>,
) -> Result<(), Error> {
    leave(tx, pupil_id).await?;
    let row = enrolled::ActiveModel {
        pupil_id: Set(pupil_id.uuid()),
        district_id: Set(district_id.uuid()),
        school_id: Set(school_id.uuid()),
    };
    enrolled::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Notes that a pupil has left.
///
/// # Errors
/// When the database refuses.
pub async fn leave(tx: &Tx, pupil_id: Id<Pupil>) -> Result<(), Error> {
    let of_pupil = enrolled::Column::PupilId.eq(pupil_id.uuid());
    enrolled::Entity::delete_many().filter(of_pupil).exec(tx).await?;
    Ok(())
}

/// Notes that a seat was confirmed.
///
/// # Errors
/// When the database refuses.
pub async fn take_part(
    tx: &Tx,
    id: Id<Enrollment>,
    district_id: Id<District>,
    term_id: Id<Term>,
    pupil_id: Id<Pupil>,
) -> Result<(), Error> {
    let row = participation::ActiveModel {
        enrollment_id: Set(id.uuid()),
        district_id: Set(district_id.uuid()),
        term_id: Set(term_id.uuid()),
        pupil_id: Set(pupil_id.uuid()),
        is_over: Set(false),
    };
    let again = OnConflict::columns([participation::Column::EnrollmentId, participation::Column::DistrictId])
        .update_column(participation::Column::IsOver)
        .to_owned();
    participation::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    Ok(())
}

/// Notes that a seat is nobody's any more.
///
/// # Errors
/// When the database refuses.
pub async fn end_part(tx: &Tx, id: Id<Enrollment>) -> Result<(), Error> {
    participation::Entity::update_many()
        .col_expr(participation::Column::IsOver, Expr::value(true))
        .filter(participation::Column::EnrollmentId.eq(id.uuid()))
        .exec(tx)
        .await?;
    Ok(())
}

/// What is known of a school for a term and a year, for grants.
///
/// # Errors
/// When the database refuses, or a sum does not fit.
pub async fn facts(
    db: &impl ConnectionTrait,
    school_id: Id<School>,
    term_id: Id<Term>,
    year: Option<i32>,
) -> Result<Facts, Error> {
    let enrolled = enrolled::Entity::find().filter(enrolled::Column::SchoolId.eq(school_id.uuid()));
    let enrolled = enrolled.count(db).await?;
    let participants: Vec<uuid::Uuid> = participation::Entity::find()
        .select_only()
        .column(participation::Column::PupilId)
        .distinct()
        .filter(participation::Column::TermId.eq(term_id.uuid()))
        .filter(participation::Column::IsOver.eq(false))
        .into_tuple()
        .all(db)
        .await?;
    let (paid, refunded, waived) = fees(db, term_id).await?;
    let district_money = match year {
        Some(year) => per_head_of(db, school_id, year).await?,
        None => Fen::ZERO,
    };
    let few = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let too_large = || Error::inconsistent("invoice", term_id, "the sums of the term do not fit");
    Ok(Facts {
        heads: Heads {
            enrolled: few(enrolled),
            participants: few(u64::try_from(participants.len()).unwrap_or(u64::MAX)),
        },
        parents_paid: paid.minus(refunded).map_err(|_| too_large())?,
        waived,
        district_money,
    })
}

/// What settled invoices of a term were paid, gave back, and were let off.
async fn fees(db: &impl ConnectionTrait, term_id: Id<Term>) -> Result<(Fen, Fen, Fen), Error> {
    // PostgreSQL sums bigint as numeric.
    let sum = |column: invoice::Column| Expr::col(column).sum().cast_as("bigint");
    let found: Option<(Option<i64>, Option<i64>, Option<i64>)> = invoice::Entity::find()
        .select_only()
        .expr(sum(invoice::Column::PaidFen))
        .expr(sum(invoice::Column::RefundedFen))
        .expr(sum(invoice::Column::WaivedFen))
        .filter(invoice::Column::TermId.eq(term_id.uuid()))
        .filter(invoice::Column::State.eq("settled"))
        .into_tuple()
        .one(db)
        .await?;
    let fen = |sum: Option<i64>| Fen::new(sum.unwrap_or_default());
    let (paid, refunded, waived) = found.unwrap_or_default();
    Ok((fen(paid), fen(refunded), fen(waived)))
}

/// What is approved or has arrived for a school and year by the head.
async fn per_head_of(db: &impl ConnectionTrait, school_id: Id<School>, year: i32) -> Result<Fen, Error> {
    let found: Option<i64> = fund_entry::Entity::find()
        .select_only()
        .column(fund_entry::Column::AmountFen)
        .filter(fund_entry::Column::SchoolId.eq(school_id.uuid()))
        .filter(fund_entry::Column::GrantKey.eq(super::fund::per_head_key(year)))
        .filter(fund_entry::Column::State.is_in(["approved", "received"]))
        .into_tuple()
        .one(db)
        .await?;
    Ok(Fen::new(found.unwrap_or_default()))
}

/// What a term's settled invoices come to.
///
/// # Errors
/// When the database refuses, or a sum does not fit.
pub async fn fee_totals(db: &impl ConnectionTrait, term_id: Id<Term>) -> Result<Fees, Error> {
    let (paid, refunded, waived) = fees(db, term_id).await?;
    let waived_pupils: Vec<uuid::Uuid> = invoice::Entity::find()
        .select_only()
        .column(invoice::Column::PupilId)
        .distinct()
        .filter(invoice::Column::TermId.eq(term_id.uuid()))
        .filter(invoice::Column::State.eq("settled"))
        .filter(invoice::Column::WaivedFen.gt(0))
        .into_tuple()
        .all(db)
        .await?;
    let too_large = |_| Error::inconsistent("invoice", term_id, "the sums of the term do not fit");
    Ok(Fees {
        paid,
        refunded,
        waived,
        charged: paid.minus(refunded).and_then(|kept| kept.plus(waived)).map_err(too_large)?,
        waived_pupils: u32::try_from(waived_pupils.len()).unwrap_or(u32::MAX),
    })
}

/// What approved pay sheets of a term come to.
///
/// # Errors
/// When the database refuses.
pub async fn paid_to_staff(db: &impl ConnectionTrait, term_id: Id<Term>) -> Result<Fen, Error> {
    let found: Option<Option<i64>> = fund_entry::Entity::find()
        .select_only()
        .expr(Expr::col(fund_entry::Column::AmountFen).sum().cast_as("bigint"))
        .filter(fund_entry::Column::TermId.eq(term_id.uuid()))
        .filter(fund_entry::Column::Kind.eq("pay_sheet"))
        .filter(fund_entry::Column::State.eq("approved"))
        .into_tuple()
        .one(db)
        .await?;
    Ok(Fen::new(found.flatten().unwrap_or_default()))
}
