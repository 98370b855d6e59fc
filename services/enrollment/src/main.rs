//! `enrollment serve` (the default) and `enrollment migrate`.

use std::sync::Arc;
use std::time::Duration;

use enrollment::{Config, Migrator, NAME, Parts};
use policy::Live;
use shared::program::{Ground, Program};
use shared::seal::Sealer;

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
    let billing = ground.link(&config.peers.billing)?;
    let packs = Arc::new(Live::open(&config.policies)?);
    let sealer = Arc::new(Sealer::from_file(&config.seal_keys)?);
    let Ground { clock, verifier, grpc, admin, stop, .. } = ground;
    let every = Duration::from_secs(config.policies_reload_seconds.max(1).into());
    tokio::spawn(packs.clone().watch(every, stop.clone()));
    let db = program.db.clone();
    let parts = Parts { config, db, clock, verifier, packs, sealer, identity, catalog, billing };
    enrollment::run(parts, grpc, admin, stop).await
}
