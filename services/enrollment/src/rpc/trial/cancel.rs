//! Gives a place in a trial back.

use proto::enrollment::v1::{CancelTrialRequest, CancelTrialResponse};
use shared::caller::Caller;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Booking as BookingKind, Id, Violations};
use shared::{db, status};
use tonic::Status;

use super::EnrollmentRpc;
use crate::domain::trial::{self, Booking};
use crate::store;

/// Gives a place back.
pub async fn cancel_trial(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    request: CancelTrialRequest,
) -> Result<CancelTrialResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let booking_id = violations.field("booking_id", request.booking_id.parse());
    let (Some(request_id), Some(booking_id)) = (request_id, booking_id) else {
        return Err(status::invalid(&violations));
    };
    let found = store::trial::find_booking(rpc.db.read(), booking_id).await?;
    let found = found
        .filter(|booking| permit.pupil(booking.pupil_id).is_ok())
        .ok_or_else(|| status::not_found("booking", booking_id))?;
    let content = CancelTrialRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "CancelTrial", request_id, &content);
    db::retry(|| cancel(rpc, &key, booking_id, &found)).await
}

async fn cancel(
    rpc: &EnrollmentRpc,
    key: &RequestKey,
    id: Id<BookingKind>,
    found: &Booking,
) -> Result<CancelTrialResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let missing = || status::not_found("booking", id);
    let trial = store::trial::lock(&tx, found.trial_id).await?.ok_or_else(missing)?;
    let booking = store::trial::find_booking(&tx, id).await?.ok_or_else(missing)?;
    let now = rpc.clock.now();
    let booking = match trial::cancel(&trial, &booking, now) {
        None => booking,
        Some((state, booked_count)) => {
            store::trial::end_booking(&tx, &booking, state, now).await?;
            store::trial::save_booked(&tx, &trial, booked_count).await?;
            Booking { state, ..booking }
        }
    };
    let response = CancelTrialResponse { booking: Some(super::booking(&booking)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
