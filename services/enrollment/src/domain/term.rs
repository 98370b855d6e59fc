//! What a term's policy says about applications: the steps they take, and whether parents pay.

use chrono::NaiveDate;
use policy::vocabulary::FeeMode;
use policy::{Policy, Silent};
use shared::value::{District, Id, School, Term as TermKind};
use uuid::Uuid;

use super::enrollment::{Fee, Step};

/// A term of one school, as the catalog told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The term.
    pub id: Id<TermKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// The ids district, town, school.
    pub path: Vec<Uuid>,
    /// The first day of service, inclusive.
    pub first_day: NaiveDate,
    /// The last day of service, inclusive.
    pub last_day: NaiveDate,
    /// Days within the term on which no service is given, ascending.
    pub off_days: Vec<NaiveDate>,
    /// The policy it is ruled by, as `policy::Packs::pinned` takes it.
    pub policy_version: String,
}

impl Term {
    /// Says whether service is given on `day`.
    #[must_use]
    pub fn meets_on(&self, day: NaiveDate) -> bool {
        self.first_day <= day && day <= self.last_day && !self.off_days.contains(&day)
    }
}

/// The rules of one term, as its policy has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The steps of approval in order, all open; empty where the policy names none.
    pub steps: Vec<Step>,
    /// Whether a seat must be settled before it is the pupil's.
    pub fee: Fee,
    /// Whether the guardian signs an agreement before a seat counts.
    pub asks_agreement: bool,
}

impl Ruling {
    /// Reads them from the policy a term is pinned to.
    ///
    /// # Errors
    /// [`Silent`] on `parent_fee_mode`: nobody can say whether the seat is free.
    pub fn of(policy: &Policy) -> Result<Self, Silent> {
        let fee = match policy.fee.parent_fee_mode.require()? {
            FeeMode::Free => Fee::Free,
            // Where the fee still awaits approval there is no tariff, so no round opens; should one be open, nothing is
            // confirmed unpaid.
            FeeMode::Exact | FeeMode::Ceiling | FeeMode::Average | FeeMode::AwaitingApproval => Fee::Charged,
        };
        let steps = policy::enroll::steps(policy)
            .iter()
            .map(|step| Step {
                key: step.key.clone(),
                name_zh: step.name_zh.clone(),
                role: step.role.word().to_owned(),
                approved_at: None,
            })
            .collect();
        Ok(Self { steps, fee, asks_agreement: policy::enroll::agreement_required(policy).is_some() })
    }
}
