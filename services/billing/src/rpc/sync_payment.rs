//! Asks WeChat now what became of a payment.

use proto::billing::v1::{SyncPaymentRequest, SyncPaymentResponse};
use shared::caller::Caller;
use shared::status;
use tonic::Status;

use super::{convert, invoices};
use crate::store;
use crate::till::{Till, order};

pub async fn sync_payment(
    till: &Till,
    caller: &Caller,
    request: SyncPaymentRequest,
) -> Result<SyncPaymentResponse, Status> {
    let permit = caller.guardian()?;
    let enrollment_id = invoices::enrollment_id(&request.enrollment_id)?;
    let not_found = || status::not_found("invoice", enrollment_id);
    let invoice =
        store::invoice::of_enrollment(till.db.read(), enrollment_id).await?.ok_or_else(not_found)?;
    permit.pupil(invoice.pupil_id).map_err(|_| not_found())?;
    let Some(payment) = store::payment::open_of(till.db.read(), invoice.id).await? else {
        return Ok(SyncPaymentResponse { invoice: Some(convert::invoice(&invoice)?) });
    };
    order::ask(till, &payment).await?;
    let invoice =
        store::invoice::of_enrollment(till.db.read(), enrollment_id).await?.ok_or_else(not_found)?;
    Ok(SyncPaymentResponse { invoice: Some(convert::invoice(&invoice)?) })
}
