//! Telling the others.

use proto::catalog::v1::event::Kind;
use proto::catalog::v1::{Event, ProviderSuspended, SectionCancelled, SectionPublished, TermOpened};
use shared::db::{Error, Tx};
use shared::feed::{self, NewEvent};
use shared::value::{self, Id, Moment};

use super::convert;
use crate::domain::node::ListPlace;
use crate::domain::section::Section;
use crate::domain::term::Term;

/// Tells that a school opened a term.
pub async fn term_opened(tx: &Tx, term: &Term, now: Moment) -> Result<(), Error> {
    let payload = Event { kind: Some(Kind::TermOpened(TermOpened { term: Some(convert::term(term)) })) };
    let event = NewEvent {
        district_id: term.path.district_id,
        subject_id: term.id.uuid(),
        name: "term_opened",
        payload: &payload,
        happened_at: now,
    };
    Ok(feed::append(tx, event).await?)
}

/// Tells that sections came onto a menu, in the order given.
pub async fn sections_published(tx: &Tx, sections: &[Section], now: Moment) -> Result<(), Error> {
    let payload = |section| {
        let published = SectionPublished { section: Some(convert::section(section)) };
        Event { kind: Some(Kind::SectionPublished(published)) }
    };
    let payloads: Vec<Event> = sections.iter().map(payload).collect();
    let events = sections.iter().zip(&payloads).map(|(section, payload)| NewEvent {
        district_id: section.course.path.district_id,
        subject_id: section.id.uuid(),
        name: "section_published",
        payload,
        happened_at: now,
    });
    Ok(feed::append_all(tx, &events.collect::<Vec<_>>()).await?)
}

/// Tells that a section was cancelled.
pub async fn section_cancelled(tx: &Tx, section: &Section, reason: &str, now: Moment) -> Result<(), Error> {
    let cancelled = SectionCancelled { section_id: section.id.to_string(), reason: reason.to_owned() };
    let payload = Event { kind: Some(Kind::SectionCancelled(cancelled)) };
    let event = NewEvent {
        district_id: section.course.path.district_id,
        subject_id: section.id.uuid(),
        name: "section_cancelled",
        payload: &payload,
        happened_at: now,
    };
    Ok(feed::append(tx, event).await?)
}

/// Tells that a provider was suspended on one list.
pub async fn provider_suspended(
    tx: &Tx,
    provider_id: Id<value::Provider>,
    place: ListPlace,
    now: Moment,
) -> Result<(), Error> {
    let suspended = ProviderSuspended { provider_id: provider_id.to_string(), path: convert::place(place) };
    let payload = Event { kind: Some(Kind::ProviderSuspended(suspended)) };
    let event = NewEvent {
        district_id: place.district_id(),
        subject_id: provider_id.uuid(),
        name: "provider_suspended",
        payload: &payload,
        happened_at: now,
    };
    Ok(feed::append(tx, event).await?)
}
