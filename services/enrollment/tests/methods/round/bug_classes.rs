//! The ways in which systems that give out seats are known to fail, as far as they concern drawn rounds: see `bug_classes` beside.

use proto::enrollment::v1::wish_result::Outcome;
use proto::enrollment::v1::{OpenRoundRequest, Siblings};
use shared::value::Id;

use super::stage::{Stage, on};
use crate::support::{FREE, on_each, reason};

/// How many rounds are drawn: one that ends well may be luck.
const ROUNDS: usize = 4;

/// What a pupil's wish for a section came to: number, and whether it was granted.
async fn result(stage: &Stage, at: usize, section: usize) -> (i32, bool) {
    let section_id = stage.sections[section].to_string();
    let results = stage.receipt(at, 1).await.1.results;
    let result = results.iter().find(|result| result.section_id == section_id).unwrap();
    (result.number, result.outcome() == Outcome::Admitted)
}

/// The children of one family, found through both parents, against twelve others and a pair who did not ask for it.
#[tokio::test]
async fn class_9_siblings_who_say_so_stand_together_every_day_and_only_the_last_seat_parts_them() {
    on_each(|world| async move {
        let mut world = world;
        for _ in 0..ROUNDS {
            let together = |request: OpenRoundRequest| OpenRoundRequest {
                siblings: Siblings::Together.into(),
                ..request
            };
            let mut stage = Stage::open_as(world, FREE, &[on(1, 7), on(2, 8), on(3, 7)], 15, together).await;
            // The first two have a mother in common, the last two a father: three children, one family.
            let [mother, father] =
                [stage.families[0].guardian_id, Id::new(shared::random::uuid(stage.world.now()))];
            stage.families[1].guardian_id = mother;
            for at in [1, 2] {
                let bound = proto::identity::v1::GuardianBound {
                    guardian_id: father.to_string(),
                    pupil_id: stage.pupil(at),
                };
                stage.world.hear_identity(proto::identity::v1::event::Kind::GuardianBound(bound)).await;
            }
            // These are siblings too, and draw each for itself: nobody said anything.
            stage.families[4].guardian_id = stage.families[3].guardian_id;
            for at in 0..15 {
                let mut request = stage.wishing(at, &[&[0], &[1], &[2]]);
                request.together = at < 3;
                stage.parent(at).set_wishes(request).await.unwrap();
            }

            stage.draw_all().await;

            for day in 0..3 {
                let mut all = Vec::new();
                for at in 0..15 {
                    let (number, is_in) = result(&stage, at, day).await;
                    all.push((number, is_in, at < 3));
                }
                all.sort_unstable();
                let places: Vec<_> = (0..15).filter(|place| all[*place].2).collect();
                assert_eq!(places[2] - places[0], 2, "day {day}: somebody stands between them: {all:?}");
                // Nobody behind them was taken before one of them.
                let admitted = all.iter().filter(|(_, is_in, _)| *is_in).count();
                assert!(all.iter().take(admitted).all(|(_, is_in, _)| *is_in), "day {day}: {all:?}");
            }
            stage.assert_true(1).await;
            world = stage.world;
        }
        world.end().await;
    })
    .await;
}

/// The first in the queue, the last second and whoever changed their mind draw from one urn.
#[tokio::test]
async fn class_10_being_fast_wins_nothing_in_a_drawn_round() {
    on_each(|world| async move {
        let mut world = world;
        let (mut early_seats, mut late_seats) = (0, 0);
        for _ in 0..2 * ROUNDS {
            let stage = Stage::open(world, FREE, &[on(1, 4)], 8).await;
            let (opens_at, second) = (stage.world.now(), chrono::TimeDelta::seconds(1));
            // Whoever would take a seat at once is told to wish for it.
            let grab = stage.world.try_apply(&stage.families[0], stage.sections[0], true).await.unwrap_err();
            assert_eq!(reason(&grab), "WISHES_ONLY");
            for at in 0..4 {
                stage.wish(at, &[&[0]]).await;
            }
            stage.world.clock.set(stage.closes_at - second);
            for at in 4..8 {
                stage.wish(at, &[&[0]]).await;
            }
            // One of the first hands in again, at the last moment.
            stage.wish(0, &[&[0]]).await;
            assert!(opens_at < stage.closes_at - second);

            stage.draw_all().await;

            // Both verifiers make the same numbers of the values and the lists, which hold no time.
            let bundle = stage.assert_true(1).await;
            assert!(
                bundle.pupils.is_sorted_by_key(|pupil| pupil.pseudonym),
                "the lists are in no order of arrival"
            );
            for at in 0..8 {
                let seats = if at < 4 { &mut early_seats } else { &mut late_seats };
                *seats += i32::from(result(&stage, at, 0).await.1);
            }
            world = stage.world;
        }
        // Eight draws of four seats for eight: that either half gets none of 32 is as good as impossible.
        assert_eq!(early_seats + late_seats, 4 * 2 * i32::try_from(ROUNDS).unwrap());
        assert!(early_seats > 0 && late_seats > 0, "{early_seats} early, {late_seats} late");
        world.end().await;
    })
    .await;
}
