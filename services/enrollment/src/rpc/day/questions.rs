//! Lists questions, and reports how many were closed on their day.

use proto::enrollment::v1::list_questions_response::Report as ReportMessage;
use proto::enrollment::v1::{
    ListPupilQuestionsRequest, ListPupilQuestionsResponse, ListQuestionsRequest, ListQuestionsResponse,
};
use shared::caller::{Caller, Role};
use shared::status;
use shared::value::{Id, Page, PageToken, Pupil, School, Violations};
use tonic::Status;
use uuid::Uuid;

use super::assign_duty::DAY_COUNT;
use super::sight::{self, OFFICE};
use super::{DayRpc, convert, parse};
use crate::domain::day::local;
use crate::domain::day::question::{Question, Report, State};
use crate::store;

/// Who reads a school's questions.
const READERS: &[Role] = &[Role::ClassTeacher, Role::TeachingOffice, Role::Principal];

/// Minutes in a day.
const DAY_MINUTES: i32 = 24 * 60;

/// Lists the questions of a school.
pub async fn list_questions(
    rpc: &DayRpc,
    caller: &Caller,
    request: &ListQuestionsRequest,
) -> Result<ListQuestionsResponse, Status> {
    let permit = caller.staff(READERS)?;
    let mut violations = Violations::default();
    let school_id = violations.field("school_id", request.school_id.parse::<Id<School>>());
    let first_day = parse::day(&mut violations, "first_day", &request.first_day);
    let last_day = parse::day(&mut violations, "last_day", &request.last_day);
    if let (Some(first), Some(last)) = (first_day, last_day) {
        let is_span = (0..=DAY_COUNT).contains(&last.signed_duration_since(first).num_days());
        violations.check("last_day", is_span, "must be 0 to 400 days after first_day");
    }
    let page = violations.field("page_token", Page::<Uuid>::parse(request.page_size, &request.page_token));
    let (Some(school_id), Some(first_day), Some(last_day), Some(page), true) =
        (school_id, first_day, last_day, page, violations.is_empty())
    else {
        return Err(status::invalid(&violations));
    };
    let path = sight::school(rpc, &permit, school_id).await?;
    let district_id = sight::district(&path, school_id)?;
    let is_office = OFFICE.iter().any(|role| permit.holds(*role, &path));
    let classes: Vec<Uuid> =
        permit.grants().iter().filter_map(|grant| grant.path.class().map(Id::uuid)).collect();
    let classes = (!is_office).then_some(classes.as_slice());
    let days = (local::moment(first_day, 0), local::moment(last_day, DAY_MINUTES));
    let all = store::day::question::list(rpc.db.read(), district_id, school_id, days, classes).await?;
    let report = Report::of(&all);
    let is_wanted = |question: &&Question| {
        let is_open = question.state == State::Open;
        (is_open || !request.open_only) && page.after.is_none_or(|after| question.id.uuid() < after)
    };
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    let shown: Vec<_> = all.iter().filter(is_wanted).take(size).cloned().collect();
    Ok(ListQuestionsResponse {
        next_page_token: next_page_token(&shown, size),
        questions: shown.iter().map(convert::question).collect(),
        report: Some(ReportMessage {
            opened_count: report.opened_count,
            same_day_count: report.same_day_count,
            later_count: report.later_count,
            open_count: report.open_count,
        }),
    })
}

/// Lists a pupil's questions.
pub async fn list_pupil_questions(
    rpc: &DayRpc,
    caller: &Caller,
    request: &ListPupilQuestionsRequest,
) -> Result<ListPupilQuestionsResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse::<Id<Pupil>>());
    let page = violations.field("page_token", Page::<Uuid>::parse(request.page_size, &request.page_token));
    let (Some(pupil_id), Some(page)) = (pupil_id, page) else {
        return Err(status::invalid(&violations));
    };
    let path = &permit.pupil(pupil_id)?.path;
    let district_id = path.district().ok_or_else(|| status::not_found("pupil", pupil_id))?;
    let found = store::day::question::list_of_pupil(rpc.db.read(), district_id, pupil_id, &page).await?;
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    Ok(ListPupilQuestionsResponse {
        next_page_token: next_page_token(&found, size),
        questions: found.iter().map(convert::question).collect(),
    })
}

/// Empty when the page was not filled: nothing can come after it.
fn next_page_token(shown: &[Question], size: usize) -> String {
    let last = shown.last().filter(|_| shown.len() == size);
    last.map(|last| PageToken::of(&last.id.uuid()).into_text()).unwrap_or_default()
}
