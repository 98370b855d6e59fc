//! Ends waits for a signature and reviews, and begins to give back holds, whose time is over.

use shared::db;
use shared::value::{Enrollment as EnrollmentKind, Id};
use tonic::Status;

use super::{Bench, Tally};
use crate::domain::enrollment::{self, Change, Enrollment, State};
use crate::{change, store};

/// Ends what is due now, at most a batch; gives how many were ended.
///
/// # Errors
/// When the database refuses all of them.
pub async fn expire(bench: &Bench) -> Result<u64, Status> {
    // One clock ends what another began: that of the database, which all replicas share.
    let now = bench.db.now(bench.clock.as_ref()).await?;
    let due = store::enrollment::list_due(bench.db.read(), now, bench.config.batch_count).await?;
    let mut tally = Tally::default();
    for id in due {
        tally.note(db::retry(|| end(bench, id)).await);
    }
    tally.sum()
}

async fn end(bench: &Bench, id: Id<EnrollmentKind>) -> Result<(), Status> {
    let tx = bench.db.begin().await?;
    let Some(locked) = change::lock(&tx, id).await? else {
        return Ok(());
    };
    let now = tx.now(bench.clock.as_ref()).await?;
    let change = over(&locked.enrollment, now);
    let mut sections = [locked.section];
    change::make(&tx, &mut sections, vec![(locked.enrollment, change)], now).await?;
    tx.commit().await?;
    bench.hints.forget(sections.map(|section| section.id));
    Ok(())
}

fn over(enrollment: &Enrollment, now: shared::value::Moment) -> Change {
    match enrollment.state {
        State::AwaitingAgreement { .. } => enrollment::agreement_expired(enrollment, now),
        State::InReview { .. } => enrollment::review_expired(enrollment, now),
        State::Held { .. }
        | State::Waitlisted { .. }
        | State::Releasing { .. }
        | State::Confirmed
        | State::Released { .. } => enrollment::hold_expired(enrollment, now),
    }
}
