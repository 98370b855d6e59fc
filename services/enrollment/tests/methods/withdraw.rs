//! Withdraw.

use proto::catalog::v1::slot::Kind as SlotKind;
use proto::enrollment::v1::WithdrawRequest;
use proto::enrollment::v1::enrollment::{ReleaseReason, State};
use proto::enrollment::v1::event::Kind;
use proto::enrollment::v1::{Enrollment, SeatReleased};
use tonic::{Code, Status};

use crate::fakes::Close;
use crate::support::{CHARGED, FREE, Family, Menu, REVIEWED, World, fact, on_each, reason, time};

async fn withdraw(world: &World, family: &Family, enrollment: &Enrollment) -> Result<Enrollment, Status> {
    let request = WithdrawRequest { request_id: world.request_id(), enrollment_id: enrollment.id.clone() };
    Ok(world.guardian(family).withdraw(request).await?.into_inner().enrollment.unwrap())
}

#[tokio::test]
async fn c51_a_place_in_line_and_a_seat_in_review_are_given_back_at_once() {
    on_each(|world| async move {
        let (_, section_id) = world.open(REVIEWED, Menu { capacity_count: 1, ..Menu::default() }).await;
        let families = world.families(3).await;
        let seated = world.apply(&families[0], section_id).await;
        let first = world.apply(&families[1], section_id).await;
        let second = world.apply(&families[2], section_id).await;

        let left = withdraw(&world, &families[1], &first).await.unwrap();
        assert_eq!((left.state(), left.release_reason()), (State::Released, ReleaseReason::Withdrawn));
        assert_eq!(world.get(&second.id).await.waitlist_position, 1);
        withdraw(&world, &families[0], &seated).await.unwrap();

        assert_eq!(world.get(&second.id).await.state(), State::InReview);
        assert_eq!(world.told(&first.id).await, ["waitlisted", "seat_released"]);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_held_seat_is_kept_until_billing_has_closed() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, Menu { capacity_count: 1, ..Menu::default() }).await;
        let families = world.families(2).await;
        let held = world.apply(&families[0], section_id).await;
        let waiting = world.apply(&families[1], section_id).await;
        world.fakes.close_with(Close::Unanswered);

        let releasing = withdraw(&world, &families[0], &held).await.unwrap();
        assert_eq!(
            (releasing.state(), releasing.release_reason()),
            (State::Releasing, ReleaseReason::Withdrawn)
        );
        assert_eq!(withdraw(&world, &families[0], &held).await.unwrap(), releasing);
        assert_eq!(world.get(&waiting.id).await.state(), State::Waitlisted);
        world.until_put_off(&held.id, 1).await;
        world.fakes.close_with(Close::Closed);
        world.clock.advance(chrono::TimeDelta::minutes(2));

        world.until(&held.id, State::Released).await;
        world.until(&waiting.id, State::Held).await;
        assert_eq!(world.told(&held.id).await, ["seat_held", "seat_released"]);
        let Kind::SeatHeld(seat) = world.last_told(&waiting.id).await else { panic!() };
        assert!(seat.from_waitlist);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c51_c76_a_paid_seat_is_given_back_only_where_a_rule_says_what_goes_back() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, Menu::default()).await;
        let family = world.family().await;
        let held = world.apply(&family, section_id).await;
        world.hear_settled(&held.id, false).await.unwrap();
        assert_eq!(world.get(&held.id).await.state(), State::Confirmed);

        world
            .fakes
            .refund_with(Err(shared::status::refused("POLICY_SILENT", &[("key", "refund_rule".to_owned())])));
        let refused = withdraw(&world, &family, &held).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), fact(&refused, "key").as_str()),
            ("POLICY_SILENT", "refund_rule")
        );
        world.fakes.refund_with(Err(Status::unavailable("down")));
        assert_eq!(withdraw(&world, &family, &held).await.unwrap_err().code(), Code::Unavailable);
        let kept = world.get(&held.id).await;
        assert_eq!(kept.state(), State::Confirmed);
        assert_eq!(kept.withdrawal_ask_time, Some(time(world.now())));

        world.fakes.refund_with(Ok(()));
        assert_eq!(withdraw(&world, &family, &held).await.unwrap().state(), State::Released);
        let Kind::SeatReleased(SeatReleased { was_confirmed, .. }) = world.last_told(&held.id).await else {
            panic!()
        };
        assert!(was_confirmed);
        // The settlement told again finds the seat given back and its money on the way: nothing more to do.
        world.hear_settled(&held.id, false).await.unwrap();
        let told = ["seat_held", "seat_confirmed", "refund_rule_missing", "seat_released"];
        assert_eq!(world.told(&held.id).await, told);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c51_a_withdrawal_nobody_has_a_rule_for_is_kept_and_told_once_however_often_it_is_asked() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, Menu::default()).await;
        let family = world.family().await;
        let held = world.apply(&family, section_id).await;
        world.hear_settled(&held.id, false).await.unwrap();
        let facts = [("key", "refund_rule".to_owned()), ("pack_id", CHARGED.to_owned())];
        world.fakes.refund_with(Err(shared::status::refused("POLICY_SILENT", &facts)));
        let asked_at = fact(&withdraw(&world, &family, &held).await.unwrap_err(), "withdrawal_ask_time");
        assert_eq!(asked_at, world.now().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true));

        world.clock.advance(chrono::TimeDelta::hours(1));
        let again = futures::future::join_all((0..8).map(|_| withdraw(&world, &family, &held))).await;

        for refused in again {
            let refused = refused.unwrap_err();
            assert_eq!(reason(&refused), "POLICY_SILENT");
            assert_eq!(fact(&refused, "withdrawal_ask_time"), asked_at);
        }
        assert_eq!(world.told(&held.id).await, ["seat_held", "seat_confirmed", "refund_rule_missing"]);
        let Kind::RefundRuleMissing(missing) = world.last_told(&held.id).await else { panic!() };
        assert_eq!(missing.key, "refund_rule");
        let stranger = world.family().await;
        assert_eq!(reason(&withdraw(&world, &stranger, &held).await.unwrap_err()), "ENROLLMENT_NOT_FOUND");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c45_a_seat_in_extended_care_is_confirmed_and_billing_never_hears_of_it() {
    on_each(|world| async move {
        let evening =
            Menu { kind: SlotKind::Extended, start_time: "18:00", end_time: "18:30", ..Menu::default() };
        let (_, section_id) = world.open(CHARGED, Menu { capacity_count: 1, ..evening }).await;
        let families = world.families(2).await;
        world.fakes.refund_with(Err(Status::internal("must not be asked")));

        let seat = world.apply(&families[0], section_id).await;
        let waiting = world.apply(&families[1], section_id).await;

        assert_eq!(seat.state(), State::Confirmed);
        assert_eq!(withdraw(&world, &families[0], &seat).await.unwrap().state(), State::Released);
        assert_eq!(world.get(&waiting.id).await.state(), State::Confirmed);
        assert_eq!(world.told(&seat.id).await, ["seat_confirmed", "seat_released"]);
        assert_eq!(world.told(&waiting.id).await, ["waitlisted", "seat_confirmed"]);
        assert!(world.fakes.asked_to_close().is_empty());
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c51_c59_where_the_service_is_free_nobody_asks_billing() {
    on_each(|world| async move {
        let (_, section_id) = world.open(FREE, Menu::default()).await;
        let family = world.family().await;
        let confirmed = world.apply(&family, section_id).await;
        world.fakes.refund_with(Err(Status::internal("must not be asked")));

        assert_eq!(withdraw(&world, &family, &confirmed).await.unwrap().state(), State::Released);

        assert!(world.fakes.asked_to_close().is_empty());
        let again = world.apply(&family, section_id).await;
        assert_eq!(again.state(), State::Confirmed);
        assert_ne!(again.id, confirmed.id);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn withdrawing_at_once_releases_and_tells_once_and_strangers_see_nothing() {
    on_each(|world| async move {
        let (_, section_id) = world.open(FREE, Menu { capacity_count: 1, ..Menu::default() }).await;
        let families = world.families(3).await;
        for _ in 0..3 {
            let confirmed = world.apply(&families[0], section_id).await;
            let waiting = world.apply(&families[1], section_id).await;
            let stranger = withdraw(&world, &families[2], &confirmed).await.unwrap_err();
            assert_eq!(reason(&stranger), "ENROLLMENT_NOT_FOUND");

            let outcomes =
                futures::future::join_all((0..8).map(|_| withdraw(&world, &families[0], &confirmed))).await;

            assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap().state() == State::Released));
            assert_eq!(world.told(&confirmed.id).await, ["seat_confirmed", "seat_released"]);
            assert_eq!(world.get(&waiting.id).await.state(), State::Confirmed);
            withdraw(&world, &families[1], &waiting).await.unwrap();
        }
        world.end().await;
    })
    .await;
}
