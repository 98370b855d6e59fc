//! `catalog serve` (the default) and `catalog migrate`.

use std::sync::Arc;
use std::time::Duration;

use catalog::{Config, Migrator, NAME, Parts};
use policy::Live;
use shared::program::{Ground, Program};

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
    let packs = Arc::new(Live::open(&config.policies)?);
    let Ground { clock, verifier, grpc, admin, stop, .. } = ground;
    let every = Duration::from_secs(config.policies_reload_seconds.max(1).into());
    tokio::spawn(packs.clone().watch(every, stop.clone()));
    let parts = Parts { config, db: program.db.clone(), clock, verifier, packs, identity };
    catalog::run(parts, grpc, admin, stop).await
}
