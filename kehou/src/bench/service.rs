//! Admission alone, inside one process: the hint, the queue, the desk and the database, without gRPC or HTTP.

use std::sync::Arc;

use enrollment::domain::admission::Application;
use enrollment::hint::Hints;
use enrollment::rpc::apply::{Desk, Queue, refuse_known_full};
use policy::Live;
use shared::clock::{Clock as _, SystemClock};
use shared::db::{self, Db, DbConfig};
use shared::value::{Id, School};
use shared::{random, status};
use tokio::task::JoinHandle;
use tonic::Code;
use uuid::Uuid;

use super::Setting;
use super::load::{self, Arrival, Ask, Outcome, Ran};
use super::naive;
use super::profile::{Plan, Wish};
use super::world::World;

/// Enrollment's database and the school in it.
pub struct Service {
    /// The database.
    pub db: Db,
    /// The school.
    pub world: World,
    packs: Arc<Live>,
    setting: Setting,
}

/// What an asker needs.
struct Desks {
    queue: Queue,
    hints: Option<Arc<Hints>>,
    asked: Vec<Option<Application>>,
    school_id: Id<School>,
}

#[derive(Clone)]
struct Asker(Arc<Desks>);

impl Service {
    /// Migrates an empty database and fills it for a plan.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn prepare(
        config: &DbConfig,
        packs: Arc<Live>,
        plan: &Plan,
        setting: Setting,
    ) -> anyhow::Result<Self> {
        let db = Db::connect(config).await?;
        db::migrate::<enrollment::Migrator>(&db).await?;
        let world = World::make(&db, &packs, plan).await?;
        Ok(Self { db, world, packs, setting })
    }

    /// Runs a plan once, one way.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn run(&mut self, plan: &Plan, is_naive: bool, arrival: Arrival) -> anyhow::Result<Ran> {
        self.world.reset(&self.db, &plan.sections).await?;
        let hints = Arc::new(Hints::default());
        let desk = Desk {
            db: self.db.clone(),
            clock: SystemClock::shared(),
            packs: self.packs.clone(),
            hints: hints.clone(),
        };
        let config = self.setting.admission(is_naive);
        let (queue, batcher): (Queue, JoinHandle<()>) =
            if is_naive { naive::start_queue(desk, &config) } else { Queue::start(desk, &config) };
        // Made beforehand, as parsing is no part of what is measured here.
        let now = SystemClock.now();
        let mut ids = Vec::new();
        let asked = plan.wishes.iter().map(|wish| {
            let Wish::Seat { pupil, section, request } = wish else { return None };
            let family = self.world.families.get(*pupil)?;
            if ids.len() <= *request {
                ids.resize_with(*request + 1, || random::uuid(now));
            }
            Some(Application {
                enrollment_id: random::id(now),
                request_id: *ids.get(*request)?,
                guardian_id: family.guardian_id,
                district_id: self.world.district_id(),
                pupil_id: family.pupil_id,
                section_id: *self.world.sections.get(*section)?,
                join_waitlist: false,
            })
        });
        let asked = asked.collect();
        let desks = Arc::new(Desks {
            queue,
            hints: (!is_naive).then_some(hints),
            asked,
            school_id: self.world.school_id(),
        });
        let ran = load::run(plan.wishes.len(), arrival, || async { Ok(Asker(desks.clone())) }).await?;
        drop(desks);
        batcher.await?;
        Ok(ran)
    }
}

impl Ask for Asker {
    async fn ask(&mut self, index: usize) -> Outcome {
        let Desks { queue, hints, asked, school_id } = self.0.as_ref();
        let Some(Some(application)) = asked.get(index) else {
            return Outcome::Unexplained("not a wish for one seat".to_owned());
        };
        if let Some(hints) = hints
            && let Err(refusal) = refuse_known_full(hints, application, Some(*school_id))
        {
            return refused(&refusal);
        }
        let waiting = match queue.put(application.clone(), None) {
            Ok(waiting) => waiting,
            Err(refusal) => return refused(&refusal),
        };
        match waiting.await {
            Ok(Ok(given)) => Outcome::Admitted(given.iter().map(|one| one.enrollment.id.uuid()).collect()),
            Ok(Err(refusal)) => refused(&refusal),
            Err(_) => Outcome::Unexplained("no answer".to_owned()),
        }
    }
}

fn refused(refusal: &tonic::Status) -> Outcome {
    match (refusal.code(), status::reason_of(refusal)) {
        (Code::FailedPrecondition | Code::ResourceExhausted, Some(reason)) => Outcome::Refused(reason),
        (code, reason) => Outcome::Unexplained(reason.unwrap_or_else(|| code.to_string())),
    }
}

/// The enrollments that answers promised.
#[must_use]
pub fn promised(ran: &Ran) -> Vec<Uuid> {
    let ids = |answered: &load::Answered| match &answered.outcome {
        Outcome::Admitted(ids) => ids.clone(),
        Outcome::Refused(_) | Outcome::Read | Outcome::Unexplained(_) => Vec::new(),
    };
    ran.answered.iter().flat_map(ids).collect()
}
