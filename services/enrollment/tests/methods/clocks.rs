//! Machines whose clocks are wrong, on one PostgreSQL: what one process begins another ends, so all go by the clock they share.

use std::sync::Arc;

use chrono::TimeDelta;
use enrollment::config::Jobs;
use enrollment::domain::admission::Application;
use enrollment::domain::basket::Ask;
use enrollment::domain::enrollment::State;
use enrollment::hint::Hints;
use enrollment::job::{Bench, expire};
use enrollment::rpc::apply::{Decide as _, Desk};
use enrollment::store;
use sea_orm::ConnectionTrait as _;
use shared::clock::{Clock as _, SystemClock};
use shared::db::Kind;
use shared::random;
use shared::testing::WrongClock;
use shared::value::{Enrollment, Id, Moment, Section};

use crate::support::{CHARGED, Family, Menu, World};

/// Two hours fast, two hours slow, ten minutes slow, right.
const WRONG_BY_MINUTES: [i64; 4] = [120, -120, -10, 0];

struct Replica(WrongClock);

impl Replica {
    fn all() -> Vec<Self> {
        WRONG_BY_MINUTES.map(|minutes| Self(WrongClock(TimeDelta::minutes(minutes)))).into()
    }

    /// Applies at this process; gives where the enrollment stands.
    async fn apply(
        &self,
        world: &World,
        family: &Family,
        section_id: Id<Section>,
    ) -> (Id<Enrollment>, State) {
        let desk = Desk {
            db: (**world.db).clone(),
            clock: Arc::new(self.0),
            packs: world.packs.clone(),
            hints: Arc::new(Hints::default()),
        };
        let application = Application {
            // Made from this process's clock, as the service makes it: ids of a slow process are older than they are.
            enrollment_id: random::id(self.0.now()),
            request_id: random::uuid(world.now()),
            guardian_id: family.guardian_id,
            district_id: Id::new(world.school.path[0]),
            pupil_id: family.pupil_id,
            section_id,
            join_waitlist: true,
        };
        desk.decide(&[&Ask::One(application.clone())]).await.unwrap().remove(0).unwrap();
        (application.enrollment_id, stands(world, application.enrollment_id).await)
    }

    async fn expire(&self, world: &World) -> u64 {
        let bench = Bench {
            db: (**world.db).clone(),
            clock: Arc::new(self.0),
            hints: Arc::default(),
            config: Jobs::default(),
        };
        expire::expire(&bench).await.unwrap()
    }
}

async fn stands(world: &World, id: Id<Enrollment>) -> State {
    store::enrollment::find(world.db.read(), id).await.unwrap().unwrap().state
}

fn expires_at(state: &State) -> Moment {
    let State::Held { expires_at } = state else { panic!("{state:?}") };
    *expires_at
}

/// A section with two seats in a round that runs now, by the right clock; the service itself is stopped.
async fn open(seats: i32) -> (World, Id<Section>) {
    let mut world = World::start(Kind::Postgres).await;
    world.clock.set(SystemClock.now());
    let (_, section_id) = world.open(CHARGED, Menu { capacity_count: seats, ..Menu::default() }).await;
    world.halt().await;
    (world, section_id)
}

#[tokio::test]
async fn seats_and_numbers_go_by_arrival_and_holds_by_the_shared_clock_whichever_process_answers() {
    let (world, section_id) = open(4).await;
    let families = world.families(12).await;
    let replicas = Replica::all();

    let mut states = Vec::new();
    for (at, family) in families.iter().enumerate() {
        states.push(replicas[at % 4].apply(&world, family, section_id).await.1);
    }

    for state in &states[..4] {
        let left = expires_at(state) - SystemClock.now();
        assert!(left > TimeDelta::minutes(28) && left <= TimeDelta::minutes(30), "{left}");
    }
    let line: Vec<_> = (1..=8).map(|number| State::Waitlisted { number }).collect();
    assert_eq!(states[4..], line);
    world.end().await;
}

#[tokio::test]
async fn a_hold_ends_at_its_moment_whatever_the_process_that_looks_believes() {
    for fast_or_slow in Replica::all() {
        let (world, section_id) = open(1).await;
        let family = world.family().await;
        let (id, _) = Replica::all()[3].apply(&world, &family, section_id).await;

        // Half an hour is left: nobody ends it, also not a process for which it is long over.
        assert_eq!(fast_or_slow.expire(&world).await, 0, "{:?}", fast_or_slow.0);
        assert!(matches!(stands(&world, id).await, State::Held { .. }));
        // A moment ago it was over: everybody ends it, also a process for which it has hours left.
        let tx = world.db.begin().await.unwrap();
        tx.execute_unprepared(
            "update enrollment set hold_expires_at = clock_timestamp() - interval '1 second'",
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(fast_or_slow.expire(&world).await, 1, "{:?}", fast_or_slow.0);

        assert!(matches!(stands(&world, id).await, State::Releasing { .. }));
        world.end().await;
    }
}
