//! Asks WeChat after open orders by the plan, and closes those nobody may pay any more.

use shared::db;
use shared::value::{Id, Payment as PaymentKind};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::repeat;
use crate::domain::payment::{self, Payment};
use crate::store;
use crate::till::{Till, order};

/// The most orders asked after in one pass.
const BATCH: u64 = 50;

/// Asks after what is due, until `stop`.
pub async fn run(till: Till, stop: CancellationToken) {
    repeat("orders", &stop, || pass(&till)).await;
}

/// Asks after what is due now; says whether there was anything.
///
/// # Errors
/// When the database refuses. That WeChat gives no answer is no error: the order is asked after again.
pub async fn pass(till: &Till) -> Result<bool, Status> {
    let due = store::payment::due(till.db.read(), till.clock.now(), BATCH).await?;
    for payment in &due {
        // Before the call, so that a crash or a dead line does not ask without end.
        db::retry(|| plan_next(till, payment.id)).await?;
        let asked = if may_still_be_paid(till, payment).await? {
            order::ask(till, payment).await
        } else {
            order::close(till, payment).await
        };
        if let Err(refusal) = asked
            && refusal.code() != tonic::Code::Unavailable
        {
            return Err(refusal);
        }
    }
    Ok(!due.is_empty())
}

/// Whether the invoice waits for this order and its time is not over.
async fn may_still_be_paid(till: &Till, payment: &Payment) -> Result<bool, Status> {
    let invoice = store::invoice::find(till.db.read(), payment.invoice_id).await?;
    Ok(invoice.is_some_and(|invoice| invoice.is_open()) && till.clock.now() < payment.expires_at)
}

async fn plan_next(till: &Till, id: Id<PaymentKind>) -> Result<(), Status> {
    let tx = till.db.begin().await?;
    let Some(mut payment) = store::payment::lock(&tx, id).await? else { return Ok(()) };
    if payment.next_query_at.is_some() {
        payment.query_count = payment.query_count.saturating_add(1);
        let next = payment::next_query_at(
            payment.created_at,
            payment.expires_at,
            payment.query_count,
            till.clock.now(),
        );
        payment.next_query_at = Some(next);
        store::payment::save(&tx, &payment).await?;
    }
    Ok(tx.commit().await?)
}
