//! Hands pupils over to the next responsible adult.

use std::collections::{BTreeSet, HashMap};

use proto::enrollment::v1::{HandOverRequest, HandOverResponse};
use shared::caller::{Caller, StaffPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Duty as DutyKind, Id, Pupil, Violations};
use shared::{db, status};
use tonic::Status;
use uuid::Uuid;

use super::open_question::may_help;
use super::sight::{self, STAFF};
use super::{DayRpc, convert, custody as reading, error};
use crate::domain::day::custody::{self, Holder};
use crate::domain::day::duty::Duty;
use crate::domain::day::local;
use crate::{custody as change, store};

/// The most pupils in one call.
const PUPIL_COUNT: usize = 100;

struct Parsed {
    request_id: Uuid,
    pupil_ids: Vec<Id<Pupil>>,
    duty_id: Id<DutyKind>,
}

/// Hands pupils over.
pub async fn hand_over(
    rpc: &DayRpc,
    caller: &Caller,
    request: HandOverRequest,
) -> Result<HandOverResponse, Status> {
    let permit = caller.staff(STAFF)?;
    let parsed = parse(&request)?;
    let by = caller.key();
    let content = HandOverRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&by, "HandOver", parsed.request_id, &content);
    db::retry(|| hand(rpc, &permit, &key, &parsed, &by)).await
}

fn parse(request: &HandOverRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let duty_id = violations.field("duty_id", request.duty_id.parse());
    let pupil_ids = pupil_ids(&mut violations, &request.pupil_ids, PUPIL_COUNT);
    match (request_id, duty_id) {
        (Some(request_id), Some(duty_id)) if violations.is_empty() => {
            Ok(Parsed { request_id, pupil_ids, duty_id })
        }
        _ => Err(status::invalid(&violations)),
    }
}

/// Reads a list of pupils, each of whom may stand in it once.
pub fn pupil_ids(violations: &mut Violations, texts: &[String], most: usize) -> Vec<Id<Pupil>> {
    violations.check("pupil_ids", (1..=most).contains(&texts.len()), &format!("must be 1 to {most} pupils"));
    let mut seen = BTreeSet::new();
    for (index, text) in texts.iter().enumerate().take(most) {
        let field = format!("pupil_ids[{index}]");
        if let Some(id) = violations.field(&field, text.parse::<Id<Pupil>>()) {
            violations.check(&field, seen.insert(id), "must be another than those before it");
        }
    }
    seen.into_iter().collect()
}

async fn hand(
    rpc: &DayRpc,
    permit: &StaffPermit,
    key: &RequestKey,
    parsed: &Parsed,
    by: &str,
) -> Result<HandOverResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let unknown = || status::not_found("duty", parsed.duty_id);
    let duty = store::day::duty::lock(&tx, parsed.duty_id).await?.ok_or_else(unknown)?;
    let pupils = store::pupil::lock(&tx, &parsed.pupil_ids).await?;
    let now = rpc.clock.now();
    let today = local::day(now);
    let (district_id, school_id) = (duty.district_id, duty.school_id);
    let duties = store::day::duty::list(&tx, district_id, school_id, today, today).await?;
    let held =
        store::day::custody::find_all(&tx, district_id, parsed.pupil_ids.iter().copied(), today).await?;
    let held: HashMap<_, _> = held.into_iter().map(|custody| (custody.pupil_id, custody)).collect();
    for id in &parsed.pupil_ids {
        let pupil = pupils.iter().find(|pupil| pupil.id == *id && pupil.school_id == school_id);
        let pupil = pupil.ok_or_else(|| status::not_found("pupil", id))?;
        let holds = held.get(id).is_some_and(|held| sight::holds(permit, &held.state, &duties, today));
        let takes = duty.staff_id == permit.id();
        if !holds && !takes && !sight::answers_for(permit, pupil, &duties, today) {
            // Whoever teaches the pupil may know that somebody else holds them.
            if may_help(rpc, &tx, permit, pupil).await? {
                return Err(error::custody(custody::Error::NotHeld, *id));
            }
            return Err(status::not_found("pupil", id));
        }
    }
    check_today(&duty, today)?;
    let to = Holder::of(&duty);
    let record = change::Record { recorder: by, note: "", at: now, now };
    for pupil in &pupils {
        let before = held.get(&pupil.id);
        let next = custody::hand_over(before, to).map_err(|refusal| error::custody(refusal, pupil.id))?;
        if let Some(next) = next {
            let due_at = before.map_or(now, |before| before.due_at);
            change::step(&tx, pupil, today, before, next, due_at, &record).await?;
        }
    }
    let places = reading::places(rpc, district_id, school_id).await?;
    let response = HandOverResponse { holder: Some(convert::holder(&to, &places, &duties)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}

fn check_today(duty: &Duty, today: chrono::NaiveDate) -> Result<(), Status> {
    if duty.holds_on(today) { Ok(()) } else { Err(status::refused("DUTY_NOT_TODAY", &[])) }
}
