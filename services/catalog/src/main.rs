//! The catalog as a program of its own.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use catalog::{Config, Migrator, NAME, Parts};
use clap::{Parser, Subcommand};
use policy::Packs;
use shared::caller::{Signer, Verifier};
use shared::client::{self, Link};
use shared::clock::SystemClock;
use shared::db::{self, Db};
use shared::{config, server, telemetry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The course catalog of Kehou.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The settings file (TOML). Variables KEHOU_CATALOG__… go before it.
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
    let identity = Link::service(client::channel(&config.identity)?, Arc::new(signer));

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
    let parts = Parts { config, db, clock, verifier: Arc::new(verifier), packs: Arc::new(packs), identity };
    catalog::run(parts, grpc, Some(admin), stop).await
}
