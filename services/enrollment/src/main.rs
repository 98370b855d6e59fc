//! `enrollment serve` (default) and `enrollment migrate`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use enrollment::{Config, Migrator, NAME, Parts};
use policy::Packs;
use shared::caller::{Signer, Verifier};
use shared::client::{self, Link};
use shared::clock::SystemClock;
use shared::db::{self, Db};
use shared::{config, server, telemetry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The Kehou enrollment service.
#[derive(Parser)]
struct Arguments {
    /// A settings file (TOML). Over it goes the environment: `KEHOU_ENROLLMENT__…`.
    #[arg(long)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until interrupted or terminated.
    Serve,
    /// Brings the database to this program's schema.
    Migrate,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let config: Config = config::load(NAME, arguments.config.as_deref())?;
    let telemetry = telemetry::init(&config.telemetry)?;
    let db = Db::connect(&config.db).await?;
    let done = match arguments.command.unwrap_or(Command::Serve) {
        Command::Migrate => db::migrate::<Migrator>(&db).await.map_err(Into::into),
        Command::Serve => serve(config, db).await,
    };
    telemetry.shutdown().await;
    done
}

async fn serve(config: Config, db: Db) -> anyhow::Result<()> {
    db::check_schema::<Migrator>(&db).await?;
    let clock = SystemClock::shared();
    let signer = Arc::new(Signer::load(NAME, &config.keys.join(format!("{NAME}.key.pem")), clock.clone())?);
    let packs = Packs::load(&config.policies).map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("policies cannot be used:\n{}", problems.join("\n"))
    })?;
    let link =
        |endpoint: &str| Ok::<_, anyhow::Error>(Link::service(client::channel(endpoint)?, signer.clone()));
    let grpc = TcpListener::bind(&config.listen).await.context(config.listen.clone())?;
    let admin = match config.admin_listen.as_str() {
        "" => None,
        address => Some(TcpListener::bind(address).await.context(address.to_owned())?),
    };
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        if server::stop_asked().await.is_ok() {
            asked.cancel();
        }
    });
    let parts = Parts {
        verifier: Arc::new(Verifier::load(&config.keys, clock.clone())?),
        identity: link(&config.peers.identity)?,
        catalog: link(&config.peers.catalog)?,
        billing: link(&config.peers.billing)?,
        packs: Arc::new(packs),
        config,
        db,
        clock,
    };
    enrollment::run(parts, grpc, admin, stop).await
}
