//! Closes the lists of drawn rounds whose time is over, once, whatever the number of replicas.

use shared::db;
use shared::value::{Id, Round as RoundKind};
use tonic::Status;

use super::{Bench, Tally};
use crate::domain::round;
use crate::store::vault::Vault;
use crate::{lists, store};

/// Closes what is due now, at most a batch; gives how many were closed.
///
/// # Errors
/// When the database refuses all of them.
pub async fn close_lists(bench: &Bench, vault: &Vault) -> Result<u64, Status> {
    let due =
        store::round::list_closing(bench.db.read(), bench.clock.now(), bench.config.batch_count).await?;
    let mut tally = Tally::default();
    for id in due {
        tally.note(db::retry(|| close(bench, vault, id)).await);
    }
    tally.sum()
}

async fn close(bench: &Bench, vault: &Vault, id: Id<RoundKind>) -> Result<(), Status> {
    let tx = bench.db.begin().await?;
    let Some(round) = store::round::lock(&tx, id).await? else {
        return Ok(());
    };
    let now = tx.now(bench.clock.as_ref()).await?;
    if !round::is_to_close(&round, now) {
        // Another replica was faster, or the round was extended or called off meanwhile.
        return Ok(());
    }
    let act = store::draw::find(&tx, &round, None).await?;
    let act = act.ok_or_else(|| db::Error::inconsistent("round", id, "it is drawn and has no act"))?;
    lists::close(&tx, vault, &round, act.terms, now).await?;
    tx.commit().await?;
    Ok(())
}
