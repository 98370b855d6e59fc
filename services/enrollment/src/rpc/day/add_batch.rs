//! Makes a batch of dismissal for a term.

use proto::enrollment::v1::{AddBatchRequest, AddBatchResponse};
use shared::caller::{Caller, NodePath};
use shared::request::{self, Claimed, RequestKey};
use shared::value::Violations;
use shared::{db, random, status};
use tonic::Status;

use super::sight::OFFICE;
use super::{DayRpc, convert};
use crate::domain::day::dismissal::Batch;
use crate::domain::day::local;
use crate::domain::term::Term;
use crate::store;

/// Makes a batch.
pub async fn add_batch(
    rpc: &DayRpc,
    caller: &Caller,
    request: AddBatchRequest,
) -> Result<AddBatchResponse, Status> {
    let permit = caller.staff(OFFICE)?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let term_id = violations.field("term_id", request.term_id.parse());
    let name = violations.text("name", &request.name, 1, 20);
    let minute = violations.field("time", local::time(&request.time).ok_or("must be HH:MM"));
    let (Some(request_id), Some(term_id), Some(name), Some(minute)) = (request_id, term_id, name, minute)
    else {
        return Err(status::invalid(&violations));
    };
    let term = store::term::find(rpc.db.read(), term_id).await?;
    let term = term.ok_or_else(|| status::not_found("term", term_id))?;
    permit.reach(&NodePath::new(term.path.clone()), "term", term_id)?;
    let content = AddBatchRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "AddBatch", request_id, &content);
    db::retry(|| add(rpc, &key, &term, &name, minute)).await
}

async fn add(
    rpc: &DayRpc,
    key: &RequestKey,
    term: &Term,
    name: &str,
    minute: i32,
) -> Result<AddBatchResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let now = rpc.clock.now();
    let batch = Batch {
        id: random::id(now),
        district_id: term.district_id,
        school_id: term.school_id,
        term_id: term.id,
        name: name.to_owned(),
        minute,
    };
    store::day::dismissal::insert_batch(&tx, &batch, now).await?;
    let response = AddBatchResponse { batch: Some(convert::batch(&batch)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
