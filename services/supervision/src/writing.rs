//! Writing down what was done with tickets, whoever does it: the methods people call, or what runs without a caller. Words are
//! sealed.
//!
//! | what | sealed as |
//! |---|---|
//! | a complaint's text | `ticket.text:<ticket id>` |
//! | the words of an entry | `entry.text:<ticket id>:<number>` |

use shared::db::Tx;
use shared::seal::{SealError, Sealer};
use shared::status;
use shared::value::{Id, Moment, Ticket as TicketKind};
use tonic::Status;

use crate::domain::ticket::{Action, Ticket};
use crate::store::ticket::{self, Entry};

/// The role, in entries, of whoever complains.
pub const COMPLAINANT: &str = "complainant";

/// Something that was done, to be written down.
pub struct Done<'a> {
    /// What.
    pub action: Action,
    /// The role of who did it, or [`COMPLAINANT`].
    pub actor_role: &'a str,
    /// Who it was; never shown.
    pub actor_key: &'a str,
    /// The words that came with it; may be empty.
    pub text: &'a str,
}

/// Seals a complaint's text.
///
/// # Errors
/// When the ring has no key to seal with.
pub fn seal_text(sealer: &Sealer, id: Id<TicketKind>, text: &str) -> Result<Vec<u8>, Status> {
    sealer.seal(&text_context(id), text).map_err(unsealed)
}

/// Writes down what was done to a ticket that is locked, or new.
///
/// # Errors
/// When the database refuses, or the ring has no key to seal with.
pub async fn write_down(
    sealer: &Sealer,
    tx: &Tx,
    id: Id<TicketKind>,
    ticket: &Ticket,
    done: &Done<'_>,
    now: Moment,
) -> Result<(), Status> {
    let number = ticket::next_entry_number(tx, id).await?;
    let seal = || sealer.seal(&entry_context(id, number), done.text).map_err(unsealed);
    let entry = Entry {
        number,
        action: done.action,
        actor_role: done.actor_role.to_owned(),
        actor_key: done.actor_key.to_owned(),
        text_sealed: if done.text.is_empty() { None } else { Some(seal()?) },
        created_at: now,
    };
    Ok(ticket::add_entry(tx, ticket.school.district_id, id, &entry).await?)
}

/// What a ticket's text is sealed with.
pub fn text_context(id: Id<TicketKind>) -> String {
    format!("ticket.text:{id}")
}

/// What the words of an entry are sealed with.
pub fn entry_context(id: Id<TicketKind>, number: i32) -> String {
    format!("entry.text:{id}:{number}")
}

/// A word that could not be sealed or opened.
pub fn unsealed(error: SealError) -> Status {
    status::internal(&error)
}
