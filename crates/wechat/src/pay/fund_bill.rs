//! The fund-flow bill of a day: what went in and out of the account, fees and withdrawals among it.

use chrono::{DateTime, Utc};

use super::bill::{Columns, at, fen, moment, total, values};

/// Columns of the bill, in order.
///
/// Source: WeChat Pay, 资金账单 format.
const KNOWN: [&str; 11] = [
    "记账时间",
    "微信支付业务单号",
    "资金流水单号",
    "业务名称",
    "业务类型",
    "收支类型",
    "收支金额(元)",
    "账户结余(元)",
    "资金变更提交申请人",
    "备注",
    "业务凭证号",
];

/// One day of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FundBill {
    /// What moved, in the bill's order.
    pub rows: Vec<FundRow>,
    /// Sum of what came in, fen, as the bill's summary says.
    pub income_fen: i64,
    /// Sum of what went out, fen, as the bill's summary says.
    pub outgo_fen: i64,
}

/// One movement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FundRow {
    /// When it was booked.
    pub booked_at: DateTime<Utc>,
    /// WeChat's number of what caused it: of the order for a payment or its fee, of the refund for a refund.
    pub business_no: String,
    /// WeChat's number of the movement.
    pub flow_no: String,
    /// `交易`, `退款`, `扣除交易手续费`, `提现` and others.
    pub business_type: String,
    /// Fen: above zero came in, below zero went out.
    pub amount_fen: i64,
    /// What was left on the account afterwards, fen.
    pub balance_fen: i64,
}

impl FundBill {
    /// Reads the text of an unpacked fund-flow bill.
    ///
    /// # Errors
    /// A sentence with the line number; no value of the bill is in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let heading = lines.next().ok_or("the bill is empty")?.1;
        let columns = Columns::known(heading, &KNOWN)?;
        let mut bill = Self::default();
        while let Some((index, line)) = lines.next() {
            if line.starts_with('`') {
                bill.rows.push(row(&columns, &values(line)).map_err(|name| at(index, name))?);
                continue;
            }
            let summary = Columns::new(line);
            let (index, line) = lines.next().ok_or("the bill has no summary")?;
            bill.end(&summary, &values(line)).map_err(|name| at(index, name))?;
            if lines.next().is_some() {
                return Err("the bill goes on after its summary".to_owned());
            }
            return Ok(bill);
        }
        Err("the bill has no summary".to_owned())
    }

    /// Reads the summary and holds the rows against it; gives the name of what does not agree.
    fn end(&mut self, summary: &Columns<'_>, values: &[&str]) -> Result<(), &'static str> {
        let count =
            |name| -> Result<usize, &'static str> { summary.value(values, name)?.parse().map_err(|_| name) };
        let sum = |name| summary.value(values, name).and_then(|text| fen(text).ok_or(name));
        let come_in = || self.rows.iter().map(|row| row.amount_fen).filter(|amount| *amount > 0);
        let gone_out = || self.rows.iter().map(|row| row.amount_fen).filter(|amount| *amount < 0);
        let (income_fen, outgo_fen) = (sum("收入金额")?, sum("支出金额")?);
        if count("资金流水总笔数")? != self.rows.len() {
            return Err("资金流水总笔数");
        }
        if count("收入笔数")? != come_in().count() || Some(income_fen) != total(come_in()) {
            return Err("收入金额");
        }
        if count("支出笔数")? != gone_out().count() || total(gone_out()) != outgo_fen.checked_neg() {
            return Err("支出金额");
        }
        (self.income_fen, self.outgo_fen) = (income_fen, outgo_fen);
        Ok(())
    }
}

fn row(columns: &Columns<'_>, values: &[&str]) -> Result<FundRow, &'static str> {
    if !columns.fits(values) {
        return Err("a column");
    }
    let text = |name| columns.value(values, name);
    let money = |name| columns.value(values, name).and_then(|text| fen(text).ok_or(name));
    let amount_fen = money("收支金额(元)")?;
    let amount_fen = match text("收支类型")? {
        "收入" if amount_fen > 0 => amount_fen,
        "支出" if amount_fen > 0 => -amount_fen,
        _ => return Err("收支类型"),
    };
    Ok(FundRow {
        booked_at: moment(text("记账时间")?).ok_or("记账时间")?,
        business_no: text("微信支付业务单号")?.to_owned(),
        flow_no: text("资金流水单号")?.to_owned(),
        business_type: text("业务类型")?.to_owned(),
        amount_fen,
        balance_fen: money("账户结余(元)")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BILL: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号\n\
        `2026-11-22 12:00:00,`42,`1,`交易,`交易,`收入,`120.00,`120.00,`system,`,`42\n\
        `2026-11-22 13:00:00,`50,`2,`退款,`退款,`支出,`20.05,`99.95,`system,`停课,`REF42\n\
        资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\n`2,`1,`120.00,`1,`20.05\n";

    #[test]
    fn c79_a_fund_bill_reads_to_the_fen_and_must_add_up() {
        let bill = FundBill::parse(BILL).unwrap();

        assert_eq!((bill.income_fen, bill.outgo_fen), (12_000, 2_005));
        assert_eq!((bill.rows[1].amount_fen, bill.rows[1].balance_fen), (-2_005, 9_995));
        for (from, to) in [
            ("`20.05,`99", "`20.06,`99"),
            ("`2,`1,", "`3,`1,"),
            ("`支出", "`其他"),
            (",备注,", ",别的,"),
            ("`停课,", "`停课,`多,"),
        ] {
            assert!(FundBill::parse(&BILL.replacen(from, to, 1)).is_err(), "{from}");
        }
        assert!(FundBill::parse(BILL.rsplit_once('\n').unwrap().0.rsplit_once('\n').unwrap().0).is_err());
    }
}
