//! Hears the catalog: terms and sections.

use std::str::FromStr as _;

use async_trait::async_trait;
use chrono::{NaiveDate, NaiveTime};
use policy::vocabulary::Stage;
use proto::catalog::v1 as pb;
use proto::catalog::v1::slot::Kind as SlotKind;
use proto::identity::v1::Stage as PbStage;
use shared::db::Tx;
use shared::feed::{Consumer, Told};
use shared::value::Id;
use tonic::Status;

use super::identity::{path, unreadable, uuid};
use crate::domain::term::{Lesson, Section, Term};
use crate::store;

/// Keeps the read model of terms and sections.
#[derive(Clone, Copy, Debug, Default)]
pub struct Catalog;

#[async_trait]
impl Consumer for Catalog {
    type Event = pb::Event;

    async fn apply(&self, tx: &Tx, told: &Told, event: pb::Event) -> Result<(), Status> {
        match event.kind {
            Some(pb::event::Kind::TermOpened(opened)) => {
                let term = opened.term.ok_or_else(|| unreadable("a term is missing"))?;
                store::term::save(tx, &read_term(told, term)?).await?;
            }
            Some(pb::event::Kind::SectionPublished(published)) => {
                let section = published.section.ok_or_else(|| unreadable("a section is missing"))?;
                store::section::save(tx, &read_section(told, section)?).await?;
            }
            // Enrollment gives the seats of a cancelled section back and tells so, one by one.
            Some(pb::event::Kind::SectionCancelled(_) | pb::event::Kind::ProviderSuspended(_)) | None => {}
        }
        Ok(())
    }
}

fn read_term(told: &Told, term: pb::Term) -> Result<Term, Status> {
    let day = |text: &str| NaiveDate::from_str(text).map_err(|_| unreadable("a day is not a date"));
    let stage = match term.stage() {
        PbStage::Primary => Stage::Primary,
        PbStage::Junior => Stage::Junior,
        PbStage::Unspecified => return Err(unreadable("a term has no stage")),
    };
    let mut off_days = term.off_days.iter().map(|text| day(text)).collect::<Result<Vec<_>, _>>()?;
    off_days.sort_unstable();
    Ok(Term {
        id: Id::new(uuid(&term.id)?),
        district_id: told.district_id,
        path: path(&term.path)?,
        first_day: day(&term.first_day)?,
        last_day: day(&term.last_day)?,
        off_days,
        policy_version: term.policy_version,
        stage,
    })
}

fn read_section(told: &Told, section: pb::Section) -> Result<Section, Status> {
    let lessons = section.slots.iter().map(read_lesson).collect::<Result<Vec<_>, _>>()?;
    Ok(Section {
        id: Id::new(uuid(&section.id)?),
        district_id: told.district_id,
        term_id: Id::new(uuid(&section.term_id)?),
        title: section.title,
        lessons,
    })
}

fn read_lesson(slot: &pb::Slot) -> Result<Lesson, Status> {
    let starts = NaiveTime::parse_from_str(&slot.start_time, "%H:%M");
    let ends = NaiveTime::parse_from_str(&slot.end_time, "%H:%M");
    let class_hours = match slot.kind() {
        // Extended care is never priced.
        SlotKind::Extended => 0,
        SlotKind::EarlyArrival | SlotKind::Noon | SlotKind::Afternoon | SlotKind::EveningStudy => {
            u32::try_from(slot.class_hour_count).map_err(|_| unreadable("class hours are negative"))?
        }
        SlotKind::Unspecified => return Err(unreadable("a slot has no kind")),
    };
    let weekday = u32::try_from(slot.weekday).ok().filter(|weekday| (1..=7).contains(weekday));
    Ok(Lesson {
        weekday: weekday.ok_or_else(|| unreadable("a weekday is not 1 to 7"))?,
        starts: starts.map_err(|_| unreadable("a start is not a time"))?,
        ends: Some(ends.map_err(|_| unreadable("an end is not a time"))?),
        class_hours,
    })
}
