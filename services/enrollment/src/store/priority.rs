//! Pupils' places in priority groups. What was said of a family is sealed; every change leaves a row that stays.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{District, Id, Moment, Page, Priority as PriorityKind, Pupil, School};
use uuid::Uuid;

use super::entity::{priority, priority_change};
use super::vault::Vault;
use super::{from_json, pupil, to_json};
use crate::domain::priority::{self as rule, Approved, Group, Origin, Period, Priority, Refusal, State};

const TABLE: &str = "priority";

/// The states that wait for a decision.
const PENDING: [&str; 2] = ["submitted", "appealed"];

/// Finds a priority.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find(
    db: &impl ConnectionTrait,
    vault: &Vault,
    id: Id<PriorityKind>,
) -> Result<Option<Priority>, Error> {
    let row = priority::Entity::find().filter(priority::Column::Id.eq(id.uuid())).one(db).await?;
    row.map(|row| read(row, vault)).transpose()
}

/// Locks a priority. Its pupil is locked before: see the lock order.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn lock(tx: &Tx, vault: &Vault, id: Id<PriorityKind>) -> Result<Option<Priority>, Error> {
    let row =
        priority::Entity::find().filter(priority::Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await?;
    row.map(|row| read(row, vault)).transpose()
}

/// Finds what waits for a decision on a locked pupil's place in a group.
///
/// # Errors
/// When the database refuses.
pub async fn find_pending(
    tx: &Tx,
    district_id: Id<District>,
    pupil_id: Id<Pupil>,
    group_key: &str,
) -> Result<Option<Id<PriorityKind>>, Error> {
    let row = priority::Entity::find()
        .filter(priority::Column::DistrictId.eq(district_id.uuid()))
        .filter(priority::Column::PupilId.eq(pupil_id.uuid()))
        .filter(priority::Column::GroupKey.eq(group_key))
        .filter(priority::Column::State.is_in(PENDING))
        .one(tx)
        .await?;
    Ok(row.map(|row| Id::new(row.id)))
}

/// Lists a pupil's priorities, newest first.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_of_pupil(
    db: &impl ConnectionTrait,
    vault: &Vault,
    district_id: Id<District>,
    pupil_id: Id<Pupil>,
    page: &Page<Uuid>,
) -> Result<Vec<Priority>, Error> {
    let query = priority::Entity::find()
        .filter(priority::Column::DistrictId.eq(district_id.uuid()))
        .filter(priority::Column::PupilId.eq(pupil_id.uuid()));
    list(db, vault, query, page).await
}

/// Lists a school's priorities, newest first; only those that wait for a decision, if so wanted.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_of_school(
    db: &impl ConnectionTrait,
    vault: &Vault,
    district_id: Id<District>,
    school_id: Id<School>,
    pending_only: bool,
    page: &Page<Uuid>,
) -> Result<Vec<Priority>, Error> {
    let mut query = priority::Entity::find()
        .filter(priority::Column::DistrictId.eq(district_id.uuid()))
        .filter(priority::Column::SchoolId.eq(school_id.uuid()));
    if pending_only {
        query = query.filter(priority::Column::State.is_in(PENDING));
    }
    list(db, vault, query, page).await
}

async fn list(
    db: &impl ConnectionTrait,
    vault: &Vault,
    mut query: sea_orm::Select<priority::Entity>,
    page: &Page<Uuid>,
) -> Result<Vec<Priority>, Error> {
    if let Some(after) = page.after {
        query = query.filter(priority::Column::Id.lt(after));
    }
    let rows = query.order_by_desc(priority::Column::Id).limit(page.size).all(db).await?;
    rows.into_iter().map(|row| read(row, vault)).collect()
}

/// Gives the keys of the groups that pupils are in on a day, by pupil; pupils without any are left out. A group holds only at the
/// school that gave it.
///
/// # Errors
/// When the database refuses.
pub async fn groups_on(
    tx: &impl ConnectionTrait,
    pupil_ids: &[Id<Pupil>],
    day: NaiveDate,
) -> Result<HashMap<Id<Pupil>, BTreeSet<String>>, Error> {
    if pupil_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let pupils = pupil::find_all(tx, pupil_ids.iter().copied()).await?;
    let schools: HashMap<_, _> = pupils.iter().map(|pupil| (pupil.id, pupil.school_id)).collect();
    let districts: BTreeSet<_> = pupils.iter().map(|pupil| pupil.district_id.uuid()).collect();
    let rows = priority::Entity::find()
        .filter(priority::Column::DistrictId.is_in(districts))
        .filter(priority::Column::PupilId.is_in(pupil_ids.iter().map(|id| id.uuid())))
        .filter(priority::Column::State.eq("approved"))
        .filter(priority::Column::FirstDay.lte(day))
        .filter(priority::Column::LastDay.gte(day))
        .all(tx)
        .await?;
    let approved: Vec<_> = rows.into_iter().map(approved).collect::<Result<_, _>>()?;
    Ok(rule::groups_on(approved, &schools, day))
}

/// Keeps a new priority, and who made it.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, vault: &Vault, one: &Priority, actor: &str) -> Result<(), Error> {
    let (guardian_id, evidence_ids, ground) = match &one.origin {
        Origin::Claim { guardian_id, evidence_ids } => {
            (Some(guardian_id.uuid()), evidence_ids.as_slice(), None)
        }
        Origin::School { reason } => {
            (None, [].as_slice(), Some(vault.seal(TABLE, "ground", one.id, reason)?))
        }
    };
    let row = priority::ActiveModel {
        district_id: Set(one.district_id.uuid()),
        id: Set(one.id.uuid()),
        school_id: Set(one.school_id.uuid()),
        pupil_id: Set(one.pupil_id.uuid()),
        path: Set(to_json(&one.path, TABLE, one.id)?),
        group_key: Set(one.group.key.clone()),
        group_name: Set(one.group.name_zh.clone()),
        guardian_id: Set(guardian_id),
        evidence_ids: Set(to_json(&evidence_ids, TABLE, one.id)?),
        ground: Set(ground),
        created_at: Set(one.created_at),
        ..state_columns(vault, one, &one.state, one.created_at)?
    };
    priority::Entity::insert(row).exec_without_returning(tx).await?;
    record(tx, one, &one.state, actor, one.created_at).await
}

/// Keeps the next state of a locked priority, its documents, and who brought it there.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, vault: &Vault, one: &Priority, actor: &str, now: Moment) -> Result<(), Error> {
    let evidence_ids = match &one.origin {
        Origin::Claim { evidence_ids, .. } => evidence_ids.as_slice(),
        Origin::School { .. } => &[],
    };
    let row = priority::ActiveModel {
        district_id: Set(one.district_id.uuid()),
        id: Set(one.id.uuid()),
        evidence_ids: Set(to_json(&evidence_ids, TABLE, one.id)?),
        ..state_columns(vault, one, &one.state, now)?
    };
    priority::Entity::update(row).exec(tx).await?;
    record(tx, one, &one.state, actor, now).await
}

/// Who brought a priority into which state, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn changes(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    id: Id<PriorityKind>,
) -> Result<Vec<(String, String)>, Error> {
    let rows = priority_change::Entity::find()
        .filter(priority_change::Column::DistrictId.eq(district_id.uuid()))
        .filter(priority_change::Column::PriorityId.eq(id.uuid()))
        .order_by_asc(priority_change::Column::Number)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (row.actor, row.state)).collect())
}

async fn record(tx: &Tx, one: &Priority, state: &State, actor: &str, now: Moment) -> Result<(), Error> {
    let before = priority_change::Entity::find()
        .filter(priority_change::Column::DistrictId.eq(one.district_id.uuid()))
        .filter(priority_change::Column::PriorityId.eq(one.id.uuid()))
        .count(tx)
        .await?;
    let row = priority_change::ActiveModel {
        number: Set(i32::try_from(before).unwrap_or(i32::MAX).saturating_add(1)),
        district_id: Set(one.district_id.uuid()),
        id: Set(shared::random::uuid(now)),
        priority_id: Set(one.id.uuid()),
        actor: Set(actor.to_owned()),
        state: Set(state_text(state).to_owned()),
        created_at: Set(now),
    };
    priority_change::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

const fn state_text(state: &State) -> &'static str {
    match state {
        State::Submitted => "submitted",
        State::Approved { .. } => "approved",
        State::Refused(_) => "refused",
        State::Appealed { .. } => "appealed",
        State::RefusedOnAppeal { .. } => "refused_on_appeal",
        State::Ended { .. } => "ended",
    }
}

fn state_columns(
    vault: &Vault,
    one: &Priority,
    state: &State,
    now: Moment,
) -> Result<priority::ActiveModel, Error> {
    let (by, period, reason, appeal) = match state {
        State::Submitted => (None, None, None, None),
        State::Approved { by, period } => (Some(by), Some(period), None, None),
        State::Refused(refusal) => (Some(&refusal.by), None, Some(&refusal.reason), None),
        State::Appealed { refusal, appeal } | State::RefusedOnAppeal { refusal, appeal } => {
            (Some(&refusal.by), None, Some(&refusal.reason), Some(appeal))
        }
        State::Ended { by, period, reason } => (Some(by), Some(period), Some(reason), None),
    };
    let seal = |column: &str, text: Option<&String>| {
        text.map(|text| vault.seal(TABLE, column, one.id, text)).transpose()
    };
    Ok(priority::ActiveModel {
        state: Set(state_text(state).to_owned()),
        decider_id: Set(by.map(|by| by.uuid())),
        first_day: Set(period.map(|period| period.first)),
        last_day: Set(period.map(|period| period.last)),
        reason: Set(seal("reason", reason)?),
        appeal: Set(seal("appeal", appeal)?),
        updated_at: Set(now),
        ..Default::default()
    })
}

fn read(mut row: priority::Model, vault: &Vault) -> Result<Priority, Error> {
    let id = row.id;
    let evidence_ids = std::mem::take(&mut row.evidence_ids);
    let broken = |why: &str| Error::inconsistent(TABLE, id, why);
    let open = |column: &str, sealed: Option<&Vec<u8>>| {
        let sealed = sealed.ok_or_else(|| broken("something was not said"))?;
        vault.open(TABLE, column, id, sealed)
    };
    let by = || row.decider_id.map(Id::new).ok_or_else(|| broken("nobody decided"));
    let period = || period_of(&row);
    let refusal = || Ok::<_, Error>(Refusal { by: by()?, reason: open("reason", row.reason.as_ref())? });
    let appeal = || open("appeal", row.appeal.as_ref());
    let state = match row.state.as_str() {
        "submitted" => State::Submitted,
        "approved" => State::Approved { by: by()?, period: period()? },
        "refused" => State::Refused(refusal()?),
        "appealed" => State::Appealed { refusal: refusal()?, appeal: appeal()? },
        "refused_on_appeal" => State::RefusedOnAppeal { refusal: refusal()?, appeal: appeal()? },
        "ended" => {
            State::Ended { by: by()?, period: period()?, reason: open("reason", row.reason.as_ref())? }
        }
        _ => return Err(broken("its state is unknown")),
    };
    let origin = match row.guardian_id {
        Some(guardian_id) => Origin::Claim {
            guardian_id: Id::new(guardian_id),
            evidence_ids: from_json(evidence_ids, TABLE, id)?,
        },
        None => Origin::School { reason: open("ground", row.ground.as_ref())? },
    };
    Ok(Priority {
        id: Id::new(id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        pupil_id: Id::new(row.pupil_id),
        path: from_json(row.path, TABLE, id)?,
        group: Group { key: row.group_key, name_zh: row.group_name },
        origin,
        state,
        created_at: row.created_at,
    })
}

/// An approved row, as far as its group and its period go: nothing is opened.
fn approved(row: priority::Model) -> Result<Approved, Error> {
    Ok(Approved {
        period: period_of(&row)?,
        pupil_id: Id::new(row.pupil_id),
        school_id: Id::new(row.school_id),
        group_key: row.group_key,
    })
}

fn period_of(row: &priority::Model) -> Result<Period, Error> {
    let period = row.first_day.zip(row.last_day).map(|(first, last)| Period { first, last });
    period.ok_or_else(|| Error::inconsistent(TABLE, row.id, "it has no period"))
}
