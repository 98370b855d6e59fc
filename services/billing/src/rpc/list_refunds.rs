//! Lists refunds of a pupil.

use proto::billing::v1::{ListRefundsRequest, ListRefundsResponse};
use shared::caller::Caller;
use shared::value::{Id, Pupil, Violations};
use tonic::Status;

use super::convert;
use crate::store;
use crate::till::Till;

pub async fn list_refunds(
    till: &Till,
    caller: &Caller,
    request: ListRefundsRequest,
) -> Result<ListRefundsResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let pupil_id: Option<Id<Pupil>> = convert::id(&mut violations, "pupil_id", &request.pupil_id);
    let page = convert::page(&mut violations, request.page_size, &request.page_token);
    let (pupil_id, page) = convert::read(&violations, pupil_id.zip(page))?;
    permit.pupil(pupil_id)?;
    let mut refunds = store::refund::list(till.db.read(), pupil_id, &page).await?;
    let next_page_token =
        convert::cut(&mut refunds, page.size, |refund| (refund.created_at, refund.id.uuid()));
    Ok(ListRefundsResponse { refunds: refunds.iter().map(convert::refund).collect(), next_page_token })
}
