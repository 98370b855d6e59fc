//! Closes a survey before its time.

use proto::enrollment::v1::{CloseSurveyRequest, CloseSurveyResponse};
use shared::caller::{Caller, StaffPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Survey as SurveyKind, Violations};
use shared::{db, status};
use tonic::Status;

use super::{ASKERS, SurveyRpc, convert, error, own_node};
use crate::domain::survey::Survey;
use crate::store;

/// Closes a survey.
pub async fn close_survey(
    rpc: &SurveyRpc,
    caller: &Caller,
    request: CloseSurveyRequest,
) -> Result<CloseSurveyResponse, Status> {
    let permit = caller.staff(ASKERS)?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let survey_id = violations.field("survey_id", request.survey_id.parse());
    let (Some(request_id), Some(survey_id)) = (request_id, survey_id) else {
        return Err(status::invalid(&violations));
    };
    let content = CloseSurveyRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "CloseSurvey", request_id, &content);
    db::retry(|| close(rpc, &permit, &key, survey_id)).await
}

async fn close(
    rpc: &SurveyRpc,
    permit: &StaffPermit,
    key: &RequestKey,
    survey_id: Id<SurveyKind>,
) -> Result<CloseSurveyResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let unknown = || error::unknown(survey_id);
    let survey = store::survey::lock(&tx, survey_id).await?.ok_or_else(unknown)?;
    let is_own = survey.path.last().is_some_and(|node| own_node(permit, *node).is_some());
    if !is_own {
        return Err(unknown());
    }
    let now = rpc.clock.now();
    let close_at = survey.close(now);
    if let Some(close_at) = close_at {
        store::survey::save_close(&tx, &survey, close_at).await?;
    }
    let closed = Survey { close_at: close_at.unwrap_or(survey.close_at), ..survey };
    let response = CloseSurveyResponse { survey: Some(convert::survey(&closed, now)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
