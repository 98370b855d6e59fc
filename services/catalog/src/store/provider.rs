//! Providers and their listings.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{self, Id, Moment, Page};
use uuid::Uuid;

use super::entity::{listing, provider};
use super::node::place;
use crate::domain::provider::{CreditCode, Days, Listing, Provider, State};

/// The place of a provider in the list by name: its name, then its id.
pub type Key = (String, Uuid);

/// Most keys in one `in (…)`, far below both databases' limits on bound values.
const KEYS: usize = 500;

/// Writes a new provider; gives the one that already has its credit code, if there is one.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, provider: &Provider, now: Moment) -> Result<Option<Provider>, Error> {
    let row = provider::ActiveModel {
        id: Set(provider.id.uuid()),
        name: Set(provider.name.clone()),
        credit_code: Set(provider.credit_code.as_str().to_owned()),
        created_at: Set(now),
    };
    // Waits for another transaction that is writing the same code; then a new statement sees what it has written.
    let skip = OnConflict::column(provider::Column::CreditCode).do_nothing().to_owned();
    provider::Entity::insert(row).on_conflict(skip).try_insert().exec_without_returning(tx).await?;
    let kept = provider::Entity::find()
        .filter(provider::Column::CreditCode.eq(provider.credit_code.as_str()))
        .one(tx)
        .await?
        .ok_or_else(|| Error::inconsistent("provider", provider.id, "neither written nor there"))?;
    if kept.id == provider.id.uuid() { Ok(None) } else { read(kept).map(Some) }
}

/// Finds a provider.
///
/// # Errors
/// When the database refuses or the row is broken.
pub async fn find(db: &impl ConnectionTrait, id: Id<value::Provider>) -> Result<Option<Provider>, Error> {
    provider::Entity::find_by_id(id.uuid()).one(db).await?.map(read).transpose()
}

/// Finds a provider and locks it: whatever changes its listings waits.
///
/// # Errors
/// When the database refuses or the row is broken.
pub async fn lock(tx: &Tx, id: Id<value::Provider>) -> Result<Option<Provider>, Error> {
    provider::Entity::find_by_id(id.uuid()).lock_exclusive().one(tx).await?.map(read).transpose()
}

/// A page of providers by name; at most one more than the page's size, which says that there is a next one. `ids` limits it to
/// these providers.
///
/// # Errors
/// When the database refuses or a row is broken.
pub async fn list(
    db: &impl ConnectionTrait,
    ids: Option<&[Id<value::Provider>]>,
    page: &Page<Key>,
) -> Result<Vec<Provider>, Error> {
    let mut select = provider::Entity::find();
    if let Some(ids) = ids {
        select = select.filter(provider::Column::Id.is_in(ids.iter().map(|id| id.uuid())));
    }
    if let Some((name, id)) = &page.after {
        let same_name =
            Condition::all().add(provider::Column::Name.eq(name)).add(provider::Column::Id.gt(*id));
        select = select.filter(Condition::any().add(provider::Column::Name.gt(name)).add(same_name));
    }
    let rows = select
        .order_by_asc(provider::Column::Name)
        .order_by_asc(provider::Column::Id)
        .limit(page.size + 1)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// The listings of providers, by provider, each by its place. A provider without any is left out.
///
/// # Errors
/// When the database refuses or a row is broken.
pub async fn listings(
    db: &impl ConnectionTrait,
    ids: &BTreeSet<Id<value::Provider>>,
) -> Result<BTreeMap<Id<value::Provider>, Vec<Listing>>, Error> {
    let mut listings: BTreeMap<_, Vec<Listing>> = BTreeMap::new();
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    for ids in ids.chunks(KEYS) {
        let rows = listing::Entity::find()
            .filter(listing::Column::ProviderId.is_in(ids.iter().copied()))
            .all(db)
            .await?;
        for row in rows {
            listings.entry(Id::new(row.provider_id)).or_default().push(read_listing(row)?);
        }
    }
    for of_one in listings.values_mut() {
        of_one.sort_by_key(|listing| listing.place);
    }
    Ok(listings)
}

/// The providers with these credit codes, each with its listings. A code nobody has is left out.
///
/// # Errors
/// When the database refuses or a row is broken.
pub async fn by_code(
    db: &impl ConnectionTrait,
    codes: &BTreeSet<CreditCode>,
) -> Result<HashMap<CreditCode, (Id<value::Provider>, Vec<Listing>)>, Error> {
    let mut found = Vec::new();
    let codes: Vec<&str> = codes.iter().map(CreditCode::as_str).collect();
    for codes in codes.chunks(KEYS) {
        let select =
            provider::Entity::find().filter(provider::Column::CreditCode.is_in(codes.iter().copied()));
        for row in select.all(db).await? {
            found.push(read(row)?);
        }
    }
    let mut listings = listings(db, &found.iter().map(|provider| provider.id).collect()).await?;
    Ok(found
        .into_iter()
        .map(|provider| {
            (provider.credit_code, (provider.id, listings.remove(&provider.id).unwrap_or_default()))
        })
        .collect())
}

/// Writes a listing of a locked provider, in place of the one it has there.
///
/// # Errors
/// When the database refuses.
pub async fn save_listing(
    tx: &Tx,
    provider_id: Id<value::Provider>,
    listing: &Listing,
    now: Moment,
) -> Result<(), Error> {
    let (state, reason, on) = match &listing.state {
        State::Listed => ("listed", None, None),
        State::Suspended { reason, on } => ("suspended", Some(reason.clone()), Some(*on)),
    };
    let row = listing::ActiveModel {
        district_id: Set(listing.place.district_id().uuid()),
        node_id: Set(listing.place.node_id().uuid()),
        provider_id: Set(provider_id.uuid()),
        first_day: Set(listing.days.first),
        last_day: Set(listing.days.last),
        state: Set(state.to_owned()),
        suspension_reason: Set(reason),
        suspended_on: Set(on),
        updated_at: Set(now),
    };
    let key = [listing::Column::DistrictId, listing::Column::NodeId, listing::Column::ProviderId];
    let mut replace = OnConflict::columns(key);
    replace.update_columns([
        listing::Column::FirstDay,
        listing::Column::LastDay,
        listing::Column::State,
        listing::Column::SuspensionReason,
        listing::Column::SuspendedOn,
        listing::Column::UpdatedAt,
    ]);
    listing::Entity::insert(row).on_conflict(replace).exec_without_returning(tx).await?;
    Ok(())
}

fn read(row: provider::Model) -> Result<Provider, Error> {
    let credit_code = CreditCode::parse(&row.credit_code)
        .map_err(|error| Error::inconsistent("provider", row.id, error))?;
    Ok(Provider { id: Id::new(row.id), name: row.name, credit_code })
}

fn read_listing(row: listing::Model) -> Result<Listing, Error> {
    let id = || format!("{} {}", row.node_id, row.provider_id);
    let state = match (row.state.as_str(), row.suspension_reason, row.suspended_on) {
        ("listed", None, None) => State::Listed,
        ("suspended", Some(reason), Some(on)) => State::Suspended { reason, on },
        _ => return Err(Error::inconsistent("listing", id(), "state and reason do not go together")),
    };
    let days = Days { first: row.first_day, last: row.last_day };
    Ok(Listing { place: place(row.district_id, row.node_id), days, state })
}
