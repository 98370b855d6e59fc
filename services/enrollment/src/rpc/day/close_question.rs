//! Closes a question, on whatever day.

use proto::enrollment::v1::{CloseQuestionRequest, CloseQuestionResponse};
use shared::caller::{Caller, StaffPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Question as QuestionKind, Violations};
use shared::{db, status};
use tonic::Status;

use super::open_question::may_help;
use super::sight::STAFF;
use super::{DayRpc, convert};
use crate::domain::day::question::{self, Question};
use crate::store;

/// Closes a question.
pub async fn close_question(
    rpc: &DayRpc,
    caller: &Caller,
    request: CloseQuestionRequest,
) -> Result<CloseQuestionResponse, Status> {
    let permit = caller.staff(STAFF)?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let id = violations.field("question_id", request.question_id.parse());
    let outcome = violations.text("outcome", &request.outcome, 1, 200);
    let (Some(request_id), Some(id), Some(outcome)) = (request_id, id, outcome) else {
        return Err(status::invalid(&violations));
    };
    let by = caller.key();
    let content = CloseQuestionRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&by, "CloseQuestion", request_id, &content);
    db::retry(|| close(rpc, &permit, &key, id, &outcome, &by)).await
}

async fn close(
    rpc: &DayRpc,
    permit: &StaffPermit,
    key: &RequestKey,
    id: Id<QuestionKind>,
    outcome: &str,
    by: &str,
) -> Result<CloseQuestionResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let unknown = || status::not_found("question", id);
    let found = store::day::question::lock(&tx, id).await?.ok_or_else(unknown)?;
    let pupil = store::pupil::find(&tx, found.pupil_id).await?.ok_or_else(unknown)?;
    if !may_help(rpc, &tx, permit, &pupil).await? {
        return Err(unknown());
    }
    let closed = match question::close(&found, by, outcome, rpc.clock.now()) {
        Some(state) => {
            store::day::question::save_state(&tx, &found, &state).await?;
            Question { state, ..found }
        }
        None => found,
    };
    let response = CloseQuestionResponse { question: Some(convert::question(&closed)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
