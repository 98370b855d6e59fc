//! Public money, staff pay and spending.

use chrono::NaiveDate;
use policy::staff::Staffing;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use serde::{Deserialize, Serialize};
use shared::db::Tx;
use shared::value::{Fen, FundEntry as FundEntryKind, Id, Page, School, Term};
use uuid::Uuid;

use super::code::ClauseJson;
use super::entity::fund_entry::{ActiveModel, Column, Entity, Model};
use super::invoice::NewestKey;
use super::{Error, code};
use crate::domain::fund::grant::{Grant, Heads, Rule};
use crate::domain::fund::pay_sheet::{Line, PaySheet, Performance};
use crate::domain::fund::spending::Spending;
use crate::domain::fund::{Content, FundEntry, State};
use crate::domain::refusal::Clause;

/// The constraint that lets a school have one grant by a rule and for a time.
pub const ONE_GRANT: &str = "fund_entry_grant_key";

/// Adds a record.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, entry: &FundEntry) -> Result<(), Error> {
    Entity::insert(row(entry)).exec_without_returning(tx).await?;
    Ok(())
}

/// Saves a record that is locked.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, entry: &FundEntry) -> Result<(), Error> {
    Entity::update(row(entry)).exec(tx).await?;
    Ok(())
}

/// The term of a record, which is locked before the record is.
///
/// # Errors
/// When the database refuses.
pub async fn term_of(db: &impl ConnectionTrait, id: Id<FundEntryKind>) -> Result<Option<Id<Term>>, Error> {
    let found = Entity::find().filter(Column::Id.eq(id.uuid())).one(db).await?;
    Ok(found.map(|row| Id::new(row.term_id)))
}

/// Locks a record.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn lock(tx: &Tx, id: Id<FundEntryKind>) -> Result<Option<FundEntry>, Error> {
    Entity::find().filter(Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await?.map(entry).transpose()
}

/// The grant of a school by the same rule and for the same time that waits or stands.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn grant_like(
    db: &impl ConnectionTrait,
    school_id: Id<School>,
    term_id: Id<Term>,
    grant: &Grant,
) -> Result<Option<FundEntry>, Error> {
    Entity::find()
        .filter(Column::SchoolId.eq(school_id.uuid()))
        .filter(Column::GrantKey.eq(grant_key(term_id, grant)))
        .filter(Column::State.is_in(["proposed", "approved", "received"]))
        .one(db)
        .await?
        .map(entry)
        .transpose()
}

/// Lists a term's records, newest first; one more than asked for when there is a next page.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn list(
    db: &impl ConnectionTrait,
    term_id: Id<Term>,
    page: &Page<NewestKey>,
) -> Result<Vec<FundEntry>, Error> {
    let mut query = Entity::find().filter(Column::TermId.eq(term_id.uuid()));
    if let Some((created_at, id)) = page.after {
        query = query.filter(
            Condition::any()
                .add(Column::CreatedAt.lt(created_at))
                .add(Condition::all().add(Column::CreatedAt.eq(created_at)).add(Column::Id.lt(id))),
        );
    }
    let query = query.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(page.size + 1);
    query.all(db).await?.into_iter().map(entry).collect()
}

/// All of a term's records that were approved and stand.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn standing(db: &impl ConnectionTrait, term_id: Id<Term>) -> Result<Vec<FundEntry>, Error> {
    let query = Entity::find()
        .filter(Column::TermId.eq(term_id.uuid()))
        .filter(Column::State.is_in(["approved", "received"]))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id);
    query.all(db).await?.into_iter().map(entry).collect()
}

/// What a year's grant by the head is known by.
pub(super) fn per_head_key(year: i32) -> String {
    format!("{}::{year}", rule_word(Rule::PerHead))
}

/// What is one grant: its rule, its part of the region, its year or its term.
fn grant_key(term_id: Id<Term>, grant: &Grant) -> String {
    match grant.year {
        Some(year) => format!("{}:{}:{year}", rule_word(grant.rule), grant.scope),
        None => format!("{}:{}:{term_id}", rule_word(grant.rule), grant.scope),
    }
}

const fn rule_word(rule: Rule) -> &'static str {
    match rule {
        Rule::PerHead => "per_head",
        Rule::Scoped => "scoped",
        Rule::Floor => "floor",
        Rule::Matching => "matching",
        Rule::Shortfall => "shortfall",
        Rule::Award => "award",
    }
}

const fn staffing_word(staffing: Staffing) -> &'static str {
    match staffing {
        Staffing::Internal => "internal",
        Staffing::External => "external",
    }
}

#[derive(Serialize, Deserialize)]
struct GrantJson {
    rule: String,
    scope: String,
    year: Option<i32>,
    enrolled: u32,
    participants: u32,
    base_fen: i64,
    cost_fen: i64,
}

#[derive(Serialize, Deserialize)]
struct SpendingJson {
    purpose: String,
    purpose_zh: String,
    payee: String,
    day: NaiveDate,
}

#[derive(Serialize, Deserialize)]
struct PaySheetJson {
    month: NaiveDate,
    lines: Vec<LineJson>,
    is_last: bool,
    performance_total_fen: i64,
    guidance_fen: i64,
}

#[derive(Serialize, Deserialize)]
struct LineJson {
    payee: String,
    staffing: String,
    class_hours: u32,
    rate_fen: i64,
    amount_fen: i64,
}

fn row(entry: &FundEntry) -> ActiveModel {
    let (kind, grant_key, content) = match &entry.content {
        Content::Grant(grant) => ("grant", Some(grant_key(entry.term_id, grant)), json(&grant_json(grant))),
        Content::Spending(spending) => {
            let Spending { purpose, purpose_zh, payee, day } = spending.clone();
            ("spending", None, json(&SpendingJson { purpose, purpose_zh, payee, day }))
        }
        Content::PaySheet(sheet) => ("pay_sheet", None, json(&sheet_json(sheet))),
    };
    let (state, decided_by, reversed_by, reason, receipt_document) = match &entry.state {
        State::Proposed => ("proposed", None, None, "", ""),
        State::Approved { by } => ("approved", Some(*by), None, "", ""),
        State::Received { by, document } => ("received", Some(*by), None, "", document.as_str()),
        State::Rejected { by, reason } => ("rejected", Some(*by), None, reason.as_str(), ""),
        State::Reversed { approved_by, by, reason } => {
            ("reversed", Some(*approved_by), Some(*by), reason.as_str(), "")
        }
    };
    let clauses: Vec<_> = entry.clauses.iter().map(ClauseJson::from).collect();
    ActiveModel {
        id: Set(entry.id.uuid()),
        district_id: Set(entry.district_id.uuid()),
        school_id: Set(entry.school_id.uuid()),
        term_id: Set(entry.term_id.uuid()),
        kind: Set(kind.to_owned()),
        content: Set(content),
        grant_key: Set(grant_key),
        amount_fen: Set(entry.amount.get()),
        document: Set(entry.document.clone()),
        clauses: Set(code::list(&clauses)),
        state: Set(state.to_owned()),
        proposed_by: Set(entry.proposed_by.uuid()),
        decided_by: Set(decided_by.map(Id::uuid)),
        reversed_by: Set(reversed_by.map(Id::uuid)),
        reason: Set(reason.to_owned()),
        receipt_document: Set(receipt_document.to_owned()),
        created_at: Set(entry.created_at),
    }
}

fn json<T: Serialize>(content: &T) -> sea_orm::JsonValue {
    // Words, dates and numbers always have a JSON form.
    serde_json::to_value(content).unwrap_or_default()
}

fn grant_json(grant: &Grant) -> GrantJson {
    GrantJson {
        rule: rule_word(grant.rule).to_owned(),
        scope: grant.scope.clone(),
        year: grant.year,
        enrolled: grant.heads.enrolled,
        participants: grant.heads.participants,
        base_fen: grant.base.get(),
        cost_fen: grant.cost.get(),
    }
}

fn sheet_json(sheet: &PaySheet) -> PaySheetJson {
    let line = |line: &Line| LineJson {
        payee: line.payee.clone(),
        staffing: staffing_word(line.staffing).to_owned(),
        class_hours: line.class_hours,
        rate_fen: line.rate.get(),
        amount_fen: line.amount.get(),
    };
    PaySheetJson {
        month: sheet.month,
        lines: sheet.lines.iter().map(line).collect(),
        is_last: sheet.is_last,
        performance_total_fen: sheet.performance.total.get(),
        guidance_fen: sheet.performance.guidance.get(),
    }
}

fn entry(row: Model) -> Result<FundEntry, Error> {
    let id = row.id;
    let person = |column, value: Option<Uuid>| code::given("fund_entry", id, column, value).map(Id::new);
    let state = match row.state.as_str() {
        "proposed" => State::Proposed,
        "approved" => State::Approved { by: person("decided_by", row.decided_by)? },
        "received" => {
            State::Received { by: person("decided_by", row.decided_by)?, document: row.receipt_document }
        }
        "rejected" => State::Rejected { by: person("decided_by", row.decided_by)?, reason: row.reason },
        "reversed" => State::Reversed {
            approved_by: person("decided_by", row.decided_by)?,
            by: person("reversed_by", row.reversed_by)?,
            reason: row.reason,
        },
        other => return Err(Error::inconsistent("fund_entry", id, format!("state is {other:?}"))),
    };
    let unread = |_| Error::inconsistent("fund_entry", id, "content is not of its kind");
    let content = match row.kind.as_str() {
        "grant" => Content::Grant(grant(id, serde_json::from_value(row.content).map_err(unread)?)?),
        "spending" => {
            let read: SpendingJson = serde_json::from_value(row.content).map_err(unread)?;
            let SpendingJson { purpose, purpose_zh, payee, day } = read;
            Content::Spending(Spending { purpose, purpose_zh, payee, day })
        }
        "pay_sheet" => Content::PaySheet(sheet(id, serde_json::from_value(row.content).map_err(unread)?)?),
        other => return Err(Error::inconsistent("fund_entry", id, format!("kind is {other:?}"))),
    };
    let clauses = code::read_list::<ClauseJson>("fund_entry", id, "clauses", row.clauses)?;
    Ok(FundEntry {
        id: Id::new(id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        term_id: Id::new(row.term_id),
        state,
        content,
        amount: Fen::new(row.amount_fen),
        document: row.document,
        clauses: clauses.into_iter().map(Clause::from).collect(),
        proposed_by: Id::new(row.proposed_by),
        created_at: row.created_at,
    })
}

fn grant(id: Uuid, json: GrantJson) -> Result<Grant, Error> {
    let rule = |word: &str| Rule::ALL.into_iter().find(|rule| rule_word(*rule) == word);
    Ok(Grant {
        rule: code::word("fund_entry", id, "rule", &json.rule, rule)?,
        scope: json.scope,
        year: json.year,
        heads: Heads { enrolled: json.enrolled, participants: json.participants },
        base: Fen::new(json.base_fen),
        cost: Fen::new(json.cost_fen),
    })
}

fn sheet(id: Uuid, json: PaySheetJson) -> Result<PaySheet, Error> {
    let staffing = |word: &str| {
        [Staffing::Internal, Staffing::External].into_iter().find(|one| staffing_word(*one) == word)
    };
    let line = |line: LineJson| {
        Ok::<_, Error>(Line {
            staffing: code::word("fund_entry", id, "staffing", &line.staffing, staffing)?,
            payee: line.payee,
            class_hours: line.class_hours,
            rate: Fen::new(line.rate_fen),
            amount: Fen::new(line.amount_fen),
        })
    };
    Ok(PaySheet {
        month: json.month,
        lines: json.lines.into_iter().map(line).collect::<Result<_, _>>()?,
        is_last: json.is_last,
        performance: Performance {
            total: Fen::new(json.performance_total_fen),
            guidance: Fen::new(json.guidance_fen),
        },
    })
}
