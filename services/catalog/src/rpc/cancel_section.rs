//! `CancelSection`.

use proto::catalog::v1::{CancelSectionRequest, CancelSectionResponse};
use shared::caller::{Caller, Role};
use shared::request::{self, Claimed, RequestKey};
use shared::status::not_found;
use shared::value::{self, Id};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::{Catalog, event};
use crate::domain::section::{self, Cancelled};
use crate::store;
use crate::store::term::MenuChange;

struct Command {
    request_id: Uuid,
    section_id: Id<value::Section>,
    reason: String,
}

/// Cancels a section with a reason.
pub async fn cancel_section(
    catalog: &Catalog,
    caller: &Caller,
    request: CancelSectionRequest,
) -> Result<CancelSectionResponse, Status> {
    let permit = caller.staff(&[Role::Principal])?;
    let command = parse(&request)?;
    let content = CancelSectionRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "CancelSection", command.request_id, &content);

    let tx = catalog.db.begin().await?;
    let claim = match request::claim(&tx, &key, catalog.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let section_id = command.section_id;
    let missing = || not_found("section", section_id);
    let term_id = store::section::term_of(&tx, section_id).await?.ok_or_else(missing)?;
    let term = store::term::lock(&tx, term_id).await?.ok_or_else(missing)?;
    permit.reach(&convert::school_path(&term.path), "section", section_id)?;
    let term_slots = store::slot::of_term(&tx, &term).await?;
    let mut section = store::section::find(&tx, &term, &term_slots, section_id).await?.ok_or_else(missing)?;
    let now = catalog.clock.now();
    let (next, cancelled) = section::cancel(&section.state, &command.reason);
    section.state = next;
    if cancelled.is_some() {
        store::section::cancel(&tx, &term, section_id, &command.reason, now).await?;
    }
    if let Some(Cancelled { was_published: true }) = cancelled {
        store::term::change_menu(&tx, &term, MenuChange::Cancelled, 1, now).await?;
        event::section_cancelled(&tx, &section, &command.reason, now).await?;
    }
    let answer = CancelSectionResponse { section: Some(convert::section(&section)) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

fn parse(request: &CancelSectionRequest) -> Result<Command, Status> {
    let mut fields = Fields::default();
    let request_id = fields.uuid("request_id", &request.request_id);
    let section_id = fields.id("section_id", &request.section_id);
    let reason = fields.text("reason", &request.reason, 1, 400);
    let command = request_id.zip(section_id).zip(reason);
    fields.finish(command.map(|((request_id, section_id), reason)| Command {
        request_id,
        section_id,
        reason,
    }))
}
