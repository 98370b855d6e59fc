//! One sandbox, one merchant's notify address, and clients that share a clock a test can set.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::body::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wechat::mini::MiniProgram;
use wechat::pay::{Notification, NotificationError, OrderRequest, Pay, RefundRequest, SignatureHeaders};
use wechat::sandbox::{self, SandboxConfig};

/// The openid of every test order.
pub const OPENID: &str = "oTestParent0000000000000001";

/// Keys take a while to draw, so every test shares one set; each has its own sandbox and books.
fn shared_config() -> SandboxConfig {
    static CONFIG: OnceLock<SandboxConfig> = OnceLock::new();
    let draw = || SandboxConfig {
        refund_delay_ms: 50,
        notify_wait_divisor: 300,
        ..SandboxConfig::generate().unwrap()
    };
    CONFIG.get_or_init(draw).clone()
}

/// What the notify address saw: the notification or why it was refused.
pub type Seen = Result<Notification, NotificationError>;

pub struct Wire {
    pub base_url: String,
    pub notify_url: String,
    pub config: SandboxConfig,
    pub pay: Pay,
    pub partner: Pay,
    pub mini: MiniProgram,
    pub now: wechat::Now,
    clock: Arc<Mutex<DateTime<Utc>>>,
    seen: tokio::sync::Mutex<mpsc::UnboundedReceiver<Seen>>,
    http: reqwest::Client,
    cancel: CancellationToken,
    served: tokio::task::JoinHandle<Result<(), sandbox::SandboxError>>,
}

impl Wire {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut SandboxConfig)) -> Self {
        let mut config = shared_config();
        change(&mut config);
        let clock = Arc::new(Mutex::new("2026-11-22T04:00:00Z".parse::<DateTime<Utc>>().unwrap()));
        let now: wechat::Now = {
            let clock = Arc::clone(&clock);
            Arc::new(move || *clock.lock().unwrap())
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let cancel = CancellationToken::new();
        let served = tokio::spawn(sandbox::serve(listener, config.clone(), Arc::clone(&now), cancel.clone()));
        let settings = config.pay_settings(&base_url);
        let pay = Pay::new(&settings, config.direct_merchant().unwrap(), Arc::clone(&now)).unwrap();
        let partner = pay.with_merchant(config.partner_merchant(0).unwrap());
        let mini = MiniProgram::new(config.mini_settings(&base_url), Arc::clone(&now)).unwrap();
        let (notify_url, seen) = listen(vec![pay.clone(), partner.clone()]).await;
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let seen = tokio::sync::Mutex::new(seen);
        Self { base_url, notify_url, config, pay, partner, mini, now, clock, seen, http, cancel, served }
    }

    pub fn advance(&self, by: TimeDelta) {
        *self.clock.lock().unwrap() += by;
    }

    pub fn order(&self, out_trade_no: &str) -> OrderRequest {
        OrderRequest {
            description: "课后服务费".to_owned(),
            out_trade_no: out_trade_no.to_owned(),
            time_expire: (self.now)() + TimeDelta::minutes(15),
            attach: Some("invoice".to_owned()),
            notify_url: self.notify_url.clone(),
            amount_fen: 12_000,
            openid: OPENID.to_owned(),
        }
    }

    /// Creates a direct order.
    pub async fn create(&self, out_trade_no: &str) -> String {
        let json = self.order(out_trade_no).to_json(self.pay.merchant()).unwrap();
        self.pay.order(json.as_bytes()).await.unwrap().prepay_id
    }

    /// Creates a direct order and pays it.
    pub async fn create_paid(&self, out_trade_no: &str) {
        self.create(out_trade_no).await;
        self.control(&format!("orders/{out_trade_no}/pay"), json!({})).await;
        self.next().await.expect("the payment's notification");
    }

    pub fn refund(&self, out_trade_no: &str, out_refund_no: &str, refund_fen: i64) -> RefundRequest {
        RefundRequest {
            out_trade_no: out_trade_no.to_owned(),
            out_refund_no: out_refund_no.to_owned(),
            reason: Some("停课".to_owned()),
            notify_url: Some(self.notify_url.clone()),
            refund_fen,
            total_fen: 12_000,
        }
    }

    /// Posts to a control endpoint that must succeed.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.try_control(path, body).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }

    pub async fn try_control(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let url = format!("{}/sandbox/{path}", self.base_url);
        let response = self.http.post(url).json(&body).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    pub async fn look(&self, path: &str) -> Value {
        let url = format!("{}/sandbox/{path}", self.base_url);
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// How often each fault has struck, in order of asking.
    pub async fn fired(&self) -> Vec<u64> {
        let faults = self.look("faults").await;
        faults.as_array().unwrap().iter().map(|fault| fault["fired_count"].as_u64().unwrap()).collect()
    }

    /// The next thing that reaches the notify address.
    pub async fn next(&self) -> Seen {
        let mut seen = self.seen.lock().await;
        tokio::time::timeout(Duration::from_secs(60), seen.recv()).await.expect("a notification").unwrap()
    }

    /// Asserts that nothing more arrives for a while.
    pub async fn is_quiet(&self) -> bool {
        let mut seen = self.seen.lock().await;
        tokio::time::timeout(Duration::from_millis(300), seen.recv()).await.is_err()
    }

    /// Stops without ceremony; a second sandbox may open the state file afterwards.
    pub async fn stop(mut self) {
        self.cancel.cancel();
        (&mut self.served).await.unwrap().unwrap();
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// A merchant's notify address that verifies like production does and tells what it saw.
async fn listen(merchants: Vec<Pay>) -> (String, mpsc::UnboundedReceiver<Seen>) {
    let (tell, seen) = mpsc::unbounded_channel();
    let handler = move |headers: HeaderMap, body: Bytes| {
        let outcome =
            SignatureHeaders::from_headers(&headers).map_err(NotificationError::from).and_then(|headers| {
                let mut outcomes = merchants.iter().map(|pay| pay.notification(&headers, &body));
                let first = outcomes.next().unwrap();
                if first.is_err() { outcomes.find(Result::is_ok).unwrap_or(first) } else { first }
            });
        let status = if outcome.is_ok() { StatusCode::NO_CONTENT } else { StatusCode::UNAUTHORIZED };
        let _ = tell.send(outcome);
        async move { status }
    };
    let router = axum::Router::new().route("/notify", axum::routing::post(handler));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notify", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, seen)
}

/// A state file in a folder of its own.
pub fn state_file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.jsonl");
    (folder, path)
}
