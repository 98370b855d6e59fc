//! What families and schools do again and again.

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use kehou::person::{Answer, Parent, Person, text};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::World;
use crate::sandbox::list;

/// How many families do something at once.
const AT_ONCE: usize = 16;

/// An idempotency key nobody has used.
#[must_use]
pub fn fresh_key() -> Uuid {
    Uuid::from_bytes(shared::random::bytes())
}

impl World {
    /// The guardian whose number the school has on file for a pupil, bound to that pupil.
    ///
    /// # Errors
    /// When a step is refused.
    pub async fn parent(&self, district: &str, pupil_code: &str) -> anyhow::Result<Parent> {
        let school = self.district(district);
        let phone = school.phones.get(pupil_code).with_context(|| format!("no pupil {pupil_code}"))?;
        self.site.parent(&format!("o-{pupil_code}"), phone, &school.school_id, pupil_code).await
    }

    /// The guardians of pupils with these numbers, such as `ZZ20260007` for 7, each a different person.
    ///
    /// # Errors
    /// When a step is refused.
    pub async fn parents(
        &self,
        district: &str,
        prefix: &str,
        numbers: std::ops::RangeInclusive<u32>,
    ) -> anyhow::Result<Vec<Parent>> {
        let coming = futures::stream::iter(numbers).map(|number| async move {
            let code = format!("{prefix}2026{number:04}");
            self.parent(district, &code).await.with_context(|| code.clone())
        });
        coming.buffered(AT_ONCE).try_collect().await
    }

    /// The published menu of a district's one term.
    ///
    /// # Errors
    /// When it is not given.
    pub async fn menu(&self, district: &str) -> anyhow::Result<Value> {
        let path = format!("/v1/terms/{}/menu", self.district(district).term_id);
        self.site.stranger().get(&path).await?.expect(200)
    }

    /// The first section with this title on the menu.
    ///
    /// # Errors
    /// When there is none.
    pub async fn section(&self, district: &str, title: &str) -> anyhow::Result<Value> {
        let menu = self.menu(district).await?;
        let found = list(&menu, "sections").iter().find(|section| section["title"] == title);
        found.cloned().with_context(|| format!("no {title} on the menu of {district}"))
    }

    /// How full a section is: taken, waiting.
    ///
    /// # Errors
    /// When it is not known.
    pub async fn seats(&self, district: &str, section_id: &str) -> anyhow::Result<(i64, i64)> {
        // The document is up to half a second old.
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        let path = format!("/v1/terms/{}/seats", self.district(district).term_id);
        let seats = self.site.stranger().get(&path).await?.expect(200)?;
        let found = list(&seats, "seats").iter().find(|one| one["section_id"] == section_id);
        let found = found.context("a section nobody knows")?;
        let count = |field: &str| found[field].as_i64().with_context(|| format!("no {field}"));
        Ok((count("taken_count")?, count("waitlisted_count")?))
    }

    /// Arranges and publishes a section of a course that is on the menu already, with so many seats, in a slot of the term.
    ///
    /// # Errors
    /// When a step is refused.
    pub async fn small_section(
        &self,
        district: &str,
        course: &str,
        (weekday, start_time): (i64, &str),
        capacity_count: i64,
    ) -> anyhow::Result<String> {
        let term_id = &self.district(district).term_id;
        let like = self.section(district, course).await?;
        let teaching = self.staff(&format!("{district}.teaching")).await?;
        let slots = teaching.get(&format!("/v1/terms/{term_id}/slots")).await?.expect(200)?;
        let fits = |slot: &&Value| slot["weekday"] == weekday && slot["start_time"] == start_time;
        let slot = list(&slots, "slots").iter().find(fits).context("no such slot")?;
        let room = fresh_key().to_string();
        let body = json!({
            "term_id": term_id, "capacity_count": capacity_count, "grades": like["grades"], "slot_ids": [slot["id"]],
            "room": room[..8], "instructor_name": room[9..18],
        });
        let path = format!("/v1/courses/{}/sections", text(&like, "course_id"));
        let section_id = text(&teaching.post(&path, &body).await?.expect(200)?, "id");
        let body = json!({ "section_ids": [section_id] });
        let published = teaching.post(&format!("/v1/terms/{term_id}/publish"), &body).await?.expect(200)?;
        ensure!(published["published_count"] == 1, "not published: {published}");
        let seats = format!("/v1/terms/{term_id}/seats");
        let is_known = |answer: &Answer| {
            list(&answer.body, "seats").iter().any(|one| one["section_id"] == section_id.as_str())
        };
        self.site.stranger().eventually(&seats, is_known).await?;
        self.settle().await?;
        Ok(section_id)
    }

    /// Has every open step of an enrollment approved by the one whose step it is, in order. Gives the roles that approved.
    ///
    /// # Errors
    /// When a step is refused.
    pub async fn approve_all(
        &self,
        district: &str,
        class_teacher: &str,
        parent: &Parent,
        enrollment_id: &str,
    ) -> anyhow::Result<Vec<String>> {
        let mut roles = Vec::new();
        loop {
            let path = format!("/v1/enrollments/{enrollment_id}");
            let enrollment = parent.person.get(&path).await?.expect(200)?;
            let open = list(&enrollment, "steps").iter().find(|step| step["approve_time"].is_null()).cloned();
            let (Some(step), true) = (open, enrollment["state"] == "in_review") else { return Ok(roles) };
            let role = text(&step, "role");
            let staff = self.approver(district, class_teacher, &role).await?;
            let path = format!("/v1/enrollments/{enrollment_id}/steps/{}", text(&step, "key"));
            staff
                .post(&path, &json!({ "approved": true }))
                .await?
                .expect(200)
                .with_context(|| role.clone())?;
            roles.push(role);
        }
    }

    /// Who decides the steps of a role.
    ///
    /// # Errors
    /// When the sign-in is refused.
    pub async fn approver(&self, district: &str, class_teacher: &str, role: &str) -> anyhow::Result<Person> {
        let name = match role {
            "class_teacher" => class_teacher,
            "moral_education" => "moral",
            "teaching_office" => "teaching",
            "principal" => "principal",
            other => anyhow::bail!("nobody at the school decides for {other}"),
        };
        self.staff(&format!("{district}.{name}")).await
    }

    /// Applies for a waiver with one document; gives the waiver.
    ///
    /// # Errors
    /// When a step is refused.
    pub async fn apply_for_waiver(&self, parent: &Parent, category: &str) -> anyhow::Result<Answer> {
        let proof = b"%PDF-1.4\n1 0 obj <<>> endobj\n%%EOF\n".to_vec();
        let path = format!("/v1/pupils/{}/evidence", parent.pupil_id);
        let evidence = parent.person.upload(&path, "proof.pdf", proof, fresh_key()).await?.expect(200)?;
        let body = json!({ "category": category, "evidence_ids": [evidence["evidence_id"]] });
        parent.person.post(&format!("/v1/pupils/{}/waivers", parent.pupil_id), &body).await
    }

    /// Has a waiver granted: endorsed by the school, granted by the bureau for a year.
    ///
    /// # Errors
    /// When a step is refused.
    pub async fn grant_waiver(&self, district: &str, parent: &Parent, category: &str) -> anyhow::Result<()> {
        let waiver = self.apply_for_waiver(parent, category).await?.expect(200)?;
        let path = format!("/v1/waivers/{}/decide", text(&waiver, "id"));
        let school = self.staff(&format!("{district}.moral")).await?;
        let endorsed = school.post(&path, &json!({ "approved": true })).await?.expect(200)?;
        ensure!(endorsed["state"] == "endorsed", "not endorsed: {endorsed}");
        let bureau = self.staff(&format!("{district}.bureau")).await?;
        let body = json!({ "approved": true, "last_day": "2027-07-31" });
        let granted = bureau.post(&path, &body).await?.expect(200)?;
        ensure!(granted["state"] == "granted", "not granted: {granted}");
        Ok(())
    }

    /// The balances of a district's ledger, account → debit less credit, after checking that both sides are equal.
    ///
    /// # Errors
    /// When they are not.
    pub async fn balances(&self, district: &str) -> anyhow::Result<std::collections::BTreeMap<String, i64>> {
        let finance = self.staff(&format!("{district}.treasury")).await?;
        let path = format!("/v1/districts/{}/trial-balance", self.district(district).district_id);
        let balance = finance.get(&path).await?.expect(200)?;
        let side = |account: &Value, side: &str| account[side].as_i64().unwrap_or_default();
        let accounts: std::collections::BTreeMap<_, _> = list(&balance, "accounts")
            .iter()
            .map(|account| (text(account, "code"), side(account, "debit_fen") - side(account, "credit_fen")))
            .collect();
        ensure!(accounts.values().sum::<i64>() == 0, "the ledger does not balance: {balance}");
        Ok(accounts)
    }
}

/// Applies, signs the agreement where the region asks for one, and insists on the state; gives the enrollment's id.
///
/// # Errors
/// When it is refused or is in another state.
pub async fn apply(parent: &Parent, section_id: &str, state: &str) -> anyhow::Result<String> {
    let applied = parent.apply(section_id, true).await?.expect(200)?["enrollment"].clone();
    let id = text(&applied, "id");
    if applied["state"] == "awaiting_agreement" {
        parent.sign(&text(&applied, "term_id")).await?;
    }
    let enrollment = parent.person.get(&format!("/v1/enrollments/{id}")).await?.expect(200)?;
    ensure!(enrollment["state"] == state, "not {state}: {enrollment}");
    Ok(id)
}
