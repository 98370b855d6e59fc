//! An enrollment's life: in line, waiting for a signature, in review, held, confirmed, given back.
//!
//! | from ↓ command → | promote | sign | approve_step | decline | agreement_expired | review_expired | hold_expired |
//! |------------------|---------|------|--------------|---------|-------------------|----------------|--------------|
//! | Waitlisted       | seated ¹ | no change | NotInReview | NotInReview | no change | no change | no change |
//! | AwaitingAgreement | no change | seated ¹¹ | NotInReview ⁴ | NotInReview | Released ³ | no change | no change |
//! | InReview         | no change | no change | InReview or seated ² | Released | no change | Released ³ | no change |
//! | Held             | no change | no change | NotInReview ⁴ | NotInReview | no change | no change | Releasing ³ |
//! | Releasing        | no change | no change | NotInReview ⁴ | NotInReview | no change | no change | no change |
//! | Confirmed        | no change | no change | NotInReview ⁴ | NotInReview | no change | no change | no change |
//! | Released         | NotInLine | no change | NotInReview ⁴ | NotInReview ⁵ | no change | no change | no change |
//!
//! | from ↓ command → | withdraw  | withdraw_closed ⁷ | lose ⁶    | closed ⁷  | settled        |
//! |------------------|-----------|-------------------|-----------|-----------|----------------|
//! | Waitlisted       | Released  | Released          | Released  | NotHeld   | NotHeld        |
//! | AwaitingAgreement | Released | Released          | Released  | NotHeld   | NotHeld        |
//! | InReview         | Released  | Released          | Released  | NotHeld   | NotHeld        |
//! | Held             | Releasing | Released          | Releasing | NotHeld   | Confirmed      |
//! | Releasing        | no change | Released          | Releasing ⁸ | Released | Confirmed ⁹   |
//! | Confirmed        | Released  | Released          | Released  | no change | no change      |
//! | Released         | no change | no change         | no change | no change | Confirmed or Released ¹⁰ |
//!
//! ¹ seated is AwaitingAgreement while the region's agreement has to be signed and is not; else InReview while a step is open; else
//! Held; else, where nothing is charged, Confirmed.
//! ² the step named, if it is the next; before `expires_at`, else NotInReview. A step approved before: no change, in every state.
//! ³ from `expires_at` on, else no change.  ⁴ unless the step was approved before: no change.
//! ⁵ unless it was released by declining this step: no change.  ⁶ the section was cancelled, or the pupil left.
//! ⁷ billing has closed the invoice unpaid.  ⁸ with the new reason.
//! ⁹ where the seat is lost (⁶), Released with `was_confirmed`: the money goes back as from a confirmed seat.
//! ¹⁰ no change when it had been settled before; else Confirmed if there is a seat to take, else Released as settled and
//! `SettlementUnseated` is told.
//! ¹¹ with the signature given; before `expires_at`, else no change.

use chrono::TimeDelta;
use shared::value::{
    District, Enrollment as EnrollmentKind, Guardian, Id, Moment, Pupil, School, Section, Term,
};
use uuid::Uuid;

use super::round::Waits;

/// A pupil's place in, or on the way to, a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrollment {
    /// The enrollment.
    pub id: Id<EnrollmentKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school that gives the section.
    pub school_id: Id<School>,
    /// The pupil.
    pub pupil_id: Id<Pupil>,
    /// The ids district, town, school, class of the pupil.
    pub pupil_path: Vec<Uuid>,
    /// The section.
    pub section_id: Id<Section>,
    /// The term.
    pub term_id: Id<Term>,
    /// The guardian who applied.
    pub guardian_id: Id<Guardian>,
    /// The request by which it was applied for.
    pub request_id: Uuid,
    /// Whether the guardian would stand in line: part of what a repeat of the request must say again.
    pub join_waitlist: bool,
    /// What a seat takes before it is the pupil's.
    pub terms: Terms,
    /// When it was applied for.
    pub created_at: Moment,
    /// The steps of approval.
    pub steps: Steps,
    /// Where it stands.
    pub state: State,
}

/// What a seat takes before it is the pupil's; fixed when it was applied for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Whether it must be settled.
    pub fee: Fee,
    /// How long it waits.
    pub waits: Waits,
    /// Whether the region has the guardian sign an agreement before the seat counts.
    pub asks_agreement: bool,
}

/// Whether parents pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fee {
    /// Nothing is charged, and billing never hears of the seat.
    Free,
    /// The seat is held until billing says that it is settled: paid, waived, or nothing left to pay.
    Charged,
}

/// One step of approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its key in the policy, such as `class_pre_review`.
    pub key: String,
    /// Its name for people.
    pub name_zh: String,
    /// The role that decides it, such as `class_teacher`; `guardian` for what applying itself is.
    pub role: String,
    /// When it was approved; none while open.
    pub approved_at: Option<Moment>,
}

/// The role of a step that applying itself is.
const GUARDIAN: &str = "guardian";

/// The steps of approval, in the policy's order. Every approved step comes before every open one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps(Vec<Step>);

/// The steps are not in order: an open one comes before an approved one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an open step comes before an approved one")]
pub struct StepsError;

impl Steps {
    /// Takes steps as they were kept.
    ///
    /// # Errors
    /// [`StepsError`].
    pub fn new(steps: Vec<Step>) -> Result<Self, StepsError> {
        let is_ordered = steps.is_sorted_by_key(|step| step.approved_at.is_none());
        if is_ordered { Ok(Self(steps)) } else { Err(StepsError) }
    }

    /// Begins the steps of a policy: those of the guardian, as long as they come first, are done by applying.
    #[must_use]
    pub fn applied(steps: &[Step], now: Moment) -> Self {
        let mut is_own = true;
        let begin = |step: &Step| {
            is_own = is_own && step.role == GUARDIAN;
            Step { approved_at: is_own.then_some(now), ..step.clone() }
        };
        Self(steps.iter().map(begin).collect())
    }

    /// All steps, in order.
    #[must_use]
    pub fn list(&self) -> &[Step] {
        &self.0
    }

    /// The first open step; none when all are approved.
    #[must_use]
    pub fn next(&self) -> Option<&Step> {
        self.0.iter().find(|step| step.approved_at.is_none())
    }

    fn find(&self, key: &str) -> Result<&Step, Error> {
        self.0.iter().find(|step| step.key == key).ok_or(Error::StepUnknown)
    }

    fn approve(&self, key: &str, now: Moment) -> Self {
        let approve = |step: &Step| {
            let approved_at = if step.key == key { Some(now) } else { step.approved_at };
            Step { approved_at, ..step.clone() }
        };
        Self(self.0.iter().map(approve).collect())
    }
}

/// Where an enrollment stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// In line for a seat; holds none.
    Waitlisted {
        /// The number drawn in line, 1 and up within the section; lower is served first.
        number: i64,
    },
    /// Holds a seat; the region's agreement has to be signed. Nobody counts the pupil before, and nothing is charged.
    AwaitingAgreement {
        /// From this moment on the wait is over.
        expires_at: Moment,
    },
    /// Holds a seat; steps of approval are open.
    InReview {
        /// From this moment on the review is over.
        expires_at: Moment,
    },
    /// Holds a seat; approved; waits to be settled.
    Held {
        /// From this moment on the hold is over.
        expires_at: Moment,
    },
    /// Holds a seat; being given back: billing is asked to close first.
    Releasing {
        /// Why.
        release: Release,
    },
    /// Has the seat.
    Confirmed,
    /// Has no seat and no place in line any more.
    Released {
        /// Why.
        release: Release,
        /// Whether its fee had been settled: the money is on its way back, and a settlement told again changes nothing.
        was_settled: bool,
    },
}

/// Why a place is given back, and the words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Why.
    pub reason: ReleaseReason,
    /// The words with which a step was declined or a section cancelled; empty otherwise.
    pub note: String,
}

/// Why a place is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseReason {
    /// The hold ended before it was settled.
    HoldExpired,
    /// The agreement was not signed in time.
    AgreementExpired,
    /// The steps of approval were not done in time.
    ReviewExpired,
    /// A step of approval was declined.
    Declined,
    /// The guardian withdrew.
    Withdrawn,
    /// The section was cancelled.
    SectionCancelled,
    /// The pupil left, or no guardian consents any more.
    PupilLeft,
}

impl ReleaseReason {
    /// Says whether the seat is lost whatever is paid: there is nothing left to sit in, or nobody to sit.
    const fn is_final(self) -> bool {
        match self {
            Self::SectionCancelled | Self::PupilLeft => true,
            Self::HoldExpired
            | Self::AgreementExpired
            | Self::ReviewExpired
            | Self::Declined
            | Self::Withdrawn => false,
        }
    }
}

impl From<ReleaseReason> for Release {
    fn from(reason: ReleaseReason) -> Self {
        Self { reason, note: String::new() }
    }
}

/// What others hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The pupil stands in line.
    Waitlisted {
        /// The place in line, 1 is next.
        position: i32,
    },
    /// A seat is held and waits for the guardian's signature.
    AgreementAwaited {
        /// When it must be signed.
        expires_at: Moment,
        /// Whether the seat came from the line.
        from_waitlist: bool,
    },
    /// A seat is held and waits for approval.
    ReviewBegun {
        /// When the review must be done.
        expires_at: Moment,
        /// Whether the seat came from the line.
        from_waitlist: bool,
    },
    /// A seat is held, approved and waits to be settled.
    SeatHeld {
        /// When the hold ends.
        expires_at: Moment,
        /// Whether the seat came from the line.
        from_waitlist: bool,
    },
    /// A seat is the pupil's.
    SeatConfirmed,
    /// A seat, or a place in line, was given back.
    SeatReleased {
        /// Why.
        reason: ReleaseReason,
        /// Whether it had been the pupil's before: settled money goes back.
        was_confirmed: bool,
    },
    /// The fee was settled after the seat was given away and none is free: the money must go back.
    SettlementUnseated,
    /// The family wants to give back a paid seat, and nobody has said what goes back: somebody must decide. The seat stays.
    RefundRuleMissing {
        /// The key of the policy that is silent.
        key: String,
        /// Who asked.
        guardian_id: Id<Guardian>,
    },
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The policy names no such step.
    #[error("no such step")]
    StepUnknown,
    /// Another step comes first.
    #[error("step {next_step} comes first")]
    StepOutOfOrder {
        /// The key of the step that is next.
        next_step: String,
        /// What the region calls it.
        name_zh: String,
    },
    /// No step can be decided now.
    #[error("not in review")]
    NotInReview,
    /// It stands in no line.
    #[error("not in line")]
    NotInLine,
    /// There is no invoice that could be settled or closed.
    #[error("not held")]
    NotHeld,
}

/// What a command makes of an enrollment: the steps and state from now on, and what to tell. No event: nothing changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The steps from now on.
    pub steps: Steps,
    /// The state from now on.
    pub state: State,
    /// What others hear, if they need to.
    pub event: Option<Event>,
}

impl State {
    /// Says whether a seat is taken by it.
    #[must_use]
    pub const fn holds_seat(&self) -> bool {
        match self {
            Self::AwaitingAgreement { .. }
            | Self::InReview { .. }
            | Self::Held { .. }
            | Self::Releasing { .. }
            | Self::Confirmed => true,
            Self::Waitlisted { .. } | Self::Released { .. } => false,
        }
    }

    /// Says whether the pupil is counted: on rosters and registers. A seat that waits for a signature is not.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        match self {
            Self::InReview { .. } | Self::Held { .. } | Self::Releasing { .. } | Self::Confirmed => true,
            Self::Waitlisted { .. } | Self::AwaitingAgreement { .. } | Self::Released { .. } => false,
        }
    }

    /// Says whether it has a seat or a place in line.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        match self {
            Self::Waitlisted { .. }
            | Self::AwaitingAgreement { .. }
            | Self::InReview { .. }
            | Self::Held { .. }
            | Self::Releasing { .. }
            | Self::Confirmed => true,
            Self::Released { .. } => false,
        }
    }

    /// Says whether it stands in line.
    #[must_use]
    pub const fn is_waitlisted(&self) -> bool {
        matches!(self, Self::Waitlisted { .. })
    }
}

impl Enrollment {
    fn unchanged(&self) -> Change {
        Change { steps: self.steps.clone(), state: self.state.clone(), event: None }
    }

    fn to(&self, state: State, event: Option<Event>) -> Change {
        Change { steps: self.steps.clone(), state, event }
    }

    fn released(&self, release: Release, was_confirmed: bool) -> Change {
        let event = Event::SeatReleased { reason: release.reason, was_confirmed };
        self.to(State::Released { release, was_settled: was_confirmed }, Some(event))
    }
}

/// Gives a seat: awaiting the agreement where it has to be signed and is not, in review while a step is open, held while it must be
/// settled, else confirmed. `is_signed` says whether the agreement in force is signed for the pupil.
#[must_use]
pub fn seat(
    steps: &Steps,
    terms: &Terms,
    is_signed: bool,
    from_waitlist: bool,
    now: Moment,
) -> (State, Event) {
    let after = |seconds: i32| now + TimeDelta::seconds(i64::from(seconds));
    if terms.asks_agreement && !is_signed {
        // The family's wait and the school's are equally long: a round names one.
        let expires_at = after(terms.waits.review_seconds);
        return (
            State::AwaitingAgreement { expires_at },
            Event::AgreementAwaited { expires_at, from_waitlist },
        );
    }
    match (steps.next(), terms.fee) {
        (Some(_), _) => {
            let expires_at = after(terms.waits.review_seconds);
            (State::InReview { expires_at }, Event::ReviewBegun { expires_at, from_waitlist })
        }
        (None, Fee::Charged) => {
            let expires_at = after(terms.waits.payment_seconds);
            (State::Held { expires_at }, Event::SeatHeld { expires_at, from_waitlist })
        }
        (None, Fee::Free) => (State::Confirmed, Event::SeatConfirmed),
    }
}

/// Gives the next in line a seat. That there is one, and that the pupil may take it, is the line's to say; `is_signed` says whether
/// the agreement in force is signed for the pupil.
///
/// # Errors
/// [`Error::NotInLine`] when it was given back.
pub fn promote(enrollment: &Enrollment, is_signed: bool, now: Moment) -> Result<Change, Error> {
    match &enrollment.state {
        State::Waitlisted { .. } => {
            let (state, event) = seat(&enrollment.steps, &enrollment.terms, is_signed, true, now);
            Ok(enrollment.to(state, Some(event)))
        }
        State::AwaitingAgreement { .. }
        | State::InReview { .. }
        | State::Held { .. }
        | State::Releasing { .. }
        | State::Confirmed => Ok(enrollment.unchanged()),
        State::Released { .. } => Err(Error::NotInLine),
    }
}

/// Takes note that the agreement in force is signed for the pupil: what waited for it goes on.
#[must_use]
pub fn sign(enrollment: &Enrollment, now: Moment) -> Change {
    match &enrollment.state {
        State::AwaitingAgreement { expires_at } if now < *expires_at => {
            let (state, event) = seat(&enrollment.steps, &enrollment.terms, true, false, now);
            enrollment.to(state, Some(event))
        }
        State::AwaitingAgreement { .. }
        | State::Waitlisted { .. }
        | State::InReview { .. }
        | State::Held { .. }
        | State::Releasing { .. }
        | State::Confirmed
        | State::Released { .. } => enrollment.unchanged(),
    }
}

/// Approves the step `key`.
///
/// # Errors
/// [`Error::StepUnknown`], [`Error::StepOutOfOrder`], [`Error::NotInReview`].
pub fn approve_step(enrollment: &Enrollment, key: &str, now: Moment) -> Result<Change, Error> {
    if enrollment.steps.find(key)?.approved_at.is_some() {
        return Ok(enrollment.unchanged());
    }
    match &enrollment.state {
        State::InReview { expires_at } if now < *expires_at => {
            check_order(&enrollment.steps, key)?;
            let steps = enrollment.steps.approve(key, now);
            if steps.next().is_some() {
                return Ok(Change { steps, state: enrollment.state.clone(), event: None });
            }
            // Only what is signed gets into review.
            let (state, event) = seat(&steps, &enrollment.terms, true, false, now);
            Ok(Change { steps, state, event: Some(event) })
        }
        State::InReview { .. }
        | State::Waitlisted { .. }
        | State::AwaitingAgreement { .. }
        | State::Held { .. }
        | State::Releasing { .. }
        | State::Confirmed
        | State::Released { .. } => Err(Error::NotInReview),
    }
}

/// Declines the step `key` with `note` for the family: the seat is given back.
///
/// # Errors
/// [`Error::StepUnknown`], [`Error::StepOutOfOrder`], [`Error::NotInReview`].
pub fn decline(enrollment: &Enrollment, key: &str, note: &str, now: Moment) -> Result<Change, Error> {
    let is_open = enrollment.steps.find(key)?.approved_at.is_none();
    match &enrollment.state {
        State::InReview { expires_at } if now < *expires_at => {
            check_order(&enrollment.steps, key)?;
            let release = Release { reason: ReleaseReason::Declined, note: note.to_owned() };
            Ok(enrollment.released(release, false))
        }
        State::Released { release, .. }
            if release.reason == ReleaseReason::Declined
                && is_open
                && check_order(&enrollment.steps, key).is_ok() =>
        {
            Ok(enrollment.unchanged())
        }
        State::InReview { .. }
        | State::Waitlisted { .. }
        | State::AwaitingAgreement { .. }
        | State::Held { .. }
        | State::Releasing { .. }
        | State::Confirmed
        | State::Released { .. } => Err(Error::NotInReview),
    }
}

fn check_order(steps: &Steps, key: &str) -> Result<(), Error> {
    match steps.next() {
        Some(next) if next.key != key => {
            Err(Error::StepOutOfOrder { next_step: next.key.clone(), name_zh: next.name_zh.clone() })
        }
        Some(_) | None => Ok(()),
    }
}

/// Gives back a seat whose agreement was not signed in its time. Nobody was billed: there is nothing to ask first.
#[must_use]
pub fn agreement_expired(enrollment: &Enrollment, now: Moment) -> Change {
    match &enrollment.state {
        State::AwaitingAgreement { expires_at } if *expires_at <= now => {
            enrollment.released(ReleaseReason::AgreementExpired.into(), false)
        }
        State::AwaitingAgreement { .. }
        | State::Waitlisted { .. }
        | State::InReview { .. }
        | State::Held { .. }
        | State::Releasing { .. }
        | State::Confirmed
        | State::Released { .. } => enrollment.unchanged(),
    }
}

/// Ends a review whose time is over.
#[must_use]
pub fn review_expired(enrollment: &Enrollment, now: Moment) -> Change {
    match &enrollment.state {
        State::InReview { expires_at } if *expires_at <= now => {
            enrollment.released(ReleaseReason::ReviewExpired.into(), false)
        }
        State::InReview { .. }
        | State::Waitlisted { .. }
        | State::AwaitingAgreement { .. }
        | State::Held { .. }
        | State::Releasing { .. }
        | State::Confirmed
        | State::Released { .. } => enrollment.unchanged(),
    }
}

/// Begins to give back a hold whose time is over: money may be on its way, so billing is asked first.
#[must_use]
pub fn hold_expired(enrollment: &Enrollment, now: Moment) -> Change {
    match &enrollment.state {
        State::Held { expires_at } if *expires_at <= now => {
            enrollment.to(State::Releasing { release: ReleaseReason::HoldExpired.into() }, None)
        }
        State::Held { .. }
        | State::Waitlisted { .. }
        | State::AwaitingAgreement { .. }
        | State::InReview { .. }
        | State::Releasing { .. }
        | State::Confirmed
        | State::Released { .. } => enrollment.unchanged(),
    }
}

/// Gives back what the guardian does not want any more.
#[must_use]
pub fn withdraw(enrollment: &Enrollment) -> Change {
    let release = Release::from(ReleaseReason::Withdrawn);
    match &enrollment.state {
        State::Waitlisted { .. } | State::AwaitingAgreement { .. } | State::InReview { .. } => {
            enrollment.released(release, false)
        }
        State::Held { .. } => enrollment.to(State::Releasing { release }, None),
        State::Confirmed => enrollment.released(release, true),
        State::Releasing { .. } | State::Released { .. } => enrollment.unchanged(),
    }
}

/// Gives back what the guardian does not want any more, after billing has closed the invoice: no money can arrive, so the seat is
/// free at once.
#[must_use]
pub fn withdraw_closed(enrollment: &Enrollment) -> Change {
    match &enrollment.state {
        State::Held { .. } => enrollment.released(ReleaseReason::Withdrawn.into(), false),
        State::Releasing { release } => enrollment.released(release.clone(), false),
        State::Waitlisted { .. }
        | State::AwaitingAgreement { .. }
        | State::InReview { .. }
        | State::Confirmed
        | State::Released { .. } => withdraw(enrollment),
    }
}

/// Takes back what can no longer be: the section was cancelled, or the pupil left.
#[must_use]
pub fn lose(enrollment: &Enrollment, release: Release) -> Change {
    match &enrollment.state {
        State::Waitlisted { .. } | State::AwaitingAgreement { .. } | State::InReview { .. } => {
            enrollment.released(release, false)
        }
        State::Held { .. } | State::Releasing { .. } => enrollment.to(State::Releasing { release }, None),
        State::Confirmed => enrollment.released(release, true),
        State::Released { .. } => enrollment.unchanged(),
    }
}

/// Gives the seat back for good: billing has closed the invoice, and no money can arrive in the ordinary way.
///
/// # Errors
/// [`Error::NotHeld`] when nobody had asked for it.
pub fn closed(enrollment: &Enrollment) -> Result<Change, Error> {
    match &enrollment.state {
        State::Releasing { release } => Ok(enrollment.released(release.clone(), false)),
        State::Confirmed | State::Released { .. } => Ok(enrollment.unchanged()),
        State::Waitlisted { .. }
        | State::AwaitingAgreement { .. }
        | State::InReview { .. }
        | State::Held { .. } => Err(Error::NotHeld),
    }
}

/// Takes note that the fee is settled. `can_seat` says whether a seat given back could be taken again: one is free, and the
/// pupil may take it.
///
/// # Errors
/// [`Error::NotHeld`] where no invoice can exist yet.
pub fn settled(enrollment: &Enrollment, can_seat: bool) -> Result<Change, Error> {
    match &enrollment.state {
        State::Held { .. } => Ok(enrollment.to(State::Confirmed, Some(Event::SeatConfirmed))),
        State::Releasing { release } if release.reason.is_final() => {
            Ok(enrollment.released(release.clone(), true))
        }
        State::Releasing { .. } => Ok(enrollment.to(State::Confirmed, Some(Event::SeatConfirmed))),
        State::Confirmed | State::Released { was_settled: true, .. } => Ok(enrollment.unchanged()),
        State::Released { was_settled: false, .. } if can_seat => {
            Ok(enrollment.to(State::Confirmed, Some(Event::SeatConfirmed)))
        }
        State::Released { release, was_settled: false } => {
            let state = State::Released { release: release.clone(), was_settled: true };
            Ok(enrollment.to(state, Some(Event::SettlementUnseated)))
        }
        State::Waitlisted { .. } | State::AwaitingAgreement { .. } | State::InReview { .. } => {
            Err(Error::NotHeld)
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use chrono::DateTime;

    use super::*;

    pub fn at(second: i64) -> Moment {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn step(key: &str, role: &str, approved_at: Option<Moment>) -> Step {
        Step { key: key.to_owned(), name_zh: key.to_owned(), role: role.to_owned(), approved_at }
    }

    pub fn enrollment(state: State, open_steps: &[&str]) -> Enrollment {
        let id = Uuid::from_u128;
        Enrollment {
            id: Id::new(id(1)),
            district_id: Id::new(id(2)),
            school_id: Id::new(id(3)),
            pupil_id: Id::new(id(4)),
            pupil_path: vec![id(2), id(20), id(3), id(5)],
            section_id: Id::new(id(6)),
            term_id: Id::new(id(7)),
            guardian_id: Id::new(id(8)),
            request_id: id(9),
            join_waitlist: true,
            terms: Terms {
                fee: Fee::Charged,
                waits: Waits { review_seconds: 600, payment_seconds: 60 },
                asks_agreement: false,
            },
            created_at: at(0),
            steps: Steps(
                [step("parent_apply", "guardian", Some(at(0)))]
                    .into_iter()
                    .chain(open_steps.iter().map(|key| step(key, "class_teacher", None)))
                    .collect(),
            ),
            state,
        }
    }

    fn release(reason: ReleaseReason) -> Release {
        reason.into()
    }

    fn states() -> [State; 7] {
        [
            State::Waitlisted { number: 1 },
            State::AwaitingAgreement { expires_at: at(100) },
            State::InReview { expires_at: at(100) },
            State::Held { expires_at: at(100) },
            State::Releasing { release: release(ReleaseReason::HoldExpired) },
            State::Confirmed,
            State::Released { release: release(ReleaseReason::HoldExpired), was_settled: false },
        ]
    }

    #[derive(Debug, PartialEq)]
    enum Cell {
        Same,
        To(&'static str),
        Refused(Error),
    }
    use Cell::{Refused, Same, To};

    fn name(state: &State) -> &'static str {
        match state {
            State::Waitlisted { .. } => "Waitlisted",
            State::AwaitingAgreement { .. } => "AwaitingAgreement",
            State::InReview { .. } => "InReview",
            State::Held { .. } => "Held",
            State::Releasing { .. } => "Releasing",
            State::Confirmed => "Confirmed",
            State::Released { .. } => "Released",
        }
    }

    fn cell(before: &Enrollment, after: Result<Change, Error>) -> Cell {
        match after {
            Err(error) => Refused(error),
            Ok(change) if change == before.unchanged() => Same,
            Ok(change) => To(name(&change.state)),
        }
    }

    #[test]
    fn every_cell_of_the_tables_holds() {
        type Command = fn(&Enrollment) -> Result<Change, Error>;
        let not_in_review = || Refused(Error::NotInReview);
        let not_held = || Refused(Error::NotHeld);
        let table: [(&str, Command, [Cell; 7]); 12] = [
            (
                "promote",
                |e| promote(e, true, at(1)),
                [To("InReview"), Same, Same, Same, Same, Same, Refused(Error::NotInLine)],
            ),
            ("sign", |e| Ok(sign(e, at(1))), [Same, To("InReview"), Same, Same, Same, Same, Same]),
            (
                "approve_step",
                |e| approve_step(e, "review", at(1)),
                [
                    not_in_review(),
                    not_in_review(),
                    To("Held"),
                    not_in_review(),
                    not_in_review(),
                    not_in_review(),
                    not_in_review(),
                ],
            ),
            (
                "approve an approved step",
                |e| approve_step(e, "parent_apply", at(1)),
                [Same, Same, Same, Same, Same, Same, Same],
            ),
            (
                "decline",
                |e| decline(e, "review", "no", at(1)),
                [
                    not_in_review(),
                    not_in_review(),
                    To("Released"),
                    not_in_review(),
                    not_in_review(),
                    not_in_review(),
                    not_in_review(),
                ],
            ),
            (
                "agreement_expired",
                |e| Ok(agreement_expired(e, at(100))),
                [Same, To("Released"), Same, Same, Same, Same, Same],
            ),
            (
                "review_expired",
                |e| Ok(review_expired(e, at(100))),
                [Same, Same, To("Released"), Same, Same, Same, Same],
            ),
            (
                "hold_expired",
                |e| Ok(hold_expired(e, at(100))),
                [Same, Same, Same, To("Releasing"), Same, Same, Same],
            ),
            (
                "withdraw",
                |e| Ok(withdraw(e)),
                [To("Released"), To("Released"), To("Released"), To("Releasing"), Same, To("Released"), Same],
            ),
            (
                "withdraw, closed",
                |e| Ok(withdraw_closed(e)),
                [
                    To("Released"),
                    To("Released"),
                    To("Released"),
                    To("Released"),
                    To("Released"),
                    To("Released"),
                    Same,
                ],
            ),
            (
                "lose",
                |e| Ok(lose(e, ReleaseReason::PupilLeft.into())),
                [
                    To("Released"),
                    To("Released"),
                    To("Released"),
                    To("Releasing"),
                    To("Releasing"),
                    To("Released"),
                    Same,
                ],
            ),
            ("closed", closed, [not_held(), not_held(), not_held(), not_held(), To("Released"), Same, Same]),
        ];
        for (command, run, row) in table {
            for (state, expected) in states().into_iter().zip(row) {
                let before = enrollment(state, &["review"]);
                assert_eq!(cell(&before, run(&before)), expected, "{command} from {:?}", before.state);
            }
        }
    }

    #[test]
    fn settling_confirms_whatever_still_holds_the_seat_and_asks_for_the_money_back_where_none_is_left() {
        let lost = release(ReleaseReason::SectionCancelled);
        let gone =
            |was_settled| State::Released { release: release(ReleaseReason::HoldExpired), was_settled };
        let seated = Some(Event::SeatConfirmed);
        let given_back = Event::SeatReleased { reason: ReleaseReason::SectionCancelled, was_confirmed: true };
        let table = [
            (State::Held { expires_at: at(1) }, false, State::Confirmed, seated.clone()),
            (
                State::Releasing { release: release(ReleaseReason::Withdrawn) },
                false,
                State::Confirmed,
                seated.clone(),
            ),
            (
                State::Releasing { release: lost.clone() },
                true,
                State::Released { release: lost, was_settled: true },
                Some(given_back),
            ),
            (State::Confirmed, false, State::Confirmed, None),
            (gone(false), true, State::Confirmed, seated),
            (gone(false), false, gone(true), Some(Event::SettlementUnseated)),
            (gone(true), true, gone(true), None),
        ];
        for (state, can_seat, expected, event) in table {
            let before = enrollment(state, &[]);
            let change = settled(&before, can_seat).unwrap();
            assert_eq!((change.state, change.event), (expected, event), "{:?} {can_seat}", before.state);
        }
        let unbilled = [
            State::Waitlisted { number: 1 },
            State::AwaitingAgreement { expires_at: at(1) },
            State::InReview { expires_at: at(1) },
        ];
        for state in unbilled {
            assert_eq!(settled(&enrollment(state, &[]), true), Err(Error::NotHeld));
        }
    }

    #[test]
    fn a_hold_and_a_review_are_over_at_their_moment_and_not_before() {
        let held = enrollment(State::Held { expires_at: at(100) }, &[]);
        assert_eq!(hold_expired(&held, at(99)), held.unchanged());
        assert_ne!(hold_expired(&held, at(100)), held.unchanged());

        let review = enrollment(State::InReview { expires_at: at(100) }, &["review"]);
        assert_eq!(review_expired(&review, at(99)), review.unchanged());
        assert!(approve_step(&review, "review", at(99)).is_ok());
        assert_eq!(approve_step(&review, "review", at(100)), Err(Error::NotInReview));
        assert_eq!(decline(&review, "review", "x", at(100)), Err(Error::NotInReview));
    }

    #[test]
    fn c36_steps_are_approved_in_order_and_the_last_one_holds_the_seat() {
        let review =
            enrollment(State::InReview { expires_at: at(100) }, &["class_pre_review", "school_approve"]);

        let early = approve_step(&review, "school_approve", at(1));
        let name_zh = review.steps.find("class_pre_review").unwrap().name_zh.clone();
        assert_eq!(early, Err(Error::StepOutOfOrder { next_step: "class_pre_review".to_owned(), name_zh }));
        assert_eq!(approve_step(&review, "none", at(1)), Err(Error::StepUnknown));

        let first = approve_step(&review, "class_pre_review", at(1)).unwrap();
        assert_eq!((&first.state, &first.event), (&State::InReview { expires_at: at(100) }, &None));
        let review = Enrollment { steps: first.steps, state: first.state, ..review };
        let last = approve_step(&review, "school_approve", at(2)).unwrap();
        assert_eq!(last.state, State::Held { expires_at: at(62) });
        assert_eq!(last.event, Some(Event::SeatHeld { expires_at: at(62), from_waitlist: false }));
        assert_eq!(last.steps.next(), None);
    }

    #[test]
    fn declining_again_changes_nothing() {
        let review = enrollment(State::InReview { expires_at: at(100) }, &["review"]);
        let declined = decline(&review, "review", "名额调整", at(1)).unwrap();
        let review = Enrollment { state: declined.state, ..review };

        assert_eq!(decline(&review, "review", "again", at(2)), Ok(review.unchanged()));
        assert_eq!(approve_step(&review, "review", at(2)), Err(Error::NotInReview));
    }

    #[test]
    fn a_seat_without_steps_is_held_where_parents_pay_and_confirmed_where_they_do_not() {
        let steps = Steps::applied(&[step("parent_apply", "guardian", None)], at(0));
        let waits = Waits { review_seconds: 600, payment_seconds: 60 };

        let terms = |fee| Terms { fee, waits, asks_agreement: false };
        let charged = seat(&steps, &terms(Fee::Charged), false, false, at(0)).0;
        let free = seat(&steps, &terms(Fee::Free), false, false, at(0)).0;

        assert_eq!(charged, State::Held { expires_at: at(60) });
        assert_eq!(free, State::Confirmed);
    }

    #[test]
    fn c35_a_seat_waits_for_the_signature_before_anything_else_and_signed_it_goes_on() {
        let waits = Waits { review_seconds: 600, payment_seconds: 60 };
        let awaiting = State::AwaitingAgreement { expires_at: at(600) };
        for (open_steps, fee, next) in [
            (["review"].as_slice(), Fee::Charged, State::InReview { expires_at: at(699) }),
            (&[], Fee::Charged, State::Held { expires_at: at(159) }),
            (&[], Fee::Free, State::Confirmed),
        ] {
            let terms = Terms { fee, waits, asks_agreement: true };
            let line = enrollment(State::Waitlisted { number: 1 }, open_steps);
            let line = Enrollment { terms, ..line };
            assert_eq!(seat(&line.steps, &terms, false, false, at(0)).0, awaiting);
            assert_eq!(promote(&line, false, at(0)).unwrap().state, awaiting);
            assert_eq!(promote(&line, true, at(99)).unwrap().state, next);

            let unsigned = Enrollment { state: awaiting.clone(), ..line };
            assert_eq!(sign(&unsigned, at(99)).state, next);
            assert!(unsigned.state.holds_seat() && !unsigned.state.is_counted());
        }
    }

    #[test]
    fn c35_a_signature_is_in_time_until_before_its_moment() {
        let unsigned = enrollment(State::AwaitingAgreement { expires_at: at(100) }, &[]);
        assert_ne!(sign(&unsigned, at(99)), unsigned.unchanged());
        assert_eq!(sign(&unsigned, at(100)), unsigned.unchanged());
        assert_eq!(agreement_expired(&unsigned, at(99)), unsigned.unchanged());
        let over = agreement_expired(&unsigned, at(100));
        let reason = ReleaseReason::AgreementExpired;
        assert_eq!(over.event, Some(Event::SeatReleased { reason, was_confirmed: false }));
    }

    #[test]
    fn applying_does_the_guardians_first_steps_only() {
        let steps =
            [step("a", "guardian", None), step("b", "class_teacher", None), step("c", "guardian", None)];
        let begun = Steps::applied(&steps, at(5));
        let approved: Vec<_> = begun.list().iter().map(|step| step.approved_at).collect();
        assert_eq!(approved, [Some(at(5)), None, None]);
    }

    #[test]
    fn c36_kept_steps_out_of_order_are_refused() {
        assert_eq!(Steps::new(vec![step("a", "x", None), step("b", "x", Some(at(0)))]), Err(StepsError));
        assert!(Steps::new(vec![step("a", "x", Some(at(0))), step("b", "x", None)]).is_ok());
    }
}
