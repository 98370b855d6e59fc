//! Every refusal as gRPC carries it: one match.

use chrono::SecondsFormat;
use shared::status;
use shared::value::Violations;
use tonic::Status;

use crate::domain::refusal::{Clause, Refusal};

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::FreeOfCharge { clause } => {
                status::refused("FREE_OF_CHARGE", &with_clause(&clause, vec![]))
            }
            Refusal::CeilingExceeded { limit, clause } => {
                let facts = vec![("limit_fen", limit.get().to_string())];
                status::refused("CEILING_EXCEEDED", &with_clause(&clause, facts))
            }
            Refusal::FeeNotAsStated { stated, clause } => {
                let facts = vec![("stated_fen", stated.get().to_string())];
                status::refused("FEE_NOT_AS_STATED", &with_clause(&clause, facts))
            }
            Refusal::ApprovalRequired { clause } => {
                status::refused("APPROVAL_REQUIRED", &with_clause(&clause, vec![]))
            }
            Refusal::ShareUndecided { clause } => {
                status::refused("SHARE_UNDECIDED", &with_clause(&clause, vec![]))
            }
            Refusal::CostSheetRequired { clause } => {
                status::refused("COST_SHEET_REQUIRED", &with_clause(&clause, vec![]))
            }
            Refusal::SharingPlanRequired { clause } => {
                status::refused("SHARING_PLAN_REQUIRED", &with_clause(&clause, vec![]))
            }
            Refusal::EndSlotUnpriced { ends } => {
                status::refused("END_SLOT_UNPRICED", &[("end_time", ends.format("%H:%M").to_string())])
            }
            Refusal::SectionPriceAlreadyPublished => status::refused("SECTION_PRICE_ALREADY_PUBLISHED", &[]),
            Refusal::SectionBilledAlready => status::refused("SECTION_BILLED_ALREADY", &[]),
            Refusal::CostSheetPending => status::refused("COST_SHEET_PENDING", &[]),
            Refusal::CostSheetDecided => status::refused("COST_SHEET_DECIDED", &[]),
            Refusal::TariffAlreadyPublished => status::refused("TARIFF_ALREADY_PUBLISHED", &[]),
            Refusal::TariffNotPublished => status::refused("TARIFF_NOT_PUBLISHED", &[]),
            Refusal::PolicySilent(silent) => status::refused("POLICY_SILENT", &silent.facts()),
            Refusal::InvoiceSettled => status::refused("INVOICE_SETTLED", &[]),
            Refusal::InvoiceClosed => status::refused("INVOICE_CLOSED", &[]),
            Refusal::NothingToPay => status::refused("NOTHING_TO_PAY", &[]),
            Refusal::HoldTooShort { due_at } => {
                let due_time = due_at.to_rfc3339_opts(SecondsFormat::Secs, true);
                status::refused("HOLD_TOO_SHORT", &[("due_time", due_time)])
            }
            Refusal::EvidenceTooMany { limit_count } => {
                status::refused("EVIDENCE_TOO_MANY", &[("limit_count", limit_count.to_string())])
            }
            Refusal::EvidenceRequired => status::refused("EVIDENCE_REQUIRED", &[]),
            Refusal::CategoryNotListed { categories } => {
                let keys: Vec<&str> = categories.iter().map(|(key, _)| key.as_str()).collect();
                let names: Vec<&str> = categories.iter().map(|(_, name_zh)| name_zh.as_str()).collect();
                status::refused(
                    "CATEGORY_NOT_LISTED",
                    &[
                        ("categories", keys.join(",")),
                        ("categories_zh", names.join("、")),
                        // Regions name them in Chinese alone; the keys are made of English words.
                        ("categories_en", keys.join(", ").replace('_', " ")),
                    ],
                )
            }
            Refusal::WaiverPending => status::refused("WAIVER_PENDING", &[]),
            Refusal::WaiverDecided => status::refused("WAIVER_DECIDED", &[]),
            Refusal::ReasonRequired => status::refused("REASON_REQUIRED", &[]),
            Refusal::LastDayRequired => {
                let mut violations = Violations::default();
                violations.note("last_day", "must be a day from today on");
                status::invalid(&violations)
            }
            Refusal::GrantNotOfThisRegion { clause } => {
                status::refused("GRANT_NOT_OF_THIS_REGION", &with_clause(&clause, vec![]))
            }
            Refusal::ScopeNotListed { scopes } => {
                status::refused("SCOPE_NOT_LISTED", &[("scopes", scopes.join(", "))])
            }
            Refusal::GrantProposed { fund_entry_id } => {
                status::refused("GRANT_PROPOSED", &[("fund_entry_id", fund_entry_id.to_string())])
            }
            Refusal::NothingToGrant => status::refused("NOTHING_TO_GRANT", &[]),
            Refusal::PurposeNotAllowed { purposes, clause } => {
                let facts = vec![("purposes", purposes.join("、"))];
                status::refused("PURPOSE_NOT_ALLOWED", &with_clause(&clause, facts))
            }
            Refusal::RateRequired { limit, clause } => {
                let facts = vec![("limit_fen", limit.get().to_string()), ("limit", limit.to_string())];
                status::refused("RATE_REQUIRED", &with_clause(&clause, facts))
            }
            Refusal::GuidanceRequired { clause } => {
                status::refused("GUIDANCE_REQUIRED", &with_clause(&clause, vec![]))
            }
            Refusal::PayOutNotTheShare { due, planned, clause } => {
                let facts = vec![
                    ("due_fen", due.get().to_string()),
                    ("planned_fen", planned.get().to_string()),
                    ("due", due.to_string()),
                    ("planned", planned.to_string()),
                ];
                status::refused("PAY_OUT_NOT_THE_SHARE", &with_clause(&clause, facts))
            }
            Refusal::FundEntryDecided => status::refused("FUND_ENTRY_DECIDED", &[]),
            Refusal::RoleNotAllowed => status::denied("ROLE_NOT_ALLOWED"),
            Refusal::SecondPersonRequired => status::denied("SECOND_PERSON_REQUIRED"),
            Refusal::BillChanged { day } => status::refused("BILL_CHANGED", &[("day", day.to_string())]),
            Refusal::CaseTaken => status::refused("CASE_TAKEN", &[]),
            Refusal::CaseNotTaken => status::refused("CASE_NOT_TAKEN", &[]),
            Refusal::CaseResolved => status::refused("CASE_RESOLVED", &[]),
            Refusal::PeriodNotOver { opens_at } => {
                let open_time = opens_at.to_rfc3339_opts(SecondsFormat::Secs, true);
                status::refused("PERIOD_NOT_OVER", &[("open_time", open_time)])
            }
            Refusal::PeriodClosed { month } => status::refused("PERIOD_CLOSED", &[("month", month)]),
            Refusal::PeriodHasCases { waiting_count } => {
                status::refused("PERIOD_HAS_CASES", &[("waiting_count", waiting_count.to_string())])
            }
            Refusal::CorrectionDecided => status::refused("CORRECTION_DECIDED", &[]),
            Refusal::CorrectionExists => status::refused("CORRECTION_EXISTS", &[]),
            Refusal::CorrectionNotReversible => status::refused("CORRECTION_NOT_REVERSIBLE", &[]),
            refusal @ Refusal::Unworkable { .. } => status::internal(&refusal),
        }
    }
}

/// The facts of a refusal that rests on a clause.
fn with_clause<'a>(clause: &Clause, mut facts: Vec<(&'a str, String)>) -> Vec<(&'a str, String)> {
    facts.push(("key", clause.key.clone()));
    facts.push(("clause_zh", clause.text_zh.clone()));
    facts.push(("clause_en", clause.text_en.clone()));
    facts.push(("clause_source", clause.source.clone()));
    facts
}
