//! SetWishes, ClearWishes, GetWishes; and what cannot be applied for meanwhile.

use chrono::TimeDelta;
use proto::enrollment::v1::{SetWishesRequest, round};
use shared::caller::Role;
use tonic::Code;

use super::stage::{OPEN_FOR, Stage, list, on};
use crate::support::{FREE, Menu, fact, on_each, reason};

#[tokio::test]
async fn wishes_are_replaced_as_often_as_wanted_and_taken_back() {
    on_each(|world| async move {
        let stage = Stage::open(world, FREE, &[on(1, 2), on(1, 2), on(2, 2)], 1).await;

        let request = stage.wishing(0, &[&[0, 1], &[2]]);
        let first = stage.parent(0).set_wishes(request.clone()).await.unwrap().into_inner();
        let again = stage.parent(0).set_wishes(request.clone()).await.unwrap().into_inner();
        let reused = SetWishesRequest { lists: request.lists[..1].to_vec(), ..request };
        let refused = stage.parent(0).set_wishes(reused).await.unwrap_err();

        assert_eq!(first, again);
        assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
        assert_eq!(stage.wishes(0).await, first.wishes.unwrap());
        stage.wish(0, &[&[1]]).await;
        let lists = stage.wishes(0).await.lists;
        assert_eq!(lists.len(), 1);
        assert_eq!(
            (lists[0].ranked_section_ids[0].clone(), lists[0].stand_in_line),
            (stage.sections[1].to_string(), Some(true))
        );
        for _ in 0..2 {
            stage.parent(0).clear_wishes(stage.clearing(0)).await.unwrap();
        }
        assert!(stage.wishes(0).await.lists.is_empty());
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn wishes_are_taken_from_the_opening_millisecond_until_before_the_closing_one() {
    on_each(|world| async move {
        let stage = Stage::open(world, FREE, &[on(1, 2)], 1).await;
        let step = TimeDelta::milliseconds(1);
        let opens_at = stage.closes_at - OPEN_FOR;

        stage.world.clock.set(opens_at - step);
        assert_eq!(reason(&stage.try_wish(0, &[&[0]]).await.unwrap_err()), "ROUND_NOT_OPEN");
        stage.world.clock.set(opens_at);
        stage.wish(0, &[&[0]]).await;
        stage.world.clock.set(stage.closes_at - step);
        stage.wish(0, &[&[0]]).await;
        stage.world.clock.set(stage.closes_at);
        assert_eq!(reason(&stage.try_wish(0, &[&[0]]).await.unwrap_err()), "ROUND_CLOSED");
        let refused = stage.parent(0).clear_wishes(stage.clearing(0)).await.unwrap_err();
        assert_eq!(reason(&refused), "ROUND_CLOSED");
        stage.close().await;
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c40_while_wishes_are_taken_only_basic_care_is_applied_for_and_it_is_never_drawn() {
    on_each(|world| async move {
        let care = Menu { basic_care: true, capacity_count: 1, ..on(3, 1) };
        let stage = Stage::open(world, FREE, &[on(1, 2), care], 3).await;

        let refused = stage.world.try_apply(&stage.families[0], stage.sections[0], true).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), fact(&refused, "round_id")),
            ("WISHES_ONLY", stage.round_id.clone())
        );
        let refused = stage.try_wish(0, &[&[1]]).await.unwrap_err();
        assert_eq!(reason(&refused), "BASIC_CARE_NOT_DRAWN");
        for family in &stage.families {
            stage.world.apply(family, stage.sections[1]).await;
        }
        stage.wish(0, &[&[0]]).await;
        stage.close().await;
        let refused = stage.world.try_apply(&stage.families[1], stage.sections[0], true).await.unwrap_err();
        assert_eq!(reason(&refused), "ROUND_CLOSED");
        let drawn = stage.enter_and_draw().await;

        let ids: Vec<_> = drawn.sections.iter().map(|section| section.section_id.clone()).collect();
        assert_eq!(ids, [stage.sections[0].to_string()]);
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c41_bad_wishes_are_refused_by_field_and_others_by_section() {
    on_each(|world| async move {
        let stage =
            Stage::open(world, FREE, &[on(1, 2), on(1, 2), Menu { grades: vec![6], ..on(2, 2) }], 1).await;

        let twice = stage.try_wish(0, &[&[0], &[1, 1]]).await.unwrap_err();
        let fields: Vec<_> =
            shared::status::violations_of(&twice).list().iter().map(|v| v.field.clone()).collect();
        assert_eq!(twice.code(), Code::InvalidArgument);
        assert_eq!(fields, ["lists[1].ranked_section_ids[1]", "lists[1]"]);
        assert_eq!(reason(&stage.try_wish(0, &[]).await.unwrap_err()), "INVALID_FIELDS");
        let refused = stage.try_wish(0, &[&[2]]).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), fact(&refused, "grades").as_str()),
            ("GRADE_NOT_ADMITTED", "6")
        );
        let elsewhere = stage.world.section(stage.world.term(FREE).await, on(4, 2)).await;
        let request = SetWishesRequest { lists: vec![list(&[elsewhere])], ..stage.wishing(0, &[&[0]]) };
        assert_eq!(reason(&stage.parent(0).set_wishes(request).await.unwrap_err()), "SECTION_NOT_IN_ROUND");
        stage.world.cancel(stage.sections[1]).await;
        assert_eq!(reason(&stage.try_wish(0, &[&[1]]).await.unwrap_err()), "SECTION_NOT_PUBLISHED");

        let stranger = stage.world.family().await;
        let client = super::stage::Stage { families: vec![stranger], ..stage };
        let own = SetWishesRequest {
            pupil_id: shared::random::uuid(client.world.now()).to_string(),
            ..client.wishing(0, &[&[0]])
        };
        assert_eq!(reason(&client.parent(0).set_wishes(own).await.unwrap_err()), "PUPIL_NOT_FOUND");
        client.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_round_that_is_not_drawn_takes_no_wishes() {
    on_each(|world| async move {
        let first_come = |request| proto::enrollment::v1::OpenRoundRequest {
            mode: round::Mode::FirstCome.into(),
            sources: Vec::new(),
            ..request
        };
        let stage = Stage::open_as(world, FREE, &[on(1, 2)], 1, first_come).await;

        assert_eq!(reason(&stage.try_wish(0, &[&[0]]).await.unwrap_err()), "APPLICATIONS_ONLY");
        let refused = stage.as_staff(Role::Principal).draw_round(stage.drawing()).await.unwrap_err();
        assert_eq!(reason(&refused), "APPLICATIONS_ONLY");
        stage.world.end().await;
    })
    .await;
}
