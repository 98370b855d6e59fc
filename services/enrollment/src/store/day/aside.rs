//! Marks that wait for a person.

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use serde::{Deserialize, Serialize};
use shared::db::{Error, Tx};
use shared::value::{AsideMark as AsideMarkKind, District, Id, Mark as MarkKind, Moment, Page, School};
use uuid::Uuid;

use super::mark::{standing_of, standing_text};
use crate::domain::day::aside::{AsideMark, Said, Settlement, State};
use crate::domain::day::lesson::Key;
use crate::domain::day::register::{AsideReason, Source, Stamp};
use crate::store::entity::aside_mark;
use crate::store::{from_json, to_json};

const TABLE: &str = "aside_mark";

/// What was said, as its JSON column keeps it.
#[derive(Serialize, Deserialize)]
struct SaidJson {
    standing: String,
    by_identity_device: bool,
    device_id: Uuid,
    sequence: i64,
    device_at: Moment,
    taken_at: Moment,
    recorder: String,
}

/// Locks a mark.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn lock(tx: &Tx, id: Id<AsideMarkKind>) -> Result<Option<AsideMark>, Error> {
    let row = aside_mark::Entity::find()
        .filter(aside_mark::Column::Id.eq(id.uuid()))
        .lock_exclusive()
        .one(tx)
        .await?;
    row.map(read).transpose()
}

/// Finds a mark.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find(db: &impl ConnectionTrait, id: Id<AsideMarkKind>) -> Result<Option<AsideMark>, Error> {
    let row = aside_mark::Entity::find().filter(aside_mark::Column::Id.eq(id.uuid())).one(db).await?;
    row.map(read).transpose()
}

/// Finds what was set aside of marks by the ids they were given where they were made, in no order.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn find_of_marks(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    marks: impl IntoIterator<Item = Id<MarkKind>>,
) -> Result<Vec<AsideMark>, Error> {
    let rows = aside_mark::Entity::find()
        .filter(aside_mark::Column::DistrictId.eq(district_id.uuid()))
        .filter(aside_mark::Column::MarkId.is_in(marks.into_iter().map(Id::uuid)))
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Lists the marks of a school that wait, oldest first.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_waiting(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    school_id: Id<School>,
    page: &Page<Uuid>,
) -> Result<Vec<AsideMark>, Error> {
    let mut query = aside_mark::Entity::find()
        .filter(aside_mark::Column::DistrictId.eq(district_id.uuid()))
        .filter(aside_mark::Column::SchoolId.eq(school_id.uuid()))
        .filter(aside_mark::Column::State.eq("waiting"));
    if let Some(after) = page.after {
        query = query.filter(aside_mark::Column::Id.gt(after));
    }
    let rows = query.order_by_asc(aside_mark::Column::Id).limit(page.size).all(db).await?;
    rows.into_iter().map(read).collect()
}

/// Sets marks aside.
///
/// # Errors
/// When the database refuses.
pub async fn insert_all(tx: &Tx, marks: &[AsideMark]) -> Result<(), Error> {
    if marks.is_empty() {
        return Ok(());
    }
    let rows = marks.iter().map(write).collect::<Result<Vec<_>, _>>()?;
    aside_mark::Entity::insert_many(rows).exec_without_returning(tx).await?;
    Ok(())
}

/// Keeps how a locked mark was settled.
///
/// # Errors
/// When the database refuses.
pub async fn save_state(tx: &Tx, mark: &AsideMark, state: &State) -> Result<(), Error> {
    let (text, settlement) = state_text(state);
    let row = aside_mark::ActiveModel {
        district_id: Set(mark.district_id.uuid()),
        id: Set(mark.id.uuid()),
        state: Set(text.to_owned()),
        settler: Set(settlement.map(|one| one.settler.clone()).unwrap_or_default()),
        note: Set(settlement.map(|one| one.note.clone()).unwrap_or_default()),
        settled_at: Set(settlement.map(|one| one.settled_at)),
        ..Default::default()
    };
    aside_mark::Entity::update(row).exec(tx).await?;
    Ok(())
}

const fn state_text(state: &State) -> (&'static str, Option<&Settlement>) {
    match state {
        State::Waiting => ("waiting", None),
        State::TakenUp(settlement) => ("taken_up", Some(settlement)),
        State::Dismissed(settlement) => ("dismissed", Some(settlement)),
    }
}

fn write(mark: &AsideMark) -> Result<aside_mark::ActiveModel, Error> {
    let (stamp, by_identity_device) = match &mark.said.source {
        Source::Roll(stamp) => (stamp, false),
        Source::Device(stamp) => (stamp, true),
        Source::Correction { .. } => {
            return Err(Error::inconsistent(TABLE, mark.id, "a correction is never set aside"));
        }
    };
    let said = SaidJson {
        standing: standing_text(mark.said.standing).to_owned(),
        by_identity_device,
        device_id: stamp.device_id.uuid(),
        sequence: stamp.sequence,
        device_at: stamp.device_at,
        taken_at: stamp.taken_at,
        recorder: mark.said.recorder.clone(),
    };
    let (text, settlement) = state_text(&mark.state);
    Ok(aside_mark::ActiveModel {
        district_id: Set(mark.district_id.uuid()),
        id: Set(mark.id.uuid()),
        school_id: Set(mark.school_id.uuid()),
        path: Set(to_json(&mark.path, TABLE, mark.id)?),
        section_id: Set(mark.lesson.map(|lesson| lesson.section_id.uuid())),
        slot_id: Set(mark.lesson.map(|lesson| lesson.slot_id.uuid())),
        day: Set(mark.day),
        pupil_id: Set(mark.pupil_id.map(Id::uuid)),
        reason: Set(reason_text(mark.reason).to_owned()),
        mark_id: Set(mark.said.mark_id.uuid()),
        mark: Set(to_json(&said, TABLE, mark.id)?),
        state: Set(text.to_owned()),
        settler: Set(settlement.map(|one| one.settler.clone()).unwrap_or_default()),
        note: Set(settlement.map(|one| one.note.clone()).unwrap_or_default()),
        settled_at: Set(settlement.map(|one| one.settled_at)),
        created_at: Set(mark.created_at),
    })
}

fn read(row: aside_mark::Model) -> Result<AsideMark, Error> {
    let broken = |why: &str| Error::inconsistent(TABLE, row.id, why);
    let said: SaidJson = from_json(row.mark, TABLE, row.id)?;
    let stamp = Stamp {
        device_id: Id::new(said.device_id),
        sequence: said.sequence,
        device_at: said.device_at,
        taken_at: said.taken_at,
    };
    let settlement = || {
        let settled_at = row.settled_at.ok_or_else(|| broken("settled without a moment"))?;
        Ok::<_, Error>(Settlement { settler: row.settler.clone(), note: row.note.clone(), settled_at })
    };
    let lesson = match (row.section_id, row.slot_id) {
        (Some(section_id), Some(slot_id)) => {
            Some(Key { section_id: Id::new(section_id), day: row.day, slot_id: Id::new(slot_id) })
        }
        _ => None,
    };
    Ok(AsideMark {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        path: from_json(row.path, TABLE, row.id)?,
        reason: reason_of(&row.reason).ok_or_else(|| broken("its reason is unknown"))?,
        day: row.day,
        lesson,
        pupil_id: row.pupil_id.map(Id::new),
        said: Said {
            mark_id: Id::new(row.mark_id),
            standing: standing_of(&said.standing).ok_or_else(|| broken("its standing is unknown"))?,
            source: if said.by_identity_device { Source::Device(stamp) } else { Source::Roll(stamp) },
            recorder: said.recorder,
        },
        state: match row.state.as_str() {
            "waiting" => State::Waiting,
            "taken_up" => State::TakenUp(settlement()?),
            "dismissed" => State::Dismissed(settlement()?),
            _ => return Err(broken("its state is unknown")),
        },
        created_at: row.created_at,
    })
}

const fn reason_text(reason: AsideReason) -> &'static str {
    match reason {
        AsideReason::NotOnRegister => "not_on_register",
        AsideReason::RegisterClosed => "register_closed",
        AsideReason::IdReused => "id_reused",
        AsideReason::PersonUnknown => "person_unknown",
        AsideReason::NoLesson => "no_lesson",
        AsideReason::WentWithoutAdult => "went_without_adult",
    }
}

fn reason_of(text: &str) -> Option<AsideReason> {
    Some(match text {
        "not_on_register" => AsideReason::NotOnRegister,
        "register_closed" => AsideReason::RegisterClosed,
        "id_reused" => AsideReason::IdReused,
        "person_unknown" => AsideReason::PersonUnknown,
        "no_lesson" => AsideReason::NoLesson,
        "went_without_adult" => AsideReason::WentWithoutAdult,
        _ => return None,
    })
}
