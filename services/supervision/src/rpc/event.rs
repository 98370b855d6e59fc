//! Telling the others.

use proto::supervision::v1::event::Kind;
use proto::supervision::v1::{Event, TicketClosed, TicketReplied};
use shared::db::{Error, Tx};
use shared::feed::{self, NewEvent};
use shared::value::{Id, Moment, Ticket as TicketKind};

use crate::domain::ticket::Ticket;

/// Tells that a ticket was answered.
pub async fn ticket_replied(tx: &Tx, id: Id<TicketKind>, ticket: &Ticket, now: Moment) -> Result<(), Error> {
    let replied = Kind::TicketReplied(TicketReplied { ticket_id: id.to_string() });
    tell(tx, id, ticket, "ticket_replied", replied, now).await
}

/// Tells that a ticket ended.
pub async fn ticket_closed(tx: &Tx, id: Id<TicketKind>, ticket: &Ticket, now: Moment) -> Result<(), Error> {
    let closed = Kind::TicketClosed(TicketClosed { ticket_id: id.to_string(), late: ticket.is_late(now) });
    tell(tx, id, ticket, "ticket_closed", closed, now).await
}

async fn tell(
    tx: &Tx,
    id: Id<TicketKind>,
    ticket: &Ticket,
    name: &'static str,
    kind: Kind,
    now: Moment,
) -> Result<(), Error> {
    let payload = Event { kind: Some(kind) };
    let event = NewEvent {
        district_id: ticket.school.district_id,
        subject_id: id.uuid(),
        name,
        payload: &payload,
        happened_at: now,
    };
    Ok(feed::append(tx, event).await?)
}
