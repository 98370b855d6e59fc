//! Hears of terms and sections.

use std::sync::Arc;

use chrono::NaiveDate;
use policy::Live;
use proto::catalog::v1::event::Kind;
use proto::catalog::v1::{self as message, Event};
use shared::clock::SharedClock;
use shared::db::Tx;
use shared::feed::{Consumer, Told};
use shared::value::{Id, Section as SectionKind};
use tonic::Status;
use uuid::Uuid;

use crate::domain::enrollment::{self, Release, ReleaseReason};
use crate::domain::section::{Seats, Section, Slot, State};
use crate::domain::term::Term;
use crate::{change, joining, store};

/// What the catalog tells, made true here.
pub struct FollowCatalog {
    /// The time of day.
    pub clock: SharedClock,
    /// Every region's policy: who comes first where a section joins a draw.
    pub packs: Arc<Live>,
}

#[async_trait::async_trait]
impl Consumer for FollowCatalog {
    type Event = Event;

    async fn apply(&self, tx: &Tx, _told: &Told, event: Event) -> Result<(), Status> {
        match event.kind {
            Some(Kind::TermOpened(opened)) => {
                let term = term(opened.term.ok_or_else(|| broken("no term"))?)?;
                Ok(store::term::insert(tx, &term).await?)
            }
            Some(Kind::SectionPublished(published)) => {
                let section = section(published.section.ok_or_else(|| broken("no section"))?)?;
                let now = tx.now(self.clock.as_ref()).await?;
                Ok(joining::publish(tx, &self.packs, &section, now).await?)
            }
            Some(Kind::SectionCancelled(cancelled)) => {
                let id = cancelled.section_id.parse().map_err(|_| broken("section_id"))?;
                self.cancel(tx, id, cancelled.reason).await
            }
            // Its sections are cancelled one by one where the catalog decides so.
            Some(Kind::ProviderSuspended(_)) | None => Ok(()),
        }
    }
}

impl FollowCatalog {
    /// Gives back everything in a cancelled section. One that was never published here has nothing to give back.
    async fn cancel(&self, tx: &Tx, id: Id<SectionKind>, reason: String) -> Result<(), Status> {
        let Some(mut section) = store::section::lock(tx, [id]).await?.pop() else {
            return Ok(());
        };
        section.state = State::Cancelled { reason: reason.clone() };
        store::section::save_state(tx, &section).await?;
        let release = Release { reason: ReleaseReason::SectionCancelled, note: reason };
        let live = store::enrollment::lock_live_of_section(tx, section.district_id, id).await?;
        let changes = live.into_iter().map(|enrollment| {
            let change = enrollment::lose(&enrollment, release.clone());
            (enrollment, change)
        });
        change::make(tx, &mut [section], changes.collect(), tx.now(self.clock.as_ref()).await?).await?;
        Ok(())
    }
}

fn broken(what: &str) -> Status {
    Status::invalid_argument(format!("{what} cannot be read"))
}

fn path(texts: &[String]) -> Result<Vec<Uuid>, Status> {
    let path: Result<Vec<Uuid>, _> = texts.iter().map(|text| text.parse()).collect();
    path.ok().filter(|path| path.len() == 3).ok_or_else(|| broken("path"))
}

fn term(message: message::Term) -> Result<Term, Status> {
    let path = path(&message.path)?;
    let day = |text: &str| text.parse::<NaiveDate>().map_err(|_| broken("a day"));
    Ok(Term {
        id: message.id.parse().map_err(|_| broken("id"))?,
        district_id: Id::new(path[0]),
        school_id: Id::new(path[2]),
        first_day: day(&message.first_day)?,
        last_day: day(&message.last_day)?,
        off_days: message.off_days.iter().map(|text| day(text)).collect::<Result<_, _>>()?,
        policy_version: message.policy_version,
        path,
    })
}

fn section(message: message::Section) -> Result<Section, Status> {
    let path = path(&message.path)?;
    let provider_id = match message.provider_id.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| broken("provider_id"))?),
    };
    let is_extended = |slot: &message::Slot| slot.kind() == message::slot::Kind::Extended;
    Ok(Section {
        id: message.id.parse().map_err(|_| broken("id"))?,
        district_id: Id::new(path[0]),
        school_id: Id::new(path[2]),
        term_id: message.term_id.parse().map_err(|_| broken("term_id"))?,
        title: message.title,
        provider_id,
        grades: message.grades,
        slots: message.slots.iter().map(slot).collect::<Result<_, _>>()?,
        seats: Seats {
            capacity_count: message.capacity_count,
            taken_count: 0,
            waitlisted_count: 0,
            last_waitlist_number: 0,
            promised_count: 0,
            basic_care: message.basic_care,
        },
        left_over: false,
        extended_care: !message.slots.is_empty() && message.slots.iter().all(is_extended),
        state: State::Published,
        path,
    })
}

fn slot(message: &message::Slot) -> Result<Slot, Status> {
    Ok(Slot {
        weekday: message.weekday,
        start_minute: minute(&message.start_time)?,
        end_minute: minute(&message.end_time)?,
        id: message.id.parse().map_err(|_| broken("slot"))?,
    })
}

/// Minutes after midnight of `HH:MM`.
fn minute(text: &str) -> Result<i32, Status> {
    let (hour, minute) = text.split_once(':').ok_or_else(|| broken("a time"))?;
    let part = |text: &str, below: i32| text.parse::<i32>().ok().filter(|part| (0..below).contains(part));
    match (part(hour, 24), part(minute, 60)) {
        (Some(hour), Some(minute)) => Ok(hour * 60 + minute),
        _ => Err(broken("a time")),
    }
}
