//! Seats a draw leaves over: who gets them first, what came too late for the lists, and reserved seats nobody asked for.

use std::time::Duration;

use chrono::TimeDelta;
use draw::Hash;
use proto::enrollment::v1::enrollment::State;
use proto::enrollment::v1::notice_service_client::NoticeServiceClient;
use proto::enrollment::v1::{
    Enrollment, ListPupilNoticesRequest, ListRoundsRequest, OpenRoundRequest, Round, SeatReserve,
    SectionRule, Tier, WithdrawRequest, round,
};
use shared::caller::Role;
use shared::status::violations_of;
use shared::value::Moment;

use super::priority::record;
use super::stage::{Stage, on, opening};
use crate::support::{FREE, Menu, World, fact, guardian, on_each, reason, time};

/// For how long the first applications are collected, in seconds.
const TIE_SECONDS: i32 = 60;

/// A round for what the draw left over, from `open_at` on for an hour.
fn left_over(stage: &Stage, open_at: Moment, tie_seconds: i32) -> OpenRoundRequest {
    OpenRoundRequest {
        mode: round::Mode::FirstCome.into(),
        sources: Vec::new(),
        open_time: Some(time(open_at)),
        close_time: Some(time(open_at + TimeDelta::hours(1))),
        tie_seconds,
        ..opening(&stage.world, stage.term_id)
    }
}

async fn open(stage: &Stage, request: OpenRoundRequest) -> Round {
    stage.world.staff(Role::Principal).open_round(request).await.unwrap().into_inner().round.unwrap()
}

/// The round as anybody reads it now.
async fn read(stage: &Stage, id: &str) -> Round {
    let request = ListRoundsRequest { term_id: stage.term_id.to_string() };
    let rounds = stage.world.anyone().list_rounds(request).await.unwrap().into_inner().rounds;
    rounds.into_iter().find(|round| round.id == id).unwrap()
}

async fn decided(stage: &Stage, id: &str) {
    for _ in 0..2_000 {
        if read(stage, id).await.ties_decided {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the ties were never decided");
}

/// The family's lot at a section, as it can work it out itself.
async fn lot(stage: &Stage, at: usize, section: usize) -> Hash {
    let seed: Hash = stage.draw(1).await.seed.parse().unwrap();
    let (receipt, _) = stage.receipt(at, 1).await;
    let pseudonym = draw::pseudonym::pseudonym(&receipt.key, stage.families[at].pupil_id.uuid().as_bytes());
    draw::lot(&seed, &stage.sections[section].to_string(), &pseudonym)
}

/// What a family has of a section.
async fn place(stage: &Stage, at: usize, section: usize) -> Enrollment {
    let id = stage.sections[section].to_string();
    stage.enrollments(at).await.into_iter().find(|one| one.section_id == id).unwrap()
}

/// The families that have a place in a section, the seated first, then the line in its order.
async fn order(stage: &Stage, section: usize) -> Vec<usize> {
    let id = stage.sections[section].to_string();
    let mut places = Vec::new();
    for at in 0..stage.families.len() {
        let own = stage.enrollments(at).await.into_iter().find(|one| one.section_id == id);
        places.extend(own.map(|one| (one.waitlist_position, at)));
    }
    places.sort_unstable();
    places.into_iter().map(|(_, at)| at).collect()
}

/// A drawn round in which all families wished for the second section alone: the first is left over.
async fn drawn(world: World, capacity_count: i32, family_count: usize) -> Stage {
    let stage = Stage::open(world, FREE, &[on(1, capacity_count), on(2, 30)], family_count).await;
    for at in 0..family_count {
        stage.wish(at, &[&[1]]).await;
    }
    stage.draw_all().await;
    // Nobody comes in the very moment of the draw.
    stage.world.clock.set(stage.world.now() + TimeDelta::seconds(1));
    stage
}

#[tokio::test]
async fn who_comes_first_for_seats_left_over_stands_by_lot_and_who_comes_later_by_arrival() {
    on_each(|world| async move {
        let stage = drawn(world, 1, 6).await;
        let opens_at = stage.world.now();
        let round = open(&stage, left_over(&stage, opens_at, TIE_SECONDS)).await;
        let ends_at = opens_at + TimeDelta::seconds(TIE_SECONDS.into());
        assert_eq!((round.tie_seconds, round.tie_end_time), (TIE_SECONDS, Some(time(ends_at))));

        for at in 0..5 {
            let place = stage.world.apply(&stage.families[at], stage.sections[0]).await;
            assert_eq!(place.state(), State::Waitlisted, "a seat is free, and nobody gets it by speed");
        }
        let refused = stage.world.try_apply(&stage.families[5], stage.sections[0], false).await.unwrap_err();
        assert_eq!(reason(&refused), "APPLICATIONS_COLLECTED");
        assert!(fact(&refused, "tie_end_time").starts_with(&ends_at.format("%Y-%m-%dT%H:%M").to_string()));
        stage.world.clock.set(ends_at);
        decided(&stage, &round.id).await;
        stage.world.apply(&stage.families[5], stage.sections[0]).await;

        let mut lots = Vec::new();
        for at in 0..5 {
            lots.push((lot(&stage, at, 0).await, at));
        }
        lots.sort_unstable();
        let expected: Vec<_> = lots.into_iter().map(|(_, at)| at).chain([5]).collect();
        assert_eq!(order(&stage, 0).await, expected);
        assert_eq!(place(&stage, expected[0], 0).await.state(), State::Confirmed);
        // The line goes on in that order.
        let first = place(&stage, expected[0], 0).await;
        let withdrawal =
            WithdrawRequest { request_id: stage.world.request_id(), enrollment_id: first.id.clone() };
        stage.world.guardian(&stage.families[expected[0]]).withdraw(withdrawal).await.unwrap();
        let second = place(&stage, expected[1], 0).await;
        stage.world.until(&second.id, State::Confirmed).await;
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c39_a_priority_group_comes_before_every_lot() {
    on_each(|world| async move {
        let stage = drawn(world, 1, 6).await;
        record(&stage, 5, "left_behind").await.unwrap();
        let opens_at = stage.world.now();
        let round = open(&stage, left_over(&stage, opens_at, TIE_SECONDS)).await;
        for family in &stage.families {
            stage.world.apply(family, stage.sections[0]).await;
        }

        stage.world.clock.set(opens_at + TimeDelta::seconds(TIE_SECONDS.into()));
        decided(&stage, &round.id).await;

        assert_eq!(order(&stage, 0).await[0], 5, "the last to come");
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c40_basic_care_is_never_collected_and_a_late_draw_gives_the_whole_time() {
    on_each(|world| async move {
        let care = Menu { basic_care: true, ..on(3, 1) };
        let stage = Stage::open(world, FREE, &[on(1, 1), on(2, 30), care], 2).await;
        for at in 0..2 {
            stage.wish(at, &[&[1]]).await;
        }
        stage.close().await;
        let opens_at = stage.world.now();
        let round = open(&stage, left_over(&stage, opens_at, TIE_SECONDS)).await;
        // The time runs out before the draw is held: nothing is decided, for nothing could be applied for.
        let drawn_at = opens_at + TimeDelta::minutes(3);
        stage.world.clock.set(drawn_at);
        let refused = stage.world.try_apply(&stage.families[0], stage.sections[0], true).await.unwrap_err();
        assert_eq!(reason(&refused), "ROUND_CLOSED");
        stage.enter_and_draw().await;

        let ends_at = drawn_at + TimeDelta::seconds(TIE_SECONDS.into());
        let after = read(&stage, &round.id).await;
        assert_eq!((after.tie_end_time, after.ties_decided), (Some(time(ends_at)), false));
        stage.world.clock.set(drawn_at + TimeDelta::seconds(1));
        let first = stage.world.apply(&stage.families[0], stage.sections[0]).await;
        assert_eq!(first.state(), State::Waitlisted);
        let cared = stage.world.apply(&stage.families[0], stage.sections[2]).await;
        assert_eq!(cared.state(), State::Confirmed);
        stage.world.clock.set(ends_at);
        decided(&stage, &round.id).await;
        assert_eq!(stage.world.get(&first.id).await.state(), State::Confirmed);
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn without_ties_seats_left_over_go_by_arrival_and_ties_need_a_draw_before_them() {
    on_each(|world| async move {
        let stage = Stage::open(world, FREE, &[on(1, 1)], 2).await;
        for (request, field) in [
            // Opens beside nothing that was drawn before it.
            (
                OpenRoundRequest {
                    term_id: {
                        let term_id = stage.world.term(FREE).await;
                        stage.world.section(term_id, on(1, 1)).await;
                        term_id.to_string()
                    },
                    ..left_over(&stage, stage.closes_at, TIE_SECONDS)
                },
                "tie_seconds",
            ),
            (left_over(&stage, stage.closes_at, 59), "tie_seconds"),
            (left_over(&stage, stage.closes_at, 3_601), "tie_seconds"),
            (
                OpenRoundRequest {
                    tie_seconds: TIE_SECONDS,
                    ..opening(&stage.world, stage.world.term(FREE).await)
                },
                "tie_seconds",
            ),
        ] {
            let refused = stage.world.staff(Role::Principal).open_round(request).await.unwrap_err();
            let fields: Vec<_> = violations_of(&refused).list().iter().map(|v| v.field.clone()).collect();
            assert_eq!(fields, [field], "{refused:?}");
        }
        stage.draw_all().await;
        open(&stage, left_over(&stage, stage.world.now(), 0)).await;

        for (at, state) in [(0, State::Confirmed), (1, State::Waitlisted)] {
            let place = stage.world.apply(&stage.families[at], stage.sections[0]).await;
            assert_eq!(place.state(), state);
        }
        stage.world.end().await;
    })
    .await;
}

/// The titles of a pupil's notices, newest first.
async fn notices(stage: &Stage, at: usize) -> Vec<(String, String)> {
    let request = ListPupilNoticesRequest { pupil_id: stage.pupil(at), ..Default::default() };
    let link = stage.world.link(&guardian(&stage.families[at]));
    let lines = NoticeServiceClient::new(link).list_pupil_notices(request).await.unwrap().into_inner().lines;
    let notice = |line: proto::enrollment::v1::list_pupil_notices_response::Line| line.notice.unwrap();
    lines.into_iter().map(notice).map(|notice| (notice.title, notice.body)).collect()
}

#[tokio::test]
async fn a_section_published_before_the_lists_close_joins_them_and_every_family_is_told_once() {
    on_each(|world| async move {
        let mut stage = Stage::open(world, FREE, &[on(1, 1)], 3).await;
        stage.wish(0, &[&[0]]).await;

        let beside = stage.world.section(stage.term_id, on(1, 1)).await;
        let own = stage.world.section(stage.term_id, on(2, 3)).await;

        stage.sections.extend([beside, own]);
        let settings = stage.round().await.draw.unwrap();
        assert_eq!(settings.sections.len(), 3);
        for at in 0..3 {
            assert_eq!(notices(&stage, at).await.len(), 2);
            assert!(notices(&stage, at).await[0].1.contains("围棋"));
        }
        let refused = stage.world.try_apply(&stage.families[0], beside, true).await.unwrap_err();
        assert_eq!(reason(&refused), "WISHES_ONLY", "it has a round that takes wishes");
        for at in 0..3 {
            stage.wish(at, &[&[0, 1], &[2]]).await;
        }
        stage.draw_all().await;
        stage.assert_true(1).await;
        let mut seated = [0; 3];
        for at in 0..3 {
            for one in stage.enrollments(at).await {
                let section = stage.sections.iter().position(|id| id.to_string() == one.section_id).unwrap();
                seated[section] += i32::from(one.state() == State::Confirmed);
            }
        }
        assert_eq!(seated, [1, 1, 3]);
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_section_that_comes_too_late_for_the_lists_is_given_with_the_seats_left_over() {
    on_each(|world| async move {
        let ends = |start_time, end_time| Menu { start_time, end_time, ..on(1, 1) };
        let menus = [ends("16:00", "17:00"), ends("17:00", "18:00")];
        let mut stage = Stage::open(world, FREE, &menus, 2).await;
        stage.wish(0, &[&[0], &[1]]).await;
        // It meets at the hours of both: families have a list for each.
        let between = stage.world.section(stage.term_id, ends("16:30", "17:30")).await;
        let apply = async |stage: &Stage, section| {
            stage.world.try_apply(&stage.families[1], section, true).await.map(|given| given.enrollment)
        };
        let refused = apply(&stage, between).await.unwrap_err();
        assert_eq!((reason(&refused).as_str(), fact(&refused, "open_time").as_str()), ("LEFT_OVER_ONLY", ""));
        stage.close().await;
        let late = stage.world.section(stage.term_id, on(4, 1)).await;
        let opens_at = stage.closes_at + TimeDelta::hours(1);
        open(&stage, left_over(&stage, opens_at, 0)).await;
        let since = opens_at.format("%Y-%m-%dT%H:%M:%S").to_string();

        for section in [between, late] {
            let refused = apply(&stage, section).await.unwrap_err();
            assert_eq!(reason(&refused), "LEFT_OVER_ONLY");
            assert!(fact(&refused, "open_time").starts_with(&since), "{refused:?}");
        }
        let drawn = stage.enter_and_draw().await;
        assert_eq!(drawn.sections.len(), 2);
        assert_eq!(reason(&apply(&stage, late).await.unwrap_err()), "LEFT_OVER_ONLY");
        stage.world.clock.set(opens_at);
        for section in [between, late] {
            let given = apply(&stage, section).await.unwrap().unwrap();
            assert_eq!(given.state(), State::Confirmed);
        }
        stage.sections.push(late);
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn an_extension_and_a_cancellation_reach_every_family_once() {
    on_each(|world| async move {
        let stage = Stage::open(world, FREE, &[on(1, 1)], 3).await;
        let mut principal = stage.as_staff(Role::Principal);
        let (longer, off) = (stage.extending(5), stage.cancelling());
        for _ in 0..2 {
            principal.extend_round(longer.clone()).await.unwrap();
        }
        // The newer notice is the first.
        stage.world.clock.set(stage.world.now() + TimeDelta::seconds(1));
        for request in [off.clone(), off, stage.cancelling()] {
            principal.cancel_round(request).await.unwrap();
        }

        // Also the family that had not handed in a wish.
        for at in 0..3 {
            let told = notices(&stage, at).await;
            let titles: Vec<_> = told.iter().map(|(title, _)| title.as_str()).collect();
            assert_eq!(titles, ["本轮选课取消", "选课截止时间延长"]);
            assert!(told[0].1.contains("课程调整") && told[1].1.contains("系统繁忙"), "{told:?}");
        }
        assert_eq!(stage.told().await, ["round_extended", "round_cancelled"]);
        stage.world.end().await;
    })
    .await;
}

/// A round of `mode` over one section of four seats, three of them reserved for a group nobody belongs to.
async fn reserved(world: World, mode: round::Mode, family_count: usize) -> Stage {
    let term_id = world.term(FREE).await;
    let section = world.section(term_id, on(1, 4)).await;
    let families = world.families(family_count).await;
    let rule = SectionRule {
        section_id: section.to_string(),
        tiers: vec![Tier { groups: vec!["disabled".to_owned()] }],
        reserves: vec![SeatReserve { group: "left_behind".to_owned(), seat_count: 3 }],
    };
    let request = OpenRoundRequest { mode: mode.into(), sections: vec![rule], ..opening(&world, term_id) };
    let opened = world.staff(Role::Principal).open_round(request).await.unwrap().into_inner();
    let closes_at = world.now() + super::stage::OPEN_FOR;
    let round_id = opened.round.unwrap().id;
    Stage { world, term_id, round_id, sections: vec![section], families, closes_at }
}

async fn seated_count(stage: &Stage) -> usize {
    let mut count = 0;
    for at in 0..stage.families.len() {
        count += usize::from(stage.enrollments(at).await.iter().any(|one| one.state() == State::Confirmed));
    }
    count
}

#[tokio::test]
async fn in_a_ranked_round_reserved_seats_nobody_asks_for_go_to_everybody() {
    on_each(|world| async move {
        let stage = reserved(world, round::Mode::Ranked, 6).await;
        for at in 0..6 {
            stage.wish(at, &[&[0]]).await;
        }
        stage.draw_all().await;

        assert_eq!(seated_count(&stage).await, 4);
        stage.assert_true(1).await;
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn in_a_lottery_reserved_seats_nobody_asks_for_go_to_everybody() {
    on_each(|world| async move {
        let stage = reserved(world, round::Mode::Lottery, 6).await;
        for at in 0..6 {
            stage.wish(at, &[&[0]]).await;
        }
        stage.draw_all().await;

        assert_eq!(seated_count(&stage).await, 4);
        stage.assert_true(1).await;
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn in_a_first_come_round_after_the_draw_no_seat_is_reserved_any_more() {
    on_each(|world| async move {
        let stage = reserved(world, round::Mode::Ranked, 5).await;
        stage.wish(0, &[&[0]]).await;
        stage.draw_all().await;
        open(&stage, left_over(&stage, stage.world.now(), 0)).await;
        for family in &stage.families[1..] {
            stage.world.apply(family, stage.sections[0]).await;
        }

        assert_eq!(seated_count(&stage).await, 4, "one by the draw, the reserved ones by arrival");
        assert_eq!(place(&stage, 4, 0).await.waitlist_position, 1);
        stage.world.end().await;
    })
    .await;
}
