//! The bureau's books: a difference in WeChat's bill is found and put before a person, and everything adds up to the fen.

use std::io::Write;

use anyhow::{Context as _, ensure};
use chrono::TimeDelta;
use serde_json::json;

use super::{Tour, list, number};
use crate::person::text;

impl<W: Write> Tour<'_, W> {
    /// A payment nobody made is planted in a bill of the days before; then the books are read.
    pub(super) async fn books(&mut self, folder: &str) -> anyhow::Result<()> {
        let school = self.school(folder).await?;
        self.story(&school.title("对账与账簿"))?;
        if !school.is_priced() {
            return self.skip(school.why_not());
        }
        let district = school.district.district_id.clone();
        let finance = self.role(&school, "bureau_finance").await?;
        // Bills of the day before yesterday are there at any hour.
        let day = (self.site.clock.now() + TimeDelta::hours(8) - TimeDelta::days(2)).date_naive();
        let stranger = format!("KHTOUR{}", self.run);
        let change = json!({ "date": day, "out_trade_no": stranger, "kind": "invent" });
        self.site.sandbox_post("/sandbox/bill-changes", &change).await?;
        let path = format!("/v1/districts/{district}/reconciliations/{day}");
        let answer = finance.post(&path, &json!({})).await?;
        if answer.status == 200 {
            self.step("微信", format!("{day} 的账单里多出一笔"), &stranger)?;
            let path = format!("/v1/districts/{district}/reconciliation-cases?waiting_only=true");
            let cases = finance.get(&path).await?.expect(200)?;
            let found = list(&cases, "cases").iter().find(|case| text(case, "subject") == stranger);
            let waiting = number(&answer.body, "waiting_count");
            match found {
                Some(case) => {
                    let (id, kind) = (text(case, "id"), text(case, "kind"));
                    ensure!(kind == "missing_here", "found as {case}");
                    self.step(
                        "平台",
                        "逐笔核对账单、支付、账簿",
                        format!("{kind}，交财务处理（待办 {waiting} 件）"),
                    )?;
                    let path = format!("/v1/reconciliation-cases/{id}/take");
                    let taken = finance.post(&path, &json!({})).await?.expect(200)?;
                    self.step("局财务", "受理", text(&taken, "state"))?;
                    let note = json!({ "note": "沙箱演示：账单中多出的一笔，已与微信核对" });
                    let path = format!("/v1/reconciliation-cases/{id}/resolve");
                    let resolved = finance.post(&path, &note).await?.expect(200)?;
                    self.step("局财务", "说明", text(&resolved, "state"))?;
                }
                // The merchant is looked after by the district it first took money for.
                None => self.step("平台", "差异归商户所属区", format!("本区待办 {waiting} 件"))?,
            }
        } else {
            ensure!(answer.reason() == "BILL_CHANGED", "the day could not be compared: {}", answer.body);
            self.step("局财务", format!("再对一次 {day} 的账单"), text(&answer.body, "title"))?;
        }
        let balance = finance.get(&format!("/v1/districts/{district}/trial-balance")).await?.expect(200)?;
        let sum = |field: &str| list(&balance, "accounts").iter().map(|one| number(one, field)).sum::<i64>();
        let (debit, credit) = (sum("debit_fen"), sum("credit_fen"));
        ensure!(debit == credit, "the books do not balance: {balance}");
        self.step("局财务", "试算平衡", format!("借 {debit} 分 = 贷 {credit} 分"))?;
        let path = format!("/v1/districts/{district}/ledger");
        let sealed = finance
            .eventually(&path, |answer| answer.status == 200 && answer.body["unsealed_count"] == 0)
            .await
            .context("the ledger to be sealed")?
            .expect(200)?;
        ensure!(sealed["is_true"] == true, "the chain does not hold: {sealed}");
        let head = text(&sealed, "head_hash");
        let count = number(&sealed, "sealed_count");
        self.step(
            "局财务",
            "重算账簿的链",
            format!("{count} 笔分录，末笔 {}…", head.get(..12).unwrap_or_default()),
        )
    }
}
