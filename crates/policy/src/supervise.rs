//! What must be public, on duty, inspected and reached.
//!
//! Where documents ask for nothing, nothing is missing. How hard an answer binds is its clause's to say: what is only
//! aimed at is measured and blocks nothing.

use crate::policy::Policy;
use crate::value::{Clause, Value};
use crate::vocabulary::{BasisPoints, Item, Target};

/// What a list asks for and what is given does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What is not there, in the order of the document; never empty.
    pub items: Vec<Item>,
    /// What asks for it.
    pub clause: Clause,
}

/// A count that falls short of what is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Short {
    /// What is asked for.
    pub least: u32,
    /// What there is, below `least`.
    pub found: u32,
    /// What asks for it.
    pub clause: Clause,
}

/// What of a list of items is not among the keys given.
pub(crate) fn missing(list: &Value<Vec<Item>>, given_keys: &[&str]) -> Option<Missing> {
    let (asked, clause) = list.known()?;
    let is_absent = |item: &&Item| !given_keys.contains(&item.key.as_str());
    let items: Vec<Item> = asked.iter().filter(is_absent).cloned().collect();
    (!items.is_empty()).then_some(Missing { items, clause })
}

fn short(least: &Value<u32>, found: u32) -> Option<Short> {
    let (least, clause) = least.known()?;
    (found < *least).then_some(Short { least: *least, found, clause })
}

/// Gives what a notice must make public and does not. `given_keys` are those of `disclosure_fields` it holds.
#[must_use]
pub fn missing_disclosure(policy: &Policy, given_keys: &[&str]) -> Option<Missing> {
    missing(&policy.supervise.disclosure_fields, given_keys)
}

/// Gives the parts a school's plan must have and has not.
#[must_use]
pub fn missing_plan_parts(policy: &Policy, given_keys: &[&str]) -> Option<Missing> {
    missing(&policy.supervise.plan_parts, given_keys)
}

/// Gives the schedules a school's plan must have and has not.
#[must_use]
pub fn missing_plan_schedules(policy: &Policy, given_keys: &[&str]) -> Option<Missing> {
    missing(&policy.supervise.plan_schedules, given_keys)
}

/// Gives by how much the leaders on duty on one day fall short.
#[must_use]
pub fn leader_missing(policy: &Policy, on_duty: u32) -> Option<Short> {
    short(&policy.supervise.leader_patrol_per_day, on_duty)
}

/// Gives by how much the special inspections of one term fall short.
#[must_use]
pub fn inspections_missing(policy: &Policy, held: u32) -> Option<Short> {
    short(&policy.supervise.special_inspections_per_term, held)
}

/// Gives the clause by which parents should have been invited in a month of the school year in which they were not.
/// `months_held` are those with such an event, 1 to 12.
#[must_use]
pub fn parents_not_invited(policy: &Policy, months_held: &[u32]) -> Option<Clause> {
    let (month, clause) = policy.supervise.parent_experience_month.known()?;
    (!months_held.contains(month)).then_some(clause)
}

/// Tells whether a target is met by `numerator` out of `denominator`; nothing when the denominator is 0.
///
/// Both sides are compared as products, so that no share is rounded. What belongs into the denominator is said by
/// `Target::among_zh`.
#[must_use]
pub fn target_met(target: &Target, numerator: u64, denominator: u64) -> Option<bool> {
    let reached = u128::from(numerator) * u128::from(BasisPoints::WHOLE.get());
    let asked = u128::from(denominator) * u128::from(target.at_least_bp.get());
    (denominator != 0).then_some(reached >= asked)
}
