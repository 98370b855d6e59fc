//! `AddSlots`.

use std::collections::BTreeSet;

use policy::time::Flag;
use proto::catalog::v1::{AddSlotsRequest, AddSlotsResponse};
use shared::caller::Caller;
use shared::random;
use shared::request::{self, Claimed, RequestKey};
use shared::status::not_found;
use shared::value::{self, Id};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::{Catalog, SCHOOL_STAFF};
use crate::domain::slot::{self, Period, Slot};
use crate::store;

struct Command {
    request_id: Uuid,
    term_id: Id<value::Term>,
    periods: Vec<Period>,
    justification: Option<String>,
}

/// Adds weekly slots to a term, all or none.
pub async fn add_slots(
    catalog: &Catalog,
    caller: &Caller,
    request: AddSlotsRequest,
) -> Result<AddSlotsResponse, Status> {
    let permit = caller.staff(SCHOOL_STAFF)?;
    let command = parse(&request)?;
    let content = AddSlotsRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "AddSlots", command.request_id, &content);

    let tx = catalog.db.begin().await?;
    let claim = match request::claim(&tx, &key, catalog.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let term_id = command.term_id;
    let term = store::term::lock(&tx, term_id).await?.ok_or_else(|| not_found("term", term_id))?;
    permit.reach(&convert::school_path(&term.path), "term", term_id)?;
    let present = store::slot::of_term(&tx, &term).await?;
    let now = catalog.clock.now();
    let policy = catalog.policy_of(&term)?;
    let justification = command.justification.as_deref();
    let flags = slot::add(&policy, &term.calendar, &present, &command.periods, justification)?;

    let mut ids: Vec<Id<value::Slot>> = command.periods.iter().map(|_| random::id(now)).collect();
    ids.sort_unstable();
    let slots = ids.into_iter().zip(command.periods).map(|(id, period)| Slot { id, term_id, period });
    let flags = flags.iter().map(|flags| flags.iter().map(flag_name).collect::<Vec<_>>());
    let added: Vec<(Slot, Vec<&'static str>)> = slots.zip(flags).collect();
    store::slot::insert(&tx, &term, &added, justification, now).await?;

    let names: BTreeSet<&str> = added.iter().flat_map(|(_, flags)| flags.iter().copied()).collect();
    let answer = AddSlotsResponse {
        slots: added.iter().map(|(slot, _)| convert::slot(slot)).collect(),
        flags: names.into_iter().map(str::to_owned).collect(),
    };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

const fn flag_name(flag: &Flag) -> &'static str {
    match flag {
        Flag::EndBeforePrinciple { .. } => "END_BEFORE_PRINCIPLE",
        Flag::AdjustedByPlan { .. } => "ADJUSTED_BY_PLAN",
        Flag::PartNotNamed { .. } => "PART_NOT_NAMED",
        Flag::TeachingEndUnknown { .. } => "TEACHING_END_UNKNOWN",
    }
}

fn parse(request: &AddSlotsRequest) -> Result<Command, Status> {
    let mut fields = Fields::default();
    let request_id = fields.uuid("request_id", &request.request_id);
    let term_id = fields.id("term_id", &request.term_id);
    let is_countable = (1..=40).contains(&request.slots.len());
    fields.0.check("slots", is_countable, "must be 1 to 40 slots");
    let slots = request.slots.iter().take(40).enumerate();
    let periods = slots.filter_map(|(index, slot)| fields.period(&format!("slots[{index}]"), slot)).collect();
    let justification =
        fields.text("justification", &request.justification, 0, 400).filter(|text| !text.is_empty());
    let ids = request_id.zip(term_id);
    fields.finish(ids.map(|(request_id, term_id)| Command { request_id, term_id, periods, justification }))
}
