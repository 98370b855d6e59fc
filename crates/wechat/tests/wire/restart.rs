//! The books outlive the sandbox.

use std::io::Write as _;
use std::time::Duration;

use serde_json::json;
use wechat::pay::{OrderState, RefundState};
use wechat::sandbox::SandboxConfig;

use crate::support::{Wire, state_file};

#[tokio::test]
async fn orders_refunds_and_waiting_notifications_survive_a_restart() {
    let (_folder, path) = state_file();
    let keep = |config: &mut SandboxConfig| {
        config.state_file = Some(path.clone());
        config.refund_delay_ms = 200;
    };
    let before = Wire::start_with(keep).await;
    before.create("KHUNPAID").await;
    before.create_paid("KHPAID01").await;
    let refund = before.refund("KHPAID01", "R1", 12_000).to_json(before.pay.merchant()).unwrap();
    before.pay.refund(refund.as_bytes()).await.unwrap();
    before.control("faults", json!({ "target": "notify", "kind": "lose", "count": 100 })).await;
    before.control("orders/KHUNPAID/pay", json!({})).await;
    while before.fired().await == [0] {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    before.stop().await;
    // A kill may cut the last line short.
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"order\":{\"out_tr").unwrap();

    let after = Wire::start_with(keep).await;

    assert!(matches!(after.pay.query("KHUNPAID").await, Ok(OrderState::Paid(_))));
    assert!(matches!(after.pay.query("KHPAID01").await, Ok(OrderState::RefundAsked(_))));
    let ended = tokio::time::timeout(Duration::from_secs(60), async {
        while after.pay.query_refund("R1").await.unwrap().state == RefundState::Processing {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    ended.await.expect("the refund goes on");
    let delivered = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            let list = after.look("notifications").await;
            let list = list["notifications"].as_array().unwrap().clone();
            // The first run's notify address is still there and takes them.
            if list.len() == 3 && list.iter().all(|one| one["state"] == "delivered") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    delivered.await.expect("the waiting notifications go out");
}

#[tokio::test]
async fn a_journal_damaged_in_the_middle_is_not_silently_shortened() {
    let (_folder, path) = state_file();
    std::fs::write(&path, "garbage\n{}\n").unwrap();
    let config = SandboxConfig { state_file: Some(path), ..SandboxConfig::generate().unwrap() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let now: wechat::Now = std::sync::Arc::new(|| "2026-11-22T04:00:00Z".parse().unwrap());

    let served =
        wechat::sandbox::serve(listener, config, now, tokio_util::sync::CancellationToken::new()).await;

    assert!(matches!(served, Err(wechat::sandbox::SandboxError::Unreadable { .. })));
}

#[test]
fn saved_settings_load_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let drawn = SandboxConfig::load_or_generate(folder.path()).unwrap();

    let loaded = SandboxConfig::load_or_generate(folder.path()).unwrap();

    assert_eq!(drawn.appid, loaded.appid);
    assert_eq!(drawn.merchants[1].private_key_pem, loaded.merchants[1].private_key_pem);
    assert_eq!(drawn.platform_keys[0].public_key_pem, loaded.platform_keys[0].public_key_pem);
    assert!(loaded.direct_merchant().is_ok() && loaded.partner_merchant(1).is_ok());
}

/// The program on a port of its own; killed, not asked, when dropped.
struct Program(std::process::Child);

impl Program {
    fn start(port: u16, folder: &std::path::Path) -> Self {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_wechat-sandbox"));
        command.arg("--listen").arg(format!("127.0.0.1:{port}"));
        command.arg("--config").arg(folder.join("keys")).arg("--state").arg(folder.join("state.jsonl"));
        Self(command.stdout(std::process::Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test]
async fn the_program_killed_between_two_calls_forgets_nothing_it_answered() {
    let folder = tempfile::tempdir().unwrap();
    let config = SandboxConfig::load_or_generate(&folder.path().join("keys")).unwrap();
    // None of those the kernel gives away by itself: it has to be free again after each kill.
    let mut ports = (20_000..32_000).skip(usize::try_from(std::process::id() % 10_000).unwrap());
    let port = ports.find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap();
    let base_url = format!("http://127.0.0.1:{port}");
    #[expect(clippy::disallowed_methods, reason = "the program reads the real clock")]
    let now: wechat::Now = std::sync::Arc::new(chrono::Utc::now);
    let merchant = config.direct_merchant().unwrap();
    let pay = wechat::pay::Pay::new(&config.pay_settings(&base_url), merchant, std::sync::Arc::clone(&now))
        .unwrap();
    let answered = async || {
        for _ in 0..3_000 {
            // Right after a kill a pooled connection breaks and a new one is refused; then it answers.
            if pay.query("KH000000").await.is_err_and(|error| error.is_not_exist()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the program does not listen");
    };

    for round in 1..=3 {
        let _program = Program::start(port, folder.path());
        answered().await;
        for before in 1..round {
            assert_eq!(pay.query(&format!("KH00000{before}")).await, Ok(OrderState::Closed));
        }
        let number = format!("KH00000{round}");
        let order = wechat::pay::OrderRequest {
            description: "课后服务费".to_owned(),
            out_trade_no: number.clone(),
            time_expire: now() + chrono::TimeDelta::minutes(15),
            attach: None,
            notify_url: "http://127.0.0.1:9/notify".to_owned(),
            amount_fen: 1,
            openid: crate::support::OPENID.to_owned(),
        };
        pay.order(order.to_json(pay.merchant()).unwrap().as_bytes()).await.unwrap();
        pay.close(&number).await.unwrap();
    }
}
