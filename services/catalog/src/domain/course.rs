//! A course's life: submitted, reviewed if a provider's, then approved or rejected.
//!
//! | from ↓ command → | review: approve ¹ | review: reject ² | approve ¹   | reject ²    |
//! |------------------|-------------------|------------------|-------------|-------------|
//! | Submitted, provider's | Reviewed     | Rejected         | NotReviewed | NotReviewed |
//! | Submitted, school's   | NotSubmitted | NotSubmitted     | Approved    | Rejected    |
//! | Reviewed         | no change         | NotSubmitted     | Approved    | Rejected    |
//! | Approved         | NotSubmitted      | NotSubmitted     | no change   | NotReviewed |
//! | Rejected         | NotSubmitted      | no change        | NotReviewed | no change   |
//!
//! ¹ a course whose words the screen flagged only with a reason, else `ReasonRequired`; by the school only while its provider is
//! eligible, else `NotEligible`.  ² only with a reason, else `ReasonRequired`.
//! A school's own course is never submitted to a bureau's review.

use policy::course::{CourseFacts, CourseRefusal, third_party_check};
use policy::vocabulary::ContentKind;
use policy::{Clause, Policy};
use shared::value::{self, Id, Provider};

use super::node::SchoolPath;
use super::provider::NotEligible;

/// A course of one school's menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// Its id.
    pub id: Id<value::Course>,
    /// The school that offers it.
    pub path: SchoolPath,
    /// Whose it is.
    pub origin: Origin,
    /// What it is about.
    pub content: Content,
    /// Words of title or description the screen stopped at, each once.
    pub flagged_words: Vec<String>,
    /// Where it stands.
    pub state: State,
}

/// Whose course it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// The school's own.
    School,
    /// An institution's.
    Provider(Id<Provider>),
}

impl Origin {
    /// The institution, if it is one's.
    #[must_use]
    pub const fn provider_id(self) -> Option<Id<Provider>> {
        match self {
            Self::School => None,
            Self::Provider(id) => Some(id),
        }
    }
}

/// What a course is about, as its submitter declares.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Content {
    /// Its title, 2 to 40 characters.
    pub title: String,
    /// What happens in it, up to 2,000 characters.
    pub description: String,
    /// What it teaches.
    pub kind: ContentKind,
    /// Its category in the region's own list, 1 to 20 characters.
    pub category: String,
}

/// Where a course stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Waits for the bureau's review (provider's) or the school's approval (school's).
    Submitted,
    /// Reviewed; waits for the school's approval. Provider's only.
    Reviewed,
    /// Approved; sections may go on the menu.
    Approved,
    /// Refused.
    Rejected {
        /// Why.
        reason: String,
    },
}

/// A person's decision, with the reason that goes with it; the reason may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// Yes.
    Approve(&'a str),
    /// No.
    Reject(&'a str),
}

/// That a decision was taken, to be kept on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided;

/// Why a course may not be offered or decided on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The policy refuses it.
    #[error(transparent)]
    Refused(#[from] CourseRefusal),
    /// Schools do not tutor subjects here.
    #[error("schools do not tutor subjects")]
    TutoringNotAllowed {
        /// What says so.
        clause: Box<Clause>,
    },
    /// It does not wait for the bureau's review.
    #[error("not submitted to review")]
    NotSubmitted,
    /// It does not wait for the school's approval.
    #[error("not reviewed")]
    NotReviewed,
    /// The school may take nothing from its provider today.
    #[error("the provider is {cause}")]
    NotEligible {
        /// What stands against it.
        cause: NotEligible,
    },
    /// A rejection, or the approval of a flagged course, needs a reason.
    #[error("a reason is required")]
    ReasonRequired {
        /// The words that were flagged; empty for a rejection of a course without any.
        flagged_words: Vec<String>,
    },
}

/// Judges a course before it is written, and gives the words a person should look at.
///
/// # Errors
/// [`Error::Refused`] or [`Error::TutoringNotAllowed`].
pub fn submit(policy: &Policy, origin: Origin, content: &Content) -> Result<Vec<String>, Error> {
    let third_party = origin.provider_id().is_some();
    let facts = CourseFacts {
        third_party,
        content_kind: content.kind,
        title: &content.title,
        description: &content.description,
    };
    let matches = third_party_check(policy, &facts)?;
    if let Some((false, clause)) = policy.course.school_subject_tutoring_allowed.known()
        && content.kind == ContentKind::SubjectTutoring
    {
        return Err(Error::TutoringNotAllowed { clause: Box::new(clause) });
    }
    Ok(matches.into_iter().map(|found| found.word.to_owned()).collect())
}

/// Reviews a provider's course for the bureau.
///
/// # Errors
/// [`Error::NotSubmitted`] or [`Error::ReasonRequired`].
pub fn review(course: &Course, verdict: Verdict<'_>) -> Result<(State, Option<Decided>), Error> {
    match (&course.state, verdict) {
        (State::Submitted, Verdict::Approve(reason)) if course.origin != Origin::School => {
            reasoned(course, reason, !course.flagged_words.is_empty())?;
            Ok((State::Reviewed, Some(Decided)))
        }
        (State::Submitted, Verdict::Reject(reason)) if course.origin != Origin::School => {
            reject(course, reason)
        }
        (State::Reviewed, Verdict::Approve(_)) | (State::Rejected { .. }, Verdict::Reject(_)) => {
            Ok((course.state.clone(), None))
        }
        (State::Submitted | State::Approved, Verdict::Approve(_) | Verdict::Reject(_))
        | (State::Reviewed, Verdict::Reject(_))
        | (State::Rejected { .. }, Verdict::Approve(_)) => Err(Error::NotSubmitted),
    }
}

/// Decides on a course for the school. `standing` is whether the school may take from its provider today; a school's own course has
/// none to ask.
///
/// # Errors
/// [`Error::NotReviewed`], [`Error::NotEligible`] or [`Error::ReasonRequired`].
pub fn approve(
    course: &Course,
    standing: Result<(), NotEligible>,
    verdict: Verdict<'_>,
) -> Result<(State, Option<Decided>), Error> {
    let waits = match course.state {
        State::Submitted => course.origin == Origin::School,
        State::Reviewed => true,
        State::Approved | State::Rejected { .. } => false,
    };
    match (&course.state, verdict) {
        (State::Submitted | State::Reviewed, Verdict::Approve(reason)) if waits => {
            standing.map_err(|cause| Error::NotEligible { cause })?;
            reasoned(course, reason, !course.flagged_words.is_empty())?;
            Ok((State::Approved, Some(Decided)))
        }
        (State::Submitted | State::Reviewed, Verdict::Reject(reason)) if waits => reject(course, reason),
        (State::Approved, Verdict::Approve(_)) | (State::Rejected { .. }, Verdict::Reject(_)) => {
            Ok((course.state.clone(), None))
        }
        (State::Submitted | State::Reviewed, Verdict::Approve(_) | Verdict::Reject(_))
        | (State::Approved, Verdict::Reject(_))
        | (State::Rejected { .. }, Verdict::Approve(_)) => Err(Error::NotReviewed),
    }
}

fn reject(course: &Course, reason: &str) -> Result<(State, Option<Decided>), Error> {
    reasoned(course, reason, true)?;
    Ok((State::Rejected { reason: reason.to_owned() }, Some(Decided)))
}

fn reasoned(course: &Course, reason: &str, is_needed: bool) -> Result<(), Error> {
    if is_needed && reason.trim().is_empty() {
        return Err(Error::ReasonRequired { flagged_words: course.flagged_words.clone() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::provider::Standing;
    use super::*;

    fn course(origin: Origin, state: State, flagged_words: &[&str]) -> Course {
        Course {
            id: Id::new(Uuid::from_u128(1)),
            path: SchoolPath {
                district_id: Id::new(Uuid::from_u128(2)),
                town_id: Id::new(Uuid::from_u128(3)),
                school_id: Id::new(Uuid::from_u128(4)),
            },
            origin,
            content: Content {
                title: "剪纸".to_owned(),
                description: String::new(),
                kind: ContentKind::Enrichment,
                category: "艺术".to_owned(),
            },
            flagged_words: flagged_words.iter().map(|word| (*word).to_owned()).collect(),
            state,
        }
    }

    #[test]
    fn every_cell_of_the_table() {
        let provider = Origin::Provider(Id::new(Uuid::from_u128(9)));
        let rejected = || State::Rejected { reason: "为何".to_owned() };
        let to = |state| Ok((state, Some(Decided)));
        let same = |state| Ok((state, None));
        let not_submitted = || Err(Error::NotSubmitted);
        let not_reviewed = || Err(Error::NotReviewed);
        let rows = [
            (
                provider,
                State::Submitted,
                [to(State::Reviewed), to(rejected()), not_reviewed(), not_reviewed()],
            ),
            (
                Origin::School,
                State::Submitted,
                [not_submitted(), not_submitted(), to(State::Approved), to(rejected())],
            ),
            (
                provider,
                State::Reviewed,
                [same(State::Reviewed), not_submitted(), to(State::Approved), to(rejected())],
            ),
            (
                provider,
                State::Approved,
                [not_submitted(), not_submitted(), same(State::Approved), not_reviewed()],
            ),
            (provider, rejected(), [not_submitted(), same(rejected()), not_reviewed(), same(rejected())]),
        ];
        for (origin, state, expected) in rows {
            let course = course(origin, state, &[]);
            let (yes, no) = (Verdict::Approve(""), Verdict::Reject("为何"));
            let found = [
                review(&course, yes),
                review(&course, no),
                approve(&course, Ok(()), yes),
                approve(&course, Ok(()), no),
            ];
            assert_eq!(found, expected, "{:?}", course.state);
        }
    }

    #[test]
    fn a_course_of_a_provider_that_is_not_eligible_is_rejected_but_not_approved() {
        let reviewed = course(Origin::Provider(Id::new(Uuid::from_u128(9))), State::Reviewed, &[]);
        let cause = NotEligible { standing: Standing::Suspended, clause: None };

        let approved = approve(&reviewed, Err(cause.clone()), Verdict::Approve(""));
        let rejected = approve(&reviewed, Err(cause.clone()), Verdict::Reject("暂停合作"));

        assert_eq!(approved, Err(Error::NotEligible { cause }));
        assert_eq!(rejected, Ok((State::Rejected { reason: "暂停合作".to_owned() }, Some(Decided))));
    }

    #[test]
    fn a_flagged_course_is_approved_only_with_a_reason_and_none_is_rejected_without() {
        let provider = Origin::Provider(Id::new(Uuid::from_u128(9)));
        let flagged = course(provider, State::Submitted, &["期末"]);
        let reviewed = course(provider, State::Reviewed, &["期末"]);
        let plain = course(Origin::School, State::Submitted, &[]);
        let words = || Error::ReasonRequired { flagged_words: vec!["期末".to_owned()] };

        assert_eq!(review(&flagged, Verdict::Approve(" ")), Err(words()));
        assert_eq!(review(&flagged, Verdict::Approve("期末汇演")), Ok((State::Reviewed, Some(Decided))));
        assert_eq!(approve(&reviewed, Ok(()), Verdict::Approve("")), Err(words()));
        assert_eq!(
            approve(&reviewed, Ok(()), Verdict::Approve("期末汇演")),
            Ok((State::Approved, Some(Decided)))
        );
        let without_words = Error::ReasonRequired { flagged_words: Vec::new() };
        assert_eq!(approve(&plain, Ok(()), Verdict::Reject("")), Err(without_words));
    }
}
