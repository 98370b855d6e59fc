//! Lessons that have been laid out, and who was on their registers when they closed.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    Select,
};
use shared::db::{Error, Tx};
use shared::value::{District, Id, Lesson as LessonKind, Moment, Pupil, School, Section};

use crate::domain::day::lesson::{Key, Lesson, State};
use crate::store::enrollment::counted;
use crate::store::entity::{enrollment, lesson, lesson_pupil};
use crate::store::seat_change::Absences;
use crate::store::{from_json, to_json};

const TABLE: &str = "lesson";

/// The most rows one statement inserts.
const ROWS: usize = 2_000;

/// Which lessons are wanted: of a district's school, or of one section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// All of a school.
    School(Id<District>, Id<School>),
    /// Of one section.
    Section(Id<District>, Id<Section>),
}

/// Finds a lesson that has been laid out.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find(db: &impl ConnectionTrait, key: Key) -> Result<Option<Lesson>, Error> {
    by_key(key).one(db).await?.map(read).transpose()
}

/// Locks a lesson that has been laid out.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn lock(tx: &Tx, key: Key) -> Result<Option<Lesson>, Error> {
    by_key(key).lock_exclusive().one(tx).await?.map(read).transpose()
}

/// Lays out lessons; those laid out before stay as they are.
///
/// # Errors
/// When the database refuses.
pub async fn insert_all(tx: &Tx, lessons: &[Lesson]) -> Result<(), Error> {
    for lessons in lessons.chunks(ROWS) {
        let rows = lessons.iter().map(write).collect::<Result<Vec<_>, _>>()?;
        let key = [
            lesson::Column::DistrictId,
            lesson::Column::SectionId,
            lesson::Column::Day,
            lesson::Column::SlotId,
        ];
        lesson::Entity::insert_many(rows).on_conflict_do_nothing_on(key).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Lists the lessons from one day to another, both inclusive, by start and id.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list(
    db: &impl ConnectionTrait,
    of: Of,
    first_day: NaiveDate,
    last_day: NaiveDate,
) -> Result<Vec<Lesson>, Error> {
    let query = lesson::Entity::find().filter(lesson::Column::Day.between(first_day, last_day));
    let query = match of {
        Of::School(district_id, school_id) => query
            .filter(lesson::Column::DistrictId.eq(district_id.uuid()))
            .filter(lesson::Column::SchoolId.eq(school_id.uuid())),
        Of::Section(district_id, section_id) => query
            .filter(lesson::Column::DistrictId.eq(district_id.uuid()))
            .filter(lesson::Column::SectionId.eq(section_id.uuid())),
    };
    let rows = query.order_by_asc(lesson::Column::StartsAt).order_by_asc(lesson::Column::Id).all(db).await?;
    rows.into_iter().map(read).collect()
}

/// Lists lessons whose registers are to be closed at `now`, longest due first, at most `limit`.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_closing(db: &impl ConnectionTrait, now: Moment, limit: u64) -> Result<Vec<Lesson>, Error> {
    let rows = lesson::Entity::find()
        .filter(lesson::Column::ClosedAt.is_null())
        .filter(lesson::Column::ClosesAt.lte(now))
        .order_by_asc(lesson::Column::ClosesAt)
        .limit(limit)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Closes a register with the pupils on it.
///
/// # Errors
/// When the database refuses.
pub async fn close(tx: &Tx, lesson: &Lesson, at: Moment, pupils: &BTreeSet<Id<Pupil>>) -> Result<(), Error> {
    let row = lesson::ActiveModel {
        district_id: Set(lesson.district_id.uuid()),
        id: Set(lesson.id.uuid()),
        closed_at: Set(Some(at)),
        ..Default::default()
    };
    lesson::Entity::update(row).exec(tx).await?;
    let rows: Vec<_> = pupils
        .iter()
        .map(|pupil_id| lesson_pupil::ActiveModel {
            district_id: Set(lesson.district_id.uuid()),
            lesson_id: Set(lesson.id.uuid()),
            pupil_id: Set(pupil_id.uuid()),
        })
        .collect();
    for rows in rows.chunks(ROWS) {
        lesson_pupil::Entity::insert_many(rows.iter().cloned()).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Gives who is on the register of each lesson: while it is open, whoever has a seat in the section on its day; from then on, whoever had one
/// when it closed.
///
/// # Errors
/// When the database refuses.
pub async fn pupils(
    db: &impl ConnectionTrait,
    lessons: &[Lesson],
) -> Result<HashMap<Id<LessonKind>, BTreeSet<Id<Pupil>>>, Error> {
    let mut pupils: HashMap<_, BTreeSet<_>> =
        lessons.iter().map(|lesson| (lesson.id, BTreeSet::new())).collect();
    let (open, closed): (Vec<_>, Vec<_>) = lessons.iter().partition(|lesson| lesson.state == State::Open);
    if let Some(first) = closed.first() {
        let rows = lesson_pupil::Entity::find()
            .filter(lesson_pupil::Column::DistrictId.eq(first.district_id.uuid()))
            .filter(lesson_pupil::Column::LessonId.is_in(closed.iter().map(|lesson| lesson.id.uuid())))
            .all(db)
            .await?;
        for row in rows {
            pupils.entry(Id::new(row.lesson_id)).or_default().insert(Id::new(row.pupil_id));
        }
    }
    if let Some(first) = open.first() {
        let sections: BTreeSet<_> = open.iter().map(|lesson| lesson.key.section_id.uuid()).collect();
        let rows: Vec<(uuid::Uuid, uuid::Uuid, uuid::Uuid)> = enrollment::Entity::find()
            .select_only()
            .column(enrollment::Column::SectionId)
            .column(enrollment::Column::PupilId)
            .column(enrollment::Column::Id)
            .filter(enrollment::Column::DistrictId.eq(first.district_id.uuid()))
            .filter(enrollment::Column::SectionId.is_in(sections))
            .filter(counted())
            .into_tuple()
            .all(db)
            .await?;
        let absences = Absences::of(db, rows.iter().map(|(_, _, id)| Id::new(*id))).await?;
        let mut seated: HashMap<_, Vec<_>> = HashMap::new();
        for (section_id, pupil_id, id) in rows {
            seated.entry(section_id).or_default().push((Id::new(pupil_id), Id::new(id)));
        }
        for lesson in open {
            let seated = seated.get(&lesson.key.section_id.uuid()).into_iter().flatten();
            let had = seated.filter(|(_, id)| absences.has(*id, lesson.key.day));
            pupils.insert(lesson.id, had.map(|(pupil_id, _)| *pupil_id).collect());
        }
    }
    Ok(pupils)
}

fn by_key(key: Key) -> Select<lesson::Entity> {
    lesson::Entity::find()
        .filter(lesson::Column::SectionId.eq(key.section_id.uuid()))
        .filter(lesson::Column::Day.eq(key.day))
        .filter(lesson::Column::SlotId.eq(key.slot_id.uuid()))
}

fn write(lesson: &Lesson) -> Result<lesson::ActiveModel, Error> {
    Ok(lesson::ActiveModel {
        district_id: Set(lesson.district_id.uuid()),
        id: Set(lesson.id.uuid()),
        school_id: Set(lesson.school_id.uuid()),
        path: Set(to_json(&lesson.path, TABLE, lesson.id)?),
        term_id: Set(lesson.term_id.uuid()),
        section_id: Set(lesson.key.section_id.uuid()),
        day: Set(lesson.key.day),
        slot_id: Set(lesson.key.slot_id.uuid()),
        starts_at: Set(lesson.starts_at),
        ends_at: Set(lesson.ends_at),
        closes_at: Set(lesson.closes_at),
        closed_at: Set(match lesson.state {
            State::Open => None,
            State::Closed { at } => Some(at),
        }),
    })
}

fn read(row: lesson::Model) -> Result<Lesson, Error> {
    Ok(Lesson {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        path: from_json(row.path, TABLE, row.id)?,
        term_id: Id::new(row.term_id),
        key: Key { section_id: Id::new(row.section_id), day: row.day, slot_id: Id::new(row.slot_id) },
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        closes_at: row.closes_at,
        state: row.closed_at.map_or(State::Open, |at| State::Closed { at }),
    })
}
