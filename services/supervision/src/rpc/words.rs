//! What people write: sealed in rows, opened for answers, and left out of answers that are kept for repeats.
//!
//! How to reach the complainant is sealed as `ticket.contact:<ticket id>`; the rest as [`crate::writing`] has it.

use proto::supervision::v1 as message;
use shared::db;
use shared::db::Tx;
use shared::value::{Id, Moment, Ticket as TicketKind};
use tonic::Status;

use super::{Supervision, convert};
use crate::domain::ticket::Ticket;
use crate::store::ticket::{self, Entry, Sheet};
pub use crate::writing::Done;
use crate::writing::{self, entry_context, text_context, unsealed};

impl Supervision {
    /// Seals a complaint's text.
    pub fn seal_text(&self, id: Id<TicketKind>, text: &str) -> Result<Vec<u8>, Status> {
        writing::seal_text(&self.sealer, id, text)
    }

    /// Seals how to reach a complainant; none when they do not wish it.
    pub fn seal_contact(&self, id: Id<TicketKind>, contact: &str) -> Result<Option<Vec<u8>>, Status> {
        let seal = || self.sealer.seal(&format!("ticket.contact:{id}"), contact).map_err(unsealed);
        if contact.is_empty() { Ok(None) } else { seal().map(Some) }
    }

    /// Writes down what was done to a ticket that is locked, or new.
    pub async fn write_down(
        &self,
        tx: &Tx,
        id: Id<TicketKind>,
        ticket: &Ticket,
        done: &Done<'_>,
        now: Moment,
    ) -> Result<(), Status> {
        writing::write_down(&self.sealer, tx, id, ticket, done, now).await
    }

    /// A changed ticket as its answer shows it.
    pub async fn shown(
        &self,
        tx: &Tx,
        sheet: &Sheet,
        ticket: &Ticket,
        now: Moment,
    ) -> Result<message::Ticket, Status> {
        let entries = ticket::entries(tx, sheet.id).await?;
        self.opened(sheet, ticket, &entries, now)
    }

    /// A ticket with its words.
    pub fn opened(
        &self,
        sheet: &Sheet,
        ticket: &Ticket,
        entries: &[Entry],
        now: Moment,
    ) -> Result<message::Ticket, Status> {
        let mut shown = convert::ticket(sheet, ticket, entries, now);
        shown.text = self.open_text(sheet)?;
        for (shown, entry) in shown.entries.iter_mut().zip(entries) {
            shown.text = self.open_entry(sheet.id, entry)?;
        }
        Ok(shown)
    }

    /// Gives a kept answer its words back: those of a ticket and of an entry never change.
    pub async fn with_words(
        &self,
        tx: &Tx,
        kept: Option<message::Ticket>,
    ) -> Result<Option<message::Ticket>, Status> {
        let Some(mut kept) = kept else { return Ok(None) };
        let broken = |why: &str| db::Error::inconsistent("request", &kept.id, why);
        let id: Id<TicketKind> = kept.id.parse().map_err(|_| broken("its answer names no ticket"))?;
        let (sheet, _) = ticket::find(tx, id).await?.ok_or_else(|| broken("its ticket is not there"))?;
        let entries = ticket::entries(tx, id).await?;
        kept.text = self.open_text(&sheet)?;
        // Entries are only ever added: the answer has the first ones.
        for (shown, entry) in kept.entries.iter_mut().zip(&entries) {
            shown.text = self.open_entry(id, entry)?;
        }
        Ok(Some(kept))
    }

    fn open_text(&self, sheet: &Sheet) -> Result<String, Status> {
        self.sealer.open(&text_context(sheet.id), &sheet.text_sealed).map_err(unsealed)
    }

    fn open_entry(&self, id: Id<TicketKind>, entry: &Entry) -> Result<String, Status> {
        let open =
            |sealed: &Vec<u8>| self.sealer.open(&entry_context(id, entry.number), sealed).map_err(unsealed);
        entry.text_sealed.as_ref().map_or_else(|| Ok(String::new()), open)
    }
}

/// An answer as it is kept for repeats: nothing in it that somebody wrote.
pub fn without_words(ticket: &message::Ticket) -> Option<message::Ticket> {
    let mut kept = ticket.clone();
    kept.text.clear();
    for entry in &mut kept.entries {
        entry.text.clear();
    }
    Some(kept)
}
