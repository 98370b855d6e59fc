//! Domain values as messages, and the parts of messages as values.

use chrono::NaiveDate;
use prost_types::Timestamp;
use proto::billing::v1 as pb;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::caller::NodePath;
use shared::status;
use shared::value::{Fen, Id, IdError, Moment, Page, PageToken, Violations};
use tonic::Status;
use uuid::Uuid;

use crate::domain::cost_sheet::{self, CostSheet};
use crate::domain::explanation::Sentence;
use crate::domain::invoice::{Invoice, State};
use crate::domain::refund::{self, Refund};
use crate::domain::refusal::{Clause, Refusal};
use crate::domain::section_price::SectionPrice;
use crate::domain::tariff::{Basis, Tariff};
use crate::domain::waiver::{self, Waiver};

/// Reads an id.
pub fn id<K>(violations: &mut Violations, field: &str, text: &str) -> Option<Id<K>> {
    let parsed: Result<Id<K>, IdError> = text.parse();
    violations.field(field, parsed)
}

/// Reads a request id.
pub fn request_id(violations: &mut Violations, text: &str) -> Option<Uuid> {
    id::<shared::value::Node>(violations, "request_id", text).map(Id::uuid)
}

/// Reads a page.
pub fn page<K: DeserializeOwned>(violations: &mut Violations, size: i32, token: &str) -> Option<Page<K>> {
    violations.field("page_token", Page::parse(size, token))
}

/// Gives what was read, or every violation.
pub fn read<T>(violations: &Violations, values: Option<T>) -> Result<T, Status> {
    match values {
        Some(values) if violations.is_empty() => Ok(values),
        Some(_) | None => Err(status::invalid(violations)),
    }
}

/// Cuts a list that was read with one more than asked for, and gives the token of the next page; empty when this is the last.
pub fn cut<T, K: Serialize>(items: &mut Vec<T>, size: u64, key: impl Fn(&T) -> K) -> String {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if items.len() <= size {
        return String::new();
    }
    items.truncate(size);
    items.last().map(|last| PageToken::of(&key(last)).into_text()).unwrap_or_default()
}

/// A path as permits know it.
pub fn node_path(path: &[Uuid]) -> NodePath {
    NodePath::new(path.to_vec())
}

/// A moment.
pub fn timestamp(at: Moment) -> Timestamp {
    Timestamp { seconds: at.timestamp(), nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0) }
}

/// A clause.
pub fn clause(clause: &Clause) -> pb::Clause {
    let Clause { key, text_zh, text_en, source } = clause.clone();
    pb::Clause { key, text_zh, text_en, source }
}

/// Sentences.
pub fn sentences(sentences: Vec<Sentence>) -> Vec<pb::Sentence> {
    let sentence = |sentence: Sentence| pb::Sentence {
        text_zh: sentence.text_zh,
        text_en: sentence.text_en,
        source: sentence.source,
    };
    sentences.into_iter().map(sentence).collect()
}

/// Clauses.
pub fn clauses(clauses: &[Clause]) -> Vec<pb::Clause> {
    clauses.iter().map(clause).collect()
}

/// A fee standard.
pub fn tariff(tariff: &Tariff) -> pb::Tariff {
    let basis = match tariff.basis {
        Basis::Term => pb::tariff::Basis::Term,
        Basis::ClassHour => pb::tariff::Basis::ClassHour,
        Basis::Month => pb::tariff::Basis::Month,
        Basis::Day => pb::tariff::Basis::Day,
        Basis::SlotMonth => pb::tariff::Basis::SlotMonth,
    };
    pb::Tariff {
        id: tariff.id.to_string(),
        term_id: tariff.term_id.to_string(),
        basis: basis.into(),
        amount_fen: tariff.amount.get(),
        approval_document: tariff.approval_document.clone(),
        payee_account: tariff.payee_account.word().to_owned(),
        end_slots: tariff
            .end_slots
            .iter()
            .map(|slot| pb::EndSlot {
                end_time: slot.ends.format("%H:%M").to_string(),
                amount_fen: slot.amount.get(),
            })
            .collect(),
        sharing_plan: tariff.sharing.map(|plan| pb::SharingPlan {
            government_fen: plan.government.get(),
            school_fen: plan.school.get(),
            parents_fen: plan.parents.get(),
        }),
    }
}

/// The price of a section.
pub fn section_price(price: &SectionPrice, title: String) -> pb::SectionPrice {
    pb::SectionPrice {
        id: price.id.to_string(),
        section_id: price.section_id.to_string(),
        title,
        amount_fen: price.amount.get(),
        approval_document: price.approval_document.clone(),
        payee_account: price.payee_account.word().to_owned(),
    }
}

/// A cost sheet.
pub fn cost_sheet(sheet: &CostSheet) -> Result<pb::CostSheet, Status> {
    let (state, reason) = match &sheet.state {
        cost_sheet::State::Submitted => (pb::cost_sheet::State::Submitted, ""),
        cost_sheet::State::Approved { .. } => (pb::cost_sheet::State::Approved, ""),
        cost_sheet::State::Rejected { reason, .. } => (pb::cost_sheet::State::Rejected, reason.as_str()),
    };
    let item = |item: &cost_sheet::Item| pb::cost_sheet::Item {
        name: item.name.clone(),
        amount_fen: item.amount.get(),
    };
    Ok(pb::CostSheet {
        id: sheet.id.to_string(),
        term_id: sheet.term_id.to_string(),
        section_id: sheet.section_id.map(|id| id.to_string()).unwrap_or_default(),
        items: sheet.items.iter().map(item).collect(),
        total_fen: sheet.total().map(Fen::get).map_err(Refusal::from)?,
        pupil_count: i32::try_from(sheet.pupil_count).unwrap_or(i32::MAX),
        state: state.into(),
        rejection_reason: reason.to_owned(),
        create_time: Some(timestamp(sheet.created_at)),
    })
}

/// An invoice.
pub fn invoice(invoice: &Invoice) -> Result<pb::Invoice, Status> {
    let (state, due_at) = match invoice.state {
        State::Open { due_at } => (pb::invoice::State::Open, Some(due_at)),
        State::Settled { .. } => (pb::invoice::State::Settled, None),
        State::Closed { .. } => (pb::invoice::State::Closed, None),
    };
    Ok(pb::Invoice {
        id: invoice.id.to_string(),
        enrollment_id: invoice.enrollment_id.to_string(),
        pupil_id: invoice.pupil_id.to_string(),
        amount_fen: invoice.amount().map(Fen::get).map_err(Refusal::from)?,
        state: state.into(),
        due_time: due_at.map(timestamp),
        paid_fen: invoice.paid.get(),
        refunded_fen: invoice.refunded.get(),
        clauses: clauses(&invoice.clauses),
        title: invoice.title.clone(),
    })
}

/// A refund.
pub fn refund(refund: &Refund) -> pb::Refund {
    let state = match refund.state {
        refund::State::Requested => pb::refund::State::Requested,
        refund::State::Submitted => pb::refund::State::Submitted,
        refund::State::Succeeded { .. } => pb::refund::State::Succeeded,
        refund::State::Failed => pb::refund::State::Failed,
    };
    let reason = match refund.reason {
        refund::Reason::Released => pb::refund::Reason::Released,
        refund::Reason::Late => pb::refund::Reason::Late,
        refund::Reason::Surplus => pb::refund::Reason::Surplus,
        refund::Reason::SectionCancelled => pb::refund::Reason::SectionCancelled,
    };
    pb::Refund {
        id: refund.id.to_string(),
        invoice_id: refund.invoice_id.to_string(),
        amount_fen: refund.amount.get(),
        state: state.into(),
        reason: reason.into(),
        create_time: Some(timestamp(refund.created_at)),
    }
}

/// A waiver as it stands on `today`: one whose last day is over has ended.
pub fn waiver(waiver: &Waiver, today: NaiveDate) -> pb::Waiver {
    let (state, reason, last_day) = match &waiver.state {
        waiver::State::Submitted => (pb::waiver::State::Submitted, "", String::new()),
        waiver::State::Endorsed { .. } => (pb::waiver::State::Endorsed, "", String::new()),
        waiver::State::Granted { last_day, .. } if waiver.is_in_force(today) => {
            (pb::waiver::State::Granted, "", last_day.to_string())
        }
        waiver::State::Granted { last_day, .. } => (pb::waiver::State::Ended, "", last_day.to_string()),
        waiver::State::Rejected { reason, .. } => {
            (pb::waiver::State::Rejected, reason.as_str(), String::new())
        }
    };
    pb::Waiver {
        id: waiver.id.to_string(),
        pupil_id: waiver.pupil_id.to_string(),
        category: waiver.category.clone(),
        state: state.into(),
        evidence_ids: waiver.evidence_ids.iter().map(ToString::to_string).collect(),
        rejection_reason: reason.to_owned(),
        last_day,
        create_time: Some(timestamp(waiver.created_at)),
    }
}
