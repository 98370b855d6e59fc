//! The bill of yesterday.

use chrono::{NaiveDate, TimeDelta};
use serde_json::json;
use wechat::pay::{BillKind, FundBill};

use crate::support::Wire;

/// The Beijing day of the tests' clock.
fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 22).unwrap()
}

#[tokio::test]
async fn yesterdays_bill_lists_payments_and_refunds_to_the_fen() {
    let wire = Wire::start().await;
    wire.create_paid("KH000001").await;
    wire.create("KHUNPAID").await;
    let refund = wire.refund("KH000001", "R1", 1_234).to_json(wire.pay.merchant()).unwrap();
    wire.pay.refund(refund.as_bytes()).await.unwrap();
    wire.advance(TimeDelta::days(1));

    let bill = wire.pay.trade_bill(day()).await.unwrap().expect("there was trade");

    assert_eq!((bill.row_count, bill.order_total_fen, bill.refund_total_fen), (2, 12_000, 1_234));
    assert_eq!((bill.rows[0].order_fen, bill.rows[0].refund.is_none()), (12_000, true));
    let refund = bill.rows[1].refund.as_ref().expect("the refund's row");
    assert_eq!((refund.out_refund_no.as_str(), refund.refund_fen), ("R1", 1_234));
}

#[tokio::test]
async fn a_partner_gets_the_bill_of_one_school() {
    let wire = Wire::start().await;
    let other = wire.partner.with_merchant(wire.config.partner_merchant(1).unwrap());
    for (pay, number) in [(&wire.partner, "KHP00001"), (&other, "KHP00002")] {
        let json = wire.order(number).to_json(pay.merchant()).unwrap();
        pay.order(json.as_bytes()).await.unwrap();
        wire.control(&format!("orders/{number}/pay"), json!({})).await;
    }
    wire.advance(TimeDelta::days(1));

    let bill = wire.partner.trade_bill(day()).await.unwrap().expect("there was trade");

    assert_eq!(bill.rows.len(), 1);
    assert_eq!(bill.rows[0].sub_mchid.as_deref(), Some(wire.partner.merchant().payee_mchid()));
}

#[tokio::test]
async fn a_day_without_trade_has_no_bill_and_a_bill_is_not_ready_before_ten() {
    let wire = Wire::start().await;
    // The clock starts at 12:00 in Beijing; 21 h 59 m later it is 09:59.
    wire.create_paid("KH000001").await;

    wire.advance(TimeDelta::minutes(22 * 60 - 1));
    let early = wire.pay.trade_bill(day()).await.unwrap_err();
    assert_eq!(early.code(), Some("STATEMENT_CREATING"));
    wire.advance(TimeDelta::minutes(1));
    assert!(wire.pay.trade_bill(day()).await.unwrap().is_some());
    assert_eq!(wire.pay.trade_bill(day() - TimeDelta::days(1)).await, Ok(None));
    let today = wire.pay.trade_bill(day() + TimeDelta::days(1)).await.unwrap_err();
    assert_eq!(today.code(), Some("INVALID_REQUEST"));
}

#[tokio::test]
async fn c79_yesterdays_fund_bill_tells_what_moved_and_what_is_left() {
    let wire = Wire::start().await;
    wire.create_paid("KH000001").await;
    let refund = wire.refund("KH000001", "R1", 1_234).to_json(wire.pay.merchant()).unwrap();
    wire.pay.refund(refund.as_bytes()).await.unwrap();
    wire.advance(TimeDelta::days(1));

    let file = wire.pay.bill_file(BillKind::Fund, day()).await.unwrap().expect("something moved");
    let bill = FundBill::parse(&file.text).unwrap();

    let moved: Vec<_> = bill.rows.iter().map(|row| (row.amount_fen, row.balance_fen)).collect();
    assert_eq!(moved, [(12_000, 12_000), (-1_234, 10_766)]);
    assert_eq!(wire.partner.bill_file(BillKind::Fund, day()).await, Ok(None));
}

#[tokio::test]
async fn c79_a_bill_that_is_not_the_one_announced_is_refused_and_the_true_one_taken() {
    let wire = Wire::start().await;
    wire.create_paid("KH000001").await;
    wire.advance(TimeDelta::days(1));
    for kind in ["alter", "truncate"] {
        wire.control("faults", json!({ "target": "bill", "kind": kind, "count": 1 })).await;

        let refused = wire.pay.bill_file(BillKind::Trade, day()).await.unwrap_err();

        assert!(refused.to_string().contains("not the one announced"), "{kind}: {refused}");
    }
    assert!(wire.pay.bill_file(BillKind::Trade, day()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_difference_planted_in_a_bill_is_in_it_and_the_bill_still_adds_up() {
    for (kind, lines, total) in
        [("leave_out", 1, 12_000), ("double", 3, 36_000), ("amount", 2, 24_001), ("invent", 3, 24_100)]
    {
        let wire = Wire::start().await;
        wire.create_paid("KH000001").await;
        wire.create_paid("KH000002").await;
        wire.advance(TimeDelta::days(1));
        let number = if kind == "invent" { "STRANGE1" } else { "KH000001" };
        let change = json!({ "date": day(), "out_trade_no": number, "kind": kind });
        wire.control("bill-changes", change).await;

        let bill = wire.pay.trade_bill(day()).await.unwrap().expect("there was trade");

        assert_eq!((bill.row_count, bill.order_total_fen), (lines, total), "{kind}");
    }
}
