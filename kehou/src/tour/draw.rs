//! Seats that are drawn: wishes, closed lists, a seed nobody knew before, the draw, and the proof of it.

use std::io::Write;

use anyhow::{Context as _, bail, ensure};
use chrono::{Datelike as _, Days, NaiveDate, TimeDelta};
use draw::{Bundle, Receipt, verify};
use reqwest::Method;
use serde_json::{Map, Value, json};
use shared::value::Moment;
use uuid::Uuid;

use super::school::School;
use super::{Tour, list, number};
use crate::demo::Crowd;
use crate::person::{Parent, Person, text};

/// How long the lists are open. Where a machine is slow, the round is extended.
const OPEN: TimeDelta = TimeDelta::seconds(12);

/// When less than this is left, the round is extended.
const SPARE: TimeDelta = TimeDelta::seconds(4);

/// What needs a moment to travel between the services.
const NOT_YET: [&str; 4] = ["TERM_NOT_FOUND", "SECTION_NOT_FOUND", "MENU_EMPTY", "TARIFF_NOT_PUBLISHED"];

/// Decimal digits that carry more than 128 bits.
const DIGIT_COUNT: usize = 40;

/// A drawn round as the tour knows it.
struct Open {
    id: String,
    close_at: Moment,
    /// Two sections at one time.
    rivals: [String; 2],
}

impl<W: Write> Tour<'_, W> {
    /// A term of its own with the school's menu, two courses at one time with fewer seats than children, and a draw that everybody
    /// can repeat.
    pub(super) async fn drawn(&mut self, plan: &Crowd) -> anyhow::Result<()> {
        let school = self.school(&plan.district).await?;
        self.story(&school.title("志愿抽签，人人可验"))?;
        if !school.can_choose() {
            return self.skip(school.why_not());
        }
        let teaching = self.role(&school, "teaching_office").await?;
        let principal = self.role(&school, "principal").await?;
        let mut parents = Vec::new();
        for code in school.pupils_from(&plan.first_pupil, plan.pupil_count) {
            parents.push(self.parent(&school, &code, &format!("draw-{code}")).await?);
        }
        let Some(mut open) = self.open_drawn(&school, &teaching, &plan.course, parents.len()).await? else {
            return Ok(());
        };
        self.wishes(&teaching, &mut open, &parents).await?;
        let root = self.lists_closed(&open, &parents).await?;
        self.seed_and_draw(&teaching, &open).await?;
        self.proof(&principal, &open, &root, &parents).await
    }

    /// Opens a term after all others with the same menu, and a ranked round in it; none where the region refuses.
    async fn open_drawn(
        &mut self,
        school: &School,
        teaching: &Person,
        course: &str,
        child_count: usize,
    ) -> anyhow::Result<Option<Open>> {
        let path = format!("/v1/schools/{}/terms", school.district.school_id);
        let known = teaching.get(&path).await?.expect(200)?;
        let last_days = list(&known, "terms").iter().filter_map(|term| text(term, "last_day").parse().ok());
        let last_day: NaiveDate = last_days.max().context("the school has no term")?;
        let first_day = last_day + Days::new(7 - u64::from(last_day.weekday().num_days_from_monday()));
        let name = format!("抽签示范 {}", self.run);
        let last_day = first_day + Days::new(25);
        let term = json!({ "name": name, "first_day": first_day, "last_day": last_day, "off_days": [] });
        let Some(term) = self.allowed(teaching, &path, &term).await? else { return Ok(None) };
        let term_id = text(&term, "id");

        let path = format!("/v1/terms/{}/slots", school.district.term_id);
        let old = teaching.get(&path).await?.expect(200)?;
        let fields = ["weekday", "kind", "start_time", "end_time", "class_hour_count"];
        let copy = |slot: &Value| {
            let kept = fields.into_iter().map(|field| (field.to_owned(), slot[field].clone()));
            Value::Object(kept.collect::<Map<_, _>>())
        };
        let copies: Vec<_> = list(&old, "slots").iter().map(copy).collect();
        let path = format!("/v1/terms/{term_id}/slots");
        let Some(slots) = self.allowed(teaching, &path, &json!({ "slots": copies })).await? else {
            return Ok(None);
        };
        // Fewer seats than children: some are refused, and read why.
        let seat_count = child_count.div_ceil(3);
        let first = school.section(course)?;
        let Some(rivals) = self.copy_menu(school, teaching, &term_id, &slots, &first, seat_count).await?
        else {
            return Ok(None);
        };
        if self.allowed(teaching, &format!("/v1/terms/{term_id}/publish"), &json!({})).await?.is_none() {
            return Ok(None);
        }
        // Enrollment knows the whole menu before it is drawn.
        let whole = list(&school.menu, "sections").len();
        let path = format!("/v1/terms/{term_id}/seats");
        teaching.eventually(&path, |answer| list(&answer.body, "seats").len() >= whole).await?;
        if school.is_priced() {
            let finance = self.role(school, "school_finance").await?;
            let fields = ["basis", "amount_fen", "approval_document"];
            let kept = fields.into_iter().map(|field| (field.to_owned(), school.tariff[field].clone()));
            let tariff = Value::Object(kept.filter(|(_, value)| !value.is_null()).collect());
            if self.allowed(&finance, &format!("/v1/terms/{term_id}/tariff"), &tariff).await?.is_none() {
                return Ok(None);
            }
        }
        self.agreement(school, teaching, &term_id).await?;
        self.open_round(teaching, &term_id, rivals).await
    }

    /// Where guardians sign an agreement first, the new term has the words of the old one.
    async fn agreement(&self, school: &School, teaching: &Person, term_id: &str) -> anyhow::Result<()> {
        let path = format!("/v1/terms/{}/agreement", school.district.term_id);
        let known = self.site.stranger().get(&path).await?.expect(200)?;
        let agreement = &known["agreement"];
        if known["required"] != true || agreement.is_null() {
            return Ok(());
        }
        let words = json!({ "title": agreement["title"], "body": agreement["body"] });
        let key = Uuid::from_bytes(shared::random::bytes());
        teaching
            .post_when_heard(&format!("/v1/terms/{term_id}/agreement"), &words, key, &NOT_YET)
            .await
            .map(drop)
    }

    /// Arranges every course of the school's menu again, and two of them at one time with few seats for all grades.
    async fn copy_menu(
        &mut self,
        school: &School,
        teaching: &Person,
        term_id: &str,
        slots: &Value,
        first: &Value,
        seat_count: usize,
    ) -> anyhow::Result<Option<[String; 2]>> {
        let time = |slot: &Value| (number(slot, "weekday"), text(slot, "start_time"));
        let slot_ids = |section: &Value| -> Vec<String> {
            let wanted: Vec<_> = list(section, "slots").iter().map(time).collect();
            let new = list(slots, "slots").iter().filter(|slot| wanted.contains(&time(slot)));
            new.map(|slot| text(slot, "id")).collect()
        };
        let sections = list(&school.menu, "sections");
        let mut grades: Vec<_> =
            sections.iter().flat_map(|section| list(section, "grades")).filter_map(Value::as_i64).collect();
        grades.sort_unstable();
        grades.dedup();
        let is_other = |section: &&Value| {
            section["basic_care"] != true
                && section["course_id"] != first["course_id"]
                && text(section, "provider_id").is_empty()
        };
        let other =
            sections.iter().find(is_other).context("the menu has no second course that can be drawn")?;
        let mut rivals = Vec::new();
        for section in [first, other] {
            let arranged = json!({
                "term_id": term_id, "capacity_count": seat_count, "grades": grades, "slot_ids": slot_ids(first),
                "room": text(section, "room"), "instructor_name": text(section, "instructor_name"),
            });
            let path = format!("/v1/courses/{}/sections", text(section, "course_id"));
            let Some(section) = self.allowed(teaching, &path, &arranged).await? else { return Ok(None) };
            rivals.push(text(&section, "id"));
        }
        for section in sections.iter().filter(|section| *section != first && *section != other) {
            let arranged = json!({
                "term_id": term_id, "capacity_count": section["capacity_count"], "grades": section["grades"],
                "slot_ids": slot_ids(section),
            });
            let path = format!("/v1/courses/{}/sections", text(section, "course_id"));
            if self.allowed(teaching, &path, &arranged).await?.is_none() {
                return Ok(None);
            }
        }
        let rivals =
            <[String; 2]>::try_from(rivals).map_err(|_| anyhow::anyhow!("two sections were asked for"))?;
        Ok(Some(rivals))
    }

    async fn open_round(
        &mut self,
        teaching: &Person,
        term_id: &str,
        rivals: [String; 2],
    ) -> anyhow::Result<Option<Open>> {
        let now = self.site.clock.now();
        let close_at = now + OPEN;
        let source = json!({
            "name": "公证摇号", "what": format!("报名截止后公证员当众摇出的 {DIGIT_COUNT} 位数字，从左到右"),
            "bits": 128, "decimal_digit_count": DIGIT_COUNT,
        });
        let round = json!({
            "mode": "ranked", "open_time": now - TimeDelta::minutes(1), "close_time": close_at,
            "siblings": "apart", "sources": [source],
        });
        let path = format!("/v1/terms/{term_id}/rounds");
        let Some(opened) = self.allowed(teaching, &path, &round).await? else { return Ok(None) };
        let id = text(&opened, "id");
        ensure!(!id.is_empty(), "no round: {opened}");
        let slots = list(&opened["draw"], "slots").len();
        self.step("教导处", "开一轮志愿抽签，公布种子将来自哪里", format!("{slots} 个时段各自抽签"))?;
        Ok(Some(Open { id, close_at, rivals }))
    }

    /// Every family ranks the two courses; half of them the other way round.
    async fn wishes(&mut self, teaching: &Person, open: &mut Open, parents: &[Parent]) -> anyhow::Result<()> {
        for (at, parent) in parents.iter().enumerate() {
            if self.site.clock.now() + SPARE > open.close_at {
                open.close_at = self.site.clock.now() + OPEN;
                let body = json!({ "close_time": open.close_at, "reason": "让每个家庭都来得及填" });
                let path = format!("/v1/rounds/{}/extend", open.id);
                teaching.post(&path, &body).await?.expect(200)?;
                self.step("教导处", "延长填报时间，写明原因", "每个家庭都看得到")?;
            }
            let [one, other] = if at % 2 == 0 { [0, 1] } else { [1, 0] };
            let ranked = json!([open.rivals[one], open.rivals[other]]);
            let body = json!({ "lists": [{ "ranked_section_ids": ranked }] });
            let path = format!("/v1/rounds/{}/wishes/{}", open.id, parent.pupil_id);
            let key = Uuid::from_bytes(shared::random::bytes());
            parent.person.send(Method::PUT, &path, Some(&body), key).await?.expect(200)?;
        }
        let hasty = parents.first().context("no families")?;
        let refused = hasty.apply(&open.rivals[0], true).await?;
        ensure!(refused.reason() == "WISHES_ONLY", "a place was given before the draw: {refused}");
        self.step(&format!("{} 位家长", parents.len()), "填志愿", "不比手快，先填后填一样")?;
        self.step("一位家长", "想直接抢名额", text(&refused.body, "title"))
    }

    /// The lists are closed; what is published of them cannot be changed any more. Gives the root.
    async fn lists_closed(&mut self, open: &Open, parents: &[Parent]) -> anyhow::Result<String> {
        let path = format!("/v1/rounds/{}/draw", open.id);
        let is_committed = |answer: &crate::person::Answer| answer.body["state"] == "committed";
        let committed = self.site.stranger().eventually(&path, is_committed).await?.body;
        ensure!(
            number(&committed, "pupil_count") == i64::try_from(parents.len())?,
            "somebody is not on the lists"
        );
        ensure!(text(&committed, "seed").is_empty(), "the seed is known already: {committed}");
        let root = text(&committed, "root");
        self.step("所有人", "志愿截止，封存名单，公布封存码", &root)?;
        for parent in parents {
            self.receipt(open, &root, parent).await?;
        }
        self.step(&format!("{} 位家长", parents.len()), "用回执核对自己的志愿在封存的名单里", "一字不差")?;
        Ok(root)
    }

    /// Checks a family's receipt under the root that was published; gives what became of its wishes.
    async fn receipt(&self, open: &Open, root: &str, parent: &Parent) -> anyhow::Result<Value> {
        let path = format!("/v1/rounds/{}/draw/receipt/{}", open.id, parent.pupil_id);
        let document = parent.person.get(&path).await?.expect(200)?;
        let receipt: Receipt = serde_json::from_str(&text(&document, "receipt_json"))?;
        let pupil_id: Uuid = parent.pupil_id.parse()?;
        let root: draw::Root = serde_json::from_value(json!(root))?;
        receipt.check(&root, pupil_id.as_bytes()).context("a receipt does not hold")?;
        Ok(document)
    }

    /// The digits are drawn in public, after the lists were closed; the seats follow from them.
    async fn seed_and_draw(&mut self, teaching: &Person, open: &Open) -> anyhow::Result<()> {
        let bytes: [u8; DIGIT_COUNT] = shared::random::bytes();
        let digits: String = bytes.iter().map(|byte| char::from(b'0' + byte % 10)).collect();
        let values = json!({ "values": [digits] });
        teaching.post(&format!("/v1/rounds/{}/values", open.id), &values).await?.expect(200)?;
        self.step("公证员", "当众摇号", &digits)?;
        let drawn =
            teaching.post(&format!("/v1/rounds/{}/draw", open.id), &Value::Null).await?.expect(200)?;
        ensure!(drawn["state"] == "drawn", "not drawn: {drawn}");
        for section in
            list(&drawn, "sections").iter().filter(|one| open.rivals.contains(&text(one, "section_id")))
        {
            let last = list(section, "cutoffs").iter().map(|line| number(line, "last_number")).max();
            let (seats, admitted) = (number(section, "seat_count"), number(section, "admitted_count"));
            ensure!(admitted <= seats, "{admitted} of {seats} seats were given");
            let last = last.map_or_else(|| "无人".to_owned(), |number| format!("最后录取号 {number}"));
            self.line(format!("{seats} 个名额，录取 {admitted} 人，{last}"))?;
        }
        self.step("教导处", "抽签", format!("结果指纹 {}", text(&drawn, "outcome_digest")))
    }

    /// Everybody reads why; anybody repeats the draw from the published bundle; a changed bundle is found out.
    async fn proof(
        &mut self,
        principal: &Person,
        open: &Open,
        root: &str,
        parents: &[Parent],
    ) -> anyhow::Result<()> {
        let (mut admitted, mut sentence) = (0, String::new());
        for parent in parents {
            let document = self.receipt(open, root, parent).await?;
            let outcome =
                |wanted: &str| list(&document, "results").iter().find(|result| result["outcome"] == wanted);
            admitted += usize::from(outcome("admitted").is_some());
            if let Some(refused) = outcome("refused") {
                sentence = text(refused, "sentence_zh");
                ensure!(!sentence.is_empty(), "a refused wish without a reason: {document}");
            }
        }
        ensure!(admitted > 0 && !sentence.is_empty(), "{admitted} admitted, nobody refused");
        self.step("一位家长", "没有录取的志愿，看原因", sentence)?;

        let path = format!("/v1/rounds/{}/draw/bundle", open.id);
        let published =
            principal.request(Method::GET, &path).send().await?.error_for_status()?.text().await?;
        let bundle = Bundle::parse(&published).context("the bundle is not readable")?;
        let report = match verify(&bundle) {
            Ok(report) => report,
            Err(mismatches) => bail!("the draw is not true: {mismatches:?}"),
        };
        ensure!(json!(report.root) == json!(root), "the bundle has another root");
        ensure!(
            report.admitted_count == admitted,
            "{admitted} families were admitted, the bundle says otherwise"
        );
        self.step("任何人", "拿公布材料在自己的电脑上重算一遍", "逐字相同")?;
        let digits = bundle.values.first().context("a bundle without a seed")?;
        let last = if digits.ends_with('0') { "1" } else { "0" };
        let other = format!("{}{last}", &digits[..digits.len() - 1]);
        let tampered = Bundle { values: vec![other], ..bundle.clone() };
        ensure!(verify(&tampered).is_err(), "a changed seed was not noticed");
        self.step("作弊的人", "把摇号结果改一位再公布", "一算就知道不对")
    }

    /// Does something the region may refuse; then the story is left out, and the walk says why.
    async fn allowed(&mut self, person: &Person, path: &str, body: &Value) -> anyhow::Result<Option<Value>> {
        let key = Uuid::from_bytes(shared::random::bytes());
        let answer = person.try_when_heard(path, body, key, &NOT_YET).await?;
        if answer.status == 400 && answer.reason() != "INVALID_FIELDS" {
            self.skip(text(&answer.body, "title"))?;
            return Ok(None);
        }
        answer.expect(200).with_context(|| format!("POST {path} as {}", person.name)).map(Some)
    }
}
