//! The ways in which systems that give out seats are known to fail, each by its name and each with a test that fails where it is let
//! in. A seat belongs to exactly one enrollment at any time; these are the ways to forget that. What concerns money alone is tested
//! where money is (billing).

use std::collections::BTreeSet;

use chrono::TimeDelta;
use enrollment::job::{Bench, expire, promote};
use enrollment::store;
use proto::enrollment::v1::enrollment::{ReleaseReason, State};
use proto::enrollment::v1::event::Kind as Told;
use proto::enrollment::v1::{Enrollment, WithdrawRequest};
use shared::db::Kind;
use shared::value::{Id, Section, Term};
use tonic::Status;

use crate::fakes::Close;
use crate::support::{CHARGED, FREE, Family, Menu, REVIEWED, World, on_each, reason};

/// How often each race is run: one that passes once proves nothing.
const ROUNDS: usize = 5;

/// With a second process on PostgreSQL, which has more than one writer.
async fn beside(world: &mut World) {
    if world.db.kind() == Kind::Postgres {
        world.serve_beside().await;
    }
}

async fn withdraw(
    world: &World,
    family: &Family,
    enrollment: &Enrollment,
    beside: bool,
) -> Result<Enrollment, Status> {
    let request = WithdrawRequest { request_id: world.request_id(), enrollment_id: enrollment.id.clone() };
    Ok(world.guardian_at(family, beside).withdraw(request).await?.into_inner().enrollment.unwrap())
}

fn seats(capacity_count: i32) -> Menu {
    Menu { capacity_count, ..Menu::default() }
}

async fn counters(world: &World, section_id: Id<Section>) -> (i32, i32) {
    let section = store::section::find(world.db.read(), section_id).await.unwrap().unwrap();
    (section.seats.taken_count, section.seats.waitlisted_count)
}

fn bench(world: &World) -> Bench {
    Bench {
        db: (**world.db).clone(),
        clock: world.clock.shared(),
        hints: std::sync::Arc::default(),
        config: enrollment::config::Jobs::default(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn class_1_oversell_by_check_then_write_two_processes_have_one_last_seat() {
    on_each(|mut world| async move {
        beside(&mut world).await;
        let families = world.families(13).await;
        for round in 0..ROUNDS {
            let menu = Menu { weekday: i32::try_from(round).unwrap() + 1, ..seats(2) };
            let (_, section_id) = world.open(FREE, menu).await;
            world.apply(&families[12], section_id).await;

            let asks = families[..12].iter().enumerate().map(|(at, family)| {
                let (mut guardian, request) =
                    (world.guardian_at(family, at % 2 == 0), world.application(family, section_id, false));
                async move { guardian.apply(request).await }
            });
            let answers = futures::future::join_all(asks).await;

            assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
            for refusal in answers.iter().filter_map(|answer| answer.as_ref().err()) {
                assert_eq!(reason(refusal), "SECTION_FULL");
            }
            assert_eq!(counters(&world, section_id).await, (2, 0));
        }
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn class_2_pay_after_the_hold_lapsed_gives_the_seat_or_the_money_back_and_never_neither() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, seats(1)).await;
        let families = world.families(2).await;
        let lapsed = world.apply(&families[0], section_id).await;
        world.clock.advance(TimeDelta::minutes(30));
        world.until(&lapsed.id, State::Released).await;
        let now_theirs = world.apply(&families[1], section_id).await;

        world.hear_settled(&lapsed.id, true).await.unwrap();

        assert_eq!(world.get(&lapsed.id).await.state(), State::Released);
        assert!(matches!(world.last_told(&lapsed.id).await, Told::SettlementUnseated(_)));
        assert_eq!(world.get(&now_theirs.id).await.state(), State::Held, "resold once, and kept");
        // And where the seat is still free, the late payer has it.
        withdraw(&world, &families[1], &now_theirs, false).await.unwrap();
        let again = world.apply(&families[0], section_id).await;
        world.clock.advance(TimeDelta::minutes(30));
        world.until(&again.id, State::Released).await;
        world.hear_settled(&again.id, true).await.unwrap();
        assert_eq!(world.get(&again.id).await.state(), State::Confirmed);
        assert_eq!(counters(&world, section_id).await, (1, 0));
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn class_3_a_settlement_told_by_two_ways_confirms_once() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, seats(1)).await;
        let held = world.apply(&world.family().await, section_id).await;

        // The notification, the query and the close all find it paid.
        world.fakes.close_with(Close::Settled);
        world.clock.advance(TimeDelta::minutes(30));
        let (one, other) =
            tokio::join!(world.hear_settled(&held.id, false), world.hear_settled(&held.id, true));
        one.unwrap();
        other.unwrap();
        world.until(&held.id, State::Confirmed).await;
        world.hear_settled(&held.id, false).await.unwrap();

        assert_eq!(world.told(&held.id).await, ["seat_held", "seat_confirmed"]);
        assert_eq!(counters(&world, section_id).await, (1, 0));
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn class_5_idempotency_key_per_attempt_a_second_attempt_is_a_new_one_and_a_repeat_is_the_first() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, seats(1)).await;
        let family = world.family().await;
        let mut guardian = world.guardian(&family);
        let first = world.application(&family, section_id, true);
        let given = guardian.apply(first.clone()).await.unwrap().into_inner().enrollment.unwrap();
        withdraw(&world, &family, &given, false).await.unwrap();

        // A new attempt on the same seat by the same child is refused by nobody.
        let second = world.apply(&family, section_id).await;
        // The first request sent once more is the first attempt, released, and takes nothing.
        let repeat = guardian.apply(first).await.unwrap().into_inner().enrollment.unwrap();

        assert_ne!(second.id, given.id);
        assert_eq!(second.state(), State::Held);
        assert_eq!((repeat.id, repeat.state), (given.id, State::Released.into()));
        assert_eq!(counters(&world, section_id).await, (1, 0));
        world.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn class_6_capacity_is_released_once_and_only_once_whoever_releases() {
    on_each(|mut world| async move {
        beside(&mut world).await;
        for round in 0..ROUNDS {
            let menu = Menu { weekday: i32::try_from(round).unwrap() + 1, ..seats(1) };
            let (_, section_id) = world.open(REVIEWED, menu).await;
            let families = world.families(3).await;
            let theirs = world.apply(&families[0], section_id).await;
            let next = world.apply(&families[1], section_id).await;
            let last = world.apply(&families[2], section_id).await;

            // The family gives it back at two processes, again and again, and its time is over at the same moment.
            world.clock.advance(TimeDelta::days(7));
            let giving_back = (0..6).map(|at| withdraw(&world, &families[0], &theirs, at % 2 == 0));
            let bench = bench(&world);
            let (given_back, expired, also) = tokio::join!(
                futures::future::join_all(giving_back),
                expire::expire(&bench),
                promote::promote(&bench)
            );
            assert!(given_back.iter().all(|answer| answer.as_ref().unwrap().state() == State::Released));
            expired.unwrap();
            also.unwrap();

            assert_eq!(world.told(&theirs.id).await, ["review_begun", "seat_released"]);
            assert_eq!(counters(&world, section_id).await, (1, 1), "one seat, and one still in line");
            assert_eq!(world.get(&next.id).await.state(), State::InReview);
            let waiting = world.get(&last.id).await;
            assert_eq!((waiting.state(), waiting.waitlist_position), (State::Waitlisted, 1));
            let line = waiting.line.unwrap();
            assert_eq!((line.freed_count, line.offered_count), (1, 1));
        }
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn class_7_the_waitlist_moves_to_the_right_child_at_once_each_time() {
    on_each(|world| async move {
        let (_, section_id) = world.open(FREE, seats(2)).await;
        let families = world.families(7).await;
        let mut places = Vec::new();
        for family in &families {
            places.push(world.apply(family, section_id).await);
        }
        // The third in line leaves it; then seats come free one after the other, also promoted ones.
        withdraw(&world, &families[4], &places[4], false).await.unwrap();
        for (leaving, next) in [(0, 2), (2, 3), (1, 5), (3, 6)] {
            withdraw(&world, &families[leaving], &places[leaving], false).await.unwrap();

            assert_eq!(world.get(&places[next].id).await.state(), State::Confirmed, "after {leaving} left");
            assert_eq!(counters(&world, section_id).await.0, 2, "no seat stays free while somebody waits");
        }
        assert_eq!(counters(&world, section_id).await, (2, 0));
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn class_8_a_full_section_gives_whoever_would_wait_a_place_in_line() {
    on_each(|world| async move {
        let (_, section_id) = world.open(FREE, seats(1)).await;
        let families = world.families(3).await;
        world.apply(&families[0], section_id).await;

        let refused = world.try_apply(&families[1], section_id, false).await.unwrap_err();
        let waiting = world.try_apply(&families[2], section_id, true).await.unwrap().enrollment.unwrap();

        assert_eq!(reason(&refused), "SECTION_FULL");
        assert_eq!((waiting.state(), waiting.waitlist_position), (State::Waitlisted, 1));
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn class_11_running_the_promotion_again_changes_nobody() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, seats(2)).await;
        let families = world.families(5).await;
        let mut places = Vec::new();
        for family in &families {
            places.push(world.apply(family, section_id).await);
        }
        withdraw(&world, &families[0], &places[0], false).await.unwrap();
        let mut before = Vec::new();
        for place in &places {
            before.push(world.get(&place.id).await);
        }

        let bench = bench(&world);
        for _ in 0..3 {
            assert_eq!(promote::promote(&bench).await.unwrap(), 0);
            world.clock.advance(TimeDelta::minutes(1));
        }

        for (place, before) in places.iter().zip(before) {
            assert_eq!(world.get(&place.id).await, before);
        }
        world.end().await;
    })
    .await;
}

/// Two sections at the same hour, both full, and the families who sit there.
async fn rivals(world: &World, weekday: i32) -> (Id<Term>, [Id<Section>; 2], [(Family, Enrollment); 2]) {
    let (term_id, one) = world.open(FREE, Menu { weekday, ..seats(1) }).await;
    let later = Menu { weekday, start_time: "16:30", end_time: "17:30", ..seats(1) };
    let other = world.section(term_id, later).await;
    let [a, b] = <[Family; 2]>::try_from(world.families(2).await).unwrap();
    let (in_one, in_other) = (world.apply(&a, one).await, world.apply(&b, other).await);
    (term_id, [one, other], [(a, in_one), (b, in_other)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn class_12_joining_two_lists_at_once_seats_a_child_in_one_hour_once() {
    on_each(|mut world| async move {
        beside(&mut world).await;
        for round in 0..ROUNDS {
            let (_, [one, other], [(a, in_one), (b, in_other)]) =
                rivals(&world, i32::try_from(round).unwrap() + 1).await;
            let child = world.family().await;
            let waiting = [world.apply(&child, one).await, world.apply(&child, other).await];

            // Both seats come free at the same moment, at two processes.
            let (first, second) =
                tokio::join!(withdraw(&world, &a, &in_one, true), withdraw(&world, &b, &in_other, false));
            first.unwrap();
            second.unwrap();

            let states = [world.get(&waiting[0].id).await.state(), world.get(&waiting[1].id).await.state()];
            assert!(
                [[State::Confirmed, State::Waitlisted], [State::Waitlisted, State::Confirmed]]
                    .contains(&states),
                "{states:?}"
            );
            let taken = [counters(&world, one).await.0, counters(&world, other).await.0];
            assert_eq!(taken.iter().sum::<i32>(), 1);
        }
        world.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn class_12_a_child_in_line_who_takes_another_seat_at_that_moment_has_one_of_them() {
    on_each(|mut world| async move {
        beside(&mut world).await;
        let mut seated_in = BTreeSet::new();
        for round in 0..2 * ROUNDS {
            let (term_id, [one, _], [(a, in_one), _]) =
                rivals(&world, i32::try_from(round % 5).unwrap() + 1).await;
            let roomy = Menu {
                weekday: i32::try_from(round % 5).unwrap() + 1,
                start_time: "15:30",
                end_time: "16:30",
                ..Menu::default()
            };
            let roomy = world.section(term_id, roomy).await;
            let child = world.family().await;
            let waiting = world.apply(&child, one).await;

            // The seat is offered to the child while the child takes one at the same hour elsewhere.
            let application = world.application(&child, roomy, false);
            let mut guardian = world.guardian_at(&child, false);
            let (given_back, taken) =
                tokio::join!(withdraw(&world, &a, &in_one, true), guardian.apply(application));
            given_back.unwrap();

            let offered = world.get(&waiting.id).await.state();
            match &taken {
                Ok(_) => assert_eq!(offered, State::Waitlisted, "sits elsewhere"),
                Err(refusal) => {
                    assert_eq!(reason(refusal), "SLOT_TAKEN");
                    assert_eq!(offered, State::Confirmed);
                }
            }
            seated_in.insert(taken.is_ok());
        }
        println!("{}: {} of 2 ways to end were seen", world.db.kind(), seated_in.len());
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_jump_of_the_clock_moves_nobody_in_line_and_gives_no_seat_twice() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, seats(2)).await;
        let families = world.families(8).await;
        let mut places: Vec<Enrollment> = Vec::new();
        world.fakes.close_with(Close::Unanswered);
        // Two hours ahead, two hours back, ten minutes back: arrivals go on meanwhile.
        for (family, jump) in families.iter().zip([0, 0, 120, 0, -120, 0, -10, 0]) {
            world.clock.advance(TimeDelta::minutes(jump));
            places.push(world.apply(family, section_id).await);
        }

        // Numbers go by arrival, whatever the clock said.
        let mut waiting = Vec::new();
        for place in &places[2..] {
            let place = world.get(&place.id).await;
            waiting.push((place.state(), place.waitlist_position));
        }
        assert_eq!(waiting, (1..=6).map(|at| (State::Waitlisted, at)).collect::<Vec<_>>());
        // A hold that lapsed while the clock was ahead is asked about, and kept as long as its money may have arrived.
        assert_eq!(counters(&world, section_id).await, (2, 6));
        for place in &places[..2] {
            let place = world.get(&place.id).await;
            assert!([State::Held, State::Releasing].contains(&place.state()), "{:?}", place.state());
        }
        world.fakes.close_with(Close::Closed);
        world.clock.advance(TimeDelta::hours(5));
        for place in &places[..2] {
            let released = world.until(&place.id, State::Released).await;
            assert_eq!(released.release_reason(), ReleaseReason::HoldExpired);
        }
        world.until(&places[3].id, State::Held).await;
        let next = world.get(&places[2].id).await;
        assert_eq!((next.state(), world.get(&places[4].id).await.waitlist_position), (State::Held, 1));
        world.end().await;
    })
    .await;
}
