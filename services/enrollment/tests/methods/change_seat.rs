//! ChangeSeat.

use std::path::Path;
use std::sync::Arc;

use policy::Live;
use proto::enrollment::v1::enrollment::{ReleaseReason, State};
use proto::enrollment::v1::event::Kind;
use proto::enrollment::v1::{
    ChangeSeatRequest, ChangeSeatResponse, Enrollment, ListPupilEnrollmentsRequest, ListRosterRequest,
    ListSeatsRequest,
};
use shared::caller::Role;
use shared::value::{Id, Section, Term};
use tonic::{Code, Status};

use crate::fakes::Close;
use crate::support::{CHARGED, FREE, Family, Menu, World, fact, on_each, on_each_with, reason};

async fn change(
    world: &World,
    family: &Family,
    enrollment: &Enrollment,
    to: Id<Section>,
) -> Result<ChangeSeatResponse, Status> {
    let request = ChangeSeatRequest {
        request_id: world.request_id(),
        enrollment_id: enrollment.id.clone(),
        to_section_id: to.to_string(),
        from_day: String::new(),
    };
    Ok(world.guardian(family).change_seat(request).await?.into_inner())
}

/// A term with an early and a late section, both on Monday and at overlapping hours, in an open round.
async fn two(world: &World, pack: &str, late_seats: i32) -> (Id<Term>, Id<Section>, Id<Section>) {
    let term_id = world.term(pack).await;
    let early = world.section(term_id, Menu { capacity_count: 1, ..Menu::default() }).await;
    let late = Menu { capacity_count: late_seats, start_time: "16:30", end_time: "17:30", ..Menu::default() };
    let late = world.section(term_id, late).await;
    world.open_round(term_id).await;
    (term_id, early, late)
}

async fn taken(world: &World, term_id: Id<Term>, section_id: Id<Section>) -> i32 {
    let request = ListSeatsRequest { term_id: term_id.to_string() };
    let seats = world.anyone().list_seats(request).await.unwrap().into_inner().seats;
    seats.iter().find(|seats| seats.section_id == section_id.to_string()).unwrap().taken_count
}

async fn live_count(world: &World, family: &Family) -> usize {
    let request = ListPupilEnrollmentsRequest {
        pupil_id: family.pupil_id.to_string(),
        ..ListPupilEnrollmentsRequest::default()
    };
    let listed = world.guardian(family).list_pupil_enrollments(request).await.unwrap().into_inner();
    listed.enrollments.iter().filter(|one| one.state() != State::Released).count()
}

#[tokio::test]
async fn c42_a_free_seat_is_changed_at_once_for_one_at_the_same_hour_and_goes_to_the_next_in_line() {
    on_each(|world| async move {
        let (term_id, early, late) = two(&world, FREE, 1).await;
        let families = world.families(2).await;
        let seat = world.apply(&families[0], early).await;
        let waiting = world.apply(&families[1], early).await;

        let changed = change(&world, &families[0], &seat, late).await.unwrap();

        let (given, left) = (changed.enrollment.unwrap(), changed.given_up.unwrap());
        assert_eq!((given.state(), given.section_id), (State::Confirmed, late.to_string()));
        assert_eq!((left.state(), left.release_reason()), (State::Released, ReleaseReason::Changed));
        assert_eq!(world.get(&waiting.id).await.state(), State::Confirmed);
        assert_eq!((taken(&world, term_id, early).await, taken(&world, term_id, late).await), (1, 1));
        assert_eq!(world.told(&seat.id).await, ["seat_confirmed", "seat_released"]);
        assert_eq!(world.told(&given.id).await, ["seat_confirmed"]);
        let again = change(&world, &families[0], &seat, late).await.unwrap_err();
        assert_eq!(reason(&again), "ENROLLMENT_GIVEN_BACK");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c42_what_cannot_be_given_is_refused_with_its_facts_and_the_old_seat_stays() {
    on_each(|world| async move {
        let (term_id, early, late) = two(&world, FREE, 1).await;
        let families = world.families(2).await;
        let seat = world.apply(&families[0], early).await;
        world.apply(&families[1], late).await;
        let tuesday = world.section(term_id, Menu { weekday: 2, ..Menu::default() }).await;
        let other = world.section(term_id, Menu { weekday: 2, ..Menu::default() }).await;
        let elder = world.section(term_id, Menu { weekday: 3, grades: vec![6], ..Menu::default() }).await;
        world.apply(&families[0], tuesday).await;

        let full = change(&world, &families[0], &seat, late).await.unwrap_err();
        assert_eq!((reason(&full).as_str(), fact(&full, "capacity_count").as_str()), ("SECTION_FULL", "1"));
        for (to, refusal) in [
            (early, "ALREADY_ENROLLED"),
            (tuesday, "ALREADY_ENROLLED"),
            (other, "SLOT_TAKEN"),
            (elder, "GRADE_NOT_ADMITTED"),
            (Id::new(shared::random::uuid(world.now())), "SECTION_NOT_FOUND"),
        ] {
            assert_eq!(reason(&change(&world, &families[0], &seat, to).await.unwrap_err()), refusal);
        }
        let stranger = change(&world, &families[1], &seat, other).await.unwrap_err();
        assert_eq!(reason(&stranger), "ENROLLMENT_NOT_FOUND");
        world.clock.advance(chrono::TimeDelta::days(3));
        let closed = change(&world, &families[0], &seat, other).await.unwrap_err();
        assert_eq!(reason(&closed), "ROUND_CLOSED");

        assert_eq!(world.get(&seat.id).await.state(), State::Confirmed);
        assert_eq!(world.told(&seat.id).await, ["seat_confirmed"]);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c42_a_held_seat_waits_for_billing_alone_and_money_that_comes_for_it_goes_back_whole() {
    on_each(|world| async move {
        let (term_id, early, late) = two(&world, CHARGED, 2).await;
        let families = world.families(2).await;
        for (family, arrives) in families.iter().zip([false, true]) {
            world.fakes.close_with(Close::Unanswered);
            let held = world.apply(family, early).await;
            assert_eq!(held.state(), State::Held);

            let changed = change(&world, family, &held, late).await.unwrap();

            let (given, left) = (changed.enrollment.unwrap(), changed.given_up.unwrap());
            assert_eq!((given.state(), left.state()), (State::Held, State::Releasing));
            // The seat is kept while money may arrive for it; the pupil is in the other section.
            assert_eq!(taken(&world, term_id, early).await, 1);
            let roster = ListRosterRequest { section_id: early.to_string() };
            world.fakes.name(family.pupil_id, "学生", "三年级1班", 3);
            let roster = world.staff(Role::Principal).list_roster(roster).await.unwrap().into_inner();
            assert!(roster.places.is_empty(), "{roster:?}");

            // Asked in vain, billing is asked again a minute later at most, and that is written down.
            world.until_put_off(&held.id, 1).await;
            world.fakes.close_with(if arrives { Close::Settled } else { Close::Closed });
            world.clock.advance(chrono::TimeDelta::seconds(61));
            let over = world.until(&held.id, State::Released).await;
            assert_eq!(over.release_reason(), ReleaseReason::Changed);
            assert_eq!(taken(&world, term_id, early).await, 0);
            match world.last_told(&held.id).await {
                Kind::SettlementUnseated(_) => assert!(arrives),
                Kind::SeatReleased(released) => assert!(!arrives && !released.was_confirmed),
                other => panic!("{other:?}"),
            }
            assert_eq!(world.get(&given.id).await.state(), State::Held);
        }
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c42_a_paid_seat_is_changed_only_where_the_district_has_said_how() {
    on_each(|world| async move {
        let (_, early, late) = two(&world, CHARGED, 1).await;
        let family = world.family().await;
        let held = world.apply(&family, early).await;
        world.hear_settled(&held.id, false).await.unwrap();

        let refused = change(&world, &family, &held, late).await.unwrap_err();

        assert_eq!(
            (reason(&refused).as_str(), fact(&refused, "key").as_str()),
            ("POLICY_SILENT", "change_rule")
        );
        assert_eq!(world.get(&held.id).await.state(), State::Confirmed);
        world.end().await;
    })
    .await;
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/packs"));
    on_each_with(Arc::new(Live::open(folder).unwrap()), |world| async move {
        let (_, early, late) = two(&world, "change_as_withdrawal", 1).await;
        let family = world.family().await;
        let held = world.apply(&family, early).await;
        world.hear_settled(&held.id, false).await.unwrap();
        let silent = shared::status::refused("POLICY_SILENT", &[("key", "refund_rule".to_owned())]);
        world.fakes.refund_with(Err(silent));
        let refused = change(&world, &family, &held, late).await.unwrap_err();
        assert_eq!(fact(&refused, "key"), "refund_rule");
        world.fakes.refund_with(Err(Status::unavailable("down")));
        assert_eq!(change(&world, &family, &held, late).await.unwrap_err().code(), Code::Unavailable);
        world.fakes.refund_with(Ok(()));

        let changed = change(&world, &family, &held, late).await.unwrap();

        assert_eq!(changed.enrollment.unwrap().state(), State::Held);
        assert_eq!(changed.given_up.unwrap().state(), State::Released);
        let Kind::SeatReleased(released) = world.last_told(&held.id).await else { panic!() };
        assert!(released.was_confirmed && released.reason() == ReleaseReason::Changed);
        world.end().await;
    })
    .await;
}

/// Two families want each other's seat, and others want both, at once: nobody ends with two, none, or a seat too many.
#[tokio::test]
async fn c42_changes_at_once_leave_everybody_one_seat_and_no_section_too_many() {
    on_each(|world| async move {
        for _ in 0..5 {
            let term_id = world.term(FREE).await;
            let mut sections = Vec::new();
            for weekday in 1..=3 {
                let menu = Menu { weekday, capacity_count: 3, ..Menu::default() };
                sections.push(world.section(term_id, menu).await);
            }
            world.open_round(term_id).await;
            let families = world.families(6).await;
            let mut seats = Vec::new();
            for (index, family) in families.iter().enumerate() {
                seats.push(world.apply(family, sections[index % 3]).await);
            }

            let changes = families.iter().zip(&seats).enumerate().flat_map(|(index, (family, seat))| {
                let to = [sections[(index + 1) % 3], sections[(index + 2) % 3]];
                to.map(|to| change(&world, family, seat, to))
            });
            let outcomes = futures::future::join_all(changes).await;

            for pair in outcomes.chunks(2) {
                let done = pair.iter().filter(|outcome| outcome.is_ok()).count();
                assert!(done <= 1, "{pair:?}");
                for refused in pair.iter().filter_map(|outcome| outcome.as_ref().err()) {
                    let reason = reason(refused);
                    assert!(["ENROLLMENT_GIVEN_BACK", "SECTION_FULL"].contains(&reason.as_str()), "{reason}");
                }
            }
            for family in &families {
                assert_eq!(live_count(&world, family).await, 1);
            }
            let mut sum = 0;
            for section_id in sections {
                let taken = taken(&world, term_id, section_id).await;
                assert!(taken <= 3);
                sum += taken;
            }
            assert_eq!(sum, 6);
        }
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c42_changing_is_repeatable_and_one_key_changes_one_place() {
    on_each(|world| async move {
        let (_, early, late) = two(&world, FREE, 2).await;
        let family = world.family().await;
        let seat = world.apply(&family, early).await;
        let request = ChangeSeatRequest {
            request_id: world.request_id(),
            enrollment_id: seat.id.clone(),
            to_section_id: late.to_string(),
            from_day: String::new(),
        };
        let send = || {
            let (mut client, request) = (world.guardian(&family), request.clone());
            async move { client.change_seat(request).await.map(tonic::Response::into_inner) }
        };

        let answers = futures::future::join_all((0..6).map(|_| send())).await;

        let first = answers[0].as_ref().unwrap();
        assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == first));
        assert_eq!(live_count(&world, &family).await, 1);
        let other = ChangeSeatRequest { to_section_id: early.to_string(), ..request };
        let reused = world.guardian(&family).change_seat(other).await.unwrap_err();
        assert_eq!(reason(&reused), "REQUEST_ID_REUSED");
        let empty = world.guardian(&family).change_seat(ChangeSeatRequest::default()).await.unwrap_err();
        assert_eq!(shared::status::violations_of(&empty).list().len(), 3);
        world.end().await;
    })
    .await;
}
