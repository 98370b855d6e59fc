//! RepeatDraw: another act is a new one on record, and moves nobody who is settled.

use std::collections::BTreeSet;

use proto::enrollment::v1::enrollment::State;
use proto::enrollment::v1::wish_result::Outcome;
use proto::enrollment::v1::{RepeatDrawRequest, draw, round};
use shared::caller::Role;

use super::stage::{Stage, beacon, on};
use crate::support::{FREE, on_each, reason};

#[tokio::test]
async fn before_the_draw_a_failed_source_is_followed_by_another_act() {
    on_each(|world| async move {
        let stage = Stage::open(world, FREE, &[on(1, 1)], 3).await;
        for at in 0..3 {
            stage.wish(at, &[&[0]]).await;
        }
        let request = RepeatDrawRequest {
            request_id: stage.world.request_id(),
            round_id: stage.round_id.clone(),
            reason: "公证处未开门".to_owned(),
            sources: vec![beacon()],
        };
        let mut principal = stage.as_staff(Role::Principal);
        assert_eq!(reason(&principal.repeat_draw(request.clone()).await.unwrap_err()), "LISTS_NOT_CLOSED");
        let first = stage.close().await;
        let refused = stage.as_staff(Role::TeachingOffice).repeat_draw(request.clone()).await.unwrap_err();
        assert_eq!(reason(&refused), "ROLE_NOT_ALLOWED");

        let second = principal.repeat_draw(request.clone()).await.unwrap().into_inner().draw.unwrap();
        let again = principal.repeat_draw(request).await.unwrap().into_inner().draw.unwrap();
        let drawn = stage.enter_and_draw().await;

        assert_eq!(second, again);
        assert_eq!((second.act, second.previous_root.clone()), (2, first.root.clone()));
        assert_ne!(second.root, first.root);
        assert_eq!((drawn.act, drawn.reason.as_str()), (2, "公证处未开门"));
        let given_up = stage.draw(1).await;
        assert_eq!((given_up.state(), given_up.root), (draw::State::Abandoned, first.root));
        stage.assert_true(2).await;
        stage.assert_receipts(2).await;
        assert_eq!(stage.round().await.changes[0].reason, "公证处未开门");
        assert_eq!(stage.told().await, ["lists_closed", "lists_closed", "round_drawn"]);
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn after_the_draw_another_act_moves_nobody_who_has_a_seat() {
    on_each(|world| async move {
        let stage = Stage::open(world, FREE, &[on(1, 2), on(1, 2), on(2, 3)], 6).await;
        for at in 0..6 {
            stage.wish(at, &[&[0, 1], &[2]]).await;
        }
        stage.draw_all().await;
        let before = seats(&stage).await;
        let lines = lines(&stage).await;

        for act in 2..5 {
            let repeated = stage.repeat().await;
            assert_eq!((repeated.act, stage.round().await.state()), (act, round::State::Closed));
            stage.enter_and_draw().await;
            stage.assert_true(act).await;
        }

        assert_eq!(seats(&stage).await, before, "a seat that was given is never moved");
        assert_eq!(self::lines(&stage).await, lines, "nor is a place in line");
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn another_act_draws_what_came_free_for_those_without_a_seat() {
    on_each(|world| async move {
        let stage = Stage::open(world, FREE, &[on(1, 1)], 3).await;
        for at in 0..3 {
            // Nobody stands in line: what comes free stays free.
            let mut request = stage.wishing(at, &[&[0]]);
            request.lists[0].stand_in_line = Some(false);
            stage.parent(at).set_wishes(request).await.unwrap();
        }
        stage.draw_all().await;
        let winner = winner(&stage).await;
        let seat = stage.enrollments(winner).await.remove(0);
        let request = proto::enrollment::v1::WithdrawRequest {
            request_id: stage.world.request_id(),
            enrollment_id: seat.id,
        };
        stage.world.guardian(&stage.families[winner]).withdraw(request).await.unwrap();

        stage.repeat().await;
        stage.enter_and_draw().await;

        let mut admitted = 0;
        for at in 0..3 {
            admitted += u32::from(stage.receipt(at, 2).await.1.results[0].outcome() == Outcome::Admitted);
        }
        assert_eq!(admitted, 1);
        stage.world.end().await;
    })
    .await;
}

async fn winner(stage: &Stage) -> usize {
    for at in 0..stage.families.len() {
        if stage.enrollments(at).await.iter().any(|one| one.state() == State::Confirmed) {
            return at;
        }
    }
    panic!("nobody was admitted");
}

async fn seats(stage: &Stage) -> BTreeSet<String> {
    of_state(stage, State::Confirmed).await
}

async fn lines(stage: &Stage) -> BTreeSet<String> {
    of_state(stage, State::Waitlisted).await
}

async fn of_state(stage: &Stage, state: State) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for at in 0..stage.families.len() {
        let own = stage.enrollments(at).await.into_iter().filter(|one| one.state() == state);
        ids.extend(own.map(|one| format!("{} {}", one.id, one.waitlist_position)));
    }
    ids
}
