//! Surveys, answers and sums as messages.

use proto::enrollment::v1::{self as message, survey_question::Kind as KindMessage, survey_result};
use shared::value::Moment;

use crate::domain::survey::{Answers, Kind, Naming, Question, Said, Shown, Survey};
use crate::event::timestamp;

/// A survey as messages carry it.
pub fn survey(survey: &Survey, now: Moment) -> message::Survey {
    use message::survey::{Naming as NamingMessage, State};
    let state = if survey.check_open(now).is_ok() { State::Open } else { State::Closed };
    let naming = match survey.naming {
        Naming::Anonymous => NamingMessage::Anonymous,
        Naming::Named => NamingMessage::Named,
    };
    message::Survey {
        id: survey.id.to_string(),
        node_id: survey.path.last().map(ToString::to_string).unwrap_or_default(),
        term_id: survey.term_id.map(|id| id.to_string()).unwrap_or_default(),
        title: survey.title.clone(),
        naming: naming.into(),
        questions: survey.questions.iter().map(question).collect(),
        state: state.into(),
        close_time: Some(timestamp(survey.close_at)),
        create_time: Some(timestamp(survey.created_at)),
    }
}

fn question(question: &Question) -> message::SurveyQuestion {
    let (kind, options, least, most) = match &question.kind {
        Kind::Single(options) => (KindMessage::Single, options.clone(), 0, 0),
        Kind::Multiple(options) => (KindMessage::Multiple, options.clone(), 0, 0),
        Kind::Number { least, most } => (KindMessage::Number, Vec::new(), *least, *most),
        Kind::Text => (KindMessage::Text, Vec::new(), 0, 0),
        Kind::Wishes(options) => (KindMessage::Wishes, options.clone(), 0, 0),
    };
    message::SurveyQuestion { title: question.title.clone(), kind: kind.into(), options, least, most }
}

/// Answers as messages carry them.
pub fn answers(answers: &Answers) -> Vec<message::SurveyAnswer> {
    let answer = |(question, said): &(usize, Said)| {
        let empty = message::SurveyAnswer { question: whole(*question), ..Default::default() };
        match said {
            Said::Options(chosen) => {
                message::SurveyAnswer { options: chosen.iter().copied().map(whole).collect(), ..empty }
            }
            Said::Number(number) => message::SurveyAnswer { number: Some(*number), ..empty },
            Said::Text(text) => message::SurveyAnswer { text: text.clone(), ..empty },
        }
    };
    answers.0.iter().map(answer).collect()
}

/// What is shown of a sum as messages carry it.
pub fn shown(shown: Shown) -> message::SurveyResult {
    let firsts = shown.first_counts.into_iter().chain(std::iter::repeat(None));
    let option = |(chosen, first): (Option<i64>, Option<i64>)| survey_result::Option {
        chosen_count: chosen.map(count),
        first_count: first.map(count),
    };
    message::SurveyResult {
        answered_count: shown.answered_count.map(count),
        options: shown.chosen_counts.into_iter().zip(firsts).map(option).collect(),
        sum: shown.sum,
        least: shown.range.map(|(least, _)| least),
        greatest: shown.range.map(|(_, greatest)| greatest),
        texts: shown.texts,
    }
}

/// A count as messages carry it.
pub fn count(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn whole(position: usize) -> i32 {
    i32::try_from(position).unwrap_or(i32::MAX)
}
