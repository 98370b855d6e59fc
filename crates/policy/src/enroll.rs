//! How pupils come in: the steps of an application, who is served first, and what must be signed.

use crate::policy::Policy;
use crate::value::{Clause, Silent};
use crate::vocabulary::{Hotline, Item, Stage, Step};

/// Gives the steps of an application in their order; none when no document names any.
#[must_use]
pub fn steps(policy: &Policy) -> &[Step] {
    policy.enroll.enrollment_steps.get().map_or(&[], Vec::as_slice)
}

/// Gives who is served first where seats are scarce, in the document's order; none when no document names any.
///
/// The order of the list is not a rank. Priority gives seats and waives nothing.
#[must_use]
pub fn priority_groups(policy: &Policy) -> &[Item] {
    policy.enroll.priority_groups.get().map_or(&[], Vec::as_slice)
}

/// Gives the clause by which parents sign an agreement before service and charge; nothing when none asks for it.
#[must_use]
pub fn agreement_required(policy: &Policy) -> Option<Clause> {
    let (required, clause) = policy.enroll.agreement_required.known()?;
    required.then_some(clause)
}

/// Finds the section of the bureau that takes complaints about a stage.
///
/// # Errors
/// [`Silent`] when no document and no supplement names one for it.
pub fn hotline(policy: &Policy, stage: Stage) -> Result<&Hotline, Silent> {
    let hotlines = policy.supervise.hotlines.require()?;
    hotlines
        .iter()
        .find(|hotline| hotline.answers_for(stage))
        .ok_or_else(|| policy.supervise.hotlines.silence())
}
