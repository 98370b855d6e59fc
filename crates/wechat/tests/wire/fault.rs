//! Bad days: each fault strikes, is counted, and the client draws the right conclusion.

use serde_json::json;
use wechat::pay::{Error, OrderState};

use crate::support::Wire;

#[tokio::test]
async fn an_order_whose_answer_is_lost_is_unknown_and_the_query_finds_it() {
    let wire = Wire::start().await;
    wire.control("faults", json!({ "target": "order", "kind": "drop_after_commit", "count": 1 })).await;
    let json = wire.order("KH000001").to_json(wire.pay.merchant()).unwrap();

    let lost = wire.pay.order(json.as_bytes()).await.unwrap_err();

    assert!(matches!(lost, Error::Unknown { .. }), "{lost:?}");
    assert_eq!(wire.fired().await, [1]);
    assert_eq!(wire.pay.query("KH000001").await, Ok(OrderState::Unpaid));
    assert!(wire.pay.order(json.as_bytes()).await.is_ok(), "the identical request takes it up again");
}

#[tokio::test]
async fn an_order_that_never_arrived_is_just_as_unknown_and_the_query_denies_it() {
    let wire = Wire::start().await;
    wire.control("faults", json!({ "target": "order", "kind": "lose", "count": 1 })).await;
    let json = wire.order("KH000001").to_json(wire.pay.merchant()).unwrap();

    let lost = wire.pay.order(json.as_bytes()).await.unwrap_err();

    assert!(lost.is_unknown(), "{lost:?}");
    assert!(wire.pay.query("KH000001").await.unwrap_err().is_not_exist());
}

#[tokio::test]
async fn a_refund_whose_answer_is_lost_is_found_by_its_number() {
    let wire = Wire::start().await;
    wire.create_paid("KH000001").await;
    wire.control("faults", json!({ "target": "refund", "kind": "drop_after_commit", "count": 1 })).await;
    let json = wire.refund("KH000001", "R1", 12_000).to_json(wire.pay.merchant()).unwrap();

    assert!(wire.pay.refund(json.as_bytes()).await.unwrap_err().is_unknown());

    let found = wire.pay.query_refund("R1").await.unwrap();
    assert_eq!(wire.pay.refund(json.as_bytes()).await.unwrap().refund_id, found.refund_id);
}

#[tokio::test]
async fn a_close_whose_answer_is_lost_is_settled_by_the_query() {
    let wire = Wire::start().await;
    wire.create("KH000001").await;
    wire.control("faults", json!({ "target": "close", "kind": "drop_after_commit", "count": 1 })).await;

    assert!(wire.pay.close("KH000001").await.unwrap_err().is_unknown());

    assert_eq!(wire.pay.query("KH000001").await, Ok(OrderState::Closed));
}

#[tokio::test]
async fn a_forged_answer_is_never_used() {
    let wire = Wire::start().await;
    wire.create("KH000001").await;
    for target in ["query", "close"] {
        wire.control("faults", json!({ "target": target, "kind": "forge", "count": 1 })).await;
    }

    let query = wire.pay.query("KH000001").await.unwrap_err();
    let close = wire.pay.close("KH000001").await.unwrap_err();

    let unverified = |error: &Error, expected| matches!(error, Error::Unverified { status, why: wechat::pay::VerifyError::Signature } if *status == expected);
    assert!(unverified(&query, 200), "{query:?}");
    assert!(unverified(&close, 204), "an empty answer is verified too: {close:?}");
    assert_eq!(wire.fired().await, [1, 1]);
}

#[tokio::test]
async fn the_same_busy_answer_means_not_done_for_an_order_and_unknown_for_a_refund() {
    let wire = Wire::start().await;
    wire.create_paid("KHPAID01").await;
    for target in ["order", "refund"] {
        let fault = json!({ "target": target, "kind": "error", "status": 429, "code": "FREQUENCY_LIMITED", "count": 1 });
        wire.control("faults", fault).await;
    }
    let order = wire.order("KH000002").to_json(wire.pay.merchant()).unwrap();
    let refund = wire.refund("KHPAID01", "R1", 1).to_json(wire.pay.merchant()).unwrap();

    let order = wire.pay.order(order.as_bytes()).await.unwrap_err();
    let refund = wire.pay.refund(refund.as_bytes()).await.unwrap_err();

    assert!(matches!(order, Error::Rejected { status: 429, .. }), "{order:?}");
    assert!(matches!(refund, Error::Unknown { .. }), "{refund:?}");
}

#[tokio::test]
async fn an_answer_later_than_the_time_limit_is_unknown() {
    let wire = Wire::start().await;
    wire.create("KH000001").await;
    wire.control("faults", json!({ "target": "query", "kind": "delay", "delay_ms": 10_000, "count": 1 }))
        .await;
    let settings = wechat::pay::Settings {
        timeout: std::time::Duration::from_secs(2),
        ..wire.config.pay_settings(&wire.base_url)
    };
    let merchant = wire.config.direct_merchant().unwrap();
    let hurried = wechat::pay::Pay::new(&settings, merchant, std::sync::Arc::clone(&wire.now)).unwrap();

    let late = hurried.query("KH000001").await.unwrap_err();

    assert!(matches!(late, Error::Unknown { .. }), "{late:?}");
    assert_eq!(wire.fired().await, [1]);
}

#[tokio::test]
async fn a_fault_that_cannot_strike_is_refused_instead_of_waiting_for_ever() {
    let wire = Wire::start().await;

    for fault in [
        json!({ "target": "notify", "kind": "drop_after_commit", "count": 1 }),
        json!({ "target": "order", "kind": "duplicate", "count": 1 }),
        json!({ "target": "login", "kind": "forge", "count": 1 }),
    ] {
        assert_eq!(wire.try_control("faults", fault).await.0, http::StatusCode::BAD_REQUEST);
    }
}
