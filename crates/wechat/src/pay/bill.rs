//! The bill of a day: what WeChat thinks was paid and refunded, the safety net under every notification and query.
//!
//! The bill is CSV with a backtick before every value, because names and numbers may hold commas and leading zeros. Columns are
//! found by their heading, since older merchants get another set. Amounts are decimal yuan and become fen without rounding.

use chrono::NaiveDate;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use http::Method;
use reqwest::Url;
use serde::Deserialize;

use super::error::Effect;
use super::{Error, Mode, Pay};
use crate::crypto::bill_sha1;
use crate::http::{encode, target};

/// Longest bill read, in bytes.
const BILL_LIMIT: usize = 256 * 1024 * 1024;

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
}

#[derive(Deserialize)]
struct BillAnswer {
    hash_type: String,
    hash_value: String,
    download_url: String,
}

impl Pay {
    /// Fetches the trade bill of one Beijing day, all kinds. Available from 10:00 the next morning, for three months.
    ///
    /// Nothing when WeChat says there was no trade that day. A partner's bill is narrowed to the sub-merchant.
    ///
    /// # Errors
    /// [`Error`]. `Final` with `STATEMENT_CREATING` means: not ready, come back in half an hour. `Unverified` when the bytes
    /// are not those WeChat announced.
    #[tracing::instrument(name = "wechat.pay.trade_bill", skip_all, fields(%date))]
    pub async fn trade_bill(&self, date: NaiveDate) -> Result<Option<TradeBill>, Error> {
        let payee = match self.merchant.mode() {
            Mode::Direct { .. } => String::new(),
            Mode::Partner { sub_mchid, .. } => format!("&sub_mchid={}", encode(sub_mchid)),
        };
        let path = format!("/v3/bill/tradebill?bill_date={date}&bill_type=ALL{payee}");
        let answer = self.call_json::<BillAnswer>(Method::GET, &path, b"", Effect::Ordinary).await;
        let answer = match answer {
            Err(Error::Final { code, .. }) if code == "NO_STATEMENT_EXIST" => return Ok(None),
            answer => answer?,
        };
        let unknown = |why: &str| Error::Unknown { why: why.to_owned() };
        if answer.hash_type != "SHA1" {
            return Err(unknown("the bill's hash is not SHA1"));
        }
        // The address comes from a verified answer, yet only its path is used: the bill is fetched from the host we know.
        let url = Url::parse(&answer.download_url).map_err(|_| unknown("the bill's address is no URL"))?;
        if url.path() != "/v3/billdownload/file" {
            return Err(unknown("the bill's address is not a bill download"));
        }
        let file = self.exchange(Method::GET, &target(&url), b"", BILL_LIMIT).await?;
        if file.status != http::StatusCode::OK {
            return Err(unknown(&format!("the bill download answered {}", file.status.as_u16())));
        }
        if !bill_sha1(&file.body).eq_ignore_ascii_case(&answer.hash_value) {
            return Err(unknown("the bill is not the one announced"));
        }
        let text = std::str::from_utf8(&file.body).map_err(|_| unknown("the bill is not UTF-8"))?;
        TradeBill::parse(text).map(Some).map_err(|why| unknown(&why))
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
        let columns = Columns::new(heading);
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
            return Ok(bill);
        }
        Err("the bill has no summary".to_owned())
    }
}

fn at(index: usize, name: &str) -> String {
    format!("line {}: {name} is missing or unreadable", index + 1)
}

/// Splits a row whose values each begin with a backtick.
fn values(line: &str) -> Vec<&str> {
    line.trim_end().strip_prefix('`').unwrap_or(line).split(",`").collect()
}

struct Columns<'a>(Vec<&'a str>);

impl<'a> Columns<'a> {
    fn new(heading: &'a str) -> Self {
        Self(heading.trim_end().split(',').collect())
    }

    fn value<'v>(&self, values: &[&'v str], name: &'static str) -> Result<&'v str, &'static str> {
        let index = self.0.iter().position(|column| *column == name).ok_or(name)?;
        values.get(index).copied().ok_or(name)
    }

    fn row(&self, values: &[&str]) -> Result<BillRow, &'static str> {
        let text = |name| self.value(values, name);
        let money = |name| self.value(values, name).and_then(|text| fen(text).ok_or(name));
        let local =
            NaiveDateTime::parse_from_str(text("交易时间")?, "%Y-%m-%d %H:%M:%S").map_err(|_| "交易时间")?;
        let refund_id = text("微信退款单号")?;
        let refund = if matches!(refund_id, "" | "0") {
            None
        } else {
            Some(BillRefund {
                refund_id: refund_id.to_owned(),
                out_refund_no: text("商户退款单号")?.to_owned(),
                refund_fen: money("申请退款金额")?,
            })
        };
        let sub_mchid = text("特约商户号")?;
        Ok(BillRow {
            traded_at: (local - TimeDelta::hours(8)).and_utc(),
            sub_mchid: (!matches!(sub_mchid, "" | "0")).then(|| sub_mchid.to_owned()),
            transaction_id: text("微信订单号")?.to_owned(),
            out_trade_no: text("商户订单号")?.to_owned(),
            trade_state: text("交易状态")?.to_owned(),
            order_fen: money("订单金额")?,
            refund,
        })
    }
}

/// Reads decimal yuan as fen; nothing when it is not a number or has a fraction of a fen.
fn fen(yuan: &str) -> Option<i64> {
    let (sign, digits) = yuan.strip_prefix('-').map_or((1, yuan), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (cents, rest) = fraction.split_at_checked(2).unwrap_or((fraction, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(cents) || rest.bytes().any(|byte| byte != b'0') {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let cents: i64 = format!("{cents:0<2}").parse().ok()?;
    whole.checked_mul(100)?.checked_add(cents)?.checked_mul(sign)
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
        let text = "交易时间,特约商户号,微信订单号,商户订单号,交易状态,微信退款单号,商户退款单号,商品名称,订单金额,申请退款金额\n\
            `2026-11-22 12:00:00,`0,`42,`KH000001,`SUCCESS,`0,`0,`书法,绘画,`120.00,`0.00\n\
            总交易单数,订单总金额,申请退款总金额\n`1,`120.00,`0.00\n";

        let bill = TradeBill::parse(text).unwrap();

        assert_eq!((bill.rows[0].order_fen, bill.row_count), (12_000, 1));
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
