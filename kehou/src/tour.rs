//! A walk through the platform, over HTTP, as the people who use it: each step printed for a human eye, each answer
//! checked. Any wrong answer ends it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write;

use anyhow::{Context as _, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::accounts::Accounts;
use crate::demo::{Demo, DemoDistrict};
use crate::person::{Parent, Person, Site, text};

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
}

impl<'a, W: Write> Tour<'a, W> {
    /// Prepares a tour of a running platform with the demonstration loaded, printed to `out`.
    pub fn new(site: Site, accounts: &'a Accounts, demo: &'a Demo, out: W) -> Self {
        let run = Uuid::from_bytes(shared::random::bytes()).simple().to_string()[..6].to_owned();
        Self { site, accounts, demo, out, run, steps: 0, signed_in: BTreeMap::new() }
    }

    /// Walks every story. Gives the number of steps.
    ///
    /// # Errors
    /// At the first wrong answer.
    pub async fn walk(mut self) -> anyhow::Result<u32> {
        let jinhua = self.district("jinhua")?;
        let zhuzhou = self.district("zhuzhou")?;
        let shahe = self.district("shahe")?;
        self.paying_family(&jinhua).await.context("a paying family")?;
        self.waived_family(&jinhua).await.context("a family with a waiver")?;
        self.day_ceiling(&zhuzhou).await.context("the ceiling of a day")?;
        self.free_region(&shahe).await.context("a region without fees")?;
        self.rush(&zhuzhou).await.context("the rush")?;
        self.bad_payments(&zhuzhou).await.context("bad payments")?;
        self.providers(&jinhua).await.context("providers")?;
        self.complaint(&jinhua).await.context("a complaint")?;
        Ok(self.steps)
    }

    fn district(&self, name: &str) -> anyhow::Result<DemoDistrict> {
        self.demo
            .districts
            .get(name)
            .cloned()
            .with_context(|| format!("the demonstration has no district {name}"))
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

    /// A member of staff, signed in once for the whole tour.
    async fn staff(&mut self, login_name: &str) -> anyhow::Result<Person> {
        if let Some(person) = self.signed_in.get(login_name) {
            return Ok(person.clone());
        }
        let person = self.site.staff(self.accounts, login_name).await?;
        self.signed_in.insert(login_name.to_owned(), person.clone());
        Ok(person)
    }

    /// A guardian of this tour, bound to a pupil of the school nobody on this tour has been bound to.
    async fn parent(
        &self,
        school: &DemoDistrict,
        code: &str,
        phone: &str,
        who: &str,
    ) -> anyhow::Result<Parent> {
        self.site.parent(&format!("o-tour-{}-{who}", self.run), phone, &school.school_id, code).await
    }

    /// Any published section of the school's term with this title.
    async fn section(&self, school: &DemoDistrict, title: &str) -> anyhow::Result<Value> {
        let menu =
            self.site.stranger().get(&format!("/v1/terms/{}/menu", school.term_id)).await?.expect(200)?;
        let sections = menu["sections"].as_array().context("the menu has no sections")?;
        let found = sections.iter().find(|section| section["title"] == title);
        found.cloned().with_context(|| format!("no {title} on the menu"))
    }

    async fn paying_family(&mut self, jinhua: &DemoDistrict) -> anyhow::Result<()> {
        self.story("金华：选课、四步审批、缴费、确认（按学期收费）")?;
        let parent = self.parent(jinhua, "JH20260001", &self.phone_of("jinhua", "JH20260001")?, "a").await?;
        self.step("家长", "微信登录，验证手机号，同意规则，绑定孩子", &parent.pupil_name)?;
        let section = self.section(jinhua, "衍纸").await?;
        let section_id = text(&section, "id");
        let quote = json!({ "pupil_id": parent.pupil_id, "section_ids": [section_id] });
        let quote = parent.person.post("/v1/quotes", &quote).await?.expect(200)?;
        self.step("家长", "看“衍纸”的价格和依据", format!("{} 分；{}", quote["amount_fen"], clause(&quote)))?;

        let id = self.apply_or_find(&parent, &section_id).await?;
        self.approve_all(&parent, jinhua, "jinhua", &id, "class201").await?;
        let path = format!("/v1/enrollments/{id}");
        let approved = parent.person.eventually(&path, |answer| answer.body["state"] != "in_review").await?;
        let state = approved.body;
        if state["state"] == "held" {
            let paid = parent.pay(&id).await?;
            self.step("家长", "在微信里付款", format!("{paid} 分，名额已确认"))?;
        } else {
            self.step("家长", "上次已付款", "名额已确认")?;
        }
        let again = parent.person.post(&format!("/v1/enrollments/{id}/pay"), &Value::Null).await?;
        ensure!(again.reason() == "INVOICE_SETTLED", "a second payment was possible: {again}");
        self.step("家长", "想再付一次", text(&again.body, "title"))?;

        let finance = self.staff("jinhua.treasury").await?;
        let path = format!("/v1/districts/{}/trial-balance", jinhua.district_id);
        let balance = finance.get(&path).await?.expect(200)?;
        let (debit, credit) = totals(&balance);
        ensure!(debit == credit && debit > 0, "the ledger does not balance: {balance}");
        self.step("教育局财务", "核对账本", format!("借 {debit} 分 = 贷 {credit} 分"))?;
        Ok(())
    }

    async fn waived_family(&mut self, jinhua: &DemoDistrict) -> anyhow::Result<()> {
        self.story("金华：困难家庭免交，两人审批，不产生任何订单")?;
        let parent = self.parent(jinhua, "JH20260002", &self.phone_of("jinhua", "JH20260002")?, "b").await?;
        let waivers =
            parent.person.get(&format!("/v1/waivers?pupil_id={}", parent.pupil_id)).await?.expect(200)?;
        let granted = waivers["waivers"]
            .as_array()
            .is_some_and(|list| list.iter().any(|one| one["state"] == "granted"));
        if !granted {
            let proof = b"%PDF-1.4\n1 0 obj <<>> endobj\n%%EOF\n".to_vec();
            let path = format!("/v1/pupils/{}/evidence", parent.pupil_id);
            let key = Uuid::from_bytes(shared::random::bytes());
            let evidence = parent.person.upload(&path, "证明.pdf", proof, key).await?.expect(200)?;
            let body = json!({ "category": "difficult_family", "evidence_ids": [evidence["evidence_id"]] });
            let path = format!("/v1/pupils/{}/waivers", parent.pupil_id);
            let waiver = parent.person.post(&path, &body).await?.expect(200)?;
            self.step("家长", "上传证明，申请减免", text(&waiver, "state"))?;

            let path = format!("/v1/waivers/{}/decide", text(&waiver, "id"));
            let school = self.staff("jinhua.moral").await?;
            let endorsed = school.post(&path, &json!({ "approved": true })).await?.expect(200)?;
            self.step("德育处", "初审", text(&endorsed, "state"))?;
            let last_day = (self.site.clock.now() + chrono::TimeDelta::days(365)).date_naive();
            let bureau = self.staff("jinhua.bureau").await?;
            let granted =
                bureau.post(&path, &json!({ "approved": true, "last_day": last_day })).await?.expect(200)?;
            self.step("教育局", "另一人复核", text(&granted, "state"))?;
        }
        let section_id = text(&self.section(jinhua, "衍纸").await?, "id");
        let id = self.apply_or_find(&parent, &section_id).await?;
        self.approve_all(&parent, jinhua, "jinhua", &id, "class201").await?;
        parent.person.enrollment_in(&id, "confirmed").await?;
        let invoice = parent.invoice(&id).await?;
        ensure!(invoice["amount_fen"] == 0, "a waived family owes {}", invoice["amount_fen"]);
        let orders = self.site.sandbox_get("/sandbox/orders").await?;
        ensure!(
            !orders.to_string().contains(&format!("{}-b", self.run)),
            "a WeChat order exists for a waived family"
        );
        self.step("家长", "同样选“衍纸”", "应付 0 分，名额已确认，微信里没有订单")?;

        let teacher = self.staff("jinhua.class201").await?;
        let roster = teacher.get(&format!("/v1/sections/{section_id}/roster")).await?.expect(200)?;
        let places = roster["places"].as_array().map(Vec::len).unwrap_or_default();
        ensure!(places >= 2, "the roster has {places} pupils");
        self.step("班主任", "看班级名单", format!("{places} 人，看不出谁交了费、谁免交"))?;
        Ok(())
    }

    async fn day_ceiling(&mut self, zhuzhou: &DemoDistrict) -> anyhow::Result<()> {
        self.story("株洲：每课时不超过 5 元，且每天不超过 10 元")?;
        let code = "ZZ20260001";
        let parent = self.parent(zhuzhou, code, &self.phone_of("zhuzhou", code)?, "c").await?;
        let menu =
            self.site.stranger().get(&format!("/v1/terms/{}/menu", zhuzhou.term_id)).await?.expect(200)?;
        // Class hours wished on Monday to Friday; basic care is the first of each day.
        let sections = choose(&menu, &[1, 2, 3, 2, 1])?;
        let quote = json!({ "pupil_id": parent.pupil_id, "section_ids": sections });
        let quote = parent.person.post("/v1/quotes", &quote).await?.expect(200)?;
        for day in quote["week"].as_array().map(Vec::as_slice).unwrap_or_default() {
            self.step(
                "家长",
                format!(
                    "{}：{} 课时 × 500 分 = {} 分",
                    text(day, "date"),
                    day["class_hour_count"],
                    day["before_cap_fen"]
                ),
                format!("收 {} 分", day["charged_fen"]),
            )?;
        }
        ensure!(quote["week_total_fen"] == 4000, "the week costs {}", quote["week_total_fen"]);
        self.step(
            "家长",
            "一周 1、2、3、2、1 课时",
            format!("{} 分；{}", quote["week_total_fen"], clause(&quote)),
        )?;
        Ok(())
    }

    async fn free_region(&mut self, shahe: &DemoDistrict) -> anyhow::Result<()> {
        self.story("沙河：免费，没有账单，也没有 0 元订单")?;
        let finance = self.staff("shahe.finance").await?;
        let path = format!("/v1/terms/{}/tariff", shahe.term_id);
        let refused = finance.post(&path, &json!({ "basis": "term", "amount_fen": 1 })).await?;
        ensure!(refused.reason() == "FREE_OF_CHARGE", "a price was possible: {refused}");
        self.step("学校财务", "想收 1 分钱", text(&refused.body, "title"))?;

        let code = "SH20260001";
        let parent = self.parent(shahe, code, &self.phone_of("shahe", code)?, "d").await?;
        let section_id = text(&self.section(shahe, "剪纸").await?, "id");
        let id = self.apply_or_find(&parent, &section_id).await?;
        self.approve_all(&parent, shahe, "shahe", &id, "class701").await?;
        parent.person.enrollment_in(&id, "confirmed").await?;
        let invoice = parent.person.get(&format!("/v1/enrollments/{id}/invoice")).await?;
        ensure!(invoice.status == 404, "an invoice exists where the service is free: {invoice}");
        self.step("家长", "五步审批后确认，查账单", text(&invoice.body, "title"))?;
        Ok(())
    }

    async fn rush(&mut self, zhuzhou: &DemoDistrict) -> anyhow::Result<()> {
        self.story("株洲：45 个家庭同时抢 30 个名额，每家点两次")?;
        let section = self.section(zhuzhou, "木工").await?;
        let section_id = text(&section, "id");
        let mut parents = Vec::new();
        for number in 101..146 {
            let code = format!("ZZ2026{number:04}");
            let phone = self.phone_of("zhuzhou", &code)?;
            parents.push(self.parent(zhuzhou, &code, &phone, &format!("rush{number}")).await?);
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
        let path = format!("/v1/terms/{}/seats", zhuzhou.term_id);
        let seats = self
            .site
            .stranger()
            .eventually(&path, |answer| seats_of(&answer.body, &section_id).0 == 30)
            .await?;
        let (taken, waitlisted) = seats_of(&seats.body, &section_id);
        ensure!(taken == 30, "{taken} seats taken");
        self.step(
            "45 位家长",
            "同时选“木工”",
            format!("{taken} 人有名额，{waitlisted} 人依次候补（本次 {waiting} 人）"),
        )?;

        let holder =
            answers.iter().zip(&parents).find(|((first, _), _)| first.body["enrollment"]["state"] == "held");
        if let Some(((first, _), parent)) = holder {
            let id = text(&first.body["enrollment"], "id");
            let next = answers
                .iter()
                .zip(&parents)
                .find(|((first, _), _)| first.body["enrollment"]["waitlist_position"] == 1);
            parent.invoice(&id).await?;
            parent.begin_payment(&id).await?;
            parent.person.post(&format!("/v1/enrollments/{id}/withdraw"), &Value::Null).await?.expect(200)?;
            parent.person.enrollment_in(&id, "released").await?;
            self.step("一位家长", "未付款就放弃", "先在微信关闭订单，再释放名额")?;
            if let Some(((first, _), next)) = next {
                let id = text(&first.body["enrollment"], "id");
                next.person.enrollment_in(&id, "held").await?;
                self.step("候补第 1 位", "看自己的选课", "名额已轮到，等待付款")?;
            }
        }
        Ok(())
    }

    async fn bad_payments(&mut self, zhuzhou: &DemoDistrict) -> anyhow::Result<()> {
        self.story("株洲：付错金额、伪造通知、重复通知")?;
        let code = format!("ZZ2026{:04}", 200 + u32::from_str_radix(&self.run[..2], 16)? % 200);
        let parent = self.parent(zhuzhou, &code, &self.phone_of("zhuzhou", &code)?, "e").await?;
        let section_id = text(&self.section(zhuzhou, "书法").await?, "id");
        let id = self.apply_or_find(&parent, &section_id).await?;
        let invoice = parent.invoice(&id).await?;
        if invoice["state"] == "settled" {
            self.step("家长", "上次已付款", "跳过")?;
            return Ok(());
        }
        let order = text(&parent.begin_payment(&id).await?, "out_trade_no");
        let forged = self
            .site
            .sandbox_post("/sandbox/forge", &json!({ "out_trade_no": order, "kind": "bad_signature" }))
            .await?;
        let still = parent.person.get(&format!("/v1/enrollments/{id}/invoice")).await?.expect(200)?;
        ensure!(still["paid_fen"] == 0, "a forged notification was believed: {still}");
        self.step("骗子", "伪造付款通知", format!("拒收（{}），账单仍未付", forged["status"]))?;

        self.site
            .sandbox_post("/sandbox/faults", &json!({ "target": "notify", "kind": "duplicate", "count": 1 }))
            .await?;
        let paid = parent.pay(&id).await?;
        let settled = parent.invoice(&id).await?;
        ensure!(settled["paid_fen"] == invoice["amount_fen"], "paid {} for {invoice}", settled["paid_fen"]);
        self.step("家长", "付款，微信把通知发了两遍", format!("只入账一次：{paid} 分"))?;
        Ok(())
    }

    async fn providers(&mut self, jinhua: &DemoDistrict) -> anyhow::Result<()> {
        self.story("金华：白名单机构申报课程")?;
        let course = |title: &str| {
            json!({
                "school_id": jinhua.school_id, "title": title, "description": "动手做，动脑想",
                "content_kind": "enrichment", "category": "科技艺术",
            })
        };
        let id_of = |login: &str| jinhua.providers.get(login).cloned().context("no such provider");
        let listed = self.staff("jinhua.provider1").await?;
        let path = format!("/v1/providers/{}/courses", id_of("jinhua.provider1")?);
        let title = format!("科学实验 {}", self.run);
        let submitted = listed.post(&path, &course(&title)).await?.expect(200)?;
        self.step("白名单机构", format!("申报“{title}”"), text(&submitted, "state"))?;
        let id = text(&submitted, "id");
        let bureau = self.staff("jinhua.bureau").await?;
        let decision = json!({ "decision": "approve", "reason": "属科普活动" });
        let reviewed = bureau.post(&format!("/v1/courses/{id}/review"), &decision).await?.expect(200)?;
        self.step("教育局", "审核", text(&reviewed, "state"))?;
        let principal = self.staff("jinhua.principal").await?;
        let approved = principal.post(&format!("/v1/courses/{id}/approve"), &decision).await?.expect(200)?;
        self.step("校长", "批准", text(&approved, "state"))?;

        let exam = listed.post(&path, &course("初三数学冲刺")).await?;
        ensure!(exam.status == 400, "an exam course was taken: {exam}");
        self.step("白名单机构", "申报“初三数学冲刺”", text(&exam.body, "title"))?;
        let unlisted = self.staff("jinhua.provider3").await?;
        let path = format!("/v1/providers/{}/courses", id_of("jinhua.provider3")?);
        let refused = unlisted.post(&path, &course("趣味手工")).await?;
        ensure!(refused.reason() == "PROVIDER_NOT_LISTED", "an unlisted provider was heard: {refused}");
        self.step("名单外机构", "申报“趣味手工”", text(&refused.body, "title"))?;
        Ok(())
    }

    async fn complaint(&mut self, jinhua: &DemoDistrict) -> anyhow::Result<()> {
        self.story("金华：匿名投诉，按学段转办，答复，不满意再办")?;
        let stranger = self.site.stranger();
        let body = json!({
            "school_id": jinhua.school_id, "kind": "complaint", "subject": "teaching",
            "text": "周三的社团课一直在做数学卷子。", "anonymous": true,
        });
        let submitted = stranger.post("/v1/tickets", &body).await?.expect(200)?;
        let (number, code) = (text(&submitted["ticket"], "number"), text(&submitted, "receipt_code"));
        let section = text(&submitted["ticket"], "section");
        ensure!(section == "primary_early_years", "routed to {section}");
        self.step("匿名家长", format!("投诉 {number}"), format!("转 {section}"))?;
        let id = text(&submitted["ticket"], "id");
        let hotline = self.staff("jinhua.hotline").await?;
        hotline.post(&format!("/v1/tickets/{id}/accept"), &Value::Null).await?.expect(200)?;
        let body = json!({ "handler_role": "principal", "handler_node_id": jinhua.school_id, "note": "请三日内核查" });
        hotline.post(&format!("/v1/tickets/{id}/assign"), &body).await?.expect(200)?;
        self.step("热线受理员", "受理并转学校", "assigned")?;
        let principal = self.staff("jinhua.principal").await?;
        let reply = json!({ "text": "已核查并停止，改为手工活动。" });
        let replied = principal.post(&format!("/v1/tickets/{id}/reply"), &reply).await?.expect(200)?;
        self.step("校长", "答复", text(&replied, "state"))?;
        let rating = json!({ "number": number, "receipt_code": code, "solved": false, "rating": 2, "comment": "这周还在做" });
        let reopened = stranger.post("/v1/tickets/rate", &rating).await?.expect(200)?;
        ensure!(
            reopened["state"] == "assigned" && reopened["handler_role"] == "principal",
            "not reopened: {reopened}"
        );
        self.step("匿名家长", "评价：未解决", "退回原承办人再办")?;
        Ok(())
    }

    /// Applies, or finds the enrollment of an earlier tour.
    async fn apply_or_find(&mut self, parent: &Parent, section_id: &str) -> anyhow::Result<String> {
        let answer = parent.apply(section_id, false).await?;
        if answer.reason() == "ALREADY_ENROLLED" {
            self.step("家长", "选课", "上次已选")?;
            return Ok(text(&answer.body["facts"], "enrollment_id"));
        }
        let answer = answer.expect(200)?;
        let enrollment = &answer["enrollment"];
        self.step("家长", format!("选“{}”", text(enrollment, "section_title")), text(enrollment, "state"))?;
        Ok(text(enrollment, "id"))
    }

    /// Has every open step decided by the role the policy names.
    async fn approve_all(
        &mut self,
        parent: &Parent,
        school: &DemoDistrict,
        name: &str,
        enrollment_id: &str,
        class_teacher: &str,
    ) -> anyhow::Result<()> {
        loop {
            let path = format!("/v1/enrollments/{enrollment_id}");
            let enrollment = parent.person.get(&path).await?.expect(200)?;
            let steps = enrollment["steps"].as_array().cloned().unwrap_or_default();
            let next = steps.iter().find(|step| step["approve_time"].is_null());
            let (Some(step), true) = (next, enrollment["state"] == "in_review") else { return Ok(()) };
            let login = match text(step, "role").as_str() {
                "class_teacher" => class_teacher,
                "moral_education" => "moral",
                "teaching_office" => "teaching",
                _ => "principal",
            };
            let staff: Person = self.staff(&format!("{name}.{login}")).await?;
            let key = text(step, "key");
            let path = format!("/v1/enrollments/{enrollment_id}/steps/{key}");
            staff.post(&path, &json!({ "approved": true })).await?.expect(200)?;
            self.step(&format!("{}（{login}）", school.school_name), text(step, "name_zh"), "通过")?;
        }
    }

    /// The first phone number the school has on file for a pupil: numbered as the demonstration's files number them.
    fn phone_of(&self, district: &str, code: &str) -> anyhow::Result<String> {
        self.demo.districts[district].phones.get(code).cloned().with_context(|| format!("no pupil {code}"))
    }
}

/// The first clause a document rests on.
fn clause(document: &Value) -> String {
    let first = document["clauses"].as_array().and_then(|clauses| clauses.first());
    first
        .map(|clause| format!("{}（{}）", text(clause, "text_zh"), text(clause, "source")))
        .unwrap_or_default()
}

/// Everything debited and everything credited.
fn totals(balance: &Value) -> (i64, i64) {
    let accounts = balance["accounts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sum = |side: &str| accounts.iter().filter_map(|account| account[side].as_i64()).sum();
    (sum("debit_fen"), sum("credit_fen"))
}

/// How many seats of a section are taken, and how many wait.
fn seats_of(document: &Value, section_id: &str) -> (i64, i64) {
    let seats = document["seats"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = seats.iter().find(|one| one["section_id"] == section_id);
    let count = |field: &str| found.and_then(|one| one[field].as_i64()).unwrap_or_default();
    (count("taken_count"), count("waitlisted_count"))
}

/// Sections that give so many class hours on Monday, Tuesday …, one for each slot of the day, earliest first.
///
/// # Errors
/// When a day has fewer slots with sections.
pub fn choose(menu: &Value, hours: &[usize]) -> anyhow::Result<Vec<String>> {
    let mut chosen = Vec::new();
    for (weekday, wanted) in (1..).zip(hours) {
        let mut starts: Vec<(String, String)> = Vec::new();
        for section in menu["sections"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let slots = section["slots"].as_array().map(Vec::as_slice).unwrap_or_default();
            let [slot] = slots else { continue };
            let start = text(slot, "start_time");
            if slot["weekday"] == weekday && !starts.iter().any(|(taken, _)| *taken == start) {
                starts.push((start, text(section, "id")));
            }
        }
        starts.sort();
        ensure!(starts.len() >= *wanted, "weekday {weekday} has only {} slots with sections", starts.len());
        chosen.extend(starts.into_iter().take(*wanted).map(|(_, id)| id));
    }
    Ok(chosen)
}
