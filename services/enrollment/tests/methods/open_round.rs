//! OpenRound.

use chrono::TimeDelta;
use proto::enrollment::v1::{ListRoundsRequest, OpenRoundRequest, round};
use shared::caller::Role;
use shared::value::{Id, Term};
use tonic::{Code, Status};

use crate::support::{CHARGED, FREE, Menu, World, fact, on_each, reason, time};

/// From `open` to `close` hours from now.
fn request(world: &World, term_id: Id<Term>, open: i64, close: i64) -> OpenRoundRequest {
    OpenRoundRequest {
        request_id: world.request_id(),
        term_id: term_id.to_string(),
        mode: round::Mode::FirstCome.into(),
        open_time: Some(time(world.now() + TimeDelta::hours(open))),
        close_time: Some(time(world.now() + TimeDelta::hours(close))),
        payment_seconds: 600,
        ..OpenRoundRequest::default()
    }
}

#[tokio::test]
async fn a_round_opens_once_however_often_it_is_sent() {
    on_each(|world| async move {
        let term_id = world.term(CHARGED).await;
        world.section(term_id, Menu::default()).await;
        let mut principal = world.staff(Role::Principal);
        let first = request(&world, term_id, 0, 4);

        let opened = principal.open_round(first.clone()).await.unwrap().into_inner().round.unwrap();
        let again = principal.open_round(first.clone()).await.unwrap().into_inner().round.unwrap();

        assert_eq!(opened, again);
        assert_eq!((opened.review_seconds, opened.payment_seconds), (604_800, 600));
        let reused = OpenRoundRequest { payment_seconds: 700, ..first };
        assert_eq!(reason(&principal.open_round(reused).await.unwrap_err()), "REQUEST_ID_REUSED");
        let later =
            principal.open_round(request(&world, term_id, 4, 8)).await.unwrap().into_inner().round.unwrap();
        let list = ListRoundsRequest { term_id: term_id.to_string() };
        assert_eq!(world.anyone().list_rounds(list).await.unwrap().into_inner().rounds, [later, opened]);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn rounds_that_overlap_are_refused_also_when_opened_at_once() {
    on_each(|world| async move {
        for _ in 0..3 {
            let term_id = world.term(FREE).await;
            world.section(term_id, Menu::default()).await;

            let attempts = (0..8).map(|_| {
                let (mut principal, request) = (world.staff(Role::Principal), request(&world, term_id, 0, 4));
                async move { principal.open_round(request).await }
            });
            let outcomes = futures::future::join_all(attempts).await;

            let refusals: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
            assert_eq!(refusals.len(), 7);
            assert!(refusals.iter().all(|refusal| reason(refusal) == "ROUND_OVERLAPS"), "{refusals:?}");
        }
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_round_needs_a_menu_and_where_parents_pay_a_tariff() {
    on_each(|world| async move {
        let term_id = world.term(CHARGED).await;
        let mut principal = world.staff(Role::Principal);
        let refused = principal.open_round(request(&world, term_id, 0, 4)).await.unwrap_err();
        assert_eq!(reason(&refused), "MENU_EMPTY");
        world.section(term_id, Menu::default()).await;

        world.fakes.tariff_with(Err(shared::status::not_found("tariff", term_id)));
        let refused = principal.open_round(request(&world, term_id, 0, 4)).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::FailedPrecondition, "TARIFF_NOT_PUBLISHED")
        );
        world.fakes.tariff_with(Err(Status::unavailable("down")));
        let refused = principal.open_round(request(&world, term_id, 0, 4)).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);

        // Where the service is free billing is not asked at all.
        let free = world.term(FREE).await;
        world.section(free, Menu::default()).await;
        principal.open_round(request(&world, free, 0, 4)).await.unwrap();
        let silent = world.term("common").await;
        world.section(silent, Menu::default()).await;
        let refused = principal.open_round(request(&world, silent, 0, 4)).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), fact(&refused, "key").as_str()),
            ("POLICY_SILENT", "parent_fee_mode")
        );
        // As people call it.
        assert_eq!(
            (fact(&refused, "key_zh").as_str(), fact(&refused, "key_en").as_str()),
            ("家长缴费方式", "fee mode")
        );
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn only_the_schools_own_offices_open_rounds_and_bad_fields_are_told_together() {
    on_each(|world| async move {
        let term_id = world.term(FREE).await;
        world.section(term_id, Menu::default()).await;
        let ask = request(&world, term_id, 0, 4);

        let refused = world.staff(Role::ClassTeacher).open_round(ask.clone()).await.unwrap_err();
        assert_eq!(reason(&refused), "ROLE_NOT_ALLOWED");
        let elsewhere = (0..3).map(|_| shared::random::uuid(world.now())).collect();
        let refused = world.staff_at(Role::Principal, elsewhere).open_round(ask.clone()).await.unwrap_err();
        assert_eq!(reason(&refused), "TERM_NOT_FOUND");
        assert_eq!(world.anyone().open_round(ask.clone()).await.unwrap_err().code(), Code::Unauthenticated);

        let bad = OpenRoundRequest { mode: 0, close_time: ask.open_time, review_seconds: 59, ..ask };
        let refused = world.staff(Role::TeachingOffice).open_round(bad).await.unwrap_err();
        let fields: Vec<_> =
            shared::status::violations_of(&refused).list().iter().map(|v| v.field.clone()).collect();
        assert_eq!(fields, ["mode", "close_time", "review_seconds"]);
        world.end().await;
    })
    .await;
}
