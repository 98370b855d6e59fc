//! Several replicas at once: what happens once happens once.

use futures::future::join_all;
use proto::enrollment::v1::round_service_client::RoundServiceClient;
use proto::enrollment::v1::wish_result::Outcome;
use shared::caller::Role;

use super::stage::{DIGITS, Stage, on, staff};
use crate::support::{FREE, World, on_each, reason};

#[tokio::test]
async fn replicas_that_close_and_draw_at_once_do_it_once() {
    on_each(|world| async move {
        let caller = staff(&world, Role::Principal);
        let mut world = world;
        for _ in 0..3 {
            // A replica more each time: all of them close, some of them draw.
            let other = RoundServiceClient::new(world.replica_link(&caller).await);
            let stage = Stage::open(world, FREE, &[on(1, 2), on(2, 1)], 5).await;
            for at in 0..5 {
                stage.wish(at, &[&[0], &[1]]).await;
            }
            stage.close().await;
            stage.as_staff(Role::Principal).enter_values(stage.entering(&[DIGITS])).await.unwrap();

            let attempts = (0..8).map(|at| {
                let mut client = if at % 2 == 0 { other.clone() } else { stage.as_staff(Role::Principal) };
                let request = stage.drawing();
                async move { client.draw_round(request).await }
            });
            let outcomes = join_all(attempts).await;

            let refused: Vec<_> = outcomes.iter().filter_map(|one| one.as_ref().err()).map(reason).collect();
            assert_eq!(refused, ["ROUND_DRAWN"; 7]);
            assert_eq!(stage.told().await, ["lists_closed", "round_drawn"]);
            world = unstage(stage).await;
        }
        world.end().await;
    })
    .await;
}

async fn unstage(stage: Stage) -> World {
    let mut admitted = 0;
    for at in 0..5 {
        let results = stage.receipt(at, 1).await.1.results;
        admitted += results.iter().filter(|result| result.outcome() == Outcome::Admitted).count();
    }
    assert_eq!(admitted, 3);
    stage.world
}

#[tokio::test]
async fn wishes_handed_in_while_the_lists_close_are_on_them_or_refused() {
    on_each(|world| async move {
        let mut world = world;
        for _ in 0..3 {
            let stage = Stage::open(world, FREE, &[on(1, 2)], 12).await;

            let attempts = (0..12).map(|at| {
                let (mut parent, request) = (stage.parent(at), stage.wishing(at, &[&[0]]));
                async move { parent.set_wishes(request).await }
            });
            let (taken, committed) = tokio::join!(join_all(attempts), stage.close());

            let count = taken.iter().filter(|one| one.is_ok()).count();
            assert!(
                taken
                    .iter()
                    .filter_map(|one| one.as_ref().err())
                    .all(|error| reason(error) == "ROUND_CLOSED")
            );
            assert_eq!(usize::try_from(committed.pupil_count).unwrap(), count);
            stage.enter_and_draw().await;
            stage.assert_true(1).await;
            world = stage.world;
        }
        world.end().await;
    })
    .await;
}
