//! The sandbox and our client against an independent SDK, so that no mistake of ours can agree with itself.
//!
//! A virtual environment with the pinned packages of `interop/requirements.txt` is made below the target folder on first use. It
//! fails, and never skips, when Python or a package is missing.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;
use wechat::crypto::KeyStore;
use wechat::sandbox::{self, SandboxConfig};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop")
}

async fn run(command: &mut Command) -> String {
    let output = command.output().await.expect("the program starts");
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{text}");
    text
}

/// The environment's interpreter, made anew when the requirements changed.
async fn python() -> PathBuf {
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wechat-interop");
    let requirements = folder().join("requirements.txt");
    let stamp = environment.join("installed.txt");
    let interpreter = environment.join("bin/python");
    let wanted = fs::read_to_string(&requirements).unwrap();
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return interpreter;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment)).await;
    let mut install = Command::new(&interpreter);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    run(install.arg(&requirements)).await;
    fs::write(stamp, wanted).unwrap();
    interpreter
}

#[tokio::test]
async fn an_independent_sdk_agrees_with_both_sides() {
    let config = SandboxConfig { refund_delay_ms: 50, ..SandboxConfig::generate().unwrap() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    #[expect(clippy::disallowed_methods, reason = "the other program reads the real clock")]
    let now: wechat::Now = Arc::new(chrono::Utc::now);
    let cancel = CancellationToken::new();
    let served = tokio::spawn(sandbox::serve(listener, config.clone(), now, cancel.clone()));
    let mut keys = KeyStore::new();
    keys.add_pem(&config.platform_keys[0].serial, &config.platform_keys[0].public_key_pem).unwrap();
    let merchant = |index: usize| {
        let merchant = &config.merchants[index];
        json!({
            "mchid": merchant.mchid,
            "sub_mchids": merchant.sub_mchids,
            "serial_no": merchant.serial_no,
            "apiv3_key": merchant.apiv3_key,
            "private_key_pem": merchant.private_key_pem,
        })
    };
    let platform_keys = config.platform_keys.iter().map(|key| {
        json!({
            "serial": key.serial,
            "public_key_pem": key.public_key_pem,
            "private_key_pem": key.private_key_pem,
        })
    });
    let setup = json!({
        "base_url": base_url,
        "appid": config.appid,
        "direct": merchant(0),
        "partner": merchant(1),
        "platform_keys": platform_keys.collect::<Vec<_>>(),
        "encrypted_field": keys.encrypt_field(&config.platform_keys[0].serial, "张三".as_bytes()).unwrap(),
    });
    let settings = tempfile::NamedTempFile::new().unwrap();
    fs::write(settings.path(), setup.to_string()).unwrap();

    let python = python().await;
    let said = run(Command::new(python)
        .arg(folder().join("peer.py"))
        .arg(settings.path())
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1"))
    .await;

    assert!(said.trim_end().ends_with("ok"), "{said}");
    cancel.cancel();
    served.await.unwrap().unwrap();
}
