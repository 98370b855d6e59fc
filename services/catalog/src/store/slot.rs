//! Slots of a term.

use chrono::Weekday;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _};
use shared::db::{Error, Tx};
use shared::value::{Id, Moment};

use super::entity::slot::{ActiveModel, Column, Entity, Model};
use super::{to_i32, to_json, to_u32};
use crate::domain::slot::{Kind, Period, Slot};
use crate::domain::term::Term;

/// Writes new slots, each with the names of the departures accepted for it, and the reason given for all of them.
///
/// # Errors
/// When the database refuses.
pub async fn insert(
    tx: &Tx,
    term: &Term,
    slots: &[(Slot, Vec<&'static str>)],
    justification: Option<&str>,
    now: Moment,
) -> Result<(), Error> {
    let mut rows = Vec::with_capacity(slots.len());
    for (slot, flags) in slots {
        let period = &slot.period;
        rows.push(ActiveModel {
            district_id: Set(term.path.district_id.uuid()),
            id: Set(slot.id.uuid()),
            term_id: Set(slot.term_id.uuid()),
            weekday: Set(to_i32("slot", slot.id, period.weekday.number_from_monday())?),
            kind: Set(word(period.kind).to_owned()),
            starts_at: Set(period.starts_at),
            ends_at: Set(period.ends_at),
            class_hour_count: Set(to_i32("slot", slot.id, period.class_hour_count)?),
            flags: Set(to_json("slot", slot.id, flags)?),
            justification: Set(justification.filter(|_| !flags.is_empty()).map(str::to_owned)),
            created_at: Set(now),
        });
    }
    Entity::insert_many(rows).exec_without_returning(tx).await?;
    Ok(())
}

/// All slots of a term, by weekday and start.
///
/// # Errors
/// When the database refuses or a row is broken.
pub async fn of_term(db: &impl ConnectionTrait, term: &Term) -> Result<Vec<Slot>, Error> {
    let rows = Entity::find()
        .filter(Column::DistrictId.eq(term.path.district_id.uuid()))
        .filter(Column::TermId.eq(term.id.uuid()))
        .all(db)
        .await?;
    let mut slots = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    slots.sort_by_key(|slot| slot.period.order());
    Ok(slots)
}

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::EarlyArrival => "early_arrival",
        Kind::Noon => "noon",
        Kind::Afternoon => "afternoon",
        Kind::Extended => "extended",
        Kind::EveningStudy => "evening_study",
    }
}

/// Reads a row.
///
/// # Errors
/// When it is broken.
pub(super) fn read(row: Model) -> Result<Slot, Error> {
    let broken = |why| Error::inconsistent("slot", row.id, why);
    let weekday = u8::try_from(row.weekday - 1).ok().and_then(|day| Weekday::try_from(day).ok());
    Ok(Slot {
        id: Id::new(row.id),
        term_id: Id::new(row.term_id),
        period: Period {
            weekday: weekday.ok_or_else(|| broken("no such weekday"))?,
            kind: Kind::ALL
                .into_iter()
                .find(|kind| word(*kind) == row.kind)
                .ok_or_else(|| broken("no such kind"))?,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            class_hour_count: to_u32("slot", row.id, row.class_hour_count)?,
        },
    })
}
