//! Notices, whom they address, and for whom they were acknowledged.

use std::collections::{HashMap, HashSet};

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{
    District, Guardian, Id, Moment, Notice as NoticeKind, Page, Pupil as PupilKind, School, Term,
};
use uuid::Uuid;

use super::entity::{notice, notice_pupil, pupil};
use super::{from_json, to_json};
use crate::domain::notice::{Audience, Notice};
use crate::domain::pupil::Pupil;

const TABLE: &str = "notice";

/// The most rows of one statement: what both databases take.
const ROW_COUNT: usize = 1_000;

/// Stands in a row for no sender.
const NOBODY: Uuid = Uuid::nil();

/// Finds a notice.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find(db: &impl ConnectionTrait, id: Id<NoticeKind>) -> Result<Option<Notice>, Error> {
    let row = notice::Entity::find().filter(notice::Column::Id.eq(id.uuid())).one(db).await?;
    row.map(read).transpose()
}

/// Lists a school's notices, newest first.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_of_school(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    school_id: Id<School>,
    page: &Page<Uuid>,
) -> Result<Vec<Notice>, Error> {
    let mut query = notice::Entity::find()
        .filter(notice::Column::DistrictId.eq(district_id.uuid()))
        .filter(notice::Column::SchoolId.eq(school_id.uuid()));
    if let Some(after) = page.after {
        query = query.filter(notice::Column::Id.lt(after));
    }
    let rows = query.order_by_desc(notice::Column::Id).limit(page.size).all(db).await?;
    rows.into_iter().map(read).collect()
}

/// Lists the notices that address a pupil, newest first, each with when it was acknowledged for the pupil.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_of_pupil(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    pupil_id: Id<PupilKind>,
    page: &Page<Uuid>,
) -> Result<Vec<(Notice, Option<Moment>)>, Error> {
    let mut query = notice_pupil::Entity::find()
        .filter(notice_pupil::Column::DistrictId.eq(district_id.uuid()))
        .filter(notice_pupil::Column::PupilId.eq(pupil_id.uuid()));
    if let Some(after) = page.after {
        query = query.filter(notice_pupil::Column::NoticeId.lt(after));
    }
    let rows = query.order_by_desc(notice_pupil::Column::NoticeId).limit(page.size).all(db).await?;
    let found = notice::Entity::find()
        .filter(notice::Column::DistrictId.eq(district_id.uuid()))
        .filter(notice::Column::Id.is_in(rows.iter().map(|row| row.notice_id)))
        .all(db)
        .await?;
    let mut notices: HashMap<_, _> = found.into_iter().map(|row| (row.id, row)).collect();
    let line = |row: notice_pupil::Model| {
        let notice = notices.remove(&row.notice_id);
        let notice = notice.ok_or_else(|| Error::inconsistent(TABLE, row.notice_id, "it is missing"))?;
        Ok((read(notice)?, row.acknowledged_at))
    };
    rows.into_iter().map(line).collect()
}

/// Gives the last notice that puts each of these right; those nothing puts right are left out.
///
/// # Errors
/// When the database refuses.
pub async fn corrections(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    ids: impl IntoIterator<Item = Id<NoticeKind>>,
) -> Result<HashMap<Id<NoticeKind>, Id<NoticeKind>>, Error> {
    let rows: Vec<(Option<Uuid>, Uuid)> = notice::Entity::find()
        .select_only()
        .column(notice::Column::CorrectsId)
        .column(notice::Column::Id)
        .filter(notice::Column::DistrictId.eq(district_id.uuid()))
        .filter(notice::Column::CorrectsId.is_in(ids.into_iter().map(Id::uuid)))
        .order_by_asc(notice::Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().filter_map(|(old, new)| Some((Id::new(old?), Id::new(new)))).collect())
}

/// Says whether somebody sent a notice of the term to the whole school.
///
/// # Errors
/// When the database refuses.
pub async fn has_told_school(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    school_id: Id<School>,
    term_id: Id<Term>,
) -> Result<bool, Error> {
    let count = notice::Entity::find()
        .filter(notice::Column::DistrictId.eq(district_id.uuid()))
        .filter(notice::Column::SchoolId.eq(school_id.uuid()))
        .filter(notice::Column::TermId.eq(term_id.uuid()))
        .filter(notice::Column::Audience.eq("school"))
        .filter(notice::Column::SenderId.ne(NOBODY))
        .count(db)
        .await?;
    Ok(count > 0)
}

/// Lists the pupils of a school who have not left it.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn pupils_of_school(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    school_id: Id<School>,
) -> Result<Vec<Pupil>, Error> {
    let ids: Vec<Uuid> = pupil::Entity::find()
        .select_only()
        .column(pupil::Column::Id)
        .filter(pupil::Column::DistrictId.eq(district_id.uuid()))
        .filter(pupil::Column::SchoolId.eq(school_id.uuid()))
        .filter(pupil::Column::State.eq("enrolled"))
        .order_by_asc(pupil::Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    let mut pupils = Vec::with_capacity(ids.len());
    for ids in ids.chunks(ROW_COUNT) {
        pupils.extend(super::pupil::find_all(db, ids.iter().copied().map(Id::new)).await?);
    }
    Ok(pupils)
}

/// Keeps a new notice and whom it addresses.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, notice: &Notice, pupil_ids: &[Id<PupilKind>]) -> Result<(), Error> {
    let (audience, grades, classes) = match &notice.audience {
        Audience::School => ("school", Vec::new(), Vec::new()),
        Audience::Grades(grades) => ("grades", grades.iter().copied().collect(), Vec::new()),
        Audience::Classes(classes) => ("classes", Vec::new(), classes.iter().copied().collect()),
    };
    let row = notice::ActiveModel {
        district_id: Set(notice.district_id.uuid()),
        id: Set(notice.id.uuid()),
        school_id: Set(notice.school_id.uuid()),
        path: Set(to_json(&notice.path, TABLE, notice.id)?),
        term_id: Set(notice.term_id.uuid()),
        title: Set(notice.title.clone()),
        body: Set(notice.body.clone()),
        audience: Set(audience.to_owned()),
        grades: Set(to_json(&grades, TABLE, notice.id)?),
        class_ids: Set(to_json(&classes, TABLE, notice.id)?),
        disclosure_keys: Set(to_json(&notice.disclosure_keys, TABLE, notice.id)?),
        corrects_id: Set(notice.corrects.map(Id::uuid)),
        sender_id: Set(notice.sender_id.map_or(NOBODY, Id::uuid)),
        sent_at: Set(notice.sent_at),
    };
    notice::Entity::insert(row).exec_without_returning(tx).await?;
    for pupil_ids in pupil_ids.chunks(ROW_COUNT) {
        let rows = pupil_ids.iter().map(|pupil_id| notice_pupil::ActiveModel {
            district_id: Set(notice.district_id.uuid()),
            notice_id: Set(notice.id.uuid()),
            pupil_id: Set(pupil_id.uuid()),
            guardian_id: Set(None),
            acknowledged_at: Set(None),
        });
        notice_pupil::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Locks a pupil's copy of a notice: when it was acknowledged, if it was. None: the notice does not address the pupil.
///
/// # Errors
/// When the database refuses.
pub async fn lock_copy(
    tx: &Tx,
    district_id: Id<District>,
    id: Id<NoticeKind>,
    pupil_id: Id<PupilKind>,
) -> Result<Option<Option<Moment>>, Error> {
    let row = notice_pupil::Entity::find_by_id((district_id.uuid(), id.uuid(), pupil_id.uuid()))
        .lock_exclusive()
        .one(tx)
        .await?;
    Ok(row.map(|row| row.acknowledged_at))
}

/// Notes that a guardian has acknowledged a locked copy.
///
/// # Errors
/// When the database refuses.
pub async fn acknowledge(
    tx: &Tx,
    (district_id, id, pupil_id): (Id<District>, Id<NoticeKind>, Id<PupilKind>),
    guardian_id: Id<Guardian>,
    now: Moment,
) -> Result<(), Error> {
    let row = notice_pupil::ActiveModel {
        district_id: Set(district_id.uuid()),
        notice_id: Set(id.uuid()),
        pupil_id: Set(pupil_id.uuid()),
        guardian_id: Set(Some(guardian_id.uuid())),
        acknowledged_at: Set(Some(now)),
    };
    notice_pupil::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// The pupils a notice addresses who are still of its school, each with whether it was acknowledged, by id.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn copies(db: &impl ConnectionTrait, notice: &Notice) -> Result<Vec<(Pupil, bool)>, Error> {
    let rows: Vec<(Uuid, Option<Moment>)> = notice_pupil::Entity::find()
        .select_only()
        .column(notice_pupil::Column::PupilId)
        .column(notice_pupil::Column::AcknowledgedAt)
        .filter(notice_pupil::Column::DistrictId.eq(notice.district_id.uuid()))
        .filter(notice_pupil::Column::NoticeId.eq(notice.id.uuid()))
        .into_tuple()
        .all(db)
        .await?;
    let addressed: HashSet<_> = rows.iter().map(|(pupil_id, _)| *pupil_id).collect();
    let acknowledged: HashSet<_> =
        rows.into_iter().filter(|(_, at)| at.is_some()).map(|(pupil_id, _)| pupil_id).collect();
    let pupils = pupils_of_school(db, notice.district_id, notice.school_id).await?;
    let pupils = pupils.into_iter().filter(|pupil| addressed.contains(&pupil.id.uuid()));
    let copy = |pupil: Pupil| {
        let is_acknowledged = acknowledged.contains(&pupil.id.uuid());
        (pupil, is_acknowledged)
    };
    Ok(pupils.map(copy).collect())
}

fn read(row: notice::Model) -> Result<Notice, Error> {
    let id = row.id;
    let audience = match row.audience.as_str() {
        "school" => Audience::School,
        "grades" => Audience::Grades(from_json(row.grades, TABLE, id)?),
        "classes" => Audience::Classes(from_json(row.class_ids, TABLE, id)?),
        _ => return Err(Error::inconsistent(TABLE, id, "its audience is unknown")),
    };
    Ok(Notice {
        id: Id::new(id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        path: from_json(row.path, TABLE, id)?,
        term_id: Id::new(row.term_id),
        title: row.title,
        body: row.body,
        audience,
        disclosure_keys: from_json(row.disclosure_keys, TABLE, id)?,
        corrects: row.corrects_id.map(Id::new),
        sender_id: (row.sender_id != NOBODY).then(|| Id::new(row.sender_id)),
        sent_at: row.sent_at,
    })
}
