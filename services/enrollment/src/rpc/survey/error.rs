//! Every refusal about surveys as a status.

use chrono::SecondsFormat;
use shared::status;
use shared::value::{Id, Survey as SurveyKind};
use tonic::Status;

use crate::domain::survey::Closed;

/// There is no such survey, or the caller may not know of it.
pub fn unknown(id: Id<SurveyKind>) -> Status {
    status::not_found("survey", id)
}

/// It takes no answers any more.
pub fn closed(closed: Closed) -> Status {
    let close_time = closed.close_at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    status::refused("SURVEY_CLOSED", &[("close_time", close_time)])
}
