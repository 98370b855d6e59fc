//! Ends seats that were changed for others, on the day from which the others are had.

use std::collections::BTreeSet;

use shared::db;
use shared::value::Id;
use tonic::Status;

use super::{Bench, Tally};
use crate::domain::day::local;
use crate::domain::enrollment;
use crate::domain::seat_change::{Act, SeatChange, act};
use crate::store::seat_change::End;
use crate::{change, store};

/// Ends what is due, a batch at a time; gives how many changes came to something.
///
/// # Errors
/// When the database refuses all of them.
pub async fn change_seats(bench: &Bench) -> Result<u64, Status> {
    let today = local::day(bench.clock.now());
    let ripe = store::seat_change::list_ripe(bench.db.read(), today, bench.config.batch_count.max(1)).await?;
    let mut tally = Tally::default();
    for change in ripe {
        tally.note(db::retry(|| end(bench, &change)).await);
    }
    tally.sum()
}

async fn end(bench: &Bench, found: &SeatChange) -> Result<(), Status> {
    let tx = bench.db.begin().await?;
    let ids = [found.from_enrollment_id, found.to_enrollment_id];
    let both = store::enrollment::find_all(&tx, &ids).await?;
    let section_ids: BTreeSet<_> = both.iter().map(|enrollment| enrollment.section_id).collect();
    let mut sections = store::section::lock(&tx, section_ids).await?;
    store::pupil::lock(&tx, &[found.pupil_id]).await?;
    let missing = |id: Id<_>| db::Error::inconsistent("seat_change", id, "its enrollment is missing");
    let from = store::enrollment::lock(&tx, found.from_enrollment_id).await?;
    let from = from.ok_or_else(|| missing(found.from_enrollment_id))?;
    let to = store::enrollment::lock(&tx, found.to_enrollment_id).await?;
    let to = to.ok_or_else(|| missing(found.to_enrollment_id))?;
    let Some(planned) = store::seat_change::lock(&tx, found.to_enrollment_id).await? else { return Ok(()) };
    let now = tx.now(bench.clock.as_ref()).await?;
    let mut freed = None;
    match act(&planned, &from.state, &to.state, local::day(now)) {
        Act::Wait => return Ok(()),
        Act::Done => store::seat_change::end(&tx, &planned, End::Done).await?,
        Act::Void => {
            // The new seat took hours of the old one: they are the old one's again.
            if let Some(section) = sections.iter().find(|section| section.id == from.section_id) {
                store::enrollment::free_slots(&tx, &from).await?;
                let seat = store::enrollment::Seat { enrollment: &from, slots: &section.slots };
                store::enrollment::take_slots(&tx, &[seat]).await?;
            }
            store::seat_change::end(&tx, &planned, End::Void).await?;
        }
        Act::End => {
            let given_up =
                enrollment::give_up(&from, true).map_err(|error| shared::status::internal(&error))?;
            freed = Some(from.section_id);
            store::seat_change::end(&tx, &planned, End::Done).await?;
            change::make(&tx, &mut sections, vec![(from, given_up)], now).await?;
        }
    }
    tx.commit().await?;
    bench.hints.forget(freed);
    Ok(())
}
