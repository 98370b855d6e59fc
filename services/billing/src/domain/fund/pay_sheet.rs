//! What staff are paid for a month.

use chrono::NaiveDate;
use policy::Policy;
use policy::staff::{self, StaffRefusal, Staffing};
use policy::vocabulary::StaffPayBasis;
use shared::value::Fen;

use crate::domain::refusal::{Clause, Refusal};

/// What staff are paid for a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaySheet {
    /// The first day of the month.
    pub month: NaiveDate,
    /// A line for each person.
    pub lines: Vec<Line>,
    /// Whether it is the term's last.
    pub is_last: bool,
    /// The whole performance pay it counts in, and the guidance line; zero where the region caps nothing.
    pub performance: Performance,
}

/// One person's pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Who.
    pub payee: String,
    /// Where from.
    pub staffing: Staffing,
    /// How many class hours.
    pub class_hours: u32,
    /// For one of them; zero where pay is not by the class hour.
    pub rate: Fen,
    /// The pay.
    pub amount: Fen,
}

/// Performance pay against its guidance line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Performance {
    /// The whole of it.
    pub total: Fen,
    /// The line.
    pub guidance: Fen,
}

/// What was asked for one person: a rate or an amount, or neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Who.
    pub payee: String,
    /// Where from.
    pub staffing: Staffing,
    /// How many class hours.
    pub class_hours: u32,
    /// The rate agreed.
    pub rate: Option<Fen>,
    /// The amount by the school's own distribution.
    pub amount: Option<Fen>,
}

/// Works out a line and what it rests on. Where a rate is stated or pay is by the class hour, the rate rules; elsewhere the school's own
/// distribution does.
///
/// # Errors
/// A rate that may not be; [`Refusal::PolicySilent`] where neither a rate nor how pay is distributed is stated.
pub fn line(policy: &Policy, asked: Asked) -> Result<(Line, Vec<Clause>), Refusal> {
    let Asked { payee, staffing, class_hours, rate, amount } = asked;
    let of_staff = &policy.staff;
    let is_by_hour = match staffing {
        Staffing::Internal => {
            of_staff.internal_pay_fen_per_class_hour.get().is_some()
                || of_staff.staff_pay_basis.get() == Some(&StaffPayBasis::ClassHour)
        }
        Staffing::External => of_staff.external_pay_cap_fen_per_class_hour.get().is_some(),
    };
    // What else may rule: how the fees are shared out, or that the workload is assessed.
    let shared = of_staff.fees_to_staff_bp.clause().or_else(|| of_staff.staff_pay_basis.clause());
    match (is_by_hour, shared, amount) {
        (false, Some(clause), Some(amount)) => {
            let line = Line { payee, staffing, class_hours, rate: Fen::ZERO, amount };
            Ok((line, vec![Clause::from(&clause)]))
        }
        _ => {
            let pay = staff::pay(policy, staffing, class_hours, rate)?;
            if amount.is_some_and(|amount| amount != pay.amount) {
                let clause = pay.clauses.first().map(Clause::from);
                return Err(clause.map_or(Refusal::Unworkable { why: "pay rests on nothing" }, |clause| {
                    Refusal::FeeNotAsStated { stated: pay.amount, clause: Box::new(clause) }
                }));
            }
            let line = Line { payee, staffing, class_hours, rate: pay.rate, amount: pay.amount };
            Ok((line, pay.clauses.iter().map(Clause::from).collect()))
        }
    }
}

/// Judges a month's pay beside the other sheets of the term and the fees: what it rests on.
///
/// # Errors
/// [`Refusal::PayOutNotTheShare`] above the stated share of the fees, or off it by the last sheet; [`Refusal::GuidanceRequired`] and
/// [`Refusal::CeilingExceeded`] where the performance total is capped.
pub fn judge(
    policy: &Policy,
    sheet: &PaySheet,
    pay: Fen,
    paid_before: Fen,
    fees: Fen,
) -> Result<Vec<Clause>, Refusal> {
    let of_staff = &policy.staff;
    let mut clauses = Vec::new();
    if of_staff.fees_to_staff_bp.get().is_some() {
        let planned = paid_before.plus(pay)?;
        let cap = staff::pay_out_cap(policy, fees)?;
        let clause = Clause::from(&cap.clause);
        if sheet.is_last {
            staff::pay_out(policy, fees, planned)?;
        } else if planned > cap.most {
            return Err(Refusal::PayOutNotTheShare { due: cap.most, planned, clause: Box::new(clause) });
        }
        clauses.push(clause);
    }
    let counts = of_staff.counts_in_performance_total.get() != Some(&false);
    if let Some((_, clause)) = of_staff.performance_total_cap_bp_of_guidance.known().filter(|_| counts) {
        let Performance { total, guidance } = sheet.performance;
        if guidance.is_zero() || total < pay {
            return Err(Refusal::GuidanceRequired { clause: Box::new(Clause::from(&clause)) });
        }
        let cap = staff::performance_cap(policy, guidance)?;
        if total > cap.most {
            let clause = Box::new(Clause::from(&cap.clause));
            return Err(Refusal::CeilingExceeded { limit: cap.most, clause });
        }
        clauses.push(Clause::from(&clause));
    }
    Ok(clauses)
}

impl From<StaffRefusal> for Refusal {
    fn from(refusal: StaffRefusal) -> Self {
        let boxed = |clause: &policy::Clause| Box::new(Clause::from(clause));
        match refusal {
            StaffRefusal::NotTheStatedRate { stated, clause, .. } => {
                Self::FeeNotAsStated { stated, clause: boxed(&clause) }
            }
            StaffRefusal::AboveCeiling { limit, clause, .. } => {
                Self::CeilingExceeded { limit, clause: boxed(&clause) }
            }
            StaffRefusal::RateMissing { limit, clause } => {
                Self::RateRequired { limit, clause: boxed(&clause) }
            }
            StaffRefusal::NotTheShare { due, planned, clause } => {
                Self::PayOutNotTheShare { due, planned, clause: boxed(&clause) }
            }
            StaffRefusal::Negative { .. } => Self::Unworkable { why: "an amount is below zero" },
            StaffRefusal::Silent(silent) => silent.into(),
            StaffRefusal::Fen(error) => error.into(),
        }
    }
}
