//! The first story of each school: what its region says parents pay, and why a choice costs what it costs.

use std::io::Write;

use anyhow::ensure;
use serde_json::{Value, json};

use super::school::School;
use super::{Tour, choose_at_most, clause, list, number};
use crate::demo::Week;
use crate::person::{Parent, text};

/// Class hours a family wishes on Monday to Friday, as far as the menu has them.
const WISHED: [usize; 5] = [1, 2, 3, 2, 1];

/// Sentences of an explanation that are printed, the last one included.
const SENTENCES_SHOWN: usize = 4;

/// What an amount is counted by, as people say it.
const UNITS: [(&str, &str); 5] = [
    ("term", "每学期"),
    ("month", "每月"),
    ("class_hour", "每课时"),
    ("day", "每天"),
    ("slot_month", "每月"),
];

/// How an amount binds, as people say it.
const BINDINGS: [(&str, &str); 6] = [
    ("exact", "标准"),
    ("ceiling", "不超过"),
    ("floor", "不低于"),
    ("average", "生均"),
    ("principle", "原则上"),
    ("target", "目标"),
];

impl<W: Write> Tour<'_, W> {
    /// What the region says; then the price of a week, that it is free, or what nobody has decided.
    pub(super) async fn fee(&mut self, school: &School) -> anyhow::Result<()> {
        self.story(&school.title("为什么是这个价"))?;
        self.step("家长", "问“这里收多少钱，凭什么”", text(&school.policy, "pack_id"))?;
        for line in list(&school.policy, "lines") {
            let mark = if line["standing"] == "silent" { "未规定：" } else { "" };
            self.line(format!("{mark}{}", text(line, "text_zh")))?;
        }
        for fee in list(&school.policy, "stated_fees") {
            self.step("家长", "文件写明的数", stated(fee))?;
        }
        for undone in &school.district.undone {
            let key = if undone.key.is_empty() { String::new() } else { format!("（{}）", undone.key) };
            let answer = format!("{}{key}", undone.sentence_zh);
            self.step("学校", format!("办理{}", undone.what.name_zh()), answer)?;
        }
        if school.is_free {
            return self.free_of_charge(school).await;
        }
        if school.is_priced() && !list(&school.menu, "sections").is_empty() {
            return self.priced(school).await;
        }
        ensure!(
            school.is_priced() || !school.district.undone.is_empty(),
            "{} has no price and nobody says why",
            school.folder
        );
        Ok(())
    }

    /// Where it is free nobody can ask for money, not even for a fen.
    async fn free_of_charge(&mut self, school: &School) -> anyhow::Result<()> {
        let finance = self.role(school, "school_finance").await?;
        let path = format!("/v1/terms/{}/tariff", school.district.term_id);
        let refused = finance.post(&path, &json!({ "basis": "term", "amount_fen": 1 })).await?;
        ensure!(refused.reason() == "FREE_OF_CHARGE", "a price was possible: {refused}");
        self.step("学校财务", "想收 1 分钱", text(&refused.body, "title"))?;
        let sections = choose_at_most(&school.menu, &WISHED);
        if !sections.is_empty() {
            let parent = self.parent(school, school.last_pupil()?, &format!("fee-{}", school.folder)).await?;
            let quote = self.quote(&parent, &sections).await?;
            ensure!(quote["free_of_charge"] == true && quote["amount_fen"] == 0, "free costs: {quote}");
            self.step("家长", "看价格", format!("免费，不收费也没有订单；{}", clause(&quote)))?;
        }
        Ok(())
    }

    /// The price of a week, sentence by sentence.
    async fn priced(&mut self, school: &School) -> anyhow::Result<()> {
        let parent = self.parent(school, school.last_pupil()?, &format!("fee-{}", school.folder)).await?;
        let quote = self.quote(&parent, &choose_at_most(&school.menu, &WISHED)).await?;
        days_add_up(school, &quote)?;
        if school.tariff["basis"] == "term" {
            ensure!(quote["amount_fen"] == school.tariff["amount_fen"], "another price: {quote}");
        }
        let amount = number(&quote, "amount_fen");
        self.step("家长", "看这些课一学期的价格", format!("{amount} 分"))?;
        let explanation = list(&quote, "explanation");
        let yuan = format!("{}.{:02}", amount / 100, amount % 100);
        let says_so = |sentence: &Value| text(sentence, "text_zh").contains(&yuan);
        ensure!(explanation.iter().any(says_so), "{yuan} yuan are not explained: {quote}");
        // A ceiling cuts the same weekday in every week of the term: the first of them tell it.
        let left_out = explanation.len().saturating_sub(SENTENCES_SHOWN);
        for (number, sentence) in (1..).zip(explanation) {
            if number < SENTENCES_SHOWN || number == explanation.len() {
                self.line(text(sentence, "text_zh"))?;
            } else if number == SENTENCES_SHOWN {
                self.line(format!("……（另有 {left_out} 句）"))?;
            }
        }
        Ok(())
    }

    async fn quote(&self, parent: &Parent, section_ids: &[String]) -> anyhow::Result<Value> {
        let choice = json!({ "pupil_id": parent.pupil_id, "section_ids": section_ids });
        parent.person.post("/v1/quotes", &choice).await?.expect(200)
    }

    /// A week one day of which costs more than a day may: that day is cut, the others are not.
    pub(super) async fn day_ceiling(&mut self, plan: &Week) -> anyhow::Result<()> {
        let school = self.school(&plan.district).await?;
        self.story(&school.title("每天的上限"))?;
        let basis = text(&school.tariff, "basis");
        if !school.is_priced() || list(&school.menu, "sections").is_empty() {
            return self.skip(school.why_not());
        }
        let (Some(limit), "class_hour") = (school.ceiling("day"), basis.as_str()) else {
            return self.skip("这里不按课时收费，或没有每天的上限");
        };
        let parent = self.parent(&school, &plan.pupil, "c").await?;
        let sections = choose_at_most(&school.menu, &plan.class_hours);
        let quote = self.quote(&parent, &sections).await?;
        days_add_up(&school, &quote)?;
        let price = number(&school.tariff, "amount_fen");
        let mut cut = 0;
        for day in list(&quote, "week") {
            let (before, charged) = (number(day, "before_cap_fen"), number(day, "charged_fen"));
            ensure!(before == price * number(day, "class_hour_count"), "{day} at {price} a class hour");
            cut += usize::from(before > charged);
            let hours = &day["class_hour_count"];
            let what = format!("{}：{hours} 课时 × {price} 分 = {before} 分", text(day, "date"));
            let at_limit = if before > charged {
                format!("，超过 {limit} 分的部分不收")
            } else {
                String::new()
            };
            self.step("家长", what, format!("收 {charged} 分{at_limit}"))?;
        }
        let most = plan.class_hours.iter().max().copied().unwrap_or_default();
        let reaches_limit = price * i64::try_from(most)? > limit;
        ensure!(cut > 0 || !reaches_limit || !has_hours(&quote, most), "no day was cut: {quote}");
        let hours = plan.class_hours.iter().map(ToString::to_string).collect::<Vec<_>>().join("、");
        let total = format!("{} 分；{}", quote["week_total_fen"], clause(&quote));
        self.step("家长", format!("一周 {hours} 课时"), total)
    }
}

fn has_hours(quote: &Value, hours: usize) -> bool {
    list(quote, "week").iter().any(|day| usize::try_from(number(day, "class_hour_count")) == Ok(hours))
}

/// Holds a quote's week against itself and against what the region states: the sum is that of its days, no day costs more
/// than the stated ceiling, and a day that is cut costs exactly that.
fn days_add_up(school: &School, quote: &Value) -> anyhow::Result<()> {
    let week = list(quote, "week");
    let sum: i64 = week.iter().map(|day| number(day, "charged_fen")).sum();
    ensure!(sum == number(quote, "week_total_fen"), "the days do not sum up to the week: {quote}");
    for day in week {
        let (before, charged) = (number(day, "before_cap_fen"), number(day, "charged_fen"));
        let due = school.ceiling("day").map_or(before, |limit| before.min(limit));
        let by_hour = school.ceiling("class_hour").map(|limit| limit * number(day, "class_hour_count"));
        let due = by_hour.map_or(due, |limit| due.min(limit));
        ensure!(charged == due, "{day} should cost {due}");
    }
    Ok(())
}

/// An amount the region states, as people say it: `个性化课程 每学期不超过 60000 分`.
fn stated(fee: &Value) -> String {
    let say = |words: &[(&str, &'static str)], word: &Value| {
        words.iter().find(|(known, _)| *word == *known).map_or("", |(_, said)| said)
    };
    let mut said = String::new();
    for stage in list(fee, "stages") {
        said.push_str(say(&[("primary", "小学 "), ("junior", "初中 ")], stage));
    }
    if fee["personalised"] == true {
        said.push_str("个性化课程 ");
    }
    if fee["basis"] == "slot_month" {
        said.push_str(&format!("留到第 {} 时段 ", fee["end_slot"]));
    }
    let (unit, binding) = (say(&UNITS, &fee["basis"]), say(&BINDINGS, &fee["binding"]));
    format!("{said}{unit}{binding} {} 分", fee["amount_fen"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_said_with_whom_it_is_for_its_unit_and_how_it_binds() {
        let fee = json!({ "basis": "term", "amount_fen": 60, "binding": "ceiling", "personalised": true, "stages": ["primary"] });
        let slot = json!({ "basis": "slot_month", "end_slot": 2, "amount_fen": 8, "binding": "ceiling" });

        assert_eq!(stated(&fee), "小学 个性化课程 每学期不超过 60 分");
        assert_eq!(stated(&slot), "留到第 2 时段 每月不超过 8 分");
    }
}
