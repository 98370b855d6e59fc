//! What the bureau and the school guard against: payments gone wrong, institutions nobody vetted, complaints nobody answers.

use std::io::Write;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::Tour;
use crate::demo::{Crowd, Institutions, Place};
use crate::person::text;

impl<W: Write> Tour<'_, W> {
    /// A forged notification is not believed; one that comes twice is booked once.
    pub(super) async fn bad_payments(&mut self, plan: &Crowd) -> anyhow::Result<()> {
        let school = self.school(&plan.district).await?;
        self.story(&school.title("付错金额、伪造通知、重复通知"))?;
        if !school.is_priced() || !school.can_choose() {
            return self.skip(school.why_not());
        }
        let pupils = school.pupils_from(&plan.first_pupil, plan.pupil_count);
        ensure!(!pupils.is_empty(), "the school has no pupils");
        let chosen = usize::from_str_radix(&self.run[..4], 16)? % pupils.len();
        let pupil = pupils.get(chosen).context("a pupil")?;
        let parent = self.parent(&school, pupil, "e").await?;
        let id = self.apply_or_find(&parent, &school.section(&plan.course)?).await?;
        self.approve_all(&parent, &school, pupil, &id).await?;
        let invoice = parent.invoice(&id).await?;
        if invoice["state"] == "settled" {
            return self.step("家长", "上次已付款", "跳过");
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
        self.step("家长", "付款，微信把通知发了两遍", format!("只入账一次：{paid} 分"))
    }

    /// A listed institution's course is reviewed and approved; an exam course and an unlisted institution are not heard.
    pub(super) async fn providers(&mut self, plan: &Institutions) -> anyhow::Result<()> {
        let school = self.school(&plan.district).await?;
        self.story(&school.title("白名单机构申报课程"))?;
        let course = |title: &str| {
            json!({
                "school_id": school.district.school_id, "title": title, "description": "动手做，动脑想",
                "content_kind": "enrichment", "category": "科技",
            })
        };
        let id_of = |login: &str| school.district.providers.get(login).cloned().context("no such provider");
        let listed = self.staff(&plan.listed).await?;
        let path = format!("/v1/providers/{}/courses", id_of(&plan.listed)?);
        let title = format!("科学实验 {}", self.run);
        let submitted = listed.post(&path, &course(&title)).await?;
        if !text(&submitted.body["facts"], "key").is_empty() {
            return self.skip(text(&submitted.body, "title"));
        }
        let submitted = submitted.expect(200)?;
        self.step("白名单机构", format!("申报“{title}”"), text(&submitted, "state"))?;
        let id = text(&submitted, "id");
        let bureau = self.role(&school, "bureau_officer").await?;
        let decision = json!({ "decision": "approve", "reason": "属科普活动" });
        let reviewed = bureau.post(&format!("/v1/courses/{id}/review"), &decision).await?.expect(200)?;
        self.step("教育局", "审核", text(&reviewed, "state"))?;
        let principal = self.role(&school, "principal").await?;
        let approved = principal.post(&format!("/v1/courses/{id}/approve"), &decision).await?.expect(200)?;
        self.step("校长", "批准", text(&approved, "state"))?;

        let exam = listed.post(&path, &course("初三数学冲刺")).await?;
        ensure!(exam.status == 400, "an exam course was taken: {exam}");
        self.step("白名单机构", "申报“初三数学冲刺”", text(&exam.body, "title"))?;
        let unlisted = self.staff(&plan.unlisted).await?;
        let path = format!("/v1/providers/{}/courses", id_of(&plan.unlisted)?);
        let refused = unlisted.post(&path, &course("趣味手工")).await?;
        ensure!(refused.reason() == "PROVIDER_NOT_LISTED", "an unlisted provider was heard: {refused}");
        self.step("名单外机构", "申报“趣味手工”", text(&refused.body, "title"))
    }

    /// A complaint without a name goes to the section for the school's stage, is answered, and comes back when it is not solved.
    pub(super) async fn complaint(&mut self, plan: &Place) -> anyhow::Result<()> {
        let school = self.school(&plan.district).await?;
        self.story(&school.title("匿名投诉，转办，答复，不满意再办"))?;
        let stranger = self.site.stranger();
        let body = json!({
            "school_id": school.district.school_id, "kind": "complaint", "subject": "teaching",
            "text": "周三的社团课一直在做数学卷子。", "anonymous": true,
        });
        let submitted = stranger.post("/v1/tickets", &body).await?.expect(200)?;
        let (number, code) = (text(&submitted["ticket"], "number"), text(&submitted, "receipt_code"));
        let section = match text(&submitted["ticket"], "section") {
            section if section.is_empty() => "政策未规定受理科室，由热线分办".to_owned(),
            section => format!("转 {section}"),
        };
        self.step("匿名家长", format!("投诉 {number}"), section)?;
        let id = text(&submitted["ticket"], "id");
        let hotline = self.role(&school, "hotline_operator").await?;
        hotline.post(&format!("/v1/tickets/{id}/accept"), &Value::Null).await?.expect(200)?;
        let body = json!({
            "handler_role": "principal", "handler_node_id": school.district.school_id, "note": "请三日内核查",
        });
        hotline.post(&format!("/v1/tickets/{id}/assign"), &body).await?.expect(200)?;
        self.step("热线受理员", "受理并转学校", "assigned")?;
        let principal = self.role(&school, "principal").await?;
        let reply = json!({ "text": "已核查并停止，改为手工活动。" });
        let replied = principal.post(&format!("/v1/tickets/{id}/reply"), &reply).await?.expect(200)?;
        self.step("校长", "答复", text(&replied, "state"))?;
        let rating = json!({
            "number": number, "receipt_code": code, "solved": false, "rating": 2, "comment": "这周还在做",
        });
        let reopened = stranger.post("/v1/tickets/rate", &rating).await?.expect(200)?;
        ensure!(
            reopened["state"] == "assigned" && reopened["handler_role"] == "principal",
            "not reopened: {reopened}"
        );
        self.step("匿名家长", "评价：未解决", "退回原承办人再办")
    }
}
