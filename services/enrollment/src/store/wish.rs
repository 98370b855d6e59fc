//! Wishes.

use std::collections::HashSet;

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use serde::{Deserialize, Serialize};
use shared::db::{Error, Tx};
use shared::value::{Guardian, Id, Pupil, Section};
use uuid::Uuid;

use super::entity::{consent, wish};
use super::{from_json, to_json};
use crate::domain::draw::wish::{WishList, Wishes};
use crate::domain::round::Round;

const TABLE: &str = "wish";

/// How many ids one statement names at most: far below what both databases bind.
const IDS: usize = 4_000;

/// A list as its JSON column keeps it.
#[derive(Serialize, Deserialize)]
struct ListJson {
    ranked: Vec<Id<Section>>,
    any_of: Vec<Id<Section>>,
    stand_in_line: bool,
}

/// Keeps wishes in place of those the pupil had in the round.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, round: &Round, wishes: &Wishes) -> Result<(), Error> {
    let lists: Vec<_> = wishes
        .lists
        .iter()
        .map(|list| ListJson {
            ranked: list.ranked.clone(),
            any_of: list.any_of.clone(),
            stand_in_line: list.stand_in_line,
        })
        .collect();
    let row = wish::ActiveModel {
        district_id: Set(round.district_id.uuid()),
        round_id: Set(round.id.uuid()),
        pupil_id: Set(wishes.pupil_id.uuid()),
        guardian_id: Set(wishes.guardian_id.uuid()),
        lists: Set(to_json(&lists, TABLE, wishes.pupil_id)?),
        together: Set(wishes.together),
        updated_at: Set(wishes.updated_at),
    };
    let on_known =
        OnConflict::columns([wish::Column::DistrictId, wish::Column::RoundId, wish::Column::PupilId])
            .update_columns([
                wish::Column::GuardianId,
                wish::Column::Lists,
                wish::Column::Together,
                wish::Column::UpdatedAt,
            ])
            .to_owned();
    wish::Entity::insert(row).on_conflict(on_known).exec_without_returning(tx).await?;
    Ok(())
}

/// Forgets a pupil's wishes; nothing when there are none.
///
/// # Errors
/// When the database refuses.
pub async fn delete(tx: &Tx, round: &Round, pupil_id: Id<Pupil>) -> Result<(), Error> {
    let key = (round.district_id.uuid(), round.id.uuid(), pupil_id.uuid());
    wish::Entity::delete_by_id(key).exec(tx).await?;
    Ok(())
}

/// Finds a pupil's wishes.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find(
    db: &impl ConnectionTrait,
    round: &Round,
    pupil_id: Id<Pupil>,
) -> Result<Option<Wishes>, Error> {
    let key = (round.district_id.uuid(), round.id.uuid(), pupil_id.uuid());
    let row = wish::Entity::find_by_id(key).one(db).await?;
    row.map(read).transpose()
}

/// Lists all wishes of a round, by pupil.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list(db: &impl ConnectionTrait, round: &Round) -> Result<Vec<Wishes>, Error> {
    let rows = wish::Entity::find()
        .filter(wish::Column::DistrictId.eq(round.district_id.uuid()))
        .filter(wish::Column::RoundId.eq(round.id.uuid()))
        .order_by_asc(wish::Column::PupilId)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Lists who consents for which of these pupils, in no order.
///
/// # Errors
/// When the database refuses.
pub async fn guardians_of(
    db: &impl ConnectionTrait,
    round: &Round,
    pupils: &HashSet<Id<Pupil>>,
) -> Result<Vec<(Id<Pupil>, Id<Guardian>)>, Error> {
    let ids: Vec<Uuid> = pupils.iter().map(|id| id.uuid()).collect();
    let mut found = Vec::new();
    for ids in ids.chunks(IDS) {
        let rows = consent::Entity::find()
            .filter(consent::Column::DistrictId.eq(round.district_id.uuid()))
            .filter(consent::Column::PupilId.is_in(ids.iter().copied()))
            .all(db)
            .await?;
        found.extend(rows.into_iter().map(|row| (Id::new(row.pupil_id), Id::new(row.guardian_id))));
    }
    Ok(found)
}

fn read(row: wish::Model) -> Result<Wishes, Error> {
    let lists: Vec<ListJson> = from_json(row.lists, TABLE, row.pupil_id)?;
    let list = |list: ListJson| WishList {
        ranked: list.ranked,
        any_of: list.any_of,
        stand_in_line: list.stand_in_line,
    };
    Ok(Wishes {
        pupil_id: Id::new(row.pupil_id),
        guardian_id: Id::new(row.guardian_id),
        lists: lists.into_iter().map(list).collect(),
        together: row.together,
        updated_at: row.updated_at,
    })
}
