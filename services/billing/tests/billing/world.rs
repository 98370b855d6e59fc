//! Everything around the service: three other services that tell things, WeChat, and a gateway for its notifications.

use std::convert::Infallible;
use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use billing::{Checked, Config, Merchants, Migrator, Parts};
use chrono::TimeDelta;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use policy::Live;
use prost::Message;
use proto::billing::v1 as pb;
use proto::billing::v1::billing_service_client::BillingServiceClient;
use proto::billing::v1::fund_service_client::FundServiceClient;
use proto::billing::v1::price_service_client::PriceServiceClient;
use proto::{catalog, enrollment, identity};
use sea_orm::{ConnectionTrait as _, Statement};
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use serde_json::{Value, json};
use shared::caller::{
    Caller, Grant, GuardedPupil, Guardian, NodePath, Role, Signer, StaffMember, Verifier, keys,
};
use shared::client::{self, Link};
use shared::clock::Clock as _;
use shared::db::Kind;
use shared::feed::{self, Feed, FeedServer, NewEvent};
use shared::seal::Sealer;
use shared::server::{Grpc, Limits, Ready, serve};
use shared::testing::{FixedClock, TestDb, database, moment, told};
use shared::value::{Id, Moment};
use shared::{random, status};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use uuid::Uuid;
use wechat::pay::Pay;
use wechat::sandbox::{self, Fault, FaultKind, FaultTarget, SandboxConfig};

pub type Client = BillingServiceClient<Link>;

/// Tables of a service that only tells.
struct Teller;

impl MigratorTrait for Teller {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        shared::db::migration::shared()
    }
}

/// Every region's policy, as it is shipped.
pub static PACKS: LazyLock<Arc<Live>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    Arc::new(Live::open(&folder).unwrap_or_else(|unusable| panic!("{unusable}")))
});

/// The packs made for these tests.
static OWN_PACKS: LazyLock<Arc<Live>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packs");
    Arc::new(Live::open(&folder).unwrap_or_else(|unusable| panic!("{unusable}")))
});

/// Every region's policy with supplements made for these tests, in a folder that stays as long as the tests run.
static SUPPLEMENTED: LazyLock<(Arc<Live>, TempDir)> = LazyLock::new(|| {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    copy(&here.join("../../policies"), folder.path());
    copy(&here.join("tests/supplements"), &folder.path().join("supplements"));
    (Arc::new(Live::open(folder.path()).unwrap_or_else(|unusable| panic!("{unusable}"))), folder)
});

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// The set that has a policy.
fn packs_with(pack: &str, supplement: Option<&str>) -> Arc<Live> {
    let sets = [&PACKS, &OWN_PACKS, &SUPPLEMENTED.0];
    let found = sets.into_iter().find(|packs| packs.policy(pack, supplement).is_some());
    Arc::clone(found.unwrap_or(&PACKS))
}

/// Both sides' keys at WeChat: made once, they take a while.
fn wechat_config() -> SandboxConfig {
    static CONFIG: OnceLock<SandboxConfig> = OnceLock::new();
    CONFIG.get_or_init(|| SandboxConfig::generate().unwrap()).clone()
}

/// The world around one service on one database.
pub struct World {
    pub db: TestDb,
    pub clock: FixedClock,
    pub district: Uuid,
    pub town: Uuid,
    pub school: Uuid,
    pub class: Uuid,
    pub term: Uuid,
    link: Link,
    identity_signer: Signer,
    gateway_signer: Arc<Signer>,
    enrollment_signer: Signer,
    tellers: [(&'static str, TestDb); 3],
    payers: Payers,
    wechat_url: String,
    http: reqwest::Client,
    folder: TempDir,
    _stop: DropGuard,
}

/// Which openid each guardian has.
#[derive(Clone)]
struct Payers {
    appid: String,
    openids: Arc<Mutex<Vec<(String, String)>>>,
}

/// A pupil and the guardian who speaks for them.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    pub pupil: Uuid,
    pub guardian: Uuid,
}

/// A seat held for a pupil.
#[derive(Clone, Copy, Debug)]
pub struct Seat {
    pub enrollment: Uuid,
    pub section: Uuid,
    pub family: Family,
}

/// What a term of a policy is pinned to.
pub fn pin(pack: &str, supplement: Option<&str>) -> String {
    let policy = packs_with(pack, supplement).policy(pack, supplement);
    policy.unwrap_or_else(|| panic!("no policy {pack} {supplement:?}")).pin()
}

/// A world on each database, with a term of `pack`.
pub async fn each(pack: &str, supplement: Option<&str>) -> Vec<World> {
    let mut worlds = Vec::new();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        worlds.push(World::new(kind, pack, supplement).await);
    }
    worlds
}

/// Zhuzhou with its demonstration supplement: by the class hour, 5 yuan an hour and 10 yuan a day at most.
pub async fn zhuzhou() -> Vec<World> {
    each("hunan_zhuzhou", Some("zhuzhou_demo")).await
}

/// Jinhua with its demonstration supplement: by the term, back in full before the first lesson.
pub async fn jinhua() -> Vec<World> {
    each("zhejiang_jinhua", Some("jinhua_demo")).await
}

impl World {
    pub async fn new(kind: Kind, pack: &str, supplement: Option<&str>) -> Self {
        let clock = FixedClock::at(moment("2026-08-30T09:00:00+08:00"));
        let folder = tempfile::tempdir().unwrap();
        let keys_folder = folder.path().join("keys");
        for issuer in ["identity", "catalog", "enrollment", "billing", "gateway"] {
            keys::generate(&keys_folder, issuer).unwrap();
        }
        let signer = |name: &str| {
            Signer::load(name, &keys_folder.join(format!("{name}.key.pem")), clock.shared()).unwrap()
        };
        fs::write(folder.path().join("seal"), format!("1 {}", "A".repeat(43) + "=")).unwrap();
        let verifier = || Arc::new(Verifier::load(&keys_folder, clock.shared()).unwrap());
        let stop = CancellationToken::new();

        let wechat_config =
            SandboxConfig { notify_wait_divisor: 100, refund_delay_ms: 20, ..wechat_config() };
        let payers = Payers { appid: wechat_config.appid.clone(), openids: Arc::default() };
        let mut tellers = Vec::new();
        let mut links = Vec::new();
        for name in ["identity", "catalog", "enrollment"] {
            let db = database::<Teller>(Kind::Sqlite).await;
            let feed = Feed::new(db.clone());
            let (numbering, numbered) = (feed.clone(), stop.clone());
            tokio::spawn(async move { numbering.sequencer(numbered).await });
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let routes = Routes::new(FeedServer::new(feed, &["billing"], stop.clone()).into_service())
                .add_service(IdentityFake(payers.clone()));
            let grpc = Grpc {
                name: "teller",
                listener,
                routes,
                verifier: verifier(),
                limits: Limits::default(),
                ready: Ready::always(),
                admin: None,
            };
            tokio::spawn(serve(grpc, stop.clone()));
            links.push(Link::service(client::channel(&url).unwrap(), Arc::new(signer("billing"))));
            tellers.push((name, db));
        }

        let wechat_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wechat_url = format!("http://{}", wechat_listener.local_addr().unwrap());
        let now = {
            let clock = clock.clone();
            Arc::new(move || clock.now()) as wechat::Now
        };
        let merchant = wechat_config.direct_merchant().unwrap();
        let pay = Pay::new(&wechat_config.pay_settings(&wechat_url), merchant, now.clone()).unwrap();
        tokio::spawn(sandbox::serve(wechat_listener, wechat_config, now, stop.clone()));

        let grpc_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let grpc_url = format!("http://{}", grpc_listener.local_addr().unwrap());
        let link = Link::anonymous(client::channel(&grpc_url).unwrap());
        let notify_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let notify_url = format!("http://{}/notify", notify_listener.local_addr().unwrap());
        let gateway_signer = Arc::new(signer("gateway"));
        let gateway = Router::new()
            .route("/notify", post(forward))
            .with_state(Link::service(client::channel(&grpc_url).unwrap(), gateway_signer.clone()));
        tokio::spawn(async move { axum::serve(notify_listener, gateway).await });

        let db = database::<Migrator>(kind).await;
        let mut links = links.into_iter();
        let config = Config {
            refunds_per_second: 100,
            ledger_anchor_file: folder.path().join("ledger.anchor"),
            ledger_anchor_seconds: 0,
            ..Config::default()
        };
        let sealer = Arc::new(Sealer::from_file(&folder.path().join("seal")).unwrap());
        let merchants = Merchants::one(pay);
        let parts = Parts {
            config,
            db: db.clone(),
            clock: clock.shared(),
            verifier: verifier(),
            packs: packs_with(pack, supplement),
            sealer,
            merchants,
            notify_url,
            identity: links.next().unwrap(),
            catalog: links.next().unwrap(),
            enrollment: links.next().unwrap(),
        };
        tokio::spawn(billing::run(parts, grpc_listener, None, stop.clone()));

        let id = || random::uuid(clock.now());
        let world = Self {
            db,
            district: id(),
            town: id(),
            school: id(),
            class: id(),
            term: id(),
            link,
            identity_signer: signer("identity"),
            gateway_signer,
            enrollment_signer: signer("enrollment"),
            tellers: tellers.try_into().unwrap_or_else(|_| panic!("three tellers")),
            payers,
            wechat_url,
            http: reqwest::Client::new(),
            folder,
            _stop: stop.drop_guard(),
            clock,
        };
        world.open_term(world.term, &pin(pack, supplement)).await;
        world.tell_node(pack, supplement).await;
        world
    }

    // ── what others tell ──

    async fn tell<M: Message>(&self, service: &str, subject_id: Uuid, name: &'static str, payload: &M) {
        let (_, db) = self.tellers.iter().find(|(name, _)| *name == service).unwrap();
        let tx = db.begin().await.unwrap();
        let happened_at = self.clock.now();
        let event = NewEvent { district_id: Id::new(self.district), subject_id, name, payload, happened_at };
        feed::append(&tx, event).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Waits until the service has applied everything that was told.
    pub async fn heard(&self) {
        for (service, teller) in &self.tellers {
            let feed = Feed::new((**teller).clone());
            feed.number().await.unwrap();
            let last = feed.last_position().await.unwrap();
            self.until(&format!("{service} to be heard"), || async {
                let sql = format!("select position from feed_cursor where feed = '{service}'");
                self.number(&sql).await.unwrap_or(0) >= last
            })
            .await;
        }
    }

    pub async fn open_term(&self, term: Uuid, policy_version: &str) {
        self.open_term_of(term, policy_version, "2026-09-01", "2026-09-30", &[]).await;
    }

    pub async fn open_term_of(
        &self,
        term: Uuid,
        policy_version: &str,
        first: &str,
        last: &str,
        off: &[&str],
    ) {
        let path = [self.district, self.town, self.school].map(|id| id.to_string()).to_vec();
        let opened = catalog::v1::Term {
            id: term.to_string(),
            path,
            name: "2026-2027学年第一学期".to_owned(),
            first_day: first.to_owned(),
            last_day: last.to_owned(),
            off_days: off.iter().map(ToString::to_string).collect(),
            policy_version: policy_version.to_owned(),
            stage: identity::v1::Stage::Primary.into(),
        };
        let kind = catalog::v1::event::Kind::TermOpened(catalog::v1::TermOpened { term: Some(opened) });
        self.tell("catalog", term, "term_opened", &catalog::v1::Event { kind: Some(kind) }).await;
    }

    async fn tell_node(&self, pack: &str, supplement: Option<&str>) {
        let path = [self.district, self.town, self.school].map(|id| id.to_string()).to_vec();
        let node = identity::v1::Node {
            id: self.school.to_string(),
            path,
            pack_id: pack.to_owned(),
            supplement_id: supplement.unwrap_or_default().to_owned(),
            ..identity::v1::Node::default()
        };
        let kind = identity::v1::event::Kind::NodeAdded(identity::v1::NodeAdded { node: Some(node) });
        self.tell("identity", self.school, "node_added", &identity::v1::Event { kind: Some(kind) }).await;
    }

    /// A section of the world's term: a lesson each for (weekday, start hour, class hours).
    pub async fn section(&self, lessons: &[(i32, u32, i32)]) -> Uuid {
        let id = random::uuid(self.clock.now());
        let slot = |(weekday, hour, class_hours): &(i32, u32, i32)| catalog::v1::Slot {
            id: random::uuid(self.clock.now()).to_string(),
            term_id: self.term.to_string(),
            weekday: *weekday,
            kind: catalog::v1::slot::Kind::Afternoon.into(),
            start_time: format!("{hour:02}:00"),
            end_time: format!("{hour:02}:50"),
            class_hour_count: *class_hours,
        };
        let section = catalog::v1::Section {
            id: id.to_string(),
            term_id: self.term.to_string(),
            title: "篮球".to_owned(),
            slots: lessons.iter().map(slot).collect(),
            ..catalog::v1::Section::default()
        };
        let published = catalog::v1::SectionPublished { section: Some(section) };
        let kind = catalog::v1::event::Kind::SectionPublished(published);
        self.tell("catalog", id, "section_published", &catalog::v1::Event { kind: Some(kind) }).await;
        id
    }

    /// A pupil of the world's class, with a guardian.
    pub async fn family(&self) -> Family {
        let [pupil, guardian] = [random::uuid(self.clock.now()), random::uuid(self.clock.now())];
        let path = [self.district, self.town, self.school, self.class].map(|id| id.to_string()).to_vec();
        let enrolled = identity::v1::PupilEnrolled {
            pupil_id: pupil.to_string(),
            path,
            stage: identity::v1::Stage::Primary.into(),
            grade: 3,
        };
        let kind = identity::v1::event::Kind::PupilEnrolled(enrolled);
        self.tell("identity", pupil, "pupil_enrolled", &identity::v1::Event { kind: Some(kind) }).await;
        self.openid(guardian, &format!("o{}", guardian.simple()));
        Family { pupil, guardian }
    }

    pub fn openid(&self, guardian: Uuid, openid: &str) {
        self.payers.openids.lock().unwrap().push((guardian.to_string(), openid.to_owned()));
    }

    async fn tell_seat(&self, seat: Seat, name: &'static str, kind: enrollment::v1::event::Kind) {
        let path = [self.district, self.town, self.school, self.class].map(|id| id.to_string()).to_vec();
        let event = enrollment::v1::Event {
            enrollment_id: seat.enrollment.to_string(),
            pupil_id: seat.family.pupil.to_string(),
            section_id: seat.section.to_string(),
            term_id: self.term.to_string(),
            guardian_id: seat.family.guardian.to_string(),
            pupil_path: path,
            kind: Some(kind),
        };
        self.tell("enrollment", seat.enrollment, name, &event).await;
    }

    /// A seat is held for half an hour; waits until the service knows.
    pub async fn hold(&self, family: Family, section: Uuid) -> Seat {
        self.hold_for(family, section, TimeDelta::minutes(30)).await
    }

    pub async fn hold_for(&self, family: Family, section: Uuid, time: TimeDelta) -> Seat {
        let seat = Seat { enrollment: random::uuid(self.clock.now()), section, family };
        self.hold_seat(seat, time).await;
        self.heard().await;
        seat
    }

    pub async fn hold_seat(&self, seat: Seat, time: TimeDelta) {
        let ends = self.clock.now() + time;
        let hold_expire_time = Some(prost_types::Timestamp { seconds: ends.timestamp(), nanos: 0 });
        let held = enrollment::v1::SeatHeld { hold_expire_time, from_waitlist: false };
        self.tell_seat(seat, "seat_held", enrollment::v1::event::Kind::SeatHeld(held)).await;
    }

    /// A seat that is a pupil's for good.
    pub async fn confirm(&self, family: Family, section: Uuid) -> Seat {
        let seat = Seat { enrollment: random::uuid(self.clock.now()), section, family };
        let confirmed = enrollment::v1::SeatConfirmed {};
        self.tell_seat(seat, "seat_confirmed", enrollment::v1::event::Kind::SeatConfirmed(confirmed)).await;
        self.heard().await;
        seat
    }

    pub async fn release(&self, seat: Seat, reason: enrollment::v1::enrollment::ReleaseReason) {
        let released = enrollment::v1::SeatReleased { reason: reason.into(), was_confirmed: true };
        self.tell_seat(seat, "seat_released", enrollment::v1::event::Kind::SeatReleased(released)).await;
        self.heard().await;
    }

    pub async fn withdraw(&self, seat: Seat) {
        self.release(seat, enrollment::v1::enrollment::ReleaseReason::Withdrawn).await;
    }

    /// Tells that a seat ends for another one on a day.
    pub async fn plan_change(&self, from: Seat, to: Uuid, from_day: &str) {
        let planned =
            enrollment::v1::ChangePlanned { to_enrollment_id: to.to_string(), from_day: from_day.to_owned() };
        let kind = enrollment::v1::event::Kind::ChangePlanned(planned);
        self.tell_seat(from, "change_planned", kind).await;
    }

    pub async fn unseated(&self, seat: Seat) {
        let kind = enrollment::v1::event::Kind::SettlementUnseated(enrollment::v1::SettlementUnseated {});
        self.tell_seat(seat, "settlement_unseated", kind).await;
        self.heard().await;
    }

    // ── who calls ──

    pub fn as_caller(&self, caller: &Caller) -> Client {
        let token = self.identity_signer.token(caller, Duration::from_secs(300)).unwrap();
        self.with_token(&token)
    }

    fn with_token(&self, token: &str) -> Client {
        let link = self.link.as_caller(token).with_deadline(Duration::from_secs(60));
        BillingServiceClient::new(link).max_encoding_message_size(8 << 20).max_decoding_message_size(8 << 20)
    }

    /// The service of prices, for a member of staff.
    pub fn prices(&self, number: u128, role: Role) -> PriceServiceClient<Link> {
        let token =
            self.identity_signer.token(&self.staff_caller(number, role), Duration::from_secs(300)).unwrap();
        PriceServiceClient::new(self.link.as_caller(token.as_str()).with_deadline(Duration::from_secs(20)))
    }

    pub fn guardian_caller(&self, family: Family) -> Caller {
        let path = NodePath::new(vec![self.district, self.town, self.school, self.class]);
        Caller::Guardian(Guardian {
            id: Id::new(family.guardian),
            pupils: vec![GuardedPupil { pupil_id: Id::new(family.pupil), path }],
        })
    }

    pub fn guardian(&self, family: Family) -> Client {
        self.as_caller(&self.guardian_caller(family))
    }

    pub fn staff_caller(&self, number: u128, role: Role) -> Caller {
        let path = match role {
            Role::BureauOfficer | Role::BureauFinance => vec![self.district],
            Role::ClassTeacher => vec![self.district, self.town, self.school, self.class],
            Role::Provider => vec![Uuid::from_u128(77)],
            _ => vec![self.district, self.town, self.school],
        };
        let grants = vec![Grant { role, path: NodePath::new(path) }];
        Caller::Staff(StaffMember { id: Id::new(Uuid::from_u128(number)), grants })
    }

    /// The way to the service for a member of staff, for the methods of its other services.
    pub fn staff_link(&self, number: u128, role: Role) -> Link {
        self.link_of(&self.staff_caller(number, role))
    }

    /// The way to the service for anybody.
    pub fn link_of(&self, caller: &Caller) -> Link {
        let token = self.identity_signer.token(caller, Duration::from_secs(300)).unwrap();
        self.link.as_caller(token).with_deadline(Duration::from_secs(20))
    }

    pub fn staff(&self, number: u128, role: Role) -> Client {
        self.as_caller(&self.staff_caller(number, role))
    }

    pub fn funds(&self, number: u128, role: Role) -> FundServiceClient<Link> {
        self.funds_as(&self.staff_caller(number, role))
    }

    /// Who does the money of another school.
    pub fn funds_elsewhere(&self) -> FundServiceClient<Link> {
        let path = NodePath::new(vec![self.district, self.town, Uuid::from_u128(78)]);
        let grants = vec![Grant { role: Role::SchoolFinance, path }];
        self.funds_as(&Caller::Staff(StaffMember { id: Id::new(Uuid::from_u128(79)), grants }))
    }

    fn funds_as(&self, caller: &Caller) -> FundServiceClient<Link> {
        let token = self.identity_signer.token(caller, Duration::from_secs(300)).unwrap();
        FundServiceClient::new(self.link.as_caller(token.as_str()).with_deadline(Duration::from_secs(20)))
    }

    pub fn enrollment(&self) -> Client {
        self.with_token(&self.enrollment_signer.service_token().unwrap())
    }

    pub fn gateway(&self) -> Client {
        self.with_token(&self.gateway_signer.service_token().unwrap())
    }

    pub fn anonymous(&self) -> Client {
        BillingServiceClient::new(self.link.clone())
    }

    // ── what one does often ──

    pub async fn publish(&self, basis: pb::tariff::Basis, amount_fen: i64) {
        self.heard().await;
        let request = self.tariff(basis, amount_fen);
        self.staff(1, Role::SchoolFinance).publish_tariff(request).await.unwrap();
    }

    pub fn tariff(&self, basis: pb::tariff::Basis, amount_fen: i64) -> pb::PublishTariffRequest {
        pb::PublishTariffRequest {
            request_id: self.request_id(),
            term_id: self.term.to_string(),
            basis: basis.into(),
            amount_fen,
            approval_document: "示范发改价〔2026〕12号".to_owned(),
            ..pb::PublishTariffRequest::default()
        }
    }

    pub fn request_id(&self) -> String {
        random::uuid(self.clock.now()).to_string()
    }

    pub async fn pay(&self, seat: Seat) -> Result<pb::PayResponse, Status> {
        let request =
            pb::PayRequest { request_id: self.request_id(), enrollment_id: seat.enrollment.to_string() };
        self.guardian(seat.family).pay(request).await.map(Response::into_inner)
    }

    pub async fn invoice(&self, seat: Seat) -> pb::Invoice {
        let request = pb::GetInvoiceRequest { enrollment_id: seat.enrollment.to_string() };
        self.enrollment().get_invoice(request).await.unwrap().into_inner().invoice.unwrap()
    }

    pub async fn sync(&self, seat: Seat) -> Result<pb::Invoice, Status> {
        let request = pb::SyncPaymentRequest { enrollment_id: seat.enrollment.to_string() };
        let answer = self.guardian(seat.family).sync_payment(request).await?;
        Ok(answer.into_inner().invoice.unwrap())
    }

    pub async fn close(&self, seat: Seat) -> Result<pb::close_invoice_response::Outcome, Status> {
        let request = pb::CloseInvoiceRequest { enrollment_id: seat.enrollment.to_string() };
        Ok(self.enrollment().close_invoice(request).await?.into_inner().outcome())
    }

    pub async fn refund_quote(&self, seat: Seat) -> Result<i64, Status> {
        let request = pb::GetRefundQuoteRequest { enrollment_id: seat.enrollment.to_string() };
        Ok(self.enrollment().get_refund_quote(request).await?.into_inner().amount_fen)
    }

    pub async fn refunds(&self, family: Family) -> Vec<pb::Refund> {
        let request = pb::ListRefundsRequest { pupil_id: family.pupil.to_string(), ..Default::default() };
        self.guardian(family).list_refunds(request).await.unwrap().into_inner().refunds
    }

    pub async fn quote(&self, family: Family, sections: &[Uuid]) -> Result<pb::Quote, Status> {
        let request = pb::GetQuoteRequest {
            pupil_id: family.pupil.to_string(),
            section_ids: sections.iter().map(ToString::to_string).collect(),
        };
        Ok(self.guardian(family).get_quote(request).await?.into_inner().quote.unwrap())
    }

    /// Opens the pay sheet and pays; waits until the invoice is settled.
    pub async fn pay_and_settle(&self, seat: Seat) -> String {
        let sheet = self.pay(seat).await.unwrap();
        self.pay_sheet(&sheet).await;
        self.settled(seat).await;
        sheet.out_trade_no
    }

    pub async fn settled(&self, seat: Seat) {
        self.until("the invoice to be settled", || async {
            self.invoice(seat).await.state() == pb::invoice::State::Settled
        })
        .await;
    }

    pub async fn until<F: Future<Output = bool>>(&self, what: &str, mut holds: impl FnMut() -> F) {
        let until = Instant::now() + Duration::from_secs(120);
        while Instant::now() < until {
            if holds().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("waited too long for {what} on {}", self.db.kind());
    }

    // ── WeChat, from the people's side ──

    pub async fn wechat(&self, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}/sandbox/{path}", self.wechat_url);
        let request = match body {
            Some(body) => self.http.post(url).json(&body),
            None => self.http.get(url),
        };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    /// Pays by the sheet, as the mini-program does: its signature has to be good.
    pub async fn pay_sheet(&self, sheet: &pb::PayResponse) {
        let body = json!({
            "timeStamp": sheet.time_stamp,
            "nonceStr": sheet.nonce_str,
            "package": sheet.package,
            "signType": sheet.sign_type,
            "paySign": sheet.pay_sign,
        });
        let (status, answer) = self.wechat("request-payment", Some(body)).await;
        assert_eq!(status, 200, "{answer}");
    }

    pub async fn fault(&self, target: FaultTarget, kind: FaultKind, count: u32) {
        let fault = Fault { target, kind, count };
        let (status, answer) = self.wechat("faults", Some(serde_json::to_value(fault).unwrap())).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// How often faults have struck in all.
    pub async fn fired(&self) -> u64 {
        let (_, faults) = self.wechat("faults", None).await;
        faults.as_array().unwrap().iter().map(|fault| fault["fired_count"].as_u64().unwrap()).sum()
    }

    pub async fn orders(&self) -> Vec<Value> {
        self.wechat("orders", None).await.1["orders"].as_array().unwrap().clone()
    }

    pub async fn wechat_refunds(&self) -> Vec<Value> {
        self.wechat("refunds", None).await.1["refunds"].as_array().unwrap().clone()
    }

    pub async fn wechat_books(&self) -> (i64, i64) {
        let (_, books) = self.wechat("books", None).await;
        let sum =
            |key: &str| books.as_object().unwrap().values().map(|entry| entry[key].as_i64().unwrap()).sum();
        (sum("paid_fen"), sum("refunded_fen"))
    }

    // ── what is stored ──

    pub async fn number(&self, sql: &str) -> Option<i64> {
        let statement = Statement::from_string(self.db.read().get_database_backend(), sql);
        let row = self.db.read().query_one_raw(statement).await.unwrap()?;
        // PostgreSQL tells apart what SQLite does not.
        let wide: Result<i64, _> = row.try_get_by_index(0);
        Some(wide.unwrap_or_else(|_| i64::from(row.try_get_by_index::<i32>(0).unwrap())))
    }

    /// The id that a query gives.
    pub async fn id(&self, sql: &str) -> Uuid {
        let statement = Statement::from_string(self.db.read().get_database_backend(), sql);
        let row = self.db.read().query_one_raw(statement).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }

    /// Where the heads of the ledger's chains are written down.
    pub fn anchor_file(&self) -> std::path::PathBuf {
        self.folder.path().join("ledger.anchor")
    }

    pub async fn try_execute(&self, sql: &str) -> Result<(), sea_orm::DbErr> {
        let tx = self.db.begin().await.unwrap();
        tx.execute_unprepared(sql).await?;
        tx.commit().await.unwrap();
        Ok(())
    }

    pub async fn execute(&self, sql: &str) {
        self.try_execute(sql).await.unwrap();
    }

    pub async fn count(&self, table: &str) -> i64 {
        self.number(&format!("select count(*) from {table}")).await.unwrap()
    }

    /// The service's events about an enrollment, by name, in order.
    pub async fn told(&self, seat: Seat) -> Vec<String> {
        let events = told::<pb::Event>(&self.db).await;
        events
            .into_iter()
            .filter(|(_, subject, _)| *subject == seat.enrollment)
            .map(|(name, ..)| name)
            .collect()
    }

    /// Checks every invariant, and that WeChat's books are ours.
    pub async fn sound(&self) {
        let checked: Vec<Checked> = billing::check(&self.db).await.unwrap();
        for one in &checked {
            assert_eq!(one.broken, Vec::<String>::new(), "{} on {}", one.invariant, self.db.kind());
        }
        let ours = "select coalesce(cast(sum(debit_fen) - sum(credit_fen) as bigint), 0) \
                    from posting where account = 'wechat_clearing'";
        let (paid, refunded) = self.wechat_books().await;
        assert_eq!(self.number(ours).await, Some(paid - refunded), "WeChat's books on {}", self.db.kind());
    }
}

pub fn reason(status: &Status) -> String {
    status::reason_of(status).unwrap_or_else(|| format!("{:?} {}", status.code(), status.message()))
}

pub fn fact(status: &Status, name: &str) -> String {
    status::facts_of(status).get(name).cloned().unwrap_or_default()
}

pub fn at(text: &str) -> Moment {
    moment(text)
}

/// The gateway's part: raw bytes in, WeChat's status out.
async fn forward(
    State(link): State<Link>,
    headers: axum::http::HeaderMap,
    body: axum::body::Bytes,
) -> axum::http::StatusCode {
    use pb::receive_notification_request::Header;
    let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| Header {
        name: name.to_string(),
        value: value.to_str().unwrap_or_default().to_owned(),
    };
    let headers =
        headers.iter().filter(|(name, _)| name.as_str().starts_with("wechatpay-")).map(header).collect();
    let request = pb::ReceiveNotificationRequest { headers, body: body.to_vec() };
    match BillingServiceClient::new(link).receive_notification(request).await {
        Ok(_) => axum::http::StatusCode::NO_CONTENT,
        Err(status) if status.code() == tonic::Code::PermissionDenied => axum::http::StatusCode::UNAUTHORIZED,
        Err(_) => axum::http::StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The identity service, as far as it is asked.
#[derive(Clone)]
struct IdentityFake(Payers);

impl NamedService for IdentityFake {
    const NAME: &'static str = "kehou.identity.v1.IdentityService";
}

impl tower::Service<axum::http::Request<Body>> for IdentityFake {
    type Response = axum::http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: axum::http::Request<Body>) -> Self::Future {
        let payers = self.0.clone();
        async move {
            let answer = move |request: Request<identity::v1::GetPayerRequest>| {
                let openids = payers.openids.lock().unwrap();
                let known =
                    openids.iter().rev().find(|(guardian, _)| *guardian == request.get_ref().guardian_id);
                let answer = known.map(|(_, openid)| {
                    let openid = openid.clone();
                    Response::new(identity::v1::GetPayerResponse { appid: payers.appid.clone(), openid })
                });
                std::future::ready(answer.ok_or_else(|| status::not_found("guardian", "?")))
            };
            Ok(tonic::server::Grpc::new(ProstCodec::default())
                .unary(tower::service_fn(answer), request)
                .await)
        }
        .boxed()
    }
}

impl World {
    /// A notification this world has kept, as WeChat would send it again: signed anew.
    pub async fn stored_notification(&self) -> Vec<u8> {
        self.until("a notification", || async { self.count("notification").await > 0 }).await;
        let sql = "select body from notification limit 1";
        let statement = Statement::from_string(self.db.read().get_database_backend(), sql);
        let row = self.db.read().query_one_raw(statement).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }

    /// Hands a body to the service with WeChat's own signature over it.
    pub async fn receive(&self, body: Vec<u8>) -> Result<(), Status> {
        use pb::receive_notification_request::Header;
        let config = wechat_config();
        let key = &config.platform_keys[0];
        let signer = wechat::crypto::MerchantKey::from_pem(&key.serial, &key.private_key_pem).unwrap();
        let timestamp = self.clock.now().timestamp().to_string();
        let mut message = format!("{timestamp}\nnonce\n").into_bytes();
        message.extend_from_slice(&body);
        message.push(b'\n');
        let header = |name: &str, value: &str| Header { name: name.to_owned(), value: value.to_owned() };
        let headers = vec![
            header("wechatpay-timestamp", &timestamp),
            header("wechatpay-nonce", "nonce"),
            header("wechatpay-signature", &signer.sign(&message).unwrap()),
            header("wechatpay-serial", &key.serial),
        ];
        self.gateway()
            .receive_notification(pb::ReceiveNotificationRequest { headers, body })
            .await
            .map(|_| ())
    }
}
