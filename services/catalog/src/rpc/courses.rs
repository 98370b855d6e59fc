//! `ListCourses`, `GetSection`: for staff, and services.

use proto::catalog::v1::{
    GetSectionRequest, GetSectionResponse, ListCoursesRequest, ListCoursesResponse, course as message,
};
use shared::caller::{Caller, Role};
use shared::status::not_found;
use shared::value::{self, Id, Page, School, Violations};
use tonic::Status;
use uuid::Uuid;

use super::Catalog;
use super::convert::{self, Fields};
use super::providers::next_token;
use crate::store;
use crate::store::course::Filter;

/// The services that ask for sections.
const SERVICES: &[&str] = &["enrollment", "billing", "supervision", "identity", "gateway"];

/// Lists the courses of a school, newest first. Who acts for a provider, and does not reach the school, sees the provider's own.
pub async fn list_courses(
    catalog: &Catalog,
    caller: &Caller,
    request: ListCoursesRequest,
) -> Result<ListCoursesResponse, Status> {
    let permit = caller.staff(Role::ALL)?;
    let mut fields = Fields::default();
    let state = fields.rule("state", state(request.state));
    let page = fields.rule("page_token", Page::<Uuid>::parse(request.page_size, &request.page_token));
    let school_id: Option<Option<Id<School>>> = match request.school_id.as_str() {
        "" => Some(None),
        id => fields.id("school_id", id).map(Some),
    };
    let ((state, page), school_id) = fields.finish(state.zip(page).zip(school_id))?;

    let db = catalog.db.read();
    let own: Vec<_> = permit.providers().collect();
    let filter = match school_id {
        None if own.is_empty() => {
            let mut violations = Violations::default();
            violations.note("school_id", "must be a school, unless the caller acts for a provider");
            return Err(shared::status::invalid(&violations));
        }
        None => Filter { school: None, providers: Some(own), state },
        Some(school_id) => {
            let missing = || not_found("school", school_id);
            let path = store::node::find_school(db, school_id).await?.ok_or_else(missing)?.path;
            let reaches = permit.reaches(&convert::school_path(&path));
            if !reaches && own.is_empty() {
                return Err(missing());
            }
            Filter { school: Some(path), providers: (!reaches).then_some(own), state }
        }
    };
    let mut courses = store::course::list(db, &filter, &page).await?;
    let next_page_token = next_token(&mut courses, page.size, |last| last.id.uuid());
    Ok(ListCoursesResponse { courses: courses.iter().map(convert::course).collect(), next_page_token })
}

/// The word of a state in rows; none for all states.
fn state(state: i32) -> Result<Option<&'static str>, &'static str> {
    match message::State::try_from(state) {
        Ok(message::State::Unspecified) => Ok(None),
        Ok(message::State::Submitted) => Ok(Some("submitted")),
        Ok(message::State::Reviewed) => Ok(Some("reviewed")),
        Ok(message::State::Approved) => Ok(Some("approved")),
        Ok(message::State::Rejected) => Ok(Some("rejected")),
        Err(_) => Err("must be one of the states"),
    }
}

/// Gives one section, published or not.
pub async fn get_section(
    catalog: &Catalog,
    caller: &Caller,
    request: GetSectionRequest,
) -> Result<GetSectionResponse, Status> {
    let permit = match caller {
        Caller::Service(_) => {
            caller.service(SERVICES)?;
            None
        }
        Caller::Anonymous | Caller::Guardian(_) | Caller::Staff(_) => Some(caller.staff(Role::ALL)?),
    };
    let mut fields = Fields::default();
    let id: Option<Id<value::Section>> = fields.id("id", &request.id);
    let id = fields.finish(id)?;

    let db = catalog.db.read();
    let missing = || not_found("section", id);
    let term_id = store::section::term_of(db, id).await?.ok_or_else(missing)?;
    let term = store::term::find(db, term_id).await?.ok_or_else(missing)?;
    if let Some(permit) = permit {
        permit.reach(&convert::school_path(&term.path), "section", id)?;
    }
    let slots = store::slot::of_term(db, &term).await?;
    let section = store::section::find(db, &term, &slots, id).await?.ok_or_else(missing)?;
    Ok(GetSectionResponse { section: Some(convert::section(&section)) })
}
