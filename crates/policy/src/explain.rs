//! Answers for people: what a policy says on a matter, and why something costs what it costs.
//!
//! Every answer is made of lines. A line says one thing in a sentence, names the key it rests on and carries the clause, so
//! that whoever doubts it can look it up.

use std::cmp::Ordering;

use serde::Serialize;
use shared::value::Fen;

use crate::fee::{Basis, Charge, DayCharge, Offering, StatedFee, Tariff, stated};
use crate::policy::{Entry, Policy};
use crate::slot::SlotCharge;
use crate::time::end_floor;
use crate::value::{Binding, Clause, Phrase, Say, Standing, Value};
use crate::vocabulary::{
    EndBasis, FeeMode, MonthDay, SlotCapCombination, Stage, Strictness, Waiver, WaiverBasis, WaiverLevel,
};
use crate::waiver::Waived;

/// What a policy says on a key, and where it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// In Chinese and in English, one sentence each.
    pub text: Phrase,
    /// The clause; nothing when the policy is silent.
    pub clause: Option<Clause>,
}

/// Explains a key, such as `每天收费上限：≤ 10.00 元/天：《…》第74行“每天不超过 10 元”`.
///
/// Gives nothing when the schema has no such key.
#[must_use]
pub fn explain(policy: &Policy, key: &str) -> Option<Explanation> {
    let entry = policy.entry(key)?;
    Some(Explanation { text: plain(policy, &entry), clause: entry.clause })
}

/// What people ask of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// What parents pay.
    Fee,
    /// When service ends.
    EndTime,
    /// Who approves an application, and what a price needs before it may be charged.
    Approval,
    /// Who need not pay.
    Waivers,
    /// What nobody says.
    Silent,
    /// What only regions above say.
    Inherited,
    /// Everything.
    All,
    /// One key.
    Key(String),
}

impl Question {
    /// The questions that are not about one key, with their words.
    const WORDS: [(Self, &'static str); 7] = [
        (Self::Fee, "fee"),
        (Self::EndTime, "end_time"),
        (Self::Approval, "approval"),
        (Self::Waivers, "waivers"),
        (Self::Silent, "silent"),
        (Self::Inherited, "inherited"),
        (Self::All, "all"),
    ];

    /// Reads a question: one of `fee`, `end_time`, `approval`, `waivers`, `silent`, `inherited`, `all`, or a key with or
    /// without its group, such as `fee.refund_rule`. Nothing when it is none of these.
    ///
    /// `waivers` is the question; the key of that name is asked for as `waiver.waivers`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        if let Some((question, _)) = Self::WORDS.into_iter().find(|(_, own)| *own == word) {
            return Some(question);
        }
        let keys = Policy::keys().into_iter();
        let named = |group: &str, name: &str| match word.split_once('.') {
            Some(parts) => parts == (group, name),
            None => word == name,
        };
        let found = keys.map(|key| (key.group, key.name)).find(|(group, name)| named(group, name))?;
        Some(Self::Key(found.1.to_owned()))
    }

    /// Gives the word of the question; for one about a key, the key.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Fee => "fee",
            Self::EndTime => "end_time",
            Self::Approval => "approval",
            Self::Waivers => "waivers",
            Self::Silent => "silent",
            Self::Inherited => "inherited",
            Self::All => "all",
            Self::Key(key) => key,
        }
    }
}

/// One sentence of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The key it rests on.
    pub key: &'static str,
    /// The sentence, with the document or decision it rests on.
    pub text: Phrase,
    /// What the line adds to what is to be paid, below zero for what it takes off; nothing for a line that counts nothing.
    /// All lines of a charge sum to what is to be paid.
    pub amount: Option<Fen>,
    /// Where the key's value stands.
    pub standing: Standing,
    /// The clause; nothing when the policy is silent.
    pub clause: Option<Clause>,
}

/// Answers a question, in the order in which people would tell it. Never empty but for `Silent` and `Inherited`, where
/// nothing may be silent or inherited, and for a key the schema does not have.
#[must_use]
pub fn answer(policy: &Policy, question: &Question) -> Vec<Line> {
    let all = |is_meant: fn(Standing) -> bool| {
        let entries = policy.entries().into_iter().filter(|entry| is_meant(entry.standing));
        entries.map(|entry| whole(policy, entry)).collect()
    };
    match question {
        Question::Fee => fee_lines(policy),
        Question::EndTime => end_lines(policy),
        Question::Approval => approval_lines(policy),
        Question::Waivers => waiver_lines(policy),
        Question::Silent => all(|standing| standing == Standing::Silent),
        Question::Inherited => all(|standing| standing == Standing::Inherited),
        Question::All => all(|_| true),
        Question::Key(key) => policy.entry(key).map(|entry| whole(policy, entry)).into_iter().collect(),
    }
}

/// A line that says a key as it stands.
fn whole(policy: &Policy, entry: Entry) -> Line {
    let text = plain(policy, &entry);
    Line { key: entry.key.name, text, amount: None, standing: entry.standing, clause: entry.clause }
}

/// A key as it stands, in words.
fn plain(policy: &Policy, entry: &Entry) -> Phrase {
    match &entry.clause {
        Some(clause) => clause.say(),
        None => Phrase::new(
            format!("{}：{}的文件没有规定，须由教育局书面决定后补充", entry.key.zh, policy.name_zh()),
            format!(
                "{}: no document of {} says it; the bureau must decide it in a supplement",
                entry.key.en,
                policy.pack_id()
            ),
        ),
    }
}

/// A line that says a key's value as it stands, or that it is silent.
fn as_it_stands<T: Say>(policy: &Policy, value: &Value<T>) -> Line {
    whole(policy, Entry::of(value))
}

/// A line that says in a sentence of its own what a value means, followed by what it rests on; as it stands when silent.
fn meaning<T: Say>(policy: &Policy, value: &Value<T>, said: impl FnOnce(&T) -> Phrase) -> Line {
    match value.known() {
        Some((known, clause)) => told(value, said(known), clause, None),
        None => as_it_stands(policy, value),
    }
}

fn told<T>(value: &Value<T>, said: Phrase, clause: Clause, amount: Option<Fen>) -> Line {
    let (key, standing) = (value.key.name, value.standing());
    Line { key, text: grounded(said, &clause), amount, standing, clause: Some(clause) }
}

/// A sentence and what it rests on.
fn grounded(said: Phrase, clause: &Clause) -> Phrase {
    let ground = clause.ground();
    Phrase {
        zh: format!("{}。依据：{}", said.zh, ground.zh),
        en: format!("{}. Source: {}", said.en, ground.en),
    }
}

/// The line on whether parents pay at all.
fn mode_line(policy: &Policy) -> Line {
    let mode = &policy.fee.parent_fee_mode;
    let Some((known, clause)) = mode.known() else {
        let text = Phrase::new(
            format!("{}的文件没有规定家长是否交费、交多少；教育局书面决定之前不能收费", policy.name_zh()),
            format!(
                "no document of {} says whether parents pay, or how much; nothing may be charged until the bureau decides",
                policy.pack_id()
            ),
        );
        return Line { text, ..as_it_stands(policy, mode) };
    };
    let said = match known {
        FeeMode::Free => {
            Phrase::new("家长不用交费，也不会收到任何账单", "Parents pay nothing and get no bill")
        }
        FeeMode::Exact => Phrase::new("家长按规定的标准交费", "Parents pay the stated fee"),
        FeeMode::Ceiling => Phrase::new(
            "家长交费，价格由学校在上限之内确定",
            "Parents pay; the school sets the price within the ceilings",
        ),
        FeeMode::Average => Phrase::new(
            "家长交费，规定的是全体学生的平均数",
            "Parents pay; what is stated is an average over all pupils",
        ),
        FeeMode::AwaitingApproval => Phrase::new(
            "家长分担多少还没有核定，核定之前不能收费",
            "What parents pay has yet to be approved; nothing may be charged before",
        ),
    };
    told(mode, said, clause, None)
}

fn fee_lines(policy: &Policy) -> Vec<Line> {
    let fee = &policy.fee;
    let mut lines = vec![mode_line(policy)];
    let fees = stated(policy).unwrap_or_default();
    for one in &fees {
        let standing = policy.entry(one.clause.key).map_or(Standing::Silent, |entry| entry.standing);
        lines.push(Line {
            key: one.clause.key,
            text: grounded(say_fee(one), &one.clause),
            amount: None,
            standing,
            clause: Some(one.clause.clone()),
        });
    }
    if fee.slot_fee_cap_fen_per_month.get().is_some_and(|caps| caps.len() > 1) {
        lines.push(meaning(policy, &fee.slot_cap_combination, |combination| match combination {
            SlotCapCombination::ByEndSlot => Phrase::new(
                "各时段的上限不相加，只看学生留到哪个时段",
                "The ceilings of several slots do not add up: the last slot a pupil stays to decides",
            ),
            SlotCapCombination::Sum => Phrase::new(
                "学生留到后一时段的，前面各时段的上限相加",
                "The ceilings of all slots a pupil stays for add up",
            ),
        }));
    }
    if let Some(stages) = fee.fee_stage_scope.get()
        && stages.len() < Stage::ALL.len()
    {
        lines.push(meaning(policy, &fee.fee_stage_scope, |stages| {
            let stages = stages.say();
            Phrase::new(
                format!("以上只适用于{}，其他学段没有规定", stages.zh),
                format!("This is stated for {} only; other stages are silent", stages.en),
            )
        }));
    }
    if fees.iter().any(|fee| matches!(fee.basis, Basis::Month | Basis::SlotMonth { .. })) {
        lines.push(as_it_stands(policy, &fee.proration_rule));
    }
    if !fees.is_empty() {
        lines.push(as_it_stands(policy, &fee.refund_rule));
        lines.push(as_it_stands(policy, &fee.payee_account));
    }
    lines
}

fn say_fee(fee: &StatedFee) -> Phrase {
    let amount = fee.amount;
    let per = say_basis(fee.basis);
    let what = match fee.offering {
        Offering::Service => Phrase::default(),
        Offering::PersonalisedCourse => Phrase::new("个性化课程", " for personalised courses"),
    };
    let over_all = match (fee.basis, fee.offering) {
        (Basis::Day | Basis::Term, Offering::Service) => {
            Phrase::new("，一个学生的全部课程合在一起算", ", over all courses of a pupil")
        }
        (Basis::Term, Offering::PersonalisedCourse) => {
            Phrase::new("，一个学生的全部个性化课程合在一起算", ", over all of them a pupil takes")
        }
        (Basis::Month | Basis::ClassHour | Basis::SlotMonth { .. }, _)
        | (Basis::Day, Offering::PersonalisedCourse) => Phrase::default(),
    };
    match fee.binding {
        Binding::Ceiling => Phrase::new(
            format!("{}{}最多 {amount} 元{}", what.zh, per.zh, over_all.zh),
            format!("At most {amount} yuan {}{}{}", per.en, what.en, over_all.en),
        ),
        Binding::Average => Phrase::new(
            format!("{}平均 {amount} 元，按全体学生计算，不是每个学生的上限", per.zh),
            format!("{amount} yuan {} on average over all pupils, which is no ceiling for one", per.en),
        ),
        Binding::Exact | Binding::Floor | Binding::Principle | Binding::Target => Phrase::new(
            format!("{}{} {amount} 元", what.zh, per.zh),
            format!("{amount} yuan {}{}", per.en, what.en),
        ),
    }
}

fn say_basis(basis: Basis) -> Phrase {
    match basis {
        Basis::Term => Phrase::new("每学期", "a term"),
        Basis::Month => Phrase::new("每月", "a month"),
        Basis::ClassHour => Phrase::new("每课时", "a class hour"),
        Basis::Day => Phrase::new("每天", "a day"),
        Basis::SlotMonth { end_slot } => Phrase::new(
            format!("留到第{end_slot}时段的每月"),
            format!("a month for pupils who stay to slot {end_slot}"),
        ),
    }
}

fn end_lines(policy: &Policy) -> Vec<Line> {
    let (time, dismiss) = (&policy.time, &policy.dismiss);
    let mut lines = Vec::new();
    if time.end_not_before_basis.get() == Some(&EndBasis::LocalOfficeClosing) {
        lines.push(meaning(policy, &time.end_not_before_basis, |_| {
            Phrase::new("服务结束不早于当地下班时间", "Service ends no earlier than local offices close")
        }));
        lines.push(as_it_stands(policy, &time.local_office_closing));
    } else if let Ok(Some((floor, _))) = end_floor(policy) {
        let floor = floor.say();
        let is_principle = time.end_strictness.get() == Some(&Strictness::Principle);
        lines.push(meaning(policy, &time.end_not_before, |_| {
            if is_principle {
                Phrase::new(
                    format!("原则上不早于 {} 结束；学校要提前，须写明理由", floor.zh),
                    format!(
                        "As a rule service ends no earlier than {}; a school that ends it earlier says why",
                        floor.en
                    ),
                )
            } else {
                Phrase::new(
                    format!("不得早于 {} 结束", floor.zh),
                    format!("Service ends no earlier than {}", floor.en),
                )
            }
        }));
    }
    if time.end_not_after.get().is_some() {
        lines.push(meaning(policy, &time.end_not_after, |latest| {
            let latest = latest.say();
            Phrase::new(
                format!("不得晚于 {} 结束", latest.zh),
                format!("Service ends no later than {}", latest.en),
            )
        }));
    }
    if time.end_target.get().is_some() {
        lines.push(meaning(policy, &time.end_target, |target| {
            let target = target.say();
            Phrase::new(
                format!("以 {} 结束为目标，不作硬性要求", target.zh),
                format!("{} is aimed at as the end and forces nothing", target.en),
            )
        }));
    }
    if lines.is_empty() {
        let text = Phrase::new(
            format!("{}的文件没有规定服务几点结束，由学校安排", policy.name_zh()),
            format!("no document of {} says when service ends; schools arrange it", policy.pack_id()),
        );
        lines.push(Line { text, ..as_it_stands(policy, &time.end_not_before) });
    }
    if time.school_plan_may_adjust_times.get() == Some(&true) {
        lines.push(meaning(policy, &time.school_plan_may_adjust_times, |_| {
            Phrase::new(
                "学校可以在保证服务时长的前提下，按本校方案调整时间",
                "A school may move these times by its own plan as long as the amount of service stands",
            )
        }));
    }
    if dismiss.forced_leave_before_end_allowed.get() == Some(&false) {
        lines.push(meaning(policy, &dismiss.forced_leave_before_end_allowed, |_| {
            Phrase::new(
                "愿意留下的学生，服务结束前不得要求离校",
                "A pupil who wants to stay is not sent home before the end",
            )
        }));
    }
    lines
}

/// Who approves: an application, step by step, and what must be signed; then the price, where parents pay.
fn approval_lines(policy: &Policy) -> Vec<Line> {
    let (fee, enroll) = (&policy.fee, &policy.enroll);
    let mut lines = vec![
        meaning(policy, &enroll.enrollment_steps, |steps| {
            let named: Vec<_> = steps.iter().map(|step| (step.name_zh.as_str(), step.role.say())).collect();
            let of = |said: fn(&(&str, Phrase)) -> String, between: &str| {
                named.iter().map(said).collect::<Vec<_>>().join(between)
            };
            Phrase::new(
                format!("报名依次经过：{}", of(|(name, role)| format!("{name}（{}）", role.zh), " → ")),
                format!(
                    "An application goes by: {}",
                    of(|(name, role)| format!("{name} ({})", role.en), " → ")
                ),
            )
        }),
        condition(
            policy,
            &enroll.agreement_required,
            &Phrase::new("服务之前须签订协议", "An agreement is signed before service"),
            &Phrase::new("服务之前签订协议", "a signed agreement"),
        ),
    ];
    if fee.parent_fee_mode.get() == Some(&FeeMode::Free) {
        return lines;
    }
    lines.push(mode_line(policy));
    lines.push(condition(
        policy,
        &fee.price_approval_required,
        &Phrase::new("收费标准须经核定，没有核定文件不能收费", "A price needs an approval document"),
        &Phrase::new("收费标准先经核定", "an approval document"),
    ));
    if fee.price_authority.get().is_some() {
        lines.push(as_it_stands(policy, &fee.price_authority));
    }
    lines.push(condition(
        policy,
        &fee.cost_accounting_required,
        &Phrase::new("收费标准须有成本核算", "A price rests on a cost sheet"),
        &Phrase::new("收费标准有成本核算", "a cost sheet"),
    ));
    lines
}

/// A line on what a price needs; what is not asked for, or about which nobody speaks, is no condition.
fn condition(policy: &Policy, asked: &Value<bool>, needed: &Phrase, what: &Phrase) -> Line {
    let needless = |who_zh: &str, who_en: &str| {
        Phrase::new(format!("{who_zh}没有要求{}", what.zh), format!("{who_en} asks for {}", what.en))
    };
    if asked.get().is_some() {
        let needless = needless("文件", "no document");
        return meaning(policy, asked, |is_asked| if *is_asked { needed.clone() } else { needless });
    }
    let text =
        needless(&format!("{}的文件", policy.name_zh()), &format!("no document of {}", policy.pack_id()));
    Line { text, ..as_it_stands(policy, asked) }
}

fn waiver_lines(policy: &Policy) -> Vec<Line> {
    let waiver = &policy.waiver;
    if policy.fee.parent_fee_mode.get() == Some(&FeeMode::Free) {
        return vec![mode_line(policy)];
    }
    let Some((waivers, clause)) = waiver.waivers.known() else {
        let line = as_it_stands(policy, &waiver.waivers);
        let text = Phrase::new(
            format!("{}；没有规定不等于没有减免", line.text.zh),
            format!("{}; silence does not mean that nobody is waived", line.text.en),
        );
        return vec![Line { text, ..line }];
    };
    let one = |one| told(&waiver.waivers, say_waiver(policy, one), clause.clone(), None);
    let mut lines: Vec<Line> = waivers.iter().map(one).collect();
    let is_open = |waiver: &Waiver| waiver.level == WaiverLevel::Partial && waiver.rate_bp.is_none();
    if waivers.iter().any(is_open) {
        lines.push(as_it_stands(policy, &waiver.partial_waiver_rates));
    }
    lines
}

fn say_waiver(policy: &Policy, waiver: &Waiver) -> Phrase {
    let whom = match waiver.basis {
        WaiverBasis::Pupil => Phrase::new(waiver.name_zh.clone(), waiver.name_zh.clone()),
        WaiverBasis::School => {
            Phrase::new(format!("{}的全部学生", waiver.name_zh), format!("all pupils of {}", waiver.name_zh))
        }
    };
    let decided = policy.waiver.partial_waiver_rates.get().into_iter().flatten();
    let decided = decided.filter(|rate| rate.category == waiver.category).map(|rate| rate.rate_bp).next();
    match (waiver.level, waiver.rate_bp.or(decided)) {
        (WaiverLevel::Full, _) => {
            Phrase::new(format!("{}全免", whom.zh), format!("{}: nothing to pay", whom.en))
        }
        (WaiverLevel::Partial, Some(rate)) => {
            let rate = rate.say();
            Phrase::new(format!("{}减免{}", whom.zh, rate.zh), format!("{}: {} less", whom.en, rate.en))
        }
        (WaiverLevel::Partial, None) => Phrase::new(
            format!("{}减免，减多少没有规定", whom.zh),
            format!("{}: less, and nobody says how much", whom.en),
        ),
    }
}

/// Says why something costs what it costs (为什么是这个价): what the lessons would cost, each day a ceiling cut, the sum,
/// what a waiver lets off, and what is left to pay.
///
/// Every number is the charge's own. `waived` is the waiver of this charge, where there is one. The amounts of all lines sum
/// to what is to be paid.
#[must_use]
pub fn charge(policy: &Policy, tariff: &Tariff, charge: &Charge, waived: Option<&Waived>) -> Vec<Line> {
    let mut lines = Vec::new();
    let price = price_entry(policy, tariff);
    let cuts: Vec<&DayCharge> = charge.days.iter().filter(|day| day.charged != day.before_cap).collect();
    let cut_off: i64 = cuts.iter().map(|day| day.before_cap.get().saturating_sub(day.charged.get())).sum();
    let before = Fen::new(charge.total.get().saturating_add(cut_off));
    lines.push(counted(&price, say_price(tariff, charge, before), Some(before)));
    for day in cuts {
        let (entry, said) = say_cut(policy, day);
        let less = Fen::new(day.charged.get().saturating_sub(day.before_cap.get()));
        lines.push(counted(&entry, said, Some(less)));
    }
    if matches!(tariff.basis, Basis::Month | Basis::SlotMonth { .. }) {
        lines.push(as_it_stands(policy, &policy.fee.proration_rule));
    }
    let mode = Entry::of(&policy.fee.parent_fee_mode);
    let sum = Phrase::new(format!("应收 {} 元", charge.total), format!("In all {} yuan", charge.total));
    lines.push(counted(&mode, sum, None));
    if let Some(waived) = waived {
        let entry = Entry::of(&policy.waiver.waivers);
        let said = if waived.waived.is_zero() {
            Phrase::new("没有可减免的金额", "Nothing is let off")
        } else {
            Phrase::new(format!("减免 {} 元", waived.waived), format!("{} yuan are let off", waived.waived))
        };
        lines.push(counted(&entry, said, Some(-waived.waived)));
        let entry = Entry::of(&policy.fee.parent_fee_mode);
        let left = Phrase::new(
            format!("应付 {} 元", waived.payable),
            format!("{} yuan are to be paid", waived.payable),
        );
        lines.push(counted(&entry, left, None));
    }
    lines
}

/// Says why a price by end slot and month costs what it costs: what the months of each end slot come to, what a month that is not
/// full costs, and the sum. The amounts of all lines sum to the charge.
#[must_use]
pub fn slots(policy: &Policy, charge: &SlotCharge) -> Vec<Line> {
    let entry = Entry::of(&policy.fee.slot_fee_cap_fen_per_month);
    let mut lines = Vec::new();
    for months in
        charge.months.chunk_by(|one, next| (one.end_slot, one.charged) == (next.end_slot, next.charged))
    {
        let (Some(first), Some(last)) = (months.first(), months.last()) else { continue };
        let sum = Fen::new(months.iter().map(|month| month.charged.get()).sum());
        let (price, slot, count) = (first.charged, first.end_slot, months.len());
        let span_zh = match count {
            1 => format!("{}年{}月", first.year, first.month),
            _ => format!("{}年{}月至{}年{}月", first.year, first.month, last.year, last.month),
        };
        let span_en = match count {
            1 => format!("{}-{:02}", first.year, first.month),
            _ => format!("{}-{:02} to {}-{:02}", first.year, first.month, last.year, last.month),
        };
        let said = Phrase::new(
            format!("{span_zh}留到第{slot}时段，学校定价每月 {price} 元，{count} 个月，共 {sum} 元"),
            format!(
                "{span_en}, staying to slot {slot}: the school charges {price} yuan a month; {count} months make {sum} yuan"
            ),
        );
        lines.push(counted(&entry, said, Some(sum)));
    }
    if lines.is_empty() {
        lines.push(counted(&entry, Phrase::new("没有课，不收费", "No lesson, no charge"), Some(Fen::ZERO)));
    }
    lines.push(as_it_stands(policy, &policy.fee.proration_rule));
    let mode = Entry::of(&policy.fee.parent_fee_mode);
    let sum = Phrase::new(format!("应收 {} 元", charge.total), format!("In all {} yuan", charge.total));
    lines.push(counted(&mode, sum, None));
    lines
}

fn counted(entry: &Entry, said: Phrase, amount: Option<Fen>) -> Line {
    let text = match &entry.clause {
        Some(clause) => grounded(said, clause),
        None => said,
    };
    Line { key: entry.key.name, text, amount, standing: entry.standing, clause: entry.clause.clone() }
}

/// The key a price is held against first.
fn price_entry(policy: &Policy, tariff: &Tariff) -> Entry {
    let fee = &policy.fee;
    let by_term = &fee.parent_fee_cap_fen_per_term;
    let candidates = match (tariff.basis, tariff.offering) {
        (Basis::Term, Offering::Service) => {
            vec![&fee.parent_fee_fen_per_term, by_term, &fee.parent_fee_avg_fen_per_term]
        }
        (Basis::Term, Offering::PersonalisedCourse) => {
            vec![&fee.personalised_course_parent_cap_fen_per_term, by_term]
        }
        (Basis::Month, _) => vec![&fee.parent_fee_fen_per_month],
        (Basis::ClassHour, _) => {
            vec![&fee.parent_fee_cap_fen_per_class_hour, &fee.parent_fee_cap_fen_per_day]
        }
        (Basis::Day, _) => vec![&fee.parent_fee_cap_fen_per_day],
        (Basis::SlotMonth { .. }, _) => return Entry::of(&fee.slot_fee_cap_fen_per_month),
    };
    let known = candidates.into_iter().find(|value| value.get().is_some());
    known.map_or_else(|| Entry::of(&fee.parent_fee_mode), Entry::of)
}

/// What the lessons cost before any ceiling cut a day.
fn say_price(tariff: &Tariff, charge: &Charge, before: Fen) -> Phrase {
    if before.is_zero() {
        return Phrase::new("没有课，不收费", "No lesson, no charge");
    }
    let price = tariff.amount;
    let per = say_basis(tariff.basis);
    let (count, unit) = match tariff.basis {
        Basis::Term => (1, Phrase::new("个学期", "term")),
        Basis::Month | Basis::SlotMonth { .. } => {
            (before.get().checked_div(price.get()).unwrap_or_default(), Phrase::new("个月", "months"))
        }
        Basis::ClassHour => {
            let hours = charge.days.iter().map(|day| i64::from(day.class_hours)).sum();
            (hours, Phrase::new("课时", "class hours"))
        }
        Basis::Day => (i64::try_from(charge.days.len()).unwrap_or(i64::MAX), Phrase::new("天", "days")),
    };
    Phrase::new(
        format!("学校定价{} {price} 元，{count} {}，共 {before} 元", per.zh, unit.zh),
        format!("The school charges {price} yuan {}: {count} {} make {before} yuan", per.en, unit.en),
    )
}

/// What cut a day, and by how much.
fn say_cut(policy: &Policy, day: &DayCharge) -> (Entry, Phrase) {
    let fee = &policy.fee;
    let date = MonthDay::from(day.date).say();
    let (hours, before, charged) = (day.class_hours, day.before_cap, day.charged);
    let by_hours = fee.parent_fee_cap_fen_per_class_hour.get().map(|cap| cap.times(i64::from(hours)));
    let head = Phrase::new(
        format!("{}有 {hours} 课时，本应 {before} 元", date.zh),
        format!("{}: {hours} class hours would cost {before} yuan", date.en),
    );
    if by_hours == Some(Ok(charged)) {
        let said = Phrase::new(
            format!("{}，按每课时上限只收 {charged} 元", head.zh),
            format!("{}; by the ceiling of a class hour it is {charged}", head.en),
        );
        return (Entry::of(&fee.parent_fee_cap_fen_per_class_hour), said);
    }
    let entry = Entry::of(&fee.parent_fee_cap_fen_per_day);
    let cap = fee.parent_fee_cap_fen_per_day.get().copied().unwrap_or(charged);
    let said = match charged.cmp(&cap) {
        Ordering::Less => {
            let already = Fen::new(cap.get().saturating_sub(charged.get()));
            Phrase::new(
                format!("{}，每天最多 {cap} 元，其他课程当天已收 {already} 元，只收 {charged} 元", head.zh),
                format!(
                    "{}; other courses took {already} of the day's ceiling of {cap}, so it is {charged}",
                    head.en
                ),
            )
        }
        Ordering::Equal | Ordering::Greater => Phrase::new(
            format!("{}，每天最多 {cap} 元，只收 {charged} 元", head.zh),
            format!("{}; by the ceiling of a day it is {charged}", head.en),
        ),
    };
    (entry, said)
}
