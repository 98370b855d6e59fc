//! Applies granted waivers to invoices whose order had to be closed first.

use shared::db;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use super::repeat;
use crate::domain::invoice::Invoice;
use crate::store;
use crate::till::book::Book;
use crate::till::{Till, order};

/// The most invoices looked at in one pass.
const BATCH: u64 = 50;

/// Applies what is due, until `stop`.
pub async fn run(till: Till, stop: CancellationToken) {
    repeat("waivers", &stop, || pass(&till)).await;
}

/// Applies what is due now. Never asks to be run again at once: an order that cannot be closed is tried at the next look.
///
/// # Errors
/// When the database refuses.
pub async fn pass(till: &Till) -> Result<bool, Status> {
    for invoice in store::invoice::waiver_due(till.db.read(), BATCH).await? {
        if let Some(payment) = store::payment::open_of(till.db.read(), invoice.id).await? {
            match order::close(till, &payment).await {
                Ok(_) => {}
                Err(refusal) if refusal.code() == Code::Unavailable => continue,
                Err(refusal) => return Err(refusal),
            }
        }
        db::retry(|| apply(till, &invoice)).await?;
    }
    Ok(false)
}

async fn apply(till: &Till, invoice: &Invoice) -> Result<(), Status> {
    let tx = till.db.begin().await?;
    let mut book = Book::of(till, &tx, invoice).await?;
    book.follow_up(&tx, till.clock.now()).await?;
    Ok(tx.commit().await?)
}
