//! `ListProviders`.

use proto::catalog::v1::{ListProvidersRequest, ListProvidersResponse};
use shared::caller::{Caller, Role, StaffPermit};
use shared::value::{Id, Page, PageToken, Provider};
use tonic::Status;

use super::Catalog;
use super::convert::{self, Fields};
use crate::domain::provider::Listing;
use crate::store;
use crate::store::provider::Key;

/// Lists providers, by name. Who acts for providers only sees those, with all their listings.
pub async fn list_providers(
    catalog: &Catalog,
    caller: &Caller,
    request: ListProvidersRequest,
) -> Result<ListProvidersResponse, Status> {
    let permit = caller.staff(Role::ALL)?;
    let mut fields = Fields::default();
    let page = fields.rule("page_token", Page::<Key>::parse(request.page_size, &request.page_token));
    let page = fields.finish(page)?;

    let own: Vec<Id<Provider>> = permit.providers().collect();
    let only_own = own.len() == permit.grants().len();
    let db = catalog.db.read();
    let mut providers = store::provider::list(db, only_own.then_some(own.as_slice()), &page).await?;
    let next_page_token = next_token(&mut providers, page.size, |last| (last.name.clone(), last.id.uuid()));
    let listings =
        store::provider::listings(db, &providers.iter().map(|provider| provider.id).collect()).await?;
    let rendered = providers.iter().map(|provider| {
        let listings = listings.get(&provider.id).map(Vec::as_slice).unwrap_or_default();
        let is_own = own.contains(&provider.id);
        convert::provider(provider, listings.iter().filter(|listing| is_own || is_visible(&permit, listing)))
    });
    Ok(ListProvidersResponse { providers: rendered.collect(), next_page_token })
}

/// A list is seen by those it lies within reach of, and by those whom it serves.
pub fn is_visible(permit: &StaffPermit, listing: &Listing) -> bool {
    let list = convert::list_path(listing.place);
    permit.reaches(&list) || permit.paths().into_iter().any(|path| list.reaches(path))
}

/// Cuts the one row too many, which says that there is a next page, and gives the key of the last row kept; empty on the last page.
pub fn next_token<T, K: serde::Serialize>(rows: &mut Vec<T>, size: u64, key: impl Fn(&T) -> K) -> String {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if rows.len() <= size {
        return String::new();
    }
    rows.truncate(size);
    rows.last().map(|last| PageToken::of(&key(last)).into_text()).unwrap_or_default()
}
