//! Surveys of what families need (摸排调查): questions, answers, what they add up to, and what of that is shown to whom.

use std::collections::BTreeSet;

use chrono::{Datelike as _, NaiveDate};
use policy::vocabulary::MonthDay;
use policy::{Clause, Policy};
use serde::{Deserialize, Serialize};
use shared::value::{District, Id, Moment, Survey as SurveyKind, Term as TermKind};
use uuid::Uuid;

/// Below this a count could tell who: nobody above the school sees it.
pub const SMALL_COUNT: i64 = 3;

/// The longest text, in characters.
pub const TEXT_LENGTH: usize = 200;

/// A survey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The survey.
    pub id: Id<SurveyKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The ids down to the node it asks: a district, a town or a school.
    pub path: Vec<Uuid>,
    /// The school's term it is for; none for a town's or a district's.
    pub term_id: Option<Id<TermKind>>,
    /// The title, 1 to 60 characters.
    pub title: String,
    /// Who learns who said what.
    pub naming: Naming,
    /// The questions, in order.
    pub questions: Vec<Question>,
    /// When it takes no more answers.
    pub close_at: Moment,
    /// Who opened it.
    pub opener: String,
    /// When it was opened.
    pub created_at: Moment,
}

/// Who learns who said what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// Nobody.
    Anonymous,
    /// The school.
    Named,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// What is asked.
    pub title: String,
    /// How it is answered.
    pub kind: Kind,
}

/// How a question is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One of the options.
    Single(Vec<String>),
    /// Any of the options.
    Multiple(Vec<String>),
    /// A whole number between the two, both inclusive.
    Number {
        /// The least.
        least: i32,
        /// The greatest.
        most: i32,
    },
    /// A text of at most [`TEXT_LENGTH`] characters.
    Text,
    /// Course titles, the dearest first.
    Wishes(Vec<String>),
}

/// What is answered to one question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Options by their positions from 0: one, some, or in order of wishing.
    Options(Vec<usize>),
    /// A number.
    Number(i32),
    /// A text.
    Text(String),
}

/// What is answered to a survey: each question at most once, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers(pub Vec<(usize, Said)>);

/// The survey takes no answers any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it closed at {close_at}")]
pub struct Closed {
    /// When it closed.
    pub close_at: Moment,
}

impl Survey {
    /// Insists that it still takes answers: until `close_at`, exclusive.
    ///
    /// # Errors
    /// [`Closed`].
    pub fn check_open(&self, now: Moment) -> Result<(), Closed> {
        if now < self.close_at { Ok(()) } else { Err(Closed { close_at: self.close_at }) }
    }

    /// Closes it; gives when it closes now, or nothing when it is closed already.
    #[must_use]
    pub fn close(&self, now: Moment) -> Option<Moment> {
        (now < self.close_at).then_some(now)
    }
}

/// Why an answer does not fit its question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// It is for a question of another kind.
    #[error("must be of the question's kind")]
    Kind,
    /// It names an option that is not there, or one twice.
    #[error("must name options of the question, each once")]
    Option,
    /// A single choice is one option.
    #[error("must be one option")]
    One,
    /// The number is out of range.
    #[error("must be within the question's range")]
    Range,
    /// The text is empty or too long.
    #[error("must have 1 to 200 characters")]
    Text,
}

/// Checks an answer against its question.
///
/// # Errors
/// [`Misfit`].
pub fn check(question: &Question, said: &Said) -> Result<(), Misfit> {
    match (&question.kind, said) {
        (Kind::Single(options) | Kind::Multiple(options) | Kind::Wishes(options), Said::Options(chosen)) => {
            let distinct: BTreeSet<_> = chosen.iter().filter(|at| **at < options.len()).collect();
            if chosen.is_empty() || distinct.len() != chosen.len() {
                return Err(Misfit::Option);
            }
            let is_single = matches!(question.kind, Kind::Single(_));
            if is_single && chosen.len() != 1 { Err(Misfit::One) } else { Ok(()) }
        }
        (Kind::Number { least, most }, Said::Number(number)) => {
            if (least..=most).contains(&number) {
                Ok(())
            } else {
                Err(Misfit::Range)
            }
        }
        (Kind::Text, Said::Text(text)) => {
            let is_fit = (1..=TEXT_LENGTH).contains(&text.chars().count());
            if is_fit { Ok(()) } else { Err(Misfit::Text) }
        }
        (
            Kind::Single(_) | Kind::Multiple(_) | Kind::Wishes(_) | Kind::Number { .. } | Kind::Text,
            Said::Options(_) | Said::Number(_) | Said::Text(_),
        ) => Err(Misfit::Kind),
    }
}

/// What was answered to one question, added up. Exact: whole numbers only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many answered it.
    pub answered_count: i64,
    /// How often each option was chosen, in any place.
    pub chosen_counts: Vec<i64>,
    /// How often each option was wished first.
    pub first_counts: Vec<i64>,
    /// The sum of the numbers.
    pub sum: i64,
    /// The least and the greatest number.
    pub range: Option<(i32, i32)>,
    /// The texts, sorted.
    pub texts: Vec<String>,
}

/// What was answered to a survey, added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many answered.
    pub answered_count: i64,
    /// Each question, in order.
    pub questions: Vec<Sum>,
}

impl Sums {
    /// Nothing answered yet.
    #[must_use]
    pub fn new(questions: &[Question]) -> Self {
        let empty = |question: &Question| match &question.kind {
            Kind::Single(options) | Kind::Multiple(options) => {
                Sum { chosen_counts: vec![0; options.len()], ..Sum::default() }
            }
            Kind::Wishes(options) => Sum {
                chosen_counts: vec![0; options.len()],
                first_counts: vec![0; options.len()],
                ..Sum::default()
            },
            Kind::Number { .. } | Kind::Text => Sum::default(),
        };
        Self { answered_count: 0, questions: questions.iter().map(empty).collect() }
    }

    /// Adds one family's answers. What fits no question is left out: answers are checked when they are given.
    pub fn add(&mut self, answers: &Answers) {
        self.answered_count += 1;
        for (at, said) in &answers.0 {
            let Some(sum) = self.questions.get_mut(*at) else { continue };
            sum.answered_count += 1;
            match said {
                Said::Options(chosen) => {
                    for at in chosen {
                        if let Some(count) = sum.chosen_counts.get_mut(*at) {
                            *count += 1;
                        }
                    }
                    let first = chosen.first().and_then(|at| sum.first_counts.get_mut(*at));
                    if let Some(count) = first {
                        *count += 1;
                    }
                }
                Said::Number(number) => {
                    sum.sum += i64::from(*number);
                    let (least, greatest) = sum.range.unwrap_or((*number, *number));
                    sum.range = Some((least.min(*number), greatest.max(*number)));
                }
                Said::Text(text) => {
                    let at = sum.texts.partition_point(|other| other < text);
                    sum.texts.insert(at, text.clone());
                }
            }
        }
    }
}

/// What is shown of a question's sum. None: withheld.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// How many answered it.
    pub answered_count: Option<i64>,
    /// How often each option was chosen.
    pub chosen_counts: Vec<Option<i64>>,
    /// How often each option was wished first.
    pub first_counts: Vec<Option<i64>>,
    /// The sum of the numbers.
    pub sum: Option<i64>,
    /// The least and the greatest number.
    pub range: Option<(i32, i32)>,
    /// The texts.
    pub texts: Vec<String>,
}

/// Shows a sum to the school: every count, and never who.
#[must_use]
pub fn to_school(question: &Question, sum: &Sum) -> Shown {
    let all = |counts: &[i64]| counts.iter().copied().map(Some).collect();
    Shown {
        answered_count: Some(sum.answered_count),
        chosen_counts: all(&sum.chosen_counts),
        first_counts: all(&sum.first_counts),
        sum: matches!(question.kind, Kind::Number { .. }).then_some(sum.sum),
        range: sum.range,
        texts: sum.texts.clone(),
    }
}

/// Shows a sum to those above the school: no count below [`SMALL_COUNT`], nothing that one person said, and nothing from which a
/// withheld count could be worked out.
#[must_use]
pub fn to_authority(question: &Question, sum: &Sum) -> Shown {
    let Some(answered_count) = shown_count(sum.answered_count) else {
        // With the whole withheld, no part is shown.
        return Shown {
            chosen_counts: vec![None; sum.chosen_counts.len()],
            first_counts: vec![None; sum.first_counts.len()],
            ..Shown::default()
        };
    };
    let adds_up = matches!(question.kind, Kind::Single(_));
    Shown {
        answered_count: Some(answered_count),
        chosen_counts: withheld(&sum.chosen_counts, adds_up),
        // Everybody who wishes wishes something first.
        first_counts: withheld(&sum.first_counts, true),
        sum: matches!(question.kind, Kind::Number { .. }).then_some(sum.sum),
        range: None,
        texts: Vec::new(),
    }
}

/// A count, when it is not small.
#[must_use]
pub const fn shown_count(count: i64) -> Option<i64> {
    if count < SMALL_COUNT { None } else { Some(count) }
}

/// Counts without the small ones. Where they add up to a number that is shown, a single withheld one would be the difference: the
/// smallest of the others is withheld with it.
#[must_use]
pub fn withheld(counts: &[i64], adds_up: bool) -> Vec<Option<i64>> {
    let mut shown: Vec<_> = counts.iter().map(|count| shown_count(*count)).collect();
    if adds_up && shown.iter().filter(|count| count.is_none()).count() == 1 {
        let smallest = shown.iter_mut().filter(|count| count.is_some()).min();
        if let Some(smallest) = smallest {
            *smallest = None;
        }
    }
    shown
}

/// What a school owes: to ask families, and by when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// What asks for it.
    pub clause: Clause,
    /// The first day of the phase that rests on what families need; none where the policy has no such phase.
    pub before: Option<NaiveDate>,
}

/// Gives what a school owes in a term that begins on `first_day`; nothing once families are asked.
#[must_use]
pub fn owed(policy: &Policy, first_day: NaiveDate, has_asked: bool) -> Option<Owed> {
    let (required, clause) = policy.enroll.need_survey_required.known()?;
    if !*required || has_asked {
        return None;
    }
    let phases = policy.phase.phases.get().map_or(&[][..], Vec::as_slice);
    let before = phases.iter().filter(|phase| phase.feature_courses);
    let before = before.filter_map(|phase| next(phase.from, first_day)).min();
    Some(Owed { clause, before })
}

/// The first day with this month and day on or after `from`.
fn next(day: MonthDay, from: NaiveDate) -> Option<NaiveDate> {
    let in_year = |year| NaiveDate::from_ymd_opt(year, day.month, day.day).filter(|day| *day >= from);
    in_year(from.year()).or_else(|| in_year(from.year() + 1))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    fn policy(pack: &str) -> Arc<Policy> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
        policy::Live::open(&folder).unwrap().policy(pack, None).unwrap()
    }

    fn question(kind: Kind) -> Question {
        Question { title: "问题".to_owned(), kind }
    }

    fn options(count: usize) -> Vec<String> {
        (0..count).map(|at| format!("选项{at}")).collect()
    }

    #[test]
    fn an_answer_fits_its_question_or_says_why_not() {
        let single = question(Kind::Single(options(3)));
        let many = question(Kind::Multiple(options(3)));
        let number = question(Kind::Number { least: 0, most: 5 });
        let text = question(Kind::Text);
        let chosen = |at: &[usize]| Said::Options(at.to_vec());
        let table = [
            (&single, chosen(&[2]), Ok(())),
            (&single, chosen(&[3]), Err(Misfit::Option)),
            (&single, chosen(&[]), Err(Misfit::Option)),
            (&single, chosen(&[0, 1]), Err(Misfit::One)),
            (&many, chosen(&[2, 0]), Ok(())),
            (&many, chosen(&[1, 1]), Err(Misfit::Option)),
            (&number, Said::Number(0), Ok(())),
            (&number, Said::Number(5), Ok(())),
            (&number, Said::Number(6), Err(Misfit::Range)),
            (&number, Said::Number(-1), Err(Misfit::Range)),
            (&text, Said::Text("字".repeat(200)), Ok(())),
            (&text, Said::Text("字".repeat(201)), Err(Misfit::Text)),
            (&text, Said::Text(String::new()), Err(Misfit::Text)),
            (&text, Said::Number(1), Err(Misfit::Kind)),
            (&number, chosen(&[0]), Err(Misfit::Kind)),
        ];
        for (question, said, fits) in table {
            assert_eq!(check(question, &said), fits, "{question:?} {said:?}");
        }
    }

    #[test]
    fn c38_above_the_school_no_small_count_is_shown_nor_can_be_worked_out() {
        let single = question(Kind::Single(options(3)));
        let sum = Sum { answered_count: 20, chosen_counts: vec![2, 8, 10], ..Sum::default() };
        let few = Sum { answered_count: 2, chosen_counts: vec![2, 0, 0], ..Sum::default() };

        assert_eq!(
            to_authority(&single, &sum).chosen_counts,
            [None, None, Some(10)],
            "20 - 8 - 10 would be 2"
        );
        assert_eq!(to_school(&single, &sum).chosen_counts, [Some(2), Some(8), Some(10)]);
        let many = question(Kind::Multiple(options(3)));
        assert_eq!(to_authority(&many, &sum).chosen_counts, [None, Some(8), Some(10)]);
        let hidden = to_authority(&single, &few);
        assert_eq!((hidden.answered_count, hidden.chosen_counts), (None, vec![None; 3]));

        let number = question(Kind::Number { least: 0, most: 9 });
        let sum = Sum { answered_count: 3, sum: 9, range: Some((1, 5)), ..Sum::default() };
        let shown = to_authority(&number, &sum);
        assert_eq!((shown.sum, shown.range), (Some(9), None), "the greatest number is one person's");
        let text = question(Kind::Text);
        let sum = Sum { answered_count: 5, texts: options(5), ..Sum::default() };
        assert!(to_authority(&text, &sum).texts.is_empty());
        assert_eq!(to_school(&text, &sum).texts.len(), 5);
    }

    #[test]
    fn c38_trap_36_a_survey_is_owed_before_the_phase_that_rests_on_it() {
        let first_day = "2026-09-01".parse().unwrap();
        let owed = |pack, has_asked| owed(&policy(pack), first_day, has_asked);

        let due = owed("xx_district", false).unwrap();
        assert_eq!((due.clause.key, due.before), ("need_survey_required", "2026-10-08".parse().ok()));
        assert_eq!(owed("xx_district", true), None);
        assert_eq!(owed("fujian_jinjiang", false).map(|owed| owed.before), Some(None));
        assert_eq!(owed("hunan_zhuzhou", false), None);
    }

    #[test]
    fn a_survey_takes_answers_until_it_closes() {
        let close_at = Moment::default();
        let survey = Survey {
            id: Id::new(Uuid::nil()),
            district_id: Id::new(Uuid::nil()),
            path: Vec::new(),
            term_id: None,
            title: String::new(),
            naming: Naming::Anonymous,
            questions: Vec::new(),
            close_at,
            opener: String::new(),
            created_at: close_at,
        };
        let before = close_at - chrono::TimeDelta::microseconds(1);
        assert_eq!((survey.check_open(before), survey.close(before)), (Ok(()), Some(before)));
        assert_eq!((survey.check_open(close_at), survey.close(close_at)), (Err(Closed { close_at }), None));
    }

    proptest! {
        #[test]
        fn sums_do_not_depend_on_the_order_of_answers(
            mut chosen in prop::collection::vec((0_usize..4, 0_i32..100, "[a-c]{1,3}"), 0..40),
        ) {
            let questions =
                [question(Kind::Single(options(4))), question(Kind::Number { least: 0, most: 99 }), question(Kind::Text)];
            let answers = |(at, number, text): &(usize, i32, String)| Answers(vec![
                (0, Said::Options(vec![*at])),
                (1, Said::Number(*number)),
                (2, Said::Text(text.clone())),
            ]);
            let mut one = Sums::new(&questions);
            chosen.iter().for_each(|said| one.add(&answers(said)));
            chosen.reverse();
            let mut other = Sums::new(&questions);
            chosen.iter().for_each(|said| other.add(&answers(said)));

            prop_assert_eq!(&one, &other);
            let count = i64::try_from(chosen.len()).unwrap();
            prop_assert_eq!(one.questions[0].chosen_counts.iter().sum::<i64>(), count);
            prop_assert_eq!(one.questions[1].sum, chosen.iter().map(|said| i64::from(said.1)).sum::<i64>());
        }
    }
}
