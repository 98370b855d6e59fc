//! Closing an invoice: only WeChat's own word frees the seat.

use proto::billing::v1::close_invoice_response::Outcome;
use proto::billing::v1::invoice::State;
use shared::random;
use wechat::sandbox::{FaultKind, FaultTarget};

use crate::pay::held;
use crate::world::{Seat, reason, zhuzhou};

#[tokio::test]
async fn an_invoice_without_an_order_closes_at_once_and_again() {
    for world in zhuzhou().await {
        let seat = held(&world).await;

        assert_eq!(world.close(seat).await.unwrap(), Outcome::Closed);
        assert_eq!(world.close(seat).await.unwrap(), Outcome::Closed);

        assert_eq!(world.invoice(seat).await.state(), State::Closed);
        assert_eq!(world.told(seat).await, ["invoice_closed"]);
        assert!(world.orders().await.is_empty());
        world.sound().await;
    }
}

#[tokio::test]
async fn an_open_order_is_closed_at_wechat_first() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        world.pay(seat).await.unwrap();

        assert_eq!(world.close(seat).await.unwrap(), Outcome::Closed);

        assert_eq!(world.orders().await[0]["trade_state"], "CLOSED");
        world.sound().await;
    }
}

#[tokio::test]
async fn a_paid_order_settles_instead() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        let sheet = world.pay(seat).await.unwrap();
        world.fault(FaultTarget::Notify, FaultKind::Lose, 100).await;
        world.pay_sheet(&sheet).await;

        assert_eq!(world.close(seat).await.unwrap(), Outcome::Settled);

        assert_eq!(world.told(seat).await, ["invoice_settled"]);
        world.sound().await;
    }
}

#[tokio::test]
async fn no_answer_keeps_the_invoice_open() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        world.pay(seat).await.unwrap();
        for (target, kind) in [
            // Not closed, and still open when asked: the first, since each of the others closes the order.
            (FaultTarget::Close, FaultKind::Error { status: 400, code: "ORDER_CLOSED".to_owned() }),
            (FaultTarget::Query, FaultKind::Lose),
            (FaultTarget::Query, FaultKind::DropAfterCommit),
            (FaultTarget::Query, FaultKind::Forge),
            (FaultTarget::Query, FaultKind::Error { status: 404, code: "ORDER_NOT_EXIST".to_owned() }),
            (FaultTarget::Query, FaultKind::Error { status: 500, code: "SYSTEM_ERROR".to_owned() }),
        ] {
            let before = world.fired().await;
            world.fault(target, kind.clone(), 1).await;
            let refused = world.close(seat).await.unwrap_err();
            assert_eq!(reason(&refused), "WECHAT_UNAVAILABLE", "{kind:?}");
            assert_eq!(world.fired().await, before + 1);
            assert_eq!(world.invoice(seat).await.state(), State::Open);
        }
        assert_eq!(world.close(seat).await.unwrap(), Outcome::Closed);
        world.sound().await;
    }
}

#[tokio::test]
async fn an_order_that_never_reached_wechat_closes() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        world.fault(FaultTarget::Order, FaultKind::Lose, 2).await;
        world.pay(seat).await.unwrap_err();
        assert_eq!(world.fired().await, 2);

        assert_eq!(world.close(seat).await.unwrap(), Outcome::Closed);

        assert!(world.orders().await.is_empty());
        world.sound().await;
    }
}

#[tokio::test]
async fn an_enrollment_not_heard_of_is_closed_beforehand() {
    for world in zhuzhou().await {
        let known = held(&world).await;
        let seat = Seat { enrollment: random::uuid(Default::default()), ..known };

        assert_eq!(world.close(seat).await.unwrap(), Outcome::Closed);
        world.hold_seat(seat, chrono::TimeDelta::minutes(30)).await;
        world.heard().await;

        assert_eq!(world.invoice(seat).await.state(), State::Closed);
        assert_eq!(reason(&world.pay(seat).await.unwrap_err()), "INVOICE_CLOSED");
        assert_eq!(world.close(seat).await.unwrap(), Outcome::Closed);
        world.sound().await;
    }
}

#[tokio::test]
async fn paying_and_closing_at_once_never_loses_money() {
    for world in zhuzhou().await {
        let section = world.section(&[(1, 15, 3)]).await;
        world.publish(proto::billing::v1::tariff::Basis::ClassHour, 500).await;
        for _ in 0..6 {
            let family = world.family().await;
            let seat = world.hold(family, section).await;

            let (paid, closed) = tokio::join!(world.pay(seat), world.close(seat));

            // Whoever has a sheet and can use it is settled; whoever was told it is closed cannot be paid for.
            match (paid, closed) {
                (Ok(sheet), Ok(Outcome::Closed)) => {
                    let orders = world.orders().await;
                    let order =
                        orders.iter().find(|order| order["out_trade_no"] == sheet.out_trade_no).unwrap();
                    assert_eq!(order["is_payable"], false);
                }
                (Err(refused), Ok(Outcome::Closed)) => assert_eq!(reason(&refused), "INVOICE_CLOSED"),
                (Ok(_), Err(refused)) => assert_eq!(reason(&refused), "WECHAT_UNAVAILABLE"),
                other => panic!("{other:?}"),
            }
        }
        world.sound().await;
    }
}
