//! Answers a survey for a pupil, or replaces the answer.

use proto::enrollment::v1::{AnswerSurveyRequest, AnswerSurveyResponse};
use shared::caller::{Caller, NodePath};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Pupil, Survey as SurveyKind, Violations};
use shared::{db, status};
use tonic::Status;

use super::{SurveyRpc, error, parse};
use crate::store;
use crate::store::survey::Answered;

/// Answers a survey.
pub async fn answer_survey(
    rpc: &SurveyRpc,
    caller: &Caller,
    request: AnswerSurveyRequest,
) -> Result<AnswerSurveyResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let survey_id = violations.field("survey_id", request.survey_id.parse());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let (Some(request_id), Some(survey_id), Some(pupil_id)) = (request_id, survey_id, pupil_id) else {
        return Err(status::invalid(&violations));
    };
    permit.pupil(pupil_id)?;
    let content = AnswerSurveyRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "AnswerSurvey", request_id, &content);
    db::retry(|| answer(rpc, &key, survey_id, pupil_id, &content)).await
}

async fn answer(
    rpc: &SurveyRpc,
    key: &RequestKey,
    survey_id: Id<SurveyKind>,
    pupil_id: Id<Pupil>,
    content: &AnswerSurveyRequest,
) -> Result<AnswerSurveyResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let unknown = || error::unknown(survey_id);
    let survey = store::survey::lock_shared(&tx, survey_id).await?.ok_or_else(unknown)?;
    let pupil = store::pupil::lock(&tx, &[pupil_id]).await?.pop();
    let pupil = pupil.ok_or_else(|| status::not_found("pupil", pupil_id))?;
    if !NodePath::new(survey.path.clone()).reaches(&NodePath::new(pupil.path.clone())) {
        return Err(unknown());
    }
    // Which answers fit is the survey's to say.
    let mut violations = Violations::default();
    let answers = parse::answers(&mut violations, &survey.questions, &content.answers);
    if !violations.is_empty() {
        return Err(status::invalid(&violations));
    }
    let now = rpc.clock.now();
    survey.check_open(now).map_err(error::closed)?;
    let answered = Answered { pupil_id, school_id: pupil.school_id, answers, answered_at: now };
    store::survey::save_answers(&tx, &rpc.vault, &survey, &[answered]).await?;
    let response = AnswerSurveyResponse {};
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
