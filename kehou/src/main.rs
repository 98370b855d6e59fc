//! `kehou`: runs the platform, walks through it, checks it.

use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{bail, ensure};
use clap::{Parser, Subcommand};
use kehou::accounts::Accounts;
use kehou::bench::BenchCommand;
use kehou::check;
use kehou::draw_command::DrawCommand;
use kehou::ledger_command::{LedgerCommand, reconcile};
use kehou::person::Site;
use kehou::platform::{Addresses, Platform, Settings};
use kehou::policy_command::{PolicyCommand, Tongue};
use kehou::requirements::{self, Requirements};
use kehou::tour::Tour;
use policy::Packs;
use shared::clock::SystemClock;
use shared::telemetry::{self, TelemetryConfig};
use shared::{config, server};

/// The after-school service platform, whole, in one process.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The data folder: databases, keys, the sandbox's books, the demonstration's accounts.
    #[arg(long, default_value = "data", global = true)]
    data: PathBuf,
    /// PostgreSQL instead of SQLite: postgres://user@host:port/database. Each service has a schema of its own.
    #[arg(long, global = true)]
    database: Option<String>,
    /// The folder of policy packs. `policies` of the working folder, else of the checkout, when left out.
    #[arg(long, global = true)]
    policies: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the platform until it is asked to stop (the default).
    Run {
        /// Where people's requests come in.
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: String,
        /// Where the WeChat sandbox listens.
        #[arg(long, default_value = "127.0.0.1:8090")]
        sandbox_listen: String,
        /// Where liveness, readiness and metrics are served.
        #[arg(long)]
        admin_listen: Option<String>,
        /// Leaves the demonstration out.
        #[arg(long)]
        empty: bool,
    },
    /// Walks through the stories over HTTP and prints each step. Takes the platform that runs on the data folder; when none
    /// runs, starts one of its own in a folder of its own.
    Tour,
    /// Checks every invariant over the databases, running or not, and prints what it looked at.
    Check,
    /// Asks the folder of policies: is it sound, what does each region state, why does it cost that.
    Policy {
        /// Answers in English; else in Chinese.
        #[arg(long, global = true)]
        english: bool,
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Asks a published draw whether it is true.
    Draw {
        #[command(subcommand)]
        command: DrawCommand,
    },
    /// Asks the ledger whether its chain is true, or for the chain itself.
    Ledger {
        #[command(subcommand)]
        command: LedgerCommand,
    },
    /// Compares WeChat's bills of a day with the books of the platform that runs on the data folder, now.
    Reconcile {
        /// The Beijing day, YYYY-MM-DD; one that is over.
        day: chrono::NaiveDate,
    },
    /// Measures how fast applications are decided in a rush, and checks what was decided.
    Bench {
        #[command(subcommand)]
        command: BenchCommand,
    },
    /// Prints what the platform must do, how much of it is done, and which regions' packs load.
    Requirements,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let telemetry = TelemetryConfig {
        service: "kehou".to_owned(),
        otlp_endpoint: config::variable("OTEL_EXPORTER_OTLP_ENDPOINT"),
        filter: config::variable("RUST_LOG").unwrap_or_else(|| "warn".to_owned()),
        ..TelemetryConfig::default()
    };
    let guard = match telemetry::init(&telemetry) {
        Ok(guard) => guard,
        Err(error) => return fail(&error.into()),
    };
    let done = work(arguments).await;
    guard.shutdown().await;
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

#[expect(clippy::print_stderr, reason = "the last word to whoever started the program")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("kehou: {error:#}");
    ExitCode::FAILURE
}

async fn work(arguments: Arguments) -> anyhow::Result<()> {
    let mut settings = Settings { database: arguments.database, ..Settings::new(&arguments.data) };
    if let Some(policies) = arguments.policies {
        settings.policies = policies;
    }
    match arguments.command {
        None => run(settings).await,
        Some(Command::Run { listen, sandbox_listen, admin_listen, empty }) => {
            settings = Settings { listen, sandbox_listen, admin_listen, ..settings };
            if empty {
                settings.demo = None;
            }
            run(settings).await
        }
        Some(Command::Tour) => tour(settings).await,
        Some(Command::Check) => {
            let verdict = check::check(&settings).await?;
            verdict.print(&mut stdout())?;
            ensure!(verdict.broken_count() == 0, "the data is not as it must be");
            Ok(())
        }
        Some(Command::Policy { english, command }) => {
            let tongue = if english { Tongue::English } else { Tongue::Chinese };
            if command.answer(&settings.policies, tongue, &mut stdout())? {
                return Ok(());
            }
            bail!("the policies are not as they must be")
        }
        Some(Command::Draw { command }) => command.answer(&mut stdout()),
        Some(Command::Ledger { command }) => command.answer(&settings, &mut stdout()).await,
        Some(Command::Reconcile { day }) => reconcile(&settings, day, &mut stdout()).await,
        Some(Command::Bench { command }) => command.answer(settings, &mut stdout()).await,
        Some(Command::Requirements) => print_requirements(&settings),
    }
}

/// Prints the requirements; beside a checkout with how many tests carry each id.
fn print_requirements(settings: &Settings) -> anyhow::Result<()> {
    let packs = Packs::open(&settings.policies)?;
    let tests = match requirements::checkout() {
        Some(root) => Some(requirements::test_counts(&requirements::named_below(&root)?)),
        None => None,
    };
    Requirements::ours()?.print(&mut stdout(), tests.as_ref(), &packs)?;
    Ok(())
}

/// Runs until it is asked to stop, or a part fails.
async fn run(settings: Settings) -> anyhow::Result<()> {
    let began_at = std::time::Instant::now();
    let mut platform = Platform::start(&settings, SystemClock::shared()).await?;
    greet(&platform, &settings.data, began_at.elapsed().as_secs_f32())?;
    let ended = tokio::select! {
        asked = server::stop_asked() => asked.map_err(Into::into),
        failed = platform.failed() => failed,
    };
    platform.stop().await?;
    ended
}

/// Says where things are and who can sign in.
fn greet(platform: &Platform, data: &Path, seconds: f32) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    let Platform { site, accounts, demo, .. } = platform;
    writeln!(out, "课后 Kehou is running (ready after {seconds:.1} s). Ctrl-C stops it.\n")?;
    writeln!(out, "  API            {}/v1", site.gateway)?;
    writeln!(out, "  reference      {}/docs", site.gateway)?;
    writeln!(out, "  WeChat sandbox {}/sandbox   (pay orders by hand here)", site.sandbox)?;
    writeln!(out, "  data           {}\n", data.display())?;
    for (name, district) in &demo.districts {
        let ids = format!("school {}  term {}", district.school_id, district.term_id);
        writeln!(out, "  {name:<9} {}  {ids}", district.school_name)?;
        for undone in &district.undone {
            writeln!(out, "            {}：{}", undone.what.name_zh(), undone.sentence_zh)?;
        }
    }
    let names = accounts.names();
    if !names.is_empty() {
        writeln!(
            out,
            "\n  {} staff accounts; passwords and one-time secrets: {}",
            names.len(),
            data.join("accounts.json").display()
        )?;
        writeln!(
            out,
            "  e.g. {}",
            names
                .iter()
                .filter(|name| !name.contains("class"))
                .take(8)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ")
        )?;
        writeln!(
            out,
            "  Guardians sign in with a code from the sandbox: POST {}/sandbox/login",
            site.sandbox
        )?;
    }
    writeln!(out, "\n  Next: cargo run -- tour")?;
    out.flush()?;
    Ok(())
}

/// Walks through a running platform, or through one of its own.
async fn tour(settings: Settings) -> anyhow::Result<()> {
    let clock = SystemClock::shared();
    if let Ok(addresses) = Addresses::read(&settings.data) {
        let site = Site::new(&addresses.gateway, &addresses.sandbox, clock.clone())?;
        if site.stranger().get("/v1/nodes").await.is_ok_and(|answer| answer.status == 200) {
            let accounts = Accounts::open(&settings.data)?;
            let demo = serde_json::from_slice(&std::fs::read(settings.data.join("demo.json"))?)?;
            return walk(site, &accounts, &demo, &settings).await;
        }
    }
    let folder = tempfile::tempdir()?;
    let own = Settings {
        data: folder.path().to_owned(),
        listen: "127.0.0.1:0".to_owned(),
        sandbox_listen: "127.0.0.1:0".to_owned(),
        ..settings
    };
    let platform = Platform::start(&own, clock).await?;
    let walked = walk(platform.site.clone(), &platform.accounts, &platform.demo, &own).await;
    platform.stop().await?;
    walked
}

/// The tour, then the checker's line.
async fn walk(
    site: Site,
    accounts: &Accounts,
    demo: &kehou::demo::Demo,
    settings: &Settings,
) -> anyhow::Result<()> {
    let steps = Tour::new(site, accounts, demo, stdout()).walk().await?;
    let verdict = check::check(settings).await?;
    let mut out = stdout();
    writeln!(out, "\ntour: {steps} steps, all answers right")?;
    verdict.print(&mut out)?;
    ensure!(verdict.broken_count() == 0, "the tour left the data not as it must be");
    Ok(())
}
