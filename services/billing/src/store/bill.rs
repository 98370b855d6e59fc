//! WeChat's bills as they were read, and our payments and refunds as a day's comparison needs them.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{NaiveDate, TimeDelta};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, JoinType, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::Tx;
use shared::random;
use shared::value::{District, Fen, Id, Moment};
use uuid::Uuid;

use super::entity::{bill, bill_line, journal, payment, posting, reconciliation, refund};
use super::{Error, code};
use crate::domain::ledger::Account;
use crate::domain::reconciliation::{EDGE, FundLine, OurPayment, OurRefund, RefundLine, TradeLine, midnight};
use crate::domain::refund::State as RefundState;
use crate::domain::term::local_day;

/// The most rows or numbers in one statement.
const CHUNK: usize = 500;

/// A day's bill as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Payments and refunds.
    Trade(Vec<TradeLine>),
    /// What moved on the account.
    Fund(Vec<FundLine>),
}

impl Content {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Trade(_) => "trade",
            Self::Fund(_) => "fund",
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Trade(lines) => lines.len(),
            Self::Fund(lines) => lines.len(),
        }
    }
}

/// What became of a bill that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is kept now.
    New,
    /// The same one was kept before.
    Known,
    /// Another one was kept before for that day.
    Differs,
}

/// Keeps a bill once. `sha1` is that of the file; empty when there was none, because nothing happened.
///
/// # Errors
/// When the database refuses.
pub async fn keep(
    tx: &Tx,
    payee_mchid: &str,
    day: NaiveDate,
    sha1: &str,
    content: &Content,
    now: Moment,
) -> Result<Kept, Error> {
    let id = random::uuid(now);
    let line_count = i32::try_from(content.len()).unwrap_or(i32::MAX);
    let row = bill::ActiveModel {
        id: Set(id),
        payee_mchid: Set(payee_mchid.to_owned()),
        day: Set(day),
        kind: Set(content.kind().to_owned()),
        sha1: Set(sha1.to_owned()),
        line_count: Set(line_count),
        created_at: Set(now),
    };
    let once = [bill::Column::PayeeMchid, bill::Column::Day, bill::Column::Kind];
    let keep = OnConflict::columns(once).do_nothing().to_owned();
    bill::Entity::insert(row).on_conflict(keep).try_insert().exec_without_returning(tx).await?;
    let kept = find(tx, payee_mchid, day, content.kind()).await?;
    let Some(kept) = kept else {
        return Err(Error::inconsistent("bill", id, "not there after it was added"));
    };
    if kept.id != id {
        return Ok(if kept.sha1 == sha1 { Kept::Known } else { Kept::Differs });
    }
    for rows in lines(id, payee_mchid, content, now).chunks(CHUNK) {
        bill_line::Entity::insert_many(rows.to_vec()).exec_without_returning(tx).await?;
    }
    Ok(Kept::New)
}

async fn find(
    db: &impl ConnectionTrait,
    payee_mchid: &str,
    day: NaiveDate,
    kind: &str,
) -> Result<Option<bill::Model>, Error> {
    let query = bill::Entity::find()
        .filter(bill::Column::PayeeMchid.eq(payee_mchid))
        .filter(bill::Column::Day.eq(day))
        .filter(bill::Column::Kind.eq(kind));
    Ok(query.one(db).await?)
}

fn lines(id: Uuid, payee_mchid: &str, content: &Content, now: Moment) -> Vec<bill_line::ActiveModel> {
    let empty = |number: i32| bill_line::ActiveModel {
        bill_id: Set(id),
        line_number: Set(number),
        payee_mchid: Set(payee_mchid.to_owned()),
        booked_at: Set(now),
        business_no: Set(String::new()),
        transaction_id: Set(String::new()),
        out_trade_no: Set(String::new()),
        out_refund_no: Set(String::new()),
        state: Set(String::new()),
        refund_state: Set(String::new()),
        amount_fen: Set(0),
        fee_millifen: Set(0),
    };
    match content {
        Content::Trade(lines) => (1..)
            .zip(lines)
            .map(|(number, line)| bill_line::ActiveModel {
                payee_mchid: Set(line.payee_mchid.clone()),
                booked_at: Set(line.at),
                business_no: Set(line.business_no().to_owned()),
                transaction_id: Set(line.transaction_id.clone()),
                out_trade_no: Set(line.out_trade_no.clone()),
                out_refund_no: Set(line
                    .refund
                    .as_ref()
                    .map(|half| half.out_refund_no.clone())
                    .unwrap_or_default()),
                state: Set(line.state.clone()),
                refund_state: Set(line.refund.as_ref().map(|half| half.state.clone()).unwrap_or_default()),
                amount_fen: Set(line.amount.get()),
                fee_millifen: Set(line.fee_millifen),
                ..empty(number)
            })
            .collect(),
        Content::Fund(lines) => (1..)
            .zip(lines)
            .map(|(number, line)| bill_line::ActiveModel {
                business_no: Set(line.business_no.clone()),
                state: Set(line.business_type.clone()),
                amount_fen: Set(line.amount.get()),
                ..empty(number)
            })
            .collect(),
    }
}

/// The lines of a trade bill that was kept, in the bill's order; none when no bill of that day was kept.
///
/// # Errors
/// When the database refuses.
pub async fn trade_lines(
    db: &impl ConnectionTrait,
    payee_mchid: &str,
    day: NaiveDate,
) -> Result<Option<Vec<TradeLine>>, Error> {
    let Some(kept) = find(db, payee_mchid, day, "trade").await? else { return Ok(None) };
    let rows = bill_line::Entity::find()
        .filter(bill_line::Column::BillId.eq(kept.id))
        .order_by_asc(bill_line::Column::LineNumber)
        .all(db)
        .await?;
    let line = |row: bill_line::Model| TradeLine {
        at: row.booked_at,
        payee_mchid: row.payee_mchid,
        transaction_id: row.transaction_id,
        out_trade_no: row.out_trade_no,
        state: row.state,
        amount: Fen::new(row.amount_fen),
        fee_millifen: row.fee_millifen,
        refund: (!row.out_refund_no.is_empty()).then_some(RefundLine {
            refund_id: row.business_no,
            out_refund_no: row.out_refund_no,
            state: row.refund_state,
        }),
    };
    Ok(Some(rows.into_iter().map(line).collect()))
}

/// Our payments that a bill of `day` names, and those to this payee that happened on that day; those of the last minutes of the day before
/// when its bill was read.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn our_payments(
    db: &impl ConnectionTrait,
    payee_mchid: &str,
    day: NaiveDate,
    named: &[String],
) -> Result<Vec<OurPayment>, Error> {
    let before = day.pred_opt().unwrap_or(day);
    let is_before_read = find(db, payee_mchid, before, "trade").await?.is_some();
    let from = midnight(day) - if is_before_read { EDGE } else { TimeDelta::zero() };
    let happened = payment::Entity::find()
        .filter(payment::Column::PayeeMchid.eq(payee_mchid))
        .filter(payment::Column::PaidAt.gte(from))
        .filter(payment::Column::PaidAt.lt(midnight(day) + TimeDelta::days(1)))
        .all(db)
        .await?;
    let mut rows: HashMap<Uuid, payment::Model> = happened.into_iter().map(|row| (row.id, row)).collect();
    for numbers in named.chunks(CHUNK) {
        let query = payment::Entity::find().filter(payment::Column::OutTradeNo.is_in(numbers));
        rows.extend(query.all(db).await?.into_iter().map(|row| (row.id, row)));
    }
    let ids: Vec<Uuid> = rows.keys().copied().collect();
    let booked = booked(db, &ids, &["paid", "surplus"]).await?;
    let numbers: Vec<String> = rows.values().map(|row| row.out_trade_no.clone()).collect();
    let billed = billed_before(db, payee_mchid, day, Number::Order, &numbers).await?;
    let ours = |row: payment::Model| {
        let success = match row.state.as_str() {
            "succeeded" | "surplus" => row.transaction_id.zip(row.paid_at),
            _ => None,
        };
        OurPayment {
            id: Id::new(row.id),
            is_billed_before: billed.contains(&row.out_trade_no),
            out_trade_no: row.out_trade_no,
            amount: Fen::new(row.amount_fen),
            success,
            booked: booked.get(&row.id).copied().unwrap_or_default(),
        }
    };
    Ok(rows.into_values().map(ours).collect())
}

/// Our refunds that a bill of `day` names, and those of payments to this payee that succeeded on that day.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn our_refunds(
    db: &impl ConnectionTrait,
    payee_mchid: &str,
    day: NaiveDate,
    named: &[String],
) -> Result<Vec<OurRefund>, Error> {
    let happened = refund::Entity::find()
        .join(JoinType::InnerJoin, refund_of_payment())
        .filter(payment::Column::PayeeMchid.eq(payee_mchid))
        .filter(refund::Column::SucceededAt.gte(midnight(day)))
        .filter(refund::Column::SucceededAt.lt(midnight(day) + TimeDelta::days(1)))
        .all(db)
        .await?;
    let mut rows: HashMap<Uuid, refund::Model> = happened.into_iter().map(|row| (row.id, row)).collect();
    for numbers in named.chunks(CHUNK) {
        let query = refund::Entity::find().filter(refund::Column::OutRefundNo.is_in(numbers));
        rows.extend(query.all(db).await?.into_iter().map(|row| (row.id, row)));
    }
    let ids: Vec<Uuid> = rows.keys().copied().collect();
    let booked = booked(db, &ids, &["refunded"]).await?;
    let numbers: Vec<String> = rows.values().map(|row| row.out_refund_no.clone()).collect();
    let billed = billed_before(db, payee_mchid, day, Number::Refund, &numbers).await?;
    let mut ours = Vec::with_capacity(rows.len());
    for row in rows.into_values() {
        let id = row.id;
        let state = match row.state.as_str() {
            "requested" => RefundState::Requested,
            "submitted" => RefundState::Submitted,
            "succeeded" => {
                RefundState::Succeeded { at: code::given("refund", id, "succeeded_at", row.succeeded_at)? }
            }
            "failed" => RefundState::Failed,
            other => return Err(Error::inconsistent("refund", id, format!("state is {other:?}"))),
        };
        ours.push(OurRefund {
            id: Id::new(id),
            is_billed_before: billed.contains(&row.out_refund_no),
            is_covered: is_covered(db, payee_mchid, local_day(row.created_at), day).await?,
            out_refund_no: row.out_refund_no,
            amount: Fen::new(row.amount_fen),
            state,
            // What goes back is credited.
            booked: -booked.get(&id).copied().unwrap_or_default(),
        });
    }
    Ok(ours)
}

fn refund_of_payment() -> sea_orm::RelationDef {
    refund::Entity::belongs_to(payment::Entity).from(refund::Column::PaymentId).to(payment::Column::Id).into()
}

/// What the clearing account has of each source: debits less credits.
async fn booked(
    db: &impl ConnectionTrait,
    source_ids: &[Uuid],
    kinds: &[&str],
) -> Result<HashMap<Uuid, Fen>, Error> {
    let mut booked = HashMap::new();
    for ids in source_ids.chunks(CHUNK) {
        let of_journal: sea_orm::RelationDef = journal::Entity::belongs_to(posting::Entity)
            .from(journal::Column::Id)
            .to(posting::Column::JournalId)
            .into();
        // PostgreSQL sums bigint as numeric.
        let sum = Expr::cust("cast(sum(posting.debit_fen - posting.credit_fen) as bigint)");
        let rows: Vec<(Uuid, i64)> = journal::Entity::find()
            .select_only()
            .column(journal::Column::SourceId)
            .column_as(sum, "booked")
            .join(JoinType::InnerJoin, of_journal)
            .filter(journal::Column::SourceId.is_in(ids.to_vec()))
            .filter(journal::Column::Kind.is_in(kinds.to_vec()))
            .filter(posting::Column::Account.eq(Account::WechatClearing.code()))
            .group_by(journal::Column::SourceId)
            .into_tuple()
            .all(db)
            .await?;
        booked.extend(rows.into_iter().map(|(id, fen)| (id, Fen::new(fen))));
    }
    Ok(booked)
}

/// By which number a line is looked for.
#[derive(Clone, Copy)]
enum Number {
    Order,
    Refund,
}

/// Those of `numbers` that an earlier day's trade bill has.
async fn billed_before(
    db: &impl ConnectionTrait,
    payee_mchid: &str,
    day: NaiveDate,
    number: Number,
    numbers: &[String],
) -> Result<HashSet<String>, Error> {
    let mut billed = HashSet::new();
    for numbers in numbers.chunks(CHUNK) {
        let of_bill: sea_orm::RelationDef = bill_line::Entity::belongs_to(bill::Entity)
            .from(bill_line::Column::BillId)
            .to(bill::Column::Id)
            .into();
        let (column, is_meant) = match number {
            Number::Order => (bill_line::Column::OutTradeNo, bill_line::Column::OutRefundNo.eq("")),
            Number::Refund => (bill_line::Column::OutRefundNo, bill_line::Column::OutRefundNo.ne("")),
        };
        let rows: Vec<String> = bill_line::Entity::find()
            .select_only()
            .column(column)
            .join(JoinType::InnerJoin, of_bill)
            .filter(bill::Column::PayeeMchid.eq(payee_mchid))
            .filter(bill::Column::Day.lt(day))
            .filter(bill_line::Column::PayeeMchid.eq(payee_mchid))
            .filter(Condition::all().add(is_meant).add(column.is_in(numbers)))
            .into_tuple()
            .all(db)
            .await?;
        billed.extend(rows);
    }
    Ok(billed)
}

/// Whether the trade bill of every day of `from..=to` was read.
async fn is_covered(
    db: &impl ConnectionTrait,
    payee_mchid: &str,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<bool, Error> {
    let read = bill::Entity::find()
        .filter(bill::Column::PayeeMchid.eq(payee_mchid))
        .filter(bill::Column::Kind.eq("trade"))
        .filter(bill::Column::Day.gte(from))
        .filter(bill::Column::Day.lte(to))
        .count(db)
        .await?;
    Ok(u64::try_from((to - from).num_days() + 1).is_ok_and(|days| days == read))
}

/// A day that was compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// Whose bills.
    pub payee_mchid: String,
    /// The Beijing day.
    pub day: NaiveDate,
    /// Lines of its trade bill.
    pub line_count: u64,
    /// Those that agree.
    pub matched_count: u64,
    /// When it was compared last.
    pub updated_at: Moment,
}

/// Keeps that a day was compared, in place of what was known of it.
///
/// # Errors
/// When the database refuses.
pub async fn reconciled(tx: &Tx, done: &Reconciled) -> Result<(), Error> {
    let count = |count: u64| i32::try_from(count).unwrap_or(i32::MAX);
    let row = reconciliation::ActiveModel {
        id: Set(random::uuid(done.updated_at)),
        payee_mchid: Set(done.payee_mchid.clone()),
        day: Set(done.day),
        line_count: Set(count(done.line_count)),
        matched_count: Set(count(done.matched_count)),
        updated_at: Set(done.updated_at),
    };
    let replace = OnConflict::columns([reconciliation::Column::PayeeMchid, reconciliation::Column::Day])
        .update_columns([
            reconciliation::Column::LineCount,
            reconciliation::Column::MatchedCount,
            reconciliation::Column::UpdatedAt,
        ])
        .to_owned();
    reconciliation::Entity::insert(row).on_conflict(replace).exec_without_returning(tx).await?;
    Ok(())
}

/// The merchants that ever took money of a district.
///
/// # Errors
/// When the database refuses.
pub async fn payees_of(db: &impl ConnectionTrait, district_id: Id<District>) -> Result<Vec<String>, Error> {
    let query = payment::Entity::find()
        .select_only()
        .column(payment::Column::PayeeMchid)
        .distinct()
        .filter(payment::Column::DistrictId.eq(district_id.uuid()));
    Ok(query.into_tuple().all(db).await?)
}

/// Lists days compared of these merchants, newest first; one more than asked for when there is a next page.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn list(
    db: &impl ConnectionTrait,
    payee_mchids: &[String],
    page: &shared::value::Page<(NaiveDate, String)>,
) -> Result<Vec<Reconciled>, Error> {
    use reconciliation::Column;
    let mut query = reconciliation::Entity::find().filter(Column::PayeeMchid.is_in(payee_mchids));
    if let Some((day, payee_mchid)) = &page.after {
        let later =
            Condition::all().add(Column::Day.eq(*day)).add(Column::PayeeMchid.gt(payee_mchid.as_str()));
        query = query.filter(Condition::any().add(Column::Day.lt(*day)).add(later));
    }
    let rows = query
        .order_by_desc(Column::Day)
        .order_by_asc(Column::PayeeMchid)
        .limit(page.size + 1)
        .all(db)
        .await?;
    let reconciled = |row: reconciliation::Model| {
        Ok(Reconciled {
            line_count: code::count("reconciliation", row.id, "line_count", row.line_count)?.into(),
            matched_count: code::count("reconciliation", row.id, "matched_count", row.matched_count)?.into(),
            payee_mchid: row.payee_mchid,
            day: row.day,
            updated_at: row.updated_at,
        })
    };
    rows.into_iter().map(reconciled).collect()
}

/// The days of a merchant from `oldest` on that were compared, and the day of its first payment, if there is one.
///
/// # Errors
/// When the database refuses.
pub async fn span(
    db: &impl ConnectionTrait,
    payee_mchid: &str,
    oldest: NaiveDate,
) -> Result<(BTreeSet<NaiveDate>, Option<NaiveDate>), Error> {
    let done = reconciliation::Entity::find()
        .filter(reconciliation::Column::PayeeMchid.eq(payee_mchid))
        .filter(reconciliation::Column::Day.gte(oldest))
        .all(db)
        .await?;
    let first = payment::Entity::find()
        .filter(payment::Column::PayeeMchid.eq(payee_mchid))
        .order_by_asc(payment::Column::CreatedAt)
        .one(db)
        .await?;
    Ok((done.into_iter().map(|row| row.day).collect(), first.map(|row| local_day(row.created_at))))
}
