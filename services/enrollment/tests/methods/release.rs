//! Holds and reviews that end, and what billing says then.

use std::time::Duration;

use chrono::TimeDelta;
use proto::enrollment::v1::enrollment::{ReleaseReason, State};
use proto::enrollment::v1::event::Kind;

use crate::fakes::Close;
use crate::support::{CHARGED, Menu, REVIEWED, on_each};

fn half_an_hour() -> TimeDelta {
    TimeDelta::minutes(30)
}

#[tokio::test]
async fn an_expired_hold_that_billing_closed_goes_to_the_next_in_line() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, Menu { capacity_count: 1, ..Menu::default() }).await;
        let families = world.families(3).await;
        let held = world.apply(&families[0], section_id).await;
        let [first, second] =
            [world.apply(&families[1], section_id).await, world.apply(&families[2], section_id).await];
        world.clock.advance(half_an_hour() - TimeDelta::seconds(1));
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(world.get(&held.id).await.state(), State::Held, "not before its end");

        world.clock.advance(TimeDelta::seconds(1));

        let released = world.until(&held.id, State::Released).await;
        assert_eq!(released.release_reason(), ReleaseReason::HoldExpired);
        let promoted = world.until(&first.id, State::Held).await;
        assert_eq!(promoted.hold_expire_time.unwrap().seconds, (world.now() + half_an_hour()).timestamp());
        assert_eq!(world.get(&second.id).await.waitlist_position, 1);
        let Kind::SeatReleased(told) = world.last_told(&held.id).await else { panic!() };
        assert!(!told.was_confirmed);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn an_expired_hold_that_was_settled_is_confirmed() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, Menu { capacity_count: 1, ..Menu::default() }).await;
        let families = world.families(2).await;
        let held = world.apply(&families[0], section_id).await;
        let waiting = world.apply(&families[1], section_id).await;
        world.fakes.close_with(Close::Settled);

        world.clock.advance(half_an_hour());

        world.until(&held.id, State::Confirmed).await;
        assert_eq!(world.get(&waiting.id).await.state(), State::Waitlisted);
        world.hear_settled(&held.id, false).await.unwrap();
        assert_eq!(world.told(&held.id).await, ["seat_held", "seat_confirmed"]);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_seat_whose_money_may_have_arrived_is_never_given_away() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, Menu { capacity_count: 1, ..Menu::default() }).await;
        let families = world.families(2).await;
        let held = world.apply(&families[0], section_id).await;
        let waiting = world.apply(&families[1], section_id).await;
        world.fakes.close_with(Close::Unanswered);
        world.clock.advance(half_an_hour());

        for asked in 1..=3 {
            // Only what is written down waits for the clock.
            world.until_put_off(&held.id, i64::try_from(asked).unwrap()).await;
            assert_eq!(world.get(&held.id).await.state(), State::Releasing);
            assert_eq!(world.get(&waiting.id).await.state(), State::Waitlisted);
            // Asked again only when its time has come.
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(world.fakes.asked_to_close().len(), asked);
            world.clock.advance(TimeDelta::minutes(1));
        }
        world.fakes.close_with(Close::Closed);
        world.clock.advance(TimeDelta::minutes(1));

        world.until(&held.id, State::Released).await;
        world.until(&waiting.id, State::Held).await;
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn an_expired_review_is_released_without_asking_billing() {
    on_each(|world| async move {
        let (_, section_id) = world.open(REVIEWED, Menu { capacity_count: 1, ..Menu::default() }).await;
        let families = world.families(2).await;
        let applied = world.apply(&families[0], section_id).await;
        let waiting = world.apply(&families[1], section_id).await;

        world.clock.advance(TimeDelta::days(7));

        let released = world.until(&applied.id, State::Released).await;
        assert_eq!(released.release_reason(), ReleaseReason::ReviewExpired);
        world.until(&waiting.id, State::InReview).await;
        assert!(world.fakes.asked_to_close().is_empty());
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_late_settlement_takes_a_free_seat_again() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, Menu { capacity_count: 1, ..Menu::default() }).await;
        let held = world.apply(&world.family().await, section_id).await;
        world.clock.advance(half_an_hour());
        world.until(&held.id, State::Released).await;

        world.hear_settled(&held.id, true).await.unwrap();

        assert_eq!(world.get(&held.id).await.state(), State::Confirmed);
        assert_eq!(world.told(&held.id).await, ["seat_held", "seat_released", "seat_confirmed"]);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_late_settlement_without_a_seat_asks_for_the_money_back_once() {
    on_each(|world| async move {
        let (term_id, section_id) = world.open(CHARGED, Menu { capacity_count: 1, ..Menu::default() }).await;
        let families = world.families(2).await;
        let held = world.apply(&families[0], section_id).await;
        let waiting = world.apply(&families[1], section_id).await;
        world.clock.advance(half_an_hour());
        world.until(&waiting.id, State::Held).await;

        for _ in 0..2 {
            world.hear_settled(&held.id, true).await.unwrap();
        }

        assert_eq!(world.get(&held.id).await.state(), State::Released);
        assert_eq!(world.told(&held.id).await, ["seat_held", "seat_released", "settlement_unseated"]);

        // The same where a seat is free and the family sits elsewhere at that time by now.
        let roomy = world.section(term_id, Menu { weekday: 2, ..Menu::default() }).await;
        let rival = world.section(term_id, Menu { weekday: 2, start_time: "16:30", ..Menu::default() }).await;
        let lost = world.apply(&families[0], roomy).await;
        world.clock.advance(half_an_hour());
        world.until(&lost.id, State::Released).await;
        let elsewhere = world.apply(&families[0], rival).await;
        world.hear_settled(&lost.id, true).await.unwrap();
        assert_eq!(world.told(&lost.id).await, ["seat_held", "seat_released", "settlement_unseated"]);
        assert_eq!(world.get(&elsewhere.id).await.state(), State::Held);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn who_was_passed_over_gets_the_seat_when_the_time_is_free_again() {
    on_each(|world| async move {
        let (term_id, wanted) = world.open(CHARGED, Menu { capacity_count: 1, ..Menu::default() }).await;
        let rival = world.section(term_id, Menu { start_time: "16:30", ..Menu::default() }).await;
        let families = world.families(2).await;
        let seated = world.apply(&families[0], wanted).await;
        let waiting = world.apply(&families[1], wanted).await;
        let elsewhere = world.apply(&families[1], rival).await;
        world.hear_settled(&elsewhere.id, false).await.unwrap();

        // The seat comes free, and nobody in line can take it.
        world.clock.advance(half_an_hour());
        world.until(&seated.id, State::Released).await;
        assert_eq!(world.get(&waiting.id).await.state(), State::Waitlisted);
        let withdraw = proto::enrollment::v1::WithdrawRequest {
            request_id: world.request_id(),
            enrollment_id: elsewhere.id,
        };
        world.guardian(&families[1]).withdraw(withdraw).await.unwrap();

        world.until(&waiting.id, State::Held).await;
        world.end().await;
    })
    .await;
}
