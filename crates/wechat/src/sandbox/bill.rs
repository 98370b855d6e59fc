//! The bills of a day, column for column: trade (ALL) and fund flow; and differences planted in them on order.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::books::{OrderState, RefundState};
use super::store::Store;

/// Columns of the ALL bill, in order.
///
/// Source: WeChat Pay, 交易账单 format.
const COLUMNS: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,\
付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,\
商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";

const SUMMARY: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

/// Columns of the fund-flow bill, in order.
///
/// Source: WeChat Pay, 资金账单 format.
const FUND_COLUMNS: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),\
资金变更提交申请人,备注,业务凭证号";

const FUND_SUMMARY: &str = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额";

/// A difference between a day's trade bill and what happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillChange {
    /// The bill's day.
    pub date: NaiveDate,
    /// Whose line it is: our number of an order.
    pub out_trade_no: String,
    /// What is different.
    pub kind: BillChangeKind,
}

/// What is different in a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillChangeKind {
    /// The order's payment has no line.
    LeaveOut,
    /// The order's payment has its line twice.
    Double,
    /// The order's payment is one fen more.
    Amount,
    /// The order's payment was revoked.
    Revoke,
    /// The order's payment was another merchant's.
    Stranger,
    /// A payment of an order nobody made, with this number.
    Invent,
}

/// One line of the trade bill.
#[derive(Clone)]
struct Line {
    at: DateTime<Utc>,
    appid: String,
    mchid: String,
    sub_mchid: Option<String>,
    transaction_id: String,
    out_trade_no: String,
    openid: String,
    state: &'static str,
    order_fen: i64,
    /// Refund id, our refund number, state.
    refund: Option<(String, String, &'static str)>,
    refund_fen: i64,
    description: String,
    attach: String,
}

impl Line {
    fn text(&self) -> String {
        let (refund_id, out_refund_no, refund_type, refund_state) = match &self.refund {
            Some((id, number, state)) => (id.as_str(), number.as_str(), "ORIGINAL", *state),
            None => ("0", "0", "", ""),
        };
        row(&[
            &local(self.at).format("%Y-%m-%d %H:%M:%S").to_string(),
            &self.appid,
            &self.mchid,
            self.sub_mchid.as_deref().unwrap_or("0"),
            "",
            &self.transaction_id,
            &self.out_trade_no,
            &self.openid,
            "JSAPI",
            self.state,
            "OTHERS",
            "CNY",
            &yuan(self.order_fen),
            "0.00",
            refund_id,
            out_refund_no,
            &yuan(self.refund_fen),
            "0.00",
            refund_type,
            refund_state,
            &self.description,
            &self.attach,
            "0.00000",
            "0.00%",
            &yuan(self.order_fen),
            &yuan(self.refund_fen),
            "",
        ])
    }
}

/// Beijing time, without zone.
pub(super) fn local(at: DateTime<Utc>) -> NaiveDateTime {
    at.naive_utc() + TimeDelta::hours(8)
}

/// Beijing time as WeChat writes it in JSON.
pub(super) fn rfc3339(at: DateTime<Utc>) -> String {
    local(at).format("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}

/// Writes one day's bill of one signing merchant, with the differences planted in it, or nothing when there was no trade.
pub(super) fn trade_bill(
    store: &Store,
    mchid: &str,
    sub_mchid: Option<&str>,
    date: NaiveDate,
    changes: &[BillChange],
) -> Option<String> {
    let mut lines = lines(store, mchid, sub_mchid, Some(date));
    for change in changes.iter().filter(|change| change.date == date) {
        plant(&mut lines, change, mchid);
    }
    if lines.is_empty() {
        return None;
    }
    // Stable, so that a refund in its payment's second still follows it.
    lines.sort_by_key(|line| line.at);
    let mut text = format!("\u{feff}{COLUMNS}\r\n");
    for line in &lines {
        text.push_str(&line.text());
    }
    let order_total_fen = lines.iter().map(|line| line.order_fen).sum();
    let refund_total_fen = lines.iter().map(|line| line.refund_fen).sum();
    let summary = [
        &lines.len().to_string(),
        &yuan(order_total_fen),
        &yuan(refund_total_fen),
        "0.00",
        "0.00000",
        &yuan(order_total_fen),
        &yuan(refund_total_fen),
    ];
    // Writing to a String cannot fail.
    let _ = write!(text, "{SUMMARY}\r\n{}", row(&summary));
    Some(text)
}

/// Writes one day's fund-flow bill of one signing merchant's basic account, or nothing when nothing moved. There are no fees and no
/// withdrawals here: all that ever came in and did not go back is on the account.
pub(super) fn fund_bill(store: &Store, mchid: &str, date: NaiveDate) -> Option<String> {
    let mut all = lines(store, mchid, None, None);
    all.sort_by_key(|line| line.at);
    let mut text = format!("\u{feff}{FUND_COLUMNS}\r\n");
    let mut balance_fen = 0;
    let mut sums = [(0_u64, 0_i64); 2];
    for (index, line) in all.iter().enumerate() {
        let (business_no, word, direction, amount_fen, proof) = match &line.refund {
            None => (&line.transaction_id, "交易", "收入", line.order_fen, line.transaction_id.clone()),
            Some((refund_id, ..)) => {
                (refund_id, "退款", "支出", line.refund_fen, format!("REF{}", line.transaction_id))
            }
        };
        let is_income = line.refund.is_none();
        balance_fen += if is_income { amount_fen } else { -amount_fen };
        if local(line.at).date() != date {
            continue;
        }
        let sum = &mut sums[usize::from(!is_income)];
        *sum = (sum.0 + 1, sum.1 + amount_fen);
        text.push_str(&row(&[
            &local(line.at).format("%Y-%m-%d %H:%M:%S").to_string(),
            business_no,
            &format!("{mchid}{:018}", index + 1),
            word,
            word,
            direction,
            &yuan(amount_fen),
            &yuan(balance_fen),
            "system",
            &line.description,
            &proof,
        ]));
    }
    let [income, outgo] = sums;
    if income.0 + outgo.0 == 0 {
        return None;
    }
    let summary = row(&[
        &(income.0 + outgo.0).to_string(),
        &income.0.to_string(),
        &yuan(income.1),
        &outgo.0.to_string(),
        &yuan(outgo.1),
    ]);
    let _ = write!(text, "{FUND_SUMMARY}\r\n{summary}");
    Some(text)
}

/// The lines of one day, or of all days.
fn lines(store: &Store, mchid: &str, sub_mchid: Option<&str>, date: Option<NaiveDate>) -> Vec<Line> {
    let is_of_day = |at: DateTime<Utc>| date.is_none_or(|date| local(at).date() == date);
    let mut lines = Vec::new();
    for order in store.orders.values() {
        let sub = order.sub_mchid.as_deref();
        let OrderState::Paid { transaction_id, amount_fen, openid, at } = &order.state else {
            continue;
        };
        if order.mchid != mchid || (sub_mchid.is_some() && sub != sub_mchid) {
            continue;
        }
        let paid = Line {
            at: *at,
            appid: order.appid.clone(),
            mchid: mchid.to_owned(),
            sub_mchid: order.sub_mchid.clone(),
            transaction_id: transaction_id.clone(),
            out_trade_no: order.out_trade_no.clone(),
            openid: openid.clone(),
            state: "SUCCESS",
            order_fen: *amount_fen,
            refund: None,
            refund_fen: 0,
            description: order.description.clone(),
            attach: order.attach.clone().unwrap_or_default(),
        };
        for refund in store.refunds_of(order) {
            if is_of_day(refund.created_at) && refund.state != RefundState::Closed {
                let names = (refund.refund_id.clone(), refund.out_refund_no.clone(), refund.state.word());
                lines.push(Line {
                    at: refund.created_at,
                    state: "REFUND",
                    order_fen: 0,
                    refund: Some(names),
                    refund_fen: refund.refund_fen,
                    ..paid.clone()
                });
            }
        }
        if is_of_day(*at) {
            lines.push(paid);
        }
    }
    // A payment stands before a refund of the same second.
    lines.sort_by_key(|line| (line.at, line.refund.is_some()));
    lines
}

/// Plants a difference. One that finds no line changes nothing.
fn plant(lines: &mut Vec<Line>, change: &BillChange, mchid: &str) {
    let is_meant = |line: &Line| line.refund.is_none() && line.out_trade_no == change.out_trade_no;
    let found = lines.iter().position(is_meant);
    match (change.kind, found) {
        (BillChangeKind::Invent, _) => {
            let noon = change.date.and_hms_opt(4, 0, 0).unwrap_or_default().and_utc();
            lines.push(Line {
                at: noon,
                appid: String::new(),
                mchid: mchid.to_owned(),
                sub_mchid: None,
                transaction_id: format!("42999{:0>23}", change.out_trade_no.len()),
                out_trade_no: change.out_trade_no.clone(),
                openid: String::new(),
                state: "SUCCESS",
                order_fen: 100,
                refund: None,
                refund_fen: 0,
                description: "课后服务费".to_owned(),
                attach: String::new(),
            });
        }
        (BillChangeKind::LeaveOut, Some(index)) => {
            lines.remove(index);
        }
        (BillChangeKind::Double, Some(index)) => lines.push(lines[index].clone()),
        (BillChangeKind::Amount, Some(index)) => lines[index].order_fen += 1,
        (BillChangeKind::Revoke, Some(index)) => lines[index].state = "REVOKED",
        (BillChangeKind::Stranger, Some(index)) => lines[index].mchid = "1000000000".to_owned(),
        (
            BillChangeKind::LeaveOut
            | BillChangeKind::Double
            | BillChangeKind::Amount
            | BillChangeKind::Revoke
            | BillChangeKind::Stranger,
            None,
        ) => {}
    }
}

fn row(values: &[&str]) -> String {
    format!("`{}\r\n", values.join(",`"))
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

/// Compresses, as clients may ask for.
pub(super) fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}
