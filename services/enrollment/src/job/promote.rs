//! Gives seats that stayed free to those in line who could not sit when they came free: the time was taken, and is free by now.

use shared::db;
use shared::value::{Id, Section};
use tonic::Status;

use super::Bench;
use crate::{change, store};

/// Promotes where a seat is free and somebody waits, over at most a batch of sections; gives how many pupils got a seat.
///
/// # Errors
/// When the database refuses.
pub async fn promote(bench: &Bench) -> Result<u64, Status> {
    let sections = store::section::list_promotable(bench.db.read(), bench.config.batch_count).await?;
    let mut count = 0;
    for id in sections {
        count += db::retry(|| fill(bench, id)).await?;
    }
    Ok(count)
}

async fn fill(bench: &Bench, id: Id<Section>) -> Result<u64, Status> {
    let tx = bench.db.begin().await?;
    let mut sections = store::section::lock(&tx, [id]).await?;
    let Some(section) = sections.first_mut() else {
        return Ok(0);
    };
    let promoted = change::promote(&tx, section, bench.clock.now()).await?;
    store::section::save_seats(&tx, &sections).await?;
    tx.commit().await?;
    Ok(promoted)
}
