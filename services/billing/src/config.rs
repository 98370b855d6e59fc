//! Settings of the billing service.

use std::path::PathBuf;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use shared::db::DbConfig;
use shared::program::Settings;
use shared::server::Limits;
use shared::telemetry::TelemetryConfig;

use crate::domain::invoice::PayWindow;
use crate::job::seal::Anchoring;

/// Settings. Read from a file, and over it from variables `KEHOU_BILLING__…`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where gRPC is served. Default `127.0.0.1:7004`.
    pub listen: String,
    /// Where liveness, readiness and metrics are served; empty for nowhere. Default `127.0.0.1:7104`.
    pub admin_listen: String,
    /// The database.
    pub db: DbConfig,
    /// The folder with `<issuer>.pub.pem` of every issuer and this service's `billing.key.pem`. Default `keys`.
    pub keys: PathBuf,
    /// The folder of policy packs. Default `policies`.
    pub policies: PathBuf,
    /// How often that folder is looked at for changes, in seconds, 1 or more. Default 5. A set with a mistake in it is not taken up: what held
    /// before goes on.
    pub policies_reload_seconds: u32,
    /// The file with the keys that seal personal fields. Default `keys/billing.seal`.
    pub seal_keys: PathBuf,
    /// The other services.
    pub peers: Peers,
    /// Where WeChat sends notifications: absolute, https, no query. No default: payments cannot work without it.
    pub notify_url: String,
    /// How long before the end of a hold its order ends, in seconds. Default 60.
    pub pay_margin_seconds: u32,
    /// What must be left of a hold for a payment to begin, in seconds. Default 30.
    pub pay_least_seconds: u32,
    /// The most refunds sent to WeChat in a second, by this process. 1 to 100. Default 5.
    pub refunds_per_second: u32,
    /// The hour of the Beijing day from which yesterday's bills are fetched, 0 to 23. Default 10, when WeChat has made them.
    pub bills_ready_hour: u32,
    /// The file to which the heads of the ledger's chains are added, outside the database; empty for the log alone, the default.
    pub ledger_anchor_file: PathBuf,
    /// The least time between two lines of a district in it, in seconds. Default 60.
    pub ledger_anchor_seconds: u32,
    /// The merchant.
    pub wechat: WechatConfig,
    /// What the server takes on. Requests may have 6 MiB: a document that proves a hardship may have 5.
    pub limits: Limits,
    /// Logs, traces and metrics.
    pub telemetry: TelemetryConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:7004".to_owned(),
            admin_listen: "127.0.0.1:7104".to_owned(),
            db: DbConfig::new("sqlite://billing.db"),
            keys: PathBuf::from("keys"),
            policies: PathBuf::from("policies"),
            policies_reload_seconds: 5,
            seal_keys: PathBuf::from("keys/billing.seal"),
            peers: Peers::default(),
            notify_url: String::new(),
            pay_margin_seconds: 60,
            pay_least_seconds: 30,
            refunds_per_second: 5,
            bills_ready_hour: 10,
            ledger_anchor_file: PathBuf::new(),
            ledger_anchor_seconds: 60,
            wechat: WechatConfig::default(),
            limits: Limits { message_bytes: MESSAGE_BYTES, ..Limits::default() },
            telemetry: TelemetryConfig { service: "billing".to_owned(), ..TelemetryConfig::default() },
        }
    }
}

/// The largest request: a document of 5 MiB and what stands around it.
pub(crate) const MESSAGE_BYTES: usize = 6 * 1024 * 1024;

impl Config {
    /// Where and how often the heads of the ledger's chains are written down.
    #[must_use]
    pub fn anchoring(&self) -> Anchoring {
        let file = Some(self.ledger_anchor_file.clone()).filter(|file| !file.as_os_str().is_empty());
        Anchoring { file, every: TimeDelta::seconds(self.ledger_anchor_seconds.into()) }
    }

    /// When a payment may begin, and when its order ends.
    #[must_use]
    pub fn window(&self) -> PayWindow {
        PayWindow {
            margin: TimeDelta::seconds(self.pay_margin_seconds.into()),
            least: TimeDelta::seconds(self.pay_least_seconds.into()),
        }
    }
}

/// Where the other services are.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Peers {
    /// Default `http://127.0.0.1:7001`.
    pub identity: String,
    /// Default `http://127.0.0.1:7002`.
    pub catalog: String,
    /// Default `http://127.0.0.1:7003`.
    pub enrollment: String,
}

impl Default for Peers {
    fn default() -> Self {
        Self {
            identity: "http://127.0.0.1:7001".to_owned(),
            catalog: "http://127.0.0.1:7002".to_owned(),
            enrollment: "http://127.0.0.1:7003".to_owned(),
        }
    }
}

/// The merchant at WeChat Pay.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WechatConfig {
    /// Origin of WeChat Pay. Default WeChat's own.
    pub base_url: String,
    /// Origin used when the first cannot be reached; empty for none. Default WeChat's own.
    pub backup_base_url: String,
    /// The mini-program bound to the signing merchant.
    pub appid: String,
    /// The number of the signing merchant: the payee's own, or a partner's.
    pub mchid: String,
    /// The payee's number under that partner; empty when the merchant signs for itself.
    pub sub_mchid: String,
    /// Serial number of the signing merchant's API certificate.
    pub serial_no: String,
    /// The file of that certificate's private key.
    pub private_key_file: PathBuf,
    /// The file of the APIv3 key.
    pub apiv3_key_file: PathBuf,
    /// The file of the APIv3 key before the last change, while messages encrypted with it may still come.
    pub previous_apiv3_key_file: Option<PathBuf>,
    /// WeChat Pay's public keys; answers are asked to be signed with the first.
    pub platform_keys: Vec<PlatformKeyConfig>,
}

impl Default for WechatConfig {
    fn default() -> Self {
        let pay = wechat::pay::Settings::default();
        Self {
            base_url: pay.base_url,
            backup_base_url: pay.backup_base_url.unwrap_or_default(),
            appid: String::new(),
            mchid: String::new(),
            sub_mchid: String::new(),
            serial_no: String::new(),
            private_key_file: PathBuf::from("keys/apiclient_key.pem"),
            apiv3_key_file: PathBuf::from("keys/apiv3_key"),
            previous_apiv3_key_file: None,
            platform_keys: Vec::new(),
        }
    }
}

/// One of WeChat Pay's public keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformKeyConfig {
    /// The `Wechatpay-Serial` value.
    pub serial: String,
    /// The file of the key.
    pub file: PathBuf,
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
