//! Checks a pupil out: records who takes the pupil, and who handed the pupil over.

use proto::enrollment::v1::{CheckOutRequest, CheckOutResponse, CheckOutWay};
use shared::caller::{Caller, StaffPermit};
use shared::db::Tx;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Collector as CollectorKind, Guardian, Id, Pupil as PupilKind, Violations};
use shared::{db, status};
use tonic::Status;
use uuid::Uuid;

use super::correct_mark::REASON_LENGTH;
use super::open_question::may_help;
use super::sight::{self, STAFF};
use super::{DayRpc, error};
use crate::domain::day::collector::{self, Collector, Kind};
use crate::domain::day::custody::{self, Way};
use crate::domain::day::local;
use crate::domain::pupil::Pupil;
use crate::event::timestamp;
use crate::{custody as change, store};

struct Parsed {
    request_id: Uuid,
    pupil_id: Id<PupilKind>,
    leaving: Leaving,
}

/// How a pupil leaves, as the caller says.
enum Leaving {
    Guardian(Id<Guardian>),
    Collector { id: Id<CollectorKind>, code: String },
    Alone,
    NotHere { reason: String },
}

/// Checks a pupil out.
pub async fn check_out(
    rpc: &DayRpc,
    caller: &Caller,
    request: CheckOutRequest,
) -> Result<CheckOutResponse, Status> {
    let permit = caller.staff(STAFF)?;
    let parsed = parse(&request)?;
    let by = caller.key();
    let content = CheckOutRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&by, "CheckOut", parsed.request_id, &content);
    let (permit, key, parsed, by) = (&permit, &key, &parsed, by.as_str());
    db::retry(|| let_go(rpc, permit, key, parsed, by)).await
}

fn parse(request: &CheckOutRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let way = request.way();
    let belongs = [
        ("guardian_id", &request.guardian_id, CheckOutWay::Guardian),
        ("collector_id", &request.collector_id, CheckOutWay::Collector),
        ("code", &request.code, CheckOutWay::Collector),
        ("reason", &request.reason, CheckOutWay::NotHere),
    ];
    for (field, text, of) in belongs {
        violations.check(field, text.is_empty() || way == of, "does not belong to this way");
    }
    let leaving = match way {
        CheckOutWay::Unspecified => {
            violations.note("way", "must say how the pupil leaves");
            None
        }
        CheckOutWay::Guardian => {
            violations.field("guardian_id", request.guardian_id.parse()).map(Leaving::Guardian)
        }
        CheckOutWay::Collector => {
            let code = violations.text("code", &request.code, 0, 6);
            let id = violations.field("collector_id", request.collector_id.parse());
            id.zip(code).map(|(id, code)| Leaving::Collector { id, code })
        }
        CheckOutWay::Alone => Some(Leaving::Alone),
        CheckOutWay::NotHere => {
            let reason = violations.text("reason", &request.reason, 0, REASON_LENGTH);
            reason.map(|reason| Leaving::NotHere { reason })
        }
    };
    match (request_id, pupil_id, leaving) {
        (Some(request_id), Some(pupil_id), Some(leaving)) if violations.is_empty() => {
            match &leaving {
                Leaving::NotHere { reason } if reason.is_empty() => {
                    return Err(status::refused("REASON_REQUIRED", &[]));
                }
                Leaving::NotHere { .. }
                | Leaving::Guardian(_)
                | Leaving::Collector { .. }
                | Leaving::Alone => {}
            }
            Ok(Parsed { request_id, pupil_id, leaving })
        }
        _ => Err(status::invalid(&violations)),
    }
}

async fn let_go(
    rpc: &DayRpc,
    permit: &StaffPermit,
    key: &RequestKey,
    parsed: &Parsed,
    by: &str,
) -> Result<CheckOutResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let unknown = || status::not_found("pupil", parsed.pupil_id);
    let pupil = store::pupil::lock(&tx, &[parsed.pupil_id]).await?.pop().ok_or_else(unknown)?;
    let now = rpc.clock.now();
    let today = local::day(now);
    let duties = store::day::duty::list(&tx, pupil.district_id, pupil.school_id, today, today).await?;
    let before = store::day::custody::find_all(&tx, pupil.district_id, [pupil.id], today).await?.pop();
    let holds = before.as_ref().is_some_and(|before| sight::holds(permit, &before.state, &duties, today));
    if !holds && !sight::answers_for(permit, &pupil, &duties, today) {
        // Whoever teaches the pupil may know that somebody else was faster.
        if may_help(rpc, &tx, permit, &pupil).await? {
            return Err(error::custody(custody::Error::NotHeld, pupil.id));
        }
        return Err(unknown());
    }
    let (way, collector) = way(rpc, &tx, &pupil, &parsed.leaving).await?;
    let next =
        custody::check_out(before.as_ref(), way).map_err(|refusal| error::custody(refusal, pupil.id))?;
    let at = match (next, &before) {
        (Some(next), Some(before)) => {
            if let Some((collector, code)) = &collector
                && let Err(refusal) = take(&tx, collector, code, today, now).await?
            {
                // A wrong code counts under the lock it was judged under, though nothing else is kept: not even that it was asked.
                if refusal == collector::Error::CodeWrong {
                    store::day::collector::save_wrong_code(&tx, collector).await?;
                    claim.give_up(&tx).await?;
                    tx.commit().await?;
                }
                return Err(error::collector(&refusal));
            }
            let note = match &parsed.leaving {
                Leaving::NotHere { reason } => reason.as_str(),
                Leaving::Guardian(_) | Leaving::Collector { .. } | Leaving::Alone => "",
            };
            let record = change::Record { recorder: by, note, at: now, now };
            change::step(&tx, &pupil, today, Some(before), next, before.due_at, &record).await?.since
        }
        (None, Some(before)) => before.since,
        // Only whoever has come is checked out.
        (_, None) => now,
    };
    let response = CheckOutResponse { check_out_time: Some(timestamp(at)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}

/// The way, and the collector that has to hold for it, with the code the person says.
async fn way(
    rpc: &DayRpc,
    tx: &Tx,
    pupil: &Pupil,
    leaving: &Leaving,
) -> Result<(Way, Option<(Collector, String)>), Status> {
    // What a guardian has said holds as long as that guardian is one.
    let guardians = store::pupil::guardians(tx, pupil.district_id, pupil.id).await?;
    match leaving {
        Leaving::Guardian(id) if guardians.contains(id) => Ok((Way::Guardian(*id), None)),
        Leaving::Guardian(id) => Err(status::not_found("guardian", id)),
        Leaving::Collector { id, code } => {
            let unknown = || status::not_found("collector", id);
            let collector = store::day::collector::lock(tx, &rpc.vault, *id).await?.ok_or_else(unknown)?;
            if collector.pupil_id != pupil.id || collector.kind == Kind::Alone {
                return Err(unknown());
            }
            if !guardians.contains(&collector.guardian_id) {
                return Err(error::collector(&collector::Error::Removed));
            }
            Ok((Way::Collector(*id), Some((collector, code.clone()))))
        }
        Leaving::Alone => {
            let all = store::day::collector::list(tx, &rpc.vault, pupil.district_id, pupil.id).await?;
            let consent = collector::consent_to_go_alone(&all, &guardians);
            let consent = consent.ok_or_else(|| status::refused("ALONE_NOT_ALLOWED", &[]))?;
            Ok((Way::Alone(consent), None))
        }
        Leaving::NotHere { .. } => Ok((Way::NotHere, None)),
    }
}

/// The collector takes the pupil: what is for once is used up. Or why that may not be.
async fn take(
    tx: &Tx,
    collector: &Collector,
    code: &str,
    today: chrono::NaiveDate,
    now: shared::value::Moment,
) -> Result<Result<(), collector::Error>, Status> {
    match collector::take(collector, code, today) {
        Ok(state) if state != collector.state => {
            store::day::collector::save_state(tx, collector, state, now).await?;
            Ok(Ok(()))
        }
        taken => Ok(taken.map(|_| ())),
    }
}
