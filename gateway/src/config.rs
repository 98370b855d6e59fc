//! The gateway's settings.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use shared::telemetry::TelemetryConfig;

/// Read by `shared::config` from a file and `KEHOU_GATEWAY__…`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where people's requests come in, `address:port`. Default `127.0.0.1:8080`.
    pub listen: String,
    /// Where the scheduler and the monitoring ask. Default `127.0.0.1:9090`.
    pub admin_listen: String,
    /// The folder with this service's private key `gateway.key.pem`. Default `keys`.
    pub keys: PathBuf,
    /// The services behind the edge.
    pub services: Services,
    /// What is taken on, and how much of it.
    pub limits: Limits,
    /// Traces, metrics, logs.
    pub telemetry: TelemetryConfig,
}

/// Where each service listens, `http://host:port`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Services {
    /// Who is who. Default `http://identity:9000`.
    pub identity: String,
    /// The course catalog. Default `http://catalog:9000`.
    pub catalog: String,
    /// Seats. Default `http://enrollment:9000`.
    pub enrollment: String,
    /// Money. Default `http://billing:9000`.
    pub billing: String,
    /// Complaint tickets. Default `http://supervision:9000`.
    pub supervision: String,
}

/// What is taken on, and how much of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The most bytes of a JSON body. Default 65,536.
    pub body_bytes: usize,
    /// The most bytes of an uploaded file, its envelope included. Default 6 MiB.
    pub upload_bytes: usize,
    /// Requests one session, or one address without a session, may make per second over time. Default 20.
    pub requests_per_second: u32,
    /// And how many at once beyond that. Default 60.
    pub request_burst: u32,
    /// Sign-ins one address may try per second over time; a school behind one address signs in together. Default 50.
    pub sign_ins_per_second: u32,
    /// And how many at once beyond that. Default 500.
    pub sign_in_burst: u32,
    /// Requests worked on at once; beyond that the door answers 503 with a time to wait. Default 4,096.
    pub in_flight: usize,
    /// Applications for seats that may wait for the stream to enrollment; beyond that the door answers 429 with a time to
    /// wait. Default 2,048.
    pub waiting_applications: usize,
    /// Seconds an application for a seat may wait for its answer; then 504, and whoever sends it again learns what came of it.
    /// Default 10, less than `timeout_seconds`.
    pub application_seconds: u64,
    /// Seconds until a request is given up with 504. Default 15.
    pub timeout_seconds: u64,
    /// The same for a request that brings a file, which may come over a slow line. Default 120.
    pub upload_timeout_seconds: u64,
    /// Seconds that requests under way may take to end once the gateway stops. Default 20.
    pub drain_seconds: u64,
    /// Addresses whose `x-forwarded-for` is believed: the proxies in front. Default none.
    pub trusted_proxies: Vec<std::net::IpAddr>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            admin_listen: "127.0.0.1:9090".to_owned(),
            keys: PathBuf::from("keys"),
            services: Services::default(),
            limits: Limits::default(),
            telemetry: TelemetryConfig::default(),
        }
    }
}

impl Default for Services {
    fn default() -> Self {
        let at = |name: &str| format!("http://{name}:9000");
        Self {
            identity: at("identity"),
            catalog: at("catalog"),
            enrollment: at("enrollment"),
            billing: at("billing"),
            supervision: at("supervision"),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 64 * 1024,
            upload_bytes: 6 * 1024 * 1024,
            requests_per_second: 20,
            request_burst: 60,
            sign_ins_per_second: 50,
            sign_in_burst: 500,
            in_flight: 4096,
            waiting_applications: 2048,
            application_seconds: 10,
            timeout_seconds: 15,
            upload_timeout_seconds: 120,
            drain_seconds: 20,
            trusted_proxies: Vec::new(),
        }
    }
}
