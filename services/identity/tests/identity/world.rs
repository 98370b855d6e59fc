//! One running service with everything around it.

use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use identity::config::{Messages, Sessions, Template};
use identity::job::follow_enrollment::FollowEnrollment;
use identity::store::vault::Vault;
use identity::{Config, Migrator, Parts};
use policy::Live;
use proto::identity::v1::identity_service_client::IdentityServiceClient;
use proto::identity::v1::import_file::Format;
use proto::identity::v1::*;
use shared::caller::{self, Caller, Grant, NodePath, Role, Signer, StaffMember, Verifier};
use shared::client::{self, Link};
use shared::clock::Clock as _;
use shared::db::Kind;
use shared::feed::{Consumer as _, Told};
use shared::seal::{BlindIndex, Sealer};
use shared::testing::{self, FixedClock, TestDb};
use shared::{random, status};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Status;
use wechat::mini::MiniProgram;
use wechat::sandbox::{self, SandboxConfig};

pub type Client = IdentityServiceClient<Link>;

pub struct World {
    pub db: TestDb,
    pub clock: FixedClock,
    pub vault: Vault,
    pub sandbox_url: String,
    pub http: reqwest::Client,
    link: Link,
    signer: Arc<Signer>,
    gateway: Arc<Signer>,
    billing: Arc<Signer>,
    _keys: tempfile::TempDir,
    _stop: DropGuard,
}

/// A district with two schools, by their ids.
pub struct Tree {
    pub district: Node,
    pub school: Node,
    pub other_school: Node,
    pub classes: Vec<Node>,
}

pub const NODES: &str = "类型,代码,上级代码,名称,学段,年级,政策包,补充规定
区县,JH,,金华示范区教育局,,,zhejiang_jinhua,jinhua_demo
镇街,JH-T1,JH,城东镇街教育办,,,,
学校,JH-S1,JH-T1,金华示范小学,小学,,,
学校,JH-S2,JH-T1,金华第二小学,小学,,,
班级,JH-S1-201,JH-S1,二年级1班,,2,,
班级,JH-S1-202,JH-S1,二年级2班,,2,,
班级,JH-S1-301,JH-S1,三年级1班,,3,,
班级,JH-S2-201,JH-S2,二年级1班,,2,,
";

pub const PUPILS: &str = "学籍号,姓名,年级,班级,监护人手机
JH20260001,王小明,2,二年级1班,13800138000
JH20260002,欧阳小红,2,JH-S1-202,13800138000;13900139000
JH20260003,李雷,3,三年级1班,13700137000
";

impl World {
    pub async fn each() -> [Self; 2] {
        [Self::on(Kind::Sqlite).await, Self::on(Kind::Postgres).await]
    }

    pub async fn on(kind: Kind) -> Self {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
        Self::under(kind, Arc::new(Live::open(&shipped).unwrap())).await
    }

    /// Under these policies.
    pub async fn under(kind: Kind, packs: Arc<Live>) -> Self {
        let db = testing::database::<Migrator>(kind).await;
        let clock = FixedClock::at(testing::moment("2026-09-01T08:00:00+08:00"));
        let keys = tempfile::tempdir().unwrap();
        let signer = |issuer: &str| {
            let key = caller::keys::generate(keys.path(), issuer).unwrap();
            Arc::new(Signer::load(issuer, &key, clock.shared()).unwrap())
        };
        let (identity, gateway, billing) = (signer("identity"), signer("gateway"), signer("billing"));
        std::fs::write(keys.path().join("seal"), "1 MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n").unwrap();
        std::fs::write(keys.path().join("index"), "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=\n").unwrap();
        let sealer = Arc::new(Sealer::from_file(&keys.path().join("seal")).unwrap());
        let index = Arc::new(BlindIndex::from_file(&keys.path().join("index")).unwrap());

        let stop = CancellationToken::new();
        let now: wechat::Now = {
            let clock = clock.clone();
            Arc::new(move || clock.now())
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sandbox_url = format!("http://{}", listener.local_addr().unwrap());
        let wechat_config = sandbox_config().await;
        let settings = wechat_config.mini_settings(&sandbox_url);
        tokio::spawn(sandbox::serve(listener, wechat_config, now.clone(), stop.clone()));

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let parts = Parts {
            config: Config { sessions: Sessions::default(), messages: templates(), ..Config::default() },
            db: db.reopen().await,
            clock: clock.shared(),
            verifier: Arc::new(Verifier::load(keys.path(), clock.shared()).unwrap()),
            signer: identity.clone(),
            sealer: sealer.clone(),
            blind_index: index.clone(),
            wechat: MiniProgram::new(settings, now).unwrap(),
            packs,
            // Nobody listens there: what enrollment tells is handed over by hand.
            enrollment: Link::anonymous(client::channel("http://127.0.0.1:1").unwrap()),
        };
        tokio::spawn(identity::run(parts, listener, None, stop.clone()));
        let link =
            Link::anonymous(client::channel(&url).unwrap()).with_deadline(std::time::Duration::from_secs(60));
        Self {
            gateway,
            billing,
            vault: Vault::new(sealer, index),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            db,
            clock,
            sandbox_url,
            link,
            signer: identity,
            _keys: keys,
            _stop: stop.drop_guard(),
        }
    }

    fn client_of(link: Link) -> Client {
        Client::new(link).max_decoding_message_size(64 << 20).max_encoding_message_size(64 << 20)
    }

    pub fn anonymous(&self) -> Client {
        Self::client_of(self.link.clone())
    }

    pub fn with_token(&self, token: &str) -> Client {
        Self::client_of(self.link.as_caller(token))
    }

    pub fn gateway(&self) -> Client {
        self.with_token(&self.gateway.service_token().unwrap())
    }

    pub fn billing(&self) -> Client {
        self.with_token(&self.billing.service_token().unwrap())
    }

    pub fn caller(&self, caller: &Caller) -> Client {
        let token = self.signer.token(caller, std::time::Duration::from_secs(86_400 * 400)).unwrap();
        self.with_token(&token)
    }

    pub fn staff(&self, role: Role, path: &[String]) -> Client {
        let path = NodePath::new(path.iter().map(|id| id.parse().unwrap()).collect());
        let member = StaffMember { id: random::id(self.clock.now()), grants: vec![Grant { role, path }] };
        self.caller(&Caller::Staff(member))
    }

    pub fn operator(&self) -> Client {
        self.staff(Role::PlatformOperator, &[])
    }

    pub async fn tree(&self) -> Tree {
        let response = self.import_nodes(NODES).await.unwrap();
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        let find = |code: &str| response.nodes.iter().find(|node| node.code == code).unwrap().clone();
        Tree {
            district: find("JH"),
            school: find("JH-S1"),
            other_school: find("JH-S2"),
            classes: ["JH-S1-201", "JH-S1-202", "JH-S1-301"].map(find).to_vec(),
        }
    }

    pub async fn import_nodes(&self, csv: &str) -> Result<ImportNodesResponse, Status> {
        let request = ImportNodesRequest { request_id: new_id(), file: Some(csv_file(csv)) };
        self.operator().import_nodes(request).await.map(tonic::Response::into_inner)
    }

    pub async fn import_pupils(
        &self,
        school: &Node,
        file: ImportFile,
    ) -> Result<ImportPupilsResponse, Status> {
        let request =
            ImportPupilsRequest { request_id: new_id(), school_id: school.id.clone(), file: Some(file) };
        let mut principal = self.staff(Role::Principal, &school.path);
        principal.import_pupils(request).await.map(tonic::Response::into_inner)
    }

    pub async fn wechat_code(&self, openid: &str) -> String {
        self.ask_sandbox("login", &format!(r#"{{"openid":"{openid}"}}"#)).await
    }

    pub async fn phone_code(&self, openid: &str, phone: &str) -> String {
        self.ask_sandbox("phone", &format!(r#"{{"openid":"{openid}","phone":"{phone}"}}"#)).await
    }

    async fn ask_sandbox(&self, what: &str, body: &str) -> String {
        let url = format!("{}/sandbox/{what}", self.sandbox_url);
        let request = self.http.post(url).header("content-type", "application/json").body(body.to_owned());
        let answer: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
        answer["code"].as_str().unwrap().to_owned()
    }

    pub async fn sign_in(&self, openid: &str) -> SignInGuardianResponse {
        let wechat_code = self.wechat_code(openid).await;
        self.anonymous().sign_in_guardian(SignInGuardianRequest { wechat_code }).await.unwrap().into_inner()
    }

    pub async fn exchange(&self, session_token: &str) -> Result<String, Status> {
        let request = ExchangeSessionRequest { session_token: session_token.to_owned() };
        Ok(self.gateway().exchange_session(request).await?.into_inner().caller_token)
    }

    /// A guardian who has signed in and verified `phone`: the session token and a client in their name.
    pub async fn guardian_with_phone(&self, openid: &str, phone: &str) -> (SignInGuardianResponse, Client) {
        let session = self.sign_in(openid).await;
        let mut client = self.with_token(&self.exchange(&session.session_token).await.unwrap());
        let phone_code = self.phone_code(openid, phone).await;
        client.verify_phone(VerifyPhoneRequest { request_id: new_id(), phone_code }).await.unwrap();
        (session, client)
    }

    pub async fn told(&self) -> Vec<(String, Event)> {
        let told = testing::told::<Event>(&self.db).await;
        told.into_iter().map(|(name, _, event)| (name, event)).collect()
    }

    pub async fn told_names(&self) -> Vec<String> {
        self.told().await.into_iter().map(|(name, _)| name).collect()
    }

    /// The way to the service, with a guardian's token.
    pub async fn link_of(&self, session_token: &str) -> Link {
        self.link.as_caller(self.exchange(session_token).await.unwrap())
    }

    /// Hears what enrollment tells, as the follower would.
    pub async fn hear(&self, told: &Told, event: proto::enrollment::v1::Event) {
        let consumer = FollowEnrollment { clock: self.clock.shared(), messages: templates() };
        let tx = self.db.begin().await.unwrap();
        consumer.apply(&tx, told, event).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
    }
}

/// Drawing RSA keys takes a second: one set for all tests.
async fn sandbox_config() -> SandboxConfig {
    static CONFIG: tokio::sync::OnceCell<SandboxConfig> = tokio::sync::OnceCell::const_new();
    CONFIG.get_or_init(|| async { SandboxConfig::generate().unwrap() }).await.clone()
}

/// Templates for arriving and leaving, and none for a pupil who is still there.
pub fn templates() -> Messages {
    let template = |id: &str| Template { template_id: id.to_owned(), ..Template::default() };
    Messages {
        checked_in: template("tmpl-arrived"),
        checked_out: template("tmpl-left"),
        per_second: 1_000,
        pause_seconds: 1,
        ..Messages::default()
    }
}

pub fn new_id() -> String {
    random::uuid(testing::moment("2026-09-01T08:00:00+08:00")).to_string()
}

pub fn csv_file(text: &str) -> ImportFile {
    ImportFile { format: Format::Csv.into(), content: text.as_bytes().to_vec() }
}

pub fn xlsx_file(content: Vec<u8>) -> ImportFile {
    ImportFile { format: Format::Xlsx.into(), content }
}

pub fn reason(refused: &Status) -> String {
    status::reason_of(refused).unwrap_or_else(|| format!("{refused:?}"))
}

pub fn faults(errors: &[RowError]) -> Vec<(i32, &str, &str)> {
    errors.iter().map(|error| (error.row, error.column.as_str(), error.reason.as_str())).collect()
}

pub fn bind_request(school: &Node, code: &str) -> BindPupilRequest {
    BindPupilRequest {
        request_id: new_id(),
        school_id: school.id.clone(),
        pupil_code: code.to_owned(),
        consent_version: "2026-09".to_owned(),
    }
}

/// The one-time code of `secret` at the world's time.
pub fn totp(world: &World, secret: &str) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    totp.generate(u64::try_from(world.clock.now().timestamp()).unwrap()).to_string()
}
