//! Notifications: forged ones are refused, genuine ones come again, whatever the order.

use serde_json::json;
use wechat::pay::{Mismatch, NotificationError, Notified, VerifyError};

use crate::support::{OPENID, Wire};

fn order_no(notified: &Notified) -> &str {
    match notified {
        Notified::Payment(payment) => &payment.out_trade_no,
        Notified::Refund(_) | Notified::Other { .. } => panic!("not a payment"),
    }
}

async fn pay(wire: &Wire, out_trade_no: &str) {
    wire.create(out_trade_no).await;
    wire.control(&format!("orders/{out_trade_no}/pay"), json!({})).await;
}

#[tokio::test]
async fn every_kind_of_forgery_is_refused_for_its_own_reason() {
    let wire = Wire::start().await;
    wire.create("KH000001").await;

    for (kind, is_expected) in [
        ("bad_signature", (|why| why == VerifyError::Signature) as fn(VerifyError) -> bool),
        ("tampered", |why| why == VerifyError::Signature),
        ("probe", |why| why == VerifyError::Probe),
        ("stale", |why| why == VerifyError::Skew { seconds: 600 }),
        ("unknown_serial", |why| matches!(why, VerifyError::UnknownSerial { .. })),
    ] {
        let answer = wire.control("forge", json!({ "out_trade_no": "KH000001", "kind": kind })).await;

        assert_eq!(answer["status"], 401, "{kind}");
        let NotificationError::Unverified(why) = wire.next().await.unwrap_err() else { panic!("{kind}") };
        assert!(is_expected(why.clone()), "{kind}: {why:?}");
    }
}

#[tokio::test]
async fn after_a_probe_the_real_notification_follows() {
    let wire = Wire::start().await;
    wire.control("faults", json!({ "target": "notify", "kind": "probe", "count": 1 })).await;
    wire.control("faults", json!({ "target": "notify", "kind": "forge", "count": 1 })).await;

    pay(&wire, "KH000001").await;

    assert_eq!(wire.next().await, Err(NotificationError::Unverified(VerifyError::Signature)));
    assert_eq!(wire.next().await, Err(NotificationError::Unverified(VerifyError::Probe)));
    assert_eq!(order_no(&wire.next().await.unwrap().notified), "KH000001");
    assert_eq!(wire.fired().await, [1, 1]);
    assert!(wire.is_quiet().await, "once accepted it does not come again");
}

#[tokio::test]
async fn a_lost_notification_comes_again() {
    let wire = Wire::start().await;
    wire.control("faults", json!({ "target": "notify", "kind": "lose", "count": 2 })).await;

    pay(&wire, "KH000001").await;

    assert_eq!(order_no(&wire.next().await.unwrap().notified), "KH000001");
    assert_eq!(wire.fired().await, [2]);
    let notifications = wire.look("notifications").await;
    assert_eq!(notifications["notifications"][0]["attempts"], json!([0, 0, 204]));
}

#[tokio::test]
async fn a_duplicate_is_the_same_notification_twice() {
    let wire = Wire::start().await;
    wire.control("faults", json!({ "target": "notify", "kind": "duplicate", "count": 1 })).await;

    pay(&wire, "KH000001").await;

    let (first, second) = (wire.next().await.unwrap(), wire.next().await.unwrap());
    assert_eq!(first, second);
    assert_eq!(wire.fired().await, [1]);
}

#[tokio::test]
async fn a_reordered_notification_arrives_after_a_later_one() {
    let wire = Wire::start().await;
    wire.control("faults", json!({ "target": "notify", "kind": "reorder", "count": 1 })).await;

    pay(&wire, "KHFIRST1").await;
    // The first has to be waiting before the second overtakes it.
    while wire.fired().await != [1] {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    pay(&wire, "KHSECOND").await;

    assert_eq!(order_no(&wire.next().await.unwrap().notified), "KHSECOND");
    assert_eq!(order_no(&wire.next().await.unwrap().notified), "KHFIRST1");
}

#[tokio::test]
async fn wechats_other_key_is_believed_too() {
    let wire = Wire::start().await;
    wire.control("faults", json!({ "target": "notify", "kind": "other_key", "count": 1 })).await;

    pay(&wire, "KH000001").await;

    assert_eq!(order_no(&wire.next().await.unwrap().notified), "KH000001");
    assert_eq!(wire.fired().await, [1]);
}

#[tokio::test]
async fn a_genuine_payment_of_another_amount_or_payer_does_not_pass_the_check() {
    let wire = Wire::start().await;
    wire.create("KHAMOUNT").await;
    wire.create("KHPAYER1").await;

    wire.control("orders/KHAMOUNT/pay", json!({ "amount_fen": 1 })).await;
    let amount = wire.next().await.unwrap().notified;
    wire.control("orders/KHPAYER1/pay", json!({ "openid": "oSomeoneElse" })).await;
    let payer = wire.next().await.unwrap().notified;

    let check = |notified: Notified| {
        let Notified::Payment(payment) = notified else { panic!("not a payment") };
        payment.check(wechat::pay::Expected {
            merchant: wire.pay.merchant(),
            out_trade_no: &payment.out_trade_no,
            amount_fen: 12_000,
            openid: OPENID,
        })
    };
    assert_eq!(check(amount), Err(Mismatch::Amount { paid_fen: 1, expected_fen: 12_000 }));
    assert_eq!(check(payer), Err(Mismatch::Payer));
}
