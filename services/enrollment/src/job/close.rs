//! Asks billing about seats being given back: closed, the seat goes to the next in line; settled, it stays; no answer, it is asked
//! again. A seat is never given away while its money may have arrived.

use chrono::TimeDelta;
use futures::StreamExt as _;
use proto::billing::v1::CloseInvoiceRequest;
use proto::billing::v1::billing_service_client::BillingServiceClient;
use proto::billing::v1::close_invoice_response::Outcome;
use shared::client::Link;
use shared::db;
use shared::value::{Enrollment as EnrollmentKind, Id};
use tonic::Status;

use super::{Bench, Tally};
use crate::domain::enrollment;
use crate::{change, store};

/// Asks billing about what is to be asked now, at most a batch; gives how many were asked about.
///
/// # Errors
/// When the database refuses all of them. That billing gives no answer is no error: it is asked again later.
pub async fn close(bench: &Bench, billing: &BillingServiceClient<Link>) -> Result<u64, Status> {
    let now = bench.db.now(bench.clock.as_ref()).await?;
    let closing = store::enrollment::list_closing(bench.db.read(), now, bench.config.batch_count).await?;
    let mut asked = futures::stream::iter(closing)
        .map(|id| async move { (id, ask(billing.clone(), id).await) })
        .buffer_unordered(bench.config.close_concurrency.max(1));
    let mut tally = Tally::default();
    while let Some((id, outcome)) = asked.next().await {
        tally.note(match outcome {
            Some(outcome) => db::retry(|| settle(bench, id, outcome)).await,
            None => db::retry(|| put_off(bench, id)).await,
        });
    }
    tally.sum()
}

/// What billing says. None: no answer that can be acted on.
async fn ask(mut billing: BillingServiceClient<Link>, id: Id<EnrollmentKind>) -> Option<Outcome> {
    match billing.close_invoice(CloseInvoiceRequest { enrollment_id: id.to_string() }).await {
        Ok(response) => match response.into_inner().outcome() {
            Outcome::Unspecified => None,
            outcome @ (Outcome::Closed | Outcome::Settled) => Some(outcome),
        },
        Err(refusal) => {
            let code = refusal.code();
            tracing::warn!(enrollment.id = %id, ?code, "billing did not close {id} ({code:?}); it is asked again");
            None
        }
    }
}

async fn settle(bench: &Bench, id: Id<EnrollmentKind>, outcome: Outcome) -> Result<(), Status> {
    let tx = bench.db.begin().await?;
    let Some(locked) = change::lock(&tx, id).await? else {
        return Ok(());
    };
    let now = tx.now(bench.clock.as_ref()).await?;
    let decided = match outcome {
        Outcome::Closed => enrollment::closed(&locked.enrollment),
        Outcome::Settled => enrollment::settled(&locked.enrollment, false),
        Outcome::Unspecified => return Ok(()),
    };
    // It is no longer being given back: somebody else was faster.
    let Ok(change) = decided else { return Ok(()) };
    let mut sections = [locked.section];
    change::make(&tx, &mut sections, vec![(locked.enrollment, change)], now).await?;
    tx.commit().await?;
    bench.hints.forget(sections.map(|section| section.id));
    Ok(())
}

async fn put_off(bench: &Bench, id: Id<EnrollmentKind>) -> Result<(), Status> {
    let tx = bench.db.begin().await?;
    store::enrollment::put_off_closing(&tx, id, tx.now(bench.clock.as_ref()).await?, wait).await?;
    Ok(tx.commit().await?)
}

/// One second, doubled with each vain attempt, up to a minute.
fn wait(attempts: u32) -> TimeDelta {
    TimeDelta::seconds(1 << attempts.min(6)).min(TimeDelta::minutes(1))
}
