//! A school opens its term, arranges, publishes the fee and the menu, and opens the round, as far as its region lets it.

use anyhow::Context as _;
use chrono::{Datelike as _, Days, FixedOffset, NaiveDate, TimeDelta};
use serde_json::{Value, json};
use shared::value::Moment;

use super::files::{self, TariffFile, TermFile};
use super::timetable::{Courses, Timetable};
use super::{DemoDistrict, Loading, NOT_YET, Undertaking, Undone, is_region_s};
use crate::person::{Answer, Person, text};

/// The bases a fee standard may have; a region may state amounts by others.
const BASES: [&str; 4] = ["term", "class_hour", "month", "day"];

impl Loading<'_> {
    /// Opens the term and all that belongs to it.
    pub(super) async fn term(&self, teaching: &Person, loaded: &mut DemoDistrict) -> anyhow::Result<()> {
        let file = files::term(self.folder)?;
        let now = self.site.clock.now();
        let first_day = first_monday(now, file.starts_after_days)?;
        let days = (first_day, first_day + Days::new(file.weeks * 7 - 3));
        let Some(term) = self.open(teaching, loaded, &file.name, days).await? else { return Ok(()) };
        loaded.term_id = text(&term, "id");

        let timetable = self.timetable(teaching, loaded, &file, &term, days).await?;
        let principal = self.staff(loaded, "principal").await?;
        let mut section_count = 0;
        let mut courses = None;
        if let Some(timetable) = timetable {
            let table = timetable.courses(&files::table(&self.folder.join("courses.xlsx"))?);
            section_count +=
                self.courses((teaching, &principal), loaded, table.written()?, "courses").await?;
            courses = Some(table);
        }
        if let Some(tariff) = &file.tariff {
            self.tariff(loaded, tariff).await?;
        }
        if let Some(courses) = courses {
            section_count += self.menu((teaching, &principal), loaded, &courses).await?;
            self.round(teaching, loaded, &file, now).await?;
        }
        if section_count > 0 && loaded.has_done(Undertaking::Menu) {
            // Enrollment knows the whole menu before anybody chooses from it.
            let path = format!("/v1/terms/{}/seats", loaded.term_id);
            let all = move |answer: &Answer| {
                answer.body["seats"].as_array().is_some_and(|seats| seats.len() >= section_count)
            };
            teaching.eventually(&path, all).await?;
        }
        Ok(())
    }

    /// The school's term: the one it has, else a new one.
    async fn open(
        &self,
        teaching: &Person,
        loaded: &mut DemoDistrict,
        name: &str,
        (first_day, last_day): (NaiveDate, NaiveDate),
    ) -> anyhow::Result<Option<Value>> {
        let path = format!("/v1/schools/{}/terms", loaded.school_id);
        let known = teaching.get(&path).await?.body;
        if let Some(term) = known["terms"].as_array().and_then(|terms| terms.first()) {
            return Ok(Some(term.clone()));
        }
        let body = json!({ "name": name, "first_day": first_day, "last_day": last_day, "off_days": [] });
        self.attempt(teaching, loaded, Undertaking::Term, &path, &body, "term").await
    }

    /// Opens the first timetable the region accepts. Where it accepts none, what it said of the last one stands for all; where
    /// its documents are silent, another timetable would not help.
    async fn timetable<'t>(
        &self,
        teaching: &Person,
        loaded: &mut DemoDistrict,
        file: &'t TermFile,
        term: &Value,
        days: (NaiveDate, NaiveDate),
    ) -> anyhow::Result<Option<&'t Timetable>> {
        let policy = self.packs.pinned(&text(term, "policy_version"));
        let path = format!("/v1/terms/{}/slots", loaded.term_id);
        let mut refused = None;
        for (number, timetable) in (1..).zip(&file.timetable) {
            let is_last = number == file.timetable.len();
            let judged = policy.as_ref().map(|policy| timetable.judge(policy, days)).transpose()?;
            if matches!(judged, Some(Err(_))) && !is_last {
                continue;
            }
            let key = self.key(&format!("slots/{number}"));
            let answer = teaching.try_when_heard(&path, &timetable.request(), key, &NOT_YET).await?;
            if !is_region_s(&answer) {
                answer.expect(200).with_context(|| format!("opening timetable {number}"))?;
                return Ok(Some(timetable));
            }
            refused = Some(Undone::refused(Undertaking::Timetable, &answer));
        }
        loaded.undone.extend(refused);
        Ok(None)
    }

    /// Brings courses in and has the principal approve them. Gives how many sections there are of them.
    async fn courses(
        &self,
        (teaching, principal): (&Person, &Person),
        loaded: &DemoDistrict,
        content: Vec<u8>,
        what: &str,
    ) -> anyhow::Result<usize> {
        let path = format!("/v1/terms/{}/courses/import", loaded.term_id);
        let imported = self.import(teaching, &path, "courses.csv", content, what).await?;
        for course in imported["courses"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let id = text(course, "id");
            let body = json!({ "decision": "approve", "reason": "符合学校课后服务方案" });
            let key = self.key(&format!("approve/{id}"));
            principal.post_when_heard(&format!("/v1/courses/{id}/approve"), &body, key, &[]).await?;
        }
        Ok(imported["sections"].as_array().map_or(0, Vec::len))
    }

    /// Publishes the school's own fee standard, or, where the region does not let it stand, the first amount the region
    /// itself states. Where the service is free nothing is asked for.
    async fn tariff(&self, loaded: &mut DemoDistrict, own: &TariffFile) -> anyhow::Result<()> {
        let path = format!("/v1/terms/{}/tariff", loaded.term_id);
        let heard = |answer: &Answer| answer.reason() != "TERM_NOT_FOUND";
        let known = self.site.stranger().eventually(&path, heard).await?;
        if known.body["free_of_charge"] == true {
            return Ok(());
        }
        let finance = self.staff(loaded, "school_finance").await?;
        let mut wishes = vec![(own.basis.clone(), own.amount_fen)];
        let mut refused = None;
        let mut next = 0;
        while let Some((basis, amount_fen)) = wishes.get(next).cloned() {
            let body = json!({
                "basis": basis, "amount_fen": amount_fen, "approval_document": own.approval_document,
            });
            let key = self.key(&format!("tariff/{basis}/{amount_fen}"));
            let answer = finance.try_when_heard(&path, &body, key, &NOT_YET).await?;
            if !is_region_s(&answer) {
                answer.expect(200)?;
                return Ok(());
            }
            refused = Some(Undone::refused(Undertaking::Tariff, &answer));
            if next == 0 {
                wishes.extend(self.stated_fees(&loaded.school_id).await?);
            }
            next += 1;
        }
        loaded.undone.extend(refused);
        Ok(())
    }

    /// What the region itself states that parents pay for the service, as far as a fee standard can be by its basis.
    async fn stated_fees(&self, school_id: &str) -> anyhow::Result<Vec<(String, i64)>> {
        let path = format!("/v1/schools/{school_id}/policy?question=fee");
        let said = self.site.stranger().eventually(&path, |answer| answer.status == 200).await?.body;
        let fees = said["stated_fees"].as_array().map(Vec::as_slice).unwrap_or_default();
        let of_service = fees
            .iter()
            .filter(|fee| fee["personalised"] != true && BASES.iter().any(|basis| fee["basis"] == *basis));
        Ok(of_service.filter_map(|fee| Some((text(fee, "basis"), fee["amount_fen"].as_i64()?))).collect())
    }

    /// Publishes the menu. An item the region asks every menu to have is offered as one course more. Gives how many sections
    /// that adds.
    async fn menu(
        &self,
        (teaching, principal): (&Person, &Person),
        loaded: &mut DemoDistrict,
        courses: &Courses,
    ) -> anyhow::Result<usize> {
        let path = format!("/v1/terms/{}/publish", loaded.term_id);
        let mut offered: Vec<String> = Vec::new();
        loop {
            let key = self.key(&format!("publish/{}", offered.len()));
            let answer = teaching.try_when_heard(&path, &json!({}), key, &NOT_YET).await?;
            let item = text(&answer.body["facts"], "item");
            if answer.reason() == "REQUIRED_ITEM_MISSING" && !item.is_empty() && !offered.contains(&item) {
                let what = format!("courses/{item}");
                let course = courses.required(&item)?.written()?;
                self.courses((teaching, principal), loaded, course, &what).await?;
                offered.push(item);
                continue;
            }
            if is_region_s(&answer) {
                loaded.undone.push(Undone::refused(Undertaking::Menu, &answer));
            } else {
                answer.expect(200)?;
            }
            return Ok(offered.len());
        }
    }

    /// Opens the round of choice.
    async fn round(
        &self,
        teaching: &Person,
        loaded: &mut DemoDistrict,
        file: &TermFile,
        now: Moment,
    ) -> anyhow::Result<()> {
        let path = format!("/v1/terms/{}/rounds", loaded.term_id);
        let known = teaching.get(&path).await?.body;
        if known["rounds"].as_array().is_some_and(|rounds| !rounds.is_empty()) {
            return Ok(());
        }
        let round = &file.round;
        let body = json!({
            "mode": round.mode,
            "open_time": now - TimeDelta::minutes(1),
            "close_time": now + TimeDelta::days(round.open_days),
            "review_seconds": round.review_seconds,
            "payment_seconds": round.payment_seconds,
        });
        // What was published may not have been heard; what was not published never will be.
        let mut not_yet = NOT_YET.to_vec();
        not_yet.extend(loaded.has_done(Undertaking::Menu).then_some("MENU_EMPTY"));
        not_yet.extend(loaded.has_done(Undertaking::Tariff).then_some("TARIFF_NOT_PUBLISHED"));
        let mut answer = teaching.try_when_heard(&path, &body, self.key("round"), &not_yet).await?;
        if answer.reason() == "AGREEMENT_NOT_PUBLISHED" {
            let agreement = format!("/v1/terms/{}/agreement", loaded.term_id);
            let text = json!({ "title": file.agreement.title, "body": file.agreement.body.trim() });
            teaching.post_when_heard(&agreement, &text, self.key("agreement"), &NOT_YET).await?;
            answer = teaching.try_when_heard(&path, &body, self.key("round"), &not_yet).await?;
        }
        let rests_on_undone = !not_yet.contains(&answer.reason())
            && ["MENU_EMPTY", "TARIFF_NOT_PUBLISHED"].contains(&answer.reason());
        if is_region_s(&answer) || rests_on_undone {
            loaded.undone.push(Undone::refused(Undertaking::Round, &answer));
            return Ok(());
        }
        answer.expect(200).map(drop)
    }

    /// Does something the region may refuse; then it is kept as undone.
    async fn attempt(
        &self,
        person: &Person,
        loaded: &mut DemoDistrict,
        what: Undertaking,
        path: &str,
        body: &Value,
        deed: &str,
    ) -> anyhow::Result<Option<Value>> {
        let answer = person.try_when_heard(path, body, self.key(deed), &NOT_YET).await?;
        if is_region_s(&answer) {
            loaded.undone.push(Undone::refused(what, &answer));
            return Ok(None);
        }
        answer.expect(200).with_context(|| format!("POST {path} as {}", person.name)).map(Some)
    }
}

/// The first Monday at least `days` after the day it is in China now.
fn first_monday(now: Moment, days: u64) -> anyhow::Result<NaiveDate> {
    let china = FixedOffset::east_opt(8 * 3600).context("eight hours east")?;
    let earliest = now.with_timezone(&china).date_naive() + Days::new(days);
    let ahead = (7 - u64::from(earliest.weekday().num_days_from_monday())) % 7;
    Ok(earliest + Days::new(ahead))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_begins_on_a_monday_not_before_the_day_wished() {
        // A Sunday in China: Saturday evening in UTC.
        let now = "2026-11-21T17:00:00Z".parse().unwrap();
        assert_eq!(first_monday(now, 0).unwrap().to_string(), "2026-11-23");
        assert_eq!(first_monday(now, 1).unwrap().to_string(), "2026-11-23");
        assert_eq!(first_monday(now, 2).unwrap().to_string(), "2026-11-30");
    }
}
