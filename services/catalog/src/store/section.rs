//! Sections, read with their courses and slots.

use std::collections::{BTreeSet, HashMap};

use sea_orm::sea_query::{Expr, Query, SelectStatement};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{self, Id, Moment};
use uuid::Uuid;

use super::entity::{course, section, section_slot};
use super::{from_json, to_i32, to_json, to_u32};
use crate::domain::course::Course;
use crate::domain::section::{Arrangement, Section, State};
use crate::domain::slot::Slot;
use crate::domain::term::Term;
use crate::store;

/// Thirteen values a row: far below both databases' limits on bound values.
const ROWS: usize = 500;

/// Writes new sections of one term, as arranged.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, sections: &[Section], now: Moment) -> Result<(), Error> {
    for sections in sections.chunks(ROWS) {
        let rows = sections.iter().map(|section| row(section, now)).collect::<Result<Vec<_>, _>>()?;
        section::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    let slots: Vec<_> = sections
        .iter()
        .flat_map(|section| {
            section.arrangement.slots.iter().map(|slot| section_slot::ActiveModel {
                district_id: Set(section.course.path.district_id.uuid()),
                section_id: Set(section.id.uuid()),
                slot_id: Set(slot.id.uuid()),
            })
        })
        .collect();
    for slots in slots.chunks(ROWS) {
        section_slot::Entity::insert_many(slots.to_vec()).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Which sections of a term are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// Those that are not cancelled.
    Live,
    /// Those on the menu.
    Published,
}

/// The sections of a term, in the order they were arranged. Four queries, however many there are.
///
/// # Errors
/// When the database refuses or a row is broken.
pub async fn of_term(
    db: &impl ConnectionTrait,
    term: &Term,
    term_slots: &[Slot],
    which: Which,
) -> Result<Vec<Section>, Error> {
    let mut select = section::Entity::find()
        .filter(section::Column::DistrictId.eq(term.path.district_id.uuid()))
        .filter(section::Column::TermId.eq(term.id.uuid()));
    select = match which {
        Which::All => select,
        Which::Live => select.filter(section::Column::State.ne("cancelled")),
        Which::Published => select.filter(section::Column::State.eq("published")),
    };
    let mut rows = select.all(db).await?;
    rows.sort_by_key(|row| row.id);

    let district_id = term.path.district_id.uuid();
    let courses = course::Entity::find()
        .filter(course::Column::DistrictId.eq(district_id))
        .filter(course::Column::Id.in_subquery(of_this_term(term, section::Column::CourseId)))
        .all(db)
        .await?;
    let courses = courses.into_iter().map(store::course::read).collect::<Result<Vec<_>, _>>()?;
    let courses: HashMap<Uuid, Course> =
        courses.into_iter().map(|course| (course.id.uuid(), course)).collect();

    let taken = section_slot::Entity::find()
        .filter(section_slot::Column::DistrictId.eq(district_id))
        .filter(section_slot::Column::SectionId.in_subquery(of_this_term(term, section::Column::Id)))
        .all(db)
        .await?;
    let by_id: HashMap<Uuid, &Slot> = term_slots.iter().map(|slot| (slot.id.uuid(), slot)).collect();
    let mut slots: HashMap<Uuid, Vec<Slot>> = HashMap::new();
    for row in taken {
        let slot = by_id.get(&row.slot_id).ok_or_else(|| {
            Error::inconsistent(
                "section_slot",
                row.section_id,
                format!("slot {} is of another term", row.slot_id),
            )
        })?;
        slots.entry(row.section_id).or_default().push(**slot);
    }

    let mut sections = Vec::with_capacity(rows.len());
    for row in rows {
        let course = courses.get(&row.course_id).cloned();
        let course =
            course.ok_or_else(|| Error::inconsistent("section", row.id, "its course is not there"))?;
        let slots = slots.remove(&row.id).unwrap_or_default();
        sections.push(read(row, course, slots)?);
    }
    Ok(sections)
}

/// A column of all sections of a term.
fn of_this_term(term: &Term, column: section::Column) -> SelectStatement {
    Query::select()
        .column(column)
        .from(section::Entity)
        .and_where(section::Column::DistrictId.eq(term.path.district_id.uuid()))
        .and_where(section::Column::TermId.eq(term.id.uuid()))
        .to_owned()
}

/// The term a section belongs to; it never changes.
///
/// # Errors
/// When the database refuses.
pub async fn term_of(
    db: &impl ConnectionTrait,
    id: Id<value::Section>,
) -> Result<Option<Id<value::Term>>, Error> {
    let term_id: Option<Uuid> = section::Entity::find()
        .select_only()
        .column(section::Column::TermId)
        .filter(section::Column::Id.eq(id.uuid()))
        .into_tuple()
        .one(db)
        .await?;
    Ok(term_id.map(Id::new))
}

/// Finds a section of a term.
///
/// # Errors
/// When the database refuses or a row is broken.
pub async fn find(
    db: &impl ConnectionTrait,
    term: &Term,
    term_slots: &[Slot],
    id: Id<value::Section>,
) -> Result<Option<Section>, Error> {
    let district_id = term.path.district_id.uuid();
    let Some(row) = section::Entity::find_by_id((district_id, id.uuid())).one(db).await? else {
        return Ok(None);
    };
    let course = course::Entity::find_by_id((district_id, row.course_id)).one(db).await?;
    let course = course.ok_or_else(|| Error::inconsistent("section", row.id, "its course is not there"))?;
    let taken: Vec<Uuid> = section_slot::Entity::find()
        .select_only()
        .column(section_slot::Column::SlotId)
        .filter(section_slot::Column::DistrictId.eq(district_id))
        .filter(section_slot::Column::SectionId.eq(id.uuid()))
        .into_tuple()
        .all(db)
        .await?;
    let slots: Vec<Slot> =
        term_slots.iter().filter(|slot| taken.contains(&slot.id.uuid())).copied().collect();
    if slots.len() != taken.len() {
        return Err(Error::inconsistent("section", row.id, "it has a slot of another term"));
    }
    read(row, store::course::read(course)?, slots).map(Some)
}

/// Puts sections of a locked term onto its menu.
///
/// # Errors
/// When the database refuses.
pub async fn publish(tx: &Tx, term: &Term, ids: &[Id<value::Section>], now: Moment) -> Result<(), Error> {
    for ids in ids.chunks(ROWS) {
        section::Entity::update_many()
            .col_expr(section::Column::State, Expr::value("published"))
            .col_expr(section::Column::PublishedAt, Expr::value(now))
            .filter(section::Column::DistrictId.eq(term.path.district_id.uuid()))
            .filter(section::Column::Id.is_in(ids.iter().map(|id| id.uuid())))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Saves that a section of a locked term was cancelled.
///
/// # Errors
/// When the database refuses.
pub async fn cancel(
    tx: &Tx,
    term: &Term,
    id: Id<value::Section>,
    reason: &str,
    now: Moment,
) -> Result<(), Error> {
    section::Entity::update_many()
        .col_expr(section::Column::State, Expr::value("cancelled"))
        .col_expr(section::Column::CancellationReason, Expr::value(reason))
        .col_expr(section::Column::CancelledAt, Expr::value(now))
        .filter(section::Column::DistrictId.eq(term.path.district_id.uuid()))
        .filter(section::Column::Id.eq(id.uuid()))
        .exec(tx)
        .await?;
    Ok(())
}

fn row(section: &Section, now: Moment) -> Result<section::ActiveModel, Error> {
    let arrangement = &section.arrangement;
    Ok(section::ActiveModel {
        district_id: Set(section.course.path.district_id.uuid()),
        id: Set(section.id.uuid()),
        term_id: Set(section.term_id.uuid()),
        course_id: Set(section.course.id.uuid()),
        capacity_count: Set(to_i32("section", section.id, arrangement.capacity_count)?),
        grades: Set(to_json("section", section.id, &arrangement.grades)?),
        room: Set(arrangement.room.clone()),
        instructor_name: Set(arrangement.instructor_name.clone()),
        state: Set("arranged".to_owned()),
        cancellation_reason: Set(None),
        created_at: Set(now),
        published_at: Set(None),
        cancelled_at: Set(None),
    })
}

fn read(row: section::Model, course: Course, mut slots: Vec<Slot>) -> Result<Section, Error> {
    slots.sort_by_key(|slot| slot.period.order());
    let state = match (row.state.as_str(), row.cancellation_reason) {
        ("arranged", None) => State::Arranged,
        ("published", None) => State::Published,
        ("cancelled", Some(reason)) => State::Cancelled { reason },
        _ => return Err(Error::inconsistent("section", row.id, "state and reason do not go together")),
    };
    let grades: BTreeSet<u32> = from_json("section", row.id, row.grades)?;
    Ok(Section {
        id: Id::new(row.id),
        term_id: Id::new(row.term_id),
        course,
        arrangement: Arrangement {
            capacity_count: to_u32("section", row.id, row.capacity_count)?,
            grades,
            slots,
            room: row.room,
            instructor_name: row.instructor_name,
        },
        state,
    })
}
