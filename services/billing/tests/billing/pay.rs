//! Paying: one order, whatever happens on the way.

use chrono::TimeDelta;
use proto::billing::v1 as pb;
use proto::billing::v1::invoice::State;
use proto::billing::v1::tariff::Basis;
use wechat::sandbox::{FaultKind, FaultTarget};

use crate::world::{Family, Seat, World, fact, reason, zhuzhou};

/// One seat of three class hours on Mondays at 5 yuan: 4 Mondays of 10 yuan.
pub async fn held(world: &World) -> Seat {
    let section = world.section(&[(1, 15, 3)]).await;
    let family = world.family().await;
    world.publish(Basis::ClassHour, 500).await;
    world.hold(family, section).await
}

#[tokio::test]
async fn c65_a_family_pays_in_wechat_and_the_invoice_is_settled_once() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        assert_eq!(
            (world.invoice(seat).await.amount_fen, world.invoice(seat).await.state()),
            (4_000, State::Open)
        );

        let number = world.pay_and_settle(seat).await;

        let invoice = world.invoice(seat).await;
        assert_eq!((invoice.paid_fen, invoice.refunded_fen, invoice.due_time), (4_000, 0, None));
        assert!(number.len() <= 32 && number.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(world.told(seat).await, ["invoice_settled"]);
        world.sound().await;
    }
}

#[tokio::test]
async fn c65_the_amount_is_ours_and_the_order_ends_before_the_hold() {
    for world in zhuzhou().await {
        let seat = held(&world).await;

        world.pay(seat).await.unwrap();

        let orders = world.orders().await;
        assert_eq!(orders.len(), 1);
        assert_eq!(orders[0]["amount_fen"], 4_000);
        assert_eq!(orders[0]["expire_time"], "2026-08-30T09:29:00+08:00");
        assert_eq!(orders[0]["description"], "课后服务 篮球");
    }
}

#[tokio::test]
async fn c65_two_calls_at_once_end_in_one_order() {
    for world in zhuzhou().await {
        let section = world.section(&[(1, 15, 3)]).await;
        world.publish(Basis::ClassHour, 500).await;
        for _ in 0..5 {
            let family = world.family().await;
            let seat = world.hold(family, section).await;

            let (one, other) = tokio::join!(world.pay(seat), world.pay(seat));

            let (one, other) = (one.unwrap(), other.unwrap());
            assert_eq!(one.out_trade_no, other.out_trade_no);
            let path = format!("orders/{}/pay", one.out_trade_no);
            assert_eq!(world.wechat(&path, Some(serde_json::json!({}))).await.0, 200);
            world.settled(seat).await;
        }
        assert_eq!(world.orders().await.len(), 5);
        assert_eq!(world.count("payment").await, 5);
        world.sound().await;
    }
}

#[tokio::test]
async fn c65_the_same_request_gets_the_same_sheet_and_another_content_is_refused() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        let mut client = world.guardian(seat.family);
        let request =
            pb::PayRequest { request_id: world.request_id(), enrollment_id: seat.enrollment.to_string() };

        let first = client.pay(request.clone()).await.unwrap().into_inner();
        let again = client.pay(request.clone()).await.unwrap().into_inner();
        let other = pb::PayRequest { enrollment_id: world.request_id(), ..request };
        let refused = client.pay(other).await.unwrap_err();

        assert_eq!(first, again);
        assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
    }
}

#[tokio::test]
async fn a_reply_lost_after_wechat_has_done_it_still_ends_in_one_order() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        world.fault(FaultTarget::Order, FaultKind::DropAfterCommit, 1).await;

        let sheet = world.pay(seat).await.unwrap();

        assert_eq!(world.fired().await, 1);
        assert_eq!(world.orders().await.len(), 1);
        world.pay_sheet(&sheet).await;
        world.settled(seat).await;
        world.sound().await;
    }
}

#[tokio::test]
async fn when_every_reply_is_lost_the_next_call_finds_the_same_order() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        world.fault(FaultTarget::Order, FaultKind::DropAfterCommit, 2).await;

        let refused = world.pay(seat).await.unwrap_err();
        let sheet = world.pay(seat).await.unwrap();

        assert_eq!(reason(&refused), "WECHAT_UNAVAILABLE");
        assert_eq!(world.fired().await, 2);
        assert_eq!(world.orders().await.len(), 1);
        assert_eq!(sheet.out_trade_no, world.orders().await[0]["out_trade_no"]);
        world.sound().await;
    }
}

#[tokio::test]
async fn an_answer_that_is_not_signed_by_wechat_is_not_believed() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        world.fault(FaultTarget::Order, FaultKind::Forge, 2).await;

        let refused = world.pay(seat).await.unwrap_err();

        assert_eq!(reason(&refused), "WECHAT_UNAVAILABLE");
        assert_eq!(world.fired().await, 2);
        world.pay(seat).await.unwrap();
    }
}

#[tokio::test]
async fn a_hold_of_a_minute_can_be_paid_in_its_first_half() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        let short =
            world.hold_for(seat.family, world.section(&[(2, 15, 1)]).await, TimeDelta::seconds(60)).await;

        world.clock.advance(TimeDelta::seconds(30));
        assert!(world.pay(short).await.is_ok());

        let late =
            world.hold_for(seat.family, world.section(&[(3, 15, 1)]).await, TimeDelta::seconds(60)).await;
        world.clock.advance(TimeDelta::seconds(31));
        let refused = world.pay(late).await.unwrap_err();
        assert_eq!(reason(&refused), "HOLD_TOO_SHORT");
        assert_eq!(fact(&refused, "due_time"), "2026-08-30T01:01:30Z");
    }
}

#[tokio::test]
async fn only_who_ordered_can_pay_so_another_guardian_gets_another_order() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        let father = Family { guardian: shared::random::uuid(Default::default()), ..seat.family };
        world.openid(father.guardian, "ofather");

        let first = world.pay(seat).await.unwrap();
        let second = world.pay(Seat { family: father, ..seat }).await.unwrap();

        assert_ne!(first.out_trade_no, second.out_trade_no);
        let payable: Vec<_> =
            world.orders().await.into_iter().filter(|order| order["is_payable"] == true).collect();
        assert_eq!(payable.len(), 1);
        assert_eq!(payable[0]["out_trade_no"], second.out_trade_no);
        world.pay_sheet(&second).await;
        world.settled(seat).await;
        world.sound().await;
    }
}

#[tokio::test]
async fn what_is_settled_or_closed_is_not_paid_again() {
    for world in zhuzhou().await {
        let paid = held(&world).await;
        world.pay_and_settle(paid).await;
        assert_eq!(reason(&world.pay(paid).await.unwrap_err()), "INVOICE_SETTLED");

        let closed = world.hold(paid.family, world.section(&[(2, 15, 1)]).await).await;
        world.close(closed).await.unwrap();
        assert_eq!(reason(&world.pay(closed).await.unwrap_err()), "INVOICE_CLOSED");
        world.sound().await;
    }
}

#[tokio::test]
async fn a_strangers_child_has_no_invoice() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        let stranger = world.family().await;

        let refused = world.pay(Seat { family: stranger, ..seat }).await.unwrap_err();

        assert_eq!(reason(&refused), "INVOICE_NOT_FOUND");
        assert_eq!(world.count("payment").await, 0);
    }
}

#[tokio::test]
async fn a_payment_no_notification_tells_of_is_found_by_asking() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        let sheet = world.pay(seat).await.unwrap();
        world.fault(FaultTarget::Notify, FaultKind::Lose, 100).await;
        world.pay_sheet(&sheet).await;

        world.clock.advance(TimeDelta::seconds(6));
        world.settled(seat).await;

        assert_eq!(world.count("notification").await, 0);
        assert_eq!(world.told(seat).await, ["invoice_settled"]);
        world.sound().await;
    }
}

#[tokio::test]
async fn asking_now_finds_the_payment_at_once() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        let sheet = world.pay(seat).await.unwrap();
        world.fault(FaultTarget::Notify, FaultKind::Lose, 100).await;
        assert_eq!(world.sync(seat).await.unwrap().state(), State::Open);
        world.pay_sheet(&sheet).await;

        let invoice = world.sync(seat).await.unwrap();

        assert_eq!((invoice.state(), invoice.paid_fen), (State::Settled, 4_000));
        world.fault(FaultTarget::Query, FaultKind::Lose, 1).await;
        assert_eq!(world.sync(seat).await.unwrap().state(), State::Settled);
    }
}

#[tokio::test]
async fn an_order_whose_time_is_over_is_closed_and_the_next_one_can_be_paid() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        let first = world.pay(seat).await.unwrap();

        world.clock.advance(TimeDelta::seconds(29 * 60 + 10));
        world
            .until("the order to be closed", || async {
                world.number("select count(*) from payment where state = 'closed'").await == Some(1)
            })
            .await;

        assert_eq!(world.orders().await[0]["is_payable"], false);
        assert_eq!(world.invoice(seat).await.state(), State::Open);
        let again = world.pay(seat).await.unwrap();
        assert_ne!(again.out_trade_no, first.out_trade_no);
        world.sound().await;
    }
}
