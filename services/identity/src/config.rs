//! Identity's settings: a TOML file, and over it the environment (`KEHOU_IDENTITY__…`).

use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use shared::db::DbConfig;
use shared::program::Settings;
use shared::server::Limits;
use shared::telemetry::TelemetryConfig;

use crate::domain::message::News;

/// The settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where calls come in. Default `127.0.0.1:7001`.
    pub listen: String,
    /// Where the scheduler and the monitoring ask, over HTTP; empty for nowhere. Default `127.0.0.1:7101`.
    pub admin_listen: String,
    /// The folder with every issuer's `<issuer>.pub.pem` and this service's `identity.key.pem`. Default `keys`.
    pub keys: PathBuf,
    /// The file with the ring of keys that seals personal fields. Default `keys/identity.seal`.
    pub seal_keys: PathBuf,
    /// The file with the key of blind indexes. Default `keys/identity.index`.
    pub index_key: PathBuf,
    /// The folder of policy packs. Default `policies`.
    pub policies: PathBuf,
    /// How often that folder is looked at for changes, in seconds, 1 or more. Default 5. A set with a mistake in it is not taken up: what held
    /// before goes on.
    pub policies_reload_seconds: u32,
    /// How long sign-ins last.
    pub sessions: Sessions,
    /// The mini-program.
    pub wechat: Wechat,
    /// Messages to guardians by WeChat.
    pub messages: Messages,
    /// Where the other services are.
    pub peers: Peers,
    /// The database.
    pub db: DbConfig,
    /// What the server takes on.
    pub limits: Limits,
    /// Logs, traces, metrics.
    pub telemetry: TelemetryConfig,
}

/// How long sign-ins last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// A guardian's session ends when it was not used for so many days. Default 30.
    pub guardian_days: u32,
    /// A session of staff ends when it was not used for so many hours. Default 8.
    pub staff_hours: u32,
    /// How long a caller token lasts, in seconds. Default 300: a withdrawn consent or role counts at the latest then.
    pub caller_token_seconds: u32,
}

impl Sessions {
    /// How long an unused guardian's session lasts.
    #[must_use]
    pub fn guardian(&self) -> TimeDelta {
        TimeDelta::days(self.guardian_days.into())
    }

    /// How long an unused session of staff lasts.
    #[must_use]
    pub fn staff(&self) -> TimeDelta {
        TimeDelta::hours(self.staff_hours.into())
    }

    /// How long a caller token lasts.
    #[must_use]
    pub fn caller_token(&self) -> Duration {
        Duration::from_secs(self.caller_token_seconds.into())
    }
}

/// The mini-program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wechat {
    /// Where its server API is. Default `https://api.weixin.qq.com`.
    pub base_url: String,
    /// Its appid. Must be set.
    pub appid: String,
    /// The file with its secret. Default `keys/wechat.secret`.
    pub secret_file: PathBuf,
    /// How long one request may take, in milliseconds. Default 5,000.
    pub timeout_ms: u64,
}

/// Messages to guardians by WeChat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Messages {
    /// Tells that a pupil arrived.
    pub checked_in: Template,
    /// Tells that a pupil left.
    pub checked_out: Template,
    /// Tells that a pupil is still there after the service has ended.
    pub overdue: Template,
    /// The page of the mini-program a message opens, such as `pages/day/index`; none when it opens nothing. Default none.
    pub page: Option<String>,
    /// How many messages are sent in a second at most, 1 to 1,000. Default 20.
    pub per_second: u32,
    /// For how many seconds nothing is sent once WeChat says that it is too much, 1 to 3,600. Default 60.
    pub pause_seconds: u32,
}

/// A template of subscribe messages, as the operator has applied for it at WeChat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Template {
    /// WeChat's id of it; empty: nothing of the kind is sent. Default empty.
    pub template_id: String,
    /// The field for the pupil's masked name. Default `thing1`.
    pub pupil_field: String,
    /// The field for the moment. Default `time2`.
    pub time_field: String,
    /// The field for what happened. Default `thing3`.
    pub news_field: String,
}

impl Messages {
    /// The template with which something is told; none when it is not configured.
    #[must_use]
    pub fn template(&self, news: News) -> Option<&Template> {
        let template = match news {
            News::CheckedIn => &self.checked_in,
            News::CheckedOut(_) => &self.checked_out,
            News::Overdue => &self.overdue,
        };
        (!template.template_id.is_empty()).then_some(template)
    }
}

impl Default for Messages {
    fn default() -> Self {
        Self {
            checked_in: Template::default(),
            checked_out: Template::default(),
            overdue: Template::default(),
            page: None,
            per_second: 20,
            pause_seconds: 60,
        }
    }
}

impl Default for Template {
    fn default() -> Self {
        Self {
            template_id: String::new(),
            pupil_field: "thing1".to_owned(),
            time_field: "time2".to_owned(),
            news_field: "thing3".to_owned(),
        }
    }
}

/// Where the other services are, as URLs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Peers {
    /// Default `http://127.0.0.1:7003`.
    pub enrollment: String,
}

impl Default for Peers {
    fn default() -> Self {
        Self { enrollment: "http://127.0.0.1:7003".to_owned() }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:7001".to_owned(),
            admin_listen: "127.0.0.1:7101".to_owned(),
            keys: PathBuf::from("keys"),
            seal_keys: PathBuf::from("keys/identity.seal"),
            index_key: PathBuf::from("keys/identity.index"),
            policies: PathBuf::from("policies"),
            policies_reload_seconds: 5,
            sessions: Sessions::default(),
            wechat: Wechat::default(),
            messages: Messages::default(),
            peers: Peers::default(),
            db: DbConfig::new("sqlite://identity.db"),
            // A table of 4 MiB, and the few bytes around it.
            limits: Limits { message_bytes: 5 << 20, ..Limits::default() },
            telemetry: TelemetryConfig { service: crate::NAME.to_owned(), ..TelemetryConfig::default() },
        }
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self { guardian_days: 30, staff_hours: 8, caller_token_seconds: 300 }
    }
}

impl Default for Wechat {
    fn default() -> Self {
        Self {
            base_url: "https://api.weixin.qq.com".to_owned(),
            appid: String::new(),
            secret_file: PathBuf::from("keys/wechat.secret"),
            timeout_ms: 5_000,
        }
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
