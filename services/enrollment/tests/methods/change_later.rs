//! ChangeSeat from a later day on.

use std::path::Path;
use std::sync::Arc;

use enrollment::store;
use policy::Live;
use proto::enrollment::v1::enrollment::{ReleaseReason, State};
use proto::enrollment::v1::event::Kind;
use proto::enrollment::v1::{
    ChangeSeatRequest, ChangeSeatResponse, Enrollment, GetRollRequest, ListRosterRequest, WithdrawRequest,
};
use shared::caller::Role;
use shared::testing::moment;
use shared::value::{Id, Section};
use tonic::Status;

use crate::support::{CHARGED, FREE, Family, Menu, World, fact, on_each, on_each_with, reason};

async fn change(
    world: &World,
    family: &Family,
    enrollment: &Enrollment,
    to: Id<Section>,
    from_day: &str,
) -> Result<ChangeSeatResponse, Status> {
    let request = ChangeSeatRequest {
        request_id: world.request_id(),
        enrollment_id: enrollment.id.clone(),
        to_section_id: to.to_string(),
        from_day: from_day.to_owned(),
    };
    Ok(world.guardian(family).change_seat(request).await?.into_inner())
}

/// An early and a late section at overlapping hours of a Thursday, one seat each, in a round that is open on 24 September 2026, and a
/// pupil with a seat in the late one.
async fn autumn(world: &World, pack: &str) -> (Id<Section>, Id<Section>, Family, Enrollment) {
    world.clock.set(moment("2026-09-24T12:00:00+08:00"));
    let term_id = world.term(pack).await;
    let menu = || Menu { weekday: 4, capacity_count: 1, ..Menu::default() };
    let early = world.section(term_id, menu()).await;
    let late = world.section(term_id, Menu { start_time: "16:30", end_time: "18:00", ..menu() }).await;
    world.open_round(term_id).await;
    let family = world.family().await;
    world.fakes.name(family.pupil_id, "学生", "三年级1班", 3);
    let seat = world.apply(&family, late).await;
    (early, late, family, seat)
}

async fn on_roster(world: &World, section_id: Id<Section>) -> usize {
    let request = ListRosterRequest { section_id: section_id.to_string() };
    world.staff(Role::Principal).list_roster(request).await.unwrap().into_inner().places.len()
}

async fn on_register(world: &World, section_id: Id<Section>, day: &str) -> usize {
    let section = store::section::find(world.db.read(), section_id).await.unwrap().unwrap();
    let request = GetRollRequest {
        section_id: section_id.to_string(),
        day: day.to_owned(),
        slot_id: section.slots[0].id.to_string(),
    };
    let office = world.member(Role::TeachingOffice);
    world.day(&office).get_roll(request).await.unwrap().into_inner().lines.len()
}

fn change_packs() -> Arc<Live> {
    Arc::new(Live::open(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/packs"))).unwrap())
}

#[tokio::test]
async fn c42_from_next_month_on_the_new_seat_is_had_and_until_then_the_old_one_by_roster_and_register_alike()
{
    on_each_with(change_packs(), |world| async move {
        let (early, late, family, seat) = autumn(&world, "change_next_month").await;
        world.hear_settled(&seat.id, false).await.unwrap();
        let waiting = world.family().await;
        let next = world.apply(&waiting, late).await;
        assert_eq!(next.state(), State::Waitlisted);

        let changed = change(&world, &family, &seat, early, "2026-10-01").await.unwrap();

        let (given, kept) = (changed.enrollment.unwrap(), changed.given_up.unwrap());
        assert_eq!((given.state(), kept.state()), (State::Held, State::Confirmed));
        assert_eq!(changed.from_day, "2026-10-01");
        assert_eq!(world.told(&given.id).await, ["change_planned", "seat_held"]);
        world.hear_settled(&given.id, false).await.unwrap();
        assert_eq!((on_roster(&world, early).await, on_roster(&world, late).await), (0, 1));
        for (day, of_early, of_late) in [("2026-09-24", 0, 1), ("2026-10-01", 1, 0)] {
            assert_eq!(on_register(&world, early, day).await, of_early, "{day}");
            assert_eq!(on_register(&world, late, day).await, of_late, "{day}");
        }
        let again = change(&world, &family, &seat, early, "2026-11-01").await.unwrap_err();
        assert_eq!(
            (reason(&again).as_str(), fact(&again, "from_day").as_str()),
            ("CHANGE_PLANNED", "2026-10-01")
        );

        world.clock.set(moment("2026-10-01T00:00:01+08:00"));
        let over = world.until(&seat.id, State::Released).await;
        assert_eq!(over.release_reason(), ReleaseReason::Changed);
        let Kind::SeatReleased(released) = world.last_told(&seat.id).await else { panic!() };
        assert!(released.was_confirmed && released.reason() == ReleaseReason::Changed);
        assert_eq!(on_roster(&world, early).await, 1);
        // The seat that came free goes to the next in line.
        assert_ne!(world.get(&next.id).await.state(), State::Waitlisted);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c42_a_new_seat_given_back_before_its_day_leaves_the_old_one_as_it_was() {
    on_each_with(change_packs(), |world| async move {
        let (early, late, family, seat) = autumn(&world, "change_next_month").await;
        world.hear_settled(&seat.id, false).await.unwrap();
        let changed = change(&world, &family, &seat, early, "2026-10-01").await.unwrap();
        let given = changed.enrollment.unwrap();

        let request = WithdrawRequest { request_id: world.request_id(), enrollment_id: given.id.clone() };
        world.guardian(&family).withdraw(request).await.unwrap();
        world.until(&given.id, State::Released).await;

        // The old one may be changed again, as soon as it is known that nothing came of the first change.
        let mut again = change(&world, &family, &seat, early, "2026-11-01").await;
        while again.as_ref().is_err_and(|refused| reason(refused) == "CHANGE_PLANNED") {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            again = change(&world, &family, &seat, early, "2026-11-01").await;
        }
        again.unwrap();
        world.clock.set(moment("2026-10-02T12:00:00+08:00"));
        assert_eq!(world.get(&seat.id).await.state(), State::Confirmed);
        assert_eq!(on_roster(&world, late).await, 1);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c42_a_paid_seat_is_changed_from_a_day_on_which_the_district_lets_it_and_where_nobody_said_from_none()
{
    on_each_with(change_packs(), |world| async move {
        let (early, _, family, seat) = autumn(&world, "change_next_month").await;
        let held = change(&world, &family, &seat, early, "2026-10-01").await.unwrap_err();
        assert_eq!(reason(&held), "ENROLLMENT_NOT_CONFIRMED");
        world.hear_settled(&seat.id, false).await.unwrap();

        for day in ["2026-10-02", "2026-09-01", "2026-09-24", "2027-02-01"] {
            let refused = change(&world, &family, &seat, early, day).await.unwrap_err();
            assert_eq!(reason(&refused), "CHANGE_DAY_NOT_ALLOWED", "{day}");
            assert_eq!(fact(&refused, "earliest_day"), "2026-10-01");
            assert_eq!(fact(&refused, "key"), "change_rule");
        }
        let at_once = change(&world, &family, &seat, early, "").await.unwrap_err();
        assert_eq!(
            (reason(&at_once).as_str(), fact(&at_once, "earliest_day").as_str()),
            ("CHANGE_DAY_REQUIRED", "2026-10-01")
        );
        let none = change(&world, &family, &seat, early, "morgen").await.unwrap_err();
        assert_eq!(shared::status::violations_of(&none).list()[0].field, "from_day");
        assert_eq!(world.told(&seat.id).await, ["seat_held", "seat_confirmed"]);
        world.end().await;
    })
    .await;
    on_each(|world| async move {
        let (early, _, family, seat) = autumn(&world, CHARGED).await;
        world.hear_settled(&seat.id, false).await.unwrap();
        let refused = change(&world, &family, &seat, early, "2026-10-01").await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), fact(&refused, "key").as_str()),
            ("POLICY_SILENT", "change_rule")
        );
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c42_a_free_seat_is_changed_from_any_later_day_and_the_request_is_repeatable() {
    on_each(|world| async move {
        let (early, late, family, seat) = autumn(&world, FREE).await;
        let today = change(&world, &family, &seat, early, "2026-09-24").await.unwrap_err();
        assert_eq!(
            (reason(&today).as_str(), fact(&today, "earliest_day").as_str()),
            ("CHANGE_DAY_NOT_ALLOWED", "2026-09-25")
        );
        let request = ChangeSeatRequest {
            request_id: world.request_id(),
            enrollment_id: seat.id.clone(),
            to_section_id: early.to_string(),
            from_day: "2026-09-28".to_owned(),
        };
        let send = || {
            let (mut client, request) = (world.guardian(&family), request.clone());
            async move { client.change_seat(request).await.map(tonic::Response::into_inner) }
        };
        let answers = futures::future::join_all((0..6).map(|_| send())).await;
        let first = answers[0].as_ref().unwrap();
        assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == first));
        assert_eq!(first.enrollment.as_ref().unwrap().state(), State::Confirmed);
        assert_eq!(on_roster(&world, late).await, 1);

        world.clock.set(moment("2026-09-28T06:00:00+08:00"));
        world.until(&seat.id, State::Released).await;
        assert_eq!((on_roster(&world, early).await, on_roster(&world, late).await), (1, 0));
        world.end().await;
    })
    .await;
}
