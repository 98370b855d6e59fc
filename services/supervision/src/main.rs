//! `supervision serve` (the default) and `supervision migrate`.

use std::sync::Arc;
use std::time::Duration;

use policy::Live;
use shared::program::{Ground, Program};
use shared::seal::{BlindIndex, Sealer};
use supervision::{Config, Migrator, NAME, Parts};

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
    let enrollment = ground.link(&config.peers.enrollment)?;
    let packs = Arc::new(Live::open(&config.policies)?);
    let sealer = Arc::new(Sealer::from_file(&config.seal_keys)?);
    let index = Arc::new(BlindIndex::from_file(&config.index_key)?);
    let Ground { clock, verifier, grpc, admin, stop, .. } = ground;
    let every = Duration::from_secs(config.policies_reload_seconds.max(1).into());
    tokio::spawn(packs.clone().watch(every, stop.clone()));
    let parts =
        Parts { config, db: program.db.clone(), clock, verifier, packs, identity, enrollment, sealer, index };
    supervision::run(parts, grpc, admin, stop).await
}
