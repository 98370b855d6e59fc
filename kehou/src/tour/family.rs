//! Families who choose: one that pays, one that need not, one where nobody does, and many at once.

use std::io::Write;

use anyhow::{Context as _, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::school::School;
use super::{Tour, clause, list, number};
use crate::demo::{Crowd, Family};
use crate::person::{Answer, Parent, text};

impl<W: Write> Tour<'_, W> {
    /// Chooses, is approved, pays, is confirmed; and the books balance.
    pub(super) async fn paying_family(&mut self, plan: &Family) -> anyhow::Result<()> {
        let school = self.school(&plan.district).await?;
        self.story(&school.title("选课、审批、缴费、确认"))?;
        if !school.is_priced() || !school.can_choose() {
            return self.skip(school.why_not());
        }
        let parent = self.parent(&school, &plan.pupil, "a").await?;
        self.step("家长", "微信登录，验证手机号，同意规则，绑定孩子", &parent.pupil_name)?;
        let section = school.section(&plan.course)?;
        let (section_id, title) = (text(&section, "id"), text(&section, "title"));
        let choice = json!({ "pupil_id": parent.pupil_id, "section_ids": [section_id] });
        let quote = parent.person.post("/v1/quotes", &choice).await?.expect(200)?;
        let amount = number(&quote, "amount_fen");
        self.step("家长", format!("看“{title}”的价格和依据"), format!("{amount} 分；{}", clause(&quote)))?;

        let id = self.apply_or_find(&parent, &section).await?;
        self.approve_all(&parent, &school, &plan.pupil, &id).await?;
        let path = format!("/v1/enrollments/{id}");
        let approved = parent.person.eventually(&path, |answer| answer.body["state"] != "in_review").await?;
        if approved.body["state"] == "held" {
            let paid = parent.pay(&id).await?;
            ensure!(paid == amount, "quoted {amount}, paid {paid}");
            self.step("家长", "在微信里付款", format!("{paid} 分，名额已确认"))?;
        } else {
            self.step("家长", "上次已付款", "名额已确认")?;
        }
        let again = parent.person.post(&format!("/v1/enrollments/{id}/pay"), &Value::Null).await?;
        ensure!(again.reason() == "INVOICE_SETTLED", "a second payment was possible: {again}");
        self.step("家长", "想再付一次", text(&again.body, "title"))?;

        let finance = self.role(&school, "bureau_finance").await?;
        let path = format!("/v1/districts/{}/trial-balance", school.district.district_id);
        let balance = finance.get(&path).await?.expect(200)?;
        let sum =
            |side: &str| list(&balance, "accounts").iter().map(|account| number(account, side)).sum::<i64>();
        let (debit, credit) = (sum("debit_fen"), sum("credit_fen"));
        ensure!(debit == credit && debit > 0, "the ledger does not balance: {balance}");
        self.step("教育局财务", "核对账本", format!("借 {debit} 分 = 贷 {credit} 分"))
    }

    /// The same for a family that need not pay, or pays less; nobody in class can tell.
    pub(super) async fn waived_family(&mut self, plan: &Family) -> anyhow::Result<()> {
        let school = self.school(&plan.district).await?;
        self.story(&school.title("困难家庭减免，两人审批"))?;
        if !school.is_priced() || !school.can_choose() {
            return self.skip(school.why_not());
        }
        let parent = self.parent(&school, &plan.pupil, "b").await?;
        let section = school.section(&plan.course)?;
        let section_id = text(&section, "id");
        let choice = json!({ "pupil_id": parent.pupil_id, "section_ids": [section_id] });
        let quote = parent.person.post("/v1/quotes", &choice).await?.expect(200)?;
        let waivers =
            parent.person.get(&format!("/v1/waivers?pupil_id={}", parent.pupil_id)).await?.expect(200)?;
        if !list(&waivers, "waivers").iter().any(|one| one["state"] == "granted") {
            let refused = self.waiver(&school, &parent, &plan.category).await?;
            if let Some(refused) = refused {
                return self.skip(text(&refused.body, "title"));
            }
        }
        let id = self.apply_or_find(&parent, &section).await?;
        self.approve_all(&parent, &school, &plan.pupil, &id).await?;
        let path = format!("/v1/enrollments/{id}");
        let decided = |answer: &Answer| answer.body["state"] != "in_review";
        parent.person.eventually(&path, decided).await?;
        let invoice = parent.invoice(&id).await?;
        let (full, owed) = (number(&quote, "amount_fen"), number(&invoice, "amount_fen"));
        ensure!(owed == 0 || owed < full, "a waived family owes {owed} of {full}");
        let title = text(&section, "title");
        if owed == 0 {
            parent.person.enrollment_in(&id, "confirmed").await?;
            let orders = self.site.sandbox_get("/sandbox/orders").await?;
            let own = format!("{}-b", self.run);
            ensure!(!orders.to_string().contains(&own), "a WeChat order exists for a waived family");
            self.step("家长", format!("同样选“{title}”"), "应付 0 分，名额已确认，微信里没有订单")?;
        } else {
            self.step("家长", format!("同样选“{title}”"), format!("原价 {full} 分，应付 {owed} 分"))?;
        }

        let teacher = school.district.class_teachers.get(&plan.pupil).context("no class teacher")?;
        let teacher = self.staff(teacher).await?;
        let roster = teacher.get(&format!("/v1/sections/{section_id}/roster")).await?.expect(200)?;
        let places = list(&roster, "places").len();
        let expected = self.seated.get(&section_id).copied().unwrap_or_default();
        ensure!(places >= expected, "the roster has {places} pupils, {expected} took a seat");
        self.step("班主任", "看班级名单", format!("{places} 人，看不出谁交了费、谁减免"))
    }

    /// Applies for a waiver and has it granted by two people: the wished category, else the first the region lists. Gives the
    /// refusal when the region lists none, or does not say how much is let off.
    async fn waiver(
        &mut self,
        school: &School,
        parent: &Parent,
        category: &str,
    ) -> anyhow::Result<Option<Answer>> {
        let proof = b"%PDF-1.4\n1 0 obj <<>> endobj\n%%EOF\n".to_vec();
        let path = format!("/v1/pupils/{}/evidence", parent.pupil_id);
        let key = Uuid::from_bytes(shared::random::bytes());
        let evidence = parent.person.upload(&path, "证明.pdf", proof, key).await?.expect(200)?;
        let path = format!("/v1/pupils/{}/waivers", parent.pupil_id);
        let body =
            |category: &str| json!({ "category": category, "evidence_ids": [evidence["evidence_id"]] });
        let mut answer = parent.person.post(&path, &body(category)).await?;
        if answer.reason() == "CATEGORY_NOT_LISTED" {
            let listed = text(&answer.body["facts"], "categories");
            let first = listed.split(',').next().unwrap_or_default().to_owned();
            answer = parent.person.post(&path, &body(&first)).await?;
        }
        if answer.reason() == "POLICY_SILENT" {
            return Ok(Some(answer));
        }
        let waiver = answer.expect(200)?;
        self.step("家长", "上传证明，申请减免", text(&waiver, "state"))?;

        let path = format!("/v1/waivers/{}/decide", text(&waiver, "id"));
        let moral = self.role(school, "moral_education").await?;
        let endorsed = moral.post(&path, &json!({ "approved": true })).await?.expect(200)?;
        self.step("德育处", "初审", text(&endorsed, "state"))?;
        let last_day = (self.site.clock.now() + chrono::TimeDelta::days(365)).date_naive();
        let bureau = self.role(school, "bureau_officer").await?;
        let decision = json!({ "approved": true, "last_day": last_day });
        let granted = bureau.post(&path, &decision).await?.expect(200)?;
        self.step("教育局", "另一人复核", text(&granted, "state"))?;
        Ok(None)
    }

    /// A family where the service is free: a seat, and neither a bill nor an order.
    pub(super) async fn free_family(&mut self, plan: &Family) -> anyhow::Result<()> {
        let school = self.school(&plan.district).await?;
        self.story(&school.title("免费，没有账单，也没有 0 元订单"))?;
        if !school.is_free {
            return self.skip("这里不是免费");
        }
        if !school.can_choose() {
            return self.skip(school.why_not());
        }
        self.free_seat(&school, &plan.course, &plan.pupil).await
    }

    /// Takes a seat where it is free.
    pub(super) async fn free_seat(
        &mut self,
        school: &School,
        course: &str,
        pupil: &str,
    ) -> anyhow::Result<()> {
        let before = self.site.sandbox_get("/sandbox/orders").await?.to_string();
        let parent = self.parent(school, pupil, &format!("free-{}", school.folder)).await?;
        let id = self.apply_or_find(&parent, &school.section(course)?).await?;
        let decided = self.approve_all(&parent, school, pupil, &id).await?;
        parent.person.enrollment_in(&id, "confirmed").await?;
        let invoice = parent.person.get(&format!("/v1/enrollments/{id}/invoice")).await?;
        ensure!(invoice.status == 404, "an invoice exists where the service is free: {invoice}");
        let invoices =
            parent.person.get(&format!("/v1/pupils/{}/invoices", parent.pupil_id)).await?.expect(200)?;
        ensure!(list(&invoices, "invoices").is_empty(), "an invoice where it is free: {invoices}");
        let after = self.site.sandbox_get("/sandbox/orders").await?.to_string();
        ensure!(after == before, "an order where it is free: {after}");
        let what = format!("{decided} 步审批后确认，查账单");
        self.step("家长", what, format!("{}微信里没有订单", text(&invoice.body, "title")))
    }

    /// Many families at once, each pressing twice, and few seats: exactly those are given, the others wait in order.
    pub(super) async fn rush(&mut self, plan: &Crowd) -> anyhow::Result<()> {
        let school = self.school(&plan.district).await?;
        self.story(&school.title("许多家庭同时抢课，每家点两次"))?;
        if !school.can_choose() {
            return self.skip(school.why_not());
        }
        let section = school.section(&plan.course)?;
        let (section_id, title) = (text(&section, "id"), text(&section, "title"));
        let capacity = number(&section, "capacity_count");
        let mut parents = Vec::new();
        for code in school.pupils_from(&plan.first_pupil, plan.pupil_count) {
            parents.push(self.parent(&school, &code, &format!("rush-{code}")).await?);
        }
        let answers = try_join_all(parents.iter().map(|parent| {
            let section_id = section_id.clone();
            async move {
                let key = Uuid::from_bytes(shared::random::bytes());
                let (first, second) = tokio::join!(
                    parent.apply_as(&section_id, true, key),
                    parent.apply_as(&section_id, true, key)
                );
                anyhow::Ok((first?, second?))
            }
        }))
        .await?;
        let mut waiting = 0;
        for (first, second) in &answers {
            if first.status == 400 {
                ensure!(first.reason() == "ALREADY_ENROLLED", "refused: {first}");
                continue;
            }
            ensure!(first.status == 200 && second.status == 200, "refused: {first} / {second}");
            let id = &first.body["enrollment"]["id"];
            ensure!(*id == second.body["enrollment"]["id"], "one press gave two enrollments");
            waiting += usize::from(first.body["enrollment"]["state"] == "waitlisted");
        }
        let full = capacity.min(i64::try_from(parents.len())?);
        let path = format!("/v1/terms/{}/seats", school.district.term_id);
        let seats = self
            .site
            .stranger()
            .eventually(&path, |answer| seats_of(&answer.body, &section_id).0 >= full)
            .await?;
        let (taken, waitlisted) = seats_of(&seats.body, &section_id);
        ensure!(taken <= capacity, "{taken} of {capacity} seats taken");
        self.step(
            &format!("{} 位家长", parents.len()),
            format!("同时选“{title}”（{capacity} 个名额）"),
            format!("{taken} 人有名额，{waitlisted} 人依次候补（本次 {waiting} 人）"),
        )?;
        self.seat_given_back(&answers, &parents).await
    }

    /// One who has a seat gives it back: an order is closed at WeChat first; then the first who waits has it.
    async fn seat_given_back(
        &mut self,
        answers: &[(Answer, Answer)],
        parents: &[Parent],
    ) -> anyhow::Result<()> {
        let of = |wanted: &dyn Fn(&Value) -> bool| {
            let mut both = answers.iter().zip(parents);
            both.find(|((first, _), _)| wanted(&first.body["enrollment"])).map(|((first, _), parent)| {
                (text(&first.body["enrollment"], "id"), text(&first.body["enrollment"], "state"), parent)
            })
        };
        let holds =
            |one: &Value| ["held", "in_review", "confirmed"].iter().any(|state| one["state"] == *state);
        let Some((id, state, parent)) = of(&holds) else { return Ok(()) };
        let how = if state == "held" {
            parent.invoice(&id).await?;
            parent.begin_payment(&id).await?;
            "先在微信关闭订单，再释放名额"
        } else {
            "名额释放"
        };
        parent.person.post(&format!("/v1/enrollments/{id}/withdraw"), &Value::Null).await?.expect(200)?;
        parent.person.enrollment_in(&id, "released").await?;
        self.step("一位家长", "放弃名额", how)?;
        if let Some((id, _, next)) = of(&|one| one["waitlist_position"] == 1) {
            let path = format!("/v1/enrollments/{id}");
            let moved = |answer: &Answer| answer.body["state"] != "waitlisted";
            let promoted = next.person.eventually(&path, moved).await?;
            let state = text(&promoted.body, "state");
            ensure!(["held", "in_review", "confirmed"].contains(&state.as_str()), "not next: {promoted}");
            self.step("候补第 1 位", "看自己的选课", format!("名额已轮到（{state}）"))?;
        }
        Ok(())
    }
}

/// How many seats of a section are taken, and how many wait.
fn seats_of(document: &Value, section_id: &str) -> (i64, i64) {
    let found = list(document, "seats").iter().find(|one| one["section_id"] == section_id);
    let count = |field: &str| found.map_or(0, |one| number(one, field));
    (count("taken_count"), count("waitlisted_count"))
}
