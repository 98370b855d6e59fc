//! The bill of a day: what WeChat thinks was paid and refunded, the safety net under every notification and query.
//!
//! The bill is CSV with a backtick before every value, because names and numbers may hold commas and leading zeros. Columns are
//! found by their heading, since older merchants get another set; one with a name nobody here knows is refused, since what it says
//! would be lost. Amounts are decimal yuan and become fen without rounding.

use chrono::NaiveDate;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::bill_file::BillKind;
use super::{Error, Pay};

/// Columns of the trade bill in any of its layouts.
///
/// Source: WeChat Pay, 交易账单 format.
const KNOWN: [&str; 29] = [
    "交易时间",
    "公众账号ID",
    "商户号",
    "特约商户号",
    "设备号",
    "微信订单号",
    "商户订单号",
    "用户标识",
    "交易类型",
    "交易状态",
    "付款银行",
    "货币种类",
    "应结订单金额",
    "代金券金额",
    "退款申请时间",
    "退款成功时间",
    "微信退款单号",
    "商户退款单号",
    "退款金额",
    "充值券退款金额",
    "退款类型",
    "退款状态",
    "商品名称",
    "商户数据包",
    "手续费",
    "费率",
    "订单金额",
    "申请退款金额",
    "费率备注",
];

/// One day of trade.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TradeBill {
    /// Payments and refunds in the bill's order.
    pub rows: Vec<BillRow>,
    /// Payments and refunds together, as the bill's own summary counts them.
    pub row_count: u64,
    /// Sum of `订单金额` in the summary, fen.
    pub order_total_fen: i64,
    /// Sum of `申请退款金额` in the summary, fen.
    pub refund_total_fen: i64,
}

/// One payment or one refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillRow {
    /// When it was paid, or the refund accepted.
    pub traded_at: DateTime<Utc>,
    /// The signing merchant.
    pub mchid: String,
    /// The payee under a partner; absent (or `0` on the wire) for a direct merchant.
    pub sub_mchid: Option<String>,
    /// WeChat's number of the order.
    pub transaction_id: String,
    /// Our number of the order.
    pub out_trade_no: String,
    /// `SUCCESS`, `REFUND` or `REVOKED`.
    pub trade_state: String,
    /// The order's amount in fen; 0 on a refund row.
    pub order_fen: i64,
    /// WeChat's fee in thousandths of a fen; below zero where a refund gives some of it back.
    pub fee_millifen: i64,
    /// Present on a refund row.
    pub refund: Option<BillRefund>,
}

/// The refund half of a refund row. Its status was frozen when the bill was made; ask the refund query for the truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillRefund {
    /// WeChat's number of the refund.
    pub refund_id: String,
    /// Our number of the refund.
    pub out_refund_no: String,
    /// Fen asked back.
    pub refund_fen: i64,
    /// `PROCESSING`, `SUCCESS`, `ABNORMAL` or `CLOSED`, as it was when the bill was made.
    pub state: String,
}

impl Pay {
    /// Fetches and reads the trade bill of one Beijing day, as [`Pay::bill_file`] with [`BillKind::Trade`].
    ///
    /// # Errors
    /// [`Error`]. `Unknown` also when the bill cannot be read.
    pub async fn trade_bill(&self, date: NaiveDate) -> Result<Option<TradeBill>, Error> {
        let Some(file) = self.bill_file(BillKind::Trade, date).await? else { return Ok(None) };
        TradeBill::parse(&file.text).map(Some).map_err(|why| Error::Unknown { why })
    }
}

impl TradeBill {
    /// Reads the text of an uncompressed trade bill.
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
                bill.rows.push(columns.row(&values(line)).map_err(|name| at(index, name))?);
                continue;
            }
            let summary = Columns::new(line);
            let (index, line) = lines.next().ok_or("the bill has no summary")?;
            let values = values(line);
            let sum = |name| summary.value(&values, name).and_then(|text| fen(text).ok_or(name));
            let count =
                summary.value(&values, "总交易单数").and_then(|text| text.parse().map_err(|_| "总交易单数"));
            bill.row_count = count.map_err(|name| at(index, name))?;
            bill.order_total_fen = sum("订单总金额").map_err(|name| at(index, name))?;
            bill.refund_total_fen = sum("申请退款总金额").map_err(|name| at(index, name))?;
            if u64::try_from(bill.rows.len()) != Ok(bill.row_count) {
                return Err(format!("the bill has {} rows and says {}", bill.rows.len(), bill.row_count));
            }
            let refunds = bill.rows.iter().filter_map(|row| row.refund.as_ref());
            let sums = (
                total(bill.rows.iter().map(|row| row.order_fen)),
                total(refunds.map(|refund| refund.refund_fen)),
            );
            if sums != (Some(bill.order_total_fen), Some(bill.refund_total_fen)) {
                return Err("the rows of the bill do not add up to its summary".to_owned());
            }
            if lines.next().is_some() {
                return Err("the bill goes on after its summary".to_owned());
            }
            return Ok(bill);
        }
        Err("the bill has no summary".to_owned())
    }
}

pub(super) fn at(index: usize, name: &str) -> String {
    format!("line {}: {name} is missing or unreadable", index + 1)
}

/// The sum; none when it does not fit.
pub(super) fn total(amounts: impl IntoIterator<Item = i64>) -> Option<i64> {
    amounts.into_iter().try_fold(0_i64, i64::checked_add)
}

/// Splits a row whose values each begin with a backtick.
pub(super) fn values(line: &str) -> Vec<&str> {
    line.trim_end().strip_prefix('`').unwrap_or(line).split(",`").collect()
}

pub(super) struct Columns<'a>(Vec<&'a str>);

impl<'a> Columns<'a> {
    pub(super) fn new(heading: &'a str) -> Self {
        Self(heading.trim_end().split(',').collect())
    }

    /// A heading of names that are all known, each once.
    pub(super) fn known(heading: &'a str, known: &[&str]) -> Result<Self, String> {
        let columns = Self::new(heading);
        for (index, name) in columns.0.iter().enumerate() {
            if !known.contains(name) {
                return Err(format!("column {} of the bill has a name that is not known", index + 1));
            }
            if columns.0[..index].contains(name) {
                return Err(format!("the bill has the column {name} twice"));
            }
        }
        Ok(columns)
    }

    /// Whether a row has a value for each column.
    pub(super) fn fits(&self, values: &[&str]) -> bool {
        self.0.len() == values.len()
    }

    pub(super) fn value<'v>(&self, values: &[&'v str], name: &'static str) -> Result<&'v str, &'static str> {
        let index = self.0.iter().position(|column| *column == name).ok_or(name)?;
        values.get(index).copied().ok_or(name)
    }

    fn row(&self, values: &[&str]) -> Result<BillRow, &'static str> {
        if !self.fits(values) {
            return Err("a column");
        }
        let text = |name| self.value(values, name);
        let money = |name| self.value(values, name).and_then(|text| fen(text).ok_or(name));
        let traded_at = moment(text("交易时间")?).ok_or("交易时间")?;
        let refund_id = text("微信退款单号")?;
        let refund = if matches!(refund_id, "" | "0") {
            None
        } else {
            Some(BillRefund {
                refund_id: refund_id.to_owned(),
                out_refund_no: text("商户退款单号")?.to_owned(),
                refund_fen: money("申请退款金额")?,
                state: text("退款状态")?.to_owned(),
            })
        };
        let sub_mchid = text("特约商户号")?;
        Ok(BillRow {
            traded_at,
            mchid: text("商户号")?.to_owned(),
            sub_mchid: (!matches!(sub_mchid, "" | "0")).then(|| sub_mchid.to_owned()),
            transaction_id: text("微信订单号")?.to_owned(),
            out_trade_no: text("商户订单号")?.to_owned(),
            trade_state: text("交易状态")?.to_owned(),
            order_fen: money("订单金额")?,
            fee_millifen: millifen(text("手续费")?).ok_or("手续费")?,
            refund,
        })
    }
}

/// Reads Beijing time without a zone.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok()?;
    Some((local - TimeDelta::hours(8)).and_utc())
}

/// Reads decimal yuan as fen; nothing when it is not a number or has a fraction of a fen.
pub(super) fn fen(yuan: &str) -> Option<i64> {
    decimal(yuan, 2)
}

/// Reads decimal yuan with up to five decimals, as fees have them, as thousandths of a fen.
fn millifen(yuan: &str) -> Option<i64> {
    decimal(yuan, 5)
}

/// Reads a decimal number as a count of its unit at `decimals` decimals; nothing when it is no number or is finer than that.
fn decimal(text: &str, decimals: u32) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let width = usize::try_from(decimals).ok()?;
    let (parts, rest) = fraction.split_at_checked(width).unwrap_or((fraction, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(parts) || rest.bytes().any(|byte| byte != b'0') {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let parts: i64 = format!("{parts:0<width$}").parse().ok()?;
    whole.checked_mul(10_i64.checked_pow(decimals)?)?.checked_add(parts)?.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn yuan_become_fen_without_rounding() {
        for (yuan, expected) in [
            ("0.00", Some(0)),
            ("120.05", Some(12_005)),
            ("0.5", Some(50)),
            ("7", Some(700)),
            ("-1.20", Some(-120)),
            ("-0.01", Some(-1)),
            ("0.06000", Some(6)),
            ("0.00100", None),
            ("", None),
            (".5", None),
            ("1.2.3", None),
            ("--1", None),
            ("1e2", None),
            ("92233720368547758.07", Some(i64::MAX)),
            ("92233720368547758.08", None),
        ] {
            assert_eq!(fen(yuan), expected, "{yuan}");
        }
    }

    #[test]
    fn a_comma_in_a_name_does_not_shift_the_columns() {
        let text = "交易时间,商户号,特约商户号,微信订单号,商户订单号,交易状态,微信退款单号,商户退款单号,商品名称,手续费,订单金额,申请退款金额\n\
            `2026-11-22 12:00:00,`19,`0,`42,`KH000001,`SUCCESS,`0,`0,`书法,绘画,`0.07200,`120.00,`0.00\n\
            总交易单数,订单总金额,申请退款总金额\n`1,`120.00,`0.00\n";

        let bill = TradeBill::parse(text).unwrap();

        assert_eq!((bill.rows[0].order_fen, bill.row_count), (12_000, 1));
        assert_eq!((bill.rows[0].mchid.as_str(), bill.rows[0].fee_millifen), ("19", 7_200));
    }

    #[test]
    fn c79_a_bill_that_does_not_add_up_or_says_more_than_is_known_is_refused() {
        let head = "交易时间,商户号,特约商户号,微信订单号,商户订单号,交易状态,微信退款单号,商户退款单号,退款状态,手续费,订单金额,申请退款金额";
        let row = "`2026-11-22 12:00:00,`19,`0,`42,`KH000001,`SUCCESS,`0,`0,`,`0.00000,`120.00,`0.00";
        let end = "总交易单数,订单总金额,申请退款总金额\n`1,`120.00,`0.00\n";
        let read = |text: String| TradeBill::parse(&text);
        assert!(read(format!("{head}\n{row}\n{end}")).is_ok());

        for text in [
            format!("{head},新列\n{row},`1\n{end}"),
            format!("{head},手续费\n{row},`0\n{end}"),
            format!("{head}\n{row},`1\n{end}"),
            format!("{head}\n{}\n{end}", row.replace("120.00", "120.01")),
            format!("{head}\n{}\n{end}", row.replace("120.00", "120.001")),
            format!("{head}\n{row}\n{end}{row}\n"),
        ] {
            assert!(TradeBill::parse(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_cut_or_miscounted_bill_is_refused() {
        assert!(TradeBill::parse("").is_err());
        assert!(TradeBill::parse("交易时间\n").is_err());
        let no_rows = "交易时间\n总交易单数,订单总金额,申请退款总金额\n`1,`120.00,`0.00\n";
        assert!(TradeBill::parse(no_rows).is_err());
        assert!(TradeBill::parse(&no_rows.replace("`1,`120", "`0,`0")).is_ok());
    }

    proptest! {
        #[test]
        fn every_amount_reads_as_it_was_written(amount_fen in 0_i64..=1_000_000_000_000) {
            prop_assert_eq!(fen(&format!("{}.{:02}", amount_fen / 100, amount_fen % 100)), Some(amount_fen));
        }

        #[test]
        fn no_text_makes_the_reader_fall_over(text in "\\PC{0,200}") {
            let _ = TradeBill::parse(&text);
        }
    }
}
