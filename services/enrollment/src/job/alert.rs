//! Alerts the day's leader to pupils who are still here after their service has ended and the patience with it.

use chrono::TimeDelta;
use shared::db;
use shared::value::Id;
use tonic::Status;

use super::{Bench, Tally};
use crate::domain::day::custody::{self, Custody};
use crate::domain::day::duty::Post;
use crate::{event, store};

/// Alerts to whoever is due now, at most a batch; gives how many pupils it was about.
///
/// # Errors
/// When the database refuses all of them.
pub async fn alert(bench: &Bench, grace_seconds: u32) -> Result<u64, Status> {
    let before = bench.clock.now() - TimeDelta::seconds(i64::from(grace_seconds));
    let overdue =
        store::day::custody::list_overdue(bench.db.read(), before, bench.config.batch_count).await?;
    let mut tally = Tally::default();
    for custody in overdue {
        tally.note(db::retry(|| tell(bench, &custody, grace_seconds)).await);
    }
    tally.sum()
}

async fn tell(bench: &Bench, found: &Custody, grace_seconds: u32) -> Result<(), Status> {
    let tx = bench.db.begin().await?;
    store::pupil::lock(&tx, &[found.pupil_id]).await?;
    let custody =
        store::day::custody::find_all(&tx, found.district_id, [found.pupil_id], found.day).await?.pop();
    let Some(custody) = custody else { return Ok(()) };
    let now = bench.clock.now();
    if !custody::is_to_alert(&custody, grace_seconds, now) {
        // Collected meanwhile, or another replica was faster.
        return Ok(());
    }
    let duties =
        store::day::duty::list(&tx, custody.district_id, custody.school_id, custody.day, custody.day).await?;
    let leaders: Vec<_> =
        duties.iter().filter(|duty| duty.post == Post::Leader).map(|duty| duty.staff_id).collect();
    if leaders.is_empty() {
        let school_id: Id<_> = custody.school_id;
        tracing::warn!(alarm = true, school.id = %school_id, "a pupil has not been collected and no leader is named");
    }
    let custody = Custody { alerted_at: Some(now), ..custody };
    store::day::custody::save_due(&tx, &custody).await?;
    event::tell_overdue(&tx, &custody, &leaders, now).await?;
    tx.commit().await?;
    Ok(())
}
