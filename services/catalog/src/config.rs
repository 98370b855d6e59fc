//! The catalog's settings: a TOML file, and over it the environment (`KEHOU_CATALOG__…`).

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use shared::db::DbConfig;
use shared::server::Limits;
use shared::telemetry::TelemetryConfig;

/// The settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where calls come in. Default `0.0.0.0:7002`.
    pub listen: SocketAddr,
    /// Where the scheduler and the monitoring ask, over HTTP. Default `0.0.0.0:9002`.
    pub admin_listen: SocketAddr,
    /// The folder with every issuer's `<issuer>.pub.pem` and this service's `catalog.key.pem`. Default `keys`.
    pub keys: PathBuf,
    /// The folder of policy packs. Default `policies`.
    pub policies: PathBuf,
    /// Where identity is. Default `http://identity:7001`.
    pub identity: String,
    /// The database.
    pub db: DbConfig,
    /// What the server takes on.
    pub limits: Limits,
    /// Logs, traces, metrics.
    pub telemetry: TelemetryConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 7002)),
            admin_listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 9002)),
            keys: PathBuf::from("keys"),
            policies: PathBuf::from("policies"),
            identity: "http://identity:7001".to_owned(),
            db: DbConfig::new("sqlite://catalog.db"),
            limits: Limits::default(),
            telemetry: TelemetryConfig { service: crate::NAME.to_owned(), ..TelemetryConfig::default() },
        }
    }
}
