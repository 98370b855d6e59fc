//! Lists trials and bookings.

use std::collections::HashMap;

use proto::enrollment::v1::list_bookings_response::Entry;
use proto::enrollment::v1::{
    self as message, ListBookingsRequest, ListBookingsResponse, ListTrialsRequest, ListTrialsResponse,
};
use shared::caller::Caller;
use shared::status;
use shared::value::{Id, Page, PageToken, Term as TermKind, Violations};
use tonic::Status;
use uuid::Uuid;

use super::EnrollmentRpc;
use crate::domain::trial::Trial;
use crate::store;

/// Lists a term's trials.
pub async fn list_trials(
    rpc: &EnrollmentRpc,
    request: &ListTrialsRequest,
) -> Result<ListTrialsResponse, Status> {
    let mut violations = Violations::default();
    let term_id = violations.field("term_id", request.term_id.parse::<Id<TermKind>>());
    let term_id = term_id.ok_or_else(|| status::invalid(&violations))?;
    let term = store::term::find(rpc.db.read(), term_id).await?;
    let term = term.ok_or_else(|| status::not_found("term", term_id))?;
    let trials = store::trial::list(rpc.db.read(), term.district_id, term.id).await?;
    Ok(ListTrialsResponse { trials: titled(rpc, &trials).await? })
}

/// Lists a pupil's bookings.
pub async fn list_bookings(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    request: &ListBookingsRequest,
) -> Result<ListBookingsResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let page = violations.field("page_token", Page::<Uuid>::parse(request.page_size, &request.page_token));
    let (Some(pupil_id), Some(page)) = (pupil_id, page) else {
        return Err(status::invalid(&violations));
    };
    let pupil = permit.pupil(pupil_id)?;
    let district_id = pupil.path.district().ok_or_else(|| status::not_found("pupil", pupil_id))?;
    let bookings = store::trial::list_bookings(rpc.db.read(), district_id, pupil_id, &page).await?;
    let trials = bookings.iter().map(|booking| booking.trial_id);
    let trials = store::trial::find_all(rpc.db.read(), trials).await?;
    let trials: HashMap<_, _> =
        titled(rpc, &trials).await?.into_iter().map(|trial| (trial.id.clone(), trial)).collect();
    let is_full = u64::try_from(bookings.len()).is_ok_and(|count| count == page.size);
    let last = bookings.last().filter(|_| is_full);
    let next_page_token = last.map(|last| PageToken::of(&last.id.uuid()).into_text()).unwrap_or_default();
    let entries = bookings
        .iter()
        .map(|booking| Entry {
            booking: Some(super::booking(booking)),
            trial: trials.get(&booking.trial_id.to_string()).cloned(),
        })
        .collect();
    Ok(ListBookingsResponse { entries, next_page_token })
}

/// Trials with the titles of their sections, in the order given.
async fn titled(rpc: &EnrollmentRpc, trials: &[Trial]) -> Result<Vec<message::Trial>, Status> {
    let sections: Vec<_> = trials.iter().map(|trial| trial.section_id).collect();
    let sections = store::section::find_all(rpc.db.read(), sections).await?;
    let titles: HashMap<_, _> = sections.into_iter().map(|section| (section.id, section.title)).collect();
    let title = |trial: &Trial| titles.get(&trial.section_id).map(String::as_str).unwrap_or_default();
    Ok(trials.iter().map(|trial| super::trial(trial, title(trial))).collect())
}
