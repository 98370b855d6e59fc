//! The service's settings, each with its unit and default. A file sets them, then the environment: `KEHOU_ENROLLMENT__…`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use shared::db::DbConfig;
use shared::program::Settings;
use shared::server::Limits;
use shared::telemetry::TelemetryConfig;

/// All settings of the service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where gRPC is served. Default `127.0.0.1:7003`.
    pub listen: String,
    /// Where liveness, readiness and metrics are served over HTTP; empty for nowhere. Default `127.0.0.1:7103`.
    pub admin_listen: String,
    /// The database. Default `sqlite://enrollment.db`.
    pub db: DbConfig,
    /// The folder with `<issuer>.pub.pem` of every service and `enrollment.key.pem`. Default `keys`.
    pub keys: PathBuf,
    /// The folder of region policy packs. Default `policies`.
    pub policies: PathBuf,
    /// How often that folder is looked at for changes, in seconds, 1 or more. Default 5. A set with a mistake in it is not taken up: what held
    /// before goes on.
    pub policies_reload_seconds: u32,
    /// The file with the keys that seal personal fields. Default `keys/enrollment.seal`.
    pub seal_keys: PathBuf,
    /// Where the other services are.
    pub peers: Peers,
    /// What the server takes on.
    pub limits: Limits,
    /// Logs and traces.
    pub telemetry: TelemetryConfig,
    /// How applications are grouped.
    pub admission: Admission,
    /// How the jobs work.
    pub jobs: Jobs,
    /// The school day.
    pub day: Day,
}

/// Where the other services are, as URLs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Peers {
    /// Default `http://127.0.0.1:7001`.
    pub identity: String,
    /// Default `http://127.0.0.1:7002`.
    pub catalog: String,
    /// Default `http://127.0.0.1:7004`.
    pub billing: String,
}

/// How applications are grouped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Admission {
    /// How many applications may wait; one more is refused with `QUEUE_FULL`. Default 65,536.
    pub queue_count: usize,
    /// The most applications in one transaction, 1 to 1,000. Default 512.
    pub group_count: usize,
    /// How many groups are decided at once, 1 to 64. Default 1: more help only where few want the same section, and each is then
    /// smaller.
    pub lane_count: usize,
    /// How many applications of one guardian may wait at once, from however many sessions; one more is refused with
    /// `TOO_MANY_WAITING`. Default 20.
    pub guardian_waiting_count: usize,
    /// The same for one pupil, whoever applies. Default 10.
    pub pupil_waiting_count: usize,
}

/// How the jobs work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jobs {
    /// How long a job that found nothing rests, in milliseconds. Default 200.
    pub idle_ms: u64,
    /// The most enrollments a job takes at once. Default 100.
    pub batch_count: u64,
    /// How many invoices billing is asked to close at once. Default 8.
    pub close_concurrency: usize,
}

/// The school day. No policy key says these; a district that wants other times runs with other settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Day {
    /// When the day's registers close: local time of day, `HH:MM`. A lesson that ends later closes then. Default `23:00`.
    pub close_time: String,
    /// How long after the end of a pupil's service the leader of the day is alerted that nobody has collected the pupil, in seconds:
    /// as long as dismissal takes. Default 180.
    pub alert_after_seconds: u32,
}

impl Day {
    /// When registers close, in minutes after midnight.
    ///
    /// # Errors
    /// When the setting is no time of day.
    pub fn close_minute(&self) -> anyhow::Result<i32> {
        let minute = crate::domain::day::local::time(&self.close_time);
        minute.ok_or_else(|| anyhow::anyhow!("day.close_time must be HH:MM, is {:?}", self.close_time))
    }
}

impl Default for Day {
    fn default() -> Self {
        Self { close_time: "23:00".to_owned(), alert_after_seconds: 180 }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:7003".to_owned(),
            admin_listen: "127.0.0.1:7103".to_owned(),
            db: DbConfig::new("sqlite://enrollment.db"),
            keys: "keys".into(),
            policies: "policies".into(),
            policies_reload_seconds: 5,
            seal_keys: "keys/enrollment.seal".into(),
            peers: Peers::default(),
            limits: Limits { message_bytes: MESSAGE_BYTES, ..Limits::default() },
            telemetry: TelemetryConfig { service: crate::NAME.to_owned(), ..TelemetryConfig::default() },
            admission: Admission::default(),
            jobs: Jobs::default(),
            day: Day::default(),
        }
    }
}

/// The largest request: a document of 5 MiB and what stands around it.
const MESSAGE_BYTES: usize = 6 * 1024 * 1024;

impl Default for Peers {
    fn default() -> Self {
        Self {
            identity: "http://127.0.0.1:7001".to_owned(),
            catalog: "http://127.0.0.1:7002".to_owned(),
            billing: "http://127.0.0.1:7004".to_owned(),
        }
    }
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            queue_count: 65_536,
            group_count: 512,
            lane_count: 1,
            guardian_waiting_count: 20,
            pupil_waiting_count: 10,
        }
    }
}

impl Default for Jobs {
    fn default() -> Self {
        Self { idle_ms: 200, batch_count: 100, close_concurrency: 8 }
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
