//! A service as a program of its own: what every `main` does the same.
//!
//! `<name> [serve | migrate | …] [--config FILE]`. Settings are a file and over it the environment. `migrate` brings the
//! database to the program's schema; `serve` refuses a schema it does not know.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use sea_orm_migration::MigratorTrait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::caller::{Signer, Verifier};
use crate::client::{self, Link};
use crate::clock::{SharedClock, SystemClock};
use crate::db::{self, Db, DbConfig};
use crate::telemetry::{self, Guard, TelemetryConfig};
use crate::{config, server};

/// What every program's settings say.
pub trait Settings: Default + Serialize + DeserializeOwned {
    /// Where calls come in, `address:port`.
    fn listen(&self) -> &str;
    /// Where the scheduler and the monitoring ask, `address:port`; empty for nowhere.
    fn admin_listen(&self) -> &str;
    /// The folder with every issuer's public key and this program's own private key, `<name>.key.pem`.
    fn keys(&self) -> PathBuf;
    /// The database.
    fn db(&self) -> &DbConfig;
    /// Logs, traces, metrics.
    fn telemetry(&self) -> &TelemetryConfig;
}

/// A program that has read its arguments and settings, logs, and is connected to its database.
pub struct Program<C> {
    /// What it was asked to do: `serve` when nothing was said.
    pub command: String,
    /// Its settings.
    pub config: C,
    /// Its database.
    pub db: Db,
    name: &'static str,
    telemetry: Guard,
}

/// What a serving program stands on.
pub struct Ground {
    /// The time of day.
    pub clock: SharedClock,
    /// Whom to believe.
    pub verifier: Arc<Verifier>,
    /// Signs in the program's own name.
    pub signer: Arc<Signer>,
    /// Where calls come in.
    pub grpc: TcpListener,
    /// Where the scheduler and the monitoring ask.
    pub admin: Option<TcpListener>,
    /// Ends when the process is asked to stop.
    pub stop: CancellationToken,
}

impl<C: Settings> Program<C> {
    /// Begins the program `name`, which knows `serve`, `migrate` and `further` commands.
    ///
    /// # Errors
    /// For a command or argument that is not known, settings that are not right, or a database that is not there.
    pub async fn begin(name: &'static str, further: &[&str]) -> anyhow::Result<Self> {
        let (command, file) = arguments(std::env::args().skip(1))?;
        let known = ["serve", "migrate"].iter().chain(further).any(|known| *known == command);
        ensure!(known, "no command `{command}`: {name} knows serve, migrate{}", listed(further));
        let config: C = config::load(name, file.as_deref())?;
        let telemetry = telemetry::init(config.telemetry())?;
        let db = Db::connect(config.db()).await.context("connecting to the database")?;
        Ok(Self { command, config, db, name, telemetry })
    }

    /// Brings the database to the schema of `M`.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn migrate<M: MigratorTrait>(&self) -> anyhow::Result<()> {
        Ok(db::migrate::<M>(&self.db).await?)
    }

    /// Lays the ground for serving, on a database with the schema of `M`.
    ///
    /// # Errors
    /// When the schema is another, a key cannot be read, or an address is taken.
    pub async fn ground<M: MigratorTrait>(&self) -> anyhow::Result<Ground> {
        db::check_schema::<M>(&self.db).await?;
        let clock = SystemClock::shared();
        let keys = self.config.keys();
        let own_key = keys.join(format!("{}.key.pem", self.name));
        let signer = Arc::new(Signer::load(self.name, &own_key, clock.clone())?);
        let verifier = Arc::new(Verifier::load(&keys, clock.clone())?);
        let grpc = listen(self.config.listen()).await?;
        let admin = match self.config.admin_listen() {
            "" => None,
            address => Some(listen(address).await?),
        };
        Ok(Ground { clock, verifier, signer, grpc, admin, stop: stop_when_asked() })
    }

    /// Ends the program, with what there still is to log and trace.
    pub async fn end(self) {
        self.telemetry.shutdown().await;
    }
}

impl Ground {
    /// The way to a peer, in the program's own name.
    ///
    /// # Errors
    /// When `endpoint` is no URL.
    pub fn link(&self, endpoint: &str) -> anyhow::Result<Link> {
        let channel = client::channel(endpoint).with_context(|| format!("the peer {endpoint}"))?;
        Ok(Link::service(channel, self.signer.clone()))
    }
}

/// Listens at an address.
///
/// # Errors
/// When it is taken or malformed.
pub async fn listen(address: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))
}

/// A token that ends when the process is asked to stop.
#[must_use]
pub fn stop_when_asked() -> CancellationToken {
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        match server::stop_asked().await {
            Ok(()) => asked.cancel(),
            Err(error) => tracing::error!(%error, "the process cannot be asked to stop: {error}"),
        }
    });
    stop
}

/// The command and the settings file.
fn arguments(mut given: impl Iterator<Item = String>) -> anyhow::Result<(String, Option<PathBuf>)> {
    let (mut command, mut file) = (None, None);
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--config" => file = Some(PathBuf::from(given.next().context("--config wants a file")?)),
            word if word.starts_with('-') => bail!("no argument `{word}`: there is --config FILE"),
            word if command.is_none() => command = Some(word.to_owned()),
            word => bail!("one command is enough, and then came `{word}`"),
        }
    }
    Ok((command.unwrap_or_else(|| "serve".to_owned()), file))
}

fn listed(further: &[&str]) -> String {
    further.iter().map(|command| format!(", {command}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> anyhow::Result<(String, Option<PathBuf>)> {
        arguments(words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn a_program_serves_unless_told_otherwise() {
        assert_eq!(read(&[]).unwrap(), ("serve".to_owned(), None));
        assert_eq!(read(&["migrate"]).unwrap(), ("migrate".to_owned(), None));
        let file = Some(PathBuf::from("a.toml"));
        assert_eq!(read(&["--config", "a.toml", "migrate"]).unwrap(), ("migrate".to_owned(), file.clone()));
        assert_eq!(read(&["serve", "--config", "a.toml"]).unwrap(), ("serve".to_owned(), file));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert!(read(&["--verbose"]).is_err());
        assert!(read(&["serve", "migrate"]).is_err());
        assert!(read(&["--config"]).is_err());
    }
}
