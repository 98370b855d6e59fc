//! Refunds: accepted, ended, repeated, limited.

use chrono::TimeDelta;
use serde_json::json;
use wechat::pay::{Error, Notified, OrderState, Pay, Refund, RefundRequest, RefundState};

use crate::support::Wire;

async fn ask(pay: &Pay, request: &RefundRequest) -> Result<Refund, Error> {
    pay.refund(request.to_json(pay.merchant()).unwrap().as_bytes()).await
}

async fn refused(pay: &Pay, request: &RefundRequest) -> String {
    ask(pay, request).await.unwrap_err().code().unwrap_or("unknown").to_owned()
}

#[tokio::test]
async fn a_refund_is_accepted_then_ends_and_is_notified() {
    let wire = Wire::start().await;
    wire.create_paid("KH000001").await;

    let accepted = ask(&wire.pay, &wire.refund("KH000001", "R1", 5_000)).await.unwrap();

    assert_eq!(
        (accepted.state, accepted.refund_fen, accepted.total_fen),
        (RefundState::Processing, 5_000, 12_000)
    );
    let Notified::Refund(notice) = wire.next().await.unwrap().notified else { panic!("not a refund") };
    assert_eq!(notice.out_refund_no, "R1");
    assert!(matches!(notice.state, RefundState::Succeeded { .. }));
    assert_eq!(wire.pay.query_refund("R1").await.unwrap().state, notice.state);
    assert!(matches!(wire.pay.query("KH000001").await, Ok(OrderState::RefundAsked(_))));
}

#[tokio::test]
async fn a_partner_refunds_for_its_school() {
    let wire = Wire::start().await;
    let json = wire.order("KHP00001").to_json(wire.partner.merchant()).unwrap();
    wire.partner.order(json.as_bytes()).await.unwrap();
    wire.control("orders/KHP00001/pay", json!({})).await;
    wire.next().await.unwrap();

    ask(&wire.partner, &wire.refund("KHP00001", "R1", 12_000)).await.unwrap();

    let Notified::Refund(notice) = wire.next().await.unwrap().notified else { panic!("not a refund") };
    assert_eq!(notice.sub_mchid.as_deref(), Some(wire.partner.merchant().payee_mchid()));
    assert!(matches!(wire.partner.query_refund("R1").await.unwrap().state, RefundState::Succeeded { .. }));
    assert!(
        wire.pay.query_refund("R1").await.unwrap_err().is_not_exist(),
        "another merchant does not see it"
    );
    let books = wire.look("books").await;
    let payee =
        format!("{}/{}", wire.partner.merchant().signer_mchid(), wire.partner.merchant().payee_mchid());
    assert_eq!(
        (books[&payee]["paid_fen"].as_i64(), books[&payee]["refunded_fen"].as_i64()),
        (Some(12_000), Some(12_000))
    );
}

#[tokio::test]
async fn the_same_refund_again_moves_money_once_and_other_content_is_refused() {
    let wire = Wire::start().await;
    wire.create_paid("KH000001").await;
    let first = ask(&wire.pay, &wire.refund("KH000001", "R1", 5_000)).await.unwrap();

    let again = ask(&wire.pay, &wire.refund("KH000001", "R1", 5_000)).await.unwrap();

    assert_eq!(first.refund_id, again.refund_id);
    assert_eq!(refused(&wire.pay, &wire.refund("KH000001", "R1", 4_000)).await, "INVALID_REQUEST");
    let books = wire.look("books").await;
    assert_eq!(books[wire.pay.merchant().payee_mchid()]["refunded_fen"], 5_000);
}

#[tokio::test]
async fn refunds_never_exceed_what_was_paid() {
    let wire = Wire::start_with(|config| config.refund_interval_seconds = 0).await;
    wire.create_paid("KH000001").await;
    ask(&wire.pay, &wire.refund("KH000001", "R1", 7_000)).await.unwrap();

    assert_eq!(refused(&wire.pay, &wire.refund("KH000001", "R2", 5_001)).await, "INVALID_REQUEST");
    ask(&wire.pay, &wire.refund("KH000001", "R3", 5_000)).await.unwrap();
    assert_eq!(refused(&wire.pay, &wire.refund("KH000001", "R4", 1)).await, "INVALID_REQUEST");
}

#[tokio::test]
async fn two_refunds_of_one_order_are_a_minute_apart_and_the_hurried_one_counts_as_unknown() {
    let wire = Wire::start().await;
    wire.create_paid("KH000001").await;
    ask(&wire.pay, &wire.refund("KH000001", "R1", 1_000)).await.unwrap();

    wire.advance(TimeDelta::seconds(59));
    let hurried = ask(&wire.pay, &wire.refund("KH000001", "R2", 1_000)).await.unwrap_err();
    assert!(hurried.is_unknown(), "{hurried:?}");
    assert!(wire.pay.query_refund("R2").await.unwrap_err().is_not_exist());
    wire.advance(TimeDelta::seconds(1));
    ask(&wire.pay, &wire.refund("KH000001", "R2", 1_000)).await.unwrap();
}

#[tokio::test]
async fn the_fiftieth_refund_is_the_last() {
    let wire = Wire::start_with(|config| config.refund_interval_seconds = 0).await;
    wire.create_paid("KH000001").await;

    for index in 1..=50 {
        ask(&wire.pay, &wire.refund("KH000001", &format!("R{index}"), 1)).await.unwrap();
    }

    assert_eq!(refused(&wire.pay, &wire.refund("KH000001", "R51", 1)).await, "INVALID_REQUEST");
}

#[tokio::test]
async fn a_payment_can_be_refunded_for_365_days() {
    let wire = Wire::start_with(|config| config.refund_interval_seconds = 0).await;
    wire.create_paid("KH000001").await;

    wire.advance(TimeDelta::days(365));
    ask(&wire.pay, &wire.refund("KH000001", "R1", 1)).await.unwrap();
    wire.advance(TimeDelta::seconds(1));
    assert_eq!(refused(&wire.pay, &wire.refund("KH000001", "R2", 1)).await, "INVALID_REQUEST");
}

#[tokio::test]
async fn unpaid_unknown_and_misquoted_orders_are_not_refunded() {
    let wire = Wire::start().await;
    wire.create("KHUNPAID").await;
    wire.create_paid("KHPAID01").await;

    assert_eq!(refused(&wire.pay, &wire.refund("KHUNPAID", "R1", 1)).await, "INVALID_REQUEST");
    assert_eq!(refused(&wire.pay, &wire.refund("KHNOBODY", "R2", 1)).await, "RESOURCE_NOT_EXISTS");
    let misquoted = RefundRequest { total_fen: 12_001, ..wire.refund("KHPAID01", "R3", 1) };
    assert_eq!(refused(&wire.pay, &misquoted).await, "INVALID_REQUEST");
}

#[tokio::test]
async fn a_refund_can_end_badly_and_a_closed_one_frees_the_amount() {
    let wire = Wire::start_with(|config| config.refund_interval_seconds = 0).await;
    wire.create_paid("KH000001").await;
    wire.control("faults", json!({ "target": "refund", "kind": "refund_closed", "count": 1 })).await;
    ask(&wire.pay, &wire.refund("KH000001", "R1", 12_000)).await.unwrap();
    let Notified::Refund(closed) = wire.next().await.unwrap().notified else { panic!("not a refund") };
    assert_eq!(closed.state, RefundState::Closed);

    wire.control("faults", json!({ "target": "refund", "kind": "abnormal", "count": 1 })).await;
    ask(&wire.pay, &wire.refund("KH000001", "R2", 12_000)).await.unwrap();

    let Notified::Refund(abnormal) = wire.next().await.unwrap().notified else { panic!("not a refund") };
    assert_eq!(abnormal.state, RefundState::Abnormal);
    assert_eq!(wire.pay.query_refund("R2").await.unwrap().state, RefundState::Abnormal);
    assert_eq!(wire.fired().await, [1, 1]);
}

#[tokio::test]
async fn many_refunds_at_once_never_give_back_more_than_was_paid() {
    for round in 0..5 {
        let wire = Wire::start_with(|config| config.refund_interval_seconds = 0).await;
        wire.create_paid("KH000001").await;

        // Twenty different ones of 1,000 fen out of 12,000, each sent twice.
        let asks = (0..40).map(|index| {
            let (pay, refund) =
                (wire.pay.clone(), wire.refund("KH000001", &format!("R{}", index / 2), 1_000));
            async move { ask(&pay, &refund).await }
        });
        let answers = futures::future::join_all(asks).await;

        let accepted = answers.iter().filter_map(|answer| answer.as_ref().ok());
        let ids = accepted.map(|refund| &refund.refund_id).collect::<std::collections::HashSet<_>>();
        assert_eq!(ids.len(), 12, "round {round}");
        let books = wire.look("books").await;
        assert_eq!(books[wire.pay.merchant().payee_mchid()]["refunded_fen"], 12_000, "round {round}");
    }
}
