//! S1 once more, with every service a process of its own, on PostgreSQL.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use kehou::accounts::Accounts;
use kehou::person::{Parent, Site, text};
use kehou::platform::Settings;
use kehou::{check, demo};
use kehou_tests::Kind;
use kehou_tests::place::{Place, checkout};
use kehou_tests::process::{Program, Start};
use kehou_tests::sandbox::{self, list};
use serde_json::json;
use shared::caller::keys;
use shared::clock::SystemClock;
use shared::testing::free_port;
use wechat::sandbox::SandboxConfig;

const SERVICES: [&str; 5] = ["identity", "catalog", "enrollment", "billing", "supervision"];

#[tokio::test(flavor = "multi_thread")]
async fn a_family_is_confirmed_with_every_service_a_process_of_its_own() {
    let place = Place::empty(Kind::Postgres).await.unwrap();
    let told = tokio::time::timeout(Duration::from_secs(1_200), story(&place)).await;
    told.unwrap().unwrap();
    place.leave().await.unwrap();
}

/// Ports of everybody.
struct Ports {
    services: [(u16, u16); 5],
    gateway: (u16, u16),
    sandbox: u16,
}

impl Ports {
    fn new() -> Self {
        let pair = || (free_port(), free_port());
        Self { services: std::array::from_fn(|_| pair()), gateway: pair(), sandbox: free_port() }
    }

    fn url(&self, service: &str) -> String {
        let at = SERVICES.iter().position(|one| *one == service).unwrap();
        format!("http://127.0.0.1:{}", self.services[at].0)
    }
}

async fn story(place: &Place) -> anyhow::Result<()> {
    let folder = place.folder();
    let database = place.url().context("no server")?;
    let ports = Ports::new();
    let wechat = secrets(folder)?;

    // The schema first, then the first operator, then everybody.
    for service in SERVICES {
        let variables = variables(service, &ports, folder, &database, &wechat)?;
        Start { name: service, arguments: vec!["migrate".into()], variables, folder }.finish().await?;
    }
    let settings = variables("identity", &ports, folder, &database, &wechat)?;
    let start = Start { name: "identity", arguments: vec!["bootstrap".into()], variables: settings, folder };
    let first = start.finish().await?;
    let word = |name: &str| {
        first
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .map(|rest| rest.trim().to_owned())
            .unwrap_or_default()
    };
    let operator = json!({
        "login_name": word("login_name"), "password": word("password"), "totp_secret": word("totp_secret"),
    });
    let mut programs = Vec::new();
    for (service, (_, admin)) in SERVICES.iter().zip(ports.services) {
        let variables = variables(service, &ports, folder, &database, &wechat)?;
        programs.push((
            Start { name: service, arguments: vec!["serve".into()], variables, folder }.spawn()?,
            admin,
        ));
    }
    programs.push((gateway(&ports, folder)?, ports.gateway.1));
    let arguments = [
        "--listen",
        &format!("127.0.0.1:{}", ports.sandbox),
        "--config",
        &folder.join("sandbox").display().to_string(),
    ]
    .map(str::to_owned)
    .to_vec();
    let mut wechat = Start { name: "wechat-sandbox", arguments, variables: Vec::new(), folder }.spawn()?;
    for (program, admin) in &mut programs {
        program.ready(&format!("http://127.0.0.1:{admin}/readyz")).await?;
    }
    wechat.ready(&format!("http://127.0.0.1:{}/sandbox", ports.sandbox)).await?;

    let gateway = format!("http://127.0.0.1:{}", ports.gateway.0);
    let site = Site::new(&gateway, &format!("http://127.0.0.1:{}", ports.sandbox), SystemClock::shared())?;
    let accounts = Accounts::open(folder)?;
    accounts.keep(&[operator])?;
    let demo = demo::load(&site, &accounts, &checkout().join("demo"), &checkout().join("policies")).await?;
    family(&site, &accounts, &demo).await?;

    for (program, _) in programs.into_iter().rev() {
        program.stop().await?;
    }
    wechat.stop().await?;
    let verdict = check::check(&Settings { database: Some(database), ..Settings::new(folder) }).await?;
    let mut text = Vec::new();
    verdict.print(&mut text)?;
    ensure!(verdict.broken_count() == 0, "{}", String::from_utf8_lossy(&text));
    Ok(())
}

/// S1 as in `term_fee`.
async fn family(site: &Site, accounts: &Accounts, demo: &demo::Demo) -> anyhow::Result<()> {
    let jinhua = &demo.districts["jinhua"];
    let code = "JH20260001";
    let parent = site.parent("o-apart", &jinhua.phones[code], &jinhua.school_id, code).await?;
    let menu = site.stranger().get(&format!("/v1/terms/{}/menu", jinhua.term_id)).await?.expect(200)?;
    let section = list(&menu, "sections").iter().find(|section| section["title"] == "衍纸");
    let section_id = text(section.context("not on the menu")?, "id");
    let applied = parent.apply(&section_id, false).await?.expect(200)?;
    let id = text(&applied["enrollment"], "id");
    approve(site, accounts, &parent, &id).await?;
    parent.person.enrollment_in(&id, "held").await?;
    assert_eq!(parent.pay(&id).await?, 50_000);
    assert_eq!(parent.invoice(&id).await?["state"], "settled");
    assert_eq!(sandbox::order_count(site).await?, 1);

    let finance = site.staff(accounts, "jinhua.treasury").await?;
    let path = format!("/v1/districts/{}/trial-balance", jinhua.district_id);
    let balance = finance.get(&path).await?.expect(200)?;
    let sum = |side: &str| {
        list(&balance, "accounts").iter().filter_map(|account| account[side].as_i64()).sum::<i64>()
    };
    assert_eq!(sum("debit_fen"), sum("credit_fen"), "{balance}");
    assert!(sum("debit_fen") >= 50_000, "{balance}");
    Ok(())
}

async fn approve(site: &Site, accounts: &Accounts, parent: &Parent, id: &str) -> anyhow::Result<()> {
    for (login, step) in [
        ("jinhua.class201", "class_pre_review"),
        ("jinhua.principal", "school_approve"),
        ("jinhua.teaching", "unified_arrange"),
    ] {
        let staff = site.staff(accounts, login).await?;
        let path = format!("/v1/enrollments/{id}/steps/{step}");
        staff.post(&path, &json!({ "approved": true })).await?.expect(200).context(login)?;
    }
    ensure!(parent.person.get(&format!("/v1/enrollments/{id}")).await?.status == 200);
    Ok(())
}

/// Makes everybody's keys.
fn secrets(folder: &Path) -> anyhow::Result<SandboxConfig> {
    let keys = folder.join("keys");
    for issuer in SERVICES.iter().chain(&["gateway"]) {
        keys::generate(&keys, issuer)?;
    }
    let key = || wechat_base64(&shared::random::bytes::<32>());
    for service in ["identity", "enrollment", "billing", "supervision"] {
        fs::write(keys.join(format!("{service}.seal")), format!("1 {}\n", key()))?;
        fs::write(keys.join(format!("{service}.index")), format!("{}\n", key()))?;
    }
    let sandbox = SandboxConfig::load_or_generate(&folder.join("sandbox"))?;
    fs::write(keys.join("wechat.secret"), &sandbox.secret)?;
    let merchant =
        sandbox.merchants.iter().find(|merchant| merchant.sub_mchids.is_empty()).context("no merchant")?;
    fs::write(keys.join("apiv3_key"), &merchant.apiv3_key)?;
    fs::write(keys.join("apiclient_key.pem"), &merchant.private_key_pem)?;
    for key in &sandbox.platform_keys {
        fs::write(keys.join(format!("{}.pem", key.serial)), &key.public_key_pem)?;
    }
    Ok(sandbox)
}

fn wechat_base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A service's settings. What could be read as a number stands in quotes.
fn variables(
    service: &str,
    ports: &Ports,
    folder: &Path,
    database: &str,
    sandbox: &SandboxConfig,
) -> anyhow::Result<Vec<(String, String)>> {
    let at = SERVICES.iter().position(|one| *one == service).context("no such service")?;
    let (grpc, admin) = ports.services[at];
    let keys = folder.join("keys");
    let key_file = |name: &str| keys.join(name).display().to_string();
    let sandbox_url = format!("http://127.0.0.1:{}", ports.sandbox);
    let mut settings = vec![
        ("LISTEN", format!("127.0.0.1:{grpc}")),
        ("ADMIN_LISTEN", format!("127.0.0.1:{admin}")),
        ("KEYS", keys.display().to_string()),
        ("POLICIES", checkout().join("policies").display().to_string()),
        ("DB__URL", database.to_owned()),
        ("DB__SCHEMA", service.to_owned()),
    ];
    match service {
        "identity" => settings.extend([
            ("SEAL_KEYS", key_file("identity.seal")),
            ("INDEX_KEY", key_file("identity.index")),
            ("WECHAT__BASE_URL", sandbox_url),
            ("WECHAT__APPID", sandbox.appid.clone()),
            ("WECHAT__SECRET_FILE", key_file("wechat.secret")),
        ]),
        "catalog" => settings.extend([("PEERS__IDENTITY", ports.url("identity"))]),
        "enrollment" => settings.extend([
            ("SEAL_KEYS", key_file("enrollment.seal")),
            ("PEERS__IDENTITY", ports.url("identity")),
            ("PEERS__CATALOG", ports.url("catalog")),
            ("PEERS__BILLING", ports.url("billing")),
        ]),
        "supervision" => settings.extend([
            ("SEAL_KEYS", key_file("supervision.seal")),
            ("INDEX_KEY", key_file("supervision.index")),
            ("PEERS__IDENTITY", ports.url("identity")),
            ("PEERS__ENROLLMENT", ports.url("enrollment")),
        ]),
        "billing" => {
            let merchant = sandbox
                .merchants
                .iter()
                .find(|merchant| merchant.sub_mchids.is_empty())
                .context("no merchant")?;
            let platform = sandbox.platform_keys.iter().map(|key| {
                let file = key_file(&format!("{}.pem", key.serial));
                format!("{{serial=\"{}\", file=\"{file}\"}}", key.serial)
            });
            settings.extend([
                ("SEAL_KEYS", key_file("billing.seal")),
                ("PEERS__IDENTITY", ports.url("identity")),
                ("PEERS__CATALOG", ports.url("catalog")),
                ("PEERS__ENROLLMENT", ports.url("enrollment")),
                ("NOTIFY_URL", format!("http://127.0.0.1:{}/v1/wechat/notify", ports.gateway.0)),
                ("WECHAT__BASE_URL", sandbox_url),
                ("WECHAT__BACKUP_BASE_URL", String::new()),
                ("WECHAT__APPID", sandbox.appid.clone()),
                ("WECHAT__MCHID", format!("\"{}\"", merchant.mchid)),
                ("WECHAT__SERIAL_NO", format!("\"{}\"", merchant.serial_no)),
                ("WECHAT__PRIVATE_KEY_FILE", key_file("apiclient_key.pem")),
                ("WECHAT__APIV3_KEY_FILE", key_file("apiv3_key")),
                ("WECHAT__PLATFORM_KEYS", format!("[{}]", platform.collect::<Vec<_>>().join(", "))),
            ]);
        }
        other => anyhow::bail!("no settings for {other}"),
    }
    let prefix = format!("KEHOU_{}__", service.to_uppercase());
    Ok(settings.into_iter().map(|(name, value)| (format!("{prefix}{name}"), value)).collect())
}

fn gateway(ports: &Ports, folder: &Path) -> anyhow::Result<Program> {
    let mut variables = vec![
        ("KEHOU_GATEWAY__LISTEN".to_owned(), format!("127.0.0.1:{}", ports.gateway.0)),
        ("KEHOU_GATEWAY__ADMIN_LISTEN".to_owned(), format!("127.0.0.1:{}", ports.gateway.1)),
        ("KEHOU_GATEWAY__KEYS".to_owned(), folder.join("keys").display().to_string()),
    ];
    for service in SERVICES {
        variables.push((format!("KEHOU_GATEWAY__SERVICES__{}", service.to_uppercase()), ports.url(service)));
    }
    Start { name: "gateway", arguments: vec!["serve".into()], variables, folder }.spawn()
}
