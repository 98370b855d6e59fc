//! `billing serve` (the default) and `billing migrate`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use billing::config::WechatConfig;
use billing::{Config, Merchants, Migrator, NAME, Parts};
use policy::Live;
use shared::clock::SharedClock;
use shared::config;
use shared::program::{Ground, Program};
use shared::seal::Sealer;
use wechat::pay::{Merchant, MerchantSettings, Mode, Pay};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let program = Program::<Config>::begin(NAME, &[]).await?;
    let done = match program.command.as_str() {
        "migrate" => program.migrate::<Migrator>().await,
        _ => serve(&program).await,
    };
    program.end().await;
    done
}

async fn serve(program: &Program<Config>) -> anyhow::Result<()> {
    let config = program.config.clone();
    let ground = program.ground::<Migrator>().await?;
    let identity = ground.link(&config.peers.identity)?;
    let catalog = ground.link(&config.peers.catalog)?;
    let enrollment = ground.link(&config.peers.enrollment)?;
    let Ground { clock, verifier, grpc, admin, stop, .. } = ground;
    let packs = Arc::new(Live::open(&config.policies)?);
    let every = Duration::from_secs(config.policies_reload_seconds.max(1).into());
    tokio::spawn(packs.clone().watch(every, stop.clone()));
    let parts = Parts {
        db: program.db.clone(),
        verifier,
        packs,
        sealer: Arc::new(Sealer::from_file(&config.seal_keys)?),
        merchants: Merchants::one(pay(&config.wechat, clock.clone())?),
        clock,
        notify_url: config.notify_url.clone(),
        config,
        identity,
        catalog,
        enrollment,
    };
    billing::run(parts, grpc, admin, stop).await
}

/// The client of the one merchant.
fn pay(settings: &WechatConfig, clock: SharedClock) -> anyhow::Result<Pay> {
    let mode = match settings.sub_mchid.as_str() {
        "" => Mode::Direct { mchid: settings.mchid.clone() },
        sub_mchid => Mode::Partner {
            sp_mchid: settings.mchid.clone(),
            sub_mchid: sub_mchid.to_owned(),
            sub_appid: None,
        },
    };
    let read = |path: &Path| std::fs::read_to_string(path).with_context(|| path.display().to_string());
    let platform_keys = settings.platform_keys.iter().map(|key| Ok((key.serial.clone(), read(&key.file)?)));
    let previous = settings.previous_apiv3_key_file.as_deref().map(config::secret);
    let merchant = Merchant::new(MerchantSettings {
        mode,
        appid: settings.appid.clone(),
        serial_no: settings.serial_no.clone(),
        private_key_pem: config::secret(&settings.private_key_file)?,
        apiv3_key: config::secret(&settings.apiv3_key_file)?,
        previous_apiv3_key: previous.transpose()?,
        platform_keys: platform_keys.collect::<anyhow::Result<_>>()?,
    })?;
    let backup = Some(settings.backup_base_url.clone()).filter(|url| !url.is_empty());
    let at = wechat::pay::Settings {
        base_url: settings.base_url.clone(),
        backup_base_url: backup,
        ..wechat::pay::Settings::default()
    };
    Ok(Pay::new(&at, merchant, Arc::new(move || clock.now()))?)
}
