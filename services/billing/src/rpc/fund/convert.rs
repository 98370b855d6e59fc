//! Records of public money and spending as messages.

use policy::staff::Staffing;
use proto::billing::v1 as pb;
use shared::value::{Fen, Violations};

use crate::domain::fund::grant::{Grant, Rule};
use crate::domain::fund::pay_sheet::{Line, PaySheet};
use crate::domain::fund::spending::Spending;
use crate::domain::fund::{Content, FundEntry, State};
use crate::rpc::convert::{clauses, timestamp};

/// Reads a rule.
pub fn rule(violations: &mut Violations, kind: pb::grant::Kind) -> Option<Rule> {
    match kind {
        pb::grant::Kind::PerHead => Some(Rule::PerHead),
        pb::grant::Kind::Scoped => Some(Rule::Scoped),
        pb::grant::Kind::Floor => Some(Rule::Floor),
        pb::grant::Kind::Matching => Some(Rule::Matching),
        pb::grant::Kind::Shortfall => Some(Rule::Shortfall),
        pb::grant::Kind::Award => Some(Rule::Award),
        pb::grant::Kind::Unspecified => {
            violations.note("kind", "must be given");
            None
        }
    }
}

/// A rule.
pub const fn kind(rule: Rule) -> pb::grant::Kind {
    match rule {
        Rule::PerHead => pb::grant::Kind::PerHead,
        Rule::Scoped => pb::grant::Kind::Scoped,
        Rule::Floor => pb::grant::Kind::Floor,
        Rule::Matching => pb::grant::Kind::Matching,
        Rule::Shortfall => pb::grant::Kind::Shortfall,
        Rule::Award => pb::grant::Kind::Award,
    }
}

/// A grant.
pub fn grant(grant: &Grant, amount: Fen) -> pb::Grant {
    let count = |heads: u32| i32::try_from(heads).unwrap_or(i32::MAX);
    pb::Grant {
        kind: kind(grant.rule).into(),
        scope: grant.scope.clone(),
        year: grant.year.unwrap_or_default(),
        enrolled_count: count(grant.heads.enrolled),
        participant_count: count(grant.heads.participants),
        base_fen: grant.base.get(),
        cost_fen: grant.cost.get(),
        amount_fen: amount.get(),
    }
}

/// A record.
pub fn fund_entry(entry: &FundEntry) -> pb::FundEntry {
    let (state, reason, receipt_document) = match &entry.state {
        State::Proposed => (pb::fund_entry::State::Proposed, "", ""),
        State::Approved { .. } => (pb::fund_entry::State::Approved, "", ""),
        State::Received { document, .. } => (pb::fund_entry::State::Received, "", document.as_str()),
        State::Rejected { reason, .. } => (pb::fund_entry::State::Rejected, reason.as_str(), ""),
        State::Reversed { reason, .. } => (pb::fund_entry::State::Reversed, reason.as_str(), ""),
    };
    let content = match &entry.content {
        Content::Grant(one) => pb::fund_entry::Content::Grant(grant(one, entry.amount)),
        Content::Spending(one) => pb::fund_entry::Content::Spending(spending(one, entry.amount)),
        Content::PaySheet(one) => pb::fund_entry::Content::PaySheet(pay_sheet(one, entry.amount)),
    };
    pb::FundEntry {
        id: entry.id.to_string(),
        term_id: entry.term_id.to_string(),
        school_id: entry.school_id.to_string(),
        state: state.into(),
        content: Some(content),
        document: entry.document.clone(),
        reason: reason.to_owned(),
        receipt_document: receipt_document.to_owned(),
        clauses: clauses(&entry.clauses),
        create_time: Some(timestamp(entry.created_at)),
    }
}

fn spending(spending: &Spending, amount: Fen) -> pb::Spending {
    pb::Spending {
        purpose: spending.purpose.clone(),
        purpose_zh: spending.purpose_zh.clone(),
        payee: spending.payee.clone(),
        day: spending.day.to_string(),
        amount_fen: amount.get(),
    }
}

fn pay_sheet(sheet: &PaySheet, amount: Fen) -> pb::PaySheet {
    let line = |line: &Line| pb::pay_sheet::Line {
        payee: line.payee.clone(),
        staffing: match line.staffing {
            Staffing::Internal => pb::pay_sheet::line::Staffing::Internal.into(),
            Staffing::External => pb::pay_sheet::line::Staffing::External.into(),
        },
        class_hour_count: i32::try_from(line.class_hours).unwrap_or(i32::MAX),
        rate_fen: line.rate.get(),
        amount_fen: line.amount.get(),
    };
    pb::PaySheet {
        month: sheet.month.format("%Y-%m").to_string(),
        lines: sheet.lines.iter().map(line).collect(),
        is_last: sheet.is_last,
        performance_total_fen: sheet.performance.total.get(),
        guidance_fen: sheet.performance.guidance.get(),
        amount_fen: amount.get(),
    }
}
