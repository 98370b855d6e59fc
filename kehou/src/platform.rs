//! The whole platform in one process: five services speaking gRPC on loopback, the gateway, and the WeChat sandbox.
//!
//! Everything it needs lies in one data folder and is made on the first start: keys, databases, the sandbox's books, the
//! demonstration's accounts. A second start comes up on the same data.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use identity::config::{Messages, Template};
use policy::Live;
use sea_orm_migration::MigratorTrait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::caller::{Signer, Verifier, keys};
use shared::client::{self, Link};
use shared::clock::SharedClock;
use shared::db::{self, Db, DbConfig};
use shared::seal::{BlindIndex, Sealer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wechat::sandbox::{self, SandboxConfig};

use crate::accounts::Accounts;
use crate::demo::{self, Demo};
use crate::person::Site;

/// Everyone who signs tokens.
const ISSUERS: [&str; 6] = ["identity", "catalog", "enrollment", "billing", "supervision", "gateway"];

/// How long a stop may take.
const STOP_PATIENCE: Duration = Duration::from_secs(40);

/// How often the folder of policies is looked at for changes.
const POLICIES_RELOAD: Duration = Duration::from_secs(5);

/// What the platform is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The data folder; made when missing.
    pub data: PathBuf,
    /// `postgres://…` for PostgreSQL, each service in a schema of its own; none for SQLite files in the data folder.
    pub database: Option<String>,
    /// Where the gateway listens. Port 0 takes any.
    pub listen: String,
    /// Where the sandbox listens. Port 0 takes any.
    pub sandbox_listen: String,
    /// The folder of policy packs.
    pub policies: PathBuf,
    /// The folder of the demonstration districts; none for an empty platform.
    pub demo: Option<PathBuf>,
    /// The gateway's limits.
    pub limits: gateway::config::Limits,
    /// Where liveness, readiness and metrics are served; none for nowhere.
    pub admin_listen: Option<String>,
    /// How applications for seats are queued and decided.
    pub start_queue: enrollment::StartQueue,
    /// What that queue takes on.
    pub admission: enrollment::config::Admission,
    /// Where the gateway's work is done; none for where everybody else's is.
    pub gateway_runtime: Option<tokio::runtime::Handle>,
}

impl Settings {
    /// Settings for a data folder, with the packs and the demonstration of the folder the program is run in, or of the
    /// checkout it was built from.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
            database: None,
            listen: "127.0.0.1:8080".to_owned(),
            sandbox_listen: "127.0.0.1:8090".to_owned(),
            policies: beside("policies"),
            demo: Some(beside("demo")),
            limits: gateway::config::Limits::default(),
            admin_listen: None,
            start_queue: enrollment::rpc::apply::Queue::start,
            admission: enrollment::config::Admission::default(),
            gateway_runtime: None,
        }
    }

    /// The database of a service.
    #[must_use]
    pub fn database_of(&self, service: &str) -> DbConfig {
        match &self.database {
            Some(url) => DbConfig { schema: Some(service.to_owned()), ..DbConfig::new(url.clone()) },
            None => DbConfig::new(format!("sqlite://{}", self.data.join(format!("{service}.db")).display())),
        }
    }
}

/// A folder of the working directory, else of the checkout.
fn beside(name: &str) -> PathBuf {
    let here = PathBuf::from(name);
    if here.is_dir() { here } else { Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name) }
}

/// Where a running platform is found: `addresses.json` in the data folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Addresses {
    /// The gateway's URL.
    pub gateway: String,
    /// The sandbox's URL.
    pub sandbox: String,
    /// The process.
    pub process_id: u32,
}

impl Addresses {
    /// Reads the file of a data folder.
    ///
    /// # Errors
    /// When there is none, or it is malformed.
    pub fn read(data: &Path) -> anyhow::Result<Self> {
        let file = data.join("addresses.json");
        let text = fs::read(&file)
            .with_context(|| format!("reading {}: is the platform running?", file.display()))?;
        Ok(serde_json::from_slice(&text)?)
    }
}

/// A running platform.
pub struct Platform {
    /// Its doors.
    pub site: Site,
    /// Who can sign in.
    pub accounts: Accounts,
    /// What the demonstration loaded; empty without one.
    pub demo: Demo,
    /// Where the services behind the gateway listen, for whoever calls them without it.
    pub services: gateway::config::Services,
    stop: CancellationToken,
    tasks: JoinSet<anyhow::Result<()>>,
    databases: Vec<Db>,
}

impl Platform {
    /// Starts everything and gives it back ready: migrated, serving, the demonstration loaded.
    ///
    /// # Errors
    /// When an address is taken, the data folder cannot be used, a pack is wrong, or the demonstration is refused.
    pub async fn start(settings: &Settings, clock: SharedClock) -> anyhow::Result<Self> {
        fs::create_dir_all(&settings.data).with_context(|| format!("making {}", settings.data.display()))?;
        let ground = Ground::prepare(settings, clock.clone()).await?;
        let Ground { first_operator, .. } = &ground;
        let accounts = Accounts::open(&settings.data)?;
        if let Some(first) = first_operator {
            accounts.keep(std::slice::from_ref(first))?;
        }
        let stop = CancellationToken::new();
        let databases = ground.databases.to_vec();
        let (tasks, addresses, services) = ground.serve(settings, &stop).await?;
        let site = Site::new(&addresses.gateway, &addresses.sandbox, clock)?;
        let mut platform = Self { site, accounts, demo: Demo::default(), services, stop, tasks, databases };
        if let Some(folder) = &settings.demo {
            platform.demo = load_demo(&platform, settings, folder).await?;
        }
        write_whole(&settings.data.join("addresses.json"), &serde_json::to_vec_pretty(&addresses)?)?;
        Ok(platform)
    }

    /// Waits until a part of it ends by itself: that is a failure, and the others are stopped too.
    ///
    /// # Errors
    /// Why it ended.
    pub async fn failed(&mut self) -> anyhow::Result<()> {
        match self.tasks.join_next().await {
            Some(ended) => ended?.and_then(|()| Err(anyhow!("a part of the platform ended by itself"))),
            None => Ok(()),
        }
    }

    /// Stops everything, calls under way first.
    ///
    /// # Errors
    /// When a part failed while it stopped, or did not stop in time.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        let all = async {
            while let Some(ended) = self.tasks.join_next().await {
                ended??;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(STOP_PATIENCE, all).await.context("the platform did not stop in time")??;
        for db in &self.databases {
            db.close(Duration::from_secs(5)).await;
        }
        Ok(())
    }
}

/// Loads the demonstration, once for a data folder.
async fn load_demo(platform: &Platform, settings: &Settings, folder: &Path) -> anyhow::Result<Demo> {
    let file = settings.data.join("demo.json");
    if file.exists() {
        return Ok(serde_json::from_slice(&fs::read(&file)?)?);
    }
    let demo = demo::load(&platform.site, &platform.accounts, folder, &settings.policies).await?;
    write_whole(&file, &serde_json::to_vec_pretty(&demo)?)?;
    Ok(demo)
}

/// Everything that must be there before anything serves.
struct Ground {
    clock: SharedClock,
    keys: PathBuf,
    /// In the order of [`SERVICES`].
    databases: [Db; 5],
    packs: Arc<Live>,
    verifier: Arc<Verifier>,
    sandbox: SandboxConfig,
    /// The first operator's credentials, when this start made it.
    first_operator: Option<serde_json::Value>,
}

impl Ground {
    async fn prepare(settings: &Settings, clock: SharedClock) -> anyhow::Result<Self> {
        let keys = settings.data.join("keys");
        fs::create_dir_all(&keys)?;
        for issuer in ISSUERS {
            keys::generate(&keys, issuer)?;
        }
        for file in ["identity.seal", "enrollment.seal", "billing.seal", "supervision.seal"] {
            make_secret(&keys.join(file), |key| format!("1 {key}\n"))?;
        }
        for file in ["identity.index", "supervision.index"] {
            make_secret(&keys.join(file), |key| format!("{key}\n"))?;
        }
        let mut sandbox = SandboxConfig::load_or_generate(&settings.data.join("sandbox"))?;
        sandbox.state_file = Some(settings.data.join("sandbox").join("books.jsonl"));
        let packs = Live::open(&settings.policies)?;
        let databases = [
            migrated::<identity::Migrator>(settings, "identity").await?,
            migrated::<catalog::Migrator>(settings, "catalog").await?,
            migrated::<enrollment::Migrator>(settings, "enrollment").await?,
            migrated::<billing::Migrator>(settings, "billing").await?,
            migrated::<supervision::Migrator>(settings, "supervision").await?,
        ];
        let verifier = Arc::new(Verifier::load(&keys, clock.clone())?);
        let first_operator = bootstrap(&databases[0], &clock, &keys).await?;
        Ok(Self { clock, keys, databases, packs: Arc::new(packs), verifier, sandbox, first_operator })
    }

    fn signer(&self, issuer: &str) -> anyhow::Result<Arc<Signer>> {
        let file = self.keys.join(format!("{issuer}.key.pem"));
        Ok(Arc::new(Signer::load(issuer, &file, self.clock.clone())?))
    }

    fn sealer(&self, service: &str) -> anyhow::Result<Arc<Sealer>> {
        Ok(Arc::new(Sealer::from_file(&self.keys.join(format!("{service}.seal")))?))
    }

    fn index(&self, service: &str) -> anyhow::Result<Arc<BlindIndex>> {
        Ok(Arc::new(BlindIndex::from_file(&self.keys.join(format!("{service}.index")))?))
    }

    /// Binds every listener first, so that everybody's address is known, then starts everybody.
    async fn serve(
        self,
        settings: &Settings,
        stop: &CancellationToken,
    ) -> anyhow::Result<(JoinSet<anyhow::Result<()>>, Addresses, gateway::config::Services)> {
        let sandbox_listener = bind(&settings.sandbox_listen).await?;
        let sandbox_url = url_of(&sandbox_listener)?;
        let gateway_listener = bind(&settings.listen).await?;
        let gateway_url = url_of(&gateway_listener)?;
        let admin = match &settings.admin_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let mut listeners = Vec::new();
        for _ in ISSUERS.iter().filter(|issuer| **issuer != "gateway") {
            listeners.push(bind("127.0.0.1:0").await?);
        }
        let urls = listeners.iter().map(url_of).collect::<anyhow::Result<Vec<_>>>()?;
        let [identity_url, catalog_url, enrollment_url, billing_url, supervision_url] = urls.as_slice()
        else {
            return Err(anyhow!("five services have five addresses"));
        };
        let mut listeners = listeners.into_iter();
        let mut next = || listeners.next().context("five services have five listeners");

        let now = {
            let clock = self.clock.clone();
            Arc::new(move || clock.now()) as wechat::Now
        };
        let mut tasks = JoinSet::new();
        // One set for all services, watched once.
        let watched = self.packs.clone().watch(POLICIES_RELOAD, stop.clone());
        tasks.spawn(async move {
            watched.await;
            Ok(())
        });
        let sandbox_config = self.sandbox.clone();
        let (sandbox_now, sandbox_stop) = (now.clone(), stop.clone());
        tasks.spawn(async move {
            sandbox::serve(sandbox_listener, sandbox_config, sandbox_now, sandbox_stop)
                .await
                .map_err(Into::into)
        });

        let [identity_db, catalog_db, enrollment_db, billing_db, supervision_db] = self.databases.clone();
        let link = |issuer: &str, url: &str| -> anyhow::Result<Link> {
            Ok(Link::service(client::channel(url)?, self.signer(issuer)?))
        };

        let parts = identity::Parts {
            config: identity::Config { messages: messages(), ..identity::Config::default() },
            db: identity_db,
            clock: self.clock.clone(),
            verifier: self.verifier.clone(),
            signer: self.signer("identity")?,
            sealer: self.sealer("identity")?,
            blind_index: self.index("identity")?,
            wechat: wechat::mini::MiniProgram::new(self.sandbox.mini_settings(&sandbox_url), now.clone())?,
            packs: self.packs.clone(),
            enrollment: link("identity", enrollment_url)?,
        };
        tasks.spawn(identity::run(parts, next()?, None, stop.clone()));

        let parts = catalog::Parts {
            config: catalog::Config::default(),
            db: catalog_db,
            clock: self.clock.clone(),
            verifier: self.verifier.clone(),
            packs: self.packs.clone(),
            identity: link("catalog", identity_url)?,
        };
        tasks.spawn(catalog::run(parts, next()?, None, stop.clone()));

        let parts = enrollment::Parts {
            config: enrollment::Config {
                admission: settings.admission.clone(),
                ..enrollment::Config::default()
            },
            db: enrollment_db,
            clock: self.clock.clone(),
            verifier: self.verifier.clone(),
            packs: self.packs.clone(),
            sealer: self.sealer("enrollment")?,
            identity: link("enrollment", identity_url)?,
            catalog: link("enrollment", catalog_url)?,
            billing: link("enrollment", billing_url)?,
        };
        tasks.spawn(enrollment::run_with(parts, next()?, None, stop.clone(), settings.start_queue));

        let pay = wechat::pay::Pay::new(
            &self.sandbox.pay_settings(&sandbox_url),
            self.sandbox.direct_merchant()?,
            now.clone(),
        )?;
        let parts = billing::Parts {
            config: billing::Config {
                ledger_anchor_file: anchor_file(&settings.data),
                ..billing::Config::default()
            },
            db: billing_db,
            clock: self.clock.clone(),
            verifier: self.verifier.clone(),
            packs: self.packs.clone(),
            sealer: self.sealer("billing")?,
            merchants: billing::Merchants::one(pay),
            notify_url: format!("{gateway_url}/v1/wechat/notify"),
            identity: link("billing", identity_url)?,
            catalog: link("billing", catalog_url)?,
            enrollment: link("billing", enrollment_url)?,
        };
        tasks.spawn(billing::run(parts, next()?, None, stop.clone()));

        let parts = supervision::Parts {
            config: supervision::Config::default(),
            db: supervision_db,
            clock: self.clock.clone(),
            verifier: self.verifier.clone(),
            packs: self.packs.clone(),
            identity: link("supervision", identity_url)?,
            enrollment: link("supervision", enrollment_url)?,
            sealer: self.sealer("supervision")?,
            index: self.index("supervision")?,
        };
        tasks.spawn(supervision::run(parts, next()?, None, stop.clone()));

        let services = gateway::config::Services {
            identity: identity_url.clone(),
            catalog: catalog_url.clone(),
            enrollment: enrollment_url.clone(),
            billing: billing_url.clone(),
            supervision: supervision_url.clone(),
        };
        let reached = services.clone();
        let config =
            gateway::Config { services, limits: settings.limits.clone(), ..gateway::Config::default() };
        let parts = gateway::Parts { config, clock: self.clock.clone(), signer: self.signer("gateway")? };
        let gateway = gateway::run(parts, gateway_listener, admin, stop.clone());
        match &settings.gateway_runtime {
            Some(runtime) => tasks.spawn_on(gateway, runtime),
            None => tasks.spawn(gateway),
        };

        let addresses =
            Addresses { gateway: gateway_url, sandbox: sandbox_url, process_id: std::process::id() };
        Ok((tasks, addresses, reached))
    }
}

/// Where billing writes the heads of the ledger's chains down.
#[must_use]
pub fn anchor_file(data: &Path) -> PathBuf {
    data.join("ledger.anchor")
}

/// The first operator's credentials, when there was none yet.
async fn bootstrap(db: &Db, clock: &SharedClock, keys: &Path) -> anyhow::Result<Option<serde_json::Value>> {
    let sealer = Arc::new(Sealer::from_file(&keys.join("identity.seal"))?);
    let index = Arc::new(BlindIndex::from_file(&keys.join("identity.index"))?);
    let vault = identity::store::vault::Vault::new(sealer, index);
    match identity::bootstrap::bootstrap(db, clock.as_ref(), &vault).await {
        Ok(first) => Ok(Some(json!({
            "login_name": first.login_name, "password": first.password, "totp_secret": first.totp_secret,
        }))),
        Err(identity::bootstrap::BootstrapError::Exists) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Connects to a service's database and brings it to the schema.
async fn migrated<M: MigratorTrait>(settings: &Settings, service: &str) -> anyhow::Result<Db> {
    let db = Db::connect(&settings.database_of(service))
        .await
        .with_context(|| format!("the database of {service}"))?;
    db::migrate::<M>(&db).await.with_context(|| format!("migrating the database of {service}"))?;
    Ok(db)
}

async fn bind(address: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))
}

fn url_of(listener: &TcpListener) -> anyhow::Result<String> {
    Ok(format!("http://{}", listener.local_addr()?))
}

/// Makes a file with a fresh key of 32 bytes, readable by its owner only, unless it is there.
fn make_secret(file: &Path, text: impl Fn(&str) -> String) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if file.exists() {
        return Ok(());
    }
    let key = STANDARD.encode(shared::random::bytes::<32>());
    let mut open = fs::OpenOptions::new();
    let mut out = open.write(true).create_new(true).mode(0o600).open(file)?;
    std::io::Write::write_all(&mut out, text(&key).as_bytes())?;
    Ok(())
}

/// Writes a file so that a reader sees all of it or none.
fn write_whole(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    let next = file.with_extension("next");
    fs::write(&next, content)?;
    fs::rename(&next, file)?;
    Ok(())
}

/// The templates of the sandbox's mini-program: it takes any, and sends a message of one for each time a guardian accepted it.
fn messages() -> Messages {
    let template = |id: &str| Template { template_id: id.to_owned(), ..Template::default() };
    Messages {
        checked_in: template("sandbox-arrived"),
        checked_out: template("sandbox-left"),
        overdue: template("sandbox-overdue"),
        ..Messages::default()
    }
}
