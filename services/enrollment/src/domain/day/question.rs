//! One pupil's question, asked and answered alone (答疑辅导、当天问题不回家). Closing it on its day is an aim: it is reported, and nothing
//! is refused for it.

use shared::value::{District, Id, Moment, Pupil, Question as QuestionKind, School};
use uuid::Uuid;

use super::local;

/// A question. It has exactly one pupil: what is taught to several is no question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The question.
    pub id: Id<QuestionKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// The class.
    pub class_id: Uuid,
    /// The pupil.
    pub pupil_id: Id<Pupil>,
    /// The subject.
    pub subject: String,
    /// What it is about.
    pub topic: String,
    /// Who opened it, `staff:<id>`.
    pub opener: String,
    /// When it was opened.
    pub created_at: Moment,
    /// Whether it is open.
    pub state: State,
}

/// Whether a question is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is.
    Open,
    /// It was closed.
    Closed {
        /// When.
        at: Moment,
        /// By whom, `staff:<id>`.
        closer: String,
        /// How it ended, for the family.
        outcome: String,
    },
}

impl Question {
    /// Says whether it was closed on the day it was opened.
    #[must_use]
    pub fn is_same_day(&self) -> bool {
        match &self.state {
            State::Open => false,
            State::Closed { at, .. } => local::day(*at) == local::day(self.created_at),
        }
    }
}

/// Closes a question; gives its new state, or nothing when it was closed before.
#[must_use]
pub fn close(question: &Question, closer: &str, outcome: &str, now: Moment) -> Option<State> {
    match question.state {
        State::Open => {
            Some(State::Closed { at: now, closer: closer.to_owned(), outcome: outcome.to_owned() })
        }
        State::Closed { .. } => None,
    }
}

/// How questions stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many were opened.
    pub opened_count: i32,
    /// How many were closed on their day.
    pub same_day_count: i32,
    /// How many were closed later.
    pub later_count: i32,
    /// How many are open.
    pub open_count: i32,
}

impl Report {
    /// Counts questions.
    #[must_use]
    pub fn of<'a>(questions: impl IntoIterator<Item = &'a Question>) -> Self {
        let mut report = Self::default();
        for question in questions {
            report.opened_count += 1;
            match &question.state {
                State::Open => report.open_count += 1,
                State::Closed { .. } if question.is_same_day() => report.same_day_count += 1,
                State::Closed { .. } => report.later_count += 1,
            }
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::day::lesson::tests::{lesson, on};

    #[test]
    fn a_question_is_closed_once_and_the_day_is_the_school_s() {
        let open = Question {
            id: Id::new(Uuid::from_u128(1)),
            district_id: Id::new(Uuid::from_u128(2)),
            school_id: Id::new(Uuid::from_u128(3)),
            class_id: Uuid::from_u128(4),
            pupil_id: Id::new(Uuid::from_u128(50)),
            subject: "数学".to_owned(),
            topic: "通分".to_owned(),
            opener: "staff:1".to_owned(),
            created_at: lesson().starts_at,
            state: State::Open,
        };
        let midnight = local::moment(on("2026-09-08"), 0);
        let closed = |at| {
            let state = close(&open, "staff:2", "已会", at).unwrap();
            Question { state, ..open.clone() }
        };
        let same = closed(midnight - TimeDelta::microseconds(1));
        let later = closed(midnight);
        assert!(same.is_same_day() && !later.is_same_day() && !open.is_same_day());
        assert_eq!(close(&same, "staff:3", "又一次", midnight), None);
        let report = Report::of([&open, &same, &later, &same]);
        assert_eq!(report, Report { opened_count: 4, same_day_count: 2, later_count: 1, open_count: 1 });
    }
}
