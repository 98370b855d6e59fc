//! `ApproveCourse`.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use proto::catalog::v1::{ApproveCourseRequest, ApproveCourseResponse};
use shared::caller::{Caller, Role};
use shared::db::Tx;
use shared::random;
use shared::request::{self, Claimed, RequestKey};
use shared::status::not_found;
use shared::value::{self, Id};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::{Catalog, error};
use crate::domain::course::{self, Course, Decided, Origin, Verdict};
use crate::domain::provider::{NotEligible, eligible};
use crate::store;
use crate::store::course::{Decision, Step};

struct Command<'a> {
    request_id: Uuid,
    course_id: Id<value::Course>,
    verdict: Verdict<'a>,
}

/// Decides on a course for the school.
pub async fn approve_course(
    catalog: &Catalog,
    caller: &Caller,
    request: ApproveCourseRequest,
) -> Result<ApproveCourseResponse, Status> {
    let permit = caller.staff(&[Role::Principal])?;
    let Command { request_id, course_id, verdict } = parse(&request)?;
    let content = ApproveCourseRequest { request_id: String::new(), ..request.clone() };
    let key = RequestKey::new(&caller.key(), "ApproveCourse", request_id, &content);

    let tx = catalog.db.begin().await?;
    let claim = match request::claim(&tx, &key, catalog.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let mut course =
        store::course::lock(&tx, course_id).await?.ok_or_else(|| not_found("course", course_id))?;
    permit.reach(&convert::school_path(&course.path), "course", course_id)?;
    let now = catalog.clock.now();
    let standing = standing(catalog, &tx, &course, convert::local_day(now)).await?;
    let (next, decided) = course::approve(&course, standing, verdict)?;
    course.state = next;
    if let Some(Decided) = decided {
        let decision =
            Decision { id: random::uuid(now), step: Step::Approval, verdict, decided_by: permit.id() };
        store::course::save(&tx, &course, decision, now).await?;
    }
    let answer = ApproveCourseResponse { course: Some(convert::course(&course)) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

/// Whether the school may take from the course's provider today, by the policy that holds now.
async fn standing(
    catalog: &Catalog,
    tx: &Tx,
    course: &Course,
    today: NaiveDate,
) -> Result<Result<(), NotEligible>, Status> {
    let Origin::Provider(provider_id) = course.origin else { return Ok(Ok(())) };
    let school_id = course.path.school_id;
    let school =
        store::node::find_school(tx, school_id).await?.ok_or_else(|| not_found("school", school_id))?;
    let policy = school.ruled_by.current(&catalog.packs.packs()).map_err(|cause| error::silent(&cause))?;
    let listings = store::provider::listings(tx, &BTreeSet::from([provider_id])).await?;
    let listings = listings.get(&provider_id).map(Vec::as_slice).unwrap_or_default();
    Ok(eligible(&policy, &course.path, listings, today))
}

fn parse(request: &ApproveCourseRequest) -> Result<Command<'_>, Status> {
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
