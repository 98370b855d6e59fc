//! A school of 3,000 pupils drawn in the service: how long each step takes. Run by hand:
//! `cargo test --release -p enrollment --test methods large -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use draw::Bundle;
use futures::StreamExt as _;
use futures::stream;
use proto::enrollment::v1::draw::State;
use shared::db::Kind;

use super::stage::{DIGITS, Stage, on};
use crate::support::{FREE, World};

const PUPILS: usize = 3_000;
const SLOTS: usize = 5;
const SECTIONS_A_SLOT: usize = 15;
const CAPACITY: i32 = 160;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures; minutes long"]
async fn a_school_of_3000_pupils_and_5_slots_is_drawn() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let world = World::start(kind).await;
        let menus: Vec<_> = (0..SLOTS * SECTIONS_A_SLOT)
            .map(|at| on(i32::try_from(at / SECTIONS_A_SLOT + 1).unwrap(), CAPACITY))
            .collect();
        let stage = Stage::open(world, FREE, &menus, PUPILS).await;
        let began = Instant::now();
        let stage = &stage;
        stream::iter(0..PUPILS)
            .for_each_concurrent(16, |at| async move {
                let lists: Vec<Vec<usize>> = (0..SLOTS)
                    .map(|slot| {
                        // Half of them crowd into a third of the sections.
                        let spread = if at % 2 == 0 { SECTIONS_A_SLOT } else { SECTIONS_A_SLOT / 3 };
                        let step = [1_usize, 2, 4][at % 3];
                        let wish = |rank| slot * SECTIONS_A_SLOT + (at * 7 + rank * step) % spread;
                        (0..4).map(wish).collect()
                    })
                    .collect();
                let lists: Vec<&[usize]> = lists.iter().map(Vec::as_slice).collect();
                stage.wish(at, &lists).await;
            })
            .await;
        say(kind, "wishes of all handed in", began.elapsed());

        let began = Instant::now();
        stage.world.clock.set(stage.closes_at);
        let closed = loop {
            let draw = stage.draw(0).await;
            if draw.state() == State::Committed {
                break draw;
            }
            assert!(began.elapsed() < Duration::from_secs(600), "the lists were never closed");
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        say(kind, "lists closed, committed", began.elapsed());
        assert_eq!(usize::try_from(closed.pupil_count).unwrap(), PUPILS);

        let mut office = stage.as_staff(shared::caller::Role::TeachingOffice);
        office.enter_values(stage.entering(&[DIGITS])).await.unwrap();
        let began = Instant::now();
        office.draw_round(stage.drawing()).await.unwrap();
        say(kind, "drawn, audited, saved", began.elapsed());

        let began = Instant::now();
        for at in 0..100 {
            stage.receipt(at, 1).await;
        }
        say(kind, "one family's results", began.elapsed() / 100);
        let began = Instant::now();
        let text = stage.bundle(1).await;
        say(kind, "bundle read", began.elapsed());
        println!("{kind:?}: bundle of {} bytes", text.len());
        let began = Instant::now();
        let bundle: Bundle = serde_json::from_str(&text).unwrap();
        draw::verify(&bundle).unwrap();
        say(kind, "bundle verified", began.elapsed());
        let began = Instant::now();
        stage.assert_true(1).await;
        say(kind, "verified by both verifiers", began.elapsed());
        let seated: usize = bundle.outcome.sections.iter().map(|section| section.admitted.len()).sum();
        println!("{kind:?}: {seated} seats given");
        assert!(seated > PUPILS);
    }
}

fn say(kind: Kind, what: &str, took: Duration) {
    println!("{kind:?}: {what}: {} ms", took.as_millis());
}
