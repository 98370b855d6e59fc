//! Prices of sections that have one of their own, as billing told of them.

use std::collections::BTreeSet;

use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, EntityTrait as _, QueryFilter as _};
use shared::db::{Error, Tx};
use shared::value::{Fen, Id, Section};

use super::entity::own_price::{ActiveModel, Column, Entity, Model};
use super::many::among;
use crate::domain::term_ceiling::{Ceiling, OwnPrice, OwnPrices};

/// Keeps a price; one told again stays as it is.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, section_id: Id<Section>, price: &OwnPrice) -> Result<(), Error> {
    let ceiling = price.ceiling.as_ref();
    let text = |of: fn(&Ceiling) -> &String| ceiling.map(of).cloned().unwrap_or_default();
    let row = ActiveModel {
        section_id: Set(section_id.uuid()),
        price_fen: Set(price.price.get()),
        ceiling_fen: Set(ceiling.map(|ceiling| ceiling.limit.get())),
        clause_key: Set(text(|ceiling| &ceiling.key)),
        clause_zh: Set(text(|ceiling| &ceiling.clause_zh)),
        clause_en: Set(text(|ceiling| &ceiling.clause_en)),
        clause_source: Set(text(|ceiling| &ceiling.source)),
    };
    Entity::insert(row).on_conflict_do_nothing_on([Column::SectionId]).exec_without_returning(tx).await?;
    Ok(())
}

/// Finds the prices that matter when sections are wanted by pupils who have seats in others: none at all when no wanted section has one,
/// as nearly always.
///
/// # Errors
/// When the database refuses.
pub async fn find_for(
    db: &impl ConnectionTrait,
    wanted: impl IntoIterator<Item = Id<Section>>,
    seated: impl IntoIterator<Item = Id<Section>>,
) -> Result<OwnPrices, Error> {
    let mut prices = find_all(db, wanted.into_iter().collect()).await?;
    if !prices.is_empty() {
        let others = seated.into_iter().filter(|id| !prices.contains_key(id)).collect();
        prices.extend(find_all(db, others).await?);
    }
    Ok(prices)
}

async fn find_all(db: &impl ConnectionTrait, ids: BTreeSet<Id<Section>>) -> Result<OwnPrices, Error> {
    if ids.is_empty() {
        return Ok(OwnPrices::new());
    }
    let among = among(db, Entity, Column::SectionId, ids.into_iter().map(Id::uuid));
    Ok(Entity::find().filter(among).all(db).await?.into_iter().map(read).collect())
}

fn read(row: Model) -> (Id<Section>, OwnPrice) {
    let ceiling = row.ceiling_fen.map(|limit| Ceiling {
        limit: Fen::new(limit),
        key: row.clause_key,
        clause_zh: row.clause_zh,
        clause_en: row.clause_en,
        source: row.clause_source,
    });
    (Id::new(row.section_id), OwnPrice { price: Fen::new(row.price_fen), ceiling })
}
