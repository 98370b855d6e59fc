//! Whoever may take pupils home. Names, numbers and codes are sealed.

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{Collector as CollectorKind, District, Id, Moment, Pupil};

use crate::domain::day::collector::{Collector, Kind, Person, Phone, Relation, State};
use crate::store::entity::{collector, day_audit};
use crate::store::vault::Vault;

const TABLE: &str = "collector";

/// Finds a collector.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find(
    db: &impl ConnectionTrait,
    vault: &Vault,
    id: Id<CollectorKind>,
) -> Result<Option<Collector>, Error> {
    let row = collector::Entity::find().filter(collector::Column::Id.eq(id.uuid())).one(db).await?;
    row.map(|row| read(row, vault)).transpose()
}

/// Locks a collector. Its pupil is locked before: see the lock order.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn lock(tx: &Tx, vault: &Vault, id: Id<CollectorKind>) -> Result<Option<Collector>, Error> {
    let row = collector::Entity::find()
        .filter(collector::Column::Id.eq(id.uuid()))
        .lock_exclusive()
        .one(tx)
        .await?;
    row.map(|row| read(row, vault)).transpose()
}

/// Lists a pupil's collectors, oldest first.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list(
    db: &impl ConnectionTrait,
    vault: &Vault,
    district_id: Id<District>,
    pupil_id: Id<Pupil>,
) -> Result<Vec<Collector>, Error> {
    let rows = collector::Entity::find()
        .filter(collector::Column::DistrictId.eq(district_id.uuid()))
        .filter(collector::Column::PupilId.eq(pupil_id.uuid()))
        .order_by_asc(collector::Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(|row| read(row, vault)).collect()
}

/// Keeps a new collector.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, vault: &Vault, collector: &Collector) -> Result<(), Error> {
    let seal = |column: &str, text: &str| vault.seal(TABLE, column, collector.id, text);
    let person = collector.person();
    let (kind, day, code) = match &collector.kind {
        Kind::Standing(_) => ("standing", None, None),
        Kind::OneTime { day, code, .. } => ("one_time", Some(*day), Some(seal("code", code)?)),
        Kind::Alone => ("alone", None, None),
    };
    let (state, forbidden_by) = state_text(collector.state);
    let row = collector::ActiveModel {
        district_id: Set(collector.district_id.uuid()),
        id: Set(collector.id.uuid()),
        pupil_id: Set(collector.pupil_id.uuid()),
        guardian_id: Set(collector.guardian_id.uuid()),
        kind: Set(kind.to_owned()),
        name: Set(person.map(|person| seal("name", &person.name)).transpose()?),
        phone: Set(person.map(|person| seal("phone", person.phone.as_str())).transpose()?),
        code: Set(code),
        relation: Set(person.map(|person| relation_text(person.relation).to_owned())),
        day: Set(day),
        wrong_code_count: Set(0),
        state: Set(state.to_owned()),
        forbidden_by: Set(forbidden_by),
        created_at: Set(collector.created_at),
        updated_at: Set(collector.created_at),
    };
    collector::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Keeps what was decided on a locked collector.
///
/// # Errors
/// When the database refuses.
pub async fn save_state(tx: &Tx, collector: &Collector, state: State, now: Moment) -> Result<(), Error> {
    let (text, forbidden_by) = state_text(state);
    let row = collector::ActiveModel {
        district_id: Set(collector.district_id.uuid()),
        id: Set(collector.id.uuid()),
        state: Set(text.to_owned()),
        forbidden_by: Set(forbidden_by),
        updated_at: Set(now),
        ..Default::default()
    };
    collector::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// Counts one more wrong code of a locked collector.
///
/// # Errors
/// When the database refuses.
pub async fn save_wrong_code(tx: &Tx, collector: &Collector) -> Result<(), Error> {
    let Kind::OneTime { wrong_code_count, .. } = &collector.kind else {
        return Ok(());
    };
    let row = collector::ActiveModel {
        district_id: Set(collector.district_id.uuid()),
        id: Set(collector.id.uuid()),
        wrong_code_count: Set(wrong_code_count.saturating_add(1)),
        ..Default::default()
    };
    collector::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// Notes that `actor` was shown the numbers of a pupil's collectors in full.
///
/// # Errors
/// When the database refuses: what is not noted is not shown.
pub async fn note_shown(
    tx: &Tx,
    actor: &str,
    district_id: Id<District>,
    pupil_id: Id<Pupil>,
    count: usize,
    now: Moment,
) -> Result<(), Error> {
    let row = day_audit::ActiveModel {
        district_id: Set(district_id.uuid()),
        id: Set(shared::random::uuid(now)),
        actor: Set(actor.to_owned()),
        action: Set("show_phones".to_owned()),
        pupil_id: Set(pupil_id.uuid()),
        subject_count: Set(i32::try_from(count).unwrap_or(i32::MAX)),
        happened_at: Set(now),
    };
    day_audit::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

const fn state_text(state: State) -> (&'static str, Option<uuid::Uuid>) {
    match state {
        State::Allowed => ("allowed", None),
        State::Forbidden { by } => ("forbidden", Some(by.uuid())),
        State::Removed => ("removed", None),
        State::Used => ("used", None),
    }
}

const fn relation_text(relation: Relation) -> &'static str {
    match relation {
        Relation::Parent => "parent",
        Relation::Grandparent => "grandparent",
        Relation::Relative => "relative",
        Relation::Carer => "carer",
        Relation::Other => "other",
    }
}

fn relation_of(text: &str) -> Option<Relation> {
    Some(match text {
        "parent" => Relation::Parent,
        "grandparent" => Relation::Grandparent,
        "relative" => Relation::Relative,
        "carer" => Relation::Carer,
        "other" => Relation::Other,
        _ => return None,
    })
}

fn read(row: collector::Model, vault: &Vault) -> Result<Collector, Error> {
    let id = row.id;
    let broken = |why: &str| Error::inconsistent(TABLE, id, why);
    let open = |column: &str, sealed: &Option<Vec<u8>>| {
        let sealed = sealed.as_deref().ok_or_else(|| broken("a person is not whole"))?;
        vault.open(TABLE, column, id, sealed)
    };
    let person = || {
        let phone =
            Phone::parse(&open("phone", &row.phone)?).ok_or_else(|| broken("its phone is no number"))?;
        let relation = row.relation.as_deref().and_then(relation_of);
        Ok::<_, Error>(Person {
            name: open("name", &row.name)?,
            phone,
            relation: relation.ok_or_else(|| broken("its relation is unknown"))?,
        })
    };
    let kind = match row.kind.as_str() {
        "standing" => Kind::Standing(person()?),
        "one_time" => Kind::OneTime {
            person: person()?,
            day: row.day.ok_or_else(|| broken("once, and on no day"))?,
            code: open("code", &row.code)?,
            wrong_code_count: row.wrong_code_count,
        },
        "alone" => Kind::Alone,
        _ => return Err(broken("its kind is unknown")),
    };
    let state = match (row.state.as_str(), row.forbidden_by) {
        ("allowed", None) => State::Allowed,
        ("forbidden", Some(by)) => State::Forbidden { by: Id::new(by) },
        ("removed", None) => State::Removed,
        ("used", None) => State::Used,
        _ => return Err(broken("its state is unknown")),
    };
    Ok(Collector {
        id: Id::new(id),
        district_id: Id::new(row.district_id),
        pupil_id: Id::new(row.pupil_id),
        guardian_id: Id::new(row.guardian_id),
        kind,
        state,
        created_at: row.created_at,
    })
}
