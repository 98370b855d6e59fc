//! Two members of staff at once: one of them decides, and what is shown is what was written.

use proto::enrollment::v1::aside_mark::State;
use proto::enrollment::v1::{
    self as message, CloseQuestionRequest, ListAsideMarksRequest, OpenQuestionRequest, SettleAsideMarkRequest,
};
use shared::caller::Role;

use super::stage::{Stage, Standing};
use crate::support::{FREE, Menu, on_each, reason};

/// How often each race is run: one that passes once proves nothing.
const ROUNDS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_settle_a_mark_at_once_in_two_ways_one_is_believed_and_the_register_says_so() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 1).await;
        for round in 0..ROUNDS {
            let guest = stage.world.family().await;
            let number = i64::try_from(round).unwrap() + 1;
            let stranger = message::record_roll_request::NewMark {
                pupil_id: guest.pupil_id.to_string(),
                ..stage.mark(&stage.phone, number, 0, Standing::Present)
            };
            stage.teacher().record_roll(stage.batch(&stage.phone, vec![stranger])).await.unwrap();
            let ask = ListAsideMarksRequest { school_id: stage.school_id(), ..Default::default() };
            let waiting = stage.office().list_aside_marks(ask).await.unwrap().into_inner().marks;
            let settle = |taken_up: bool| SettleAsideMarkRequest {
                request_id: stage.world.request_id(),
                aside_mark_id: waiting[0].id.clone(),
                taken_up,
                reason: "核实".to_owned(),
                ..Default::default()
            };

            let (mut office, mut principal) = (stage.office(), stage.staff(Role::Principal));
            let (up, down) = tokio::join!(
                office.settle_aside_mark(settle(true)),
                principal.settle_aside_mark(settle(false))
            );

            let is_there =
                stage.register().await.lines.iter().any(|line| line.pupil_id == guest.pupil_id.to_string());
            match (up, down) {
                (Ok(up), Err(refused)) => {
                    assert_eq!(up.into_inner().mark.unwrap().state(), State::TakenUp);
                    assert_eq!(reason(&refused), "ASIDE_MARK_SETTLED");
                    assert!(is_there, "taken up, and not on the register");
                }
                (Err(refused), Ok(down)) => {
                    assert_eq!(down.into_inner().mark.unwrap().state(), State::Dismissed);
                    assert_eq!(reason(&refused), "ASIDE_MARK_SETTLED");
                    assert!(!is_there, "dismissed, and on the register");
                }
                both => panic!("one is believed: {both:?}"),
            }
        }
        stage.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_closed_by_several_at_once_has_one_outcome_and_everybody_is_told_that_one() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 1).await;
        for _ in 0..ROUNDS {
            let question = OpenQuestionRequest {
                request_id: stage.world.request_id(),
                pupil_id: stage.pupil(0),
                subject: "数学".to_owned(),
                topic: "通分与约分".to_owned(),
            };
            let opened = stage.teacher().open_question(question).await.unwrap().into_inner();
            let id = opened.question.unwrap().id;

            let closing = (0..6).map(|at| {
                let (mut teacher, request) = (
                    if at % 2 == 0 { stage.teacher() } else { stage.office() },
                    CloseQuestionRequest {
                        request_id: stage.world.request_id(),
                        question_id: id.clone(),
                        outcome: format!("已会{at}"),
                    },
                );
                async move { teacher.close_question(request).await.unwrap().into_inner().question.unwrap() }
            });
            let closed = futures::future::join_all(closing).await;

            assert!(closed.iter().all(|one| *one == closed[0]), "{closed:#?}");
        }
        stage.end().await;
    })
    .await;
}
