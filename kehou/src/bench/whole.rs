//! The whole way: HTTP to the gateway, gRPC to enrollment, the database; the platform in a process of its own.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use enrollment::rpc::apply::Queue;
use identity::store::vault::Vault;
use policy::Live;
use serde_json::{Value, json};
use shared::db::Db;
use shared::random;
use shared::seal::{BlindIndex, Sealer};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use uuid::Uuid;

use super::Setting;
use super::http::{Connection, Reply};
use super::load::{self, Arrival, Ask, Outcome, Ran};
use super::naive;
use super::process::{GATEWAY_THREADS, processor_count};
use super::profile::{Plan, Wish};
use super::world::World;
use crate::platform::{Addresses, Platform, Settings};

/// How long the platform may take to come up: the demonstration may be loaded first.
const PATIENCE: Duration = Duration::from_secs(180);

/// The reasons that belong to a rush. Anything else is not explained by it.
const EXPLAINED: [&str; 6] =
    ["SECTION_FULL", "SLOT_TAKEN", "ALREADY_ENROLLED", "QUEUE_FULL", "TOO_MANY_WAITING", "BASKET_REFUSED"];

/// A platform's data, without the platform.
pub struct Place {
    folder: TempDir,
    settings: Settings,
}

/// A running platform, and the school of the bench in its databases.
pub struct Whole {
    /// Enrollment's database, seen from outside.
    pub db: Db,
    /// The school.
    pub world: World,
    /// The platform's process.
    pub process_id: u32,
    child: Child,
    address: String,
    metrics: String,
    menu: Option<String>,
    _place: Place,
}

/// The settings of the platform under measurement: nobody is turned away for coming often.
fn settings(
    data: &Path,
    database: Option<String>,
    policies: &Path,
    setting: Setting,
    is_naive: bool,
) -> Settings {
    let limits = gateway::config::Limits {
        requests_per_second: 1_000_000,
        request_burst: 1_000_000,
        sign_ins_per_second: 1_000_000,
        sign_in_burst: 1_000_000,
        application_seconds: setting.patience_seconds,
        // As by default: the request as a whole has half as long again as what it waits for.
        timeout_seconds: setting.patience_seconds.saturating_mul(3).div_ceil(2),
        ..gateway::config::Limits::default()
    };
    Settings {
        database,
        listen: "127.0.0.1:0".to_owned(),
        sandbox_listen: "127.0.0.1:0".to_owned(),
        policies: policies.to_owned(),
        limits,
        admission: setting.admission(is_naive),
        start_queue: if is_naive { naive::start_queue } else { Queue::start },
        ..Settings::new(data)
    }
}

/// What the measured process is told.
#[derive(Clone, Debug, clap::Args)]
pub struct Serve {
    /// Decides applications one by one.
    #[arg(long)]
    naive: bool,
    #[command(flatten)]
    setting: Setting,
    /// Where metrics are served.
    #[arg(long)]
    admin_listen: String,
    /// With the demonstration.
    #[arg(long)]
    demo: bool,
}

/// Runs the platform until its input ends.
///
/// # Errors
/// When it does not start, or a part of it fails.
pub async fn serve(base: Settings, serve: &Serve) -> anyhow::Result<()> {
    let mut settings = settings(&base.data, base.database, &base.policies, serve.setting, serve.naive);
    settings.admin_listen = Some(serve.admin_listen.clone());
    if !serve.demo {
        settings.demo = None;
    }
    // The gateway has threads of its own, so that its work can be told from that of the services.
    let gateway = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(processor_count())
        .thread_name(GATEWAY_THREADS)
        .enable_all()
        .build()?;
    settings.gateway_runtime = Some(gateway.handle().clone());
    let served = serve_until_told(&settings).await;
    gateway.shutdown_background();
    served
}

async fn serve_until_told(settings: &Settings) -> anyhow::Result<()> {
    let mut platform = Platform::start(settings, shared::clock::SystemClock::shared()).await?;
    // A thread of its own: the runtime does not wait for it.
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        drop(end);
    });
    let ended = tokio::select! {
        _ = ended => Ok(()),
        failed = platform.failed() => failed,
    };
    platform.stop().await?;
    ended
}

impl Place {
    /// An empty place; on PostgreSQL at `database`, which must be empty.
    ///
    /// # Errors
    /// When no folder can be made.
    pub fn new(database: Option<String>, policies: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let settings = settings(folder.path(), database, policies, Setting::default(), false);
        Ok(Self { folder, settings })
    }
}

impl Whole {
    /// Starts the platform on a place and fills it for a plan.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start(
        place: Place,
        is_naive: bool,
        setting: Setting,
        packs: &Live,
        plan: &Plan,
    ) -> anyhow::Result<Self> {
        let data = place.folder.path();
        let wants_menu = plan.wishes.iter().any(|wish| matches!(wish, Wish::Menu { .. }));
        let metrics = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--data").arg(data).arg("--policies").arg(&place.settings.policies);
        if let Some(database) = &place.settings.database {
            command.args(["--database", database]);
        }
        command.args(["bench", "serve", "--admin-listen", &metrics]).args(setting.arguments());
        if is_naive {
            command.arg("--naive");
        }
        if wants_menu {
            command.arg("--demo");
        }
        // Its input ends with us, however we end; then it ends too.
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).kill_on_drop(true).spawn()?;
        let process_id = child.id().context("the platform ended at once")?;
        let up = async {
            loop {
                if let Some(ended) = child.try_wait()? {
                    anyhow::bail!("the platform ended: {ended}");
                }
                if let Ok(addresses) = Addresses::read(data) {
                    return Ok(addresses);
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let addresses =
            tokio::time::timeout(PATIENCE, up).await.context("the platform does not come up")??;
        let address = addresses.gateway.trim_start_matches("http://").to_owned();

        let db = Db::connect(&place.settings.database_of("enrollment")).await?;
        let mut world = World::make(&db, packs, plan).await?;
        let identity = Db::connect(&place.settings.database_of("identity")).await?;
        let keys = data.join("keys");
        let sealer = Arc::new(Sealer::from_file(&keys.join("identity.seal"))?);
        let index = Arc::new(BlindIndex::from_file(&keys.join("identity.index"))?);
        world.enter_identity(&identity, &Vault::new(sealer, index), packs).await?;
        identity.close(Duration::from_secs(5)).await;
        let menu = if wants_menu { Some(first_menu(data)?) } else { None };
        let whole = Self { db, world, process_id, child, address, metrics, menu, _place: place };
        whole.warm().await?;
        Ok(whole)
    }

    /// Lets everybody in once, as they were when they looked at the menu before the opening.
    async fn warm(&self) -> anyhow::Result<()> {
        let requests: Vec<_> = self
            .world
            .families
            .iter()
            .map(|family| {
                let path = format!("/v1/pupils/{}/enrollments", family.pupil_id);
                get(&self.address, &path, Some(&family.session_token), None)
            })
            .collect();
        let requests = Arc::new(requests);
        let count = requests.len();
        let make = || async {
            Ok(Asker {
                connection: Connection::open(&self.address).await?,
                requests: requests.clone(),
                etag: String::new(),
                menu: None,
                kinds: Arc::default(),
            })
        };
        let ran = load::run(count, Arrival::Waiting(16), make).await?;
        let outcomes = ran.outcomes();
        ensure!(outcomes.get("read").copied().unwrap_or(0) == count, "families are not let in: {outcomes:?}");
        Ok(())
    }

    /// Runs a plan once.
    ///
    /// # Errors
    /// When the platform is not reached.
    pub async fn run(&mut self, plan: &Plan, arrival: Arrival) -> anyhow::Result<Ran> {
        self.world.reset(&self.db, &plan.sections).await?;
        // What was known to be full is not any more.
        tokio::time::sleep(enrollment::hint::LIFETIME + Duration::from_millis(100)).await;
        let mut ids: Vec<Uuid> = Vec::new();
        let mut requests = Vec::with_capacity(plan.wishes.len());
        for wish in &plan.wishes {
            requests.push(self.request(wish, &mut ids)?);
        }
        let (requests, kinds) = (Arc::new(requests), Arc::new(plan.wishes.clone()));
        let make = || async {
            Ok(Asker {
                connection: Connection::open(&self.address).await?,
                requests: requests.clone(),
                etag: String::new(),
                menu: self.menu.clone().map(|term_id| (self.address.clone(), term_id)),
                kinds: kinds.clone(),
            })
        };
        load::run(plan.wishes.len(), arrival, make).await
    }

    /// A wish as it goes over the wire.
    fn request(&self, wish: &Wish, ids: &mut Vec<Uuid>) -> anyhow::Result<Vec<u8>> {
        let mut id = |request: usize| {
            if ids.len() <= request {
                ids.resize_with(request + 1, || Uuid::from_bytes(random::bytes()));
            }
            ids.get(request).copied().unwrap_or_default()
        };
        let family = |pupil: usize| self.world.families.get(pupil).context("a pupil of the plan is missing");
        let section = |number: usize| {
            let id = self.world.sections.get(number).context("a section of the plan is missing")?;
            anyhow::Ok(id.to_string())
        };
        let term_id = || self.menu.as_deref().context("no menu was loaded");
        Ok(match wish {
            Wish::Seat { pupil, section: number, request } => {
                let family = family(*pupil)?;
                let body =
                    json!({ "pupil_id": family.pupil_id.to_string(), "section_id": section(*number)? });
                post(&self.address, "/v1/enrollments", &family.session_token, id(*request), &body)
            }
            Wish::Basket { pupil, sections, request } => {
                let family = family(*pupil)?;
                let sections =
                    sections.iter().map(|number| section(*number)).collect::<Result<Vec<_>, _>>()?;
                let body = json!({ "pupil_id": family.pupil_id.to_string(), "section_ids": sections });
                post(&self.address, "/v1/enrollments/basket", &family.session_token, id(*request), &body)
            }
            Wish::Menu { .. } => get(&self.address, &format!("/v1/terms/{}/menu", term_id()?), None, None),
            Wish::Seats => {
                let term_id = self.world.term_id.to_string();
                get(&self.address, &format!("/v1/terms/{term_id}/seats"), None, None)
            }
        })
    }

    /// The platform's numbers.
    ///
    /// # Errors
    /// When they are not given.
    pub async fn metrics(&self) -> anyhow::Result<String> {
        let reply =
            Connection::open(&self.metrics).await?.ask(&get(&self.metrics, "/metrics", None, None)).await?;
        Ok(String::from_utf8(reply.body)?)
    }

    /// Stops the platform.
    ///
    /// # Errors
    /// When it does not stop.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.db.close(Duration::from_secs(5)).await;
        drop(self.child.stdin.take());
        let ended = tokio::time::timeout(Duration::from_secs(60), self.child.wait()).await;
        let ended = ended.context("the platform does not stop")??;
        ensure!(ended.success(), "the platform ended badly: {ended}");
        Ok(())
    }
}

/// One connection and what it sends.
struct Asker {
    connection: Connection,
    requests: Arc<Vec<Vec<u8>>>,
    /// What the menus that are read are; empty where only applications are sent.
    kinds: Arc<Vec<Wish>>,
    /// The menu's tag as last read by this asker.
    etag: String,
    /// Where the menu is: address, term.
    menu: Option<(String, String)>,
}

impl Ask for Asker {
    async fn ask(&mut self, index: usize) -> Outcome {
        let kind = self.kinds.get(index);
        let news;
        let request = match (kind, &self.menu) {
            (Some(Wish::Menu { known: true }), Some((address, term_id))) if !self.etag.is_empty() => {
                news = get(address, &format!("/v1/terms/{term_id}/menu"), None, Some(&self.etag));
                &news
            }
            _ => match self.requests.get(index) {
                Some(request) => request,
                None => return Outcome::Unexplained("nothing to ask".to_owned()),
            },
        };
        match self.connection.ask(request).await {
            Ok(reply) => {
                if matches!(kind, Some(Wish::Menu { .. })) && !reply.etag.is_empty() {
                    self.etag.clone_from(&reply.etag);
                }
                outcome(&reply, kind)
            }
            Err(error) => Outcome::Unexplained(format!("{error:#}")),
        }
    }
}

/// What an answer means.
fn outcome(reply: &Reply, kind: Option<&Wish>) -> Outcome {
    let is_read = !matches!(kind, Some(Wish::Seat { .. } | Wish::Basket { .. }));
    if is_read && matches!(reply.status, 200 | 304) {
        return Outcome::Read;
    }
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
    let id = |enrollment: &Value| enrollment["id"].as_str().and_then(|id| id.parse().ok());
    if reply.status == 200 {
        let ids: Option<Vec<Uuid>> = match body["places"].as_array() {
            Some(places) => places.iter().map(|place| id(&place["enrollment"])).collect(),
            None => id(&body["enrollment"]).map(|id| vec![id]),
        };
        return ids
            .map_or_else(|| Outcome::Unexplained("200 without an enrollment".to_owned()), Outcome::Admitted);
    }
    let reason = body["reason"].as_str().unwrap_or_default();
    // Whoever is told to come again is told when.
    let says_when = reply.status != 429 || reply.retry_after.is_some_and(|seconds| seconds >= 1);
    if EXPLAINED.contains(&reason) && says_when {
        return Outcome::Refused(reason.to_owned());
    }
    Outcome::Unexplained(format!("{} {reason}", reply.status))
}

/// A `GET`, as it goes over the wire.
fn get(address: &str, path: &str, token: Option<&str>, etag: Option<&str>) -> Vec<u8> {
    let token = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let etag = etag.map(|etag| format!("if-none-match: {etag}\r\n")).unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nhost: {address}\r\naccept-encoding: gzip\r\n{token}{etag}\r\n")
        .into_bytes()
}

/// A `POST` with an idempotency key.
fn post(address: &str, path: &str, token: &str, key: Uuid, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nidempotency-key: {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn free_address() -> anyhow::Result<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// The term of the first district of the demonstration that has a menu.
fn first_menu(data: &Path) -> anyhow::Result<String> {
    let demo: crate::demo::Demo = serde_json::from_slice(&std::fs::read(data.join("demo.json"))?)?;
    let term = demo.districts.values().map(|district| &district.term_id).find(|id| !id.is_empty());
    term.cloned().context("the demonstration has no term")
}
