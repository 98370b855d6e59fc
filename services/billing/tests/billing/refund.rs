//! Refunds: what is due, to the fen, once.

use chrono::TimeDelta;
use proto::billing::v1::refund::{Reason, State};
use proto::billing::v1::tariff::Basis;
use proto::enrollment::v1::enrollment::ReleaseReason;
use wechat::sandbox::{FaultKind, FaultTarget};

use crate::pay::held;
use crate::world::{Family, World, at, each, fact, jinhua, reason, zhuzhou};

pub async fn arrived(world: &World, family: Family, count: usize) {
    world
        .until("the refunds to arrive", || async {
            let refunds = world.refunds(family).await;
            refunds.len() == count && refunds.iter().all(|refund| refund.state() == State::Succeeded)
        })
        .await;
}

/// Lets minutes pass until the refunds have arrived: what no notification tells of is found by asking.
async fn arrived_in_time(world: &World, family: Family) {
    world
        .until("the refunds to arrive in time", || async {
            world.clock.advance(TimeDelta::seconds(61));
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            world.refunds(family).await.iter().all(|refund| refund.state() == State::Succeeded)
        })
        .await;
}

#[tokio::test]
async fn before_the_first_lesson_everything_goes_back() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        world.pay_and_settle(seat).await;
        assert_eq!(world.refund_quote(seat).await.unwrap(), 4_000);

        world.withdraw(seat).await;
        arrived(&world, seat.family, 1).await;

        let refund = world.refunds(seat.family).await.remove(0);
        assert_eq!((refund.amount_fen, refund.reason()), (4_000, Reason::Released));
        assert_eq!(world.invoice(seat).await.refunded_fen, 4_000);
        assert_eq!(world.told(seat).await, ["invoice_settled", "invoice_refunded"]);
        world.sound().await;
    }
}

#[tokio::test]
async fn c76_lessons_that_have_started_stay_paid_under_the_rule_of_unused_lessons() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        world.pay_and_settle(seat).await;

        // The second of four Mondays, just as its lesson starts.
        world.clock.set(at("2026-09-14T15:00:00+08:00"));
        assert_eq!(world.refund_quote(seat).await.unwrap(), 2_000);
        world.clock.set(at("2026-09-14T14:59:59+08:00"));
        assert_eq!(world.refund_quote(seat).await.unwrap(), 3_000);
        world.withdraw(seat).await;
        arrived(&world, seat.family, 1).await;

        assert_eq!(world.invoice(seat).await.refunded_fen, 3_000);
        world.sound().await;
    }
}

#[tokio::test]
async fn c76_after_the_first_lesson_nothing_goes_back_under_the_other_rule_and_the_term_is_not_charged_twice()
{
    for world in jinhua().await {
        let one = world.section(&[(2, 15, 2)]).await;
        let other = world.section(&[(3, 15, 2)]).await;
        let family = world.family().await;
        world.publish(Basis::Term, 50_000).await;
        let seat = world.hold(family, one).await;
        world.pay_and_settle(seat).await;
        world.clock.set(at("2026-09-01T15:00:00+08:00"));

        assert_eq!(world.refund_quote(seat).await.unwrap(), 0);
        world.withdraw(seat).await;
        assert!(world.refunds(family).await.is_empty());

        let again = world.hold(family, other).await;
        assert_eq!(world.invoice(again).await.amount_fen, 0);
        assert_eq!(world.invoice(again).await.state(), proto::billing::v1::invoice::State::Settled);
        world.sound().await;
    }
}

#[tokio::test]
async fn what_other_sections_need_stays_and_comes_from_whoever_holds_it() {
    for world in zhuzhou().await {
        // Both on Mondays, two hours each: together 10 yuan a day, alone 10 yuan a day.
        let one = world.section(&[(1, 15, 2)]).await;
        let other = world.section(&[(1, 17, 2)]).await;
        let family = world.family().await;
        world.publish(Basis::ClassHour, 500).await;
        let first = world.hold(family, one).await;
        world.pay_and_settle(first).await;
        let second = world.hold(family, other).await;
        assert_eq!(world.invoice(second).await.amount_fen, 0);

        // Nothing is due: the other section alone costs the same.
        assert_eq!(world.refund_quote(first).await.unwrap(), 0);
        world.withdraw(first).await;
        assert!(world.refunds(family).await.is_empty());

        // The other's own invoice was zero: the money comes from the first.
        assert_eq!(world.refund_quote(second).await.unwrap(), 4_000);
        world.withdraw(second).await;
        arrived(&world, family, 1).await;
        assert_eq!(world.invoice(first).await.refunded_fen, 4_000);
        world.sound().await;
    }
}

#[tokio::test]
async fn c76_where_no_rule_is_written_nothing_moves() {
    for world in each("hunan_zhuzhou", Some("zhuzhou_demo")).await {
        let seat = held(&world).await;
        world.pay_and_settle(seat).await;
        // The same term under the pack alone, which is silent.
        let pin = crate::world::PACKS.policy("hunan_zhuzhou", None).unwrap().pin();
        world.execute(&format!("update term set policy_version = '{pin}'")).await;

        let refused = world.refund_quote(seat).await.unwrap_err();
        assert_eq!(reason(&refused), "POLICY_SILENT");
        assert_eq!(fact(&refused, "key"), "refund_rule");

        world.release(seat, ReleaseReason::PupilLeft).await;
        assert!(world.refunds(seat.family).await.is_empty());
        assert_eq!(world.number("select count(*) from invoice where is_refund_undecided").await, Some(1));
        world.sound().await;
    }
}

#[tokio::test]
async fn a_cancelled_section_gives_back_what_was_not_held_whatever_the_rule() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        world.pay_and_settle(seat).await;
        world.clock.set(at("2026-09-08T08:00:00+08:00"));

        world.release(seat, ReleaseReason::SectionCancelled).await;
        arrived(&world, seat.family, 1).await;

        let refund = world.refunds(seat.family).await.remove(0);
        assert_eq!((refund.amount_fen, refund.reason()), (3_000, Reason::SectionCancelled));
        world.sound().await;
    }
}

#[tokio::test]
async fn a_refund_whose_reply_is_lost_is_not_made_twice() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        world.pay_and_settle(seat).await;
        world.fault(FaultTarget::Refund, FaultKind::DropAfterCommit, 1).await;
        world.fault(FaultTarget::Notify, FaultKind::Lose, 100).await;

        world.withdraw(seat).await;
        world.until("the fault to strike", || async { world.fired().await >= 1 }).await;
        arrived_in_time(&world, seat.family).await;

        assert_eq!(world.wechat_refunds().await.len(), 1);
        assert!(world.number("select attempt_count from refund").await >= Some(2));
        world.sound().await;
    }
}

#[tokio::test]
async fn a_refund_that_never_reached_wechat_is_sent_again_as_it_was() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        world.pay_and_settle(seat).await;
        world.fault(FaultTarget::Refund, FaultKind::Lose, 1).await;

        world.withdraw(seat).await;
        world.until("the fault to strike", || async { world.fired().await == 1 }).await;
        arrived_in_time(&world, seat.family).await;

        assert_eq!(world.wechat_refunds().await.len(), 1);
        world.sound().await;
    }
}

#[tokio::test]
async fn a_refund_wechat_cannot_bring_home_waits_for_a_person() {
    for world in zhuzhou().await {
        let seat = held(&world).await;
        world.pay_and_settle(seat).await;
        world.fault(FaultTarget::Refund, FaultKind::Abnormal, 1).await;

        world.withdraw(seat).await;
        world
            .until("the refund to fail", || async {
                world.refunds(seat.family).await.iter().any(|refund| refund.state() == State::Failed)
            })
            .await;

        assert_eq!(world.number("select reserved_fen from payment").await, Some(4_000));
        let checked = billing::check(&world.db).await.unwrap();
        assert!(checked.iter().all(|one| one.broken.is_empty()), "{checked:?}");
    }
}

#[tokio::test]
async fn two_refunds_of_one_order_are_a_minute_apart() {
    for world in zhuzhou().await {
        // The first section carries both; giving back the second, then the first, takes from one order twice.
        let one = world.section(&[(1, 15, 2), (2, 15, 2)]).await;
        let other = world.section(&[(1, 17, 2)]).await;
        let family = world.family().await;
        world.publish(Basis::ClassHour, 500).await;
        let first = world.hold(family, one).await;
        world.pay_and_settle(first).await;
        let second = world.hold(family, other).await;
        world.withdraw(first).await;
        arrived(&world, family, 1).await;
        world.withdraw(second).await;

        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        assert_eq!(world.wechat_refunds().await.len(), 1);
        world.clock.advance(TimeDelta::seconds(60));
        arrived(&world, family, 2).await;

        assert_eq!(world.invoice(first).await.refunded_fen, world.invoice(first).await.paid_fen);
        world.sound().await;
    }
}
