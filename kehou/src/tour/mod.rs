//! A walk through the platform, over HTTP, as the people who use it: each step printed for a human eye, each answer
//! checked. Any wrong answer ends it.
//!
//! | file | knows |
//! |---|---|
//! | `school` | a school as a walker finds it: its region, what it charges, what can be chosen |
//! | `fee` | the first story of each school: why it is this price, or why there is none |
//! | `family` | families who choose: paying, waived, where it is free, many at once |
//! | `draw` | a round whose seats are drawn, and the proof of it |
//! | `bureau` | payments gone wrong, institutions, complaints |
//!
//! Nothing of a region is known here. Which district folder plays which story stands in the demonstration's `tour.toml`;
//! names, amounts and ceilings come from the platform and are held against each other. A story whose premise a region does
//! not give is skipped, and the walk says why.

mod bureau;
mod draw;
mod family;
mod fee;
mod school;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write;

use anyhow::{Context as _, ensure};
use serde_json::Value;
use uuid::Uuid;

use crate::accounts::Accounts;
use crate::demo::{Demo, DemoDistrict};
use crate::person::{Parent, Person, Site, text};
use school::School;

/// What the tour needs.
pub struct Tour<'a, W> {
    site: Site,
    accounts: &'a Accounts,
    demo: &'a Demo,
    out: W,
    /// Makes the people of one tour others than those of the last.
    run: String,
    steps: u32,
    /// Staff who have signed in: a one-time code works once, and a walk is shorter than the wait for the next.
    signed_in: BTreeMap<String, Person>,
    /// Section → seats this tour has taken in it.
    seated: BTreeMap<String, usize>,
}

impl<'a, W: Write> Tour<'a, W> {
    /// Prepares a tour of a running platform with the demonstration loaded, printed to `out`.
    pub fn new(site: Site, accounts: &'a Accounts, demo: &'a Demo, out: W) -> Self {
        let run = Uuid::from_bytes(shared::random::bytes()).simple().to_string()[..6].to_owned();
        let (signed_in, seated) = (BTreeMap::new(), BTreeMap::new());
        Self { site, accounts, demo, out, run, steps: 0, signed_in, seated }
    }

    /// Walks every story. Gives the number of steps.
    ///
    /// # Errors
    /// At the first wrong answer.
    pub async fn walk(mut self) -> anyhow::Result<u32> {
        for folder in self.demo.districts.keys() {
            let school = self.school(folder).await?;
            self.fee(&school).await.with_context(|| format!("the fee of {folder}"))?;
        }
        let stories = self.demo.tour.clone();
        if let Some(plan) = &stories.paying {
            self.paying_family(plan).await.context("a paying family")?;
        }
        if let Some(plan) = &stories.waived {
            self.waived_family(plan).await.context("a family with a waiver")?;
        }
        if let Some(plan) = &stories.day_ceiling {
            self.day_ceiling(plan).await.context("the ceiling of a day")?;
        }
        if let Some(plan) = &stories.free {
            self.free_family(plan).await.context("a region without fees")?;
        }
        if let Some(plan) = &stories.rush {
            self.rush(plan).await.context("the rush")?;
        }
        if let Some(plan) = &stories.drawn {
            self.drawn(plan).await.context("a draw")?;
        }
        if let Some(plan) = &stories.bad_payments {
            self.bad_payments(plan).await.context("bad payments")?;
        }
        if let Some(plan) = &stories.providers {
            self.providers(plan).await.context("providers")?;
        }
        if let Some(plan) = &stories.complaint {
            self.complaint(plan).await.context("a complaint")?;
        }
        Ok(self.steps)
    }

    /// Walks the stories of money alone: each school's fee, and where it is free a family from the application to the seat
    /// without a bill. Gives the number of steps.
    ///
    /// # Errors
    /// At the first wrong answer.
    pub async fn walk_fees(mut self) -> anyhow::Result<u32> {
        for folder in self.demo.districts.keys() {
            let school = self.school(folder).await?;
            self.fee(&school).await.with_context(|| format!("the fee of {folder}"))?;
            if school.is_free && school.can_choose() {
                self.free_seat(&school, "", school.first_pupil()?)
                    .await
                    .with_context(|| format!("a seat without a fee in {folder}"))?;
            }
        }
        Ok(self.steps)
    }

    fn story(&mut self, title: &str) -> anyhow::Result<()> {
        writeln!(self.out, "\n== {title}")?;
        Ok(())
    }

    fn step(&mut self, who: &str, what: impl Display, answer: impl Display) -> anyhow::Result<()> {
        self.steps += 1;
        writeln!(self.out, "{:>3}  {who:<10} {what}  →  {answer}", self.steps)?;
        Ok(())
    }

    /// A line below a step.
    fn line(&mut self, text: impl Display) -> anyhow::Result<()> {
        writeln!(self.out, "       · {text}")?;
        Ok(())
    }

    /// Says that a story is not played here, and why.
    fn skip(&mut self, why: impl Display) -> anyhow::Result<()> {
        writeln!(self.out, "     跳过：{why}")?;
        Ok(())
    }

    fn district(&self, folder: &str) -> anyhow::Result<DemoDistrict> {
        let district = self.demo.districts.get(folder).cloned();
        district.with_context(|| format!("the demonstration has no district {folder}"))
    }

    /// A member of staff, signed in once for the whole tour.
    async fn staff(&mut self, login_name: &str) -> anyhow::Result<Person> {
        if let Some(person) = self.signed_in.get(login_name) {
            return Ok(person.clone());
        }
        let person = self.site.staff(self.accounts, login_name).await?;
        self.signed_in.insert(login_name.to_owned(), person.clone());
        Ok(person)
    }

    /// The first of a school's people who has a role.
    async fn role(&mut self, school: &School, role: &str) -> anyhow::Result<Person> {
        let login_name = school.district.staff.get(role).with_context(|| format!("nobody is {role}"))?;
        self.staff(login_name).await
    }

    /// A guardian of this tour, bound to a pupil of the school nobody on this tour has been bound to.
    async fn parent(&self, school: &School, code: &str, who: &str) -> anyhow::Result<Parent> {
        let phone = school.district.phones.get(code).with_context(|| format!("no pupil {code}"))?;
        let openid = format!("o-tour-{}-{who}", self.run);
        self.site.parent(&openid, phone, &school.district.school_id, code).await
    }

    /// Applies, or finds the enrollment of an earlier tour.
    async fn apply_or_find(&mut self, parent: &Parent, section: &Value) -> anyhow::Result<String> {
        let section_id = text(section, "id");
        let answer = parent.apply(&section_id, false).await?;
        *self.seated.entry(section_id).or_default() += 1;
        let id = if answer.reason() == "ALREADY_ENROLLED" {
            self.step("家长", "选课", "上次已选")?;
            text(&answer.body["facts"], "enrollment_id")
        } else {
            let answer = answer.expect(200)?;
            let enrollment = &answer["enrollment"];
            let chosen = format!("选“{}”", text(enrollment, "section_title"));
            self.step("家长", chosen, text(enrollment, "state"))?;
            text(enrollment, "id")
        };
        let path = format!("/v1/enrollments/{id}");
        let enrollment = parent.person.get(&path).await?.expect(200)?;
        if enrollment["state"] == "awaiting_agreement" {
            let signed = parent.sign(&text(&enrollment, "term_id")).await?;
            let version = number(&signed["signature"], "version_number");
            self.step("家长", "读协议，签协议", format!("第 {version} 版，签后才算报名"))?;
        }
        Ok(id)
    }

    /// Has every open step decided by the role the policy names. Gives how many there were.
    async fn approve_all(
        &mut self,
        parent: &Parent,
        school: &School,
        pupil: &str,
        enrollment_id: &str,
    ) -> anyhow::Result<usize> {
        for decided in 0.. {
            let path = format!("/v1/enrollments/{enrollment_id}");
            let enrollment = parent.person.get(&path).await?.expect(200)?;
            let steps = enrollment["steps"].as_array().cloned().unwrap_or_default();
            let next = steps.iter().find(|step| step["approve_time"].is_null());
            let (Some(step), true) = (next, enrollment["state"] == "in_review") else { return Ok(decided) };
            let role = text(step, "role");
            let of_role = match role.as_str() {
                "class_teacher" => school.district.class_teachers.get(pupil),
                role => school.district.staff.get(role),
            };
            let login_name = of_role.with_context(|| format!("nobody is {role}"))?;
            let person = self.staff(login_name).await?;
            let key = text(step, "key");
            let path = format!("/v1/enrollments/{enrollment_id}/steps/{key}");
            person.post(&path, &serde_json::json!({ "approved": true })).await?.expect(200)?;
            self.step(&format!("{}（{role}）", school.name()), text(step, "name_zh"), "通过")?;
            ensure!(decided < steps.len(), "the steps do not end: {enrollment}");
        }
        Ok(0)
    }
}

/// The first clause a document rests on.
fn clause(document: &Value) -> String {
    let first = document["clauses"].as_array().and_then(|clauses| clauses.first());
    first
        .map(|clause| format!("{}（{}）", text(clause, "text_zh"), text(clause, "source")))
        .unwrap_or_default()
}

/// The members of a list; none when there is no list.
fn list<'v>(document: &'v Value, field: &str) -> &'v [Value] {
    document[field].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A whole number of a document; 0 when it is missing.
fn number(document: &Value, field: &str) -> i64 {
    document[field].as_i64().unwrap_or_default()
}

/// Sections that give so many class hours on Monday, Tuesday …, one for each slot of the day, earliest first.
///
/// # Errors
/// When a day has fewer slots with sections.
pub fn choose(menu: &Value, hours: &[usize]) -> anyhow::Result<Vec<String>> {
    let mut chosen = Vec::new();
    for (weekday, wanted) in (1..).zip(hours) {
        let mut of_day = sections_of_day(menu, weekday);
        of_day.retain(|(_, slots)| slots.len() == 1);
        ensure!(of_day.len() >= *wanted, "weekday {weekday} has only {} slots with sections", of_day.len());
        chosen.extend(of_day.into_iter().take(*wanted).map(|(id, _)| id));
    }
    Ok(chosen)
}

/// The same as far as the menu goes: on a day with fewer class hours, or none, as many as there are. A section of several
/// class hours is taken whole.
fn choose_at_most(menu: &Value, hours: &[usize]) -> Vec<String> {
    let mut chosen = Vec::new();
    for (weekday, wanted) in (1..).zip(hours) {
        let mut given = 0;
        for (id, slots) in sections_of_day(menu, weekday) {
            if given < *wanted {
                given += slots.len();
                chosen.push(id);
            }
        }
    }
    chosen
}

/// Start and end of a slot.
type Span = (String, String);

/// Sections that are on one weekday only, none of which overlaps another, by their start: for each time the first on the menu.
fn sections_of_day(menu: &Value, weekday: i64) -> Vec<(String, Vec<Span>)> {
    let mut found: Vec<(String, Vec<Span>)> = Vec::new();
    for section in list(menu, "sections") {
        let slots = list(section, "slots");
        if slots.is_empty() || slots.iter().any(|slot| slot["weekday"] != weekday) {
            continue;
        }
        let spans: Vec<Span> =
            slots.iter().map(|slot| (text(slot, "start_time"), text(slot, "end_time"))).collect();
        let overlaps = |(start, end): &Span| {
            found.iter().flat_map(|(_, taken)| taken).any(|(from, to)| start < to && from < end)
        };
        if !spans.iter().any(overlaps) {
            found.push((text(section, "id"), spans));
        }
    }
    found.sort_by(|one, other| one.1.cmp(&other.1));
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A slot: weekday, start, end.
    type Slot<'s> = (i64, &'s str, &'s str);

    fn menu(sections: &[(&str, &[Slot<'_>])]) -> Value {
        let slot = |(weekday, start, end): &Slot<'_>| json!({ "weekday": weekday, "start_time": start, "end_time": end });
        let section = |(id, slots): &(&str, &[Slot<'_>])| json!({ "id": id, "slots": slots.iter().map(slot).collect::<Vec<_>>() });
        json!({ "sections": sections.iter().map(section).collect::<Vec<_>>() })
    }

    #[test]
    fn a_choice_takes_one_section_for_each_slot_of_a_day_earliest_first() {
        let menu = menu(&[
            ("late", &[(1, "17:00", "17:40")]),
            ("early", &[(1, "15:30", "16:10")]),
            ("early too", &[(1, "15:30", "16:10")]),
            ("tuesday", &[(2, "15:30", "16:10")]),
        ]);

        assert_eq!(choose(&menu, &[2, 1]).unwrap(), ["early", "late", "tuesday"]);
        assert!(choose(&menu, &[3]).is_err());
    }

    #[test]
    fn a_section_of_two_class_hours_is_taken_whole_and_nothing_beside_it() {
        let menu = menu(&[
            ("both", &[(1, "16:00", "17:00"), (1, "17:00", "18:00")]),
            ("other", &[(1, "16:00", "17:00")]),
        ]);

        assert_eq!(choose_at_most(&menu, &[1, 2]), ["both"]);
    }
}
