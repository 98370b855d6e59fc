//! `ListTerms`, `ListSlots`, `GetMenu`: for anyone, they hold no personal data.

use proto::catalog::v1::{
    GetMenuRequest, GetMenuResponse, ListSlotsRequest, ListSlotsResponse, ListTermsRequest, ListTermsResponse,
};
use shared::caller::Caller;
use shared::status::not_found;
use shared::value::{self, Id, Page, School};
use tonic::Status;

use super::Catalog;
use super::convert::{self, Fields};
use super::providers::next_token;
use crate::domain::section::Section;
use crate::domain::term::Term;
use crate::store;
use crate::store::section::Which;
use crate::store::term::Key;

/// Lists a school's terms, latest first.
pub async fn list_terms(
    catalog: &Catalog,
    _anyone: &Caller,
    request: ListTermsRequest,
) -> Result<ListTermsResponse, Status> {
    let mut fields = Fields::default();
    let school_id: Option<Id<School>> = fields.id("school_id", &request.school_id);
    let page = fields.rule("page_token", Page::<Key>::parse(request.page_size, &request.page_token));
    let (school_id, page) = fields.finish(school_id.zip(page))?;

    let db = catalog.db.read();
    let school =
        store::node::find_school(db, school_id).await?.ok_or_else(|| not_found("school", school_id))?;
    let mut terms = store::term::list(db, school_id, &school.path, &page).await?;
    let key = |last: &Term| (last.calendar.first_day(), last.id.uuid());
    let next_page_token = next_token(&mut terms, page.size, key);
    Ok(ListTermsResponse { terms: terms.iter().map(convert::term).collect(), next_page_token })
}

/// Lists a term's slots, by weekday and start.
pub async fn list_slots(
    catalog: &Catalog,
    _anyone: &Caller,
    request: ListSlotsRequest,
) -> Result<ListSlotsResponse, Status> {
    let term = find_term(catalog, &request.term_id).await?;
    let slots = store::slot::of_term(catalog.db.read(), &term).await?;
    Ok(ListSlotsResponse { slots: slots.iter().map(convert::slot).collect() })
}

/// Gives a school's published menu of a term, by weekday, start and title.
pub async fn get_menu(
    catalog: &Catalog,
    _anyone: &Caller,
    request: GetMenuRequest,
) -> Result<GetMenuResponse, Status> {
    let term = find_term(catalog, &request.term_id).await?;
    let db = catalog.db.read();
    let slots = store::slot::of_term(db, &term).await?;
    let mut sections = store::section::of_term(db, &term, &slots, Which::Published).await?;
    sections.sort_by(|one, other| order(one).cmp(&order(other)));
    Ok(GetMenuResponse {
        term: Some(convert::term(&term)),
        sections: sections.iter().map(convert::section).collect(),
        version: term.menu_version,
    })
}

/// The order of a menu: the first slot's weekday and start, then the title, then the id.
fn order(section: &Section) -> (impl Ord + use<>, &str, Id<value::Section>) {
    let first = section.arrangement.slots.first().map(|slot| slot.period.order());
    (first.map(|(weekday, starts_at, ..)| (weekday, starts_at)), &section.course.content.title, section.id)
}

async fn find_term(catalog: &Catalog, term_id: &str) -> Result<Term, Status> {
    let mut fields = Fields::default();
    let term_id: Option<Id<value::Term>> = fields.id("term_id", term_id);
    let term_id = fields.finish(term_id)?;
    store::term::find(catalog.db.read(), term_id).await?.ok_or_else(|| not_found("term", term_id))
}
