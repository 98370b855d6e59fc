//! `kehou policy explain`.

use std::io::Write;

use anyhow::{Context as _, bail, ensure};
use chrono::{Days, NaiveDate};
use clap::Args;
use policy::explain::{self, Line, Question};
use policy::fee::{self, Basis, FeeRefusal, LessonDay, Offering, StatedFee, Tariff};
use policy::value::Standing;
use policy::vocabulary::{DayPart, Stage};
use policy::waiver::{self, Effect, WaiverRefusal};
use policy::{Clause, Packs, Phrase, Policy, Silent};
use shared::value::Fen;

use super::{Tongue, found, head, near};

/// The Monday of the week that is priced: any would do, the price of a week depends on no date.
const MONDAY: Option<NaiveDate> = NaiveDate::from_ymd_opt(2024, 9, 2);

/// Asks a district's policy.
#[derive(Debug, Args)]
pub struct Explain {
    /// A pack, a supplement or a pinned version.
    district: String,
    /// `fee`, `end-time`, `approval`, `waivers`, `silent`, `inherited`, `all`, or a key such as `refund_rule`.
    question: String,
    /// The child's stage, for a price: `primary` or `junior`.
    #[arg(long, value_parser = stage, default_value = "primary")]
    stage: Stage,
    /// What a price is counted by: `term`, `month`, `class_hour`, `day` or `slot_month:N`. What the region states when left
    /// out.
    #[arg(long, value_parser = basis)]
    basis: Option<Basis>,
    /// The price in fen. What the region states when left out.
    #[arg(long)]
    amount_fen: Option<i64>,
    /// Class hours of Monday, Tuesday and so on, such as `1,2,3,2,1`: prices this week.
    #[arg(long, value_delimiter = ',')]
    hours: Vec<u32>,
    /// The child's waiver category, as the region writes it.
    #[arg(long)]
    waiver: Option<String>,
    /// The document a price was approved by.
    #[arg(long)]
    approval: Option<String>,
}

fn stage(word: &str) -> Result<Stage, String> {
    Stage::from_word(word).ok_or_else(|| "primary or junior".to_owned())
}

fn basis(word: &str) -> Result<Basis, String> {
    let end_slot = word.strip_prefix("slot_month:").and_then(|number| number.parse().ok());
    match (word, end_slot) {
        (_, Some(end_slot)) if end_slot > 0 => Ok(Basis::SlotMonth { end_slot }),
        ("term", _) => Ok(Basis::Term),
        ("month", _) => Ok(Basis::Month),
        ("class_hour", _) => Ok(Basis::ClassHour),
        ("day", _) => Ok(Basis::Day),
        _ => Err("term, month, class_hour, day or slot_month:N with N from 1".to_owned()),
    }
}

impl Explain {
    /// Prints the answer.
    pub(super) fn answer(&self, packs: &Packs, tongue: Tongue, out: &mut impl Write) -> anyhow::Result<()> {
        let policy = found(packs, &self.district)?;
        let question = asked(&self.question)?;
        let prices = self.basis.is_some() || self.amount_fen.is_some() || !self.hours.is_empty();
        let is_fee = question == Question::Fee;
        ensure!(
            is_fee || !(prices || self.waiver.is_some() || self.approval.is_some()),
            "--basis, --amount-fen, --hours, --waiver and --approval go with the question `fee` only"
        );
        writeln!(out, "{}", head(&policy, tongue))?;
        for line in explain::answer(&policy, &question) {
            print(&line, tongue, out)?;
        }
        if is_fee && (prices || self.waiver.is_some()) {
            writeln!(out)?;
            self.price(&policy, tongue, out)?;
        }
        Ok(())
    }

    /// What this week costs this child, sentence by sentence; or why it has no price.
    fn price(&self, policy: &Policy, tongue: Tongue, out: &mut impl Write) -> anyhow::Result<()> {
        let tariff = match self.tariff(policy) {
            Ok(tariff) => tariff?,
            Err(refusal) => return Ok(refuse(policy, &refusal, tongue, out)?),
        };
        let monday = MONDAY.context("a Monday")?;
        match tongue {
            Tongue::Chinese => writeln!(out, "为什么是这个价（以 {monday} 起的一周为例）")?,
            Tongue::English => writeln!(out, "Why it costs this (for the week from {monday})")?,
        }
        let hours = if self.hours.is_empty() { &[1][..] } else { &self.hours[..] };
        ensure!(hours.len() <= 7, "a week has seven days, --hours gives {}", hours.len());
        let lessons = hours.iter().zip(0..).filter(|(class_hours, _)| **class_hours > 0);
        let days: Vec<LessonDay> = lessons
            .map(|(class_hours, day)| LessonDay {
                date: monday + Days::new(day),
                class_hours: *class_hours,
                already_charged: Fen::ZERO,
            })
            .collect();
        let charge = match fee::charge(policy, &tariff, &days) {
            Ok(charge) => charge,
            Err(refusal) => return Ok(refuse(policy, &refusal, tongue, out)?),
        };
        let waived = match self.waiver.as_deref().map(|category| waive(policy, charge.total, category)) {
            Some(Ok(waived)) => Some(waived),
            Some(Err(Unwaived::Silent(silent))) => {
                // What it costs without the waiver is known.
                for line in explain::charge(policy, &tariff, &charge, None) {
                    print(&line, tongue, out)?;
                }
                return Ok(say_silent(policy, &silent, tongue, out)?);
            }
            Some(Err(Unwaived::Asked(error))) => return Err(error),
            None => None,
        };
        for line in explain::charge(policy, &tariff, &charge, waived.as_ref()) {
            print(&line, tongue, out)?;
        }
        Ok(())
    }

    /// The price that is asked about: what is given, the rest as the region states it.
    fn tariff(&self, policy: &Policy) -> Result<anyhow::Result<Tariff>, FeeRefusal> {
        let stated = || -> Result<Option<StatedFee>, FeeRefusal> {
            let of_service = |fee: &StatedFee| {
                fee.offering == Offering::Service && self.basis.is_none_or(|basis| basis == fee.basis)
            };
            Ok(fee::stated(policy)?.into_iter().find(of_service))
        };
        let (basis, amount) = match (self.basis, self.amount_fen) {
            (Some(basis), Some(amount)) => (basis, Fen::new(amount)),
            (basis, amount) => match stated()? {
                Some(stated) => (basis.unwrap_or(stated.basis), amount.map_or(stated.amount, Fen::new)),
                None => {
                    return Ok(Err(anyhow::anyhow!(
                        "the region states no amount for the service by that basis; give --basis and --amount-fen"
                    )));
                }
            },
        };
        Ok(Ok(Tariff {
            stage: self.stage,
            basis,
            amount,
            slot_kind: DayPart::Afternoon,
            offering: Offering::Service,
            approval_document: self.approval.clone(),
        }))
    }
}

/// The question a word asks.
///
/// # Errors
/// When it is neither a question nor a key, with what may have been meant.
fn asked(word: &str) -> anyhow::Result<Question> {
    if let Some(question) = Question::parse(&word.replace('-', "_")) {
        return Ok(question);
    }
    let questions = ["fee", "end-time", "approval", "waivers", "silent", "inherited", "all"];
    let mut known: Vec<(String, String)> =
        questions.iter().map(|word| ((*word).to_owned(), (*word).to_owned())).collect();
    for key in Policy::keys() {
        known.push((key.name.to_owned(), format!("{}（{}）", key.name, key.zh)));
    }
    let near = near::near(word, &known);
    let questions = questions.join(", ");
    if near.is_empty() {
        bail!("no question or key `{word}`; a question is one of {questions}");
    }
    bail!("no question or key `{word}`; near it: {}; a question is one of {questions}", near.join(", "))
}

/// Why a waiver was not applied.
enum Unwaived {
    /// Nobody says what is needed.
    Silent(Silent),
    /// What was asked makes no sense here.
    Asked(anyhow::Error),
}

fn waive(policy: &Policy, charge: Fen, category: &str) -> Result<waiver::Waived, Unwaived> {
    let effect = waiver::effect(policy, category).map_err(Unwaived::Silent)?;
    if let Effect::NotListed { .. } = effect {
        let listed = policy.waiver.waivers.get().map(Vec::as_slice).unwrap_or_default();
        let listed: Vec<_> =
            listed.iter().map(|waiver| format!("{}（{}）", waiver.category, waiver.name_zh)).collect();
        let listed = listed.join(", ");
        return Err(Unwaived::Asked(anyhow::anyhow!("the region waives no `{category}`, but: {listed}")));
    }
    waiver::apply(policy, charge, &effect).map_err(|refusal| match refusal {
        WaiverRefusal::Silent(silent) => Unwaived::Silent(silent),
        other => Unwaived::Asked(other.into()),
    })
}

/// Prints a line: where it stands, what is said.
fn print(line: &Line, tongue: Tongue, out: &mut impl Write) -> std::io::Result<()> {
    let mark = match line.standing {
        Standing::Stated => "V",
        Standing::Inherited => "I",
        Standing::Supplemented => "S",
        Standing::Silent => "—",
    };
    writeln!(out, "  {mark} {}", tongue.of(line.text.clone()))
}

/// Prints why there is no price, with the clause; where nobody says it, how that ends.
fn refuse(
    policy: &Policy,
    refusal: &FeeRefusal,
    tongue: Tongue,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let (said, clause): (Phrase, Option<&Clause>) = match refusal {
        FeeRefusal::Silent(silent) => return say_silent(policy, silent, tongue, out),
        FeeRefusal::FreeOfCharge { clause } => (
            Phrase::new("免费：没有价格，也没有 0 元订单", "free: no price, and no order of 0"),
            Some(clause),
        ),
        FeeRefusal::AwaitingApproval { clause } => (
            Phrase::new("家长缴费标准待核定，核定前不得收费", "what parents pay awaits approval"),
            Some(clause),
        ),
        FeeRefusal::AboveCeiling { limit, asked, clause } => (
            Phrase::new(
                format!("{asked} 元高于上限 {limit} 元"),
                format!("{asked} yuan is above the ceiling of {limit}"),
            ),
            Some(clause),
        ),
        FeeRefusal::NotTheStatedFee { stated, asked, clause } => (
            Phrase::new(
                format!("{asked} 元不是文件写明的 {stated} 元"),
                format!("{asked} yuan is not the stated {stated}"),
            ),
            Some(clause),
        ),
        FeeRefusal::OutOfScope { clause, .. } => {
            let en = "this part of the day is not after-school service";
            (Phrase::new("这一时段不属于课后服务", en), Some(clause))
        }
        FeeRefusal::ApprovalMissing { clause } => {
            let en = "the approving document is missing; give it by --approval";
            (Phrase::new("缺少核定文件，用 --approval 给出", en), Some(clause))
        }
        other @ (FeeRefusal::ExtendedCareUnpriced | FeeRefusal::NotPositive { .. } | FeeRefusal::Fen(_)) => {
            (Phrase::new(format!("不能收取：{other}"), other.to_string()), None)
        }
    };
    writeln!(out, "  ✗ {}", tongue.of(said))?;
    match clause {
        Some(clause) => writeln!(out, "    {}", tongue.of(clause.say())),
        None => Ok(()),
    }
}

/// Prints which key is silent, and how a district ends that.
fn say_silent(policy: &Policy, silent: &Silent, tongue: Tongue, out: &mut impl Write) -> std::io::Result<()> {
    let key = Policy::keys().into_iter().find(|key| key.name == silent.key);
    let (group, name) = key.map_or(("", Phrase::default()), |key| (key.group, Phrase::new(key.zh, key.en)));
    match tongue {
        Tongue::Chinese => {
            writeln!(out, "  ✗ 没有规定：{}（{group}.{}）", name.zh, silent.key)?;
            writeln!(
                out,
                "    由教育局书面决定后写入补充规定：policies/supplements/<名称>.toml，pack_id = \"{}\"，[{group}.{}]",
                policy.pack_id(),
                silent.key
            )
        }
        Tongue::English => {
            writeln!(out, "  ✗ nobody says it: {} ({group}.{})", name.en, silent.key)?;
            writeln!(
                out,
                "    the bureau decides it in writing, in a supplement: policies/supplements/<name>.toml, \
                 pack_id = \"{}\", [{group}.{}]",
                policy.pack_id(),
                silent.key
            )
        }
    }
}
