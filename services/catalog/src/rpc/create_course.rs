//! `CreateCourse`.

use proto::catalog::v1::{CreateCourseRequest, CreateCourseResponse};
use shared::caller::Caller;
use shared::random;
use shared::request::{self, Claimed, RequestKey};
use shared::status::not_found;
use shared::value::{Id, School};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::{Catalog, SCHOOL_STAFF, error};
use crate::domain::course::{self, Content, Course, Origin, State};
use crate::store;

struct Command {
    request_id: Uuid,
    school_id: Id<School>,
    content: Content,
}

/// Writes a school's own course.
pub async fn create_course(
    catalog: &Catalog,
    caller: &Caller,
    request: CreateCourseRequest,
) -> Result<CreateCourseResponse, Status> {
    let permit = caller.staff(SCHOOL_STAFF)?;
    let command = parse(&request)?;
    let content = CreateCourseRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "CreateCourse", command.request_id, &content);

    let tx = catalog.db.begin().await?;
    let claim = match request::claim(&tx, &key, catalog.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let school_id = command.school_id;
    let school =
        store::node::find_school(&tx, school_id).await?.ok_or_else(|| not_found("school", school_id))?;
    permit.reach(&convert::school_path(&school.path), "school", school_id)?;
    let now = catalog.clock.now();
    let policy = school.ruled_by.current(&catalog.packs.packs()).map_err(|cause| error::silent(&cause))?;
    let flagged_words = course::submit(&policy, Origin::School, &command.content)?;
    let course = Course {
        id: random::id(now),
        path: school.path,
        origin: Origin::School,
        content: command.content,
        flagged_words,
        state: State::Submitted,
    };
    store::course::insert(&tx, std::slice::from_ref(&course), now).await?;
    let answer = CreateCourseResponse { course: Some(convert::course(&course)) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

fn parse(request: &CreateCourseRequest) -> Result<Command, Status> {
    let mut fields = Fields::default();
    let request_id = fields.uuid("request_id", &request.request_id);
    let school_id = fields.id("school_id", &request.school_id);
    let texts = (request.title.as_str(), request.description.as_str(), request.category.as_str());
    let content = fields.content(texts, request.content_kind, false);
    let command = request_id.zip(school_id).zip(content);
    fields.finish(command.map(|((request_id, school_id), content)| Command {
        request_id,
        school_id,
        content,
    }))
}
