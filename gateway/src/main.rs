//! The gateway as a program of its own.

use std::path::PathBuf;
use std::sync::Arc;

use gateway::{Config, Parts};
use shared::caller::Signer;
use shared::clock::SystemClock;
use shared::{config, server, telemetry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let file = std::env::args_os().skip(1).find(|argument| argument != "serve").map(PathBuf::from);
    let config: Config = config::load("gateway", file.as_deref())?;
    let guard = telemetry::init(&config.telemetry)?;
    let clock = SystemClock::shared();
    let signer = Arc::new(Signer::load("gateway", &config.keys.join("gateway.key.pem"), clock.clone())?);
    let listener = TcpListener::bind(&config.listen).await?;
    let admin = TcpListener::bind(&config.admin_listen).await?;
    let stop = CancellationToken::new();
    tokio::spawn({
        let stop = stop.clone();
        async move {
            if server::stop_asked().await.is_ok() {
                stop.cancel();
            }
        }
    });
    gateway::run(Parts { config, clock, signer }, listener, Some(admin), stop).await?;
    guard.shutdown().await;
    Ok(())
}
