//! A running service, a small world for it to know, and words to ask it with.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use policy::Live;
use proto::identity::v1 as identity;
use proto::supervision::v1::supervision_service_client::SupervisionServiceClient;
use proto::supervision::v1::ticket::{Kind, State, Subject};
use proto::supervision::v1::{
    AcceptTicketRequest, AssignTicketRequest, Event, GetTicketRequest, RateTicketRequest, ReplyTicketRequest,
    ReturnTicketRequest, SubmitTicketRequest, SubmitTicketResponse, Ticket,
};
use shared::caller::{self, Caller, Grant, NodePath, Role, Signer, StaffMember, Verifier};
use shared::client::{self, Link};
use shared::clock::Clock as _;
use shared::db::Kind as Engine;
use shared::feed::{Consumer as _, Told};
use shared::random;
use shared::seal::{BlindIndex, Sealer};
use shared::status::reason_of;
use shared::testing::{FixedClock, TestDb, database, moment, told};
use shared::value::{Id, Moment};
use supervision::job::follow_identity::FollowIdentity;
use supervision::{Config, Migrator, Parts};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::transport::Channel;
use uuid::Uuid;

/// When tests begin: a Monday morning at which every office is open.
pub const MONDAY: &str = "2026-11-23T09:00:00+08:00";

/// How long a call may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub const TEXT: &str = "孩子的课后服务被要求全员参加，没有自愿选择。";

pub type Client = SupervisionServiceClient<Link>;

/// By what a district is ruled: pack, supplement.
pub type Ruled = (&'static str, &'static str);

/// Limits in calendar hours: 24 to accept, 120 to answer.
pub const CALENDAR: Ruled = ("hunan_zhuzhou", "zhuzhou_demo");
/// Limits in working hours: 8 to accept, 40 to answer, seven hours a day.
pub const WORKING: Ruled = ("hebei_shahe", "shahe_demo");
/// No limits and no sections.
pub const SILENT: Ruled = ("hebei", "");

/// A school's place in the tree.
#[derive(Clone, Debug)]
pub struct School {
    pub district_id: Uuid,
    pub town_id: Uuid,
    pub id: Uuid,
}

impl School {
    pub fn path(&self) -> Vec<Uuid> {
        vec![self.district_id, self.town_id, self.id]
    }
}

pub struct World {
    pub db: TestDb,
    pub clock: FixedClock,
    /// A primary school with limits in calendar hours.
    pub school: School,
    pub sealer: Arc<Sealer>,
    channel: Channel,
    signer: Signer,
    stop: CancellationToken,
}

/// Runs a test on SQLite, then on PostgreSQL, and looks at every invariant when it is done.
pub async fn on_each<F: Future<Output = ()>>(test: impl Fn(Arc<World>) -> F) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = Arc::new(World::start(engine).await);
        test(world.clone()).await;
        assert_eq!(world.broken().await, Vec::<String>::new());
        world.stop.cancel();
    }
}

/// A file with a line.
fn file(folder: &Path, name: &str, line: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    writeln!(std::fs::File::create(&path).unwrap(), "{line}").unwrap();
    path
}

/// Every region's policy, as it is shipped.
pub fn packs() -> Arc<Live> {
    Arc::new(Live::open(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies"))).unwrap())
}

impl World {
    pub async fn start(engine: Engine) -> Self {
        // Nobody is there: the feed is followed in vain.
        Self::start_beside(engine, "http://127.0.0.1:9", &tempfile::tempdir().unwrap()).await
    }

    /// Under other packs than those that are shipped.
    pub async fn start_under(engine: Engine, packs: Arc<Live>) -> Self {
        Self::start_with(engine, "http://127.0.0.1:9", &tempfile::tempdir().unwrap(), packs).await
    }

    pub async fn start_beside(engine: Engine, identity: &str, keys: &tempfile::TempDir) -> Self {
        Self::start_with(engine, identity, keys, packs()).await
    }

    async fn start_with(engine: Engine, identity: &str, keys: &tempfile::TempDir, packs: Arc<Live>) -> Self {
        for issuer in ["identity", "supervision"] {
            caller::keys::generate(keys.path(), issuer).unwrap();
        }
        let db = database::<Migrator>(engine).await;
        let clock = FixedClock::at(moment(MONDAY));
        let load = |issuer: &str| {
            Signer::load(issuer, &keys.path().join(format!("{issuer}.key.pem")), clock.shared()).unwrap()
        };
        let seal_key = file(keys.path(), "seal", "1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let sealer = Arc::new(Sealer::from_file(&seal_key).unwrap());
        let index_key = file(keys.path(), "index", "HxoZGBcWFRQTEhEQDw4NDAsKCQgHBgUEAwIBAB4dHBs=");
        let mut config = Config::default();
        config.limits.drain_seconds = 5;
        let parts = Parts {
            config,
            db: (*db).clone(),
            clock: clock.shared(),
            verifier: Arc::new(Verifier::load(keys.path(), clock.shared()).unwrap()),
            packs,
            identity: Link::service(client::channel(identity).unwrap(), Arc::new(load("supervision"))),
            // Nobody is there: what enrollment tells is heard by hand.
            enrollment: Link::anonymous(client::channel("http://127.0.0.1:9").unwrap()),
            sealer: sealer.clone(),
            index: Arc::new(BlindIndex::from_file(&index_key).unwrap()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(supervision::run(parts, listener, None, stop.clone()));
        let signer = load("identity");
        let at = clock.now();
        let [district_id, town_id, id] = std::array::from_fn(|_| random::uuid(at));
        let school = School { district_id, town_id, id };
        let world = Self { db, clock, school, sealer, channel: client::channel(&url).unwrap(), signer, stop };
        world.hear(school_node(&world.school, identity::Stage::Primary, CALENDAR)).await.unwrap();
        world
    }

    /// A school in a district of its own.
    pub async fn found_school(&self, stage: identity::Stage, ruled: Ruled) -> School {
        let [district_id, town_id, id] = std::array::from_fn(|_| self.uuid());
        let school = School { district_id, town_id, id };
        self.hear(school_node(&school, stage, ruled)).await.unwrap();
        school
    }

    /// Another school in the same town.
    pub async fn found_neighbour(&self, stage: identity::Stage, ruled: Ruled) -> School {
        let school = School { id: self.uuid(), ..self.school.clone() };
        self.hear(school_node(&school, stage, ruled)).await.unwrap();
        school
    }

    /// Lets the service hear of a node, as its follower would.
    pub async fn hear(&self, node: identity::Node) -> Result<(), Status> {
        let kind = identity::event::Kind::NodeAdded(identity::NodeAdded { node: Some(node) });
        self.hear_event(Some(kind)).await
    }

    pub async fn hear_event(&self, kind: Option<identity::event::Kind>) -> Result<(), Status> {
        let about = Told {
            id: self.uuid(),
            position: 1,
            district_id: Id::new(self.uuid()),
            subject_id: self.uuid(),
            name: "event".to_owned(),
            happened_at: self.now(),
        };
        let tx = self.db.begin().await.unwrap();
        FollowIdentity.apply(&tx, &about, identity::Event { kind }).await?;
        tx.commit().await.unwrap();
        Ok(())
    }

    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    pub fn uuid(&self) -> Uuid {
        random::uuid(self.now())
    }

    // Who asks.

    pub fn nobody(&self) -> Client {
        Client::new(Link::anonymous(self.channel.clone()).with_deadline(PATIENCE))
    }

    pub fn caller(&self, caller: &Caller) -> Client {
        let token = self.signer.token(caller, Duration::from_secs(300)).unwrap();
        Client::new(Link::anonymous(self.channel.clone()).with_deadline(PATIENCE).as_caller(token))
    }

    pub fn guardian(&self, id: Uuid) -> Client {
        self.caller(&Caller::Guardian(caller::Guardian { id: Id::new(id), pupils: Vec::new() }))
    }

    pub fn staff(&self, role: Role, path: &[Uuid]) -> Client {
        let grants = vec![Grant { role, path: NodePath::new(path.to_vec()) }];
        self.caller(&Caller::Staff(StaffMember { id: Id::new(self.uuid()), grants }))
    }

    /// Who takes complaints for the bureau of the world's school.
    pub fn operator(&self) -> Client {
        self.staff(Role::HotlineOperator, &[self.school.district_id])
    }

    pub fn principal(&self) -> Client {
        self.staff(Role::Principal, &self.school.path())
    }

    // What is asked.

    pub fn submission(&self) -> SubmitTicketRequest {
        SubmitTicketRequest {
            request_id: self.uuid().to_string(),
            school_id: self.school.id.to_string(),
            kind: Kind::Complaint.into(),
            subject: Subject::ForcedParticipation.into(),
            text: TEXT.to_owned(),
            anonymous: false,
            contact: String::new(),
        }
    }

    pub fn acceptance(&self, ticket: &Ticket) -> AcceptTicketRequest {
        AcceptTicketRequest { request_id: self.uuid().to_string(), ticket_id: ticket.id.clone() }
    }

    /// To the principal of the world's school.
    pub fn assignment(&self, ticket: &Ticket) -> AssignTicketRequest {
        AssignTicketRequest {
            request_id: self.uuid().to_string(),
            ticket_id: ticket.id.clone(),
            handler_role: "principal".to_owned(),
            handler_node_id: self.school.id.to_string(),
            note: "请三日内核实。".to_owned(),
        }
    }

    pub fn returning(&self, ticket: &Ticket) -> ReturnTicketRequest {
        let reason = "收费问题应由学校财务答复。".to_owned();
        ReturnTicketRequest { request_id: self.uuid().to_string(), ticket_id: ticket.id.clone(), reason }
    }

    pub fn answering(&self, ticket: &Ticket) -> ReplyTicketRequest {
        let text = "已核实，今后一律自愿报名。".to_owned();
        ReplyTicketRequest { request_id: self.uuid().to_string(), ticket_id: ticket.id.clone(), text }
    }

    pub fn rating(&self, ticket: &Ticket, receipt_code: &str, solved: bool) -> RateTicketRequest {
        RateTicketRequest {
            request_id: self.uuid().to_string(),
            number: ticket.number.clone(),
            receipt_code: receipt_code.to_owned(),
            solved,
            rating: if solved { 5 } else { 1 },
            comment: "感谢回复。".to_owned(),
        }
    }

    // Where a test begins.

    /// An anonymous ticket about the world's school, with its receipt.
    pub async fn submitted(&self) -> (Ticket, String) {
        let SubmitTicketResponse { ticket, receipt_code } =
            self.nobody().submit_ticket(self.submission()).await.unwrap().into_inner();
        (ticket.unwrap(), receipt_code)
    }

    pub async fn accepted(&self) -> (Ticket, String) {
        let (ticket, receipt) = self.submitted().await;
        let answer = self.operator().accept_ticket(self.acceptance(&ticket)).await.unwrap();
        (answer.into_inner().ticket.unwrap(), receipt)
    }

    pub async fn assigned(&self) -> (Ticket, String) {
        let (ticket, receipt) = self.accepted().await;
        let answer = self.operator().assign_ticket(self.assignment(&ticket)).await.unwrap();
        (answer.into_inner().ticket.unwrap(), receipt)
    }

    pub async fn replied(&self) -> (Ticket, String) {
        let (ticket, receipt) = self.assigned().await;
        let answer = self.principal().reply_ticket(self.answering(&ticket)).await.unwrap();
        (answer.into_inner().ticket.unwrap(), receipt)
    }

    // What is then true.

    /// The ticket as the bureau sees it now.
    pub async fn ticket(&self, number: &str) -> Ticket {
        let request = GetTicketRequest { number: number.to_owned(), receipt_code: String::new() };
        self.operator().get_ticket(request).await.unwrap().into_inner().ticket.unwrap()
    }

    /// The events told so far: name, ticket, message.
    pub async fn told(&self) -> Vec<(String, Uuid, Event)> {
        told(&self.db).await
    }

    /// The names of the events told so far.
    pub async fn told_names(&self) -> Vec<String> {
        self.told().await.into_iter().map(|(name, ..)| name).collect()
    }

    /// Every invariant that does not hold.
    pub async fn broken(&self) -> Vec<String> {
        let checked = supervision::check(&self.db).await.unwrap();
        let broken = checked.iter().filter(|checked| !checked.broken.is_empty());
        broken.map(|checked| format!("{}: {:?}", checked.invariant, checked.broken)).collect()
    }
}

pub fn school_node(school: &School, stage: identity::Stage, (pack, supplement): Ruled) -> identity::Node {
    identity::Node {
        id: school.id.to_string(),
        kind: identity::node::Kind::School.into(),
        path: school.path().iter().map(Uuid::to_string).collect(),
        code: "S1".to_owned(),
        name: "实验学校".to_owned(),
        stage: stage.into(),
        grade: 0,
        pack_id: pack.to_owned(),
        supplement_id: supplement.to_owned(),
    }
}

/// The reason of a refusal.
pub fn reason<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    let refusal = answer.unwrap_err();
    reason_of(&refusal).unwrap_or_else(|| refusal.to_string())
}

/// What was done with a ticket, and by whom.
pub fn done(ticket: &Ticket) -> Vec<(&str, &str)> {
    ticket.entries.iter().map(|entry| (entry.action.as_str(), entry.actor_role.as_str())).collect()
}

pub fn at(time: Option<prost_types::Timestamp>) -> Option<Moment> {
    time.map(|time| Moment::from_timestamp(time.seconds, u32::try_from(time.nanos).unwrap()).unwrap())
}

pub fn state(ticket: &Ticket) -> State {
    ticket.state()
}
