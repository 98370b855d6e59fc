//! A running service, a small world for it to know, and words to ask it with.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use enrollment::job::follow_billing::FollowBilling;
use enrollment::job::follow_catalog::FollowCatalog;
use enrollment::job::follow_identity::FollowIdentity;
use enrollment::rpc::apply::Queue;
use enrollment::{Config, Migrator, Parts, StartQueue};
use policy::Live;
use proto::enrollment::v1::day_service_client::DayServiceClient;
use proto::enrollment::v1::enrollment::State;
use proto::enrollment::v1::enrollment_service_client::EnrollmentServiceClient;
use proto::enrollment::v1::{
    self as message, ApplyRequest, ApplyResponse, Enrollment, GetEnrollmentRequest, OpenRoundRequest,
};
use proto::{billing, catalog, identity};
use sea_orm::{ConnectionTrait as _, Statement};
use shared::caller::{self, Caller, Grant, GuardedPupil, NodePath, Role, Signer, StaffMember, Verifier};
use shared::client::{self, Link};
use shared::clock::Clock as _;
use shared::db::{Db, Kind};
use shared::feed::{Consumer, Feed, Told};
use shared::random;
use shared::seal::Sealer;
use shared::testing::{FixedClock, TestDb, database, moment, told};
use shared::value::{Guardian, Id, Moment, Pupil, Section, Term};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use uuid::Uuid;

use crate::fakes::Fakes;

/// The packs that stand for the kinds of regions there are.
pub const FREE: &str = "jiangsu_nanjing";
pub const CHARGED: &str = "hunan_zhuzhou";
pub const REVIEWED: &str = "zhejiang_jinhua";

/// How long a call, or what happens by itself, may take on a machine that is busy with something else.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// When tests begin: within every round they open.
pub const NOON: &str = "2026-09-01T12:00:00+08:00";

/// A school's place in the tree.
#[derive(Clone, Debug)]
pub struct School {
    pub path: Vec<Uuid>,
    pub class_id: Uuid,
}

impl School {
    fn new() -> Self {
        let at = moment(NOON);
        Self { path: (0..3).map(|_| random::uuid(at)).collect(), class_id: random::uuid(at) }
    }

    pub fn class_path(&self) -> Vec<Uuid> {
        [self.path.as_slice(), &[self.class_id]].concat()
    }

    pub fn id(&self) -> Uuid {
        self.path[2]
    }
}

/// A pupil and the guardian who applies.
#[derive(Clone, Debug)]
pub struct Family {
    pub pupil_id: Id<Pupil>,
    pub guardian_id: Id<Guardian>,
    pub path: Vec<Uuid>,
}

/// A section to be put on the menu.
#[derive(Clone, Debug)]
pub struct Menu {
    pub capacity_count: i32,
    pub weekday: i32,
    pub start_time: &'static str,
    pub end_time: &'static str,
    pub grades: Vec<i32>,
    pub basic_care: bool,
    pub provider_id: String,
    pub kind: catalog::v1::slot::Kind,
}

impl Default for Menu {
    fn default() -> Self {
        Self {
            capacity_count: 30,
            weekday: 1,
            start_time: "16:00",
            end_time: "17:00",
            grades: vec![1, 2, 3],
            basic_care: false,
            provider_id: String::new(),
            kind: catalog::v1::slot::Kind::Afternoon,
        }
    }
}

pub struct World {
    pub db: Arc<TestDb>,
    pub clock: FixedClock,
    pub fakes: Fakes,
    pub packs: Arc<Live>,
    pub school: School,
    pub url: String,
    /// A second process on the same database, once there is one.
    other_url: Option<String>,
    keys: Arc<tempfile::TempDir>,
    peers: String,
    stop: CancellationToken,
    served: tokio::task::JoinHandle<anyhow::Result<()>>,
    start_queue: StartQueue,
}

/// Runs a test on SQLite, then on PostgreSQL.
pub async fn on_each<F: Future<Output = ()>>(test: impl Fn(World) -> F) {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        test(World::start(kind).await).await;
    }
}

/// Runs a test on both, under other packs.
pub async fn on_each_with<F: Future<Output = ()>>(packs: Arc<Live>, test: impl Fn(World) -> F) {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        test(World::start_with(kind, packs.clone()).await).await;
    }
}

impl World {
    pub async fn start(kind: Kind) -> Self {
        let packs = Live::open(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies"))).unwrap();
        Self::start_with(kind, Arc::new(packs)).await
    }

    pub async fn start_with(kind: Kind, packs: Arc<Live>) -> Self {
        Self::start_serving(kind, packs, Queue::start).await
    }

    /// The same, with another start of the queue of applications.
    pub async fn start_serving(kind: Kind, packs: Arc<Live>, start_queue: StartQueue) -> Self {
        let keys = tempfile::tempdir().unwrap();
        for issuer in ["identity", "enrollment", "gateway", "billing", "supervision"] {
            caller::keys::generate(keys.path(), issuer).unwrap();
        }
        // 32 bytes, base64; the value is of no account.
        std::fs::write(keys.path().join("enrollment.seal"), format!("1 {}=\n", "A".repeat(43))).unwrap();
        let fakes = Fakes::new();
        let peers = fakes.serve().await;
        let mut world = Self {
            db: Arc::new(database::<Migrator>(kind).await),
            clock: FixedClock::at(moment(NOON)),
            fakes,
            packs,
            school: School::new(),
            url: String::new(),
            other_url: None,
            keys: Arc::new(keys),
            peers,
            stop: CancellationToken::new(),
            served: tokio::spawn(async { Ok(()) }),
            start_queue,
        };
        let db = (**world.db).clone();
        (world.url, world.served) = world.serve(db).await;
        world
    }

    /// Serves once more, as another process on the same database would.
    pub async fn replica(&self) -> EnrollmentServiceClient<Link> {
        let (url, _) = self.serve(self.db.reopen().await).await;
        let link = Link::service(client::channel(&url).unwrap(), Arc::new(self.signer("gateway")));
        EnrollmentServiceClient::new(link.with_deadline(PATIENCE))
    }

    /// Serves once more, as [`World::replica`] does; gives a link to it as `caller`.
    pub async fn replica_link(&self, caller: &Caller) -> Link {
        let (url, _) = self.serve(self.db.reopen().await).await;
        let token = self.signer("identity").token(caller, Duration::from_secs(300)).unwrap();
        to(&url).as_caller(token)
    }

    /// Serves once more beside, as another process on the same database would: see [`Self::guardian_at`].
    pub async fn serve_beside(&mut self) {
        self.other_url = Some(self.serve(self.db.reopen().await).await.0);
    }

    /// A guardian at the first process, or at the one beside it.
    pub fn guardian_at(&self, family: &Family, beside: bool) -> EnrollmentServiceClient<Link> {
        let url = self.other_url.as_ref().filter(|_| beside).unwrap_or(&self.url);
        EnrollmentServiceClient::new(to(url).as_caller(self.token(family)))
    }

    async fn serve(&self, db: Db) -> (String, tokio::task::JoinHandle<anyhow::Result<()>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let signer = Arc::new(self.signer("enrollment"));
        let link = Link::service(client::channel(&self.peers).unwrap(), signer);
        let mut config = Config::default();
        config.jobs.idle_ms = 10;
        config.limits.drain_seconds = 5;
        // A race has each pupil ask for everything twice at once.
        config.admission.guardian_waiting_count = 100;
        config.admission.pupil_waiting_count = 100;
        let parts = Parts {
            config,
            db,
            clock: self.clock.shared(),
            verifier: Arc::new(Verifier::load(self.keys.path(), self.clock.shared()).unwrap()),
            packs: self.packs.clone(),
            sealer: Arc::new(Sealer::from_file(&self.keys.path().join("enrollment.seal")).unwrap()),
            identity: link.clone(),
            catalog: link.clone(),
            billing: link,
        };
        let serving = enrollment::run_with(parts, listener, None, self.stop.clone(), self.start_queue);
        (url, tokio::spawn(serving))
    }

    fn signer(&self, issuer: &str) -> Signer {
        Signer::load(issuer, &self.keys.path().join(format!("{issuer}.key.pem")), self.clock.shared())
            .unwrap()
    }

    /// What the service seals with.
    pub fn sealer(&self) -> Arc<Sealer> {
        Arc::new(Sealer::from_file(&self.keys.path().join("enrollment.seal")).unwrap())
    }

    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    // What the other services tell.

    async fn hear<C: Consumer>(&self, consumer: &C, event: C::Event) -> Result<(), Status> {
        let told = Told {
            id: random::uuid(self.now()),
            position: 1,
            district_id: Id::new(self.school.path[0]),
            subject_id: random::uuid(self.now()),
            name: "event".to_owned(),
            happened_at: self.now(),
        };
        let tx = self.db.begin().await.unwrap();
        consumer.apply(&tx, &told, event).await?;
        tx.commit().await.unwrap();
        Ok(())
    }

    pub async fn hear_identity(&self, kind: identity::v1::event::Kind) {
        let consumer = FollowIdentity { clock: self.clock.shared() };
        self.hear(&consumer, identity::v1::Event { kind: Some(kind) }).await.unwrap();
    }

    pub async fn hear_catalog(&self, kind: catalog::v1::event::Kind) {
        let consumer = FollowCatalog { clock: self.clock.shared(), packs: self.packs.clone() };
        self.hear(&consumer, catalog::v1::Event { kind: Some(kind) }).await.unwrap();
    }

    pub async fn hear_settled(&self, enrollment_id: &str, late: bool) -> Result<(), Status> {
        use billing::v1::event::Kind;
        let consumer = FollowBilling { clock: self.clock.shared() };
        let settled = billing::v1::InvoiceSettled { enrollment_id: enrollment_id.to_owned(), late };
        self.hear(&consumer, billing::v1::Event { kind: Some(Kind::InvoiceSettled(settled)) }).await
    }

    /// Billing tells what a section with a price of its own costs, and what all such may cost together.
    pub async fn hear_priced(&self, section_id: Id<Section>, price_fen: i64, ceiling_fen: i64) {
        use billing::v1::event::Kind;
        let consumer = FollowBilling { clock: self.clock.shared() };
        let priced = billing::v1::SectionPriced {
            section_id: section_id.to_string(),
            price_fen,
            ceiling_fen,
            clause_zh: "个性化课程每学期不超过 600.00 元".to_owned(),
            clause_en: "at most 600.00 yuan a term".to_owned(),
            clause_key: "personalised_course_parent_cap_fen_per_term".to_owned(),
            clause_source: "004:67".to_owned(),
        };
        self.hear(&consumer, billing::v1::Event { kind: Some(Kind::SectionPriced(priced)) }).await.unwrap();
    }

    /// A term under the current policy of `pack`, without a round.
    pub async fn term(&self, pack: &str) -> Id<Term> {
        let id: Id<Term> = random::id(self.now());
        let policy = self.packs.policy(pack, None).unwrap();
        let term = catalog::v1::Term {
            id: id.to_string(),
            path: texts(&self.school.path),
            name: "2026-2027学年第一学期".to_owned(),
            first_day: "2026-09-07".to_owned(),
            last_day: "2027-01-22".to_owned(),
            off_days: Vec::new(),
            policy_version: policy.pin(),
            stage: identity::v1::Stage::Primary.into(),
        };
        self.hear_catalog(catalog::v1::event::Kind::TermOpened(catalog::v1::TermOpened { term: Some(term) }))
            .await;
        id
    }

    pub async fn section(&self, term_id: Id<Term>, menu: Menu) -> Id<Section> {
        let id: Id<Section> = random::id(self.now());
        let slot = catalog::v1::Slot {
            id: random::uuid(self.now()).to_string(),
            term_id: term_id.to_string(),
            weekday: menu.weekday,
            kind: menu.kind.into(),
            start_time: menu.start_time.to_owned(),
            end_time: menu.end_time.to_owned(),
            class_hour_count: 1,
        };
        let section = catalog::v1::Section {
            id: id.to_string(),
            course_id: random::uuid(self.now()).to_string(),
            term_id: term_id.to_string(),
            path: texts(&self.school.path),
            title: "围棋".to_owned(),
            provider_id: menu.provider_id,
            capacity_count: menu.capacity_count,
            grades: menu.grades,
            slots: vec![slot],
            room: "101".to_owned(),
            instructor_name: "李老师".to_owned(),
            basic_care: menu.basic_care,
            state: catalog::v1::section::State::Published.into(),
            category: "智力".to_owned(),
            description: String::new(),
        };
        let published = catalog::v1::SectionPublished { section: Some(section) };
        self.hear_catalog(catalog::v1::event::Kind::SectionPublished(published)).await;
        id
    }

    pub async fn cancel(&self, section_id: Id<Section>) {
        let cancelled = catalog::v1::SectionCancelled {
            section_id: section_id.to_string(),
            reason: "教师请假".to_owned(),
        };
        self.hear_catalog(catalog::v1::event::Kind::SectionCancelled(cancelled)).await;
    }

    /// A term of `pack` with one section in an open round.
    pub async fn open(&self, pack: &str, menu: Menu) -> (Id<Term>, Id<Section>) {
        let term_id = self.term(pack).await;
        let section_id = self.section(term_id, menu).await;
        self.open_round(term_id).await;
        (term_id, section_id)
    }

    /// A round from an hour ago to two days from now, with the default waits.
    pub async fn open_round(&self, term_id: Id<Term>) {
        let request = OpenRoundRequest {
            request_id: self.request_id(),
            term_id: term_id.to_string(),
            mode: message::round::Mode::FirstCome.into(),
            open_time: Some(time(self.now() - TimeDelta::hours(1))),
            close_time: Some(time(self.now() + TimeDelta::days(2))),
            ..OpenRoundRequest::default()
        };
        self.staff(Role::Principal).open_round(request).await.unwrap();
    }

    pub async fn family(&self) -> Family {
        self.families(1).await.remove(0)
    }

    /// Pupils of grade 3 in the school's one class, each with a guardian.
    pub async fn families(&self, count: usize) -> Vec<Family> {
        let consumer = FollowIdentity { clock: self.clock.shared() };
        let path = self.school.class_path();
        let mut families = Vec::with_capacity(count);
        for _ in 0..count {
            let pupil_id: Id<Pupil> = random::id(self.now());
            let enrolled = identity::v1::PupilEnrolled {
                pupil_id: pupil_id.to_string(),
                path: texts(&path),
                stage: identity::v1::Stage::Primary.into(),
                grade: 3,
            };
            let kind = Some(identity::v1::event::Kind::PupilEnrolled(enrolled));
            self.hear(&consumer, identity::v1::Event { kind }).await.unwrap();
            families.push(Family { pupil_id, guardian_id: random::id(self.now()), path: path.clone() });
        }
        families
    }

    // Who asks.

    fn client(&self, caller: &Caller) -> EnrollmentServiceClient<Link> {
        EnrollmentServiceClient::new(self.link(caller))
    }

    /// The way to the service, in the name of `caller`.
    pub fn link(&self, caller: &Caller) -> Link {
        let token = self.signer("identity").token(caller, Duration::from_secs(300)).unwrap();
        to(&self.url).as_caller(token)
    }

    /// A member of staff of the school; a class teacher of its class.
    pub fn member(&self, role: Role) -> Caller {
        let path = match role {
            Role::ClassTeacher => self.school.class_path(),
            _ => self.school.path.clone(),
        };
        let grants = vec![Grant { role, path: NodePath::new(path) }];
        Caller::Staff(StaffMember { id: random::id(self.now()), grants })
    }

    /// The school day, as `caller` asks of it.
    pub fn day(&self, caller: &Caller) -> DayServiceClient<Link> {
        let token = self.signer("identity").token(caller, Duration::from_secs(300)).unwrap();
        DayServiceClient::new(to(&self.url).as_caller(token))
    }

    /// The school day, for whoever has no token.
    pub fn day_anyone(&self) -> DayServiceClient<Link> {
        DayServiceClient::new(to(&self.url))
    }

    pub fn anyone(&self) -> EnrollmentServiceClient<Link> {
        EnrollmentServiceClient::new(self.anyone_link())
    }

    /// The way to the service, for whoever has no token.
    pub fn anyone_link(&self) -> Link {
        to(&self.url)
    }

    pub fn service(&self, name: &str) -> EnrollmentServiceClient<Link> {
        let link = Link::service(client::channel(&self.url).unwrap(), Arc::new(self.signer(name)));
        EnrollmentServiceClient::new(link.with_deadline(PATIENCE))
    }

    pub fn token(&self, family: &Family) -> String {
        self.signer("identity").token(&guardian(family), Duration::from_secs(300)).unwrap()
    }

    pub fn guardian(&self, family: &Family) -> EnrollmentServiceClient<Link> {
        self.client(&guardian(family))
    }

    /// A member of staff at the school; a class teacher at its class.
    pub fn staff(&self, role: Role) -> EnrollmentServiceClient<Link> {
        let path = match role {
            Role::ClassTeacher => self.school.class_path(),
            _ => self.school.path.clone(),
        };
        self.staff_at(role, path)
    }

    pub fn staff_at(&self, role: Role, path: Vec<Uuid>) -> EnrollmentServiceClient<Link> {
        let grants = vec![Grant { role, path: NodePath::new(path) }];
        self.client(&Caller::Staff(StaffMember { id: random::id(self.now()), grants }))
    }

    // What is asked often.

    pub fn request_id(&self) -> String {
        random::uuid(self.now()).to_string()
    }

    pub fn application(&self, family: &Family, section_id: Id<Section>, join_waitlist: bool) -> ApplyRequest {
        ApplyRequest {
            request_id: self.request_id(),
            pupil_id: family.pupil_id.to_string(),
            section_id: section_id.to_string(),
            join_waitlist,
        }
    }

    pub async fn try_apply(
        &self,
        family: &Family,
        section_id: Id<Section>,
        join_waitlist: bool,
    ) -> Result<ApplyResponse, Status> {
        let application = self.application(family, section_id, join_waitlist);
        self.guardian(family).apply(application).await.map(tonic::Response::into_inner)
    }

    /// Applies and would stand in line; gives the enrollment.
    pub async fn apply(&self, family: &Family, section_id: Id<Section>) -> Enrollment {
        self.try_apply(family, section_id, true).await.unwrap().enrollment.unwrap()
    }

    pub async fn get(&self, id: &str) -> Enrollment {
        let request = GetEnrollmentRequest { id: id.to_owned() };
        self.service("billing").get_enrollment(request).await.unwrap().into_inner().enrollment.unwrap()
    }

    /// Waits until the enrollment stands there: jobs work by themselves.
    pub async fn until(&self, id: &str, state: State) -> Enrollment {
        let what = format!("{id} to become {state:?}");
        eventually(&what, async || {
            let enrollment = self.get(id).await;
            (enrollment.state() == state).then_some(enrollment)
        })
        .await
    }

    /// Waits until billing has been asked in vain so often about a seat being given back, and that is written down: from then on
    /// the job waits for the clock, which may be moved.
    pub async fn until_put_off(&self, id: &str, attempts: i64) {
        let id: Uuid = id.parse().unwrap();
        let value = match self.db.kind() {
            Kind::Sqlite => format!("x'{}'", id.simple()),
            Kind::Postgres => format!("'{id}'"),
        };
        let sql = format!(
            "select cast(close_attempt_count as bigint) as number from enrollment where id = {value}"
        );
        eventually(&format!("billing to be asked {attempts} times in vain"), async || {
            let read = self.db.read();
            let statement = Statement::from_string(read.get_database_backend(), sql.clone());
            let row = read.query_one_raw(statement).await.unwrap().unwrap();
            let number: i64 = row.try_get("", "number").unwrap();
            (number >= attempts).then_some(())
        })
        .await;
    }

    /// The names of the events told of an enrollment, in order.
    pub async fn told(&self, id: &str) -> Vec<String> {
        let events = told::<message::Event>(&self.db).await;
        events
            .into_iter()
            .filter(|(_, subject, _)| subject.to_string() == id)
            .map(|(name, _, _)| name)
            .collect()
    }

    /// The last event told of an enrollment.
    pub async fn last_told(&self, id: &str) -> message::event::Kind {
        let events = told::<message::Event>(&self.db).await;
        let last = events.into_iter().rfind(|(_, subject, _)| subject.to_string() == id);
        last.unwrap().2.kind.unwrap()
    }

    /// Stops the service; the world stays for another process to serve.
    pub async fn halt(&mut self) {
        self.stop.cancel();
        let served = std::mem::replace(&mut self.served, tokio::spawn(async { Ok(()) }));
        served.await.unwrap().unwrap();
    }

    /// From now on two programs answer, wherever they are.
    pub fn answered_by(&mut self, [one, other]: [String; 2]) {
        self.url = one;
        self.other_url = Some(other);
    }

    /// Where the keys are.
    pub fn keys(&self) -> &Path {
        self.keys.path()
    }

    /// Where billing, identity and the catalog are, as far as they are asked.
    pub fn peers(&self) -> &str {
        &self.peers
    }

    /// Stops the service and looks whether what it left keeps every promise.
    pub async fn end(self) {
        self.stop.cancel();
        self.served.await.unwrap().unwrap();
        Feed::new((**self.db).clone()).number().await.unwrap();
        let checked = enrollment::check(&self.db).await.unwrap();
        assert!(checked.len() >= 12);
        for checked in checked {
            assert!(checked.broken.is_empty(), "{}: {:?}", checked.invariant, checked.broken);
        }
    }
}

/// The way to a service, with patience.
fn to(url: &str) -> Link {
    Link::anonymous(client::channel(url).unwrap()).with_deadline(PATIENCE)
}

/// Looks again and again until there is something to see; gives that.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < until, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub fn guardian(family: &Family) -> Caller {
    let pupil = GuardedPupil { pupil_id: family.pupil_id, path: NodePath::new(family.path.clone()) };
    Caller::Guardian(caller::Guardian { id: family.guardian_id, pupils: vec![pupil] })
}

pub fn texts(path: &[Uuid]) -> Vec<String> {
    path.iter().map(ToString::to_string).collect()
}

pub fn time(moment: Moment) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: moment.timestamp(), nanos: 0 }
}

/// The reason of a refusal, and one of its facts.
pub fn reason(status: &Status) -> String {
    shared::status::reason_of(status).unwrap_or_else(|| format!("{status:?}"))
}

pub fn fact(status: &Status, name: &str) -> String {
    shared::status::facts_of(status).remove(name).unwrap_or_default()
}
