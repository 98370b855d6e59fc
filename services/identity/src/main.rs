//! `identity serve` (the default), `identity migrate`, and `identity bootstrap`, which makes the first platform operator.

use std::sync::Arc;
use std::time::Duration;

use identity::store::vault::Vault;
use identity::{Config, Migrator, NAME, Parts};
use policy::Live;
use shared::clock::{SharedClock, SystemClock};
use shared::config;
use shared::db::Db;
use shared::program::{Ground, Program};
use shared::seal::{BlindIndex, Sealer};
use wechat::mini::{MiniProgram, Settings};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let program = Program::<Config>::begin(NAME, &["bootstrap"]).await?;
    let done = match program.command.as_str() {
        "migrate" => program.migrate::<Migrator>().await,
        "bootstrap" => bootstrap(&program.config, &program.db).await,
        _ => serve(&program).await,
    };
    program.end().await;
    done
}

async fn serve(program: &Program<Config>) -> anyhow::Result<()> {
    let config = program.config.clone();
    let ground = program.ground::<Migrator>().await?;
    let enrollment = ground.link(&config.peers.enrollment)?;
    let Ground { clock, verifier, signer, grpc, admin, stop } = ground;
    let packs = Arc::new(Live::open(&config.policies)?);
    let every = Duration::from_secs(config.policies_reload_seconds.max(1).into());
    tokio::spawn(packs.clone().watch(every, stop.clone()));
    let parts = Parts {
        db: program.db.clone(),
        wechat: mini_program(&config, clock.clone())?,
        clock,
        verifier,
        signer,
        sealer: Arc::new(Sealer::from_file(&config.seal_keys)?),
        blind_index: Arc::new(BlindIndex::from_file(&config.index_key)?),
        packs,
        enrollment,
        config,
    };
    identity::run(parts, grpc, admin, stop).await
}

/// The mini-program guardians sign in with.
fn mini_program(config: &Config, clock: SharedClock) -> anyhow::Result<MiniProgram> {
    let settings = Settings {
        base_url: config.wechat.base_url.clone(),
        appid: config.wechat.appid.clone(),
        secret: config::secret(&config.wechat.secret_file)?,
        timeout: Duration::from_millis(config.wechat.timeout_ms),
    };
    Ok(MiniProgram::new(settings, Arc::new(move || clock.now()))?)
}

#[expect(
    clippy::print_stdout,
    reason = "the credentials are for whoever runs the command, and are nowhere else"
)]
async fn bootstrap(config: &Config, db: &Db) -> anyhow::Result<()> {
    let sealer = Sealer::from_file(&config.seal_keys)?;
    let index = BlindIndex::from_file(&config.index_key)?;
    let vault = Vault::new(Arc::new(sealer), Arc::new(index));
    let first = identity::bootstrap(db, &SystemClock, &vault).await?;
    println!(
        "login_name  {}\npassword    {}\ntotp_secret {}",
        first.login_name, first.password, first.totp_secret
    );
    Ok(())
}
