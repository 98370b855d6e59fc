//! Books a place in a trial.

use std::collections::HashMap;

use proto::enrollment::v1::{BookTrialRequest, BookTrialResponse};
use shared::caller::Caller;
use shared::db::Tx;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Guardian, Id, Pupil as PupilKind, Trial as TrialKind, Violations};
use shared::{db, random, status};
use tonic::Status;
use uuid::Uuid;

use super::{EnrollmentRpc, refused};
use crate::domain::trial::{self, Booking, Other, State, Trial};
use crate::store;

struct Parsed {
    request_id: Uuid,
    trial_id: Id<TrialKind>,
    pupil_id: Id<PupilKind>,
}

/// Books a place.
pub async fn book_trial(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    request: BookTrialRequest,
) -> Result<BookTrialResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let trial_id = violations.field("trial_id", request.trial_id.parse());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let (Some(request_id), Some(trial_id), Some(pupil_id)) = (request_id, trial_id, pupil_id) else {
        return Err(status::invalid(&violations));
    };
    let parsed = Parsed { request_id, trial_id, pupil_id };
    let district_id = permit.pupil(pupil_id)?.path.district();
    let trial = store::trial::find(rpc.db.read(), trial_id).await?;
    let trial = trial
        .filter(|trial| Some(trial.district_id) == district_id)
        .ok_or_else(|| status::not_found("trial", trial_id))?;
    let content = BookTrialRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "BookTrial", parsed.request_id, &content);
    db::retry(|| book(rpc, &key, &parsed, &trial, permit.id())).await
}

async fn book(
    rpc: &EnrollmentRpc,
    key: &RequestKey,
    parsed: &Parsed,
    found: &Trial,
    guardian_id: Id<Guardian>,
) -> Result<BookTrialResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    // The pupil first, as for a seat: who books two trials, or a trial and a seat, at once does it one after the other.
    let pupil = store::pupil::lock(&tx, &[parsed.pupil_id]).await?.pop();
    let pupil = pupil.ok_or_else(|| status::not_found("pupil", parsed.pupil_id))?;
    let missing = || status::not_found("trial", parsed.trial_id);
    let trial = store::trial::lock(&tx, found.id).await?.ok_or_else(missing)?;
    let section = store::section::find(&tx, trial.section_id).await?.ok_or_else(missing)?;
    let mut booked = store::trial::list_booked_of(&tx, trial.district_id, pupil.id).await?;
    let known = booked.iter().position(|booking| booking.trial_id == trial.id);
    let (booking, trial) = match known {
        Some(known) => (booked.swap_remove(known), trial),
        None => {
            let live =
                store::enrollment::find_for(&tx, &[trial.district_id].into(), &[pupil.id], &[]).await?;
            let places = store::place::of(&tx, &live, std::slice::from_ref(&section)).await?;
            let places = places.get(&pupil.id).map(Vec::as_slice).unwrap_or_default();
            let others = others(&tx, &booked).await?;
            let now = rpc.clock.now();
            let booked_count = trial::book(&trial, &section, &pupil, places, &others, now)
                .map_err(|error| refused(&error))?;
            let booking = Booking {
                id: random::id(now),
                district_id: trial.district_id,
                trial_id: trial.id,
                pupil_id: pupil.id,
                guardian_id,
                created_at: now,
                state: State::Booked,
            };
            store::trial::insert_booking(&tx, &booking).await?;
            store::trial::save_booked(&tx, &trial, booked_count).await?;
            (booking, Trial { booked_count, ..trial })
        }
    };
    let response = BookTrialResponse {
        booking: Some(super::booking(&booking)),
        trial: Some(super::trial(&trial, &section.title)),
    };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}

/// The trials of bookings, as far as they may clash.
async fn others(tx: &Tx, booked: &[Booking]) -> Result<Vec<Other>, Status> {
    let trials = store::trial::find_all(tx, booked.iter().map(|booking| booking.trial_id)).await?;
    let sections: Vec<_> = trials.iter().map(|trial| trial.section_id).collect();
    let sections = store::section::find_all(tx, sections).await?;
    let titles: HashMap<_, _> = sections.into_iter().map(|section| (section.id, section.title)).collect();
    let other = |trial: Trial| Other {
        section_title: titles.get(&trial.section_id).cloned().unwrap_or_default(),
        starts_at: trial.starts_at,
        ends_at: trial.ends_at,
    };
    Ok(trials.into_iter().map(other).collect())
}
