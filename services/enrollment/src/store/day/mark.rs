//! Marks. Rows are added and never changed: the database refuses.

use chrono::NaiveDate;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{District, Id, Lesson as LessonKind, Mark as MarkKind, Moment, Pupil};
use uuid::Uuid;

use super::lesson::Of;
use crate::domain::day::lesson::Lesson;
use crate::domain::day::register::{Mark, Source, Stamp, Standing};
use crate::store::entity::mark;

const TABLE: &str = "mark";

/// The most rows one statement inserts.
const ROWS: usize = 1_000;

/// Lists all marks of lessons of one district, in no order.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_of_lessons(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    lessons: &[Id<LessonKind>],
) -> Result<Vec<Mark>, Error> {
    if lessons.is_empty() {
        return Ok(Vec::new());
    }
    let rows = mark::Entity::find()
        .filter(mark::Column::DistrictId.eq(district_id.uuid()))
        .filter(mark::Column::LessonId.is_in(lessons.iter().map(|id| id.uuid())))
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Lists all marks of the lessons from one day to another, both inclusive, in no order.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_of_days(
    db: &impl ConnectionTrait,
    of: Of,
    first_day: NaiveDate,
    last_day: NaiveDate,
) -> Result<Vec<Mark>, Error> {
    let query = mark::Entity::find().filter(mark::Column::Day.between(first_day, last_day));
    let query = match of {
        Of::School(district_id, school_id) => query
            .filter(mark::Column::DistrictId.eq(district_id.uuid()))
            .filter(mark::Column::SchoolId.eq(school_id.uuid())),
        Of::Section(district_id, section_id) => query
            .filter(mark::Column::DistrictId.eq(district_id.uuid()))
            .filter(mark::Column::SectionId.eq(section_id.uuid())),
    };
    query.all(db).await?.into_iter().map(read).collect()
}

/// Finds marks by their ids, of any lesson of the district, in no order.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn find_all(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    ids: impl IntoIterator<Item = Id<MarkKind>>,
) -> Result<Vec<Mark>, Error> {
    let rows = mark::Entity::find()
        .filter(mark::Column::DistrictId.eq(district_id.uuid()))
        .filter(mark::Column::Id.is_in(ids.into_iter().map(Id::uuid)))
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Lists a pupil's marks, latest arrived first, before `before` (a moment and an id), at most `limit`, each with its section.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_of_pupil(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    pupil_id: Id<Pupil>,
    before: Option<(Moment, Uuid)>,
    limit: u64,
) -> Result<Vec<(Uuid, Mark)>, Error> {
    let mut query = mark::Entity::find()
        .filter(mark::Column::DistrictId.eq(district_id.uuid()))
        .filter(mark::Column::PupilId.eq(pupil_id.uuid()));
    if let Some((at, id)) = before {
        let earlier = mark::Column::CreatedAt.lt(at);
        let same = mark::Column::CreatedAt.eq(at).and(mark::Column::Id.lt(id));
        query = query.filter(earlier.or(same));
    }
    let rows = query
        .order_by_desc(mark::Column::CreatedAt)
        .order_by_desc(mark::Column::Id)
        .limit(limit)
        .all(db)
        .await?;
    rows.into_iter().map(|row| Ok((row.section_id, read(row)?))).collect()
}

/// Writes marks into the register of a locked lesson.
///
/// # Errors
/// When the database refuses: a mark's id is used once.
pub async fn insert_all(tx: &Tx, lesson: &Lesson, marks: &[Mark]) -> Result<(), Error> {
    for marks in marks.chunks(ROWS) {
        let rows = marks.iter().map(|mark| {
            let stamp = mark.stamp();
            mark::ActiveModel {
                district_id: Set(lesson.district_id.uuid()),
                id: Set(mark.id.uuid()),
                school_id: Set(lesson.school_id.uuid()),
                section_id: Set(lesson.key.section_id.uuid()),
                lesson_id: Set(lesson.id.uuid()),
                day: Set(lesson.key.day),
                pupil_id: Set(mark.pupil_id.uuid()),
                standing: Set(standing_text(mark.standing).to_owned()),
                source: Set(match mark.source {
                    Source::Roll(_) => "roll",
                    Source::Device(_) => "device",
                    Source::Correction { .. } => "correction",
                }
                .to_owned()),
                device_id: Set(stamp.map(|stamp| stamp.device_id.uuid())),
                sequence: Set(stamp.map(|stamp| stamp.sequence)),
                device_at: Set(stamp.map(|stamp| stamp.device_at)),
                taken_at: Set(stamp.map(|stamp| stamp.taken_at)),
                recorder: Set(mark.recorder.clone()),
                reason: Set(match &mark.source {
                    Source::Roll(_) | Source::Device(_) => String::new(),
                    Source::Correction { reason } => reason.clone(),
                }),
                created_at: Set(mark.created_at),
            }
        });
        mark::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// A standing as rows have it.
#[must_use]
pub const fn standing_text(standing: Standing) -> &'static str {
    match standing {
        Standing::Present => "present",
        Standing::Absent => "absent",
        Standing::Late => "late",
        Standing::Leave => "leave",
        Standing::LeftEarly => "left_early",
    }
}

/// Reads a standing from a row.
#[must_use]
pub fn standing_of(text: &str) -> Option<Standing> {
    Some(match text {
        "present" => Standing::Present,
        "absent" => Standing::Absent,
        "late" => Standing::Late,
        "leave" => Standing::Leave,
        "left_early" => Standing::LeftEarly,
        _ => return None,
    })
}

fn read(row: mark::Model) -> Result<Mark, Error> {
    let broken = |why: &str| Error::inconsistent(TABLE, row.id, why);
    let stamp = || match (row.device_id, row.sequence, row.device_at, row.taken_at) {
        (Some(device_id), Some(sequence), Some(device_at), Some(taken_at)) => {
            Ok(Stamp { device_id: Id::new(device_id), sequence, device_at, taken_at })
        }
        _ => Err(broken("nobody knows where it was made")),
    };
    let source = match row.source.as_str() {
        "roll" => Source::Roll(stamp()?),
        "device" => Source::Device(stamp()?),
        "correction" => Source::Correction { reason: row.reason.clone() },
        _ => return Err(broken("its source is unknown")),
    };
    Ok(Mark {
        id: Id::new(row.id),
        lesson_id: Id::new(row.lesson_id),
        pupil_id: Id::new(row.pupil_id),
        standing: standing_of(&row.standing).ok_or_else(|| broken("its standing is unknown"))?,
        source,
        recorder: row.recorder,
        created_at: row.created_at,
    })
}
