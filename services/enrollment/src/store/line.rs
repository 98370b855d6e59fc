//! How lines have moved. Counted where seats change hands, under the section's lock, so that nothing is missed or counted twice.

use std::collections::HashMap;

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use shared::db::{Error, Tx};
use shared::value::{Id, Moment, Section as SectionKind};
use uuid::Uuid;

use super::entity::{line, section, term};
use crate::domain::line::{Line, PAST_TERMS, Past};
use crate::domain::section::Section;
use crate::store;

/// Counts seats of a locked section: `freed_count` given back, `offered_count` of them offered to those in line.
///
/// # Errors
/// When the database refuses.
pub async fn count(
    tx: &Tx,
    section: &Section,
    freed_count: i32,
    offered_count: i32,
    now: Moment,
) -> Result<(), Error> {
    if freed_count == 0 && offered_count == 0 {
        return Ok(());
    }
    let key = (section.district_id.uuid(), section.id.uuid());
    let before = line::Entity::find_by_id(key).one(tx).await?;
    let before = before.as_ref();
    let row = line::ActiveModel {
        district_id: Set(key.0),
        section_id: Set(key.1),
        freed_count: Set(before.map_or(0, |line| line.freed_count) + freed_count),
        offered_count: Set(before.map_or(0, |line| line.offered_count) + offered_count),
        last_offered_at: Set(if offered_count > 0 {
            Some(now)
        } else {
            before.and_then(|line| line.last_offered_at)
        }),
    };
    let on_known = OnConflict::columns([line::Column::DistrictId, line::Column::SectionId])
        .update_columns([line::Column::FreedCount, line::Column::OfferedCount, line::Column::LastOfferedAt])
        .to_owned();
    line::Entity::insert(row).on_conflict(on_known).exec_without_returning(tx).await?;
    Ok(())
}

/// Gives how the lines of sections have moved, by section.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn of(
    db: &impl ConnectionTrait,
    sections: &[&Section],
) -> Result<HashMap<Id<SectionKind>, Line>, Error> {
    let terms: Vec<_> = sections.iter().map(|section| section.term_id).collect();
    if terms.is_empty() {
        return Ok(HashMap::new());
    }
    let rounds = store::round::list(db, &terms).await?;
    let ids = sections.iter().map(|section| section.id.uuid());
    let counted = line::Entity::find().filter(line::Column::SectionId.is_in(ids)).all(db).await?;
    let mut lines = HashMap::with_capacity(sections.len());
    for section in sections {
        let counted = counted.iter().find(|line| line.section_id == section.id.uuid());
        let opened = rounds.iter().filter(|round| round.term_id == section.term_id);
        let line = Line {
            waiting_count: section.seats.waitlisted_count,
            joined_count: section.seats.last_waitlist_number,
            freed_count: counted.map_or(0, |line| line.freed_count),
            offered_count: counted.map_or(0, |line| line.offered_count),
            last_offered_at: counted.and_then(|line| line.last_offered_at),
            since: opened.map(|round| round.open_at).min(),
            past: past(db, section).await?,
        };
        lines.insert(section.id, line);
    }
    Ok(lines)
}

/// The lines of the sections of the same title in the school's earlier terms, added up by term.
async fn past(db: &impl ConnectionTrait, section: &Section) -> Result<Vec<Past>, Error> {
    let terms = term::Entity::find()
        .filter(term::Column::DistrictId.eq(section.district_id.uuid()))
        .filter(term::Column::SchoolId.eq(section.school_id.uuid()))
        .order_by_desc(term::Column::FirstDay)
        .all(db)
        .await?;
    let own = terms.iter().find(|term| term.id == section.term_id.uuid()).map(|term| term.first_day);
    let Some(own) = own else { return Ok(Vec::new()) };
    let earlier: Vec<Uuid> = terms.iter().filter(|term| term.first_day < own).map(|term| term.id).collect();
    if earlier.is_empty() {
        return Ok(Vec::new());
    }
    let same = section::Entity::find()
        .filter(section::Column::DistrictId.eq(section.district_id.uuid()))
        .filter(section::Column::SchoolId.eq(section.school_id.uuid()))
        .filter(section::Column::Title.eq(&section.title))
        .filter(section::Column::TermId.is_in(earlier.iter().copied()))
        .filter(section::Column::LastWaitlistNumber.gt(0))
        .all(db)
        .await?;
    let ids = same.iter().map(|section| section.id);
    let counted = line::Entity::find().filter(line::Column::SectionId.is_in(ids)).all(db).await?;
    let of_term = |term_id: Uuid| {
        let here: Vec<_> = same.iter().filter(|section| section.term_id == term_id).collect();
        let offered = counted.iter().filter(|line| here.iter().any(|section| section.id == line.section_id));
        (!here.is_empty()).then(|| Past {
            term_id: Id::new(term_id),
            joined_count: here.iter().map(|section| section.last_waitlist_number).sum(),
            offered_count: offered.map(|line| line.offered_count).sum(),
        })
    };
    Ok(earlier.into_iter().filter_map(of_term).take(PAST_TERMS).collect())
}
