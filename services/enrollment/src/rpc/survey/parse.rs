//! Questions and answers out of messages.

use std::collections::BTreeSet;

use proto::enrollment::v1::{self as message, survey_question::Kind as KindMessage};
use shared::value::Violations;

use crate::domain::survey::{self, Answers, Kind, Question, Said};

/// The most questions.
pub const QUESTION_COUNT: usize = 40;

/// The most options of a question.
const OPTION_COUNT: usize = 50;

/// The greatest number that can be asked for.
const GREATEST: i32 = 1_000_000;

/// Questions, 1 to 40.
pub fn questions(violations: &mut Violations, questions: &[message::SurveyQuestion]) -> Vec<Question> {
    let is_some = (1..=QUESTION_COUNT).contains(&questions.len());
    violations.check("questions", is_some, "must be 1 to 40");
    let questions = questions.iter().take(QUESTION_COUNT).enumerate();
    questions.filter_map(|(at, one)| question(violations, &format!("questions[{at}]"), one)).collect()
}

fn question(violations: &mut Violations, at: &str, one: &message::SurveyQuestion) -> Option<Question> {
    let title = violations.text(&format!("{at}.title"), &one.title, 1, 100);
    let has_options = matches!(one.kind(), KindMessage::Single | KindMessage::Multiple | KindMessage::Wishes);
    let is_number = one.kind() == KindMessage::Number;
    if !has_options {
        violations.check(&format!("{at}.options"), one.options.is_empty(), "must be empty for this kind");
    }
    let is_bare = is_number || (one.least == 0 && one.most == 0);
    violations.check(&format!("{at}.most"), is_bare, "must be 0 for this kind");
    let kind = match one.kind() {
        KindMessage::Unspecified => {
            let kinds = "must be single, multiple, number, text or wishes";
            violations.note(format!("{at}.kind"), kinds);
            None
        }
        KindMessage::Single => Some(Kind::Single(options(violations, at, &one.options))),
        KindMessage::Multiple => Some(Kind::Multiple(options(violations, at, &one.options))),
        KindMessage::Wishes => Some(Kind::Wishes(options(violations, at, &one.options))),
        KindMessage::Number => {
            violations.check(&format!("{at}.least"), one.least >= 0, "must be 0 or more");
            let is_range = (one.least..=GREATEST).contains(&one.most);
            violations.check(&format!("{at}.most"), is_range, "must be least to 1,000,000");
            Some(Kind::Number { least: one.least, most: one.most })
        }
        KindMessage::Text => Some(Kind::Text),
    };
    Some(Question { title: title?, kind: kind? })
}

fn options(violations: &mut Violations, at: &str, options: &[String]) -> Vec<String> {
    let is_choice = (2..=OPTION_COUNT).contains(&options.len());
    violations.check(&format!("{at}.options"), is_choice, "must be 2 to 50");
    let read = options.iter().take(OPTION_COUNT).enumerate();
    let read: Vec<_> = read
        .filter_map(|(number, option)| violations.text(&format!("{at}.options[{number}]"), option, 1, 40))
        .collect();
    let distinct: BTreeSet<_> = read.iter().collect();
    violations.check(&format!("{at}.options"), distinct.len() == read.len(), "must be there once each");
    read
}

/// Answers to `questions`, each question at most once; given in the order of the questions.
pub fn answers(
    violations: &mut Violations,
    questions: &[Question],
    answers: &[message::SurveyAnswer],
) -> Answers {
    violations.check("answers", answers.len() <= QUESTION_COUNT, "must be at most 40");
    let mut read = Vec::new();
    let mut asked = BTreeSet::new();
    for (at, answer) in answers.iter().take(QUESTION_COUNT).enumerate() {
        let field = format!("answers[{at}]");
        let number = usize::try_from(answer.question).ok();
        let Some((number, question)) = number.and_then(|at| Some((at, questions.get(at)?))) else {
            violations.note(format!("{field}.question"), "must be a question of the survey");
            continue;
        };
        let is_first = asked.insert(number);
        violations.check(&format!("{field}.question"), is_first, "must be answered once");
        let said = said(question, answer);
        match survey::check(question, &said) {
            Ok(()) => read.push((number, said)),
            Err(misfit) => violations.note(field, misfit.to_string()),
        }
    }
    read.sort_by_key(|(number, _)| *number);
    Answers(read)
}

/// What the message says, as the question's kind would have it; a misfit shows when it is checked.
fn said(question: &Question, answer: &message::SurveyAnswer) -> Said {
    match &question.kind {
        Kind::Single(_) | Kind::Multiple(_) | Kind::Wishes(_) => {
            // A negative position is beyond every option.
            let position = |at: &i32| usize::try_from(*at).unwrap_or(usize::MAX);
            Said::Options(answer.options.iter().map(position).collect())
        }
        Kind::Number { .. } => match answer.number {
            Some(number) => Said::Number(number),
            None => Said::Options(Vec::new()),
        },
        Kind::Text => Said::Text(answer.text.trim().to_owned()),
    }
}
