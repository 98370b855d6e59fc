//! Every no, with the facts a sentence about it needs.

use chrono::{NaiveDate, NaiveTime};
use policy::fee::FeeRefusal;
use policy::waiver::WaiverRefusal;
use policy::{Basis, Silent};
use shared::value::{Fen, FenError, FundEntry, Id, Moment};

/// A sentence of policy or of a decision that an amount or a refusal rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// The policy key.
    pub key: String,
    /// What it says, in Chinese.
    pub text_zh: String,
    /// What it says, in English.
    pub text_en: String,
    /// Where it stands: document and line, or decision and date.
    pub source: String,
}

impl From<&policy::Clause> for Clause {
    fn from(clause: &policy::Clause) -> Self {
        let said = clause.say();
        Self { key: clause.key.to_owned(), text_zh: said.zh, text_en: said.en, source: source(clause) }
    }
}

/// Where a clause stands: document and line, or decision, number and date.
#[must_use]
pub fn source(clause: &policy::Clause) -> String {
    match &clause.basis {
        Basis::Document(source) => format!("{}:{}", source.file, source.line),
        Basis::Decision(decision) => {
            format!("{} {} {}", decision.decided_by, decision.document, decision.dated)
        }
    }
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Parents pay nothing here.
    #[error("the service is free of charge")]
    FreeOfCharge {
        /// What says so.
        clause: Box<Clause>,
    },
    /// The amount is above a ceiling.
    #[error("the amount is above the ceiling {limit}")]
    CeilingExceeded {
        /// The ceiling.
        limit: Fen,
        /// What says so.
        clause: Box<Clause>,
    },
    /// The region states another amount.
    #[error("the amount is not the stated {stated}")]
    FeeNotAsStated {
        /// The stated amount.
        stated: Fen,
        /// What says so.
        clause: Box<Clause>,
    },
    /// A price needs an approval it does not have.
    #[error("an approval is required")]
    ApprovalRequired {
        /// What says so.
        clause: Box<Clause>,
    },
    /// What parents pay has yet to be decided; until then nothing is charged.
    #[error("what parents pay is not decided")]
    ShareUndecided {
        /// What says so.
        clause: Box<Clause>,
    },
    /// A price rests on a cost sheet, and none is approved.
    #[error("an approved cost sheet is required")]
    CostSheetRequired {
        /// What says so.
        clause: Box<Clause>,
    },
    /// A price that needs an approval needs the plan of how government, school and parents share too.
    #[error("a sharing plan is required")]
    SharingPlanRequired {
        /// What says so.
        clause: Box<Clause>,
    },
    /// A lesson ends later than the last end slot that has a price.
    #[error("no end slot with a price ends at {ends} or later")]
    EndSlotUnpriced {
        /// When the lesson ends, local time.
        ends: NaiveTime,
    },
    /// The section has a price of its own already.
    #[error("the section has a price")]
    SectionPriceAlreadyPublished,
    /// Families have been billed for the section by the term's fee standard.
    #[error("the section is billed already")]
    SectionBilledAlready,
    /// Another sheet of the same kind waits for a decision.
    #[error("a cost sheet waits for a decision")]
    CostSheetPending,
    /// It was decided otherwise.
    #[error("the cost sheet is decided")]
    CostSheetDecided,
    /// The term has a fee standard already.
    #[error("the term has a fee standard")]
    TariffAlreadyPublished,
    /// The term has no fee standard yet.
    #[error("the term has no fee standard")]
    TariffNotPublished,
    /// The policy is silent on what is needed.
    #[error(transparent)]
    PolicySilent(#[from] Silent),
    /// Nothing is owed any more.
    #[error("the invoice is settled")]
    InvoiceSettled,
    /// It can no longer be paid.
    #[error("the invoice is closed")]
    InvoiceClosed,
    /// It rests on another invoice of the pupil and asks for no money of its own.
    #[error("the invoice asks for no money")]
    NothingToPay,
    /// Too little is left of the hold to pay in.
    #[error("the hold ends at {due_at}")]
    HoldTooShort {
        /// When the hold ends.
        due_at: Moment,
    },
    /// The pupil has as many unused documents as may be kept.
    #[error("there are {limit_count} documents not yet used")]
    EvidenceTooMany {
        /// How many may be kept.
        limit_count: u64,
    },
    /// A document is not the pupil's, or is used already.
    #[error("the documents do not prove this")]
    EvidenceRequired,
    /// The region's list has no such category.
    #[error("the category is not listed")]
    CategoryNotListed {
        /// The categories there are: key, and what the region calls it.
        categories: Vec<(String, String)>,
    },
    /// Another application of the pupil waits for a decision.
    #[error("an application waits for a decision")]
    WaiverPending,
    /// It was decided otherwise.
    #[error("the waiver is decided")]
    WaiverDecided,
    /// A rejection needs a reason.
    #[error("a rejection needs a reason")]
    ReasonRequired,
    /// A grant needs a last day that is not past.
    #[error("the last day is missing or past")]
    LastDayRequired,
    /// The caller's role does not decide at this point.
    #[error("the role does not decide this")]
    RoleNotAllowed,
    /// The same person decided before.
    #[error("a second person must decide")]
    SecondPersonRequired,
    /// WeChat gave another bill of that day before.
    #[error("the bill of {day} is not the one kept")]
    BillChanged {
        /// The bill's day.
        day: NaiveDate,
    },
    /// Somebody else looks into the case.
    #[error("another person has taken the case")]
    CaseTaken,
    /// Nobody has taken the case yet.
    #[error("the case is not taken")]
    CaseNotTaken,
    /// Nothing is to be done about the case any more.
    #[error("the case is resolved")]
    CaseResolved,
    /// The month is not over, or not for an hour.
    #[error("the period can be closed from {opens_at}")]
    PeriodNotOver {
        /// From when it can be closed.
        opens_at: Moment,
    },
    /// A later month is closed, and this one with it.
    #[error("the period {month} is closed")]
    PeriodClosed {
        /// The month.
        month: String,
    },
    /// Differences of the month's bills wait for a person.
    #[error("{waiting_count} differences wait")]
    PeriodHasCases {
        /// How many.
        waiting_count: u64,
    },
    /// It was decided otherwise, or by somebody else.
    #[error("the correction is decided")]
    CorrectionDecided,
    /// The entry is reversed already, or another correction resolves the case.
    #[error("there is a correction for this")]
    CorrectionExists,
    /// A correction is not reversed: another one is wanted instead.
    #[error("a correction is corrected by another, not reversed")]
    CorrectionNotReversible,
    /// The region gives no such money.
    #[error("the region gives no such money")]
    GrantNotOfThisRegion {
        /// What says so.
        clause: Box<Clause>,
    },
    /// The district lies in no such part of the region.
    #[error("the district lies in no such part of the region")]
    ScopeNotListed {
        /// The parts it lies in for which there is money.
        scopes: Vec<String>,
    },
    /// There is a grant by this rule and for this time already.
    #[error("the grant {fund_entry_id} is there already")]
    GrantProposed {
        /// Which.
        fund_entry_id: Id<FundEntry>,
    },
    /// By the rule there is nothing to give.
    #[error("by the rule there is nothing to give")]
    NothingToGrant,
    /// The region's list has no such purpose.
    #[error("the money is not for this purpose")]
    PurposeNotAllowed {
        /// What it is for.
        purposes: Vec<String>,
        /// What says so.
        clause: Box<Clause>,
    },
    /// Only a ceiling is stated: the rate must be given.
    #[error("a rate up to {limit} must be given")]
    RateRequired {
        /// The ceiling.
        limit: Fen,
        /// What says so.
        clause: Box<Clause>,
    },
    /// The performance total is capped, and it or its guidance line is not given.
    #[error("the guidance line of the performance total is needed")]
    GuidanceRequired {
        /// What says so.
        clause: Box<Clause>,
    },
    /// What is paid out is not the stated share of the fees.
    #[error("{planned} is not the stated share of the fees, {due}")]
    PayOutNotTheShare {
        /// What is due.
        due: Fen,
        /// What all sheets of the term come to.
        planned: Fen,
        /// What says so.
        clause: Box<Clause>,
    },
    /// It was decided otherwise, or is not where this can be done.
    #[error("the record is decided")]
    FundEntryDecided,
    /// An amount left the range of 64 bits, or a price was asked that cannot exist.
    #[error("an amount cannot be worked out: {why}")]
    Unworkable {
        /// What was wrong.
        why: &'static str,
    },
}

impl From<FenError> for Refusal {
    fn from(_: FenError) -> Self {
        Self::Unworkable { why: "an amount left the range of 64 bits" }
    }
}

impl From<FeeRefusal> for Refusal {
    fn from(refusal: FeeRefusal) -> Self {
        let boxed = |clause: &policy::Clause| Box::new(Clause::from(clause));
        match refusal {
            FeeRefusal::FreeOfCharge { clause } => Self::FreeOfCharge { clause: boxed(&clause) },
            FeeRefusal::AwaitingApproval { clause } => Self::ShareUndecided { clause: boxed(&clause) },
            FeeRefusal::ApprovalMissing { clause } => Self::ApprovalRequired { clause: boxed(&clause) },
            FeeRefusal::AboveCeiling { limit, clause, .. } => {
                Self::CeilingExceeded { limit, clause: boxed(&clause) }
            }
            FeeRefusal::NotTheStatedFee { stated, clause, .. } => {
                Self::FeeNotAsStated { stated, clause: boxed(&clause) }
            }
            FeeRefusal::OutOfScope { .. } => Self::Unworkable { why: "a price is for the afternoon" },
            FeeRefusal::ExtendedCareUnpriced => Self::Unworkable { why: "extended care has no price" },
            FeeRefusal::NotPositive { .. } => Self::Unworkable { why: "a price must be above zero" },
            FeeRefusal::Silent(silent) => silent.into(),
            FeeRefusal::Fen(error) => error.into(),
        }
    }
}

impl From<WaiverRefusal> for Refusal {
    fn from(refusal: WaiverRefusal) -> Self {
        match refusal {
            WaiverRefusal::NotACharge { .. } => {
                Self::Unworkable { why: "a charge below zero cannot be waived" }
            }
            WaiverRefusal::Silent(silent) => silent.into(),
            WaiverRefusal::Fen(error) => error.into(),
        }
    }
}
