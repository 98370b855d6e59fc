//! Identity as a program of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::{Parser, Subcommand};
use identity::store::vault::Vault;
use identity::{Config, Migrator, NAME, Parts};
use policy::Packs;
use shared::caller::{Signer, Verifier};
use shared::clock::SystemClock;
use shared::db::{self, Db};
use shared::seal::{BlindIndex, Sealer};
use shared::{config, server, telemetry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wechat::mini::{MiniProgram, Settings};

/// Who is who in Kehou.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The settings file (TOML). Variables KEHOU_IDENTITY__… go before it.
    #[arg(long)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Copy, Subcommand)]
enum Command {
    /// Serves until it is asked to stop (the default).
    Serve,
    /// Brings the database to this program's schema, and ends.
    Migrate,
    /// Makes the first platform operator, prints its first credentials once, and ends.
    Bootstrap,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let config: Config = config::load(NAME, arguments.config.as_deref())?;
    let telemetry = telemetry::init(&config.telemetry)?;
    let db = Db::connect(&config.db).await?;
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(config, db).await?,
        Command::Migrate => db::migrate::<Migrator>(&db).await?,
        Command::Bootstrap => bootstrap(&config, &db).await?,
    }
    telemetry.shutdown().await;
    Ok(())
}

async fn serve(config: Config, db: Db) -> anyhow::Result<()> {
    let clock = SystemClock::shared();
    let packs = Packs::load(&config.policies).map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        anyhow!("the policy packs cannot be used:\n{}", problems.join("\n"))
    })?;
    let signer = Signer::load(NAME, &config.keys.join(format!("{NAME}.key.pem")), clock.clone())?;
    let verifier = Verifier::load(&config.keys, clock.clone())?;
    let settings = Settings {
        base_url: config.wechat.base_url.clone(),
        appid: config.wechat.appid.clone(),
        secret: config::secret(&config.wechat.secret_file)?,
        timeout: Duration::from_millis(config.wechat.timeout_ms),
    };
    let now = clock.clone();
    let wechat = MiniProgram::new(settings, Arc::new(move || now.now()))?;

    let grpc =
        TcpListener::bind(config.listen).await.with_context(|| format!("listening on {}", config.listen))?;
    let admin = TcpListener::bind(config.admin_listen)
        .await
        .with_context(|| format!("listening on {}", config.admin_listen))?;
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        if let Err(error) = server::stop_asked().await {
            tracing::error!(%error, "the process cannot be asked to stop: {error}");
        }
        asked.cancel();
    });
    let parts = Parts {
        db,
        clock,
        verifier: Arc::new(verifier),
        signer: Arc::new(signer),
        sealer: Arc::new(Sealer::from_file(&config.seal_keys)?),
        blind_index: Arc::new(BlindIndex::from_file(&config.index_key)?),
        wechat,
        packs: packs.current().map(|policy| policy.pack_id().to_owned()).collect(),
        supplements: packs
            .current()
            .filter_map(|policy| policy.supplement().map(ToOwned::to_owned))
            .collect(),
        config,
    };
    identity::run(parts, grpc, Some(admin), stop).await
}

#[expect(
    clippy::print_stdout,
    reason = "the credentials are for whoever runs the command, and are nowhere else"
)]
async fn bootstrap(config: &Config, db: &Db) -> anyhow::Result<()> {
    let sealer = Sealer::from_file(&config.seal_keys)?;
    let index = BlindIndex::from_file(&config.index_key)?;
    let vault = Vault::new(Arc::new(sealer), Arc::new(index));
    let first = identity::bootstrap(db, &SystemClock, &vault).await?;
    println!(
        "login_name  {}\npassword    {}\ntotp_secret {}",
        first.login_name, first.password, first.totp_secret
    );
    Ok(())
}
