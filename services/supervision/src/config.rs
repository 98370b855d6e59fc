//! Supervision's settings: a TOML file, and over it the environment (`KEHOU_SUPERVISION__…`).

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use shared::db::DbConfig;
use shared::program::Settings;
use shared::server::Limits;
use shared::telemetry::TelemetryConfig;

/// The settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where calls come in. Default `127.0.0.1:7005`.
    pub listen: String,
    /// Where the scheduler and the monitoring ask, over HTTP; empty for nowhere. Default `127.0.0.1:7105`.
    pub admin_listen: String,
    /// The folder with every issuer's `<issuer>.pub.pem` and this service's `supervision.key.pem`. Default `keys`.
    pub keys: PathBuf,
    /// The file with the ring of keys that seals what people write. Default `keys/supervision.seal`.
    pub seal_keys: PathBuf,
    /// The file with the key that receipt codes are made with; another key and no code given out before is good any more. Default
    /// `keys/supervision.index`.
    pub index_key: PathBuf,
    /// The folder of policy packs. Default `policies`.
    pub policies: PathBuf,
    /// How often that folder is looked at for changes, in seconds, 1 or more. Default 5. A set with a mistake in it is not taken up: what held
    /// before goes on.
    pub policies_reload_seconds: u32,
    /// Where the other services are.
    pub peers: Peers,
    /// The database. Default `sqlite://supervision.db`.
    pub db: DbConfig,
    /// What the server takes on.
    pub limits: Limits,
    /// Logs, traces, metrics.
    pub telemetry: TelemetryConfig,
}

/// Where the other services are, as URLs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Peers {
    /// Default `http://127.0.0.1:7001`.
    pub identity: String,
    /// Default `http://127.0.0.1:7003`.
    pub enrollment: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:7005".to_owned(),
            admin_listen: "127.0.0.1:7105".to_owned(),
            keys: PathBuf::from("keys"),
            seal_keys: PathBuf::from("keys/supervision.seal"),
            index_key: PathBuf::from("keys/supervision.index"),
            policies: PathBuf::from("policies"),
            policies_reload_seconds: 5,
            peers: Peers::default(),
            db: DbConfig::new("sqlite://supervision.db"),
            limits: Limits::default(),
            telemetry: TelemetryConfig { service: crate::NAME.to_owned(), ..TelemetryConfig::default() },
        }
    }
}

impl Default for Peers {
    fn default() -> Self {
        Self { identity: "http://127.0.0.1:7001".to_owned(), enrollment: "http://127.0.0.1:7003".to_owned() }
    }
}

impl Settings for Config {
    fn listen(&self) -> &str {
        &self.listen
    }

    fn admin_listen(&self) -> &str {
        &self.admin_listen
    }

    fn keys(&self) -> PathBuf {
        self.keys.clone()
    }

    fn db(&self) -> &DbConfig {
        &self.db
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }
}
