//! The other side of the wire: WeChat as far as Kehou needs it, with its limits, its books and its bad days.
//!
//! | file | knows |
//! |---|---|
//! | `config` | the mini-program, merchants and keys both sides share |
//! | `books` | the rules of orders and refunds |
//! | `store` | the rows, and the journal that survives a kill |
//! | `pay_api` | APIv3 over HTTP: signatures checked and given |
//! | `mini_api` | the mini-program server API |
//! | `bill` | the bills of a day, and differences planted in them |
//! | `notify` | notifications: encrypted, signed anew for each attempt, repeated |
//! | `fault` | faults on order, each counted when it strikes |
//! | `control` | `/sandbox`: a page to pay by hand, and its JSON |
//!
//! One listener serves everything. Nothing here is for production: whoever reaches `/sandbox` can pay any order.

mod bill;
mod books;
mod config;
mod control;
mod fault;
mod mini_api;
mod notify;
mod pay_api;
mod random;
mod store;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::routing::{any, get, post};
use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::bill::{BillChange, BillChangeKind};
pub use self::config::{PlatformKey, SandboxConfig, SandboxMerchant};
pub use self::fault::{Fault, FaultStatus, Kind as FaultKind, Target as FaultTarget};

use self::books::DeliveryState;
use self::fault::Faults;
use self::store::Store;
use crate::Now;
use crate::crypto::{ApiV3Key, CryptoError, KeyError, KeyStore, MerchantKey};

/// Why a sandbox cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// A file is there but does not hold what it should.
    #[error("{}: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No randomness.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// The HTTP client for notifications cannot be built.
    #[error("the HTTP client cannot be built: {0}")]
    Client(String),
    /// The listener failed.
    #[error("the listener failed: {0}")]
    Listen(io::Error),
}

impl SandboxError {
    fn file(path: &Path, error: io::Error) -> Self {
        Self::File { path: path.to_owned(), error }
    }
}

/// Serves the sandbox on `listener` until `cancel`. Notifications and refunds left over in the state file go on.
///
/// `now` is the sandbox's clock for every time it writes and checks; waits between attempts are real time.
///
/// # Errors
/// [`SandboxError`] when keys or the state file cannot be used, or the listener fails.
pub async fn serve(
    listener: TcpListener,
    config: SandboxConfig,
    now: Now,
    cancel: CancellationToken,
) -> Result<(), SandboxError> {
    let sandbox = Arc::new(Sandbox::new(config, now, cancel.clone())?);
    sandbox.resume();
    let router = router(Arc::clone(&sandbox));
    let served = axum::serve(listener, router).with_graceful_shutdown(cancel.clone().cancelled_owned());
    let outcome = tokio::select! {
        outcome = served => outcome.map_err(SandboxError::Listen),
        () = async {
            cancel.cancelled().await;
            // A call held back by a delay fault must not hold back the end.
            tokio::time::sleep(Duration::from_secs(1)).await;
        } => Ok(()),
    };
    sandbox.tasks.close();
    sandbox.tasks.wait().await;
    outcome
}

fn router(sandbox: Arc<Sandbox>) -> Router {
    Router::new()
        .route("/sns/jscode2session", get(mini_api::code2session))
        .route("/cgi-bin/stable_token", post(mini_api::stable_token))
        .route("/wxa/business/getuserphonenumber", post(mini_api::phone_number))
        .route("/cgi-bin/message/subscribe/send", post(mini_api::send_message))
        .route("/v3/{*path}", any(pay_api::handle))
        .merge(control::router())
        .with_state(sandbox)
}

/// Everything the handlers share.
struct Sandbox {
    config: SandboxConfig,
    accounts: Vec<Account>,
    platform: Vec<MerchantKey>,
    /// Signs forgeries; nobody holds its public half.
    stranger: MerchantKey,
    now: Now,
    client: reqwest::Client,
    store: Mutex<Store>,
    faults: Mutex<Faults>,
    codes: Mutex<HashMap<String, Code>>,
    token: Mutex<AccessTokens>,
    /// How many messages are taken in a day of Beijing; none: as many as come.
    message_day_count: Mutex<Option<u64>>,
    bills: Mutex<HashMap<String, BillFile>>,
    /// Differences planted in bills.
    bill_changes: Mutex<Vec<BillChange>>,
    /// Counts delivered notifications, for those that wait for another one.
    delivered: tokio::sync::watch::Sender<u64>,
    tasks: TaskTracker,
    cancel: CancellationToken,
}

/// A merchant as the sandbox sees it.
struct Account {
    mchid: String,
    sub_mchids: Vec<String>,
    serial_no: String,
    /// The merchant's public key, under its certificate serial.
    keys: KeyStore,
    apiv3: ApiV3Key,
}

/// A single-use code.
struct Code {
    openid: String,
    /// Present on a phone code.
    phone: Option<String>,
    issued_at: DateTime<Utc>,
}

/// The access token in force.
#[derive(Default)]
struct AccessTokens {
    held: Option<AccessToken>,
    /// How often it was asked for.
    fetched_count: u64,
}

struct AccessToken {
    token: String,
    expires_at: DateTime<Utc>,
}

struct BillFile {
    mchid: String,
    bytes: Vec<u8>,
    issued_at: DateTime<Utc>,
}

impl Sandbox {
    fn new(config: SandboxConfig, now: Now, cancel: CancellationToken) -> Result<Self, SandboxError> {
        let account = |merchant: &SandboxMerchant| -> Result<Account, KeyError> {
            let mut keys = KeyStore::new();
            keys.add_pem(&merchant.serial_no, &merchant.public_key_pem)?;
            Ok(Account {
                mchid: merchant.mchid.clone(),
                sub_mchids: merchant.sub_mchids.clone(),
                serial_no: merchant.serial_no.clone(),
                keys,
                apiv3: ApiV3Key::new(&merchant.apiv3_key)?,
            })
        };
        let accounts = config.merchants.iter().map(account).collect::<Result<_, _>>()?;
        let key = |key: &PlatformKey| MerchantKey::from_pem(&key.serial, &key.private_key_pem);
        let platform = config.platform_keys.iter().map(key).collect::<Result<Vec<_>, _>>()?;
        // Forgeries are signed with a merchant's own key, which is never one of WeChat's.
        let stranger = config.merchants.first().ok_or(KeyError::NoPublicKey)?;
        let stranger = MerchantKey::from_pem(&stranger.serial_no, &stranger.private_key_pem)?;
        if platform.is_empty() {
            return Err(KeyError::NoPublicKey.into());
        }
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("Mozilla/4.0")
            .no_proxy()
            .build()
            .map_err(|error| SandboxError::Client(error.to_string()))?;
        let store = Store::open(config.state_file.as_deref())?;
        Ok(Self {
            accounts,
            platform,
            stranger,
            now,
            client,
            store: Mutex::new(store),
            faults: Mutex::default(),
            codes: Mutex::default(),
            token: Mutex::default(),
            message_day_count: Mutex::default(),
            bills: Mutex::default(),
            bill_changes: Mutex::default(),
            delivered: tokio::sync::watch::Sender::new(0),
            tasks: TaskTracker::new(),
            cancel,
            config,
        })
    }

    /// Takes up what a killed run left behind.
    fn resume(self: &Arc<Self>) {
        let (refunds, deliveries) = {
            let store = lock(&self.store);
            let is_pending = |delivery: &&books::Delivery| delivery.state == DeliveryState::Pending;
            let refunds = store.refunds.iter();
            let refunds = refunds.filter(|(_, refund)| refund.state == books::RefundState::Processing);
            (
                refunds.map(|(key, _)| key.clone()).collect::<Vec<_>>(),
                store
                    .deliveries
                    .values()
                    .filter(is_pending)
                    .map(|delivery| delivery.id.clone())
                    .collect::<Vec<_>>(),
            )
        };
        for key in refunds {
            notify::finish_refund_later(self, key, notify::Ending::Success);
        }
        for id in deliveries {
            notify::deliver_later(self, id);
        }
    }

    /// The clock at whole seconds, as WeChat writes times.
    fn now(&self) -> DateTime<Utc> {
        let now = (self.now)();
        DateTime::from_timestamp(now.timestamp(), 0).unwrap_or(now)
    }

    fn account(&self, mchid: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.mchid == mchid)
    }

    /// The order with this number, whichever merchant it belongs to.
    fn find_order<'s>(&self, store: &'s Store, out_trade_no: &str) -> Option<&'s books::Order> {
        self.accounts.iter().find_map(|account| store.order(&account.mchid, out_trade_no))
    }

    fn strike(&self, target: FaultTarget, fits: impl Fn(&FaultKind) -> bool) -> Option<FaultKind> {
        lock(&self.faults).strike(target, fits)
    }
}

/// Locks, also after a panic elsewhere: rows are replaced whole, so they are never half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A body that ends in an error, so that the caller sees a broken connection instead of an answer.
fn broken_connection() -> axum::response::Response {
    let error = io::Error::new(io::ErrorKind::ConnectionAborted, "dropped on order");
    let stream = futures::stream::once(std::future::ready(Err::<bytes::Bytes, _>(error)));
    axum::response::Response::new(axum::body::Body::from_stream(stream))
}
