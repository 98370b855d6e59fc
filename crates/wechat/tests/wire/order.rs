//! Orders: create, repeat, pay, query, close.

use chrono::TimeDelta;
use serde_json::{Value, json};
use wechat::pay::{Error, Expected, Mismatch, OrderState};

use crate::support::{OPENID, Wire};

fn code(error: &Error) -> &str {
    error.code().unwrap_or_default()
}

#[tokio::test]
async fn an_order_is_paid_by_its_sheet_and_query_and_notification_agree() {
    let wire = Wire::start().await;
    let prepay_id = wire.create("KH000001").await;
    assert_eq!(wire.pay.query("KH000001").await, Ok(OrderState::Unpaid));

    let sheet = wire.pay.sheet(&prepay_id).unwrap();
    wire.control("request-payment", serde_json::to_value(&sheet).unwrap()).await;

    let OrderState::Paid(queried) = wire.pay.query("KH000001").await.unwrap() else { panic!("not paid") };
    let notified = wire.next().await.unwrap().notified;
    assert_eq!(notified, wechat::pay::Notified::Payment(queried.clone()));
    assert_eq!(
        (queried.amount_fen, queried.openid.as_str(), queried.attach.as_str()),
        (12_000, OPENID, "invoice")
    );
    let expected = Expected {
        merchant: wire.pay.merchant(),
        out_trade_no: "KH000001",
        amount_fen: 12_000,
        openid: OPENID,
    };
    assert_eq!(queried.check(expected), Ok(()));
    let other = Expected { amount_fen: 11_999, ..expected };
    assert_eq!(queried.check(other), Err(Mismatch::Amount { paid_fen: 12_000, expected_fen: 11_999 }));
    let partner = Expected { merchant: wire.partner.merchant(), ..expected };
    assert_eq!(queried.check(partner), Err(Mismatch::Merchant));
}

#[tokio::test]
async fn a_partner_orders_queries_and_closes_for_its_school() {
    let wire = Wire::start().await;
    let json = wire.order("KHP00001").to_json(wire.partner.merchant()).unwrap();
    assert!(json.contains("sub_mchid") && json.contains("sp_openid"), "{json}");
    let prepay_id = wire.partner.order(json.as_bytes()).await.unwrap().prepay_id;
    assert_eq!(wire.partner.query("KHP00001").await, Ok(OrderState::Unpaid));

    wire.control("request-payment", serde_json::to_value(wire.partner.sheet(&prepay_id).unwrap()).unwrap())
        .await;

    let OrderState::Paid(payment) = wire.partner.query("KHP00001").await.unwrap() else { panic!("not paid") };
    assert_eq!(wire.next().await.unwrap().notified, wechat::pay::Notified::Payment(payment.clone()));
    assert_eq!(payment.sub_mchid.as_deref(), Some(wire.partner.merchant().payee_mchid()));
    let expected = Expected {
        merchant: wire.partner.merchant(),
        out_trade_no: "KHP00001",
        amount_fen: 12_000,
        openid: OPENID,
    };
    assert_eq!(payment.check(expected), Ok(()));

    let other_school = wire.partner.with_merchant(wire.config.partner_merchant(1).unwrap());
    assert!(other_school.query("KHP00001").await.unwrap_err().is_not_exist());
    let json = wire.order("KHP00002").to_json(wire.partner.merchant()).unwrap();
    wire.partner.order(json.as_bytes()).await.unwrap();
    wire.partner.close("KHP00002").await.unwrap();
    assert_eq!(wire.partner.query("KHP00002").await, Ok(OrderState::Closed));
}

#[tokio::test]
async fn the_same_bytes_again_give_a_fresh_prepay_id_and_other_content_is_refused() {
    let wire = Wire::start().await;
    let json = wire.order("KH000001").to_json(wire.pay.merchant()).unwrap();
    let first = wire.pay.order(json.as_bytes()).await.unwrap();

    let again = wire.pay.order(json.as_bytes()).await.unwrap();
    let other = json.replace("12000", "11000");
    let refused = wire.pay.order(other.as_bytes()).await.unwrap_err();

    assert_ne!(first.prepay_id, again.prepay_id);
    assert_eq!(code(&refused), "INVALID_REQUEST");
}

#[tokio::test]
async fn a_paid_or_closed_or_expired_number_cannot_be_ordered_again() {
    let wire = Wire::start().await;
    let json = |number: &str| wire.order(number).to_json(wire.pay.merchant()).unwrap();
    let (paid, closed, expired) = (json("KHPAID01"), json("KHCLOSED"), json("KHEXPIRE"));
    for order in [&paid, &closed, &expired] {
        wire.pay.order(order.as_bytes()).await.unwrap();
    }
    wire.control("orders/KHPAID01/pay", json!({})).await;
    wire.pay.close("KHCLOSED").await.unwrap();
    wire.advance(TimeDelta::minutes(15));

    let again = async |order: &str| wire.pay.order(order.as_bytes()).await.unwrap_err();

    assert_eq!(code(&again(&paid).await), "ORDERPAID");
    assert_eq!(code(&again(&closed).await), "ORDER_CLOSED");
    assert_eq!(code(&again(&expired).await), "ORDER_CLOSED");
}

#[tokio::test]
async fn the_last_second_to_pay_is_the_one_before_expiry() {
    let wire = Wire::start().await;
    wire.create("KHINTIME").await;
    wire.create("KHTOOLAT").await;

    wire.advance(TimeDelta::minutes(15) - TimeDelta::seconds(1));
    wire.control("orders/KHINTIME/pay", json!({})).await;
    wire.advance(TimeDelta::seconds(1));
    let (status, _) = wire.try_control("orders/KHTOOLAT/pay", json!({})).await;

    assert_eq!(status, http::StatusCode::CONFLICT);
    assert_eq!(wire.pay.query("KHTOOLAT").await, Ok(OrderState::Unpaid));
}

#[tokio::test]
async fn closing_is_repeatable_and_a_paid_order_does_not_close() {
    let wire = Wire::start().await;
    wire.create("KHCLOSED").await;
    wire.create_paid("KHPAID01").await;

    wire.pay.close("KHCLOSED").await.unwrap();
    wire.pay.close("KHCLOSED").await.unwrap();
    let refused = wire.pay.close("KHPAID01").await.unwrap_err();

    assert_eq!(wire.pay.query("KHCLOSED").await, Ok(OrderState::Closed));
    assert_eq!(code(&refused), "ORDERPAID");
    let (status, _) = wire.try_control("orders/KHCLOSED/pay", json!({})).await;
    assert_eq!(status, http::StatusCode::CONFLICT);
}

#[tokio::test]
async fn an_unknown_order_is_told_apart_from_every_other_refusal() {
    let wire = Wire::start().await;

    let unknown = wire.pay.query("KHNOBODY").await.unwrap_err();

    assert!(unknown.is_not_exist() && !unknown.is_unknown());
    assert!(wire.pay.close("KHNOBODY").await.unwrap_err().is_not_exist());
}

#[tokio::test]
async fn an_order_nobody_closes_closes_itself_after_seven_days() {
    let wire = Wire::start().await;
    wire.create("KHFORGOT").await;

    wire.advance(TimeDelta::days(7) - TimeDelta::seconds(1));
    assert_eq!(wire.pay.query("KHFORGOT").await, Ok(OrderState::Unpaid));
    wire.advance(TimeDelta::seconds(1));
    assert_eq!(wire.pay.query("KHFORGOT").await, Ok(OrderState::Closed));
}

#[tokio::test]
async fn money_that_arrives_after_closing_is_reported_as_paid() {
    let wire = Wire::start().await;
    wire.create("KHLATE01").await;
    wire.pay.close("KHLATE01").await.unwrap();

    wire.control("late-success/KHLATE01", json!({})).await;

    assert!(matches!(wire.next().await.unwrap().notified, wechat::pay::Notified::Payment(_)));
    assert!(matches!(wire.pay.query("KHLATE01").await, Ok(OrderState::Paid(_))));
}

#[tokio::test]
async fn what_wechat_cannot_hold_is_dropped_from_the_description() {
    let wire = Wire::start().await;
    let order = wechat::pay::OrderRequest {
        description: "𠮷老师的书法课😀".to_owned(),
        ..wire.order("KHRARE01")
    };

    let json = order.to_json(wire.pay.merchant()).unwrap();

    assert!(json.contains("老师的书法课\""), "{json}");
    assert!(wire.pay.order(json.as_bytes()).await.is_ok());
}

#[tokio::test]
async fn the_sandbox_refuses_what_wechat_refuses() {
    let wire = Wire::start().await;
    let good: Value =
        serde_json::from_str(&wire.order("KH000001").to_json(wire.pay.merchant()).unwrap()).unwrap();
    let with = |path: &str, value: Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(path).unwrap() = value;
        changed
    };
    let added = |name: &str| {
        let mut changed = good.clone();
        changed[name] = json!("x");
        changed
    };

    for (body, expected) in [
        (with("/out_trade_no", json!("short")), "PARAM_ERROR"),
        (with("/out_trade_no", json!("KH 00001")), "PARAM_ERROR"),
        (with("/amount/total", json!(0)), "PARAM_ERROR"),
        (with("/amount/total", json!("120")), "PARAM_ERROR"),
        (with("/amount/currency", json!("USD")), "PARAM_ERROR"),
        (with("/description", json!("a😀")), "PARAM_ERROR"),
        (with("/description", json!("字".repeat(128))), "PARAM_ERROR"),
        (with("/attach", Value::Null), "PARAM_ERROR"),
        (with("/notify_url", json!("http://127.0.0.1/notify?a=1")), "PARAM_ERROR"),
        (with("/appid", json!("wx0000000000000000")), "APPID_MCHID_NOT_MATCH"),
        (with("/mchid", json!("1900000000")), "PARAM_ERROR"),
        (added("surprise"), "PARAM_ERROR"),
        (added("sub_mchid"), "PARAM_ERROR"),
    ] {
        let refused = wire.pay.order(body.to_string().as_bytes()).await.unwrap_err();
        assert_eq!(code(&refused), expected, "{body}");
    }
    assert_eq!(code(&wire.pay.order(b"not json").await.unwrap_err()), "PARAM_ERROR");
}

#[tokio::test]
async fn plain_http_notify_urls_can_be_forbidden() {
    let wire = Wire::start_with(|config| config.allow_http_notify = false).await;
    let json = wire.order("KH000001").to_json(wire.pay.merchant()).unwrap();

    assert_eq!(code(&wire.pay.order(json.as_bytes()).await.unwrap_err()), "PARAM_ERROR");
}

#[tokio::test]
async fn a_request_signed_at_the_wrong_time_or_by_the_wrong_key_is_refused() {
    let wire = Wire::start().await;
    let offset = |minutes: i64| -> wechat::Now {
        let now = std::sync::Arc::clone(&wire.now);
        std::sync::Arc::new(move || now() + TimeDelta::minutes(minutes))
    };
    let settings = wire.config.pay_settings(&wire.base_url);
    for minutes in [-6, 6] {
        let merchant = wire.config.direct_merchant().unwrap();
        let skewed = wechat::pay::Pay::new(&settings, merchant, offset(minutes)).unwrap();
        assert_eq!(code(&skewed.query("KH000001").await.unwrap_err()), "SIGN_ERROR");
    }

    let mut config = wire.config.clone();
    let other_key = config.merchants[1].private_key_pem.clone();
    config.merchants[0].private_key_pem = other_key;
    let merchant = config.direct_merchant().unwrap();
    let imposter = wechat::pay::Pay::new(&settings, merchant, offset(0)).unwrap();
    assert_eq!(code(&imposter.query("KH000001").await.unwrap_err()), "SIGN_ERROR");
}

#[tokio::test]
async fn a_pay_sheet_signed_for_something_else_does_not_pay() {
    let wire = Wire::start().await;
    let prepay_id = wire.create("KH000001").await;
    let mut sheet = wire.pay.sheet(&prepay_id).unwrap();
    sheet.nonce_str = "A".repeat(32);

    let (status, _) = wire.try_control("request-payment", serde_json::to_value(&sheet).unwrap()).await;

    assert_eq!(status, http::StatusCode::BAD_REQUEST);
    assert_eq!(wire.pay.query("KH000001").await, Ok(OrderState::Unpaid));
}

#[tokio::test]
async fn nobody_listening_means_not_sent() {
    let wire = Wire::start().await;
    // Port 9 on loopback: nothing listens there.
    let settings = wechat::pay::Settings {
        base_url: "http://127.0.0.1:9".to_owned(),
        ..wire.config.pay_settings(&wire.base_url)
    };
    let merchant = wire.config.direct_merchant().unwrap();
    let pay = wechat::pay::Pay::new(&settings, merchant.clone(), std::sync::Arc::clone(&wire.now)).unwrap();
    let error = pay.query("KH000001").await.unwrap_err();
    assert!(matches!(error, Error::NotSent { .. }), "{error:?}");

    let settings = wechat::pay::Settings { backup_base_url: Some(wire.base_url.clone()), ..settings };
    let pay = wechat::pay::Pay::new(&settings, merchant, std::sync::Arc::clone(&wire.now)).unwrap();
    assert!(pay.query("KH000001").await.unwrap_err().is_not_exist(), "the backup host answers");
}
