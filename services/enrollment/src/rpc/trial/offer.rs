//! Offers a lesson for trial.

use chrono::NaiveDate;
use proto::enrollment::v1::{OfferTrialRequest, OfferTrialResponse};
use shared::caller::{Caller, NodePath, Role};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Section as SectionKind, Slot, Violations};
use shared::{db, random, status};
use tonic::Status;
use uuid::Uuid;

use super::{EnrollmentRpc, refused};
use crate::domain::day::lesson;
use crate::domain::trial::{self, Trial};
use crate::store;

/// Who offers trials.
const ROLES: &[Role] = &[Role::TeachingOffice, Role::Principal];

struct Parsed {
    request_id: Uuid,
    section_id: Id<SectionKind>,
    day: NaiveDate,
    slot_id: Id<Slot>,
    place_count: i32,
}

/// Offers a trial.
pub async fn offer_trial(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    request: OfferTrialRequest,
) -> Result<OfferTrialResponse, Status> {
    let permit = caller.staff(ROLES)?;
    let parsed = parse(&request)?;
    let section = store::section::find(rpc.db.read(), parsed.section_id).await?;
    let section = section.ok_or_else(|| status::not_found("section", parsed.section_id))?;
    permit.reach(&NodePath::new(section.path.clone()), "section", section.id)?;
    let content = OfferTrialRequest { request_id: String::new(), ..request };
    let by = caller.key();
    let key = RequestKey::new(&by, "OfferTrial", parsed.request_id, &content);
    db::retry(|| offer(rpc, &key, &parsed, &by)).await
}

fn parse(request: &OfferTrialRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let key =
        crate::rpc::day::lesson_key(&mut violations, &request.section_id, &request.day, &request.slot_id);
    violations.check("place_count", (1..=500).contains(&request.place_count), "must be 1 to 500");
    match (request_id, key) {
        (Some(request_id), Some(key)) if violations.is_empty() => Ok(Parsed {
            request_id,
            section_id: key.section_id,
            day: key.day,
            slot_id: key.slot_id,
            place_count: request.place_count,
        }),
        _ => Err(status::invalid(&violations)),
    }
}

async fn offer(
    rpc: &EnrollmentRpc,
    key: &RequestKey,
    parsed: &Parsed,
    by: &str,
) -> Result<OfferTrialResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    // Whoever offers a lesson of the section waits for the others.
    let section = store::section::lock(&tx, [parsed.section_id]).await?.pop();
    let section = section.ok_or_else(|| status::not_found("section", parsed.section_id))?;
    let term = store::term::find(&tx, section.term_id).await?;
    let term = term.ok_or_else(|| status::not_found("section", section.id))?;
    let now = rpc.clock.now();
    // When its register would close is of no account here.
    let lesson = lesson::plan(random::id(now), &section, &term, parsed.day, parsed.slot_id, 0)
        .map_err(|error| crate::rpc::day::lesson_refused(&error))?;
    trial::offer(lesson.starts_at, now).map_err(|error| refused(&error))?;
    let known = store::trial::find_of_lesson(&tx, section.id, parsed.day, parsed.slot_id).await?;
    if let Some(known) = known {
        return Err(status::refused("TRIAL_OFFERED", &[("trial_id", known.id.to_string())]));
    }
    let trial = Trial {
        id: random::id(now),
        district_id: section.district_id,
        school_id: section.school_id,
        path: section.path.clone(),
        term_id: section.term_id,
        section_id: section.id,
        day: parsed.day,
        slot_id: parsed.slot_id,
        starts_at: lesson.starts_at,
        ends_at: lesson.ends_at,
        place_count: parsed.place_count,
        booked_count: 0,
    };
    store::trial::insert(&tx, &trial, by, now).await?;
    let response = OfferTrialResponse { trial: Some(super::trial(&trial, &section.title)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
