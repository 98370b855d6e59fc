//! The WeChat sandbox as a program of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use wechat::sandbox::{self, SandboxConfig};

/// Plays WeChat for development: mini-program login and messages, WeChat Pay APIv3, and a page to pay by hand.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on. Whoever reaches it can pay any order.
    #[arg(long, default_value = "127.0.0.1:9100")]
    listen: SocketAddr,
    /// Folder with keys and numbers, shared with the client; made and filled when missing.
    #[arg(long, default_value = "data/wechat-sandbox")]
    config: PathBuf,
    /// File that keeps orders and refunds between runs. Without it they are in memory only.
    #[arg(long)]
    state: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).init();
    let arguments = Arguments::parse();
    let mut config = SandboxConfig::load_or_generate(&arguments.config)?;
    config.state_file = arguments.state;
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("listening on {}", arguments.listen))?;
    let address = listener.local_addr()?;
    tracing::info!(
        "the WeChat sandbox is at http://{address}/sandbox, its keys in {}",
        arguments.config.display()
    );
    let cancel = CancellationToken::new();
    let ended = cancel.clone();
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        ended.cancel();
    });
    #[expect(
        clippy::disallowed_methods,
        reason = "this program is its own composition root and reads the real clock"
    )]
    let now: wechat::Now = Arc::new(chrono::Utc::now);
    sandbox::serve(listener, config, now, cancel).await?;
    Ok(())
}
