//! Why a choice costs what it costs, in sentences for the family. Their numbers add up.

use policy::Policy;
use policy::explain::{self, Line, Question};
use shared::value::Fen;

use super::pricing::{Price, Service, Total};
use super::refusal::source;
use super::section_price::term_ceiling;

/// A sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// In Chinese.
    pub text_zh: String,
    /// In English.
    pub text_en: String,
    /// Where it stands: document and line, or decision and date; empty where it only counts.
    pub source: String,
}

impl Sentence {
    fn counted(text_zh: String, text_en: String) -> Self {
        Self { text_zh, text_en, source: String::new() }
    }
}

impl From<Line> for Sentence {
    fn from(line: Line) -> Self {
        let source = line.clause.as_ref().map(source).unwrap_or_default();
        Self { text_zh: line.text.zh, text_en: line.text.en, source }
    }
}

/// Explains a price: what all the pupil's lessons of the term come to, what of that is charged already, and what the choice adds.
///
/// `kept` is what is being paid or was paid before, `let_off` what a waiver in force
/// will take off the price's amount; zero without one.
///
/// # Errors
/// [`shared::value::FenError`] when an amount does not fit.
pub fn explain(
    policy: &Policy,
    price: &Price,
    kept: Fen,
    let_off: Fen,
) -> Result<Vec<Sentence>, shared::value::FenError> {
    let mut sentences = together(policy, &price.charge);
    let amount = price.amount;
    if kept > Fen::ZERO {
        let said = if amount > Fen::ZERO {
            Sentence::counted(
                format!("其中 {kept} 元已在此前的账单里，这次选课增加 {amount} 元"),
                format!("{kept} yuan of it are on earlier bills; this choice adds {amount} yuan"),
            )
        } else {
            Sentence::counted(
                format!("此前的账单已有 {kept} 元，这次选课不再增加费用"),
                format!("{kept} yuan are on earlier bills; this choice adds nothing"),
            )
        };
        sentences.push(said);
    }
    if let_off > Fen::ZERO {
        let left = amount.minus(let_off)?;
        sentences.push(Sentence {
            text_zh: format!("已批准的减免免去 {let_off} 元，还需支付 {left} 元"),
            text_en: format!("The waiver granted lets off {let_off} yuan; {left} yuan are left to pay"),
            source: policy.waiver.waivers.clause().as_ref().map(source).unwrap_or_default(),
        });
    }
    Ok(sentences)
}

/// What the fee standard comes to, what each course with a price of its own costs, and the sum.
fn together(policy: &Policy, charge: &Total) -> Vec<Sentence> {
    let mut lines = match &charge.service {
        Some(Service::Flat { tariff, charge }) => explain::charge(policy, tariff, charge, None),
        Some(Service::BySlot(charge)) => explain::slots(policy, charge),
        None => Vec::new(),
    };
    if charge.own.is_empty() {
        return lines.into_iter().map(Sentence::from).collect();
    }
    // The sum over all takes the place of the fee standard's own.
    lines.pop();
    let mut sentences: Vec<Sentence> = lines.into_iter().map(Sentence::from).collect();
    let ground = term_ceiling(policy).map(|ceiling| ceiling.clause.source).unwrap_or_default();
    sentences.extend(charge.own.iter().map(|own| Sentence {
        text_zh: format!("课程「{}」按学期收费，{} 元", own.title, own.amount),
        text_en: format!("The course “{}” is charged by the term: {} yuan", own.title, own.amount),
        source: ground.clone(),
    }));
    let total = charge.total;
    sentences.push(Sentence::counted(format!("应收 {total} 元"), format!("In all {total} yuan")));
    sentences
}

/// Says why there is nothing to pay where the service is free.
#[must_use]
pub fn free(policy: &Policy) -> Vec<Sentence> {
    explain::answer(policy, &Question::Fee).into_iter().take(1).map(Sentence::from).collect()
}
