//! Notifications: every one is taken once, and only what is WeChat's and pays its order is credited.

use proto::billing::v1 as pb;
use proto::billing::v1::close_invoice_response::Outcome;
use proto::billing::v1::invoice::State;
use proto::billing::v1::refund;
use serde_json::json;
use wechat::sandbox::{FaultKind, FaultTarget};

use crate::pay::held;
use crate::world::{reason, zhuzhou};

#[tokio::test]
async fn c65_a_doubled_notification_is_one_payment() {
    for world in zhuzhou().await {
        let section = world.section(&[(1, 15, 3)]).await;
        world.publish(pb::tariff::Basis::ClassHour, 500).await;
        for round in 1..=5 {
            let family = world.family().await;
            let seat = world.hold(family, section).await;
            let sheet = world.pay(seat).await.unwrap();
            world.fault(FaultTarget::Notify, FaultKind::Duplicate, 1).await;

            world.pay_sheet(&sheet).await;
            world.settled(seat).await;

            assert_eq!(world.fired().await, round);
            assert_eq!(world.told(seat).await, ["invoice_settled"]);
        }
        world
            .until("the inbox to be empty", || async {
                world.number("select count(*) from notification where outcome is null").await == Some(0)
            })
            .await;
        assert_eq!(world.count("notification").await, 5);
        assert_eq!(world.number("select count(*) from journal where kind = 'paid'").await, Some(5));
        world.sound().await;
    }
}

#[tokio::test]
async fn c65_a_forged_notification_and_a_probe_are_refused() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        let sheet = world.pay(seat).await.unwrap();
        for kind in ["bad_signature", "probe", "unknown_serial", "stale", "tampered"] {
            let body = json!({ "out_trade_no": sheet.out_trade_no, "kind": kind });
            let (_, answer) = world.wechat("forge", Some(body)).await;
            assert_eq!(answer["status"], 401, "{kind}");
        }
        assert_eq!(world.count("notification").await, 0);
        assert_eq!(world.invoice(seat).await.state(), State::Open);

        let request = pb::ReceiveNotificationRequest { headers: Vec::new(), body: b"{}".to_vec() };
        let refused = world.gateway().receive_notification(request).await.unwrap_err();
        assert_eq!(reason(&refused), "NOTIFICATION_FORGED");
        assert_eq!(refused.code(), tonic::Code::PermissionDenied);
        world.sound().await;
    }
}

#[tokio::test]
async fn c65_another_amount_or_payer_is_kept_and_not_credited() {
    for world in zhuzhou().await {
        for (body, outcome) in [
            (json!({ "amount_fen": 3_999 }), "mismatch_amount"),
            (json!({ "openid": "osomebody" }), "mismatch_payer"),
        ] {
            let family = world.family().await;
            let section = world.section(&[(1, 15, 3)]).await;
            if world.count("tariff").await == 0 {
                world.publish(pb::tariff::Basis::ClassHour, 500).await;
            }
            let seat = world.hold(family, section).await;
            let sheet = world.pay(seat).await.unwrap();

            let (status, _) = world.wechat(&format!("orders/{}/pay", sheet.out_trade_no), Some(body)).await;
            assert_eq!(status, 200);

            world
                .until("the notification to be worked off", || async {
                    let sql = format!("select count(*) from notification where outcome = '{outcome}'");
                    world.number(&sql).await == Some(1)
                })
                .await;
            assert_eq!(
                (world.invoice(seat).await.state(), world.invoice(seat).await.paid_fen),
                (State::Open, 0)
            );
            // Somebody paid something: nobody may give the seat away before a person has looked.
            assert_eq!(reason(&world.close(seat).await.unwrap_err()), "WECHAT_UNAVAILABLE");
        }
        assert_eq!(world.count("journal").await, 2);
    }
}

#[tokio::test]
async fn an_order_not_known_is_asked_for_again() {
    let mut worlds = zhuzhou().await;
    let (other, world) = (worlds.pop().unwrap(), worlds.pop().unwrap());
    let seat = held(&world).await;
    let sheet = world.pay(seat).await.unwrap();
    world.pay_sheet(&sheet).await;
    world.settled(seat).await;

    // The same merchant, another database: the notification is genuine, and its order is not known there.
    let body = world.stored_notification().await;
    let refused = other.receive(body).await.unwrap_err();

    assert_eq!(reason(&refused), "ORDER_UNKNOWN");
    assert_eq!(refused.code(), tonic::Code::Unavailable);
    assert_eq!(other.count("notification").await, 0);
}

#[tokio::test]
async fn money_that_comes_after_closing_settles_late_and_goes_back_when_there_is_no_seat() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        let sheet = world.pay(seat).await.unwrap();
        assert_eq!(world.close(seat).await.unwrap(), Outcome::Closed);

        let (status, _) =
            world.wechat(&format!("late-success/{}", sheet.out_trade_no), Some(json!({}))).await;
        assert_eq!(status, 200);
        world.settled(seat).await;
        let told = shared::testing::told::<pb::Event>(&world.db).await;
        let late = told.iter().any(|(_, _, event)| {
            matches!(&event.kind, Some(pb::event::Kind::InvoiceSettled(settled)) if settled.late)
        });
        assert!(late);
        world.sound().await;

        world.unseated(seat).await;
        world
            .until("the refund to arrive", || async {
                world
                    .refunds(seat.family)
                    .await
                    .iter()
                    .all(|refund| refund.state() == refund::State::Succeeded)
            })
            .await;

        let refunds = world.refunds(seat.family).await;
        assert_eq!(refunds.len(), 1);
        assert_eq!((refunds[0].amount_fen, refunds[0].reason()), (4_000, refund::Reason::Late));
        assert_eq!(world.told(seat).await, ["invoice_closed", "invoice_settled", "invoice_refunded"]);
        world.sound().await;
    }
}

#[tokio::test]
async fn a_second_payment_of_one_invoice_goes_back_by_itself() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        let first = world.pay(seat).await.unwrap();
        let father =
            crate::world::Family { guardian: shared::random::uuid(Default::default()), ..seat.family };
        world.openid(father.guardian, "ofather");
        let second = world.pay(crate::world::Seat { family: father, ..seat }).await.unwrap();
        world.pay_sheet(&second).await;
        world.settled(seat).await;

        let (status, _) =
            world.wechat(&format!("late-success/{}", first.out_trade_no), Some(json!({}))).await;
        assert_eq!(status, 200);
        world
            .until("the surplus to go back", || async {
                world.number("select count(*) from refund where state = 'succeeded'").await == Some(1)
            })
            .await;

        let refunds = world.refunds(seat.family).await;
        assert_eq!((refunds[0].amount_fen, refunds[0].reason()), (4_000, refund::Reason::Surplus));
        let invoice = world.invoice(seat).await;
        assert_eq!((invoice.paid_fen, invoice.refunded_fen), (4_000, 0));
        assert_eq!(world.wechat_refunds().await.len(), 1);
        world.sound().await;
    }
}
