//! `SubmitCourse`.

use std::collections::BTreeSet;

use proto::catalog::v1::{SubmitCourseRequest, SubmitCourseResponse};
use shared::caller::{Caller, Role};
use shared::random;
use shared::request::{self, Claimed, RequestKey};
use shared::status::not_found;
use shared::value::{Id, Provider, School};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::{Catalog, error};
use crate::domain::course::{self, Content, Course, Origin, State};
use crate::domain::provider::eligible;
use crate::store;

struct Command {
    request_id: Uuid,
    provider_id: Id<Provider>,
    school_id: Id<School>,
    content: Content,
}

/// Submits a provider's course to one school.
pub async fn submit_course(
    catalog: &Catalog,
    caller: &Caller,
    request: SubmitCourseRequest,
) -> Result<SubmitCourseResponse, Status> {
    let permit = caller.staff(&[Role::Provider])?;
    let command = parse(&request)?;
    let content = SubmitCourseRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "SubmitCourse", command.request_id, &content);
    let (provider_id, school_id) = (command.provider_id, command.school_id);
    if !permit.providers().any(|own| own == provider_id) {
        return Err(not_found("provider", provider_id));
    }

    let tx = catalog.db.begin().await?;
    let claim = match request::claim(&tx, &key, catalog.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    // Locked, so that a suspension comes before or after this submission as a whole.
    store::provider::lock(&tx, provider_id).await?.ok_or_else(|| not_found("provider", provider_id))?;
    let school =
        store::node::find_school(&tx, school_id).await?.ok_or_else(|| not_found("school", school_id))?;
    let listings = store::provider::listings(&tx, &BTreeSet::from([provider_id])).await?;
    let listings = listings.get(&provider_id).map(Vec::as_slice).unwrap_or_default();
    let now = catalog.clock.now();
    let policy = school.ruled_by.current(&catalog.packs.packs()).map_err(|cause| error::silent(&cause))?;
    eligible(&policy, &school.path, listings, convert::local_day(now))
        .map_err(|cause| error::provider_denied(&cause))?;
    let origin = Origin::Provider(provider_id);
    let flagged_words = course::submit(&policy, origin, &command.content)?;
    let course = Course {
        id: random::id(now),
        path: school.path,
        origin,
        content: command.content,
        flagged_words,
        state: State::Submitted,
    };
    store::course::insert(&tx, std::slice::from_ref(&course), now).await?;
    let answer = SubmitCourseResponse { course: Some(convert::course(&course)) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

fn parse(request: &SubmitCourseRequest) -> Result<Command, Status> {
    let mut fields = Fields::default();
    let request_id = fields.uuid("request_id", &request.request_id);
    let provider_id = fields.id("provider_id", &request.provider_id);
    let school_id = fields.id("school_id", &request.school_id);
    let texts = (request.title.as_str(), request.description.as_str(), request.category.as_str());
    let content = fields.content(texts, request.content_kind, true);
    let command = request_id.zip(provider_id).zip(school_id.zip(content));
    fields.finish(command.map(|((request_id, provider_id), (school_id, content))| Command {
        request_id,
        provider_id,
        school_id,
        content,
    }))
}
