//! The trade bill of a day (ALL), column for column.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};

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

/// Beijing time, without zone.
pub(super) fn local(at: DateTime<Utc>) -> NaiveDateTime {
    at.naive_utc() + TimeDelta::hours(8)
}

/// Beijing time as WeChat writes it in JSON.
pub(super) fn rfc3339(at: DateTime<Utc>) -> String {
    local(at).format("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}

/// Writes one day's bill of one signing merchant, or nothing when there was no trade.
pub(super) fn trade_bill(
    store: &Store,
    mchid: &str,
    sub_mchid: Option<&str>,
    date: NaiveDate,
) -> Option<String> {
    let is_wanted = |own: &str, sub: Option<&str>| own == mchid && (sub_mchid.is_none() || sub == sub_mchid);
    let mut rows: Vec<(DateTime<Utc>, String)> = Vec::new();
    let (mut order_total_fen, mut refund_total_fen) = (0, 0);
    for order in store.orders.values() {
        let sub = order.sub_mchid.as_deref();
        let OrderState::Paid { transaction_id, amount_fen, openid, at } = &order.state else {
            continue;
        };
        if !is_wanted(&order.mchid, sub) {
            continue;
        }
        let row = |time: DateTime<Utc>, state: &str, order_fen: i64, refund: [&str; 4], refund_fen: i64| {
            let [refund_id, out_refund_no, refund_type, refund_state] = refund;
            row(&[
                &local(time).format("%Y-%m-%d %H:%M:%S").to_string(),
                &order.appid,
                mchid,
                sub.unwrap_or("0"),
                "",
                transaction_id,
                &order.out_trade_no,
                openid,
                "JSAPI",
                state,
                "OTHERS",
                "CNY",
                &yuan(order_fen),
                "0.00",
                refund_id,
                out_refund_no,
                &yuan(refund_fen),
                "0.00",
                refund_type,
                refund_state,
                &order.description,
                order.attach.as_deref().unwrap_or_default(),
                "0.00000",
                "0.00%",
                &yuan(order_fen),
                &yuan(refund_fen),
                "",
            ])
        };
        if local(*at).date() == date {
            order_total_fen += amount_fen;
            rows.push((*at, row(*at, "SUCCESS", *amount_fen, ["0", "0", "", ""], 0)));
        }
        for refund in store.refunds_of(order) {
            if local(refund.created_at).date() != date || refund.state == RefundState::Closed {
                continue;
            }
            refund_total_fen += refund.refund_fen;
            let columns = [&refund.refund_id, &refund.out_refund_no, "ORIGINAL", refund.state.word()];
            rows.push((refund.created_at, row(refund.created_at, "REFUND", 0, columns, refund.refund_fen)));
        }
    }
    if rows.is_empty() {
        return None;
    }
    // Stable, so that a refund in its payment's second still follows it.
    rows.sort_by_key(|(time, _)| *time);
    let mut text = format!("\u{feff}{COLUMNS}\r\n");
    for (_, row) in &rows {
        text.push_str(row);
    }
    let summary = [
        &rows.len().to_string(),
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
