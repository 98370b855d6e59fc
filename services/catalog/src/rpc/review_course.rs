//! `ReviewCourse`.

use proto::catalog::v1::{ReviewCourseRequest, ReviewCourseResponse};
use shared::caller::Caller;
use shared::random;
use shared::request::{self, Claimed, RequestKey};
use shared::status::not_found;
use shared::value::{self, Id};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::{Catalog, OFFICES};
use crate::domain::course::{self, Decided, Verdict};
use crate::store;
use crate::store::course::{Decision, Step};

struct Command<'a> {
    request_id: Uuid,
    course_id: Id<value::Course>,
    verdict: Verdict<'a>,
}

/// Reviews a provider's course for the bureau.
pub async fn review_course(
    catalog: &Catalog,
    caller: &Caller,
    request: ReviewCourseRequest,
) -> Result<ReviewCourseResponse, Status> {
    let permit = caller.staff(OFFICES)?;
    let Command { request_id, course_id, verdict } = parse(&request)?;
    let content = ReviewCourseRequest { request_id: String::new(), ..request.clone() };
    let key = RequestKey::new(&caller.key(), "ReviewCourse", request_id, &content);

    let tx = catalog.db.begin().await?;
    let claim = match request::claim(&tx, &key, catalog.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let mut course =
        store::course::lock(&tx, course_id).await?.ok_or_else(|| not_found("course", course_id))?;
    permit.reach(&convert::school_path(&course.path), "course", course_id)?;
    let now = catalog.clock.now();
    let (next, decided) = course::review(&course, verdict)?;
    course.state = next;
    if let Some(Decided) = decided {
        let decision =
            Decision { id: random::uuid(now), step: Step::Review, verdict, decided_by: permit.id() };
        store::course::save(&tx, &course, decision, now).await?;
    }
    let answer = ReviewCourseResponse { course: Some(convert::course(&course)) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

fn parse(request: &ReviewCourseRequest) -> Result<Command<'_>, Status> {
    let mut fields = Fields::default();
    let request_id = fields.uuid("request_id", &request.request_id);
    let course_id = fields.id("course_id", &request.course_id);
    let verdict = fields.verdict(request.decision, &request.reason);
    let command = request_id.zip(course_id).zip(verdict);
    fields.finish(command.map(|((request_id, course_id), verdict)| Command {
        request_id,
        course_id,
        verdict,
    }))
}
