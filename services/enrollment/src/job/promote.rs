//! Gives seats that stayed free to those in line who could not sit when they came free: the time was taken, and is free by now.

use shared::db;
use shared::value::{Id, Section};
use tonic::Status;

use super::{Bench, Tally};
use crate::{change, store};

/// Promotes where a seat is free and somebody waits, a batch of sections after the other; gives how many pupils got a seat.
///
/// Every such section is looked at: those where nobody in line can sit stay on the list, and must not keep the others from their
/// turn.
///
/// # Errors
/// When the database refuses all of them.
pub async fn promote(bench: &Bench) -> Result<u64, Status> {
    let (mut count, mut after, mut tally) = (0, None, Tally::default());
    loop {
        let batch = bench.config.batch_count.max(1);
        let sections = store::section::list_promotable(bench.db.read(), after, batch).await?;
        let Some(last) = sections.last().copied() else { break };
        for id in sections {
            tally.note(db::retry(|| fill(bench, id)).await.map(|promoted| count += promoted));
        }
        after = Some(last);
    }
    tally.sum()?;
    Ok(count)
}

async fn fill(bench: &Bench, id: Id<Section>) -> Result<u64, Status> {
    let tx = bench.db.begin().await?;
    let mut sections = store::section::lock(&tx, [id]).await?;
    let Some(section) = sections.first_mut() else {
        return Ok(0);
    };
    let promoted = change::promote(&tx, section, tx.now(bench.clock.as_ref()).await?).await?;
    store::section::save_seats(&tx, &sections).await?;
    tx.commit().await?;
    Ok(promoted)
}
